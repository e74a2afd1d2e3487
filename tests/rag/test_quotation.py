"""The documents' own words for a question."""

from __future__ import annotations

from collections.abc import Sequence

from rag.quotation import nearest_words
from rag.types import Passage
from tests.rag.stored import chunks_of


def passages(*texts: str) -> list[Passage]:
    return [Passage(chunks_of(f"{n}.md", (text,))[0], 1 - n / 10, n + 1, n + 1) for n, text in enumerate(texts)]


def alike(texts: Sequence[str]) -> list[float]:
    return [0.0 for _ in texts]


def test_the_sentence_with_the_question_s_words_is_quoted() -> None:
    """Where the meaning tells nothing the words do, and the quote is exactly what stands at its place."""
    found = passages("Zebras run. The office rent is 9,000 euros. Giraffes sleep.", "Leave is long.")
    note = nearest_words("How high is the office rent?", found, alike)
    assert note and note.quote == "The office rent is 9,000 euros."
    assert found[0].chunk.text[note.start : note.end] == note.quote
    note = nearest_words("办公室的租金是多少？", passages("斑马在跑。办公室的租金是九千。"), alike)
    assert note and note.quote == "办公室的租金是九千。"


def test_meaning_finds_what_has_other_words() -> None:
    """A sentence near in meaning is quoted without sharing a word with the question."""
    found = passages("Zebras run.", "Giraffes sleep.")
    note = nearest_words("夜里的动物？", found, lambda texts: [0.9 if "sleep" in text else 0.1 for text in texts])
    assert note and note.passage is found[1]


def test_without_passages_there_is_no_quote() -> None:
    """Nothing was found, so nothing is quoted."""
    assert nearest_words("Anything?", [], alike) is None
