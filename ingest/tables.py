"""Tables as text: each row is one line that keeps its column names, so that a cited row can be read alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_ROW = re.compile(r"\|.*\||(?:[^:;\n]{1,120}; )*[^:;\n]{1,120}: [^;\n]*; [^:;\n]{1,120}: .*")
_BREAK_BETWEEN_CJK = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])\s*\n\s*(?=[\u3000-\u9fff\uff00-\uffef])")


def rows_as_lines(rows: Sequence[Sequence[str]], *, header: bool = True) -> Iterator[str]:
    """One line a row: ``column: value; column: value`` with the first row's names, or ``value; value`` without."""
    cleaned = [[_one_line(cell) for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    if not header or len(cleaned) < 2:
        yield from ("; ".join(cell for cell in row if cell) for row in cleaned)
        return
    names = cleaned[0]
    for row in cleaned[1:]:
        yield "; ".join(_labelled(names, column, cell) for column, cell in enumerate(row) if cell)


def is_row(line: str) -> bool:
    """Whether a line looks like a table row, ours or Markdown's, and so must not be split."""
    return _ROW.fullmatch(line.strip()) is not None


def _labelled(names: Sequence[str], column: int, cell: str) -> str:
    name = names[column] if column < len(names) else ""
    return f"{name}: {cell}" if name else cell


def _one_line(cell: str) -> str:
    return " ".join(_BREAK_BETWEEN_CJK.sub("", cell).split())
