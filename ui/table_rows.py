"""The table around quoted words: rows that were stored as ``name: value; name: value`` lines, as rows again."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingest.tables import is_row

_CELL = re.compile(r"([^:;\n]{1,120}): (.*?)(?=; [^:;\n]{1,120}: |$)")
_REACH = 2  # rows on either side of the quoted ones


@dataclass(frozen=True, slots=True)
class Rows:
    """A few rows of a table under their names; ``marked`` are those that hold the quoted words."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[int]


def rows_around(text: str, start: int, end: int) -> Rows | None:
    """The rows that hold ``text[start:end]`` and their neighbours of the same names; None where these are no rows."""
    lines, at = [], 0
    for line in text.split("\n"):
        lines.append((at, at + len(line), line))
        at += len(line) + 1
    quoted = [index for index, (first, last, _) in enumerate(lines) if first < end and start < last]
    if not quoted or not all(is_row(lines[index][2]) for index in quoted):
        return None
    names = tuple(_cells(lines[quoted[0]][2]))
    if len(names) < 2 or len(quoted) > 10:
        return None
    wanted = range(max(0, quoted[0] - _REACH), min(len(lines), quoted[-1] + _REACH + 1))
    found = [(index, cells) for index in wanted if (cells := _cells(lines[index][2])) and cells.keys() == set(names)]
    marked = frozenset(place for place, (index, _) in enumerate(found) if index in quoted)
    if len(marked) < len(quoted):  # of rows under different names
        return None
    return Rows(names, tuple(tuple(cells[name] for name in names) for _, cells in found), marked)


def _cells(line: str) -> dict[str, str]:
    return {name.strip(): value.strip() for name, value in _CELL.findall(line)} if is_row(line) else {}
