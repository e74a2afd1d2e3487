"""Text of a PDF page that nobody sees: without ink, in the paper's colour, under a picture, or too small to read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from ctypes import c_float, c_int, c_uint
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

Box = tuple[float, float, float, float]
_MOST = 3000  # pieces of text looked at on a page
_TINY = 1.5  # points
_LIGHT = 235  # of 255, in each colour
_WITHOUT_INK = (3, 7)  # the render modes "invisible" and "clip"
_DOTS = 2.0  # a point, where it is looked whether anything shows
_FLAT = 12  # of 255: fewer shades than this in a place, and no letter shows there
_FEW = 12  # characters: fewer hidden ones are a producer's mark


def hidden_text(page: PdfPage) -> Iterator[str]:
    """A note where a page shows some text and hides other; a layer of OCR below a scan is wholly hidden, and fine."""
    import pypdfium2.raw as raw

    words = page.get_textpage()
    shown = 0
    hidden: list[str] = []
    light: list[tuple[str, Box]] = []
    for number, item in enumerate(page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=3)):
        if number == _MOST:
            break
        text = _text(item, words)
        if not text:
            continue
        if _without_ink(item) or _tiny(item):
            hidden.append(text)
        elif _light(item):
            light.append((text, item.get_bounds()))
        else:
            shown += len(text)
    unseen = list(_unseen(page, light)) if light else []
    shown += sum(len(text) for text, _ in light) - sum(map(len, unseen))
    hidden += unseen
    count = sum(character.isalnum() for text in hidden for character in text)
    if shown and count >= _FEW:
        yield f"hidden text, {count} characters that nobody sees on the page: “{' '.join(hidden)[:60]}”"


def _text(item: Any, words: Any) -> str:
    """The characters of a piece of text, blanks aside."""
    import pypdfium2.raw as raw

    length = raw.FPDFTextObj_GetText(item, words, None, 0)
    if length <= 2:
        return ""
    buffer = (raw.FPDF_WCHAR * (length // 2))()
    raw.FPDFTextObj_GetText(item, words, buffer, length)
    return "".join(bytes(buffer).decode("utf-16-le", "backslashreplace").rstrip("\0").split())


def _without_ink(item: Any) -> bool:
    import pypdfium2.raw as raw

    return raw.FPDFTextObj_GetTextRenderMode(item) in _WITHOUT_INK


def _tiny(item: Any) -> bool:
    """Whether the letters, not just this dot or dash, are too small to be read."""
    import pypdfium2.raw as raw

    size, matrix = c_float(), raw.FS_MATRIX()
    if not raw.FPDFTextObj_GetFontSize(item, size) or not raw.FPDFPageObj_GetMatrix(item, matrix):
        return False
    return size.value * math.hypot(matrix.c, matrix.d) < _TINY


def _light(item: Any) -> bool:
    """Whether the letters are nearly white, or nearly see-through."""
    import pypdfium2.raw as raw

    red, green, blue, alpha = c_uint(), c_uint(), c_uint(), c_uint()
    if not raw.FPDFPageObj_GetFillColor(item, red, green, blue, alpha):
        return False
    return min(red.value, green.value, blue.value) >= _LIGHT or alpha.value < 255 - _LIGHT


def _unseen(page: PdfPage, pieces: Sequence[tuple[str, Box]]) -> Iterator[str]:
    """The pieces at whose place nothing stands out: white letters on a dark bar are there to be read."""
    dots = page.render(scale=_DOTS, grayscale=True).to_numpy()
    for text, (left, bottom, right, top) in pieces:
        x0, y0 = _place(page, left, top)
        x1, y1 = _place(page, right, bottom)
        part = dots[min(y0, y1) : max(y0, y1) + 1, min(x0, x1) : max(x0, x1) + 1]
        if not part.size or int(np.ptp(part)) < _FLAT:
            yield text


def _place(page: PdfPage, x: float, y: float) -> tuple[int, int]:
    """A point of the page as the dot of its picture."""
    import pypdfium2.raw as raw

    width, height = (round(side * _DOTS) for side in page.get_size())
    across, down = c_int(), c_int()
    raw.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, across, down)
    return min(max(across.value, 0), width), min(max(down.value, 0), height)
