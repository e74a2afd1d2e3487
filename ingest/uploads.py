"""Files dropped on the page: kept in a folder of their own, under names that can do no harm."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import unicodedata
from pathlib import Path

from ingest.discovery import Root
from rag.errors import IngestError
from rag.settings import Settings
from rag.store import UPLOADS, uploads_folder

_FORBIDDEN = re.compile(r'[<>:"|?*#]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_MOST_BYTES = 200


def uploads_root(settings: Settings) -> Root:
    """The root that holds the uploads of a knowledge base."""
    return Root(UPLOADS, uploads_folder(settings.home, settings.kb))


def add_upload(settings: Settings, name: str, data: bytes | Path) -> Path:
    """Keep an uploaded file, bytes or a file to copy, and return its place; an older one of the name is replaced.

    Raises IngestError where it is larger than ``ingest.max_file_mb`` or cannot be written.
    """
    size = len(data) if isinstance(data, bytes) else data.stat().st_size
    if size > settings.ingest.max_file_mb << 20:
        raise IngestError(f"{clean_name(name)} has {size >> 20} MB; {settings.ingest.max_file_mb} MB is the most.")
    target = uploads_root(settings).path / clean_name(name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as file:
            try:
                _write(data, file.file)
                os.replace(file.name, target)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise IngestError(f"{target} cannot be written ({error.strerror}). Check its folder and the space.") from None
    return target


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


def _write(data: bytes | Path, file: object) -> None:
    assert hasattr(file, "write") and hasattr(file, "flush") and hasattr(file, "fileno")
    if isinstance(data, bytes):
        file.write(data)
    else:
        with data.open("rb") as source:
            shutil.copyfileobj(source, file)
    file.flush()
    os.fsync(file.fileno())
