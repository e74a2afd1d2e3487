"""The account of a search and an answer for a person: why each passage is there, what was left out, what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from rag import fusion
from rag.text import language, tokens
from rag.types import Answer, Cut, Found, Passage
from rag.wording import say

_MOST_TERMS = 10
_SENTENCE_TOKENS = 6


def passage_lines(passage: Passage, others: Sequence[Passage] = ()) -> list[str]:
    """Why a passage is where it is, line by line; ``others`` is the list it stands in, best first."""
    meaning, words = (_rank(rank) for rank in (passage.dense_rank, passage.lexical_rank))
    lines = [
        f"score {passage.score:.3f} = meaning {fusion.meaning(passage.dense, passage.window):.3f} "
        f"(whole {passage.dense:.3f}, {meaning}; best sentences {passage.window:.3f}) "
        f"+ {passage.lexical_weight:.2f} × words {fusion.wording(passage.lexical):.3f} (of {passage.lexical:.3f}, {words})"
    ]
    if passage.terms:
        shown = [f"{term} {share:.3f}" for term, share in passage.terms[:_MOST_TERMS]]
        more = len(passage.terms) - len(shown)
        lines.append("words: " + " · ".join(shown) + (f" and {more} more" if more else ""))
    if passage.rerank is not None:
        lines.append(f"reranked: {passage.rerank:.3f}")
    if passage.also:
        lines.append(f"same text in: {', '.join(passage.also)}")
    if beside := [str(rank) for rank, other in enumerate(others, 1) if _adjacent(passage, other)]:
        lines.append(f"next to {', '.join(beside)} in its document")
    return lines


def cut_reason(cut: Cut, found: Found) -> str:
    """Why a passage that was found is not shown."""
    if cut.why == "duplicate":
        rank = next((n for n, p in enumerate(found.passages, 1) if p.chunk.id == cut.repeats), None)
        return f"repeats {rank}" if rank else "repeats a passage that is cut itself"
    return f"behind the {len(found.passages)} best"


def seen_line(found: Found) -> str:
    """How many chunks were searched and how many were kept out."""
    hidden = found.trace.hidden
    reranked = f"; the reranker read {found.trace.reranked}" if found.trace.reranked is not None else ""
    return (
        f"{found.trace.searched} passages searched" + (f"; the filter kept {hidden} out" if hidden else "") + reranked
    )


def _adjacent(one: Passage, other: Passage) -> bool:
    same = (one.kb, one.chunk.document) == (other.kb, other.chunk.document)
    return same and abs(one.chunk.ordinal - other.chunk.ordinal) == 1


def _rank(rank: int | None) -> str:
    return "not listed" if rank is None else f"rank {rank}"


def notes(answer: Answer) -> list[str]:
    """What a reader must know of a whole answer: why it is none or a mere quotation, if it broke off, what it leaves open."""
    parts = [say(f"open: {part}", answer.language) for part in answer.open]
    foreign = say("other language", answer.language) if _in_other_language(answer) else ""
    return [note for note in (answer.reason, answer.incomplete, foreign, *parts) if note]


def _in_other_language(answer: Answer) -> bool:
    """Whether the model answered in a language that was not asked for; a name or two belong to no language."""
    if answer.kind != "answer" or answer.refused or len(tokens(answer.text)) < _SENTENCE_TOKENS:
        return False
    return language(answer.text) != answer.language
