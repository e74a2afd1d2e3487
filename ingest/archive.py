"""Zip-based documents are checked before anything opens them: bombs and external entities end here."""

from __future__ import annotations

import zipfile
import zlib

from ingest.source import Source
from rag.errors import IngestError

MOST_MEMBERS = 10_000
MOST_BYTES = 200 << 20
MOST_RATIO = 100
RATIO_FROM = 1 << 20  # small members of blank pages compress beyond any ratio, and harm nobody
_DAMAGED = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)
_DOCTYPES = tuple("<!DOCTYPE".encode(name) for name in ("ascii", "utf-16-le", "utf-16-be"))


def check_archive(source: Source) -> None:
    """Raises IngestError for a zip with too much inside, or with a document type in its XML."""
    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            _check_sizes(archive.infolist())
            for member in archive.infolist():
                if member.filename.lower().endswith((".xml", ".rels")):
                    _check_xml(archive.read(member), member.filename)
    except _DAMAGED as error:
        raise IngestError(f"the file is damaged: {error}") from None


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS:
        raise IngestError(f"the archive has {len(members):,} parts; {MOST_MEMBERS:,} is the most")
    total = sum(member.file_size for member in members)
    if total > MOST_BYTES:
        raise IngestError(f"unpacked it would be {total >> 20} MB; {MOST_BYTES >> 20} MB is the most")
    for member in members:
        if member.file_size >= RATIO_FROM and member.file_size > MOST_RATIO * max(member.compress_size, 1):
            raise IngestError(f"a part of the archive unpacks to more than {MOST_RATIO} times its size")


def _check_xml(content: bytes, name: str) -> None:
    if any(mark in content for mark in _DOCTYPES):
        raise IngestError(f"{name} inside declares a document type, which Office files never do")
