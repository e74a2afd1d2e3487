"""Pictures inside Office files: scans pasted into a document are its text where it has hardly any other."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import replace

from ingest import ocr
from ingest.formats import LOADERS
from ingest.source import Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

HOLDERS = frozenset(("docx", "pptx", "odt"))  # loaders of the formats that pictures are pasted into
_FOLDER = re.compile(r"(?:(?:word|ppt)/media|Pictures)/[^/]+")
_HARDLY = 200  # characters a picture: a text with more is illustrated by its pictures, not made of them
_SMALL = 4096  # bytes: a logo or a bullet
_MOST = 200


def with_pictures(source: Source, document: ParsedDocument) -> ParsedDocument:
    """The document with the words of its pictures behind its own, where those are few; a picture a page, by OCR."""
    names = _names(source)
    if not names or len("".join(document.text.split())) >= _HARDLY * len(names):
        return document
    if not ocr.available():
        return replace(document, warnings=(*document.warnings, f"{len(names)} pictures in it: {ocr.MISSING}"))
    pages, said = list(document.pages), list(document.warnings)
    for number, name in enumerate(names[:_MOST], start=1):
        try:
            pages += _read(source, name)
        except IngestError as error:
            said.append(f"picture {number}: {error}")
        source.tick()
    if len(names) > _MOST:
        said.append(f"only the first {_MOST} of its {len(names)} pictures were read")
    return replace(document, pages=tuple(pages), warnings=tuple(said))


def _names(source: Source) -> list[str]:
    """The pictures of an archive in the order that they were put in."""
    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            found = [
                member.filename
                for member in archive.infolist()
                if _FOLDER.fullmatch(member.filename) and _is_picture(member.filename) and member.file_size >= _SMALL
            ]
    except (zipfile.BadZipFile, OSError, ValueError):
        return []
    return sorted(found, key=lambda name: [int(part) if part.isdigit() else 0 for part in re.split(r"(\d+)", name)])


def _is_picture(name: str) -> bool:
    return LOADERS.get(f".{name.rsplit('.', 1)[-1].lower()}") == "image"


def _read(source: Source, name: str) -> list[Page]:
    from ingest.loaders import image

    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            content = archive.read(name)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError) as error:
        raise IngestError(f"damaged: {error}") from None
    inside = source.inside(name.rsplit("/", 1)[-1], content)
    return [page for read in image.load(inside) for page in read.pages if page.text.strip()]
