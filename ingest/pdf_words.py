"""What stands where on a PDF page: its words and its ruling lines, read from pdfium in bulk."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from ctypes import byref, c_float, c_int
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING, Any

from ingest.paragraphs import width
from ingest.reading_order import Piece

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

Row = list[Piece]
THIN = 3.0  # points: what is no higher or no wider is a ruling line
_HYPHENS = "\x02\ufffe"  # what pdfium makes of a hyphen at the end of a line
_WORD_GAP = 0.2  # of the letters' height
_CELL_GAP = 0.6
_TOUCHING = 1.0  # points
_MOST_RULES = 5000  # a page with more is a drawing
_DEEPEST = 3  # forms within forms
_QUARTER = math.pi / 2


@dataclass(frozen=True, slots=True)
class Rule:
    """A ruling line or the edge of a box; coordinates in points, downwards and to the right."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def level(self) -> bool:
        """Whether it runs across the page."""
        return self.right - self.left >= self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Ink:
    """The words and rules of a page, turned so that most of its text is upright; ``turned`` is the text that is not."""

    words: list[Piece]
    rules: list[Rule]
    turned: list[list[Piece]]


def read(page: PdfPage) -> Ink:
    """The words of a page in points, and its rules; the same whichever way the page or its text is turned."""
    glyphs = _glyphs(page)
    if not glyphs:
        return Ink([], [], [])
    quarters = [quarter for quarter, _ in Counter(glyph[5] for glyph in glyphs).most_common()]
    words = [_words([glyph for glyph in glyphs if glyph[5] == quarter]) for quarter in quarters]
    rules = list(islice(_rules(page, quarters[0]), _MOST_RULES + 1))
    return Ink(words[0], mended(rules, _TOUCHING) if len(rules) <= _MOST_RULES else [], words[1:])


def rows(words: Sequence[Piece], rules: Sequence[Rule]) -> list[Row]:
    """Lines from top to bottom, each from left to right, words joined that stand close together with no rule between."""
    lines: list[Row] = []
    guides: list[Piece] = []  # the widest word of each line, which a raised or lowered one is compared with
    for word in sorted(words, key=lambda word: (word.middle, word.left)):
        place = next((i for i in range(len(lines) - 1, max(-1, len(lines) - 4), -1) if _level(guides[i], word)), None)
        if place is None:
            lines.append([word])
            guides.append(word)
            continue
        lines[place].append(word)
        if word.right - word.left > guides[place].right - guides[place].left:
            guides[place] = word
    upright = [rule for rule in rules if not rule.level and rule.bottom - rule.top > THIN]
    return [_segments(sorted(line, key=lambda word: word.left), upright) for line in lines]


def joined(pieces: Sequence[Piece]) -> Piece:
    """Pieces of one line as one, blanks between them but where both sides are Chinese."""
    text = pieces[0].text
    for piece in pieces[1:]:
        text += piece.text if width(text[-1] + piece.text[0]) == 4 else f" {piece.text}"
    return Piece(
        text,
        min(piece.left for piece in pieces),
        min(piece.top for piece in pieces),
        max(piece.right for piece in pieces),
        max(piece.bottom for piece in pieces),
    )


def _level(one: Piece, other: Piece) -> bool:
    common = min(one.bottom, other.bottom) - max(one.top, other.top)
    return common > 0.5 * min(one.height, other.height)


def _segments(line: Row, upright: Sequence[Rule]) -> Row:
    height = median(word.height for word in line)
    segments: list[Row] = []
    for word in line:
        last = segments[-1][-1] if segments else None
        if last and word.left - last.right <= _CELL_GAP * height and not _is_between(upright, last, word):
            segments[-1].append(word)
        else:
            segments.append([word])
    return [joined(segment) for segment in segments]


def _is_between(upright: Sequence[Rule], one: Piece, other: Piece) -> bool:
    return any(
        one.right - 1 <= rule.left and rule.right <= other.left + 1 and rule.top < one.middle < rule.bottom
        for rule in upright
    )


_Glyph = tuple[str, float, float, float, float, int]


def _glyphs(page: PdfPage) -> list[_Glyph]:
    """Each character with its box turned upright and the quarter turns it was turned by; a blank as no text."""
    import pypdfium2.raw as pdfium

    textpage = page.get_textpage()
    handle = textpage.raw
    box = pdfium.FS_RECTF()
    place = byref(box)
    unicode, loose, angle = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetLooseCharBox, pdfium.FPDFText_GetCharAngle
    glyphs: list[_Glyph] = []
    pair = ""
    for index in range(textpage.count_chars()):
        character = chr(unicode(handle, index))
        if "\ud800" <= character <= "\udbff":
            pair = character
            continue
        if "\udc00" <= character <= "\udfff":
            character = (pair + character).encode("utf-16", "surrogatepass").decode("utf-16") if pair else ""
        pair = ""
        text = "-" if character in _HYPHENS and character else character
        if text <= " " or text.isspace() or not loose(handle, index, place):
            glyphs.append(("", 0.0, 0.0, 0.0, 0.0, glyphs[-1][5] if glyphs else 0))
            continue
        quarter = round(-angle(handle, index) / _QUARTER) % 4
        glyphs.append((text, *_upright(box.left, box.bottom, box.right, box.top, quarter), quarter))
    textpage.close()
    return glyphs if any(glyph[0] for glyph in glyphs) else []


def _upright(left: float, low: float, right: float, high: float, quarter: int) -> tuple[float, float, float, float]:
    """A box of PDF (upwards) as left, top, right, bottom on a page where text turned by so many quarters is level."""
    if quarter == 0:
        return left, -high, right, -low
    if quarter == 1:
        return low, left, high, right
    if quarter == 2:
        return -right, low, -left, high
    return -high, -right, -low, -left


def _words(glyphs: Sequence[_Glyph]) -> list[Piece]:
    words: list[Piece] = []
    run: list[_Glyph] = []
    for glyph in glyphs:
        if run and (not glyph[0] or not _goes_on(run[-1], glyph)):
            words.append(_word(run))
            run = []
        if glyph[0]:
            run.append(glyph)
    return [*words, _word(run)] if run else words


def _goes_on(glyph: _Glyph, following: _Glyph) -> bool:
    height = max(glyph[4] - glyph[2], 1.0)
    gap = following[1] - glyph[3]
    return abs(following[4] - glyph[4]) < 0.6 * height and -height < gap < _WORD_GAP * height


def _word(run: Sequence[_Glyph]) -> Piece:
    tallest = max(run, key=lambda glyph: glyph[4] - glyph[2])
    text = "".join(glyph[0] for glyph in run)
    return Piece(text, min(g[1] for g in run), tallest[2], max(g[3] for g in run), tallest[4])


def mended(rules: Iterable[Rule], gap: float) -> list[Rule]:
    """The rules, level ones as one that were drawn piece by piece with no more than ``gap`` points between."""
    whole: list[Rule] = []
    for rule in sorted(rules, key=lambda rule: (not rule.level, round(rule.top), rule.left)):
        last = whole[-1] if whole else None
        if last and last.level and rule.level and _touch(last, rule, gap):
            whole[-1] = replace(last, right=max(last.right, rule.right))
        else:
            whole.append(rule)
    return whole


def _touch(last: Rule, rule: Rule, gap: float) -> bool:
    return abs(last.top - rule.top) < 1 and last.left <= rule.left <= last.right + gap


def _rules(page: PdfPage, quarter: int) -> Iterator[Rule]:
    import pypdfium2.raw as pdfium

    objects = [(pdfium.FPDFPage_GetObject(page.raw, i), ()) for i in range(pdfium.FPDFPage_CountObjects(page.raw))]
    for path, forms in _paths(objects, 0):
        for left, low, right, high in _lines(path):
            for matrix in reversed(forms):
                (left, low), (right, high) = _placed(matrix, left, low), _placed(matrix, right, high)
            yield Rule(*_upright(min(left, right), min(low, high), max(left, right), max(low, high), quarter))


def _paths(objects: Sequence[tuple[Any, tuple[Any, ...]]], depth: int) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The path objects, each with the matrices of the forms that it stands in."""
    import pypdfium2.raw as pdfium

    for thing, forms in objects:
        kind = pdfium.FPDFPageObj_GetType(thing)
        if kind == pdfium.FPDF_PAGEOBJ_PATH:
            yield thing, forms
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _DEEPEST:
            within = (*forms, _matrix(thing))
            count = pdfium.FPDFFormObj_CountObjects(thing)
            yield from _paths([(pdfium.FPDFFormObj_GetObject(thing, i), within) for i in range(count)], depth + 1)


def _lines(path: Any) -> Iterator[tuple[float, float, float, float]]:
    """The straight level and upright lines that a path draws, as left, low, right, high."""
    import pypdfium2.raw as pdfium

    bounds = [c_float() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetBounds(path, *map(byref, bounds)):
        return
    left, low, right, high = (bound.value for bound in bounds)
    if right - left <= THIN or high - low <= THIN:
        if max(right - left, high - low) > THIN:
            yield left, low, right, high
        return
    fill, stroke = c_int(), c_int()
    pdfium.FPDFPath_GetDrawMode(path, byref(fill), byref(stroke))
    if stroke.value:
        yield from _strokes(path)


def _strokes(path: Any) -> Iterator[tuple[float, float, float, float]]:
    import pypdfium2.raw as pdfium

    matrix = _matrix(path)
    x, y = c_float(), c_float()
    start = last = (0.0, 0.0)
    for index in range(min(pdfium.FPDFPath_CountSegments(path), 1000)):
        segment = pdfium.FPDFPath_GetPathSegment(path, index)
        pdfium.FPDFPathSegment_GetPoint(segment, byref(x), byref(y))
        point = _placed(matrix, x.value, y.value)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            start = point
        elif kind == pdfium.FPDF_SEGMENT_LINETO:
            yield from _straight(last, point)
        if pdfium.FPDFPathSegment_GetClose(segment):
            yield from _straight(point, start)
        last = point


def _straight(one: tuple[float, float], other: tuple[float, float]) -> Iterator[tuple[float, float, float, float]]:
    across, up = abs(one[0] - other[0]), abs(one[1] - other[1])
    if min(across, up) < 1 and max(across, up) > THIN:
        yield min(one[0], other[0]), min(one[1], other[1]), max(one[0], other[0]), max(one[1], other[1])


def _matrix(thing: Any) -> Any:
    import pypdfium2.raw as pdfium

    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFPageObj_GetMatrix(thing, byref(matrix))
    return matrix


def _placed(matrix: Any, x: float, y: float) -> tuple[float, float]:
    return matrix.a * x + matrix.c * y + matrix.e, matrix.b * x + matrix.d * y + matrix.f
