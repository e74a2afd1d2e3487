from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path
from random import Random

import pytest

from ingest.archive import MOST_MEMBERS, check_archive, parse_xml
from ingest.source import Source
from rag.errors import IngestError

DEFLATED = zipfile.ZIP_DEFLATED
BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><x>&b;</x>'


def packed(**members: bytes | str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return file.getvalue()


def check(content: bytes) -> None:
    check_archive(Source("a.docx", content=content))


def with_size(content: bytes, size: int) -> bytes:
    """The archive with its only member's size told as ``size`` in both places."""
    changed = bytearray(content)
    struct.pack_into("<I", changed, 22, size)
    struct.pack_into("<I", changed, content.index(b"PK\x01\x02") + 24, size)
    return bytes(changed)


def test_a_lie_about_a_size_is_found_without_unpacking_it_all() -> None:
    """What a part unpacks to is measured, and measuring stops where the lie is plain."""
    honest = packed(word__document_xml=b" " * (100 << 20))
    tracemalloc.start()
    with pytest.raises(IngestError, match="larger than it says"):
        check(with_size(honest, 100))
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


def test_parts_that_overlap_are_refused() -> None:
    """One compressed block that many names point to is a bomb, whatever the sum of the sizes."""
    content = bytearray(packed(a_xml="x" * 50_000, b_xml="y" * 50_000))
    entry = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4)
    struct.pack_into("<I", content, entry + 42, 0)
    with pytest.raises(IngestError, match="overlaps another part"):
        check(bytes(content))


def test_too_many_parts_are_refused() -> None:
    """Ten thousand parts are enough for any document."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(MOST_MEMBERS + 1):
            archive.writestr(str(number), b"")
    with pytest.raises(IngestError, match="10,001 parts; 10,000 is the most"):
        check(file.getvalue())


def test_the_long_form_of_the_format_is_read_alike() -> None:
    """Sizes told the 64-bit way are as good, and bombs among them are bombs."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", DEFLATED) as archive, archive.open("a.xml", "w", force_zip64=True) as member:
        member.write(b"<a/>")
    check(file.getvalue())
    with zipfile.ZipFile(file, "w", DEFLATED) as archive, archive.open("b.xml", "w", force_zip64=True) as member:
        member.write(b" " * (3 << 20))
    with pytest.raises(IngestError, match="100 times its size"):
        check(file.getvalue())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_a_document_type_is_refused_in_any_encoding_and_place(encoding: str) -> None:
    """Entities are found behind megabytes of comments too, in all encodings that a parser reads."""
    padded = BOMB.replace("<!DOCTYPE", f"<!--é{Random(1).randbytes(700_000).hex()}--><!DOCTYPE")
    for text in (BOMB, padded):
        with pytest.raises(IngestError, match="document type"):
            check(packed(xl__workbook_xml=text.encode(encoding)))


def test_entities_are_never_expanded_nor_files_read(tmp_path: Path) -> None:
    """Should a document type come through after all, the parser leaves its entities alone."""
    (tmp_path / "secret").write_text("secret")
    external = f'<!DOCTYPE x [<!ENTITY a SYSTEM "file://{tmp_path}/secret">]><x>&a;</x>'
    for text in (BOMB, external):
        assert "".join(parse_xml(text.encode(), "a.xml").itertext()).replace("&a;", "").replace("&b;", "") == ""


def test_blank_pages_and_archives_within_are_no_bombs() -> None:
    """A book of blank pages passes though it compresses a thousandfold, as does a workbook inside a slide."""
    blank = b"<html xmlns='http://www.w3.org/1999/xhtml'><body>" + b"\n" * 900_000 + b"</body></html>"
    book = {f"OEBPS__p{n}.xhtml": blank for n in range(20)}
    check(packed(mimetype="application/epub+zip", **book))
    check(packed(ppt__embeddings__a=packed(xl__workbook_xml="<a/>"), content_xml="<p>&lt;!DOCTYPE</p>"))


def test_an_archive_locked_by_a_zip_program_says_so() -> None:
    """Such a lock is no Office password; the message says what to do."""
    content = bytearray(packed(word__document_xml="x"))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(IngestError, match=r"locked: .* unpack it first"):
        check(bytes(content))


@pytest.mark.parametrize("cut", [10, 60, 200])
def test_a_cut_archive_is_damaged(cut: int) -> None:
    """Half an archive, or noise in the middle of one, is an error with a sentence."""
    content = packed(word__document_xml=bytes(range(256)) * 40, b_xml="more")
    noisy = content[:60] + bytes(b ^ 255 for b in content[60 : 60 + cut]) + content[60 + cut :]
    for broken in (content[:-cut], noisy):
        with pytest.raises(IngestError, match=r"damaged|forged"):
            check(broken)


def test_no_real_document_is_refused(shared: Path) -> None:
    """Every good archive among the real files passes."""
    archives = [path for path in (shared / "docs").iterdir() if zipfile.is_zipfile(path)]
    for path in archives:
        check_archive(Source.of(path))
    assert len(archives) >= 7
