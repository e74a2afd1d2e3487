"""Comma, semicolon, bar or tab separated values: a line a row, with the column names in each."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Literal

from ingest.encoding import read_text
from ingest.source import Source
from ingest.tables import rows_as_lines
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

_LONGEST_CELL = 10_000_000
_TICK = 10_000
_LOOKED_AT = 100  # rows
_SEPARATORS = ",;\t|"
_NAMED_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # as Excel writes it
_FIGURE = re.compile(r"[-+−(]?\s*[$€£¥￥]?\s*\d[\d.,:/' \u00a0-]*\s*(?:%|[A-Za-z]{1,3}|[元年月日万亿个])?\)?")
_YEAR = re.compile(r"(?:FY ?)?(?:19|20)\d\d年?")


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a table file, one page of kind ``table``; raises IngestError for a broken quote."""
    text = read_text(source).replace("\0", "")
    separator = ""
    if named := _NAMED_SEPARATOR.match(text):
        text, separator = text[named.end() :], named[1]
    separator = separator or _separator(text, "\t" if source.suffix == ".tsv" else "")
    rows = _rows(text, separator, source)
    before, table = _parted(rows)
    lines = [" ".join(" ".join(row).split()) for row in before]
    lines += rows_as_lines(table, header=_has_names(table))
    page = Page(None, "\n".join(line for line in lines if line), kind="table")
    yield ParsedDocument(title=source.stem, pages=(page,), warnings=_ragged(table))


def _rows(text: str, separator: str, source: Source) -> list[list[str]]:
    csv.field_size_limit(_LONGEST_CELL)
    try:
        return list(_read(text, separator, source, csv.QUOTE_MINIMAL))
    except IngestError:
        # Files with tabs are often written without any quoting, and a mark in them is an inch.
        if separator != "\t":
            raise
        return list(_read(text, separator, source, csv.QUOTE_NONE))


def _read(text: str, separator: str, source: Source, quoting: Literal[0, 3]) -> Iterator[list[str]]:
    lines = io.StringIO(text, newline="")
    # A cell may begin behind a blank, with its quote: "a", "b, c".
    blank = separator != "\t"
    reader = csv.reader(lines, delimiter=separator, strict=True, quoting=quoting, skipinitialspace=blank)
    try:
        for number, row in enumerate(reader, start=1):
            if number % _TICK == 0:
                source.tick()
            yield row
    except csv.Error as error:
        raise IngestError(f"line {reader.line_num} is not valid CSV: {error}") from None


def _separator(text: str, usual: str) -> str:
    """The separator by which most of the first rows have the same number of cells, and more than one."""

    def regular(separator: str) -> tuple[float, int]:
        reader = csv.reader(io.StringIO(text[:100_000], newline=""), delimiter=separator)
        try:
            counts = [len(row) for row in islice(reader, _LOOKED_AT) if any(row)]
        except csv.Error:
            return 0.0, 0
        several = Counter(count for count in counts if count > 1)
        (width, times), *_ = several.most_common(1) or [(0, 0)]
        return (times / len(counts) if counts else 0.0), width

    found = {separator: regular(separator) for separator in _SEPARATORS}
    best = max(found, key=lambda separator: (separator == usual and found[separator][0] > 0.5, found[separator]))
    return best if found[best][1] else usual or ","


def _parted(rows: list[list[str]]) -> tuple[list[list[str]], list[list[str]]]:
    """The lines above a table, a title say, and the table itself, which begins with its first row of full width."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    width = max((Counter(count for count in filled if count > 1) or Counter([1])).items(), key=lambda item: item[1])[0]
    for place, count in enumerate(filled[:_LOOKED_AT]):
        if count > 1 and count > width / 2:
            return [row for row in rows[:place] if any(row)], rows[place:]
    return [], rows


def _has_names(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: it holds no figure above a column of figures, years apart."""
    if len(rows) < 2:
        return True
    first, below = rows[0], rows[1 : _LOOKED_AT + 1]
    for column, cell in enumerate(first):
        if not _FIGURE.fullmatch(cell.strip()):
            continue
        under = [row[column].strip() for row in below if column < len(row) and row[column].strip()]
        figures = sum(bool(_FIGURE.fullmatch(value)) for value in under)
        years = sum(bool(_YEAR.fullmatch(value)) for value in under)
        if under and figures > len(under) / 2 and (not _YEAR.fullmatch(cell.strip()) or years > len(under) / 2):
            return False
    return True


def _ragged(rows: list[list[str]]) -> tuple[str, ...]:
    longer = sum(len(row) > len(rows[0]) for row in rows[1:])
    return (f"{longer} rows have more cells than there are column names",) if longer else ()
