from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.discovery import Root, root_of
from ingest.sync import Report, synchronise
from ingest.watch import STILL, watch
from rag.errors import IngestError
from rag.settings import Settings
from rag.store import Store
from rag.types import Embedder

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 40.0

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals end the process")


class Watched:
    """A folder, a knowledge base, and a real process that keeps the one equal to the other."""

    def __init__(self, folder: Path, *more: Path) -> None:
        self.folder, self.home = folder, folder.parent / "home"
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("command_without_model.py")), str(folder), *map(str, more),
             "--watch", "--home", str(self.home)],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        self.wait_for("watching")

    def _read(self) -> None:
        assert self.process.stdout
        self.lines += [""]
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def wait_for(self, words: str) -> None:
        """Until a line holds these words."""
        self.until(lambda: any(words in line for line in list(self.lines)))

    def until(self, reached: Callable[[], bool]) -> None:
        """Until something is so; the deadline is far beyond what it takes."""
        deadline = time.monotonic() + DEADLINE
        while not reached():
            assert time.monotonic() < deadline and self.process.poll() is None, "\n".join(self.lines)
            time.sleep(0.05)

    def texts(self) -> dict[str, str]:
        """The documents and their texts, read while the process goes on."""
        with Store(self.home) as store:
            return {document.name: store.document_text(document.name) for document in store.documents()}

    def end(self, kind: signal.Signals = signal.SIGINT) -> int:
        """Ctrl-C, and the exit code."""
        self.process.send_signal(kind)
        return self.process.wait(timeout=60)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """``start(*more)`` watches a folder of its own, and whatever else is named."""
    running: list[Watched] = []

    def begin(*more: Path) -> Watched:
        (tmp_path / "docs").mkdir(exist_ok=True)
        running.append(Watched(tmp_path / "docs", *more))
        return running[-1]

    yield begin
    for watched in running:
        watched.process.kill()
        watched.process.wait()


def test_the_knowledge_base_follows_the_folder(start: Callable[..., Watched]) -> None:
    """What is added, changed, renamed and deleted is so in the store a moment later, with a line for each."""
    watched = start()
    folder = watched.folder
    (folder / "甲.txt").write_text("甲的内容。", encoding="utf-8")
    watched.until(lambda: watched.texts() == {"甲.txt": "甲的内容。"})
    (folder / "sub").mkdir()
    (folder / "sub/b.md").write_text("b", encoding="utf-8")
    (folder / "甲.txt").write_text("新的内容。", encoding="utf-8")
    watched.until(lambda: watched.texts() == {"甲.txt": "新的内容。", "sub/b.md": "b"})
    (folder / "sub").rename(folder / "moved")
    watched.until(lambda: watched.texts() == {"甲.txt": "新的内容。", "moved/b.md": "b"})
    (folder / "甲.txt").unlink()
    (folder / "bad.pdf").write_bytes(b"nonsense")
    watched.until(lambda: watched.texts() == {"moved/b.md": "b"})
    watched.wait_for("set aside bad.pdf: ")
    (folder / ".footnoteignore").write_text("moved\n")
    watched.wait_for("removed   moved/b.md: ignored by .footnoteignore")
    assert sum("set aside bad.pdf" in line for line in watched.lines) == 1  # said once, not at every run
    assert watched.end() == 0
    assert not any("Traceback" in line for line in watched.lines)


def test_a_burst_is_one_run(start: Callable[..., Watched]) -> None:
    """Fifty files that come one after the other are taken in together, and other commands work meanwhile."""
    watched = start()
    for n in range(50):
        (watched.folder / f"{n}.txt").write_text(f"content {n}")
        time.sleep(STILL / 100)
    watched.until(lambda: len(watched.texts()) == 50)
    watched.until(lambda: sum(" indexed " in line for line in watched.lines) == 50)
    seconds = {line.split()[0] for line in watched.lines if " indexed " in line}
    assert len(seconds) <= 2  # one report, written at once
    assert watched.end(signal.SIGTERM) == 0


def test_a_file_is_read_when_it_stands_still(start: Callable[..., Watched]) -> None:
    """A file that grows for longer than a moment is never taken in by halves."""
    watched = start()
    with (watched.folder / "long.txt").open("w") as file:
        for n in range(12):
            file.write(f"line {n}\n")
            file.flush()
            assert watched.texts() == {}
            time.sleep(STILL / 4)
    watched.until(lambda: "long.txt" in watched.texts())
    assert watched.texts()["long.txt"].count("line") == 12


def test_a_folder_that_vanishes_is_waited_for(start: Callable[..., Watched], tmp_path: Path) -> None:
    """While the folder is away nothing is removed, another one is still followed, and when it is back all goes on."""
    other = tmp_path / "other"
    other.mkdir()
    watched = start(other)
    (watched.folder / "a.txt").write_text("a")
    watched.until(lambda: watched.texts() == {"a.txt": "a"})
    watched.folder.rename(tmp_path / "away")
    watched.wait_for("nothing of it is removed")
    (other / "b.txt").write_text("b")
    watched.until(lambda: watched.texts() == {"a.txt": "a", "b.txt": "b"})
    (tmp_path / "away/c.txt").write_text("c")
    (tmp_path / "away").rename(watched.folder)
    watched.wait_for("is back")
    watched.until(lambda: set(watched.texts()) == {"a.txt", "b.txt", "c.txt"})
    (watched.folder / "d.txt").write_text("d")
    watched.until(lambda: "d.txt" in watched.texts())
    shutil.rmtree(other)
    watched.until(lambda: sum("nothing of it is removed" in line for line in watched.lines) == 2)
    assert watched.end() == 0


def test_a_single_file_is_followed(start: Callable[..., Watched], tmp_path: Path) -> None:
    """A PATH that is a file is followed, also when an editor puts a new file in its place; its neighbours are not."""
    single = tmp_path / "single" / "note.txt"
    single.parent.mkdir()
    single.write_text("one")
    watched = start(single)
    (single.parent / "neighbour.txt").write_text("x")
    (single.parent / "new").write_text("two")
    (single.parent / "new").replace(single)
    watched.until(lambda: watched.texts() == {"note.txt": "two"})


def test_another_writer_is_waited_for(start: Callable[..., Watched]) -> None:
    """While another command writes the watcher says so and waits its turn."""
    watched = start()
    with Store(watched.home) as store, store.write_lock():
        (watched.folder / "a.txt").write_text("a")
        watched.wait_for("another")
        assert watched.texts() == {}
    watched.until(lambda: watched.texts() == {"a.txt": "a"})


class Local:
    """A watch in this process, ended by the test."""

    def __init__(self, folder: Path, store: Store, embedder: Embedder) -> None:
        self.said: list[str] = []
        self.failures: list[IngestError] = []
        self._store, self._embedder = store, embedder
        self._folder = folder
        self.reports: list[Report] = []

    def run(self, roots: Sequence[Root]) -> Report:
        if self.failures:
            raise self.failures.pop()
        settings = Settings(self._store.home)
        self.reports.append(synchronise(settings, roots, store=self._store, embedder=self._embedder))
        return self.reports[-1]

    def follow(self, act: Callable[[], None], until: Callable[[], bool]) -> None:
        """Watch, act at once, and end when something is so."""
        deadline = time.monotonic() + DEADLINE
        acted: list[bool] = []

        def say(text: str) -> None:
            self.said.append(text)

        def run(roots: Sequence[Root]) -> Report:
            report = self.run(roots)
            if not acted:
                acted.append(True)
                act()
            elif until() or time.monotonic() > deadline:
                raise KeyboardInterrupt
            return report

        assert not watch([root_of(self._folder)], self._store.home, run, say, self.run([root_of(self._folder)]))
        assert until()


def test_where_the_system_cannot_tell_the_folder_is_looked_through(
    tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the system's watches are used up, changes are found all the same, and the user is told how."""
    from watchdog.observers import Observer

    def exhausted(self: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(Observer, "start", exhausted)
    folder = tmp_path / "docs"
    folder.mkdir()
    for n in range(3):  # three loops have more paths than a lifetime has seconds
        (folder / f"loop {n}").symlink_to(folder)
    with Store(tmp_path / "home") as store:
        local = Local(folder, store, embedder)
        local.follow(lambda: (folder / "a.txt").write_text("a") and None, lambda: len(store.documents()) == 1)
    assert any(
        "no more watches to give (inotify watch limit reached), so it is looked through every" in s for s in local.said
    )


def test_ctrl_c_in_the_middle_of_a_run_is_told(tmp_path: Path, embedder: Embedder) -> None:
    """Ended while a run is under way, the command can say that more is to be done."""
    folder = tmp_path / "docs"
    folder.mkdir()
    with Store(tmp_path / "home") as store:
        first = synchronise(Settings(store.home), [folder], store=store, embedder=embedder)

        def run(roots: Sequence[Root]) -> Report:
            return replace(first, interrupted=True)

        assert watch([root_of(folder)], store.home, run, lambda text: None, first)


def test_a_failing_run_does_not_end_it(tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that fails is told once and tried again, with nothing lost."""
    monkeypatch.setattr("ingest.watch._AGAIN", {IngestError: 0.1})
    folder = tmp_path / "docs"
    folder.mkdir()
    with Store(tmp_path / "home") as store:
        local = Local(folder, store, embedder)

        def act() -> None:
            (folder / "a.txt").write_text("a")
            local.failures = [IngestError("the disk is tired"), IngestError("the disk is tired")]

        local.follow(act, lambda: len(store.documents()) == 1)
    assert sum("the disk is tired" in line for line in local.said) == 1


def test_a_store_inside_the_folder_does_not_wake_it(tmp_path: Path, embedder: Embedder) -> None:
    """A folder that holds the home is followed, and the program's own writing there is no change."""
    folder = tmp_path / "docs"
    folder.mkdir()
    with Store(folder / "home") as store:
        local = Local(folder, store, embedder)
        store.home.mkdir(exist_ok=True)

        def act() -> None:
            (folder / "a.txt").write_text("a")

        local.follow(act, lambda: len(store.documents()) == 1)
        runs = len(local.reports)
        assert runs <= 4, local.said


@pytest.mark.skipif(sys.platform != "linux", reason="mounts are read on Linux")
def test_network_drives_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder on a network drive is known as such by the longest mount point, also one with a space in its name."""
    from ingest.watch import _network

    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\nserver:/x /mnt/nfs nfs4 rw 0 0\n//nas/y /mnt/my\\040nas cifs rw 0 0\n"
        "/dev/sdb1 /mnt/nfs/local xfs rw 0 0\nuser@host: /mnt/ssh fuse.sshfs rw 0 0\n"
    )
    monkeypatch.setattr("rag.mounts._MOUNTS", mounts)
    told = {
        name: _network(Path(name)) for name in ("/mnt/nfs/a", "/mnt/my nas", "/mnt/nfs/local/b", "/home", "/mnt/ssh")
    }
    assert [bool(told[name]) for name in told] == [True, True, False, False, True]
    assert "(nfs4)" in told["/mnt/nfs/a"]
