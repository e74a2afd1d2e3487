"""Spreadsheets as sheets of shown cells: new Excel files read here, the binary and OpenDocument ones by calamine.

Calamine gives no number formats (15 % would read 0.15) and lays a sheet out in full, so that two cells at opposite corners
take gigabytes; in the XML of new files each cell says where it is and how it looks, and only cells that are there cost.
"""

from __future__ import annotations

import datetime
import re
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from ingest.alternatives import alternative_text
from ingest.archive import check_archive
from ingest.compound import compound_file
from ingest.number_formats import BUILT_IN, shown
from ingest.ooxml import RELATED, Package, opened
from ingest.source import Source
from rag.errors import IngestError

MOST_CELLS = 1_000_000
_MOST_ROW, _MOST_COLUMN = 1_048_576, 16_384
_MOST_LAID_OUT = 30_000_000
_MOST_OLD_COLUMN = 256
# The records of the binary format that are cells: their row and column come first.
_OLD_CELLS = frozenset((0x0006, 0x00BD, 0x00BE, 0x00D6, 0x00FD, 0x0201, 0x0203, 0x0204, 0x0205, 0x027E))
_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_XDR = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
_PLACE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")
_OPEN_ENDS = {"resolve_entities": False, "no_network": True, "huge_tree": False, "remove_comments": True}
Area = tuple[int, int, int, int]


@dataclass(slots=True)
class Sheet:
    """A sheet: its filled cells as row → column → text, both from 0; ``merged`` areas as first and last row and column.

    ``notes`` are the words of comments, text boxes and pictures; ``cut`` says that cells beyond MOST_CELLS were left out,
    ``uncounted`` how many formulas have no stored result.
    """

    name: str
    hidden: bool = False
    rows: dict[int, dict[int, str]] = field(default_factory=dict)
    merged: list[Area] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cut: bool = False
    uncounted: int = 0


def sheets(source: Source) -> Iterator[Sheet]:
    """The sheets of a workbook in its order; raises IngestError for a damaged one."""
    with source.open() as file:
        zipped = file.read(2) == b"PK"  # is_zipfile would find the theme within an old file
    if zipped:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            names = archive.namelist()
        if "xl/workbook.xml" in names:
            with opened(source) as package:
                yield from _from_xml(package, source)
            return
        check_archive(source)
    else:
        source = replace(source, path=None, content=compound_file("Workbook", _old_stream(source)))
    yield from _from_calamine(source)


def _from_xml(package: Package, source: Source) -> Iterator[Sheet]:
    book = package.xml(package.main)
    shared = _shared_strings(package)
    formats = _formats(package.relative(package.main, "styles"))
    properties = book.find(f"{_S}workbookPr")
    from_1904 = properties is not None and properties.get("date1904") in ("1", "true")
    left = MOST_CELLS
    for entry in book.iter(f"{_S}sheet"):
        part = package.target(package.main, entry.get(f"{RELATED}id"))
        if part is None or "chartsheet" in part:
            continue
        sheet = Sheet(entry.get("name", ""), entry.get("state", "visible") != "visible")
        left -= _fill(sheet, package, part, _Cells(shared, formats, from_1904), left)
        sheet.notes += _notes(package, part)
        source.tick()
        yield sheet


@dataclass(frozen=True, slots=True)
class _Cells:
    """What the cells of a workbook share: texts, number formats, and the day that dates count from."""

    shared: list[str]
    formats: list[str]
    from_1904: bool

    def text(self, cell: Any) -> str:
        """What a reader sees in a cell."""
        kind, value = cell.get("t", "n"), cell.findtext("{*}v")
        if kind == "inlineStr":
            return _words(cell)
        if value is None:
            return ""
        if kind == "s":
            return self.shared[int(value)] if value.isdecimal() and int(value) < len(self.shared) else ""
        if kind == "b":
            return "TRUE" if value.strip() == "1" else "FALSE"
        return self._number(cell, value) if kind == "n" else value

    def _number(self, cell: Any, value: str) -> str:
        style = cell.get("s", "0")
        known = style.isdecimal() and int(style) < len(self.formats)
        try:
            return shown(float(value), self.formats[int(style)] if known else "", from_1904=self.from_1904)
        except (ValueError, OverflowError):
            return value


def _fill(sheet: Sheet, package: Package, part: str, cells: _Cells, most: int) -> int:
    """Put at most ``most`` filled cells of a sheet's XML into ``sheet``; how many there were."""
    count, last = 0, -1
    for row in _elements(package, part, "row", "mergeCell"):
        if row.tag.endswith("mergeCell"):
            sheet.merged += [area] if (area := _area(row.get("ref", ""))) else []
            continue
        number = row.get("r", "")
        last = int(number) - 1 if number.isdecimal() and 0 < int(number) <= _MOST_ROW else last + 1
        if count >= most:
            sheet.cut = sheet.cut or len(row) > 0
            continue
        if filled := _row(row, cells, sheet):
            sheet.rows[last] = filled
            count += len(filled)
    return count


def _row(row: Any, cells: _Cells, sheet: Sheet) -> dict[int, str]:
    filled: dict[int, str] = {}
    column = -1
    for cell in row.iterchildren("{*}c"):
        place = _PLACE.fullmatch(cell.get("r", ""))
        column = _column(place[1]) if place else column + 1
        text = cells.text(cell)
        if text.strip() and column < _MOST_COLUMN:
            filled[column] = text
        elif cell.find("{*}f") is not None and cell.find("{*}v") is None:
            sheet.uncounted += 1
    return filled


def _elements(package: Package, part: str, *names: str) -> Iterator[Any]:
    """The elements of a part that are called so, one at a time and forgotten afterwards."""
    try:
        with package.archive.open(part) as file:
            for _, element in etree.iterparse(file, tag=[f"{{*}}{name}" for name in names], **_OPEN_ENDS):
                yield element
                element.clear(keep_tail=False)
                while (before := element.getprevious()) is not None:
                    element.getparent().remove(before)
    except etree.XMLSyntaxError as error:
        raise IngestError(f"the file is damaged: {part} inside is not XML ({error.msg})") from None


def _shared_strings(package: Package) -> list[str]:
    found = package.related(package.main, "sharedStrings")
    return [_words(item) for item in _elements(package, found[0], "si")] if found else []


def _words(element: Any) -> str:
    """The text of a cell, pieces of different looks joined, how it is pronounced left out."""
    return "".join(text.text or "" for text in element.iter("{*}t") if not text.getparent().tag.endswith("}rPh"))


def _formats(styles: Any | None) -> list[str]:
    """The number format of each cell style."""
    if styles is None:
        return []
    own = {one.get("numFmtId"): one.get("formatCode", "") for one in styles.iter(f"{_S}numFmt")}
    cells = styles.find(f"{_S}cellXfs")
    numbers = [one.get("numFmtId", "0") for one in cells] if cells is not None else []
    return [own.get(number) or BUILT_IN.get(int(number) if number.isdecimal() else 0, "") for number in numbers]


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _area(reference: str) -> Area | None:
    corners = [_PLACE.fullmatch(corner) for corner in reference.split(":")]
    if len(corners) != 2 or not corners[0] or not corners[1]:
        return None
    (first, last) = corners[0], corners[1]
    return int(first[2]) - 1, _column(first[1]), int(last[2]) - 1, _column(last[1])


def _notes(package: Package, part: str) -> Iterator[str]:
    """The comments of a sheet with their cells, then the words of its text boxes and pictures."""
    if (comments := package.relative(part, "comments")) is not None:
        for comment in comments.iter(f"{_S}comment"):
            if told := " ".join(_words(comment).split()):
                yield f"{comment.get('ref', '')}: {told}"
    if (drawing := package.relative(part, "drawing")) is not None:
        for paragraph in drawing.iter(f"{_A}p"):
            if told := " ".join("".join(text.text or "" for text in paragraph.iter(f"{_A}t")).split()):
                yield told
        for picture in drawing.iter(f"{_XDR}cNvPr"):
            if told := alternative_text(picture.get("title"), picture.get("descr")):
                yield told


def _old_stream(source: Source) -> bytes:
    """The records of a binary workbook; raises IngestError for cells where none can be: they would be laid out for.

    calamine gets them in a new container, as broken chains in the file's own make it allocate without end.
    """
    import olefile

    try:
        with source.open() as file, olefile.OleFileIO(file) as container:
            content = bytes(container.openstream("Workbook" if container.exists("Workbook") else "Book").read())
    except (OSError, ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise IngestError(f"the spreadsheet is damaged: {' '.join(str(error).split())[:200]}") from None
    at = 0
    while at + 8 <= len(content):
        kind, length, _, column = struct.unpack_from("<4H", content, at)
        if kind in _OLD_CELLS and column >= _MOST_OLD_COLUMN:
            raise IngestError(f"the spreadsheet is damaged: a cell in column {column + 1:,} of {_MOST_OLD_COLUMN}")
        at += 4 + length
    return content


def _from_calamine(source: Source) -> Iterator[Sheet]:
    import python_calamine

    try:
        with source.open() as file, python_calamine.load_workbook(file) as book:
            left = MOST_CELLS
            for number, told in enumerate(book.sheets_metadata):
                if told.typ == python_calamine.SheetTypeEnum.WorkSheet:
                    hidden = told.visible != python_calamine.SheetVisibleEnum.Visible
                    sheet = Sheet(told.name, hidden)
                    left -= _lay_out(sheet, book.get_sheet_by_index(number), left)
                    source.tick()
                    yield sheet
    except (python_calamine.CalamineError, OSError, ValueError, OverflowError) as error:
        raise IngestError(f"the spreadsheet is damaged: {' '.join(str(error).split())[:200]}") from None
    except BaseException as error:  # a panic of the Rust code is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise IngestError("the spreadsheet is damaged: its reader gave up") from None


def _lay_out(sheet: Sheet, grid: Any, most: int) -> int:
    if grid.start is None:
        return 0
    if grid.height * grid.width > _MOST_LAID_OUT:
        raise IngestError(f"the cells of sheet {sheet.name} lie too far apart: {grid.height:,} rows by {grid.width:,}")
    sheet.merged = [(top, left, bottom, right) for (top, left), (bottom, right) in grid.merged_cell_ranges or ()]
    count, first = 0, grid.start[1]
    for number, row in enumerate(grid.iter_rows()):
        if count >= most:
            sheet.cut = True
            break
        if filled := {first + place: text for place, value in enumerate(row) if (text := _plain(value)).strip()}:
            sheet.rows[number] = filled
            count += len(filled)
    return count


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return shown(value, "")
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S" if value.second else "%Y-%m-%d %H:%M")
    return str(value)
