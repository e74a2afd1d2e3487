"""OpenDocument texts and presentations: headings, lists, tables, frames, notes, comments and alternative texts."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ingest.alternatives import alternative_text
from ingest.archive import DAMAGED, check_archive, read_xml
from ingest.markdown import heading_line
from ingest.ooxml import said_title
from ingest.source import LOCKED, Source
from ingest.tables import SPANNED, rows_as_lines
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

_NAMES = "urn:oasis:names:tc:opendocument:xmlns"
_OFFICE, _TEXT, _TABLE, _DRAW, _PRESENTATION = (
    f"{{{_NAMES}:{name}:1.0}}" for name in ("office", "text", "table", "drawing", "presentation")
)
_SVG = f"{{{_NAMES}:svg-compatible:1.0}}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_ENCRYPTED = f"{{{_NAMES}:manifest:1.0}}encryption-data"
_MARKS = {f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n", f"{_TEXT}s": " "}
_REMARKS = (f"{_TEXT}note", f"{_OFFICE}annotation")
# Deleted text, generated lists of contents and declarations, what stands for things that are met elsewhere.
_UNSEEN = frozenset(
    [f"{_TEXT}{name}" for name in ("tracked-changes", "table-of-content", "illustration-index", "table-index",
     "alphabetical-index", "sequence-decls", "variable-decls", "user-field-decls", "note-citation", "ruby-text")]
    + [f"{_OFFICE}{name}" for name in ("forms", "annotation-end", "binary-data")]
    + [f"{_TABLE}shapes", f"{_PRESENTATION}settings"]
)  # fmt: skip
_DRAWN = frozenset(f"{_DRAW}{name}" for name in (
    "frame", "g", "a", "custom-shape", "rect", "ellipse", "line", "connector", "path", "polygon", "polyline", "caption", "circle"
))  # fmt: skip
_LISTS = (f"{_TEXT}list", f"{_TEXT}list-item", f"{_TEXT}list-header")
_MOST_COLUMNS = 1024
_MOST_REPEATED = 100
_FURNITURE = frozenset(("footer", "header", "date-time", "page-number"))


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of the file, titled by its properties, else its first main heading, else its name.

    Of a presentation each slide is a page.
    """
    check_archive(source)
    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            _check_open(archive)
            body = read_xml(archive, "content.xml").find(f"{_OFFICE}body")
            title = _title(archive)
            pages = tuple(_pages(body, source))
    except (*DAMAGED, AttributeError, TypeError, IndexError) as error:
        raise IngestError(f"the file is damaged: {' '.join(str(error).split())[:200]}") from None
    lines = (line for page in pages for line in page.text.split("\n"))
    first = next((line.removeprefix("# ") for line in lines if line.startswith("# ")), "")
    yield ParsedDocument(title or first or source.stem, pages, marked_up=True)


def _check_open(archive: zipfile.ZipFile) -> None:
    """Raises IngestError for a document whose parts are encrypted, which only an office program can undo."""
    if "META-INF/manifest.xml" in archive.namelist():
        manifest = read_xml(archive, "META-INF/manifest.xml")
        if next(manifest.iter(_ENCRYPTED), None) is not None:
            raise IngestError(LOCKED.split(";")[0] + "; open it in LibreOffice and save it without one")


def _title(archive: zipfile.ZipFile) -> str:
    if "meta.xml" not in archive.namelist():
        return ""
    return said_title(read_xml(archive, "meta.xml").findtext(f".//{_DC}title") or "")


def _pages(body: Any, source: Source) -> Iterator[Page]:
    text = body.find(f"{_OFFICE}text")
    if text is not None:
        yield Page(None, _joined(_blocks(text)))
    for number, slide in enumerate(body.iterfind(f"{_OFFICE}presentation/{_DRAW}page"), start=1):
        notes = slide.find(f"{_PRESENTATION}notes")
        shown = [child for child in slide if child is not notes]
        yield Page(number, _joined([*_blocks(shown), *(_blocks(notes) if notes is not None else ())]))
        source.tick()


def _joined(blocks: Iterator[str] | list[str]) -> str:
    return "\n\n".join(block for block in blocks if block).replace("\n\n- ", "\n- ")


@dataclass(slots=True)
class _Met:
    """What a paragraph holds besides its words, to follow it."""

    after: list[str] = field(default_factory=list)


def _blocks(parent: Any, item: bool = False) -> Iterator[str]:
    """The paragraphs, lists and tables under an element as text, what hangs on a paragraph after it."""
    for child in parent:
        tag = child.tag
        if tag in _UNSEEN or not isinstance(tag, str):
            continue
        if tag in (f"{_TEXT}h", f"{_TEXT}p"):
            yield from _paragraph(child, item)
        elif tag == f"{_TABLE}table":
            yield from _table(child)
        elif tag in _DRAWN:
            yield from _drawn(child)
        else:
            yield from _blocks(child, item or tag in _LISTS)


def _paragraph(paragraph: Any, item: bool) -> Iterator[str]:
    met = _Met()
    text = "".join(_inline(paragraph, met)).strip()
    if text and paragraph.tag == f"{_TEXT}h":
        level = paragraph.get(f"{_TEXT}outline-level", "1")
        yield heading_line(int(level) if level.isdecimal() else 1, text)
    elif text:
        yield f"- {text}" if item else text
    yield from met.after


def _inline(element: Any, met: _Met) -> Iterator[str]:
    """The visible text of a paragraph; notes, comments and frames met on the way are put into ``met``."""
    yield _spaces(element.text)
    for child in element:
        tag = child.tag
        if tag in _MARKS:
            yield _MARKS[tag]
        elif tag in _REMARKS:
            met.after += [_remark(child)]
        elif tag in _DRAWN:
            met.after += _drawn(child)
        elif isinstance(tag, str) and tag not in _UNSEEN:
            yield from _inline(child, met)
        yield _spaces(child.tail)


def _spaces(text: str | None) -> str:
    """Blanks and line ends of the XML are one blank each, as OpenDocument counts them."""
    if not text:
        return ""
    inner = " ".join(text.split())
    return (" " if text[0].isspace() else "") + inner + (" " if inner and text[-1].isspace() else "")


def _remark(note: Any) -> str:
    """The words of a note, or of a comment after its author's name."""
    author = (note.findtext(f"{_DC}creator") or "").strip()
    text = "\n".join(block for block in _blocks([child for child in note if not child.tag.startswith(_DC)]) if block)
    return f"{author}: {text}" if author and text else text


def _drawn(shape: Any) -> Iterator[str]:
    """A frame or shape: what is written in it, then what is said of its picture."""
    if shape.get(f"{_PRESENTATION}class") in _FURNITURE:
        return
    blocks = [block for block in _blocks(shape) if block]
    if shape.get(f"{_PRESENTATION}class") == "title" and blocks:
        yield heading_line(1, " ".join(blocks))
    else:
        yield from blocks
    yield alternative_text(_flat(shape.find(f"{_SVG}title")), _flat(shape.find(f"{_SVG}desc")))


def _flat(element: Any | None) -> str:
    return "".join(element.itertext()) if element is not None else ""


def _table(table: Any) -> Iterator[str]:
    after: list[str] = []
    rows: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}
    headers = 0
    for row, heads in _rows(table):
        cells = _cells(row, hanging, after)
        if any(cells):
            rows += [cells] * min(_count(row, "number-rows-repeated"), _MOST_REPEATED)
            headers += heads and headers == len(rows) - 1
    width = max(map(len, rows), default=0)
    if lines := "\n".join(rows_as_lines(rows, header=headers or width > 1)):
        yield lines
    yield from after


def _rows(parent: Any, heads: bool = False) -> Iterator[tuple[Any, bool]]:
    """The rows of a table, and whether the table says that they are its header."""
    for child in parent:
        if child.tag == f"{_TABLE}table-row":
            yield child, heads
        elif child.tag in (f"{_TABLE}table-header-rows", f"{_TABLE}table-rows", f"{_TABLE}table-row-group"):
            yield from _rows(child, heads or child.tag.endswith("header-rows"))


def _cells(row: Any, hanging: dict[int, tuple[int, str]], after: list[str]) -> list[str]:
    """The texts of a row's cells; covered ones hold what is merged into them from above, or SPANNED."""
    cells: list[str] = []
    spanned = 0
    for cell in row.iterchildren(f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
        text = _cell(cell, after)
        for _ in range(min(_count(cell, "number-columns-repeated"), _MOST_COLUMNS - len(cells))):
            left, above = hanging.get(len(cells), (0, ""))
            if cell.tag.endswith("covered-table-cell"):
                if left:
                    hanging[len(cells)] = (left - 1, above)
                cells.append(SPANNED if spanned > 0 else above if left else text)
                spanned -= 1
                continue
            spanned = _count(cell, "number-columns-spanned") - 1
            hanging[len(cells)] = (_count(cell, "number-rows-spanned") - 1, text)
            cells.append(text)
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _cell(cell: Any, after: list[str]) -> str:
    """The text of a cell; tables within it follow the outer one."""
    inner = [child for child in cell if child.tag != f"{_TABLE}table"]
    for child in cell.iterchildren(f"{_TABLE}table"):
        after += _table(child)
    return "\n".join(block for block in _blocks(inner) if block)


def _count(element: Any, name: str) -> int:
    value = element.get(_TABLE + name) or "1"
    return min(int(value), 1 << 20) if value.isdecimal() else 1
