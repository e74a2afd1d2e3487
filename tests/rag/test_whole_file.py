"""Files that are whole or not there."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rag.whole_file import sweep, whole_file, write_whole


def test_a_failed_writer_changes_nothing(tmp_path: Path) -> None:
    """Where writing breaks off, the earlier file is as it was and nothing lies beside it."""
    path = tmp_path / "a" / "b.txt"
    write_whole(path, "新旧")
    with pytest.raises(ZeroDivisionError), whole_file(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_text(encoding="utf-8") == "新旧" and [p.name for p in path.parent.iterdir()] == ["b.txt"]


def test_it_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """Unless said otherwise nobody else reads it, from the first byte on."""
    with whole_file(tmp_path / "a") as file:
        (part,) = tmp_path.iterdir()
        assert os.name == "nt" or stat.S_IMODE(part.stat().st_mode) == 0o600
        file.write(b"x")
    assert os.name == "nt" or stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="links and pipes are POSIX matters")
def test_links_and_pipes_are_written_to(tmp_path: Path) -> None:
    """A link stays a link to the new content, and a pipe a pipe."""
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_whole(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "x"
    os.mkfifo(tmp_path / "pipe")
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append((tmp_path / "pipe").read_text()))
    reader.start()
    write_whole(tmp_path / "pipe", "y")
    reader.join(30)
    assert heard == ["y"] and stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="Windows makes the names in a folder last by itself")
def test_it_is_synced_before_it_is_named(tmp_path: Path) -> None:
    """The bytes are on the disk before the name is, and the name before the writer goes on."""
    code = (
        "import os, sys; from pathlib import Path; calls = []\n"
        "for name in ('fsync', 'replace'):\n"
        "    def noted(*a, name=name, real=getattr(os, name)): calls.append(name); return real(*a)\n"
        "    setattr(os, name, noted)\n"
        "from rag.whole_file import write_whole; write_whole(Path(sys.argv[1]), 'x'); print(*calls)"
    )
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path / "f")], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["fsync", "replace", "fsync"]


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    """Parts that nobody writes any more go; young ones and other files stay."""
    for name in (".part-old", ".part-young", "other"):
        (tmp_path / name).write_text("x")
    for name in (".part-old", "other"):
        os.utime(tmp_path / name, (1, 1))
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".part-young", "other"]
