"""Spreadsheets: one page a sheet, each of its tables as lines that keep their column names."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.grids import Table, tables
from ingest.markdown import heading_line
from ingest.source import Source
from ingest.workbooks import MOST_CELLS, Sheet, sheets
from rag.types import Page, ParsedDocument


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a workbook, named after its file; its pages are its sheets, counted from 1."""
    pages: list[Page] = []
    warnings: list[str] = []
    for number, sheet in enumerate(sheets(source), start=1):
        pages.append(Page(number, "\n".join(_lines(sheet, source)), kind="table"))
        warnings += _warnings(sheet)
    yield ParsedDocument(source.stem, tuple(pages), tuple(warnings), marked_up=True)


def _lines(sheet: Sheet, source: Source) -> Iterator[str]:
    found = list(tables(sheet.rows, sheet.merged))
    if found or sheet.notes:
        yield heading_line(1, sheet.name)
    for table in found:
        yield ""
        yield from _titled(table)
        source.tick()
    if sheet.notes:
        yield from ["", *sheet.notes]


def _titled(table: Table) -> Iterator[str]:
    lines = list(table.lines())
    if lines and table.title:
        yield heading_line(2, table.title)
    else:
        yield from (" ".join(title.split()) for title in table.titles)
    yield from lines


def _warnings(sheet: Sheet) -> Iterator[str]:
    if sheet.hidden and (sheet.rows or sheet.notes):
        yield f"the sheet {sheet.name} is hidden in the file; it was read too"
    if sheet.cut:
        yield f"only the first {MOST_CELLS:,} filled cells were read: the sheet {sheet.name} goes on after them"
    if sheet.uncounted:
        yield f"the sheet {sheet.name} has {sheet.uncounted:,} formulas without a stored result; save it in a spreadsheet program"
