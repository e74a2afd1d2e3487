"""``.footnoteignore``: which files of a folder stay out, in the way of .gitignore."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.source import open_regular
from rag.errors import IngestError

if TYPE_CHECKING:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

NAME = ".footnoteignore"
IGNORED = f"ignored by {NAME}"
_MOST_BYTES = 1 << 20
_EVERY_FOLDER = re.compile(r"^(!?)(?:/?(?:\*\*/)+(?:\*{1,2}/)?|\*/)\s*$")


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that hold in a folder: those of its own file first, then those of each folder around it."""

    files: tuple[tuple[Path, tuple[GitIgnoreSpecPattern, ...]], ...] = ()

    def inside(self, folder: Path) -> Rules:
        """The rules in a folder below; raises IngestError for a file of patterns that cannot be read."""
        patterns = _patterns(folder / NAME)
        return Rules(((folder, patterns), *self.files)) if patterns else self

    def ignore(self, path: Path, *, is_folder: bool = False) -> bool:
        """Whether a file or folder stays out: the last pattern that matches decides, the nearest file's first."""
        for folder, patterns in self.files:
            below = path.relative_to(folder).as_posix() + "/" * is_folder
            for pattern in reversed(patterns):
                if _matches(pattern, below):
                    return bool(pattern.include)
        return False


@dataclass(slots=True)
class Reasons:
    """Why files of a root are no longer found; each folder's rules are read once."""

    _rules: dict[Path, Rules | None] = field(default_factory=dict)

    def of(self, root: Path, relative: str) -> str:
        """What the verdict on a file says that was there before."""
        path = root / relative
        try:
            there = stat.S_ISREG(path.lstat().st_mode)
        except (OSError, ValueError):
            there = False
        return IGNORED if there and self._is_ignored(root, path) else "no longer in its folder"

    def _is_ignored(self, root: Path, path: Path) -> bool:
        rules = self._within(root, path.parent)
        return rules is None or rules.ignore(path)

    def _within(self, root: Path, folder: Path) -> Rules | None:
        """The rules in a folder; None where it is itself ignored."""
        if folder not in self._rules:
            around = Rules() if folder == root else self._within(root, folder.parent)
            out = around is None or (folder != root and around.ignore(folder, is_folder=True))
            self._rules[folder] = None if out or around is None else around.inside(folder)
        return self._rules[folder]


def _matches(pattern: GitIgnoreSpecPattern, path: str) -> bool:
    """Whether a pattern names this entry itself: the folders around it have been judged before it is asked about."""
    found = pattern.match_file(path)
    if found is None:
        return False
    at_end: bool = found.match.end() == len(path)
    if found.match.groupdict().get("ps_d"):  # pathspec's mark of the slash behind a folder that the pattern names
        return at_end
    return not (at_end and found.match[0].endswith("/"))  # ``folder/**`` names all that is inside, not the folder


def _patterns(path: Path) -> tuple[GitIgnoreSpecPattern, ...]:
    """The patterns of a file, none where there is none."""
    try:
        with open_regular(path) as file:
            data = file.read(_MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise IngestError(f"{path} cannot be read ({error.strerror}). Nothing was changed.") from None
    except UnicodeDecodeError:
        raise IngestError(f"{path} is not UTF-8 text. Save it as UTF-8; nothing was changed.") from None
    if len(data) > _MOST_BYTES:
        raise IngestError(f"{path} is larger than {_MOST_BYTES >> 20} MB. Shorten it; nothing was changed.")
    return tuple(_pattern(line, number, path) for number, line in enumerate(text.splitlines(), start=1) if _says(line))


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _pattern(line: str, number: int, path: Path) -> GitIgnoreSpecPattern:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    # pathspec looks for any slash at all where a pattern means every folder.
    line = _EVERY_FOLDER.sub(r"\1?*/", line)
    try:
        pattern = GitIgnoreSpecPattern(line)
    except (ValueError, re.error):
        pattern = None
    if pattern is None or pattern.include is None:
        raise IngestError(
            f"{path}, line {number}: {line!r} is no pattern that can match. Mend it; nothing was changed."
        )
    return pattern
