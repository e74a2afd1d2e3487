"""Word documents in document order: headings, lists with their numbers, tables, text boxes, notes, comments, charts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ingest.alternatives import alternative_text
from ingest.charts import chart_lines, diagram_lines
from ingest.markdown import heading_line
from ingest.numbering import BULLET, Numbering, W
from ingest.ooxml import RELATED, Package, opened
from ingest.source import Source
from ingest.tables import SPANNED, rows_as_lines
from rag.types import Page, ParsedDocument

_HEADING_STYLE = re.compile(r"(?:heading|标题|überschrift|titre|título|titolo)\s*(\d)", re.IGNORECASE)
_CONTENTS_STYLE = re.compile(r"(?:toc|目录|table of figures)\s*(?:\d|heading)?", re.IGNORECASE)
_TITLES = ("title", "标题")
_BOX = f"{W}txbxContent"
# The fallback of a drawing repeats its text boxes for old readers; deleted text, field codes and readings are not shown.
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HIDDEN = "del moveFrom instrText delInstrText pPr rPr tblPr tblGrid sdtPr rt".split()
_UNSEEN = frozenset((_FALLBACK, *(W + name for name in _HIDDEN)))
_CONTAINERS = frozenset(W + name for name in "sdt sdtContent customXml ins moveTo smartTag".split())
_WORDS = {f"{W}t", "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"}
_MARKS = {f"{W}tab": "\t", f"{W}ptab": "\t", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}
_NOTES = {f"{W}footnoteReference": "footnote", f"{W}endnoteReference": "endnote", f"{W}commentReference": "comment"}
_PICTURES = (
    "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr",
    "{urn:schemas-microsoft-com:vml}shape",
)
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_MOST_SPAN = 64


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a Word file, titled by its properties, else its first main heading, else its name."""
    with opened(source) as package:
        reader = _Reader.of(package)
        blocks = list(reader.blocks(package.xml(package.main).find(f"{W}body")))
        title = package.title()
    text = "\n\n".join(blocks).replace("\n\n- ", "\n- ")
    first = next((block.lstrip("# ") for block in blocks if block.startswith("# ")), "")
    yield ParsedDocument(title=title or first or source.stem, pages=(Page(None, text),), marked_up=True)


@dataclass(frozen=True, slots=True)
class _Style:
    """What a paragraph's style says of it: a heading's level, the list it belongs to, whether it is a line of contents."""

    level: int | None = None
    list_id: str = ""
    depth: int = 0
    contents: bool = False


@dataclass(slots=True)
class _Met:
    """What a paragraph holds besides its words, to follow it."""

    boxes: list[Any] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """A document being read: its parts, and the state that runs through it."""

    package: Package
    main: str
    styles: dict[str, _Style]
    numbering: Numbering
    notes: dict[tuple[str, str], Any]

    @classmethod
    def of(cls, package: Package) -> _Reader:
        main = package.main
        notes: dict[tuple[str, str], Any] = {}
        for kind in ("footnote", "endnote", "comment"):
            root = package.relative(main, f"{kind}s")
            for note in root.iter(W + kind) if root is not None else ():
                if note.get(f"{W}type", "normal") == "normal":
                    notes[kind, note.get(f"{W}id", "")] = note
        styles = _styles(package.relative(main, "styles"))
        return cls(package, main, styles, Numbering.of(package.relative(main, "numbering")), notes)

    def blocks(self, parent: Any) -> Iterator[str]:
        """The paragraphs and tables under an element as text, what hangs on a paragraph after it."""
        for child in parent if parent is not None else ():
            if child.tag == f"{W}p":
                yield from self._paragraph(child)
            elif child.tag == f"{W}tbl":
                yield from self._table(child)
            elif child.tag in _CONTAINERS and not _placeholder(child):
                yield from self.blocks(child)

    def _paragraph(self, paragraph: Any) -> Iterator[str]:
        met = _Met()
        text = "".join(self._inline(paragraph, met)).strip()
        style = self._style(paragraph)
        if style.contents:
            return
        label = self.numbering.label(style.list_id, style.depth) if style.list_id and text else ""
        if text and style.level:
            yield heading_line(style.level, text if label == BULLET else label + text)
        elif text:
            yield label + text
        for box in met.boxes:
            yield from self.blocks(box)
        yield from met.after

    def _style(self, paragraph: Any) -> _Style:
        """The paragraph's style, with what the paragraph itself says instead."""
        properties = paragraph.find(f"{W}pPr")
        if properties is None:
            return self.styles.get("", _Style())
        named = _val(properties, "pStyle")
        style = self.styles.get(named, _Style(list_id="?" if "list" in named.lower() else ""))
        return _changed(style, properties)

    def _inline(self, element: Any, met: _Met) -> Iterator[str]:
        """The visible text of a paragraph's runs; what else is met on the way is put into ``met``."""
        for child in element:
            tag = child.tag
            if tag in _UNSEEN or not isinstance(tag, str) or _vanished(child) or _placeholder(child):
                continue
            if tag in _WORDS:
                yield child.text or ""
            elif tag in _MARKS:
                yield _MARKS[tag]
            elif tag == _BOX:
                met.boxes.append(child)
            elif tag in _NOTES:
                self._note(_NOTES[tag], child, met)
            else:
                self._drawn(child, met)
                yield from self._inline(child, met)

    def _note(self, kind: str, reference: Any, met: _Met) -> None:
        """A note's text follows the paragraph that refers to it, once; a comment's with the name of who wrote it."""
        note = self.notes.pop((kind, reference.get(f"{W}id", "")), None)
        if note is None:
            return
        text = "\n".join(self.blocks(note)).strip()
        author = note.get(f"{W}author", "").strip() if kind == "comment" else ""
        met.after += [f"{author}: {text}" if author else text] if text else []

    def _drawn(self, child: Any, met: _Met) -> None:
        """Pictures, charts and diagrams say what they show after the paragraph."""
        if child.tag in _PICTURES:
            told = alternative_text(child.get("title"), child.get("descr"), child.get("alt"))
            met.after += [told] if told else []
        elif child.tag == _CHART and (part := self.package.target(self.main, child.get(f"{RELATED}id"))):
            met.after += ["\n".join(chart_lines(self.package.xml(part)))]
        elif child.tag == _DIAGRAM and (part := self.package.target(self.main, child.get(f"{RELATED}dm"))):
            met.after += ["\n".join(diagram_lines(self.package.xml(part)))]

    def _table(self, table: Any) -> Iterator[str]:
        met = _Met()
        cells = [list(_children(row, f"{W}tc")) for row in _children(table, f"{W}tr")]
        if len(cells) == 1 and len(cells[0]) == 1:  # a frame around text, no table
            yield from self.blocks(cells[0][0])
            return
        rows: list[list[str]] = []
        headers = 0
        for row in _children(table, f"{W}tr"):
            rows.append(self._row(row, rows[-1] if rows else [], met))
            marked = row.find(f"{W}trPr/{W}tblHeader") is not None
            headers += marked and headers == len(rows) - 1
        several = max((len(row) for row in rows), default=0) > 1
        if lines := "\n".join(rows_as_lines(rows, header=headers or several)):
            yield lines
        yield from met.after

    def _row(self, row: Any, above: list[str], met: _Met) -> list[str]:
        cells = [""] * _span(row.find(f"{W}trPr/{W}gridBefore"), 0)
        for cell in _children(row, f"{W}tc"):
            text = self._cell(cell, met)
            if _goes_on(cell):
                text = above[len(cells)] if len(cells) < len(above) else ""
            cells += [text] + [SPANNED] * (_span(cell.find(f"{W}tcPr/{W}gridSpan"), 1) - 1)
        return cells

    def _cell(self, cell: Any, met: _Met) -> str:
        """The text of a cell; tables within it and what hangs on its paragraphs are put into ``met``."""
        parts: list[str] = []
        for child in cell:
            if child.tag == f"{W}tbl":
                met.after += self._table(child)
            elif child.tag == f"{W}p":
                inner = _Met()
                style = self._style(child)
                text = "".join(self._inline(child, inner)).strip()
                label = self.numbering.label(style.list_id, style.depth) if style.list_id and text else ""
                parts += [label + text, *("\n".join(self.blocks(box)) for box in inner.boxes)]
                met.after += inner.after
            elif child.tag in _CONTAINERS and not _placeholder(child):
                parts.append(self._cell(child, met))
        return "\n".join(part for part in parts if part)


def _styles(root: Any | None) -> dict[str, _Style]:
    """What each paragraph style says, by its name, its own words or those of the style that it builds on."""
    found = {style.get(f"{W}styleId", ""): style for style in root.iter(f"{W}style")} if root is not None else {}
    made: dict[str, _Style] = {}

    def of(key: str, depth: int = 0) -> _Style:
        if key in made or key not in found or depth > len(found):
            return made.get(key, _Style())
        element = found[key]
        name = _val(element, "name")
        style = of(_val(element, "basedOn"), depth + 1)
        if heading := _HEADING_STYLE.match(name):
            style = _Style(int(heading[1]), style.list_id, int(heading[1]) - 1)
        elif name.lower() in _TITLES:
            style = _Style(1)
        elif _CONTENTS_STYLE.fullmatch(name):
            style = _Style(contents=True)
        properties = element.find(f"{W}pPr")
        listed = "list" in name.lower() and not style.list_id
        style = _Style(style.level, "?", style.depth) if listed else style
        made[key] = _changed(style, properties) if properties is not None else style
        return made[key]

    for key, element in found.items():
        if element.get(f"{W}default") in ("1", "true") and element.get(f"{W}type") == "paragraph":
            made[""] = of(key)
        of(key)
    return made


def _changed(style: _Style, properties: Any) -> _Style:
    """A style with what some paragraph properties say instead."""
    level, list_id, depth = style.level, style.list_id, style.depth
    outline = _val(properties, "outlineLvl")
    if outline.isdecimal():
        level = int(outline) + 1 if int(outline) < 9 else None
    if (numbered := properties.find(f"{W}numPr")) is not None:
        list_id = _val(numbered, "numId") or list_id
        depth = int(_val(numbered, "ilvl")) if _val(numbered, "ilvl").isdecimal() else depth
    return _Style(level, "" if list_id == "0" else list_id, depth, style.contents)


def _val(element: Any, name: str) -> str:
    found = element.find(W + name)
    return (found.get(f"{W}val") or "") if found is not None else ""


def _vanished(element: Any) -> bool:
    """Whether a run is set to be hidden."""
    vanish = element.find(f"{W}rPr/{W}vanish") if element.tag == f"{W}r" else None
    return vanish is not None and vanish.get(f"{W}val", "1") not in ("0", "false", "off")


def _placeholder(element: Any) -> bool:
    """Whether a content control still shows "click here to enter text"."""
    return element.tag == f"{W}sdt" and element.find(f"{W}sdtPr/{W}showingPlcHdr") is not None


def _children(parent: Any, tag: str) -> Iterator[Any]:
    """Rows of a table or cells of a row, also those that a content control wraps."""
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in _CONTAINERS:
            yield from _children(child, tag)


def _span(element: Any | None, otherwise: int) -> int:
    value = (element.get(f"{W}val") or "") if element is not None else ""
    return min(int(value), _MOST_SPAN) if value.isdecimal() else otherwise


def _goes_on(cell: Any) -> bool:
    """Whether a cell is the lower part of one that is merged downwards."""
    merge = cell.find(f"{W}tcPr/{W}vMerge")
    return merge is not None and merge.get(f"{W}val") != "restart"
