from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ingest import ocr
from ingest.__main__ import main
from ingest.passwords import parse
from ingest.progress import Progress, reporter, sentence
from ingest.report import advice, table
from ingest.source import LOCKED
from ingest.sync import STATES, Report
from rag.errors import IngestError
from rag.terminal import columns, cut
from rag.types import PageMark, Verdict
from tests.ingest.conftest import MakePdf

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


def totals(verdicts: Sequence[Verdict]) -> dict[str, float]:
    names = ["files", "documents", "pages", "chunks", "seconds", *STATES]
    return dict.fromkeys(names, 0.0) | {"set aside": float(sum(v.state == "set aside" for v in verdicts))}


def test_the_table_tells_how_pages_were_read() -> None:
    """Pages that were read by OCR and pages that read badly are counted beside the pages."""
    marks = (PageMark(1, "text", 1.0, 10), PageMark(2, "ocr", 0.95, 10), PageMark(3, "ocr", 0.6, 10))
    verdicts = (Verdict("a.pdf", "indexed", pages=3, chunks=1, read=marks), Verdict("b.pdf", "indexed", pages=2))
    lines = table(Report(verdicts, totals(verdicts))).splitlines()
    assert "3 (2 OCR, 1 poor)" in lines[1] and lines[2].split()[-1] == "2"


def test_each_kind_of_reason_has_its_command() -> None:
    """After the table stands, once a kind, what to type for what was set aside or left out."""
    verdicts = (
        Verdict("a.pdf", "set aside", LOCKED),
        Verdict("b.pdf", "set aside", LOCKED),
        Verdict("c.png", "set aside", ocr.MISSING),
        Verdict("d.pdf", "indexed", warnings=(f"page 2: {ocr.MISSING}", "page 3: blank")),
        Verdict("e.txt", "set aside", "the encoding is unsure: save the file as UTF-8"),
        Verdict("f.txt", "set aside", "300 MB; the most is 200 MB (ingest.max_file_mb)"),
        Verdict("g.pdf", "set aside", "reading it took longer than 90 seconds (ingest.parse_seconds)"),
        Verdict("h.docx", "set aside", "the file is damaged"),
    )
    lines = advice(Report(verdicts, totals(verdicts)))
    commands = ["requirements-ocr.txt", "--password FILE=", "--encoding NAME", "max_file_mb", "parse_seconds", "reason"]
    assert [int(line.split()[0]) for line in lines] == [2, 2, 1, 1, 1, 1]
    assert all(command in line for command, line in zip(commands, lines, strict=True))
    assert advice(Report((Verdict("a.txt", "indexed"),), totals(()))) == []


@pytest.mark.parametrize("wrong", [["--password", "canary"], ["--password", "=canary"], ["--encoding", "klingon"]])
def test_wrong_options_exit_2(tmp_path: Path, wrong: list[str]) -> None:
    """A password without a file and an encoding that there is not are wrong use; no password is repeated."""
    done = command(str(tmp_path), *wrong, "--home", str(tmp_path / "home"))
    assert done.returncode == 2 and "canary" not in done.stderr and not (tmp_path / "home").exists()
    assert "FILE=PASSWORD" in done.stderr or "gb18030" in done.stderr


def test_passwords_leave_no_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str], make_pdf: MakePdf) -> None:
    """Neither the store nor anything that is printed or written holds a password, also where it does not fit."""
    folder = tmp_path / "docs"
    folder.mkdir()
    make_pdf(folder / "a.pdf", [["text"]], password="other")
    passwords = tmp_path / "list.txt"
    passwords.write_text("canary-two\na.pdf=canary-three\n")
    passwords.chmod(0o644)
    report = tmp_path / "report.json"
    arguments = [str(folder), "--password", "a.pdf=canary-one", "--passwords", str(passwords)]
    assert main([*arguments, "--json", str(report), "--home", str(tmp_path / "home")]) == 1
    said = capsys.readouterr()
    assert "locked" in said.out and "--password FILE=PASSWORD" in said.out
    assert "chmod 600" in said.err
    written = [said.out.encode(), said.err.encode(), report.read_bytes()]
    written += [path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert all(b"canary" not in content for content in written)


def test_which_passwords_are_tried_on_a_file(tmp_path: Path) -> None:
    """Those for its name, with or without its root's, for a glob that fits it and for all; a line may hold a ``=``."""
    listed = tmp_path / "list.txt"
    listed.write_text("bare\n合同.pdf=口令\nwith=sign\n", encoding="utf-8")
    passwords = parse(["a.pdf=one", "*.docx=two=2", "docs/b.pdf=three", "c[1].pdf=four", "*=five"], [listed])
    assert passwords.of("/x/docs", "a.pdf") == ("one", "five", "bare", "合同.pdf=口令", "with=sign")
    assert "two=2" in passwords.of("/x/docs", "deep/a.docx") and "three" in passwords.of("/x/docs", "b.pdf")
    assert "口令" in passwords.of("/x/docs", "合同.pdf") and "sign" in passwords.of("/x/docs", "with")
    assert "four" in passwords.of("/x/docs", "c[1].pdf") and "one" not in passwords.of("/x/docs", "b.pdf")
    assert "one" not in repr(passwords)
    with pytest.raises(IngestError, match="cannot be read"):
        parse([], [tmp_path / "none.txt"])


def test_progress_tells_files_chunks_speed_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    """A run says what it is at and how long it will take; where nobody watches, not before a minute is over."""
    now = Progress(1, 2, 40, 12.34, 75.0, "文.pdf")
    assert sentence(now) == "1/2 files, 40 chunks, 12.3 chunks/s, 1:15 left · 文.pdf"
    assert sentence(Progress(2, 2, 40, 12.34, None, "")) == "2/2 files, 40 chunks, 12.3 chunks/s"
    assert sentence(replace(now, pages=7)).startswith("1/2 files, 7 pages, 40 chunks")
    reporter()(now)
    assert capsys.readouterr().err == ""
