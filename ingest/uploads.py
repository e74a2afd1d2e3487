"""Files dropped on the page: kept in a folder of their own, under names that can do no harm."""

from __future__ import annotations

import io
import os
import re
import shutil
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from ingest.archive import check_archive
from ingest.discovery import Root, wanted
from ingest.source import Source
from rag.errors import IngestError
from rag.settings import Settings
from rag.store import UPLOADS, uploads_folder
from rag.whole_file import whole_file

_FORBIDDEN = re.compile(r'[<>:"|?*#]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_MOST_BYTES = 200
_UTF8_NAME = 0x800


def uploads_root(settings: Settings) -> Root:
    """The root that holds the uploads of a knowledge base."""
    return Root(UPLOADS, uploads_folder(settings.home, settings.kb))


def add_upload(settings: Settings, name: str, data: bytes | Path, within: Sequence[str] = ()) -> Path:
    """Keep an uploaded file, bytes or a file to copy, and return its place; an older one of the name is replaced.

    ``within`` are the folders below the uploads that it lies in.

    Raises IngestError where it is larger than ``ingest.max_file_mb`` or cannot be written.
    """
    size = len(data) if isinstance(data, bytes) else data.stat().st_size
    most = settings.ingest.max_file_mb
    if size > most << 20:
        raise IngestError(f"{clean_name(name)} has {size >> 20} MB; {most} MB is the most (ingest.max_file_mb).")
    target = uploads_root(settings).path.joinpath(*map(clean_name, within), clean_name(name))
    try:
        with whole_file(target) as file:
            if isinstance(data, bytes):
                file.write(data)
            else:
                with data.open("rb") as source:
                    shutil.copyfileobj(source, file)
    except OSError as error:
        raise IngestError(f"{target} cannot be written ({error.strerror}). Check its folder and the space.") from None
    return target


def unpacked(name: str, data: bytes) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """The files of an uploaded zip, each with its folders and name, the archive's own name first; litter is left out.

    Raises IngestError, before anything of it is given, for one that is damaged, forged, locked or too large inside.
    """
    check_archive(Source(name, content=data), doctypes=True)
    top = PurePosixPath(name).stem
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            parts = PurePosixPath(_member_name(member).replace("\\", "/")).parts
            if not member.is_dir() and parts and all(wanted(part) and part not in ("..", "/") for part in parts):
                yield (top, *parts), archive.read(member)


def _member_name(member: zipfile.ZipInfo) -> str:
    """A member's name; where the archive does not say in which encoding it is, UTF-8, else the one of Chinese Windows."""
    if member.flag_bits & _UTF8_NAME:
        return member.filename
    raw = member.filename.encode("cp437")
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    return member.filename


def clean_name(name: str) -> str:
    """A file name without folders and without characters that hide, redirect or are forbidden on some system."""
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] != "C")
    safe = _FORBIDDEN.sub("_", " ".join(seen.split())).strip(" ").lstrip(".~$ ").rstrip(". ")
    if _RESERVED.match(safe):
        safe = f"_{safe}"
    stem, suffix = os.path.splitext(safe)
    suffix = suffix[:20]
    room = _MOST_BYTES - len(suffix.encode())
    return f"{stem.encode()[:room].decode('utf-8', 'ignore') or 'document'}{suffix}"
