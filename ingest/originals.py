"""The file on the disk that a document came from, as long as its bytes are those that were taken in."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ingest.discovery import sha256, stamp
from ingest.source import open_regular
from rag.errors import IngestError
from rag.store import UPLOADS, Store, page_folder, uploads_folder
from rag.types import StoredFile

_CHANGED = "was changed after it was taken in; take it in again to see it as it is now"
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Original:
    """A file that holds a document: ``record`` is the document's key in it, empty where the file is the document."""

    path: Path
    file: StoredFile
    record: str = ""

    def read(self) -> bytes:
        """The bytes that were taken in; raises IngestError where the file holds others by now."""
        try:
            with open_regular(self.path) as file:
                content = file.read()
        except OSError as error:
            raise _unreadable(self.file, error) from None
        if hashlib.sha256(content).hexdigest() != self.file.sha256:
            raise IngestError(f"{self.file.relative} {_CHANGED}.")
        return content


def find_original(store: Store, name: str) -> Original:
    """The file that a document came from: an upload, a file of a folder, a kept web page, a mail around an attachment.

    Raises IngestError where it is gone, was changed, or is no regular file any more, StoreError with near matches where
    there is no document of the name.
    """
    file, record = store.file_of(name)
    original = Original(_place(store, file), file, record)
    if not file.sha256:
        raise IngestError(f"{file.relative} is being taken in, or was while it changed; try again after the next run.")
    try:
        changed = not _is_as_it_was(original)
    except OSError as error:
        raise _unreadable(file, error) from None
    if changed:
        raise IngestError(f"{file.relative} {_CHANGED}.")
    return original


def _place(store: Store, file: StoredFile) -> Path:
    """Where a file of the store lies, or would."""
    if file.root == UPLOADS:
        return uploads_folder(store.home, store.kb) / file.relative
    if file.root.startswith(("http://", "https://")):
        folder = page_folder(store.home, store.kb, file.root)
        return next((path for path in folder.glob("*") if not path.name.startswith(".")), folder / "page")
    root = Path(file.root)
    if not root.is_dir():
        return root
    path = root / file.relative
    if not os.path.lexists(path) and "\\x" in file.relative:  # a name that is no UTF-8 is stored with its bytes escaped
        name = _ESCAPED.sub(lambda byte: bytes.fromhex(byte[1].decode()), file.relative.encode())
        return root / os.fsdecode(name)
    return path


def _is_as_it_was(original: Original) -> bool:
    """Whether the bytes are those of the store: read only where the stamp does not already say so. Raises OSError."""
    path, file = original.path, original.file
    if file.stamp and (now := stamp(path)) and " ".join(map(str, now)) == file.stamp:
        return True
    return path.lstat().st_size == file.size and sha256(path) == file.sha256


def _unreadable(file: StoredFile, error: OSError) -> IngestError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return IngestError(f"{file.relative} is no longer where it was; take in its folder again if it was moved.")
    return IngestError(f"{file.relative} cannot be read now ({error.strerror}).")
