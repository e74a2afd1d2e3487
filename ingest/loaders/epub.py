"""E-books: the chapters in the order of their spine; cover, table of contents and styles stay behind."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ingest.archive import DAMAGED, check_archive, read_xml
from ingest.encoding import decode
from ingest.loaders.html import charset, page_text
from ingest.source import Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_LOCKED = "locked by DRM: only its shop's own reader opens it"
# Where shops keep the right to read; the first is Apple's, the second Adobe's.
_RIGHTS = ("META-INF/sinf.xml", "META-INF/rights.xml")
# Fonts are scrambled by these so that nobody takes them out; the text is not.
_FONT_SCRAMBLERS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_UNREAD_PARTS = frozenset(("cover", "toc", "title-page-image"))


@dataclass(frozen=True, slots=True)
class _Item:
    """A file of the book, by its path in the archive."""

    path: str
    kind: str
    properties: str


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of an e-book, a page without number for each chapter; titled by its own title, else its name."""
    check_archive(source, doctypes=True)
    with source.open() as file, zipfile.ZipFile(file) as archive:
        names = frozenset(archive.namelist())
        _check_rights(archive, names)
        package = _package(archive, names)
        pages, missing = _chapters(archive, names, package, source)
        title = _metadata(read_xml(archive, package), "title")
    warnings = (f"{missing} chapters that the book names are missing or damaged",) if missing else ()
    yield ParsedDocument(title or source.stem, tuple(pages), warnings, marked_up=True)


def _check_rights(archive: zipfile.ZipFile, names: frozenset[str]) -> None:
    if any(name in names for name in _RIGHTS):
        raise IngestError(_LOCKED)
    if _ENCRYPTION in names:
        for method in read_xml(archive, _ENCRYPTION).iter("{*}EncryptionMethod"):
            if method.get("Algorithm", "") not in _FONT_SCRAMBLERS:
                raise IngestError(_LOCKED)


def _package(archive: zipfile.ZipFile, names: frozenset[str]) -> str:
    """The path of the file that lists what the book consists of."""
    if _CONTAINER in names:
        for root in read_xml(archive, _CONTAINER).iter("{*}rootfile"):
            if (path := unquote(root.get("full-path", ""))) in names:
                return path
    raise IngestError("the e-book is damaged: nothing in it says what its chapters are")


def _chapters(archive: zipfile.ZipFile, names: frozenset[str], package: str, source: Source) -> tuple[list[Page], int]:
    """The text of each chapter that has one, and how many are missing or damaged."""
    root = read_xml(archive, package)
    items = _items(root, posixpath.dirname(package))
    unread = {
        _path(posixpath.dirname(package), reference.get("href", ""))
        for reference in root.iter("{*}reference")
        if reference.get("type") in _UNREAD_PARTS
    }
    pages, missing = [], 0
    for reference in root.iter("{*}itemref"):
        item = items.get(reference.get("idref", ""))
        if item is None or item.path not in names:
            missing += 1
            continue
        if item.path in unread or "nav" in item.properties.split() or "html" not in item.kind:
            continue
        try:
            data = archive.read(item.path)
        except DAMAGED:
            missing += 1
            continue
        text = page_text(decode(data, charset(data), source.encoding))[1]
        if text:
            pages.append(Page(None, text))
        source.tick()
    return pages, missing


def _items(root: Any, folder: str) -> dict[str, _Item]:
    return {
        item.get("id", ""): _Item(
            _path(folder, item.get("href", "")), item.get("media-type", ""), item.get("properties", "")
        )
        for item in root.iter("{*}item")
    }


def _path(folder: str, href: str) -> str:
    """Where in the archive a reference points to; it is looked up there and nowhere else."""
    return posixpath.normpath(posixpath.join(folder, unquote(href.split("#")[0])))


def _metadata(root: Any, name: str) -> str:
    """The first of the book's own data of a name."""
    for element in root.iter(f"{{*}}{name}"):
        if text := " ".join((element.text or "").split()):
            return text
    return ""
