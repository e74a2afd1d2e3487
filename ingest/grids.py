"""The tables that lie on a sheet: where each begins and ends, what stands above it, and its rows as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, takewhile

from ingest.tables import SPANNED, header_rows, is_value, rows_as_lines

Rows = dict[int, dict[int, str]]
Area = tuple[int, int, int, int]
_LONGEST_TITLE = 120
_MOST_PLACES = 4_000_000
_MOST_TITLES = 4
_MOST_GAP = 2
_TITLE_JOINT = " · "


@dataclass(slots=True)
class Block:
    """Filled rows with no empty one between them: the columns that are used, and each row's texts by column."""

    columns: list[int]
    rows: list[dict[int, str]]
    first: int
    last: int

    def grid(self, columns: Sequence[int] | None = None) -> list[list[str]]:
        """The rows as lists of one length."""
        return [[row.get(column, "") for column in columns or self.columns] for row in self.rows]

    @property
    def header(self) -> int:
        """How many rows name the columns."""
        return header_rows(self.grid())


@dataclass(slots=True)
class Table:
    """A table with the lines that stand above it."""

    titles: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    header: int = 0

    def lines(self) -> Iterator[str]:
        """The rows as text; two columns without names are names and values."""
        if _pairs(self.rows, self.header):
            yield from (f"{_name(row[0])}: {row[1]}" if all(row) else "".join(row) for row in self.rows)
        else:
            yield from rows_as_lines(self.rows, header=self.header)

    @property
    def title(self) -> str:
        """The lines above in one, "" where they are more than a title."""
        if len(self.titles) > _MOST_TITLES:
            return ""
        joined = _TITLE_JOINT.join(" ".join(title.split()) for title in self.titles)
        return joined if len(joined) <= _LONGEST_TITLE else ""


def tables(rows: Rows, merged: Sequence[Area]) -> Iterator[Table]:
    """The tables of a sheet from top to bottom, left before right; words outside of tables are tables without rows."""
    _fill_merged(rows, merged)
    titles: list[str] = []
    for whole in _joined([part for block in _blocks(rows) for part in _side_by_side(block)]):
        above, block = _without_titles(whole)
        titles += above
        if block.rows and len(block.rows) * len(block.columns) > _MOST_PLACES:
            yield Table(titles, [list(row.values()) for row in block.rows])
        elif block.rows:
            yield Table(titles, block.grid(), block.header)
        else:
            continue
        titles = []
    if titles:
        yield Table(titles)


def _fill_merged(rows: Rows, merged: Sequence[Area]) -> None:
    """Set what is merged into each of the filled rows that it covers, SPANNED to its right."""
    numbers = sorted(rows)
    for top, left, bottom, right in merged:
        text = rows.get(top, {}).get(left)
        if text is None:
            continue
        widest = max((max(rows[number]) for number in numbers[:1000]), default=left)
        for number in [top, *(n for n in range(top + 1, min(bottom, top + 1000) + 1) if n in rows)]:
            rows[number][left] = text
            for column in range(left + 1, min(right, max(widest, left)) + 1):
                rows[number].setdefault(column, SPANNED)


def _blocks(rows: Rows) -> Iterator[Block]:
    """Runs of rows that follow each other."""
    run: list[int] = []
    for number in sorted(rows):
        if run and number != run[-1] + 1:
            yield _block(rows, run)
            run = []
        run.append(number)
    if run:
        yield _block(rows, run)


def _block(rows: Rows, run: Sequence[int]) -> Block:
    columns = sorted({column for number in run for column in rows[number]})
    with_gaps = columns[:1]
    for before, column in pairwise(columns):
        with_gaps += [before + 1, column] if column > before + 1 else [column]
    return Block(with_gaps, [rows[number] for number in run], run[0], run[-1])


def _side_by_side(block: Block) -> Iterator[Block]:
    """The tables that stand next to each other in a block, parted by an empty column."""
    start = 0
    gaps = [place for place, column in enumerate(block.columns) if not any(column in row for row in block.rows)]
    for gap in gaps:
        left, right = block.columns[start:gap], block.columns[gap + 1 :]
        following = next((right[: later - gap - 1] for later in gaps if later > gap), right)
        if len(left) > 1 and len(following) > 1 and _own_table(block, left, following):
            yield from _only(block, left)
            start = gap + 1
    yield from _only(block, block.columns[start:])


def _own_table(block: Block, left: Sequence[int], right: Sequence[int]) -> bool:
    """Whether the right part is a table for itself: it has the left one's names again, or rows of its own."""
    first = block.rows[0]
    if {first.get(column) for column in left} & {first.get(column) for column in right} - {None, SPANNED}:
        return True
    firsts = [row.get(right[0], "") for row in block.rows[1:]]
    words = [text for text in firsts if text.strip(SPANNED) and not is_value(text)]
    if not first.get(right[0]) or len(words) * 2 <= len(firsts):
        return False
    lengths = [sum(any(column in row for column in part) for row in block.rows) for part in (left, right)]
    figures = any(is_value(row.get(column, "")) for row in block.rows for column in right[1:])
    return lengths[0] != lengths[1] or (figures and len(set(words)) == len(words) > 1)


def _only(block: Block, columns: Sequence[int]) -> Iterator[Block]:
    wanted = set(columns)
    rows = [{column: text for column, text in row.items() if column in wanted} for row in block.rows]
    kept = [row for row in rows if row]
    if kept:
        yield Block(list(columns), kept, block.first, block.last)


def _joined(blocks: Sequence[Block]) -> Iterator[Block]:
    """Blocks put together where an empty row only parts a header from its figures, or figures from each other."""
    held: Block | None = None
    for block in blocks:
        if held and _goes_on(held, block):
            columns = sorted({*held.columns, *block.columns})
            held = Block(columns, [*held.rows, *block.rows], held.first, block.last)
            continue
        if held:
            yield held
        held = block
    if held:
        yield held


def _goes_on(above: Block, below: Block) -> bool:
    near = 0 < below.first - above.last <= _MOST_GAP
    wide = len(above.columns) > 1 and any(len(row) > 1 for row in above.rows)
    within = set(below.columns) <= set(above.columns) and len(below.columns) > 1
    return near and wide and within and below.header == 0


def _without_titles(block: Block) -> tuple[list[str], Block]:
    """The words above a table, each alone in its row, and what is left; a block of one column is words alone."""
    above = list(takewhile(lambda row: _alone(row, block), block.rows))
    rows = block.rows[len(above) :]
    return [next(iter(row.values())) for row in above], replace(block, columns=block.columns if rows else [], rows=rows)


def _alone(row: dict[int, str], block: Block) -> bool:
    told = [column for column, text in row.items() if text != SPANNED]
    return len(told) == 1 and (told[0] == block.columns[0] or len(row) * 2 > len(block.columns))


def _pairs(rows: Sequence[Sequence[str]], header: int) -> bool:
    """Whether rows of two cells are names with their values: a form, not a list."""
    if any(len(row) != 2 for row in rows) or any(cell == SPANNED for row in rows for cell in row):
        return False
    firsts = [row[0] for row in rows if row[0]]
    if header == 0 or sum(first.rstrip().endswith((":", "：")) for first in firsts) * 2 > len(firsts) > 0:
        return not any(is_value(first) for first in firsts)
    seconds = [is_value(row[1]) for row in rows[header:] if row[1]]
    return len(rows) <= 30 and 0.2 < sum(seconds) / max(1, len(seconds)) < 0.8


def _name(text: str) -> str:
    return " ".join(text.split()).rstrip(" :：")
