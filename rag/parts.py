"""What of a question an answer leaves open: parts of a double question, and words that no passage holds. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rag.grounding import content_words
from rag.text import language

_ASKS_ZH = re.compile(r"什么|多少|哪|谁|几|何时|何地|何处|怎么|怎样|为什么|为何|如何|是否|吗|多[大长高远久重快]")
_ASKS_EN = re.compile(r"\b(?:what|when|where|who|whom|whose|which|how|why)\b", re.IGNORECASE)
_SEAM_ZH = re.compile(r"[？?；;，,、]\s*(?:以及|还有|并且|同时|另外|而且|又|和|与|及)?|(?:以及|还有|并且|另外)")
_QUESTION_WORD = r"(?:what|when|where|who|which|how|why)\b"
_SEAM_EN = re.compile(
    rf"[?;]\s*(?:and\b|also\b)?|,?\s+and\s+(?=(?:\w+\s+){{0,2}}{_QUESTION_WORD})|,\s+(?={_QUESTION_WORD})",
    re.IGNORECASE,
)
_ANSWERED = 0.5  # of a part's own words


def parts(question: str) -> list[str]:
    """The questions within a question, each with an interrogative of its own; a single one for most."""
    chinese = language(question) == "zh"
    seam, asks = (_SEAM_ZH, _ASKS_ZH) if chinese else (_SEAM_EN, _ASKS_EN)
    found: list[str] = []
    waiting = ""
    for piece in seam.split(question):
        waiting = f"{waiting} {piece.strip()}".strip() if waiting and not chinese else waiting + piece.strip()
        if asks.search(waiting):
            found.append(waiting.strip(" ?？。."))
            waiting = ""
    if waiting.strip() and found:
        found[-1] = f"{found[-1]} {waiting}".strip(" ?？。.")
    return found or [question]


def unanswered(question: str, said: Iterable[str]) -> list[str]:
    """The parts of a double question that nothing ``said`` is about, supported claims with their quotes; never all of them.

    A part is answered where a text holds half of the words that the other parts don't have.
    """
    pieces = parts(question)
    words = [content_words(piece) for piece in pieces]
    told = [content_words(text) for text in said]
    open_parts = []
    for place, piece in enumerate(pieces):
        own = words[place].difference(*(words[other] for other in range(len(pieces)) if other != place))
        if own and max((len(own & text) / len(own) for text in told), default=0.0) < _ANSWERED:
            open_parts.append(piece)
    return open_parts if len(open_parts) < len(pieces) else []


def unmentioned(question: str, sources: Sequence[str]) -> list[str]:
    """The words of a question that none of the sources holds, as they stand there; Chinese ones as runs of characters."""
    missing = content_words(question).difference(*(content_words(source) for source in sources))
    if not missing:
        return []
    found = [word for word in re.findall(r"[A-Za-z0-9][\w.+-]*", question) if content_words(word) & missing]
    for run in re.finditer(r"[\u3400-\u9fff]+", question):
        found += _runs(run.group(), missing)
    return list(dict.fromkeys(found))


def _runs(text: str, missing: set[str]) -> list[str]:
    """Stretches of Chinese text all of whose pairs of characters are missing."""
    lost = [text[place : place + 2] in missing for place in range(len(text) - 1)]
    return [
        text[found.start() : found.end() + 1] for found in re.finditer("1+", "".join("01"[is_lost] for is_lost in lost))
    ]
