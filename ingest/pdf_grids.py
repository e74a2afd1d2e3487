"""Tables whose cells are drawn with lines between them, merged cells included: each row as one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.pdf_words import Row, Rule, joined
from ingest.tables import SPANNED, is_value, rows_as_lines

_NEAR = 3.0  # points within which lines are one line, drawn in pieces
_SHORTEST = 8.0  # points of a line that parts cells
_FILLED = 0.4  # of the cells: fewer are a chart's
_LONGEST_REPEATED = 80  # characters of a merged cell that is said again in each of its rows


@dataclass(frozen=True, slots=True)
class Table:
    """The ``lines`` that take the place of the printed lines from ``start`` to ``stop`` (excluded)."""

    start: int
    stop: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Grid:
    """The lines of a table: places of its columns' and rows' edges, and the rules that are drawn there."""

    across: list[float]
    down: list[float]
    upright: list[Rule]
    level: list[Rule]

    def parted(self, row: int, column: int) -> bool:
        """Whether a line is drawn on the left of a cell."""
        middle = (self.down[row] + self.down[row + 1]) / 2
        place = self.across[column]
        return any(abs(r.left - place) <= _NEAR and r.top - 1 <= middle <= r.bottom + 1 for r in self.upright)

    def begun(self, row: int, column: int) -> bool:
        """Whether a line is drawn above a cell."""
        middle = (self.across[column] + self.across[column + 1]) / 2
        place = self.down[row]
        return any(abs(r.top - place) <= _NEAR and r.left - 1 <= middle <= r.right + 1 for r in self.level)


def grids(block: Sequence[Row], rules: Sequence[Rule]) -> list[Table]:
    """The drawn tables of a block of lines, in order."""
    found: list[Table] = []
    for grid in _grids(block, rules):
        inside = [index for index, row in enumerate(block) if grid.down[0] < joined(row).middle < grid.down[-1]]
        if not inside or inside[-1] - inside[0] + 1 != len(inside):
            continue
        start, stop = inside[0], inside[-1] + 1
        rows = _cells(block[start:stop], grid)
        if rows is not None and (not found or found[-1].stop <= start):
            lines = rows_as_lines(rows, header=len(grid.across) > 3)
            found.append(Table(start, stop, tuple(lines)))
    return found


def _grids(block: Sequence[Row], rules: Sequence[Rule]) -> Iterator[_Grid]:
    left, right = min(row[0].left for row in block), max(row[-1].right for row in block)
    level = [r for r in rules if r.level and min(r.right, right) - max(r.left, left) > 0.5 * (r.right - r.left)]
    left, right = min([left, *(r.left for r in level)]) - _NEAR, max([right, *(r.right for r in level)]) + _NEAR
    within = [r for r in rules if not r.level and left <= r.left <= right and r.bottom - r.top >= _SHORTEST]
    upright = sorted(within, key=lambda rule: rule.top)
    groups: list[list[Rule]] = []
    for rule in upright:
        if groups and rule.top <= max(other.bottom for other in groups[-1]) + _NEAR:
            groups[-1].append(rule)
        else:
            groups.append([rule])
    for group in groups:
        top, bottom = group[0].top - _NEAR, max(rule.bottom for rule in group) + _NEAR
        lying = [r for r in level if r.right - r.left >= _SHORTEST and top <= r.top <= bottom]
        down = _places([rule.top for rule in lying])
        edges = [rule.left for rule in group]
        if lying:
            edges += [min(rule.left for rule in lying), max(rule.right for rule in lying)]
        across = _places(edges)
        if len(across) > 2 < len(down):
            yield _Grid(across, down, group, lying)


def _places(edges: Sequence[float]) -> list[float]:
    places: list[float] = []
    for edge in sorted(edges):
        if not places or edge - places[-1] > _NEAR:
            places.append(edge)
    return places


def _cells(lines: Sequence[Row], grid: _Grid) -> list[list[str]] | None:
    """The rows of a drawn table; None where text stands outside of it, or its rows are not drawn, or it is a chart."""
    pieces: list[tuple[tuple[int, int], str]] = []
    figures = [0] * len(grid.down)
    for line in lines:
        for piece in line:
            row, column = _place(piece.middle, grid.down), _place((piece.left + piece.right) / 2, grid.across)
            if row is None or column is None:
                return None
            pieces.append(((row, column), piece.text))
        if sum(is_value(piece.text) for piece in line) > 1:
            figures[_place(line[0].middle, grid.down) or 0] += 1
    if max(figures) > 1:
        return None
    return _merged(pieces, grid)


def _place(value: float, edges: Sequence[float]) -> int | None:
    return next((i for i, (start, stop) in enumerate(pairwise(edges)) if start - 1 <= value <= stop), None)


def _merged(pieces: Sequence[tuple[tuple[int, int], str]], grid: _Grid) -> list[list[str]] | None:
    """Each cell's text in its place; what a merged cell says stands in its first column and in each of its rows."""
    height, width = len(grid.down) - 1, len(grid.across) - 1
    home = {(row, column): _home(row, column, grid) for row in range(height) for column in range(width)}
    texts: dict[tuple[int, int], list[str]] = {}
    for place, text in pieces:
        texts.setdefault(home[place], []).append(text)
    cells = set(home.values())
    if len(texts) < _FILLED * len(cells) or len(cells) < 4:
        return None
    return [[_said(texts, home, (row, column)) for column in range(width)] for row in range(height)]


def _home(row: int, column: int, grid: _Grid) -> tuple[int, int]:
    """The first place of the merged cell that a place belongs to."""
    while column and not grid.parted(row, column):
        column -= 1
    while row and not grid.begun(row, column):
        row -= 1
    while column and not grid.parted(row, column):
        column -= 1
    return row, column


def _said(
    texts: dict[tuple[int, int], list[str]], home: dict[tuple[int, int], tuple[int, int]], place: tuple[int, int]
) -> str:
    row, column = place
    if column and home[place] == home[row, column - 1]:
        return SPANNED
    text = "\n".join(texts.get(home[place], []))
    return text if home[place][0] == row or len(text) <= _LONGEST_REPEATED else ""
