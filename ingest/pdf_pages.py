"""One page of a PDF by two readers: pypdf's text is the default, pdfium sees where things stand and what shows.

pdfium's words are taken where pypdf gives none or rubbish, its layout where the page has columns or tables, and its
picture of the page where OCR has to read it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pypdf import PageObject
from pypdf.errors import PyPdfError

from ingest import ocr
from ingest.pdf_hidden import hidden_text
from ingest.quality import DOUBTFUL, GARBAGE, quality
from rag.types import PageKind

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfPage

UNREADABLE = (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError, OverflowError,
              RecursionError, NotImplementedError, UnicodeError, OSError)  # fmt: skip
_SYMBOL_BULLETS = re.compile(r"^(\s*)[\uf06c\uf0b7\uf06e\uf0a7\uf0d8\uf075\uf077\uf09f\uf0a8]\s*", re.MULTILINE)
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_A_STAMP = 200  # characters: so few on a page that is one picture are a stamp or a head, and the picture is the page
_WHOLE = 0.6  # of a page's area: from here on a picture is the page
_INK = 0.0005  # of a page's dots: less is a blank page's dust
_SMALL = 0.5  # points to dots where only ink is looked for
_KEPT = 0.98  # of a page's letters that a layout must hold to be trusted


@dataclass(frozen=True, slots=True)
class ReadPage:
    """What was read of a page, in printed lines, by which means, how well, and what there is to say of it.

    ``wants_ocr`` where it could not be read since OCR is not installed, ``failed`` where no reader could.
    """

    text: str
    kind: PageKind = "text"
    quality: float = 1.0
    notes: tuple[str, ...] = field(default=())
    wants_ocr: bool = False
    failed: bool = False


def read_page(page: PageObject | None, seen: PdfPage | None) -> ReadPage:
    """The text of a page that pypdf (``page``) and pdfium (``seen``) opened, either None where it could not."""
    written, notes = _written(page, seen)
    if written is None and seen is None:
        return ReadPage("", quality=0.0, failed=True)
    text = written or ""
    score = quality(text)
    if seen is None:
        return ReadPage(text if score >= GARBAGE else "", "text", score, notes)
    if _is_picture(seen, text, score):
        return _pictured(seen, text, score, notes)
    return ReadPage(_laid_out(seen, text), "text", score, notes + tuple(hidden_text(seen)))


def _written(page: PageObject | None, seen: PdfPage | None) -> tuple[str | None, tuple[str, ...]]:
    """The text layer by the reader that makes sense of it, and whether that was the second one."""
    first = _by_pypdf(page)
    if first is not None and first.strip() and quality(first) >= DOUBTFUL:
        return first, ()
    second = _by_pdfium(seen) if seen is not None else None
    if second is None or not second.strip():
        return first, ()
    if first is None or not first.strip() or quality(second) > quality(first):
        return second, ()
    return first, ()


def _by_pypdf(page: PageObject | None) -> str | None:
    if page is None:
        return None
    try:
        text = page.extract_text()
    except UNREADABLE:
        return None
    return _SYMBOL_BULLETS.sub(r"\1• ", text).translate(_LIGATURES)


def _by_pdfium(seen: PdfPage) -> str | None:
    try:
        text = seen.get_textpage().get_text_range()
    except (RuntimeError, *UNREADABLE):
        return None
    return _SYMBOL_BULLETS.sub(r"\1• ", text.replace("\r\n", "\n").replace("\ufffe", "-")).translate(_LIGATURES)


def _laid_out(seen: PdfPage, text: str) -> str:
    """The text in the order of its columns, its tables as rows; as it is where the layout would lose some of it."""
    from ingest.pdf_layout import layout

    try:
        arranged = layout(seen).text
    except (RuntimeError, *UNREADABLE):
        return text
    if arranged is None:
        return text
    wanted = Counter(character for character in text if character.isalnum())
    lost = wanted - Counter(character for character in arranged if character.isalnum())
    return arranged.translate(_LIGATURES) if lost.total() <= (1 - _KEPT) * wanted.total() else text


def _is_picture(seen: PdfPage, text: str, score: float) -> bool:
    """Whether a page has to be read from its picture: no text or rubbish where ink is, or a stamp on a scan."""
    if not text.strip() or score < GARBAGE:
        return _inked(seen)
    few = sum(not c.isspace() for c in text) < _A_STAMP
    return (few or score < DOUBTFUL) and _largest_picture(seen) >= _WHOLE


def _pictured(seen: PdfPage, text: str, score: float, notes: tuple[str, ...]) -> ReadPage:
    """The page by OCR, or its own text layer where that is the better one."""
    own = text if score >= GARBAGE else ""
    if not ocr.available():
        return ReadPage(own, "text", score, notes, wants_ocr=True)
    read = ocr.read(_picture(seen))
    if own and (read.quality <= score and len(read.text) < 2 * len(own)):
        return ReadPage(own, "text", score, notes)
    if not read.text:
        return ReadPage("", "ocr", 1.0, (*notes, "no text found in its picture"))
    if read.quality < GARBAGE:
        return ReadPage("", "ocr", read.quality, (*notes, "left out: what can be read in its picture is no language"))
    if own:
        notes += ("its text layer is bad OCR: read anew from its picture",)
    if read.turned:
        notes += (f"turned by {read.turned} degrees to be read",)
    return ReadPage(read.text, "ocr", read.quality, notes)


def _picture(seen: PdfPage) -> Image:
    """The page as it is seen, as large as OCR wants it."""
    picture: Image = seen.render(scale=ocr.LONGEST / max(*seen.get_size(), 1)).to_pil()
    return picture


def _inked(seen: PdfPage) -> bool:
    """Whether anything shows on a page."""
    scale = min(_SMALL, ocr.LONGEST / max(*seen.get_size(), 1))
    dots = seen.render(scale=scale, grayscale=True).to_numpy()
    return bool((dots < 200).mean() > _INK)


def _largest_picture(seen: PdfPage) -> float:
    """The share of the page that its largest picture covers."""
    import pypdfium2.raw as raw

    width, height = seen.get_size()
    largest = 0.0
    for item in seen.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = item.get_bounds()
        largest = max(largest, (right - left) * (top - bottom))
    return float(largest / max(width * height, 1.0))


def filled_in(page: PageObject | None) -> list[str]:
    """What was filled into a page's form fields and written beside its text."""
    found: list[str] = []
    try:
        notes: Any = page.get("/Annots") if page is not None else None
        for note in notes.get_object() if notes is not None else ():
            if line := _annotation(note.get_object()):
                found.append(line)
    except UNREADABLE:
        return found
    return list(dict.fromkeys(found))


def _annotation(note: Any) -> str:
    kind = note.get("/Subtype")
    if kind in ("/FreeText", "/Text"):
        return " ".join(str(note.get("/Contents") or "").split())
    if kind != "/Widget":
        return ""
    parent = note.get("/Parent")
    above = parent.get_object() if parent is not None else {}
    name, value = note.get("/TU") or note.get("/T") or above.get("/T"), note.get("/V") or above.get("/V")
    if not isinstance(value, str) or value.startswith("/") or not value.strip():
        return ""
    return f"{name}: {' '.join(value.split())}" if name else " ".join(value.split())
