"""The page's ingest as a process of its own: what it tells, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rag.store import Store

ROOT = Path(__file__).resolve().parents[2]
CHILD = (sys.executable, str(ROOT / "tests" / "ui" / "ingest_child.py"))
CHATTY = """
import os, sys
sys.path.insert(0, {root!r})
import rag.embedder
from ingest import worker
from tests.conftest import ExactEmbedder

def load(settings):
    print("loading", flush=True)
    os.write(1, b"from a library in C\\n")
    return ExactEmbedder()

rag.embedder.load_embedder = load
sys.exit(worker.main())
"""


def begun(home: Path, command: Sequence[str] = CHILD, **task: Any) -> subprocess.Popen[str]:
    """A process that was given its task."""
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    child.stdin.write(json.dumps({"home": str(home), "kb": "default", "passwords": [], **task}) + "\n")
    child.stdin.flush()
    return child


def lines(child: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """Everything that it tells, once it has ended."""
    assert child.stdout is not None
    with child:
        return [json.loads(line) for line in child.stdout]


def until(child: subprocess.Popen[str], kind: str) -> Any:
    """What it tells of this kind, as soon as it does."""
    assert child.stdout is not None
    return next(told[kind] for line in child.stdout if kind in (told := json.loads(line)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of three documents."""
    made = tmp_path / "files"
    made.mkdir()
    for number in range(3):
        (made / f"文件{number}.txt").write_text(f"第{number}天下雨。", encoding="utf-8")
    return made


def test_progress_comes_first_and_the_verdicts_last(tmp_path: Path, folder: Path) -> None:
    """Each step is a line with what is done of how many; the last line holds a verdict for each file."""
    told = lines(begun(tmp_path, roots=[str(folder)]))
    steps = [line["progress"] for line in told[:-1]]
    assert [(step["done"], step["total"]) for step in (steps[0], steps[-1])] == [(0, 3), (3, 3)]
    assert {verdict["state"] for verdict in told[-1]["report"]["verdicts"]} == {"indexed"}
    assert len(told[-1]["report"]["verdicts"]) == 3 and not told[-1]["report"]["interrupted"]


def test_what_a_library_prints_is_no_line_of_it(tmp_path: Path, folder: Path) -> None:
    """Words on standard output, printed by Python or written below it, reach nobody who reads the lines."""
    child = begun(tmp_path, (sys.executable, "-c", CHATTY.format(root=str(ROOT))), roots=[str(folder)])
    assert "report" in lines(child)[-1]


def test_it_ends_with_whoever_started_it(tmp_path: Path, folder: Path) -> None:
    """Where the app is killed, a process that waits for the store ends, and the store is whole and free."""
    task = json.dumps({"home": str(tmp_path), "kb": "default", "passwords": [], "roots": [str(folder)]})
    parent = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen({list(CHILD)!r}, stdin=subprocess.PIPE, text=True)\n"
        f"child.stdin.write({task!r} + '\\n'); child.stdin.flush()\n"
        "time.sleep(600)\n"
    )
    with Store(tmp_path) as store:
        with store.write_lock():
            app = subprocess.Popen((sys.executable, "-c", parent), cwd=ROOT, stdout=subprocess.PIPE, text=True)
            until(app, "waiting")
            app.send_signal(signal.SIGKILL)
            assert app.stdout is not None
            rest = app.stdout.read()  # ends when nobody holds the pipe any more: the child is gone
            app.wait(30)
        assert json.loads(rest.splitlines()[-1])["report"]["interrupted"]
        with store.write_lock():
            assert not store.verify()


@pytest.mark.skipif(os.name == "nt", reason="signals between processes are POSIX")
def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Interrupted in the middle it tells the verdicts so far; the next run takes in the rest and nothing twice."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number:03}.txt").write_text(f"Report {number} of the observatory.", encoding="utf-8")
    child = begun(tmp_path, roots=[str(folder)])
    assert child.stdout is not None
    next(line for line in child.stdout if json.loads(line).get("progress", {}).get("done", 0) >= 3)
    child.send_signal(signal.SIGINT)
    first = lines(child)[-1]["report"]
    assert first["interrupted"]
    before = {verdict["file"] for verdict in first["verdicts"] if verdict["state"] == "indexed"}
    second = lines(begun(tmp_path, roots=[str(folder)]))[-1]["report"]["verdicts"]
    assert {verdict["file"] for verdict in second if verdict["state"] == "unchanged"} >= before
    assert len(second) == 300
    with Store(tmp_path) as store:
        assert len(store.documents()) == 300 and not store.verify()


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """What cannot be done is told as an error, and the process says so with its exit code."""
    child = begun(tmp_path, roots=[str(tmp_path / "nowhere")])
    assert "nowhere" in lines(child)[-1]["error"]
    assert child.returncode == 1
