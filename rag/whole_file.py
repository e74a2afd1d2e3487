"""Files that are written whole or not at all, whatever ends the program or the power in between."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_PREFIX = ".part-"
_LEFT_BEHIND = 3600.0  # seconds after which no writer is at it any more


@contextmanager
def whole_file(path: Path, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """A file that takes its place once the block has ended, synced to the disk; nothing where the block fails.

    Makes its folder. What is no file (a pipe, a terminal) is simply written to. Raises OSError.
    """
    path = Path(os.path.realpath(path))  # the file behind a link, not the link
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as stream:
            yield stream
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=_PREFIX)
    try:
        with open(descriptor, "wb") as file:
            if os.name != "nt":
                os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    sync_folder(path.parent)


def write_whole(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Write a file whole or not at all; text as UTF-8. Raises OSError."""
    with whole_file(path, mode) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last; where the system cannot (Windows), it does so by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what killed writers have left below a folder; what is younger than an hour may still be written."""
    for part in folder.rglob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _LEFT_BEHIND:
                part.unlink()
