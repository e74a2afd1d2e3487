"""A page of a PDF or picture as it looks, with the quoted words marked; drawn in the sandbox's child.

A file that nobody vouches for is opened here: `ingest.sandbox.Sandbox.picture` is the way in.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Sequence
from ctypes import byref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest import ocr
from ingest.formats import LOADERS, identify
from ingest.highlight import Box, Glyph, find
from ingest.source import LOCKED, Source
from rag.errors import IngestError

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfBitmap, PdfDocument, PdfPage

WIDTH = 1100  # pixels
MOST_PIXELS = 6_000_000
_LONGEST = 6000  # pixels of a side, however oblong the page
_LARGEST_SCALE = 4.0  # pixels a point: a stamp is not blown up to a poster
_SMALLEST, _HUGEST = 1e-3, 1e9  # points of a page's side that make sense
_YELLOW = (255, 235, 125)
_MARGIN = 0.08  # of a line's height around its letters


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page (from 1) of a file of the hash ``sha256``, and the words to be marked: ``text[start:end]`` of its text.

    ``ocr`` where they were read from the page's picture.
    """

    sha256: str
    page: int
    text: str = ""
    start: int = 0
    end: int = 0
    ocr: bool = False
    width: int = WIDTH


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page as a PNG with whatever was ``found`` of the words marked; ``pages`` of the file; ``note`` says what is missing."""

    png: bytes
    found: bool
    pages: int
    note: str = ""


def draw(source: Source, request: PageRequest) -> PageImage:
    """The page of a file; raises IngestError where it holds other bytes, has no such page or cannot be read."""
    content = source.read()
    if hashlib.sha256(content).hexdigest() != request.sha256:
        raise IngestError("the file was changed after it was taken in")
    source = source.inside(source.name, content)
    kind = LOADERS.get(found := identify(source))  # as a loader takes it, whatever its name says
    if kind == "pdf":
        return _of_pdf(content, request)
    if kind == "image":
        return _of_picture(source, request)
    raise IngestError(f"{found[1:]} files have no pages that can be drawn")


def _of_pdf(content: bytes, request: PageRequest) -> PageImage:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
        document.init_forms()
        pages = len(document)
        page = _page(document, request.page)
        if request.ocr and ocr.available():
            longest = max(page.get_size())
            picture = _rendered(page, _scale(page, round(page.get_width() * ocr.LONGEST / longest)))[0]
            return _read_again([picture], request, pages)
        picture, glyphs = _rendered(page, _scale(page, request.width))
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise IngestError(LOCKED) from None
        raise IngestError(f"the PDF is damaged: page {request.page} cannot be drawn") from None
    boxes = find(glyphs, request.text, request.start, request.end)[0]
    note = ocr.MISSING if request.ocr and not boxes else ""
    return PageImage(_png(_marked(picture, boxes)), bool(boxes), pages, note)


def _page(document: PdfDocument, number: int) -> PdfPage:
    if not 1 <= number <= len(document):
        raise IngestError(f"it has no page {number}, only {len(document)}")
    page = document[number - 1]
    if not all(_SMALLEST < side < _HUGEST for side in page.get_size()):
        raise IngestError(f"page {number} has a size that makes no sense")
    return page


def _scale(page: PdfPage, width: int) -> float:
    """Pixels a point, so that the page becomes so wide and its picture not too large."""
    across, down = page.get_size()
    return float(min(width / across, _LONGEST / down, math.sqrt(MOST_PIXELS / across / down), _LARGEST_SCALE))


def _rendered(page: PdfPage, scale: float) -> tuple[Image, list[Glyph]]:
    """The page's picture and its characters where they stand on it."""
    bitmap = page.render(scale=scale)
    return bitmap.to_pil().convert("RGB"), _glyphs(page, bitmap)


def _glyphs(page: PdfPage, bitmap: PdfBitmap) -> list[Glyph]:
    """The characters of a page in the order of its text, in pixels: pdfium knows about turns and crops."""
    import pypdfium2.raw as pdfium

    textpage = page.get_textpage()
    position = bitmap.get_posconv(page)
    box = pdfium.FS_RECTF()
    glyphs: list[Glyph] = []
    for index in range(textpage.count_chars()):
        code = pdfium.FPDFText_GetUnicode(textpage, index)
        text = "" if 0xD800 <= code < 0xE000 else chr(code)
        if text.isspace() or not pdfium.FPDFText_GetLooseCharBox(textpage, index, byref(box)):
            glyphs.append(Glyph(text, None))
            continue
        (left, top), (right, bottom) = position.to_bitmap(box.left, box.top), position.to_bitmap(box.right, box.bottom)
        glyphs.append(Glyph(text, (min(left, right), min(top, bottom), max(left, right), max(top, bottom))))
    return glyphs


def _of_picture(source: Source, request: PageRequest) -> PageImage:
    from ingest.loaders.image import pictures

    several = list(pictures(source, request.page))
    pages = several[0][1]
    strips = [strip for strip, _ in several]
    if ocr.available():
        return _read_again(strips, request, pages)
    return PageImage(_png(_fitted(strips[0], request.width)), False, pages, ocr.MISSING)


def _read_again(strips: Sequence[Image], request: PageRequest, pages: int) -> PageImage:
    """The strip of a page that holds the quoted words, turned as it was read, its lines found by OCR."""
    best, boxes, most = strips[0], [], 0.0
    for strip in strips:
        picture, lines = ocr.seen(strip)
        found, share = find(_spread(lines), request.text, request.start, request.end)
        if found and share > most:
            best, boxes, most = picture, found, share
    return PageImage(_png(_fitted(_marked(best, boxes), request.width)), bool(boxes), pages)


def _spread(lines: Sequence[tuple[str, Box]]) -> list[Glyph]:
    """Lines as characters that share their line's width, each line parted from the one before."""
    glyphs: list[Glyph] = []
    for text, (left, top, right, bottom) in lines:
        step = (right - left) / max(len(text), 1)
        glyphs += [
            Glyph(character, (left + step * place, top, left + step * (place + 1), bottom))
            for place, character in enumerate(text)
        ]
        glyphs.append(Glyph("\n", None))
    return glyphs


def _marked(picture: Image, boxes: Sequence[Box]) -> Image:
    """The picture with yellow on the boxes as a marker leaves it: what was black stays black."""
    from PIL import Image, ImageChops, ImageDraw

    if not boxes:
        return picture
    yellow = Image.new("RGB", picture.size, "white")
    pen = ImageDraw.Draw(yellow)
    for left, top, right, bottom in boxes:
        edge = _MARGIN * (bottom - top)
        pen.rectangle((left - edge, top - edge, right + edge, bottom + edge), fill=_YELLOW)
    return ImageChops.multiply(picture.convert("RGB"), yellow)


def _fitted(picture: Image, width: int) -> Image:
    """The picture no wider than asked for and no larger than a page may be."""
    across, down = picture.size
    scale = min(1.0, width / across, _LONGEST / down, math.sqrt(MOST_PIXELS / (across * down)))
    return picture if scale == 1 else picture.resize((max(1, round(across * scale)), max(1, round(down * scale))))


def _png(picture: Image) -> bytes:
    written = io.BytesIO()
    picture.convert("RGB").save(written, "PNG")
    return written.getvalue()
