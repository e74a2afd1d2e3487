"""Tables among the lines of a printed page, found by their figures below each other: each row as one line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from statistics import median

from ingest.pdf_grids import Table, grids
from ingest.pdf_labels import Column, column_of, labelled_rows
from ingest.pdf_words import THIN, Row, Rule, joined, mended
from ingest.reading_order import Piece
from ingest.tables import is_value, rows_as_lines

_CURRENCY = re.compile(r"[(（]?(?:[$€£¥￥]|US\$|RMB|USD|EUR)")
_CLOSING = re.compile(r"[)）%]+(?: ?[*†‡])?")
_FIGURE = re.compile(r"N/?A|NM|n/?m|[*†‡]|[-+]?[\d,.]+(?: ?[-–~] ?[\d,.]+)?%?")
_UNIT = re.compile(r"[(（].*[)）]|(?:单位|unit).*", re.IGNORECASE)
_MARKER = re.compile(r"[•●○■□▪◆–—·*-]|[(（]?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[)）.、]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MOST_BETWEEN = 4  # lines without figures between two rows of a table
_MOST_HEADER = 9  # lines
_FEWEST_FIGURES = 0.4  # of the cells right of the labels
_LONGEST_CELL = 60
_FARTHEST_NAMES = 2.5  # letters' heights from the line below, where a line stands over the figures alone
_FARTHEST_LABEL = 1.3
_MOST_GROUPS = 4  # of columns under names of their own
_MOST_COLUMNS = 24


def tables(block: Sequence[Row], rules: Sequence[Rule]) -> list[Table]:
    """The tables of a block of lines, in order; a doubtful one is none."""
    underlines = mended(rules, THIN)
    drawn = [table for table in grids(block, rules) if _holds(table, block)]
    found = list(drawn)
    for start, stop in pairwise([0, *(edge for table in drawn for edge in (table.start, table.stop)), len(block)]):
        if stop > start and not any(table.start == start for table in drawn):
            found += [table for table in _aligned_tables(block, start, stop, underlines) if _holds(table, block)]
    return sorted(found, key=lambda table: table.start)


def _aligned_tables(block: Sequence[Row], start: int, stop: int, rules: Sequence[Rule]) -> Iterator[Table]:
    """The tables without lines between their cells that stand from ``start`` to ``stop``."""
    lines = [_cells(row) for row in block[start:stop]]
    earliest = 0
    for members in _runs(lines):
        if columns := _columns([lines[index] for index in members]):
            first = _header_start(lines, members[0], columns, earliest)
            earliest = members[-1] + 1
            texts = _table(lines, range(first, earliest), set(members), columns, rules)
            yield Table(start + first, start + earliest, tuple(texts))


def _holds(table: Table, block: Sequence[Row]) -> bool:
    """Whether a table's lines have every character of the printed ones that they stand for."""
    printed = (piece.text for row in block[table.start : table.stop] for piece in row)
    return bool(table.lines) and not _letters(printed) - _letters(table.lines)


def _letters(texts: Iterable[str]) -> Counter[str]:
    return Counter("".join("".join(texts).split()))


def _cells(row: Row) -> Row:
    """A row's pieces with what stands apart joined to its number, and numbers that stand close parted."""
    cells: Row = []
    for piece in [part for whole in row for part in _figures(whole)]:
        last = cells[-1] if cells else None
        if last and (_sticks(last, piece) or (len(cells) == 1 and _MARKER.fullmatch(last.text))):
            glue = "" if _sticks(last, piece) else " "
            cells[-1] = replace(joined([last, piece]), text=last.text + glue + piece.text)
        else:
            cells.append(piece)
    return cells


def _sticks(last: Piece, piece: Piece) -> bool:
    if _CURRENCY.fullmatch(last.text):
        return _is_figure(piece.text)
    return _CLOSING.fullmatch(piece.text) is not None and piece.left - last.right < 2 * last.height


def _figures(piece: Piece) -> list[Piece]:
    """The figures of a piece that holds nothing else as pieces of their own."""
    words = re.sub(r"([$€£¥￥]) (?=[\d(—–-])", r"\1", piece.text).split(" ")
    if len(words) < 2 or not all(_is_figure(word) and not word.endswith(",") for word in words):
        return [piece]
    step = (piece.right - piece.left) / len(" ".join(words))
    places = [sum(len(word) + 1 for word in words[:index]) for index in range(len(words))]
    return [
        replace(piece, text=word, left=piece.left + place * step, right=piece.left + (place + len(word)) * step)
        for word, place in zip(words, places, strict=True)
    ]


def _is_figure(text: str) -> bool:
    return is_value(text) or is_value(text.lstrip("$€£¥￥ ")) or _FIGURE.fullmatch(text) is not None


def _has_figures(row: Row) -> bool:
    figures = any(_is_figure(cell.text) and not _YEAR.fullmatch(cell.text) for cell in row)
    return len(row) > 1 and figures and all(len(cell.text) <= _LONGEST_CELL for cell in row[1:])


def _runs(lines: Sequence[Row]) -> Iterator[list[int]]:
    """The numbers of lines with figures that belong to one table: nothing but labels stands between them."""
    edge = min((row[0].left for row in lines), default=0.0)
    wide = max((row[-1].right for row in lines), default=0.0) - edge
    run: list[int] = []
    for index in [i for i, row in enumerate(lines) if _has_figures(row)]:
        between = lines[run[-1] + 1 : index] if run else []
        if run and (len(between) > _MOST_BETWEEN or _parts(lines, run, between, wide)):
            yield run
            run = []
        run.append(index)
    if run:
        yield run


def _parts(lines: Sequence[Row], run: Sequence[int], between: Sequence[Row], wide: float) -> bool:
    """Whether the lines between two rows end a table: running text, or the column names of another one."""
    first = min(lines[i][1].left for i in run)
    for row in between:
        whole = joined(row)
        prose = len(row) == 1 and whole.right - whole.left > 0.7 * wide and whole.right > first + 5 * whole.height
        names = len(row) > 1 or row[0].left > first - whole.height
        if prose or (names and not any(_is_figure(cell.text) and not _YEAR.fullmatch(cell.text) for cell in row)):
            return True
    return False


def _columns(members: Sequence[Row]) -> list[Column] | None:
    """The columns of a table's rows as (left, right), the labels' first; None where the rows share no columns."""
    cells = sorted((cell for row in members for cell in row), key=lambda cell: cell.left)
    allowed = len(members) // 20
    columns = _intervals(cells, allowed)
    if len(columns) < 2 or len(members) < (2 if len(columns) > 2 else 3):
        return None
    places = [[column_of(cell, columns) for cell in row] for row in members]
    alone = sum(len(set(row)) == len(row) for row in places)
    right = [
        cell for row, at in zip(members, places, strict=True) for cell, column in zip(row, at, strict=True) if column
    ]
    if not right or alone < 0.9 * len(members):
        return None
    if sum(_is_figure(cell.text) for cell in right) < _FEWEST_FIGURES * len(right):
        return None
    return columns if _aligned(members, places) else None


def _intervals(cells: Sequence[Piece], allowed: int) -> list[Column]:
    """Where cells stand, parted where no more than ``allowed`` of them do."""
    edges = sorted([(cell.left, 1) for cell in cells] + [(cell.right, -1) for cell in cells])
    columns: list[Column] = []
    depth = 0
    start: float | None = None
    for place, step in edges:
        depth += step
        if start is None and depth > allowed:
            start = place
        elif start is not None and depth <= allowed:
            columns.append((start, place))
            start = None
    return columns


def _aligned(members: Sequence[Row], places: Sequence[Sequence[int]]) -> bool:
    """Whether most cells stand flush with another of their column, on the left, on the right or in the middle."""
    by_column: dict[int, list[Piece]] = {}
    for row, at in zip(members, places, strict=True):
        for cell, column in zip(row, at, strict=True):
            by_column.setdefault(column, []).append(cell)
    flush = total = 0
    for column, cells in by_column.items():
        if column and len(cells) > 1:
            total += len(cells)
            places_of = [(cell.left, cell.right, (cell.left + cell.right) / 2) for cell in cells]
            near = 0.5 * median(cell.height for cell in cells)
            flush += max(
                sum(abs(place - median(edge)) < near for place in edge) for edge in zip(*places_of, strict=True)
            )
    return total > 0 and flush >= 0.6 * total


def _header_start(lines: Sequence[Row], first: int, columns: Sequence[Column], earliest: int) -> int:
    """The line that a table's column names begin at."""
    start = first
    named = first
    while start > max(earliest, first - _MOST_HEADER):
        row = lines[start - 1]
        space = min(cell.top for cell in lines[start]) - max(cell.bottom for cell in row)
        apart = _FARTHEST_NAMES if all(cell.left > columns[0][1] - cell.height for cell in row) else _FARTHEST_LABEL
        if space > apart * row[0].height or _has_figures(row):
            break
        if _is_title(row, columns):
            break
        above = _names_columns(row, columns)
        if not above and named < first and len(row) == 1:
            break  # what stands above the names is a title
        start -= 1
        named = start if above else named
    if named == first:  # no names: only a label such as "Net sales:" may go before the rows
        while start < first and not lines[start][0].text.endswith((":", "：")):
            start += 1
    else:
        start = named
    return start


def _is_title(row: Row, columns: Sequence[Column]) -> bool:
    """Whether a line above a table belongs to all of it, or is running text."""
    begins_left = [cell for cell in row if cell.left < columns[0][1] - cell.height and cell.right > columns[1][0]]
    middle = (columns[0][0] + columns[-1][1]) / 2
    centred = len(row) == 1 and abs((row[0].left + row[0].right) / 2 - middle) < 0.8 * row[0].height
    return bool(begins_left) or centred


def _table(
    lines: Sequence[Row], span: range, members: set[int], columns: Sequence[Column], rules: Sequence[Rule]
) -> Iterator[str]:
    first = min(members)
    above = [index for index in span if index < first and _names_columns(lines[index], columns)]
    header = [index for index in above if len(lines[index]) > 1 or not _UNIT.fullmatch(lines[index][0].text)]
    body_start = above[-1] + 1 if above else span.start
    names = _names([lines[i] for i in header], columns, rules)
    if names[0] and _UNIT.fullmatch(names[0]):
        yield names[0]
        names[0] = ""
    between = [index for index in range(span.start, body_start) if index not in header]
    yield from (joined(lines[index]).text for index in between)
    body = labelled_rows([lines[i] for i in range(body_start, span.stop)], columns)
    if any(names[1:]):
        yield from rows_as_lines([names, *body], header=1)
    else:
        yield from (f"| {' | '.join(row)} |" for row in body)


def _names_columns(row: Row, columns: Sequence[Column]) -> bool:
    return any(cell.right > columns[0][1] and cell.right > columns[1][0] for cell in row)


def _names(header: Sequence[Row], columns: Sequence[Column], rules: Sequence[Rule]) -> list[str]:
    """The name of each column: what stands above it from top to bottom, a wider name above all that it spans."""
    names: list[list[str]] = [[] for _ in columns]
    reach = list(columns)  # from the lowest line upwards, names show how wide their columns are
    for number, row in reversed(list(enumerate(header))):
        covered = _covered(row, number < len(header) - 1, reach, rules)
        for cell, at in reversed(list(zip(row, covered, strict=True))):
            for column in at:
                names[column].insert(0, cell.text)
        for cell, at in zip(row, covered, strict=True):
            if len(at) == 1:
                reach[at[0]] = min(reach[at[0]][0], cell.left), max(reach[at[0]][1], cell.right)
    return [re.sub(r"[:：;]+(?=\s|$)", "", " ".join(name)) for name in names]


def _covered(row: Row, above: bool, columns: Sequence[Column], rules: Sequence[Rule]) -> list[list[int]]:
    """The columns that each name of a header line stands for; only one ``above`` others may stand for several."""
    spans = [_span(cell, row, columns[0][1], rules) for cell in row]
    covered = [[i for i, column in enumerate(columns) if _over(span, column)] for span in spans]
    covered = [at or [column_of(cell, columns)] for cell, at in zip(row, covered, strict=True)]
    groups = [cell for cell, at in zip(row, covered, strict=True) if at[-1] > 0]
    if above and sum(len(at) for at in covered if at[-1] > 0) < len(columns) - 1:
        if shared := _shared_out(groups, columns):
            return [shared.pop(0) if at[-1] > 0 else at for at in covered]
        return [_widened(cell, at, covered, columns) for cell, at in zip(row, covered, strict=True)]
    return covered


def _widened(cell: Piece, at: list[int], covered: Sequence[list[int]], columns: Sequence[Column]) -> list[int]:
    """The columns of a name that stands over several: as many as it stands over the middle of."""
    taken = {column for other in covered if other is not at for column in other} | {0}
    middle = (cell.left + cell.right) / 2
    over = (columns[at[0]][0] + columns[at[0]][1]) / 2
    if at[0] == 0 or (len(at) == 1 and abs(over - middle) < cell.height):
        return at
    ranges = [
        list(range(first, last + 1))
        for first in range(1, at[0] + 1)
        for last in range(at[-1], len(columns))
        if taken.isdisjoint(range(first, last + 1))
    ]
    off = [abs((columns[part[0]][0] + columns[part[-1]][1]) / 2 - middle) for part in ranges]
    near = [part for part, distance in zip(ranges, off, strict=True) if distance < min(off) + 0.1 * cell.height]
    return max(near, key=len, default=at)


def _shared_out(groups: Sequence[Piece], columns: Sequence[Column]) -> list[list[int]]:
    """All columns of figures shared out so that each group stands over the middle of its own; none where that fails."""
    count = len(columns) - 1
    if not 1 < len(groups) <= _MOST_GROUPS or count > _MOST_COLUMNS:
        return []
    best: tuple[float, list[list[int]]] = (float("inf"), [])
    for inner in combinations(range(2, count + 1), len(groups) - 1):
        parts = [list(range(start, stop)) for start, stop in pairwise([1, *inner, count + 1])]
        middles = [(columns[part[0]][0] + columns[part[-1]][1]) / 2 for part in parts]
        off = max(abs(m - (g.left + g.right) / 2) for m, g in zip(middles, groups, strict=True))
        best = min(best, (off, parts))
    return best[1] if best[0] < 1.5 * groups[0].height else []


def _span(cell: Piece, row: Row, labels: float, rules: Sequence[Rule]) -> Column:
    """How far a name reaches: as far as the line drawn below it."""
    drawn = [
        rule
        for rule in rules
        if rule.level
        and -0.35 * cell.height < rule.top - cell.bottom < 0.6 * cell.height
        and rule.left <= cell.left + 1
        and rule.right >= cell.right - 1
        and sum(rule.left < other.right and other.left < rule.right for other in row) == 1
        and rule.left > labels - 2
    ]
    if not drawn:
        return cell.left, cell.right
    shortest = min(drawn, key=lambda rule: rule.right - rule.left)
    return shortest.left, shortest.right


def _over(span: Column, column: Column) -> bool:
    common = min(span[1], column[1]) - max(span[0], column[0])
    return common > 0.3 * min(span[1] - span[0], column[1] - column[0])
