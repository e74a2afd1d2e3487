"""The labels of a table's rows: broken ones joined, each behind those that head it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.paragraphs import width
from ingest.pdf_words import Row
from ingest.reading_order import Piece

Column = tuple[float, float]  # where a column begins and ends
_GOES_ON = re.compile(r"[,，;(（\-–—]$|\b(?:and|or|of|for|on|in|to|the|by|from|with|a|an|at|per)$", re.IGNORECASE)
_TOTAL = re.compile(r"(?:sub)?total\b|合计|总计|小计", re.IGNORECASE)
_LONG_LABEL = 30  # letters: a shorter one is not broken for want of room


def column_of(cell: Piece, columns: Sequence[Column]) -> int:
    """The column that a cell stands in or nearest to."""

    def away(column: Column) -> float:
        return max(column[0], cell.left) - min(column[1], cell.right)

    return min(range(len(columns)), key=lambda index: away(columns[index]))


@dataclass(slots=True)
class _Entry:
    """A line of a table with its whole label; a label without ``values`` heads those below it."""

    label: str
    left: float
    right: float
    values: list[str]
    flat: bool = False  # whether what it heads stands no further in
    used: bool = False


def labelled_rows(lines: Sequence[Row], columns: Sequence[Column]) -> list[list[str]]:
    """The rows as cells, each label behind those that head it: ``Net sales: Products``."""
    rows: list[list[str]] = []
    heads: list[_Entry] = []
    for entry in _entries(lines, columns):
        if not entry.values:
            rows += _dropped(heads, [head for head in heads if head.flat or head.left >= entry.left - 1])
            heads.append(entry)
            continue
        if entry.label:
            rows += _dropped(heads, [head for head in heads if _is_past(head, entry)])
        for head in heads:
            head.flat = head.flat or (not head.used and entry.left < head.left + 1)
            head.used = True
        rows.append([": ".join([*(head.label.rstrip(":：") for head in heads), entry.label][-3:]), *entry.values])
        if _TOTAL.match(entry.label):
            heads = heads[:-1]
    return [*rows, *([head.label, *[""] * (len(columns) - 1)] for head in heads if not head.used)]


def _is_past(head: _Entry, entry: _Entry) -> bool:
    return entry.left < head.left - 1 or (head.used and not head.flat and entry.left < head.left + 1)


def _dropped(heads: list[_Entry], past: Sequence[_Entry]) -> list[list[str]]:
    """Takes the heads that are past out of the list; those that headed nothing are rows of their own."""
    heads[:] = [head for head in heads if head not in past]
    return [[head.label] for head in past if not head.used]


def _entries(lines: Sequence[Row], columns: Sequence[Column]) -> Iterator[_Entry]:
    """The lines with the labels joined that were broken, whether their figures stand on the first or the last line."""
    waiting: _Entry | None = None
    last: _Entry | None = None
    for index, line in enumerate(lines):
        entry = _entry(line, columns)
        if waiting and (entry.label or entry.values):
            entry = replace(entry, label=f"{waiting.label} {entry.label}".strip(), left=waiting.left)
        elif last and not entry.values and _is_rest(last, entry):
            last.label = f"{last.label} {entry.label}"
            continue
        following = _entry(lines[index + 1], columns) if index + 1 < len(lines) else None
        waiting = entry if not entry.values and following and _is_begun(entry, following, columns[0][1]) else None
        if waiting is None:
            if last:
                yield last
            last = entry
    if last:
        yield last


def _entry(line: Row, columns: Sequence[Column]) -> _Entry:
    at = [column_of(cell, columns) for cell in line]
    cells = [
        " ".join(cell.text for cell, i in zip(line, at, strict=True) if i == column) for column in range(len(columns))
    ]
    label = [cell for cell, i in zip(line, at, strict=True) if i == 0] or line
    return _Entry(cells[0], label[0].left, label[-1].right, cells[1:] if any(cells[1:]) else [])


def _is_rest(entry: _Entry, following: _Entry) -> bool:
    """Whether a label without figures is the end of the one above, which has them."""
    if not entry.values or not entry.label or following.label.endswith((":", "：")) or following.left < entry.left - 1:
        return False
    return following.label[0].islower() or _GOES_ON.search(entry.label) is not None


def _is_begun(entry: _Entry, following: _Entry, edge: float) -> bool:
    """Whether a label without figures goes on in the line below; ``edge`` is where the labels' column ends."""
    if entry.label.endswith((":", "：")) or not following.label:
        return False
    if following.label[0].islower() or _GOES_ON.search(entry.label):
        return True
    full = width(entry.label) >= _LONG_LABEL and entry.right > edge - 0.15 * (edge - entry.left)
    return (full or not following.label[0].isalpha()) and following.left < entry.left + 2
