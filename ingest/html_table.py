"""A table of a web page as lines: one a row, with the names that its headers give."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from selectolax.lexbor import LexborNode

from ingest.tables import rows_as_lines

# The lines of text under a node.
Lines = Callable[[LexborNode], Iterator[str]]
_LAYOUT = "h1, h2, h3, h4"
_MOST_SPAN = 100


def table_lines(table: LexborNode, lines: Lines) -> Iterator[str]:
    """The lines of a table: its caption, its rows, then the tables that lie in its cells; a mere frame as its contents."""
    if _is_frame(table):
        for cell in table.css("caption, td, th"):
            if _owner(cell) == table:
                yield from ["", *lines(cell), ""]
        return
    inner = [nested for nested in table.css("table table") if _owner(nested) == table]
    nested = [["", *table_lines(one, lines)] for one in inner]
    for one in inner:
        one.decompose()
    caption = table.css_first("caption")
    if caption is not None and _owner(caption) == table:
        yield from (line for line in lines(caption) if line)
    yield from _rows(table, lines)
    for part in nested:
        yield from part


def _is_frame(table: LexborNode) -> bool:
    """Whether a table only puts things beside each other: with headings or tables within and no header of its own."""
    if table.attributes.get("role") == "presentation":
        return True
    own_header = any(_owner(cell) == table for cell in table.css("th"))
    return not own_header and any(inner != table for inner in table.css(f"table, {_LAYOUT}"))


def _rows(table: LexborNode, lines: Lines) -> Iterator[str]:
    rows = [row for row in table.css("tr") if _owner(row) == table]
    cells = [[cell for cell in row.iter() if cell.tag in ("td", "th")] for row in rows]
    kinds = [[cell.tag for cell in row] for row in cells if row]
    if kinds and sum(kind[:2] == ["th", "td"] for kind in kinds) > len(kinds) / 2 and "td" in kinds[0]:
        yield from (_named_row([_text(cell, lines) for cell in row]) for row in cells if row)
        return
    several = max(map(len, kinds), default=0) > 1
    yield from rows_as_lines(_grid(cells, lines), header=_header_rows(kinds) or several)


def _header_rows(kinds: list[list[str | None]]) -> int:
    """How many of the first rows are headers throughout, where other rows follow."""
    depth = 0
    while depth < len(kinds) - 1 and set(kinds[depth]) == {"th"} and len(kinds[depth]) > 1:
        depth += 1
    return depth


def _owner(node: LexborNode) -> LexborNode | None:
    """The table that a row, a cell or a table belongs to."""
    parent = node.parent
    while parent is not None and parent.tag != "table":
        parent = parent.parent
    return parent


def _named_row(cells: list[str]) -> str:
    """A row that begins with its own name, as in a fact sheet."""
    name, values = cells[0], "; ".join(cell for cell in cells[1:] if cell)
    return f"{name}: {values}" if name and values else name or values


def _grid(rows: list[list[LexborNode]], lines: Lines) -> list[list[str]]:
    """The cells' texts, those that span rows or columns set into each place that they cover."""
    grid: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}
    for row in rows:
        line: list[str] = []
        for cell in row:
            _take_hanging(line, hanging)
            text, down = _text(cell, lines), _span(cell, "rowspan")
            for offset in range(_span(cell, "colspan")):
                if down > 1:
                    hanging[len(line)] = (down - 1, text)
                line.append(text if not offset or all(c.tag == "th" for c in row) else "")
        _take_hanging(line, hanging)
        grid.append(line)
    return grid


def _take_hanging(line: list[str], hanging: dict[int, tuple[int, str]]) -> None:
    while (column := len(line)) in hanging:
        left, text = hanging.pop(column)
        line.append(text)
        if left > 1:
            hanging[column] = (left - 1, text)


def _span(cell: LexborNode, name: str) -> int:
    value = cell.attributes.get(name) or "1"
    return max(1, min(int(value), _MOST_SPAN)) if value.isascii() and value.isdecimal() else 1


def _text(cell: LexborNode, lines: Lines) -> str:
    return " ".join(line.strip() for line in lines(cell) if line).replace(" - ", ", ").removeprefix("- ")
