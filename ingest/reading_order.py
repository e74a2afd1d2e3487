"""The lines of a printed page put into the order in which they are read: columns, rows, tables, paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

import numpy as np

from ingest.paragraphs import width

_SENTENCE_END = re.compile(r"[。！？；：.!?:;][”’」』）)\"']*$")
_FEWEST = 4  # lines that make a column
_NEAR = 12  # rows up and down in which a table shows itself
_CROSSING = 0.25  # of the lines may run across two columns: titles, wide tables


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text where it stands on the page; coordinates in pixels, downwards and to the right."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """The height of its letters, roughly."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Half way down."""
        return (self.top + self.bottom) / 2


Row = list[Piece]


def arranged(pieces: Sequence[Piece]) -> str:
    """The text of a page, a printed line a line, blank lines between paragraphs, rows of tables as ``| a | b |``."""
    if not pieces:
        return ""
    height = median(piece.height for piece in pieces)
    return "\n".join("\n".join(_lines(block, height)) for block in _blocks(list(pieces), height))


def _blocks(pieces: list[Piece], height: float) -> Iterator[list[Piece]]:
    """What is read from top to bottom before going on elsewhere: columns, and what runs across them."""
    gutter = _gutter(pieces, height)
    if gutter is None:
        yield pieces
        return
    rows = _rows(pieces)
    across = [row for row in rows if any(piece.left < gutter < piece.right for piece in row)]
    beside = [piece for row in rows if row not in across for piece in row]
    start = float("-inf")
    for group in [*_neighbours(across, beside), []]:
        end = group[0].middle if group else float("inf")
        band = [piece for piece in beside if start <= piece.middle < end]
        for side in ([p for p in band if p.right <= gutter], [p for p in band if p.left >= gutter]):
            if side:
                yield from _blocks(side, height)
        if group:
            yield group
            start = group[-1].middle


def _neighbours(across: Sequence[Row], beside: Sequence[Piece]) -> list[list[Piece]]:
    """Rows across the columns that follow each other without a line of a column between them."""
    groups: list[list[Piece]] = []
    for row in across:
        if groups and not any(groups[-1][-1].middle <= piece.middle < row[0].middle for piece in beside):
            groups[-1] += row
        else:
            groups.append(list(row))
    return groups


def _gutter(pieces: Sequence[Piece], height: float) -> float | None:
    """Where a page has columns of running text, the middle of the widest gap between two of them."""
    if len(pieces) < 2 * _FEWEST:
        return None
    lefts = np.array([piece.left for piece in pieces])
    rights = np.array([piece.right for piece in pieces])
    places = np.unique(rights) + 1
    before = rights[None, :] < places[:, None]
    after = lefts[None, :] > places[:, None]
    crossing = len(pieces) - before.sum(1) - after.sum(1)
    possible = (crossing <= _CROSSING * len(pieces)) & (before.sum(1) >= _FEWEST) & (after.sum(1) >= _FEWEST)
    best: tuple[float, float] | None = None
    for index in np.flatnonzero(possible):
        left_side, right_side = before[index], after[index]
        gap = lefts[right_side].min() - rights[left_side].max()
        if gap < 0.7 * height or (best and gap - 3 * height * crossing[index] <= best[0]):
            continue
        sides = [[p for p, chosen in zip(pieces, side, strict=True) if chosen] for side in (left_side, right_side)]
        if _are_columns(sides[0], sides[1], height):
            best = (gap - 3 * height * crossing[index], places[index] - 1 + gap / 2)
    return best[1] if best else None


def _are_columns(one: Sequence[Piece], other: Sequence[Piece], height: float) -> bool:
    """Whether two sides are read one after the other, and are no table's columns, whose rows are read across."""
    top, bottom = (
        max(min(p.top for p in s) for s in (one, other)),
        min(max(p.bottom for p in s) for s in (one, other)),
    )
    if bottom - top < 3 * height:
        return False
    running = [_runs(side, height) for side in (one, other)]
    return all(running) or (any(running) and _level(one, other, height) < 0.6)


def _runs(side: Sequence[Piece], height: float) -> bool:
    """Whether most lines fill their column, as text does and a table's cells do not."""
    left, right = np.percentile([p.left for p in side], 10), np.percentile([p.right for p in side], 90)
    wide = right - left
    rows = _rows(side)
    full = sum(max(piece.right - piece.left for piece in row) > 0.55 * wide for row in rows)
    return bool(wide > 10 * height and full >= 0.5 * len(rows))


def _level(one: Sequence[Piece], other: Sequence[Piece], height: float) -> float:
    """The share of the shorter side's lines that stand level with a line of the other."""
    few, many = sorted((_rows(one), _rows(other)), key=len)
    middles = np.array([row[0].middle for row in many])
    return float(np.mean([np.abs(middles - row[0].middle).min() < 0.22 * height for row in few]))


def _rows(pieces: Sequence[Piece]) -> list[Row]:
    """Pieces on one baseline, from left to right, the rows from top to bottom."""
    rows: list[Row] = []
    for piece in sorted(pieces, key=lambda piece: piece.middle):
        if rows and _same_row(rows[-1], piece):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda piece: piece.left) for row in rows]


def _same_row(row: Row, piece: Piece) -> bool:
    beside = all(
        piece.left > other.right - other.height / 2 or piece.right < other.left + other.height / 2 for other in row
    )
    nearest = min(row, key=lambda other: abs(other.left - piece.left))
    return beside and abs(piece.middle - nearest.middle) < 0.5 * min(piece.height, nearest.height)


def _lines(block: Sequence[Piece], height: float) -> Iterator[str]:
    """A block's lines of text, an empty one before each paragraph that its space or its indent shows."""
    rows = [_cells(row, height) for row in _rows(block)]
    tables = _tables(rows, height)
    spaces = [min(p.top for p in after) - max(p.bottom for p in before) for before, after in pairwise(rows)]
    usual = median(spaces) if spaces else 0.0
    edge = median(row[0].left for row in rows)
    before = ""
    for index, row in enumerate(rows):
        table = tables[index]
        line = _table_row(row, table) if table else "  ".join(cell.text for cell in row)
        if index and (
            table is not tables[index - 1] or (not table and _parted(rows[index - 1], row, spaces[index - 1], usual))
        ):
            yield ""
        elif index and not table and height < row[0].left - edge < 5 * height and _SENTENCE_END.search(before):
            yield ""
        yield line
        before = line


def _parted(before: Row, row: Row, space: float, usual: float) -> bool:
    """Whether the space between two lines is that of two paragraphs."""
    height = max(before[0].height, row[0].height)
    return space - usual > 0.45 * height or space > 1.3 * height


def _cells(row: Row, height: float) -> Row:
    """A row's pieces, those joined that stand close together, Chinese ones without a blank."""
    cells = [row[0]]
    for piece in row[1:]:
        last = cells[-1]
        if piece.left - last.right > 0.5 * height:
            cells.append(piece)
        else:
            blank = "" if width(last.text[-1] + piece.text[0]) == 4 else " "
            top, bottom = min(last.top, piece.top), max(last.bottom, piece.bottom)
            cells[-1] = Piece(last.text + blank + piece.text, last.left, top, piece.right, bottom)
    return cells


def _tables(rows: Sequence[Row], height: float) -> list[Row | None]:
    """For each row of a table the table's fullest row, whose cells show where its columns are; None for text.

    A row belongs to a table where two of its cells stand below or above those of a row near by.
    """
    near = [[*rows[max(0, index - _NEAR) : index], *rows[index + 1 : index + 1 + _NEAR]] for index in range(len(rows))]
    tabular = [
        any(_share_places(row, other, height) for other in others) for row, others in zip(rows, near, strict=True)
    ]
    enclosed = [any(tabular[max(0, i - 1) : i]) and any(tabular[i + 1 : i + 2]) for i in range(len(rows))]
    tabular = [row or between for row, between in zip(tabular, enclosed, strict=True)]
    tables: list[Row | None] = []
    for _, run in groupby(zip(tabular, rows, strict=True), key=lambda pair: pair[0]):
        members = list(run)
        fullest = max((row for _, row in members), key=len) if members[0][0] and len(members) > 1 else None
        tables += [fullest] * len(members)
    return tables


def _share_places(one: Row, other: Row, height: float) -> bool:
    """Whether two cells of each row stand below each other, flush on the left, on the right or in the middle."""
    return sum(any(_distance(cell, above) < 0.7 * height for above in other) for cell in one) >= 2 <= len(other)


def _distance(one: Piece, other: Piece) -> float:
    left, right = one.left - other.left, one.right - other.right
    return min(abs(left), abs(right), abs(left + right) / 2)


def _table_row(row: Row, columns: Row) -> str:
    """A row with each of its cells in the column that it stands nearest to, the others empty."""
    texts = [""] * len(columns)
    for cell in row:
        for place, text in _places(cell, columns):
            texts[place] = f"{texts[place]} {text}".strip()
    return f"| {' | '.join(texts)} |"


def _places(cell: Piece, columns: Row) -> list[tuple[int, str]]:
    """The column of a cell; those of its words where it is several cells that stand close together."""
    below = [index for index, column in enumerate(columns) if cell.left < (column.left + column.right) / 2 < cell.right]
    words = cell.text.split()
    if len(words) == len(below):
        return list(zip(below, words, strict=True))
    return [(min(range(len(columns)), key=lambda index: _distance(cell, columns[index])), cell.text)]
