"""A PDF page as it is read: column by column, and each table row as one line that keeps its column names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from ingest.pdf_grids import Table
from ingest.pdf_tables import tables
from ingest.pdf_words import Row, Rule, joined, read, rows
from ingest.reading_order import Piece
from ingest.tables import is_value

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

_LABEL = re.compile(r"[^\d$€£¥￥%]*[^\W\d_]{2}")  # letters before any figure
_FEWEST = 4  # lines that make a column
_CANDIDATES = 12  # places of a page where a column may begin


@dataclass(frozen=True, slots=True)
class Layout:
    """A page's ``text`` in reading order, a printed line a line, each row of a table a line of its own.

    It is None where the page is one plain column without tables, so that any reader of its text will do.
    """

    text: str | None
    tables: int
    columns: int


@dataclass(frozen=True, slots=True)
class _Band:
    """Lines of a page that stand in two columns, parted at ``gutter``."""

    start: int
    stop: int
    gutter: float


def layout(page: PdfPage) -> Layout:
    """The layout of a page; every character that it shows is in the text, those of column names once for each row."""
    ink = read(page)
    blocks, columns = _blocks(ink.words, ink.rules)
    parts: list[str] = []
    count = 0
    for block in blocks:
        found = tables(block, ink.rules)
        count += len(found)
        parts.append("\n".join(_lines(block, found)))
    if columns == 1 and not count:
        return Layout(None, 0, 1)
    parts += ["\n".join(_lines(rows(words, []), [])) for words in ink.turned]
    return Layout("\n\n".join(part for part in parts if part.strip()), count, columns)


def _lines(block: Sequence[Row], found: Sequence[Table]) -> Iterator[str]:
    """The lines of a block, its tables in their places, an empty line where more room than usual parts two."""
    starts = {table.start: table for table in found}
    spaces = [_top(below) - _bottom(above) for above, below in pairwise(block)]
    usual = median(spaces) if spaces else 0.0
    index = 0
    while index < len(block):
        if table := starts.get(index):
            yield from (*([""] if index else []), *table.lines, *([""] if table.stop < len(block) else []))
            index = table.stop
            continue
        line = joined(block[index])
        if index and spaces[index - 1] - usual > 0.45 * line.height:
            yield ""
        yield " ".join(piece.text for piece in block[index])
        index += 1


def _top(row: Row) -> float:
    return min(piece.top for piece in row)


def _bottom(row: Row) -> float:
    return max(piece.bottom for piece in row)


def _blocks(words: Sequence[Piece], rules: Sequence[Rule]) -> tuple[list[list[Row]], int]:
    """The blocks of lines that are read one after the other, and how many of them stand side by side at most."""
    if not words:
        return [], 1
    lines = rows(words, rules)
    band = _band(lines, rules)
    if band is None:
        return [lines], 1
    top, bottom = _top(lines[band.start]), _bottom(lines[band.stop - 1])
    within = [word for word in words if top <= word.middle <= bottom]
    above = _blocks([word for word in words if word.middle < top], rules)
    left = _blocks([word for word in within if word.left < band.gutter], rules)
    right = _blocks([word for word in within if word.left >= band.gutter], rules)
    below = _blocks([word for word in words if word.middle > bottom], rules)
    return [*above[0], *left[0], *right[0], *below[0]], max(above[1], left[1] + right[1], below[1])


def _band(lines: Sequence[Row], rules: Sequence[Rule]) -> _Band | None:
    """The largest run of lines that stand in two columns."""
    if len(lines) < _FEWEST:
        return None
    edge = min(row[0].left for row in lines)
    lefts = Counter(round(piece.left) for row in lines for piece in row if piece.left > edge + 4 * piece.height)
    height = median(piece.height for row in lines for piece in row)
    best: tuple[float, _Band] | None = None
    for gutter in [left - off for left, _ in lefts.most_common(_CANDIDATES) for off in (1.5, 0.5 * height)]:
        for start, stop in _uncrossed(lines, gutter):
            band = _trimmed(lines, start, stop, gutter)
            size = _size(lines, band)
            if size >= _FEWEST and (best is None or size > best[0]) and _are_columns(lines, band, rules):
                best = (size, band)
    return best[1] if best else None


def _uncrossed(lines: Sequence[Row], gutter: float) -> Iterator[tuple[int, int]]:
    """The runs of lines of which no piece lies across the gutter."""
    start = 0
    for index, row in enumerate([*lines, None]):
        if row is None or any(piece.left < gutter < piece.right - 1 for piece in row):
            if index - start >= _FEWEST:
                yield start, index
            start = index + 1


def _trimmed(lines: Sequence[Row], start: int, stop: int, gutter: float) -> _Band:
    """The run without the lines at its ends that stand off from it and have text on one side only."""
    sides = [{piece.left >= gutter for piece in row} for row in lines[start:stop]]
    both = [start + index for index, side in enumerate(sides) if len(side) == 2]
    first, last = (both[0], both[-1]) if both else (start, stop - 1)
    while first > start and _top(lines[first]) - _bottom(lines[first - 1]) < 1.2 * lines[first][0].height:
        first -= 1
    while last < stop - 1 and _top(lines[last + 1]) - _bottom(lines[last]) < 1.2 * lines[last][0].height:
        last += 1
    return _Band(first, last + 1, gutter)


def _sides(lines: Sequence[Row], band: _Band) -> tuple[list[Row], list[Row]]:
    part = lines[band.start : band.stop]
    left = [[piece for piece in row if piece.left < band.gutter] for row in part]
    right = [[piece for piece in row if piece.left >= band.gutter] for row in part]
    return [row for row in left if row], [row for row in right if row]


def _size(lines: Sequence[Row], band: _Band) -> int:
    return min(map(len, _sides(lines, band)))


def _are_columns(lines: Sequence[Row], band: _Band, rules: Sequence[Rule]) -> bool:
    """Whether two sides are read one after the other, and are no table's columns, whose rows are read across."""
    left, right = _sides(lines, band)
    height = median(piece.height for row in (*left, *right) for piece in row)
    top, bottom = max(_top(left[0]), _top(right[0])), min(_bottom(left[-1]), _bottom(right[-1]))
    if bottom - top < 3 * height:
        return False
    across = [r for r in rules if r.level and r.left < band.gutter - 2 * height and r.right > band.gutter + 2 * height]
    if sum(top + height < rule.top < bottom - height for rule in across) > 1:
        return False
    running = [_runs(side, height) for side in (left, right)]
    if all(running):
        return True
    if any(running):
        beside = right if running[0] else left
        return _share_figures(beside) < 0.4 and _share_level(left, right) < 0.6
    return all(_is_table(side) for side in (left, right))


def _runs(side: Sequence[Row], height: float) -> bool:
    """Whether most lines fill their column, as text does and a table's cells do not."""
    lefts, rights = sorted(row[0].left for row in side), sorted(row[-1].right for row in side)
    wide = rights[int(0.9 * (len(rights) - 1))] - lefts[int(0.1 * len(lefts))]
    full = sum(max(piece.right - piece.left for piece in row) > 0.55 * wide for row in side)
    return wide > 7 * height and full >= 0.5 * len(side) and _share_figures(side) < 0.3


def _share_figures(side: Sequence[Row]) -> float:
    pieces = [piece.text for row in side for piece in row]
    return sum(is_value(text) or text in "$%" for text in pieces) / len(pieces)


def _share_level(left: Sequence[Row], right: Sequence[Row]) -> float:
    """The share of the shorter side's lines that stand level with a line of the other."""
    few, many = sorted((left, right), key=len)
    middles = [row[0].middle for row in many]
    return sum(min(abs(row[0].middle - m) for m in middles) < 0.2 * row[0].height for row in few) / len(few)


def _is_table(side: Sequence[Row]) -> bool:
    """Whether most lines are a label with figures beside it, so that the side is a table by itself."""
    own = [row for row in side if _LABEL.match(row[0].text) and any(is_value(piece.text) for piece in row[1:])]
    edge = [round(row[0].left / 3) for row in own]
    return len(own) >= max(3, 0.5 * len(side)) and Counter(edge).most_common(1)[0][1] >= 0.5 * len(own)
