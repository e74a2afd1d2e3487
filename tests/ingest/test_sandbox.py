from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.pool import Pool, read_all
from ingest.sandbox import Request, Sandbox, _environment
from rag.errors import IngestError
from rag.settings import IngestSettings

linux_only = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory limits are set on Linux")


SETTINGS = IngestSettings(parse_seconds=20)


def test_failures_do_not_stop_the_others(tmp_path: Path) -> None:
    """Each file's documents come before its end, and a bad file between good ones is only its own failure."""
    records = "\n".join(json.dumps({"id": str(n), "text": f"record {n}"}) for n in range(30))
    for name, content in (
        ("a.txt", b"one"), ("b.txt", bytes(range(256)) * 9), ("c.txt", "三".encode()), ("d.jsonl", records.encode())
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
    heard: dict[str, list[str]] = {}
    for said in read_all(sorted(tmp_path.iterdir()), SETTINGS):
        heard.setdefault(said.path.name, []).append(said.document.text if said.document else said.failure)
    assert heard == {
        "a.txt": ["one", ""],
        "b.txt": ["not a text file: it holds binary data"],
        "c.txt": ["三", ""],
        "d.jsonl": [*(f"record {n}" for n in range(30)), ""],
    }


def test_a_long_file_holds_up_no_other(tmp_path: Path, make_pdf: Callable[..., Path]) -> None:
    """While one child is at a file that takes seconds, all the others are read."""
    slow = make_pdf(tmp_path / "slow.pdf", [["a"] * 10_000])
    for n in range(20):
        (tmp_path / f"{n}.txt").write_text(f"text {n}")
    ends = [said.path for said in read_all(sorted(tmp_path.iterdir()), SETTINGS, children=2) if not said.document]
    assert len(ends) == 21 and ends[-1] == slow


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    """Children that are faster than who takes their documents wait, and all arrives in the end."""
    for n in range(6):
        (tmp_path / f"{n}.txt").write_text("word " * 1_500_000)
    with Pool([Request(path) for path in sorted(tmp_path.iterdir())], SETTINGS, children=2) as pool:
        time.sleep(3)
        assert pool.waiting_characters < 30_000_000
        taken = 0
        while not pool.exhausted:
            taken += (said := pool.take()) is not None and said.document is not None
        assert taken == 6


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
        with pytest.raises(IngestError, match=r"longer than 3 seconds|2 seconds of processor time"):
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


def test_a_child_that_died_idle_is_replaced(tmp_path: Path) -> None:
    """A reader that the system ended between two files is no fault of the next one, which is read."""
    good = tmp_path / "good.txt"
    good.write_text("fine")
    with Sandbox(seconds=20) as sandbox:
        assert list(sandbox.documents(good))
        assert sandbox._process
        os.kill(sandbox._process.pid, 9)
        sandbox._process.wait()
        assert [document.text for document in sandbox.documents(good)] == ["fine"]


def test_a_crash_of_the_reader_is_one_files_verdict(tmp_path: Path, make_pdf: Callable[..., Path]) -> None:
    """A reader that dies in the middle of a file is said to have crashed, and the next file is read."""
    good, slow = tmp_path / "good.txt", make_pdf(tmp_path / "slow.pdf", [["a"] * 400_000])
    good.write_text("fine")
    with Sandbox(seconds=60) as sandbox:
        assert list(sandbox.documents(good))
        assert sandbox._process
        threading.Timer(0.3, sandbox._process.kill).start()
        with pytest.raises(IngestError, match="crashed"):
            list(sandbox.documents(slow))
        assert [document.text for document in sandbox.documents(good)] == ["fine"]


def test_reading_can_be_stopped(tmp_path: Path) -> None:
    """Closing the pool early leaves no child behind."""
    for n in range(50):
        (tmp_path / f"{n}.txt").write_text("x" * 1000)
    pool = Pool([Request(path) for path in sorted(tmp_path.iterdir())], SETTINGS, children=2)
    assert pool.take(20)
    children = [sandbox._process for sandbox in pool._sandboxes if sandbox._process]
    started = time.monotonic()
    pool.close()
    assert time.monotonic() - started < 5
    assert children and all(child.poll() is not None for child in children)


# What a loader could do, in a loader's place: the child reads files of a made-up kind with this module.
_LOADER = """
import time
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

def load(source):
    order = source.read().decode()
    if order == "sleep":
        time.sleep(60)
    if order == "spin":
        while True:
            pass
    if order in ("steps", "for ever"):
        for _ in range(12 if order == "steps" else 10_000):
            time.sleep(0.5)
            source.tick()
    if order == "show":
        yield ParsedDocument("", (Page(None, repr((source.encoding, source.passwords))),))
        return
    yield ParsedDocument("", (Page(None, "done"),))
"""


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes files that say what their loader is to do, in a process whose loader of .txt files does as it is told."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, types\nmodule = types.ModuleType('ingest.loaders.txt')\n"
        f"exec({_LOADER!r}, module.__dict__)\nsys.modules['ingest.loaders.txt'] = module\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)

    def write(order: str) -> Path:
        (tmp_path / f"{order}.txt").write_text(order)
        return tmp_path / f"{order}.txt"

    return write


def test_signs_of_life_renew_the_time(orders: Callable[[str], Path]) -> None:
    """A file of many pages may take longer than a page may, and the pages done are known while it is read."""
    with Sandbox(seconds=4) as sandbox:
        seen: set[int] = set()
        watching = threading.Event()

        def watch() -> None:
            while not watching.wait(0.05):
                seen.add(sandbox.pages)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            assert [document.text for document in sandbox.documents(orders("steps"))] == ["done"]
        finally:
            watching.set()
            watcher.join()
        assert len(seen) > 3 and max(seen) <= 12
        assert 5 < sandbox.read_seconds < 20


@pytest.mark.parametrize(
    ("order", "file_seconds", "told"),
    [
        ("sleep", 100, r"longer than 3 seconds \(ingest.parse_seconds\)"),
        ("for ever", 4, r"longer than 4 seconds in all \(ingest.file_seconds\)"),
    ],
)
def test_time_limits(orders: Callable[[str], Path], order: str, file_seconds: float, told: str) -> None:
    """A step that hangs and a file that never ends are given up, each with the setting that says so."""
    with Sandbox(seconds=3, file_seconds=file_seconds) as sandbox:
        with pytest.raises(IngestError, match=told):
            list(sandbox.documents(orders(order)))
        assert sandbox.read_seconds >= 3


@linux_only
def test_processor_time_is_limited(orders: Callable[[str], Path]) -> None:
    """A loop is ended by its processor time, whatever the wall clock says."""
    with Sandbox(seconds=60) as sandbox:
        sandbox._processor_seconds = 1
        with pytest.raises(IngestError, match="more than 1 seconds of processor time"):
            list(sandbox.documents(orders("spin")))


def test_options_reach_the_loader_unseen(orders: Callable[[str], Path]) -> None:
    """Encoding and passwords come to the loader; neither the child's arguments nor its environment hold them."""
    with Sandbox(seconds=20) as sandbox:
        request = Request(orders("show"), "gb18030", ("canary", "口令"))
        assert [d.text for d in sandbox.documents(request)] == ["('gb18030', ('canary', '口令'))"]
        assert sandbox._process and "canary" not in " ".join(map(str, sandbox._process.args))
        assert "canary" not in repr(request)
        if Path("/proc/self/environ").exists():
            for name in ("cmdline", "environ"):
                assert b"canary" not in Path(f"/proc/{sandbox._process.pid}/{name}").read_bytes()
