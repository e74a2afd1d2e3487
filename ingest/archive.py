"""Zip-based documents are checked before anything opens them: bombs, lies about sizes and XML entities end here."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree

from ingest.source import Source
from rag.errors import IngestError

MOST_MEMBERS = 10_000
MOST_BYTES = 200 << 20
MOST_RATIO = 100
RATIO_FROM = 1 << 20  # small members of blank pages compress beyond any ratio, and harm nobody
DAMAGED = (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, EOFError, ValueError, RuntimeError, KeyError,
           NotImplementedError, zlib.error, struct.error)  # fmt: skip
_DOCTYPES = tuple("<!DOCTYPE".encode(name) for name in ("ascii", "utf-16-le", "utf-16-be"))
_LONGEST_DOCTYPE = max(map(len, _DOCTYPES))
_STEP = 1 << 20
_LOCAL_HEADER = 30
_ENCRYPTED = 0x1


def check_archive(source: Source, *, doctypes: bool = False) -> None:
    """Raises IngestError for a zip with too much inside, or (but ``doctypes``) with a document type in its XML.

    What is inside is measured by unpacking it, whatever the directory says; names are compared, never used as paths, and
    archives within the archive are bytes like any other.
    """
    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_directory(members)
            left = MOST_BYTES
            for member in members:
                left -= _check_member(file, member, left, doctypes)
                source.tick()
    except DAMAGED as error:
        raise IngestError(f"the file is damaged: {error}") from None


def read_xml(archive: zipfile.ZipFile, name: str) -> Any:
    """The root element of a member of a checked archive; raises IngestError where it is missing or no XML."""
    try:
        content = archive.read(name)
    except DAMAGED as error:
        raise IngestError(f"the file is damaged: {error}") from None
    return parse_xml(content, name)


def parse_xml(content: bytes, name: str) -> Any:
    """The root element; nothing outside ``content`` is ever read for it, no entity expanded; raises IngestError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise IngestError(f"the file is damaged: {name} inside is not XML ({error.msg})") from None


def _check_directory(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS:
        raise IngestError(f"the archive has {len(members):,} parts; {MOST_MEMBERS:,} is the most")
    total = sum(member.file_size for member in members)
    if total > MOST_BYTES:
        raise _too_big(f"{total >> 20} MB")
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise IngestError(f"the archive is forged: {member.filename[:80]} overlaps another part")
        end = member.header_offset + _LOCAL_HEADER + len(member.filename) + member.compress_size


def _check_member(file: BinaryIO, member: zipfile.ZipInfo, left: int, doctypes: bool) -> int:
    """How many bytes a part really unpacks to, which are at most ``left``."""
    if member.flag_bits & _ENCRYPTED:
        raise IngestError(f"locked: {member.filename[:80]} inside is encrypted as zip programs do it; unpack it first")
    xml = not doctypes and member.filename.lower().endswith((".xml", ".rels", ".rdf", ".vml"))
    size, tail = 0, b""
    for piece in _unpacked(file, member):
        size += len(piece)
        if size > left:
            raise _too_big(f"more than {MOST_BYTES >> 20} MB")
        if size > member.file_size:
            raise IngestError(f"the archive is forged: {member.filename[:80]} is larger than it says")
        if size >= RATIO_FROM and size > MOST_RATIO * max(member.compress_size, 1):
            raise IngestError(f"a part of the archive unpacks to more than {MOST_RATIO} times its size")
        if xml and any(mark in tail + piece for mark in _DOCTYPES):
            raise IngestError(f"{member.filename} inside declares a document type, which Office files never do")
        tail = piece[-_LONGEST_DOCTYPE:]
    return size


def _unpacked(file: BinaryIO, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of a part, in pieces of at most ``_STEP``, as long as it really goes on."""
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER)
    if header[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"no part where {member.filename[:80]} should be")
    file.seek(sum(struct.unpack_from("<2H", header, 26)), 1)
    left = member.compress_size
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError(f"{member.filename[:80]} is compressed in a way that documents never are")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if member.compress_type == zipfile.ZIP_DEFLATED else None
    while left and (packed := file.read(min(_STEP, left))):
        left -= len(packed)
        if inflater is None:
            yield packed
        while inflater is not None and packed:
            yield inflater.decompress(packed, _STEP)
            packed = inflater.unconsumed_tail


def _too_big(size: str) -> IngestError:
    return IngestError(f"unpacked it would be {size}; {MOST_BYTES >> 20} MB is the most")
