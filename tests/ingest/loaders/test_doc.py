from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.loaders import load
from ingest.loaders.doc import text_of
from ingest.source import Source
from ingest.word97 import Paragraph, paragraphs
from rag.errors import IngestError

ROW_END = struct.pack("<HB", 0x2416, 1) + struct.pack("<HB", 0x2417, 1)
INSIDE = struct.pack("<HB", 0x2416, 1)
Text = Sequence[tuple[str, bool]]


def written(
    pieces: Text,
    looks: dict[int, tuple[int, bytes]] | None = None,
    parts: Sequence[int] = (),
    flags: int = 0,
    version: int = 0xC1,
) -> tuple[bytes, bytes]:
    """The two streams of a Word 97 file: pieces as (text, whether a byte a character), looks by paragraph end."""
    main = bytearray(0x600)
    starts, places, position = [0], [], 0
    for text, narrow in pieces:
        raw = text.encode("cp1252") if narrow else text.encode("utf-16-le")
        places.append((len(main) * 2) | 0x40000000 if narrow else len(main))
        main += raw
        position += len(raw) if narrow else len(raw) // 2
        starts.append(position)
    table = struct.pack(f"<{len(starts)}I", *starts) + b"".join(struct.pack("<HIH", 0, place, 0) for place in places)
    clx = b"\x01\x02\x00xx" + b"\x02" + struct.pack("<I", len(table)) + table
    main += bytes(-len(main) % 512)
    page = len(main) // 512
    main += _page(looks or {}, places)
    papx = struct.pack("<3I", 0, len(main), page)
    struct.pack_into("<2H", main, 0, 0xA5EC, version)
    struct.pack_into("<H", main, 0x0A, flags | 0x0200)
    struct.pack_into("<7I", main, 0x4C, *(parts or (position, 0, 0, 0, 0, 0, 0)))
    struct.pack_into("<2I", main, 0x1A2, 0, len(clx))
    struct.pack_into("<2I", main, 0x102, len(clx), len(papx))
    return bytes(main), clx + papx


def _page(looks: dict[int, tuple[int, bytes]], places: Sequence[int]) -> bytes:
    """One page of paragraph properties, by the place of the first byte of the first piece, which is wide."""
    page = bytearray(512)
    at = 512
    ordered = sorted(looks.items())
    for number, (position, (style, changes)) in enumerate(ordered):
        data = struct.pack("<H", style) + changes
        data += bytes(1 - len(data) % 2)
        at = (at - len(data) - 2) // 2 * 2
        page[at] = (len(data) + 1) // 2
        page[at + 1 : at + 1 + len(data)] = data
        struct.pack_into("<I", page, 4 * number, places[0] + 2 * position)
        page[4 * (len(ordered) + 1) + 13 * number] = at // 2
    struct.pack_into("<I", page, 4 * len(ordered), 1 << 30)
    page[511] = len(ordered)
    return bytes(page)


def read(main: bytes, table: bytes) -> list[Paragraph]:
    return list(paragraphs(main, {"1Table": table}.__getitem__))


def test_pieces_of_both_widths_are_one_text() -> None:
    """Latin pieces with typographic marks, Chinese ones and emoji come together in their order."""
    made = read(
        *written(
            [("中文😀，", False), ("it\x92s \x80 5\r".encode("latin-1").decode("cp1252"), True), ("末段\r", False)]
        )
    )
    assert [paragraph.text for paragraph in made] == ["中文😀，it’s € 5", "末段"]


def test_codes_of_fields_are_not_seen() -> None:
    """A link shows its text and no address, also where fields lie within fields."""
    text = "看 \x13 HYPERLINK \x13 REF a \x14x\x15 \x14这里\x15。\r\x13 PAGE \x15p\r"
    assert [paragraph.text for paragraph in read(*written([(text, False)]))] == ["看 这里。", "p"]


def test_headings_and_table_rows_are_known() -> None:
    """A heading style is a heading; cells become rows that keep their column names, empty ones and lines in them too."""
    text = "第一章\r城市\x07人口\x07\x07上海\r市\x07\x07\x07苏州\x071291\x07\x07After.\r"
    ends = [position for position, sign in enumerate(text) if sign in "\r\x07"]
    rows = {ends[3], ends[7], ends[10]}
    looks = {0: (1, b""), ends[0] + 1: (0, INSIDE)}
    for end in rows:
        looks |= {end: (0, ROW_END), end + 1: (0, INSIDE)}
    looks[ends[10] + 1] = (0, b"")
    assert (
        text_of(read(*written([(text, False)], looks))) == "# 第一章\n\n城市: 上海市\n城市: 苏州; 人口: 1291\n\nAfter."
    )


def test_notes_and_text_boxes_follow_and_headers_stay_behind() -> None:
    """Footnotes, comments, endnotes and text boxes come after the text, the headers of the pages not at all."""
    parts = ["Text.\r", "\x02 Note.\r", "Header.\r", "批注\r", "End.\r", "Box.\r"]
    sizes = [len(part) for part in parts]
    made = read(*written([("".join(parts), False)], parts=(*sizes[:3], 0, *sizes[3:])))
    assert [paragraph.text for paragraph in made] == ["Text.", "Note.", "批注", "End.", "Box."]


def test_what_cannot_be_read_says_what_to_do() -> None:
    """A lock that no password opened and a file older than Word 97 are told apart from damage."""
    with pytest.raises(IngestError, match="locked"):
        read(*written([("x\r", False)], flags=0x0100))
    with pytest.raises(IngestError, match=r"older than Word 97.*save it as \.docx"):
        read(*written([("x\r", False)], version=0x65))


@given(st.data())
def test_damage_is_always_a_sentence(data: st.DataObject) -> None:
    """Whatever bytes are changed or cut off, the text is read or an IngestError raised."""
    main, table = written([("一段文字 with \x13 X \x14 y\x15\r", False), ("more\r", True)], {0: (1, INSIDE)})
    streams = [bytearray(main), bytearray(table)]
    for _ in range(data.draw(st.integers(1, 6))):
        stream = data.draw(st.sampled_from(streams))
        place = data.draw(st.sampled_from([0, 2, 0x0A, 0x4C, 0x50, 0x102, 0x1A2, *range(0x600, 0x620)])) % len(stream)
        stream[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(main)))
    try:
        assert isinstance(text_of(read(bytes(streams[0][:cut]), bytes(streams[1]))), str)
    except IngestError as error:
        assert str(error)


def test_a_real_file_is_read(shared: Path) -> None:
    """A file that an office program wrote comes with its heading and its lines."""
    (made,) = load(Source.of(shared / "docs/doc_legacy.doc"))
    assert made.title == "These are a few of my favorite things:"
    assert "• Parrots" in made.text and made.text.endswith("DOYLESTOWN, PA 18901")


@pytest.mark.parametrize("noise", [b"", b"\0" * 5000, bytes(range(256)) * 40])
def test_noise_behind_the_signature_is_a_sentence(noise: bytes) -> None:
    """Rubbish in the container never gets further than an error."""
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise + "WordDocument".encode("utf-16-le")
    with pytest.raises(IngestError, match="damaged"):
        list(load(Source("a.doc", content=content)))
