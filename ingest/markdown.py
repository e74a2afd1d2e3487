"""The one piece of Markdown that the stored text relies on: heading lines outside code fences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(r"[^\n]*\n?")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*\n?")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading line, ``text`` without its marks; ``start`` and ``end`` (with its line end) count characters."""

    level: int
    text: str
    start: int
    end: int


def headings(text: str) -> Iterator[Heading]:
    """The heading lines of a Markdown text in order; what stands in a code fence is none."""
    fence = ""
    for line in _LINE.finditer(text):
        if marks := _FENCE.match(line[0]):
            if not fence:
                fence = marks[1]
            elif marks[1].startswith(fence) and not line[0].strip().strip(fence[0]):
                fence = ""
        elif not fence and (heading := _HEADING.fullmatch(line[0])) and heading[2]:
            yield Heading(len(heading[1]), heading[2], line.start(), line.end())


def heading_line(level: int, text: str) -> str:
    """A heading as the stored text writes it."""
    return f"{'#' * min(max(level, 1), 6)} {' '.join(text.split())}"
