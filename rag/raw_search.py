"""Looks for byte strings in files; run as a process of its own: ``python -m rag.raw_search`` with the question on stdin.

A process that has an SQLite database open must never open its files itself: closing them would drop the locks that keep
its writers apart (https://www.sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import json
import mmap
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path


def find_raw(folders: Sequence[Path], wanted: Sequence[bytes]) -> tuple[int, int, dict[Path, set[int]]]:
    """How many files there are below the folders, how many bytes, and which of the strings are in which file."""
    asked = {"folders": [str(folder) for folder in folders], "wanted": [string.hex() for string in wanted]}
    command = [sys.executable, "-m", "rag.raw_search"]
    told = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, encoding="utf-8", check=True,
                          cwd=Path(__file__).parents[1])  # fmt: skip
    said = json.loads(told.stdout)
    return said["files"], said["bytes"], {Path(path): set(found) for path, found in said["found"].items()}


def _search(folders: Collection[str], wanted: Sequence[bytes]) -> dict[str, object]:
    files = size = 0
    found: dict[str, list[int]] = {}
    for path in sorted(path for folder in folders for path in Path(folder).rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        files += 1
        size += path.stat().st_size
        if hits := _hits(path, wanted):
            found[str(path)] = hits
    return {"files": files, "bytes": size, "found": found}


def _hits(path: Path, wanted: Sequence[bytes]) -> list[int]:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return [number for number, string in enumerate(wanted) if content.find(string) >= 0]
    except (OSError, ValueError):  # gone meanwhile, or empty
        return []


if __name__ == "__main__":
    question = json.loads(sys.stdin.buffer.read().decode("utf-8"))
    answer = _search(question["folders"], [bytes.fromhex(string) for string in question["wanted"]])
    sys.stdout.write(json.dumps(answer))
