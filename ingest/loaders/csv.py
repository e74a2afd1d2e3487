"""Comma, semicolon or tab separated values: a line a row, with the column names in each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ingest.encoding import read_text
from ingest.source import Source
from ingest.tables import rows_as_lines
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

_LONGEST_CELL = 10_000_000


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a table file, one page of kind ``table``; raises IngestError for a broken quote."""
    text = read_text(source)
    delimiter = "\t" if source.suffix == ".tsv" else _delimiter(text)
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter, strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise IngestError(f"line {reader.line_num} is not valid CSV: {error}") from None
    lines = "\n".join(rows_as_lines(rows))
    yield ParsedDocument(title=source.stem, pages=(Page(None, lines, kind="table"),), warnings=_ragged(rows))


def _delimiter(text: str) -> str:
    """The separator that the first line uses most, quoted parts aside."""
    first = "".join(text.split("\n", 1)[0].split('"')[::2])
    return max(",;\t|", key=first.count)


def _ragged(rows: list[list[str]]) -> tuple[str, ...]:
    longer = sum(len(row) > len(rows[0]) for row in rows[1:])
    return (f"{longer} rows have more cells than there are column names",) if longer else ()
