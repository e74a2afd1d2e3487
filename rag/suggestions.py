"""Questions worth asking next: about the sections that a search came by and the answer did not use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rag.text import language
from rag.types import Answer, Language

MOST = 3
_SHORTEST, _LONGEST = 2, 60  # characters of a section's name, a Chinese one counting twice
_NUMBER = re.compile(
    r"^(?:第?[一二三四五六七八九十百]+[、.．章节条款]\s*|[（(][一二三四五六七八九十\d]+[)）]\s*|\d+(?:\.\d+)*[.、．)）]?\s+|(?:chapter|section|part|appendix)\s+\w+[:.]?\s+)",
    re.IGNORECASE,
)
_ASKS = {"zh": "关于“{name}”，文档里怎么说？", "en": "What do the documents say about “{name}”?"}


def follow_ups(answer: Answer, asked: Iterable[str] = ()) -> list[str]:
    """At most three questions in the answer's language that the documents can answer; none after a refusal.

    They are about sections of the passages that were found and not quoted, nearest first; what was ``asked`` before is
    not proposed again.
    """
    if answer.refused or not answer.citations:
        return []
    found = [*answer.passages, *(cut.passage for cut in answer.trace.cut)]
    quoted = {citation.passage.chunk.heading for citation in answer.citations}
    headings = [passage.chunk.heading for passage in found if passage.chunk.heading not in quoted]
    return questions(headings, answer.language, [answer.question, *asked])


def questions(headings: Iterable[str], spoken: Language, asked: Sequence[str] = (), most: int = MOST) -> list[str]:
    """A question about each section whose name says something in this language, in the order given."""
    names = dict.fromkeys(filter(None, (section_name(heading, spoken) for heading in headings)))
    known = " ".join(asked).casefold()
    return [_question(name, spoken) for name in names if name.casefold() not in known][:most]


def section_name(heading: str, spoken: Language) -> str:
    """What the innermost section of a heading is about, without its number; empty where that asks for nothing."""
    name = _NUMBER.sub("", heading.rsplit(" › ", 1)[-1].strip()).strip(" :：*_`#")
    width = sum(2 if ord(c) > 0x2E7F else 1 for c in name)
    readable = sum(c.isalpha() for c in name) >= len(name) / 2 and not re.search(r"[/\\|{}<>]|\.\w{2,5}$", name)
    return name if readable and _SHORTEST * 2 <= width <= _LONGEST and language(name) == spoken else ""


def _question(name: str, spoken: Language) -> str:
    return name if name.endswith(("?", "？")) else _ASKS[spoken].format(name=name)
