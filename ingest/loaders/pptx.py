"""Presentations: one page a slide with its title, texts, tables, charts, diagrams, pictures' texts, comments and notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingest.alternatives import alternative_text
from ingest.charts import chart_lines, diagram_lines
from ingest.markdown import heading_line
from ingest.ooxml import RELATED, Package, opened
from ingest.source import Source
from ingest.tables import SPANNED, rows_as_lines
from rag.types import Page, ParsedDocument

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_ALTERNATIVES = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_CHOICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Choice"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_SHAPES = frozenset(_P + name for name in ("sp", "grpSp", "graphicFrame", "pic", "cxnSp"))
_TITLES = ("title", "ctrTitle")
_FURNITURE = ("sldNum", "dt", "ftr", "hdr")
_FAR = 1 << 40  # of what says nowhere where it stands
_BAND = 200_000  # shapes whose tops differ by less (in EMU, about half a centimetre) stand beside each other

Place = tuple[int, int]


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a presentation; pages count as the slides do, hidden ones included."""
    pages: list[Page] = []
    hidden: list[str] = []
    first = ""
    with opened(source) as package:
        for number, part in enumerate(_slides(package), start=1):
            slide = package.xml(part)
            reader = _Reader(package, part, _places(package, part))
            title = reader.title(slide)
            first = first or title
            blocks = [heading_line(1, title)] if title else []
            blocks += [*reader.shapes(slide.find(f"{_P}cSld/{_P}spTree")), *_remarks(package, part)]
            pages.append(Page(number, "\n\n".join(block for block in blocks if block)))
            hidden += [str(number)] if slide.get("show") in ("0", "false") and blocks else []
            source.tick()
        title = package.title()
    warnings = (f"hidden slides were read too: {', '.join(hidden)}",) if hidden else ()
    yield ParsedDocument(title or first or source.stem, tuple(pages), warnings, marked_up=True)


def _slides(package: Package) -> Iterator[str]:
    """The parts of the slides in the order in which they are shown."""
    for entry in package.xml(package.main).iter(f"{_P}sldId"):
        if part := package.target(package.main, entry.get(f"{RELATED}id")):
            yield part


def _places(package: Package, part: str) -> dict[tuple[str, str], Place]:
    """Where the layout and its master put their placeholders, by kind and index."""
    places: dict[tuple[str, str], Place] = {}
    for layout in package.related(part, "slideLayout")[:1]:
        for above in (layout, *package.related(layout, "slideMaster")[:1]):
            for shape in package.xml(above).iter(f"{_P}sp"):
                kind, place = _placeholder(shape), _own_place(shape)
                if kind and place:
                    places.setdefault(kind, place)
                    places.setdefault((kind[0], ""), place)
    return places


@dataclass(frozen=True, slots=True)
class _Reader:
    """A slide being read: its part, and where its layout puts what does not say itself where it stands."""

    package: Package
    part: str
    places: dict[tuple[str, str], Place]

    def title(self, slide: Any) -> str:
        """The words of the slide's title, "" without one."""
        for shape in slide.iter(f"{_P}sp"):
            kind = _placeholder(shape)
            if kind and kind[0] in _TITLES and (told := " ".join(" ".join(_paragraphs(shape)).split())):
                return told
        return ""

    def shapes(self, tree: Any | None) -> Iterator[str]:
        """The texts of shapes as they are read: from top to bottom, beside each other from the left."""
        for shape in sorted(_shapes(tree), key=self._place):
            kind = _placeholder(shape)
            if kind and kind[0] in (*_TITLES, *_FURNITURE):
                continue
            if shape.tag == f"{_P}grpSp":
                yield "\n\n".join(filter(None, self.shapes(shape)))
            elif shape.tag == f"{_P}graphicFrame":
                yield "\n".join(self._frame(shape))
            else:
                yield "\n".join(_listed(shape))
            yield _seen(shape)

    def _place(self, shape: Any) -> Place:
        kind = _placeholder(shape) or ("", "")
        top, left = _own_place(shape) or self.places.get(kind) or self.places.get((kind[0], "")) or (_FAR, 0)
        return top // _BAND, left

    def _frame(self, frame: Any) -> Iterator[str]:
        for table in frame.iter(f"{_A}tbl"):
            yield from rows_as_lines(list(_rows(table)))
        for chart in frame.iter(_CHART):
            if part := self.package.target(self.part, chart.get(f"{RELATED}id")):
                yield from chart_lines(self.package.xml(part))
        for diagram in frame.iter(_DIAGRAM):
            if part := self.package.target(self.part, diagram.get(f"{RELATED}dm")):
                yield from diagram_lines(self.package.xml(part))


def _shapes(tree: Any | None) -> Iterator[Any]:
    for child in tree if tree is not None else ():
        if child.tag in _SHAPES:
            yield child
        elif child.tag == _ALTERNATIVES:
            yield from _shapes(child.find(_CHOICE))


def _placeholder(shape: Any) -> tuple[str, str] | None:
    """The kind and index of the placeholder that a shape fills, None where it fills none; both may be missing."""
    found = shape.find(f"*/{_P}nvPr/{_P}ph")
    return (found.get("type", "obj"), found.get("idx", "0")) if found is not None else None


def _own_place(shape: Any) -> Place | None:
    """How far from the top and the left a shape says that it stands."""
    offset = next(shape.iter(f"{_A}off"), None) if shape.tag != f"{_P}graphicFrame" else shape.find(f"{_P}xfrm/{_A}off")
    try:
        return (int(offset.get("y", "")), int(offset.get("x", ""))) if offset is not None else None
    except ValueError:
        return None


def _listed(shape: Any) -> Iterator[str]:
    """The paragraphs of a shape, those of a placeholder for text as a list."""
    kind = _placeholder(shape)
    paragraphs = list(_paragraphs(shape))
    listed = kind is not None and kind[0] in ("body", "obj") and len(paragraphs) > 1
    yield from (f"- {text}" if listed else text for text in paragraphs)


def _paragraphs(element: Any) -> Iterator[str]:
    for paragraph in element.iter(f"{_A}p"):
        if text := "".join(_words(paragraph)).strip():
            yield text


def _words(paragraph: Any) -> Iterator[str]:
    for run in paragraph.iter(f"{_A}r", f"{_A}br", f"{_A}fld", _MATH):
        field = run.get("type", "") if run.tag == f"{_A}fld" else ""
        if run.tag == f"{_A}br":
            yield "\n"
        elif run.tag == _MATH:
            yield run.text or ""
        elif field != "slidenum" and not field.startswith("datetime"):
            yield run.findtext(f"{_A}t") or ""


def _seen(shape: Any) -> str:
    properties = shape.find(f"*/{_P}cNvPr")
    return alternative_text(properties.get("title"), properties.get("descr")) if properties is not None else ""


def _rows(table: Any) -> Iterator[list[str]]:
    """The rows of a table: what is merged downwards stands in each row, what is merged across once."""
    above: list[str] = []
    for row in table.iter(f"{_A}tr"):
        cells: list[str] = []
        for cell in row.iter(f"{_A}tc"):
            if cell.get("vMerge") in ("1", "true"):
                cells.append(above[len(cells)] if len(cells) < len(above) else "")
            elif cell.get("hMerge") in ("1", "true"):
                cells.append(SPANNED)
            else:
                cells.append("\n".join(_paragraphs(cell)))
        yield cells
        above = cells


def _remarks(package: Package, part: str) -> Iterator[str]:
    """The comments on a slide, then what its speaker noted."""
    for comments in package.related(part, "comments"):
        root = package.xml(comments)
        yield "\n".join(
            text.text.strip() for text in root.iter(f"{_P}text", f"{_A}t") if text.text and text.text.strip()
        )
    for notes in package.related(part, "notesSlide")[:1]:
        for shape in package.xml(notes).iter(f"{_P}sp"):
            kind = _placeholder(shape)
            if kind and kind[0] == "body":
                yield "\n".join(_paragraphs(shape))
