"""E-books: the chapters in their order, and an honest word where shops have locked them."""

from __future__ import annotations

import io
import zipfile

import pytest

from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError
from rag.types import ParsedDocument

_CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
_PAGE = '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'


def book(
    chapters: dict[str, str],
    spine: list[str],
    *,
    title: str = "书名",
    properties: str = "",
    more: dict[str, str] | None = None,
) -> bytes:
    """The bytes of an e-book of these chapters (path → body), read in the order of ``spine``."""
    items = "".join(
        f'<item id="i{n}" href="{path.replace(" ", "%20")}" media-type="application/xhtml+xml"'
        f"{' ' + properties if path.startswith('nav') else ''}/>"
        for n, path in enumerate(chapters)
    )
    places = {path: n for n, path in enumerate(chapters)}
    refs = "".join(f'<itemref idref="i{places.get(path, 99)}"/>' for path in spine)
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{title}</dc:title></metadata><manifest>{items}</manifest><spine>{refs}</spine>"
        '<guide><reference type="cover" href="cover.xhtml"/></guide></package>'
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", _CONTAINER)
        archive.writestr("OPS/book.opf", package)
        for path, body in chapters.items():
            archive.writestr(f"OPS/{path}", _PAGE.format(body))
        for path, content in (more or {}).items():
            archive.writestr(path, content)
    return target.getvalue()


def parsed(content: bytes) -> ParsedDocument:
    (document,) = load(Source("a.epub", content=content))
    return document


def test_chapters_come_in_the_order_of_the_spine() -> None:
    """What the spine lists, in its order, is the book; a page for each chapter, without numbers that no copy has."""
    chapters = {
        "two.xhtml": "<h1>第二章</h1><p>后来。</p>",
        "one 1.xhtml": "<h1>第一章</h1><p>从前。</p>",
        "unlisted.xhtml": "<p>no part of it</p>",
    }
    document = parsed(book(chapters, ["one 1.xhtml", "two.xhtml"]))
    assert document.title == "书名" and document.marked_up
    assert [(page.number, page.text) for page in document.pages] == [
        (None, "# 第一章\n\n从前。"),
        (None, "# 第二章\n\n后来。"),
    ]


def test_cover_and_contents_stay_behind() -> None:
    """The cover and the table of contents are no chapters, and neither is a page that is a picture alone."""
    chapters = {
        "cover.xhtml": "<p>Cover</p>",
        "nav.xhtml": "<ol><li>One</li></ol>",
        "plate.xhtml": '<img src="a.png" alt=""/>',
        "one.xhtml": "<p>Text.</p>",
    }
    assert parsed(book(chapters, list(chapters), properties='properties="nav"')).text == "Text."


def test_a_missing_chapter_is_told() -> None:
    """A chapter that the book names and does not hold is a warning; the others are read."""
    document = parsed(book({"one.xhtml": "<p>Text.</p>"}, ["gone.xhtml", "one.xhtml"]))
    assert document.text == "Text." and document.warnings == ("1 chapters that the book names are missing or damaged",)


def _encryption(algorithm: str) -> str:
    return (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:enc="http://www.w3.org/2001/04/xmlenc#">'
        f'<enc:EncryptedData><enc:EncryptionMethod Algorithm="{algorithm}"/></enc:EncryptedData></encryption>'
    )


@pytest.mark.parametrize(
    "more",
    [
        {"META-INF/encryption.xml": _encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc")},
        {"META-INF/rights.xml": "<rights/>"},
        {"META-INF/sinf.xml": "<sinf/>"},
    ],
)
def test_a_locked_book_says_so(more: dict[str, str]) -> None:
    """A book that its shop has encrypted is no damaged file."""
    with pytest.raises(IngestError, match="locked by DRM"):
        parsed(book({"one.xhtml": "<p>Text.</p>"}, ["one.xhtml"], more=more))


def test_scrambled_fonts_lock_nothing() -> None:
    """Many free books scramble their fonts alone, and can be read."""
    more = {"META-INF/encryption.xml": _encryption("http://www.idpf.org/2008/embedding")}
    assert parsed(book({"one.xhtml": "<p>Text.</p>"}, ["one.xhtml"], more=more)).text == "Text."


@pytest.mark.parametrize("more", [{}, {"META-INF/container.xml": "<container/>"}, {"META-INF/container.xml": "no xml"}])
def test_a_book_without_a_list_of_chapters_is_damaged(more: dict[str, str]) -> None:
    """An archive that only claims to be a book ends in a sentence."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        for path, content in more.items():
            archive.writestr(path, content)
    with pytest.raises(IngestError, match="damaged"):
        parsed(target.getvalue())


def test_a_book_cannot_reach_out_of_itself() -> None:
    """A chapter's path that climbs out of the archive names nothing."""
    document = parsed(
        book({"../../etc/passwd": "<p>x</p>", "one.xhtml": "<p>Text.</p>"}, ["../../etc/passwd", "one.xhtml"])
    )
    assert document.text == "Text."
