from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.sandbox import Sandbox, _environment, read_ahead
from rag.errors import IngestError

linux_only = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory limits are set on Linux")


def test_files_are_read_in_order_and_failures_do_not_stop_it(tmp_path: Path) -> None:
    """Each file's documents come before its end, and a bad file between two good ones is only its own failure."""
    for name, content in (("a.txt", b"one"), ("b.txt", bytes(range(256)) * 9), ("c.txt", "三".encode())):
        (tmp_path / name).write_bytes(content)
    said = list(read_ahead(sorted(tmp_path.iterdir()), seconds=20))
    assert [(s.path.name, s.document.text if s.document else s.failure) for s in said] == [
        ("a.txt", "one"),
        ("a.txt", ""),
        ("b.txt", "not a text file: it holds binary data"),
        ("c.txt", "三"),
        ("c.txt", ""),
    ]


def test_keys_do_not_reach_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that a document subverts finds no secrets in its environment."""
    monkeypatch.setenv("FOOTNOTE_LLM_API_KEY", "sk-canary")
    monkeypatch.setenv("OTHER_API_KEY", "sk-canary")
    assert "sk-canary" not in _environment().values()


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path, make_pdf: Callable[..., Path]) -> None:
    """The time limit ends it, the verdict names the setting, and the next file is read by a new child."""
    good = tmp_path / "good.txt"
    good.write_text("fine")
    slow = make_pdf(tmp_path / "slow.pdf", [["a"] * 600_000])
    started = time.monotonic()
    with Sandbox(seconds=3) as sandbox:
        with pytest.raises(IngestError, match="longer than 3 seconds"):
            list(sandbox.documents(slow))
        assert time.monotonic() - started < 10
        assert [document.text for document in sandbox.documents(good)] == ["fine"]


@linux_only
def test_memory_is_bounded(tmp_path: Path) -> None:
    """A file that would take gigabytes is refused with the limit, and the next one is read."""
    greedy = tmp_path / "greedy.txt"
    with greedy.open("wb") as file:
        file.write(b"a")
        file.truncate(3 << 30)  # a sparse file: large to read, small on the disk
    good = tmp_path / "good.txt"
    good.write_text("fine")
    with Sandbox(seconds=30) as sandbox:
        with pytest.raises(IngestError, match="memory"):
            list(sandbox.documents(greedy))
        assert [document.text for document in sandbox.documents(good)] == ["fine"]


def test_a_child_that_dies_is_replaced(tmp_path: Path) -> None:
    """A crash of the reader is one file's verdict, not the run's end."""
    good = tmp_path / "good.txt"
    good.write_text("fine")
    with Sandbox(seconds=20) as sandbox:
        assert list(sandbox.documents(good))
        assert sandbox._process
        os.kill(sandbox._process.pid, 9)
        sandbox._process.wait()
        with pytest.raises(IngestError, match="crashed"):
            list(sandbox.documents(good))
        assert [document.text for document in sandbox.documents(good)] == ["fine"]


def test_reading_ahead_can_be_stopped(tmp_path: Path) -> None:
    """Closing it early leaves no child behind."""
    for n in range(50):
        (tmp_path / f"{n}.txt").write_text("x" * 1000)
    ahead = read_ahead(sorted(tmp_path.iterdir()), seconds=20)
    assert next(ahead).document
    started = time.monotonic()
    ahead.close()
    assert time.monotonic() - started < 5
