"""The documents' own words for a question: the sentence or two that come closest to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag.claims import Sentence, sentences
from rag.grounding import share_covered, windows
from rag.types import Citation, Passage

# texts, each with its heading in front → one similarity to the question each.
Closeness = Callable[[Sequence[str]], Sequence[float]]

_WORDS = 0.3  # what the share of the question's words counts beside the meaning
_RANK = 0.02
_LENGTH = 0.05  # a second sentence has to earn its place


def nearest_words(question: str, passages: Sequence[Passage], closeness: Closeness) -> Citation | None:
    """The footnote to the words of the passages, best first, that are nearest to a question; None without passages."""
    found = [
        (rank, passage, passage.chunk.text[first.start : last.end], first, last, first is not last)
        for rank, passage in enumerate(passages)
        for first, last in _pieces(passage.chunk.text)
    ]
    if not found:
        return None
    near = closeness([f"{passage.chunk.heading}\n{text}" for _, passage, text, *_ in found])

    def merit(place: int) -> float:
        rank, passage, text, _, _, two = found[place]
        words = share_covered(question, f"{passage.chunk.heading} {text}")
        return near[place] + _WORDS * words - _RANK * rank - _LENGTH * two

    _, passage, text, first, last, _ = found[max(range(len(found)), key=merit)]
    start = passage.chunk.start
    return Citation(1, passage, text, start + first.start, start + last.end, 1.0)


def _pieces(text: str) -> list[tuple[Sentence, Sentence]]:
    pieces = sentences(text)
    return [(pieces[first], pieces[last]) for first, last in windows(pieces) if last - first < 2]
