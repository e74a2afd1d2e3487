"""A file on its way to a loader: its name, its bytes, and what the user said of it."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from rag.errors import IngestError

LOCKED = "locked: needs a password; type --password FILE=PASSWORD"
WRONG_PASSWORD = "locked: the password given does not open it; type --password FILE=PASSWORD"


def _nothing() -> None:
    """Nobody waits for a sign of life."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a loader reads: ``name`` is shown, never opened; the bytes are those at ``path``, else ``content``.

    ``encoding`` is the way out for text whose encoding cannot be told, ``passwords`` are tried on what is locked. A loader
    calls ``tick`` after each page or part, which renews its time. ``depth`` counts how many files this one lies inside.
    """

    name: str
    path: Path | None = None
    content: bytes = field(default=b"", repr=False)
    encoding: str = ""
    passwords: tuple[str, ...] = field(default=(), repr=False)
    tick: Callable[[], None] = field(default=_nothing, repr=False)
    depth: int = 0

    @classmethod
    def of(cls, path: Path) -> Source:
        """A file on the disk, nothing else known of it."""
        return cls(path.name, path)

    @property
    def stem(self) -> str:
        """The name without its suffix, a title where the content has none."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """The suffix of the name in lower case, with its dot, or ""."""
        return PurePosixPath(self.name).suffix.lower()

    def open(self) -> BinaryIO:
        """The bytes as a seekable stream; raises IngestError where the file is gone or no longer a regular one."""
        if self.path is None:
            return io.BytesIO(self.content)
        try:
            return open_regular(self.path)
        except OSError as error:
            raise IngestError(f"it cannot be read ({error.strerror})") from None

    def read(self) -> bytes:
        """All the bytes."""
        with self.open() as file:
            return file.read()

    def inside(self, name: str, content: bytes) -> Source:
        """A file that lies inside this one, an attachment say, read with the same means."""
        return replace(self, name=name, path=None, content=content, depth=self.depth + 1)


def open_regular(path: Path) -> io.BufferedReader:
    """A regular file, opened for reading; raises OSError for a link, a FIFO, a device and all else, and never waits."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        file = open(os.open(path, flags), "rb")
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EMLINK):  # what O_NOFOLLOW answers to a link, here and on BSD
            raise
        raise _irregular(path) from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _irregular(path)
    return file


def _irregular(path: Path) -> OSError:
    return OSError(errno.EINVAL, "it is a link or a device, no regular file", str(path))
