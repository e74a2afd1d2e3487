"""Tables as text: each row is one line that keeps its column names, so that a cited row can be read alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.text import CJK_CHARACTER

SPANNED = "\0"  # what stands in a cell that the merged cell on its left goes on over
NAME_JOINT = " › "  # between the lines of a header: "2023 › Sales"
_MOST_HEADER_ROWS = 4
_LONGEST_NAME = 120
_LONGEST_KEY = 80
_LONGEST_LINE = 900  # in English characters, so that a row fits into a chunk whole
_CJK_WEIGHT = 1000 / 350
_ROW = re.compile(r"\|.*\||(?:[^:;\n]{1,120}; )*[^:;\n]{1,120}: .*?; [^:;\n]{1,120}: .*")
_BREAK_BETWEEN_CJK = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])\s*\n\s*(?=[\u3000-\u9fff\uff00-\uffef])")
_YEAR = re.compile(r"(?:FY ?)?(?:19|20)\d\d[A-Z年度]{0,2}|(?:19|20)\d\d[-/](?:\d\d|(?:19|20)\d\d)")
_LONGEST_VALUE = 40
_VALUE = re.compile(
    r"[-–+−(（~<>≈±]*\s*[$€£¥￥]?\s*[-−]?[\d.,'\u00a0 ]*\d[.,]?\s*(?:%|‰|x|bn|m|k|pp|bps|[万亿]?[元人]|[万亿倍])?[)）*]*"
    r"|[-–—]{1,3}"
)
_SENTENCE_END = re.compile(r"(?<=[。！？；])|(?<=[.!?;])\s+")
_SPACE = re.compile(r"(?<=\s)")


def rows_as_lines(rows: Sequence[Sequence[str]], *, header: bool | int = True) -> Iterator[str]:
    """One line a row: ``column: value; column: value`` with the names that the first row gives, else ``value; value``.

    A ``header`` of True is one row, or as many as ``header_rows`` sees; a number is that many. Where a cell is SPANNED, the
    value on its left is said once, under the names of all the columns it covers. A header row met again is left out. A row
    too long for a chunk becomes several lines, each with its names and the row's first cell.
    """
    cleaned = [[_one_line(cell) for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(cell.strip(SPANNED) for cell in row)]
    depth = max(1, header_rows(cleaned)) if header is True else int(header)
    if len(cleaned) <= depth or any(len(cell) > _LONGEST_NAME for row in cleaned[:depth] for cell in row):
        depth = 0
    names = _names(cleaned[:depth], max(map(len, cleaned), default=0))
    for row in cleaned[depth:]:
        if row in cleaned[:depth]:  # a header that is repeated on every printed page
            continue
        yield from _lines(list(_labelled(names, row)))


def header_rows(rows: Sequence[Sequence[str]]) -> int:
    """How many of the first rows name the columns, from 0 to 4: such rows hold no figures, and a further one names the
    parts of merged or empty cells of the row above it, or their units.
    """
    if not rows or not _all_names(rows[0]):
        return 0
    depth = 1
    while depth < min(_MOST_HEADER_ROWS, len(rows) - 1) and _names_further(rows, depth):
        depth += 1
    return depth


def is_value(cell: str) -> bool:
    """Whether a cell holds a figure or a dash, and so names nothing; a year may be a name."""
    cell = cell.strip()
    return len(cell) <= _LONGEST_VALUE and _VALUE.fullmatch(cell) is not None and _YEAR.fullmatch(cell) is None


def is_row(line: str) -> bool:
    """Whether a line looks like a table row, ours or Markdown's, and so must not be split."""
    return _ROW.fullmatch(line.strip()) is not None


def _all_names(row: Sequence[str]) -> bool:
    told = [cell for cell in row if cell.strip(SPANNED)]
    return bool(told) and not any(is_value(cell) for cell in told)


def _names_further(rows: Sequence[Sequence[str]], depth: int) -> bool:
    """Whether row ``depth`` goes on with the header that the rows above it began."""
    above, row = rows[depth - 1], rows[depth]
    if not _all_names(row):
        return False
    told = [column for column, cell in enumerate(row) if column and cell.strip(SPANNED)]
    parted = [column for column in told if _at(above, column) in ("", SPANNED, _at(above, column - 1))]
    grouping = [*parted, *(column - 1 for column in parted if column - 1 in told)]
    if parted and any(cell.strip(SPANNED) and cell == other for cell, other in zip(above, row, strict=False)):
        return True
    figures = next((later for later in rows[depth + 1 :] if not _all_names(later)), None)
    if figures is None or not told:
        return False
    units = told if not row[0] and len(told) > 1 else []
    return any(group and all(is_value(_at(figures, column)) for column in group) for group in (grouping, units))


def _names(header: Sequence[Sequence[str]], width: int) -> list[str]:
    """The name of each column: what stands above it, from top to bottom."""
    parts: list[list[str]] = [[] for _ in range(width)]
    for number, row in enumerate(header):
        last = number == len(header) - 1
        for column, cell in enumerate(_spread(row, width) if last else _grouped(row, header[number + 1], width)):
            if cell and cell not in parts[column]:
                parts[column].append(cell)
    return [re.sub(r"[:：;]+(?=\s|$)", "", NAME_JOINT.join(part)).strip() for part in parts]


def _spread(row: Sequence[str], width: int) -> list[str]:
    """The row with what is merged set into each of its places."""
    spread: list[str] = []
    for column in range(width):
        cell = _at(row, column)
        spread.append((spread[-1] if spread else "") if cell == SPANNED else cell)
    return spread


def _grouped(row: Sequence[str], below: Sequence[str], width: int) -> list[str]:
    """A row of group names over those below: a group goes on to the next one, or fills its place between empty columns."""
    spread = _spread(row, width)
    groups = [column for column in range(1, width) if spread[column]]
    if SPANNED in row:
        return spread
    if len({spread[column] for column in groups}) == 1:
        return [spread[0], *(spread[groups[0]] if _at(below, column) else "" for column in range(1, width))]
    gaps = [column for column in range(1, width) if not _at(below, column) and not spread[column]]
    filled = list(spread)
    for column in range(1, width):
        if not spread[column] and _at(below, column):
            filled[column] = _group_of(column, groups, gaps, spread)
    return filled


def _group_of(column: int, groups: Sequence[int], gaps: Sequence[int], spread: Sequence[str]) -> str:
    left = max((gap for gap in gaps if gap < column), default=0)
    right = min((gap for gap in gaps if gap > column), default=len(spread))
    within = [group for group in groups if left < group < right]
    before = [group for group in within if group < column]
    return spread[before[-1]] if before else spread[within[0]] if gaps and len(within) == 1 else ""


def _labelled(names: Sequence[str], row: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The cells of a row that say something, each with the names of the columns that it covers."""
    column = 0
    while column < len(row):
        end = column + 1
        while end < len(row) and row[end] == SPANNED:
            end += 1
        covered = list(dict.fromkeys(name for name in names[column:end] if name))
        everything = end - column == len(row) > 1
        if cell := row[column].strip(SPANNED):
            yield "" if everything else ", ".join(covered if len(covered) < 4 else [covered[0], "…", covered[-1]]), cell
        column = end


def _lines(cells: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A row as a line, or as several where it is long, each beginning with the row's first cell if that is short."""
    whole = "; ".join(_cell(name, value) for name, value in cells)
    if _weight(whole) <= _LONGEST_LINE:
        yield whole
        return
    key = _cell(*cells[0])
    first = f"{key}; " if _weight(key) <= _LONGEST_KEY and len(cells) > 1 else ""
    line = ""
    for name, value in cells[1:] if first else cells:
        for piece in _pieces(value, _LONGEST_LINE - _weight(first) - _weight(name)):
            cell = _cell(name, piece)
            if line and _weight(first + line) + _weight(cell) > _LONGEST_LINE:
                yield first + line
                line = ""
            line = f"{line}; {cell}" if line else cell
    yield first + line


def _pieces(value: str, most: float) -> Iterator[str]:
    """A cell's text in pieces of at most ``most``, broken between sentences, else between words."""
    if _weight(value) <= most:
        yield value
        return
    piece = ""
    for sentence in _SENTENCE_END.split(value):
        for word in [sentence] if _weight(sentence) <= most else _SPACE.split(sentence):
            if piece and _weight(piece) + _weight(word) > most:
                yield piece.strip()
                piece = ""
            piece += word if not piece or piece[-1].isspace() or CJK_CHARACTER.match(piece[-1]) else f" {word}"
    yield piece.strip()


def _weight(text: str) -> float:
    return len(text) + (_CJK_WEIGHT - 1) * len(CJK_CHARACTER.findall(text))


def _cell(name: str, value: str) -> str:
    return f"{name}: {value}" if name else value


def _at(row: Sequence[str], column: int) -> str:
    return row[column] if 0 <= column < len(row) else ""


def _one_line(cell: str) -> str:
    return " ".join(_BREAK_BETWEEN_CJK.sub("", cell).split()) if cell != SPANNED else cell
