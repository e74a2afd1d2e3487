"""Word documents in document order: headings, lists, tables (nested ones too) and text boxes, each once."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from lxml import etree

from ingest.archive import check_archive
from ingest.markdown import heading_line
from ingest.source import Source
from ingest.tables import rows_as_lines
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

_HEADING_STYLE = re.compile(r"(?:heading|标题|überschrift|titre)\s*(\d)", re.IGNORECASE)
_BOX = qn("w:txbxContent")
# The fallback of a drawing repeats its text boxes for old readers; deleted text and field codes are not shown.
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HIDDEN = ("w:del", "w:moveFrom", "w:instrText", "w:pPr", "w:rPr", "w:tblPr", "w:sdtPr")
_UNSEEN = frozenset((_FALLBACK, *map(qn, _HIDDEN)))
_DAMAGED = (PackageNotFoundError, KeyError, ValueError, AttributeError, etree.XMLSyntaxError, zipfile.BadZipFile,
            zlib.error, EOFError)  # fmt: skip
_CONTAINERS = frozenset(map(qn, ("w:sdt", "w:sdtContent", "w:customXml", "w:ins", "w:moveTo", "w:smartTag")))


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a Word file, titled by its properties, else its first main heading, else its name."""
    check_archive(source)
    try:
        document = docx.Document(source.open())
        levels = _levels(document)
        blocks = list(_blocks(document.element.body, levels))
    except _DAMAGED as error:
        raise IngestError(f"the Word document is damaged: {' '.join(str(error).split())[:200]}") from None
    text = "\n\n".join(blocks).replace("\n\n- ", "\n- ")
    first = next((block.lstrip("# ") for block in blocks if block.startswith("# ")), "")
    title = (document.core_properties.title or "").strip() or first or source.stem
    yield ParsedDocument(title=title, pages=(Page(None, text),), marked_up=True)


def _levels(document: Any) -> dict[str, int]:
    """The heading level of each paragraph style, from its name, its outline level or the style that it builds on."""
    levels: dict[str, int] = {}
    for style in document.styles.element.findall(qn("w:style")):
        name = style.find(qn("w:name"))
        named = _HEADING_STYLE.match(name.get(qn("w:val"), "")) if name is not None else None
        outline = style.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
        based = style.find(qn("w:basedOn"))
        key = style.get(qn("w:styleId"), "")
        if named:
            levels[key] = int(named[1])
        elif name is not None and name.get(qn("w:val"), "").lower() in ("title", "标题"):
            levels[key] = 1
        elif outline is not None and int(outline.get(qn("w:val"), "9")) < 9:
            levels[key] = int(outline.get(qn("w:val"), "0")) + 1
        elif based is not None and based.get(qn("w:val")) in levels:
            levels[key] = levels[based.get(qn("w:val"))]
    return levels


def _blocks(parent: Any, levels: dict[str, int]) -> Iterator[str]:
    """The paragraphs and tables under an element, each as text, text boxes after the paragraph that anchors them."""
    for child in parent:
        if child.tag == qn("w:p"):
            yield from _paragraph(child, levels)
        elif child.tag == qn("w:tbl"):
            yield from _table(child, levels)
        elif child.tag in _CONTAINERS:
            yield from _blocks(child, levels)


def _paragraph(paragraph: Any, levels: dict[str, int]) -> Iterator[str]:
    boxes: list[Any] = []
    text = "".join(_inline(paragraph, boxes)).strip()
    if text:
        yield _marked(paragraph, text, levels)
    for box in boxes:
        yield from _blocks(box, levels)


def _marked(paragraph: Any, text: str, levels: dict[str, int]) -> str:
    style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    outline = paragraph.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
    level = levels.get(style.get(qn("w:val"), "")) if style is not None else None
    if outline is not None and int(outline.get(qn("w:val"), "9")) < 9:
        level = int(outline.get(qn("w:val"), "0")) + 1
    if level:
        return heading_line(level, text)
    numbered = paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}") is not None
    listed = numbered or (style is not None and "list" in style.get(qn("w:val"), "").lower())
    return f"- {text}" if listed else text


def _inline(element: Any, boxes: list[Any]) -> Iterator[str]:
    """The visible text of a paragraph's runs; text boxes met on the way are put into ``boxes``."""
    for child in element:
        if child.tag in _UNSEEN or not isinstance(child.tag, str):
            continue
        if child.tag == _BOX:
            boxes.append(child)
        elif child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag == qn("w:tab"):
            yield "\t"
        elif child.tag in (qn("w:br"), qn("w:cr")):
            yield "\n"
        elif child.tag == qn("w:noBreakHyphen"):
            yield "-"
        else:
            yield from _inline(child, boxes)


def _table(table: Any, levels: dict[str, int]) -> Iterator[str]:
    rows: list[list[str]] = []
    nested: list[str] = []
    for row in _children(table, qn("w:tr")):
        cells: list[str] = []
        for cell in _children(row, qn("w:tc")):
            span = cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
            text = _cell(cell, levels, nested)
            if _goes_on(cell) and rows and len(cells) < len(rows[-1]):
                text = rows[-1][len(cells)]
            cells += [text] + [""] * (min(int(span.get(qn("w:val"), "1")), 64) - 1 if span is not None else 0)
        rows.append(cells)
    several = max((len(row) for row in rows), default=0) > 1
    if lines := "\n".join(rows_as_lines(rows, header=several)):
        yield lines
    yield from nested


def _children(parent: Any, tag: str) -> Iterator[Any]:
    """Rows of a table or cells of a row, also those that a content control wraps."""
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in _CONTAINERS:
            yield from _children(child, tag)


def _cell(cell: Any, levels: dict[str, int], nested: list[str]) -> str:
    """The text of a cell; tables within it are put into ``nested``, to follow the outer table."""
    parts: list[str] = []
    for child in cell:
        if child.tag == qn("w:tbl"):
            nested += _table(child, levels)
        elif child.tag == qn("w:p"):
            parts += _paragraph(child, {})
        elif child.tag in _CONTAINERS:
            parts.append(_cell(child, levels, nested))
    return "\n".join(part for part in parts if part)


def _goes_on(cell: Any) -> bool:
    """Whether a cell is the lower part of one that is merged downwards."""
    merge = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
    return merge is not None and merge.get(qn("w:val")) != "restart"
