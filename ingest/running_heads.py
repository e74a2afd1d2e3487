"""Lines that head or foot many pages: they come between the sentences that a page break parts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

_NUMBER = re.compile(r"[0-9]{1,9}")
_NEAR = 6  # pages on either side: a chapter's head need not be the book's, and may stand on every other page
_REPEATS = 4


def without_running_heads(pages: Sequence[str]) -> list[str]:
    """The pages' texts less the lines at their edges that come again on the pages around, but for a page number."""
    places = _places(pages)
    return [_without(text, number, places) for number, text in enumerate(pages, start=1)]


def _places(pages: Sequence[str]) -> dict[str, list[int]]:
    """The pages, in order, that each shape of a line stands at the edge of."""
    places: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(pages, start=1):
        for shape in {shape for line in _edges(text) for shape in _shapes(line, number)}:
            places[shape].append(number)
    return places


def _edges(text: str) -> list[str]:
    lines = [line for line in text.split("\n") if line.strip()]
    return lines[:2] + lines[-2:] if len(lines) > 4 else []


def _shapes(line: str, number: int) -> tuple[str, str]:
    """A line as it is, and with its numbers counted from the page's."""
    plain = " ".join(line.split())
    return plain, _NUMBER.sub(lambda match: f"\0{int(match[0]) - number}", plain)


def _without(text: str, number: int, places: Mapping[str, Sequence[int]]) -> str:
    edges = set(_edges(text))
    return "\n".join(line for line in text.split("\n") if line not in edges or not _repeated(line, number, places))


def _repeated(line: str, number: int, places: Mapping[str, Sequence[int]]) -> bool:
    return any(
        sum(abs(other - number) <= _NEAR for other in places.get(shape, ())) >= _REPEATS
        for shape in _shapes(line, number)
    )
