"""The table from a file's content and name to its loader; the content decides, the name comes second.

A loader is a module of this package with ``load(path) -> Iterator[ParsedDocument]`` that raises IngestError. A new
format is one file and one row.
"""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ingest.clean import clean
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

LOADERS = {
    ".txt": "txt",
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
}
SUFFIXES = tuple(LOADERS)
_LATER = frozenset(
    ".doc .odt .rtf .pptx .ppt .odp .xlsx .xls .ods .xml .json .eml .msg .mbox .epub .png .jpg .jpeg .gif .webp .bmp"
    " .tif .tiff .zip .rar .7z .gz .tar .mp3 .mp4 .wav".split()
)
_MAGIC = (
    (b"%PDF-", ".pdf"),
    (b"{\\rtf", ".rtf"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"\xff\xd8\xff", ".jpeg"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"II*\0", ".tiff"),
    (b"MM\0*", ".tiff"),
    (b"Rar!\x1a", ".rar"),
    (b"7z\xbc\xaf", ".7z"),
    (b"\x1f\x8b\x08", ".gz"),
    (b"PK\x03\x04", ".zip"),
    (b"PK\x05\x06", ".zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".doc"),
)
_BY_NAME_ALONE = frozenset(".txt .md .markdown .html .htm .csv .tsv .jsonl .xml .json .eml".split())
_OLE = frozenset({".doc", ".xls", ".ppt", ".msg"})
_ZIP_MEMBERS = (
    ("word/document.xml", ".docx"),
    ("ppt/presentation.xml", ".pptx"),
    ("xl/workbook.xml", ".xlsx"),
)


def load(path: Path) -> Iterator[ParsedDocument]:
    """The documents of a file, their text cleaned; raises IngestError where the file cannot be read."""
    module = importlib.import_module(f"ingest.loaders.{LOADERS[identify(path)]}")
    for document in module.load(path):
        yield _cleaned(document)


def identify(path: Path) -> str:
    """The suffix of the format that the file really has, one of LOADERS; raises IngestError for any other."""
    named = path.suffix.lower()
    with path.open("rb") as file:
        head = file.read(1024)
    found = _by_content(path, head)
    if found is None or found in _BY_NAME_ALONE:
        found = _by_name(named, head)
    if found in LOADERS:
        if named in LOADERS and LOADERS[named] != LOADERS[found]:
            raise IngestError(f"not what its name says: a {found[1:]} file named {named}; rename it to end in {found}")
        return found
    if named in LOADERS and found != named:
        raise IngestError(f"not what its name says: {_article(found)} file named {named}")
    raise IngestError(f"{found[1:]} files are not supported yet")


def _by_content(path: Path, head: bytes) -> str | None:
    """The format that the first bytes give away, else None."""
    named = path.suffix.lower()
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, suffix in _MAGIC:
        if head.startswith(magic) and not (suffix == ".bmp" and b"\0" not in head):
            if suffix == ".doc":
                return _ole_format(path, named)
            return _zip_format(path, named) if suffix == ".zip" else suffix
    if b"%PDF-" in head:  # readers accept some bytes before the header
        return ".pdf"
    return ".html" if start[:15].lower().startswith((b"<!doctype html", b"<html")) else None


def _by_name(named: str, head: bytes) -> str:
    """The format that the name claims, for content without a signature."""
    if named in _BY_NAME_ALONE or named in _LATER:
        return named
    if not head:
        raise IngestError("the file is empty: zero bytes")
    if named == ".pdf":
        raise IngestError("not what its name says: no PDF header; the file is damaged or of another kind")
    if named == ".docx":
        raise IngestError("not what its name says: no Word document; the file is damaged or of another kind")
    what = f"{named[1:]} files" if named else "files without a suffix"
    raise IngestError(f"{what} are not supported yet")


def _ole_format(path: Path, named: str) -> str:
    """Legacy Office files and encrypted new ones share one container; the stream's name tells the latter."""
    with path.open("rb") as file:
        content = file.read(4 << 20)
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise IngestError("locked: needs a password")
    return named if named in _OLE else ".doc"


def _zip_format(path: Path, named: str) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            kind = archive.read("mimetype")[:100].decode("ascii", "replace") if "mimetype" in names else ""
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise IngestError(f"the file is damaged: {error}") from None
    for member, suffix in _ZIP_MEMBERS:
        if member in names:
            return suffix
    if "opendocument.text" in kind:
        return ".odt"
    return ".epub" if "epub" in kind else (named if named in _LATER else ".zip")


def _article(suffix: str) -> str:
    name = suffix.lstrip(".")
    return f"{'an' if name[:1] in 'aeioux' else 'a'} {name}"


def _cleaned(document: ParsedDocument) -> ParsedDocument:
    pages: list[Page] = []
    removed = 0
    for page in document.pages:
        text, count = clean(page.text)
        removed += count
        pages.append(replace(page, text=text))
    title = " ".join(clean(document.title)[0].split())
    warnings = document.warnings
    if removed:
        warnings += (f"{removed} invisible or control characters removed",)
    return replace(document, title=title, pages=tuple(pages), warnings=warnings)
