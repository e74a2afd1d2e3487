"""Word 97–2003 files: the paragraphs of their text by way of the piece table, as [MS-DOC] describes it.

Written here because nothing well kept and freely licensed reads them: the pure-Python packages guess where the piece table
lies or scan for printable characters (which loses Chinese), the others bundle a GPL program.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rag.errors import IngestError

_WORD_97 = 0xC1
_IDENT = 0xA5EC
_ENCRYPTED, _SECOND_TABLE = 0x0100, 0x0200
# Offsets in the file information block: the lengths of the text's parts, the places of the tables.
_PARTS = 0x4C
_PAPX, _CLX = 0x102, 0x1A2
_PAGE = 512
_COMPRESSED = 0x40000000
_OPERANDS = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}
_LONG_TABLE, _INSIDE, _ROW_END, _STYLE, _OUTLINE = 0xD608, 0x2416, 0x2417, 0x4600, 0x2640
_HEADINGS = range(1, 10)  # the first styles of every document are fixed
_FIELD_BEGINS, _FIELD_SHOWS, _FIELD_ENDS = "\x13\x14\x15"
_ENDS = "\r\x07\x0c\x0e"
_WRITTEN = {"\x0b": "\n", "\x1e": "-", "\x1f": "", "\xa0": " "}
_BYTES = {
    byte: bytes([byte]).decode("cp1252") for byte in range(0x80, 0xA0) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph without its mark: a heading has a ``level``; one ``inside`` a table may end its ``cell``, or its ``row``."""

    text: str
    level: int | None = None
    inside: bool = False
    cell: bool = False
    row: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of the text: ``start`` and ``end`` count characters, ``place`` is that of its first byte in the stream."""

    start: int
    end: int
    place: int
    width: int


@dataclass(frozen=True, slots=True)
class _Look:
    """What paragraph properties say: a heading's level, whether the paragraph is in a table, and ends a row of it."""

    level: int | None = None
    inside: bool = False
    row: bool = False


def paragraphs(main: bytes, streams: Any) -> Iterator[Paragraph]:
    """The paragraphs of a WordDocument stream: the text, then notes, comments and text boxes; headers stay behind.

    ``streams`` gives the content of a stream by its name. Raises IngestError for what is locked, older or damaged.
    """
    try:
        ident, version = struct.unpack_from("<2H", main)
        (flags,) = struct.unpack_from("<H", main, 0x0A)
        if ident != _IDENT or version < _WORD_97:
            raise IngestError("a Word file older than Word 97, or damaged; open it in Word and save it as .docx")
        if flags & _ENCRYPTED:
            raise IngestError("locked in a way that is not known here; open it in Word and save it without a password")
        table = streams("1Table" if flags & _SECOND_TABLE else "0Table")
        pieces = list(_pieces(main, table))
        looks = _looks(main, table)
        text, notes, headers, _, comments, endnotes, boxes = struct.unpack_from("<7I", main, _PARTS)
    except (struct.error, IndexError) as error:
        raise IngestError(f"the Word document is damaged: {error}") from None
    units = _units(main, pieces)
    after = text + notes + headers
    for start, length in ((0, text), (text, notes), (after, comments + endnotes + boxes)):
        yield from _marked(units[2 * start : 2 * (start + length)], start, pieces, looks)


def _pieces(main: bytes, table: bytes) -> Iterator[_Piece]:
    """The piece table: which stretches of the stream make up the text, and how wide their characters are."""
    place, length = struct.unpack_from("<2I", main, _CLX)
    at, end = place, min(place + length, len(table))
    while at < end and table[at] == 1:  # properties of pieces, not needed here
        at += 3 + struct.unpack_from("<H", table, at + 1)[0]
    if at >= end or table[at] != 2:
        raise IngestError("the Word document is damaged: it has no table of its pieces")
    count = (struct.unpack_from("<I", table, at + 1)[0] - 4) // 12
    if not 0 < count <= len(table) // 12:
        raise IngestError("the Word document is damaged: the table of its pieces is cut off")
    starts = struct.unpack_from(f"<{count + 1}I", table, at + 5)
    for number in range(count):
        (found,) = struct.unpack_from("<I", table, at + 5 + 4 * (count + 1) + 8 * number + 2)
        narrow = bool(found & _COMPRESSED)
        first = (found & ~_COMPRESSED) // 2 if narrow else found
        width = 1 if narrow else 2
        if starts[number] > starts[number + 1] or first + width * (starts[number + 1] - starts[number]) > len(main):
            raise IngestError("the Word document is damaged: a piece of its text lies outside of the file")
        yield _Piece(starts[number], starts[number + 1], first, width)


def _units(main: bytes, pieces: list[_Piece]) -> bytes:
    """The whole text as UTF-16, so that positions count as Word's do."""
    made = bytearray()
    for piece in pieces:
        raw = main[piece.place : piece.place + piece.width * (piece.end - piece.start)]
        made += raw if piece.width == 2 else raw.decode("latin-1").translate(_BYTES).encode("utf-16-le")
        if len(made) > 4 * len(main):
            raise IngestError("the Word document is damaged: pieces of its text repeat")
    return bytes(made)


def _marked(units: bytes, start: int, pieces: list[_Piece], looks: _Looks) -> Iterator[Paragraph]:
    """The paragraphs of a part of the text that begins at the character ``start``."""
    starts = [piece.start for piece in pieces]
    shown: list[str] = []
    for position, sign in _seen(units):
        if sign not in _ENDS:
            shown.append(_WRITTEN.get(sign, sign))
            continue
        piece = pieces[max(0, bisect_right(starts, start + position) - 1)]
        look = looks.at(piece.place + piece.width * (start + position - piece.start))
        cell = sign == "\x07"
        yield Paragraph(_text(shown), look.level, cell or look.inside, cell, cell and look.row)
        shown.clear()
    if shown:
        yield Paragraph(_text(shown))


def _seen(units: bytes) -> Iterator[tuple[int, str]]:
    """The characters that a reader sees and the marks that end something, with their positions; no codes of fields."""
    codes: list[bool] = []  # of the fields around: whether their code is being read
    for position, (number,) in enumerate(struct.iter_unpack("<H", units[: len(units) // 2 * 2])):
        sign = chr(number)
        if sign == _FIELD_BEGINS:
            codes.append(True)
        elif sign == _FIELD_SHOWS and codes:
            codes[-1] = False
        elif sign == _FIELD_ENDS and codes:
            codes.pop()
        elif sign in _ENDS:
            yield position, sign
        elif not any(codes) and (sign >= " " or sign in _WRITTEN or sign == "\t"):
            yield position, sign


def _text(shown: list[str]) -> str:
    """The characters as text, two halves of one put together."""
    return "".join(shown).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass").strip()


@dataclass(frozen=True, slots=True)
class _Looks:
    """Paragraph properties by the place in the stream from which they hold."""

    starts: list[int]
    looks: list[_Look]

    def at(self, place: int) -> _Look:
        number = bisect_right(self.starts, place) - 1
        return self.looks[number] if number >= 0 else _Look()


def _looks(main: bytes, table: bytes) -> _Looks:
    place, length = struct.unpack_from("<2I", main, _PAPX)
    count = max(0, (min(length, len(table) - place) - 4) // 8)
    found: dict[int, _Look] = {}
    for number in range(count):
        (page,) = struct.unpack_from("<I", table, place + 4 * (count + 1) + 4 * number)
        at = (page & 0x3FFFFF) * _PAGE
        if at + _PAGE <= len(main):
            found.update(_page(main[at : at + _PAGE]))
    starts = sorted(found)
    return _Looks(starts, [found[start] for start in starts])


def _page(page: bytes) -> Iterator[tuple[int, _Look]]:
    """The properties on one formatted page, each with the place from which they hold."""
    runs = page[-1]
    if runs * 17 + 5 > _PAGE:
        return
    for run in range(runs):
        (start,) = struct.unpack_from("<I", page, 4 * run)
        at = page[4 * (runs + 1) + 13 * run] * 2
        if not at:
            yield start, _Look()
            continue
        words = page[at] or page[at + 1] if at + 1 < _PAGE else 0
        begins = at + 1 if page[at] else at + 2
        yield start, _look(page[begins : begins + 2 * words - (1 if page[at] else 0)])


def _look(properties: bytes) -> _Look:
    """What a style's number and the changes to it say."""
    style = int.from_bytes(properties[:2], "little")
    told = dict(_changes(properties))
    style = told.get(_STYLE, style)
    level = style if style in _HEADINGS else None
    if (outline := told.get(_OUTLINE)) is not None:
        level = outline + 1 if outline < 9 else None
    return _Look(level, bool(told.get(_INSIDE)), bool(told.get(_ROW_END)))


def _changes(properties: bytes) -> Iterator[tuple[int, int]]:
    """What a list of changes sets, each by its code, with the first byte of its value."""
    at = 2
    while at + 3 <= len(properties):
        (code,) = struct.unpack_from("<H", properties, at)
        value = properties[at + 2]
        yield code, value
        if code == _LONG_TABLE:
            at += 3 + int.from_bytes(properties[at + 2 : at + 4], "little")
        else:
            at += 2 + _OPERANDS.get(code >> 13, 1 + value)
