"""Which files a root holds: regular ones inside it, neither hidden nor links, with their sizes and hashes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.ignore import Rules
from ingest.source import open_regular
from rag.errors import IngestError

Stamp = tuple[int, int, int, int]  # size, time of the last change and of the last change of its entry in ns, inode
_RACY_SECONDS = 2.0  # the coarsest clock of a file system
_CLUTTER = frozenset({"Thumbs.db", "desktop.ini", "__pycache__", "__MACOSX", "node_modules"})


@dataclass(frozen=True, slots=True)
class Root:
    """A place that the knowledge base is kept equal to: ``name`` in the store, ``path`` on the disk."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file under a root; ``stamp`` tells whether it was changed since."""

    root: Root
    relative: str
    path: Path
    size: int
    stamp: Stamp

    @property
    def place(self) -> tuple[str, str]:
        """Where the store keeps it: its root's name and its path below."""
        return self.root.name, self.relative

    @property
    def modified(self) -> float:
        """When it was last changed, in seconds since 1970."""
        return self.stamp[1] / 1e9


def root_of(path: Path) -> Root:
    """The root that a PATH names; raises IngestError where there is none or it cannot be read."""
    shown = str(path)
    if "\0" in shown:
        raise IngestError("A path cannot hold a NUL character: type `python -m ingest FOLDER`.")
    try:
        resolved = path.expanduser().resolve(strict=True)
        mode = resolved.stat().st_mode
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise IngestError(f"{shown}: {reason}. Nothing was changed; check the path and type it again.") from None
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise IngestError(f"{shown} is neither a folder nor a regular file. Nothing was changed.")
    return Root(str(resolved), resolved)


def discover(root: Root, own: Path) -> list[FoundFile]:
    """The files of a root by name, without what lies in ``own`` or what ``.footnoteignore`` files name.

    Raises IngestError where a folder cannot be read, or a ``.footnoteignore``.
    """
    if root.path.is_file():  # a web page is called by its address, not by the file in which it is kept
        return list(_file(root, root.path, root.path.name if root.name == str(root.path) else root.name))
    if not root.path.is_dir():
        raise IngestError(f"{root.path} is not there. Nothing was changed; check the path and type it again.")
    found: list[FoundFile] = []
    rules = {root.path: Rules()}
    for folder, folders, names in os.walk(root.path, onerror=_unreadable):
        here = Path(folder)
        inside = rules.pop(here).inside(here)
        folders[:] = sorted(
            name
            for name in folders
            if wanted(name) and here / name != own and not inside.ignore(here / name, is_folder=True)
        )
        rules |= dict.fromkeys((here / name for name in folders), inside)
        for name in sorted(filter(wanted, names)):
            if not inside.ignore(here / name):
                found += _file(root, here / name, _relative(here / name, root.path))
    return found


def sha256(path: Path) -> str:
    """The SHA-256 of a regular file's bytes, in hexadecimal; raises OSError for anything else."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp(path: Path) -> Stamp | None:
    """A file's stamp now; None where it is gone."""
    try:
        return _stamp(path.lstat())
    except OSError:
        return None


def lasting(stamp: Stamp, looked: float) -> str:
    """A stamp to be kept; empty where the file was changed less than two seconds before it was ``looked`` at.

    A change right after the look could then leave the same stamp (git calls such entries racy).
    """
    return " ".join(map(str, stamp)) if max(stamp[1:3]) / 1e9 < looked - _RACY_SECONDS else ""


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _file(root: Root, path: Path, relative: str) -> Iterator[FoundFile]:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        _unreadable(error)
    if stat.S_ISREG(status.st_mode):
        yield FoundFile(root, relative, path, status.st_size, _stamp(status))


def wanted(name: str) -> bool:
    """Whether a file or folder of this name is one that people write: neither hidden nor a program's litter."""
    return not name.startswith((".", "~$")) and name not in _CLUTTER


def _relative(path: Path, root: Path) -> str:
    """The path below the root with ``/`` between the parts; bytes that are no UTF-8 are written as ``\\xNN``."""
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")


def _unreadable(error: OSError) -> None:
    # A folder that cannot be listed would look like one whose files are all gone.
    raise IngestError(f"{error.filename} cannot be read ({error.strerror}). Nothing was changed.") from None
