from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest.__main__ import main
from ingest.progress import Progress, reporter, sentence
from ingest.report import table
from ingest.sync import STATES, Report
from rag.terminal import columns, cut
from rag.types import Verdict

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ingest", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env=os.environ | environment,
    )  # fmt: skip


def test_help_is_quick() -> None:
    """Help shows the arguments and loads no library for it."""
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        done = command("--help")
        seconds.append(time.monotonic() - started)
        assert done.returncode == 0 and "PATH" in done.stdout
    assert min(seconds) < 0.5


@pytest.mark.parametrize("arguments", [[], [""], ["  "], ["--nonsense"]])
def test_wrong_use_exits_2(arguments: list[str]) -> None:
    """A missing or empty path and an unknown flag are wrong use."""
    done = command(*arguments)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_a_missing_path_is_one_sentence(tmp_path: Path) -> None:
    """A path that is not there exits 1, changes nothing and makes no store."""
    done = command(str(tmp_path / "nope"), "--home", str(tmp_path / "home"))
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1
    assert "Nothing was changed" in done.stderr and not (tmp_path / "home").exists()


def test_a_missing_model_names_the_command(tmp_path: Path) -> None:
    """Without the built-in model the user is told how to get it."""
    (tmp_path / "a.txt").write_text("content")
    done = command(str(tmp_path / "a.txt"), "--home", str(tmp_path / "home"), FOOTNOTE_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 1
    assert "python -m rag models pull" in done.stderr and "Traceback" not in done.stderr


def test_exit_codes_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing set aside is 0, something is 1, and --json gives the verdicts and totals."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "empty.txt").touch()
    home = ["--home", str(tmp_path / "home")]
    assert main([str(folder), *home]) == 0
    (folder / "表格.xlsx").write_bytes(b"PK\x05\x06" + bytes(18))
    capsys.readouterr()
    assert main([str(folder), "--json", "-", *home]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [(v["file"], v["state"]) for v in report["verdicts"]] == [("empty.txt", "empty"), ("表格.xlsx", "set aside")]
    assert report["totals"].keys() >= {"files", "documents", "pages", "chunks", "seconds", "indexed", "set aside"}


def test_the_table_is_aligned_for_chinese_names() -> None:
    """Columns line up although a Chinese character takes two places."""
    verdicts = (Verdict("报告.pdf", "indexed", pages=3, chunks=12), Verdict("a.txt", "empty", "no text"))
    totals = dict.fromkeys(["files", "documents", "pages", "chunks", "seconds", *STATES], 0.0)
    lines = table(Report(verdicts, totals)).splitlines()
    places = {
        columns(line[: line.index(state)]) for line, state in zip(lines, ["verdict", "indexed", "empty"], strict=False)
    }
    assert len(places) == 1
    assert columns(cut("长" * 50, 11)) <= 11


def test_a_name_gives_the_terminal_no_orders() -> None:
    """Line ends, escape sequences and direction overrides in names and reasons are shown as marks, Chinese as it is."""
    totals = dict.fromkeys(["files", "documents", "pages", "chunks", "seconds", *STATES], 0.0)
    verdict = Verdict("a\nb\x1b[31m\u202e报告　\udce9.txt", "set aside", "reason\x07")
    shown = table(Report((verdict,), totals)) + sentence(Progress(0, 1, 0, 0.0, None, verdict.file))
    assert "报告　" in shown and not set("\x1b\x07\u202e\udce9") & set(shown)
    assert len(table(Report((verdict,), totals)).splitlines()) == 4


def test_progress_tells_files_chunks_speed_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    """A run says what it is at and how long it will take; where nobody watches, not before a minute is over."""
    now = Progress(1, 2, 40, 12.34, 75.0, "文.pdf")
    assert sentence(now) == "1/2 files, 40 chunks, 12.3 chunks/s, 1:15 left · 文.pdf"
    assert sentence(Progress(2, 2, 40, 12.34, None, "")) == "2/2 files, 40 chunks, 12.3 chunks/s"
    reporter()(now)
    assert capsys.readouterr().err == ""
