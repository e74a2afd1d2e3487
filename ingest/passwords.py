"""Passwords for locked files: for some files or for all, kept for one run and never shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from rag.errors import IngestError


@dataclass(frozen=True, slots=True)
class Passwords:
    """``entries`` are pairs of a file's name or a glob, and a password."""

    entries: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def of(self, root: str, relative: str) -> tuple[str, ...]:
        """The passwords to try on a file, in the order given."""
        names = (relative, f"{Path(root).name}/{relative}")
        found = (p for pattern, p in self.entries for name in names if name == pattern or fnmatchcase(name, pattern))
        return tuple(dict.fromkeys(found))


def parse(texts: Sequence[str], lists: Sequence[Path] = ()) -> Passwords:
    """Passwords from ``FILE=PASSWORD`` texts and from lists, text files of such lines or of bare passwords.

    A line with ``=`` may be a password itself: it is tried as a whole, too. Raises IngestError, which repeats no password.
    """
    entries: list[tuple[str, str]] = []
    for text in texts:
        pattern, _, password = text.partition("=")
        entries.append((pattern, password))
    for path in lists:
        for line in _lines(path):
            pattern, _, password = line.partition("=")
            entries += [(pattern, password)] if pattern and password else []
            entries.append(("*", line))
    return Passwords(tuple(entries))


def is_exposed(path: Path) -> bool:
    """Whether other users of the machine may read a file."""
    try:
        return bool(path.stat().st_mode & 0o044)
    except OSError:
        return False


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise IngestError(f"{path} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise IngestError(f"{path} is not in UTF-8. Save it as UTF-8, a password a line.") from None
    return [line for line in text.splitlines() if line]
