"""What a file is: its content decides, its name comes second; and the loader of each format."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib

from ingest.source import Source
from rag.errors import IngestError

# Suffix → module of ingest/loaders.
LOADERS = {
    ".txt": "txt",
    ".text": "txt",
    ".log": "txt",
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".docm": "docx",
    ".dotx": "docx",
    ".dotm": "docx",
    ".doc": "doc",
    ".dot": "doc",
    ".odt": "odt",
    ".ott": "odt",
    ".odp": "odt",
    ".rtf": "rtf",
    ".pptx": "pptx",
    ".pptm": "pptx",
    ".ppsx": "pptx",
    ".potx": "pptx",
    ".xlsx": "spreadsheet",
    ".xlsm": "spreadsheet",
    ".xltx": "spreadsheet",
    ".xls": "spreadsheet",
    ".xlsb": "spreadsheet",
    ".ods": "spreadsheet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".tif": "image",
    ".tiff": "image",
    ".webp": "image",
    ".bmp": "image",
    ".gif": "image",
    ".ndjson": "jsonl",
    ".xml": "xml",
    ".rss": "xml",
    ".atom": "xml",
    ".rst": "rst",
    ".epub": "epub",
    ".eml": "eml",
    ".mht": "eml",
    ".mhtml": "eml",
    ".ipynb": "ipynb",
}
SUFFIXES = tuple(LOADERS)
# Formats without a signature: what the name says is what they are.
_BY_NAME_ALONE = frozenset(
    ".txt .text .log .md .markdown .html .htm .xhtml .csv .tsv .jsonl .ndjson .json .xml .rss .atom .rst .eml .mht .mhtml .ipynb"
    .split()
)  # fmt: skip
_MAGIC = (
    (b"%PDF-", ".pdf"),
    (b"{\\rtf", ".rtf"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"\xff\xd8\xff", ".jpeg"),
    (b"GIF8", ".gif"),
    (b"II*\0", ".tiff"),
    (b"MM\0*", ".tiff"),
    (b"Rar!\x1a", ".rar"),
    (b"7z\xbc\xaf", ".7z"),
    (b"\x1f\x8b\x08", ".gz"),
    (b"PK\x03\x04", ".zip"),
    (b"PK\x05\x06", ".zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".ole"),
)
_ZIP_MEMBERS = (
    ("word/document.xml", ".docx"),
    ("word/document2.xml", ".docx"),
    ("ppt/presentation.xml", ".pptx"),
    ("xl/workbook.xml", ".xlsx"),
    ("xl/workbook.bin", ".xlsb"),
)
_ZIP_KINDS = (
    ("opendocument.text", ".odt"),
    ("opendocument.spreadsheet", ".ods"),
    ("opendocument.presentation", ".odp"),
    ("epub", ".epub"),
)
# The streams that tell one legacy Office file from another; ``EncryptedPackage`` is a new one behind a password.
_OLE_STREAMS = (
    ("EncryptedPackage", ".encrypted"),
    ("WordDocument", ".doc"),
    ("Workbook", ".xls"),
    ("Book", ".xls"),
    ("PowerPoint Document", ".ppt"),
    ("__properties_version1.0", ".msg"),
)
_SUFFIX = re.compile(r"\.[a-z][a-z0-9]{0,9}|\.7z")
_MARKUP = re.compile(
    rb"(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(!doctype\s+html|html|rss|feed|rdf:rdf)\b", re.I | re.S
)


def identify(source: Source) -> str:
    """The suffix of the format that a file really has, not always one of LOADERS; raises IngestError for a damaged one."""
    with source.open() as file:
        head = file.read(4096)
    return _by_content(source, head) or _by_name(source, head)


def misnamed(source: Source, found: str) -> bool:
    """Whether a file's name claims a format that is read in another way than the one found."""
    claimed = LOADERS.get(source.suffix)
    return claimed is not None and claimed != LOADERS.get(found)


def _by_content(source: Source, head: bytes) -> str | None:
    """The format that the first bytes give away, else None."""
    for magic, suffix in _MAGIC:
        if head.startswith(magic):
            return _zip_format(source) if suffix == ".zip" else _ole_format(source) if suffix == ".ole" else suffix
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ".webp"
    if head[:2] == b"BM" and b"\0" in head[:32]:
        return ".bmp"
    if b"%PDF-" in head[:1024]:  # readers accept some bytes before the header
        return ".pdf"
    if markup := _MARKUP.match(head.lstrip(b"\xef\xbb\xbf \t\r\n")):
        return ".html" if b"html" in markup[1].lower() else ".xml"
    return None


def _by_name(source: Source, head: bytes) -> str:
    """The format that the name claims, for content without a signature."""
    named = source.suffix
    if not _SUFFIX.fullmatch(named):  # README, "2. Minutes", app.log.1
        return ".txt"
    if named in _BY_NAME_ALONE or named not in LOADERS:
        return named
    if not head:
        raise IngestError("the file is empty: zero bytes")
    raise IngestError(f"not what its name says: no {named[1:].upper()}; the file is damaged or of another kind")


def _ole_format(source: Source) -> str:
    """Legacy Office files and encrypted new ones share one container; its streams' names tell which it is."""
    streams = _ole_streams(source)
    if streams is None:  # its own loader says best what is wrong with it
        return source.suffix if source.suffix in (".doc", ".dot", ".xls") else ".doc"
    for stream, suffix in _OLE_STREAMS:
        if stream in streams:
            return suffix
    raise IngestError("the file is damaged: an Office container without a document in it")


def _ole_streams(source: Source) -> set[str] | None:
    """The names at the top of a container; None where it is damaged."""
    import olefile

    try:
        with source.open() as file, olefile.OleFileIO(file) as container:
            return {path[0] for path in container.listdir(streams=True, storages=True)}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error, OverflowError, RecursionError):
        return None


def _zip_format(source: Source) -> str:
    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            kind = archive.open("mimetype").read(100).decode("ascii", "replace") if "mimetype" in names else ""
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise IngestError(f"the file is damaged: {error}") from None
    for member, suffix in _ZIP_MEMBERS:
        if member in names:
            return suffix
    for word, suffix in _ZIP_KINDS:
        if word in kind:
            return suffix
    return ".zip"
