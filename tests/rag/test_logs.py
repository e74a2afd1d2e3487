"""Logs: what happened, in numbers; no one's words, no keys."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag import logs
from rag.errors import StoreError
from rag.logs import begin, note
from rag.settings import LLMSettings, LogSettings, Settings, load_settings

CANARY = "朱鹮-canary"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Whatever a test sets up is taken down."""
    root, hook = logging.getLogger(), sys.excepthook
    before = list(root.handlers)
    yield
    for handler in [h for h in root.handlers if h not in before]:
        root.removeHandler(handler)
        handler.close()
    sys.excepthook = hook


def settings(home: Path, text: bool = False) -> Settings:
    return replace(Settings(home), log=LogSettings(text), llm=LLMSettings(api_key="sk-canary-77"))


def lines(home: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line) for path in sorted((home / "logs").iterdir()) for line in path.read_text("utf-8").splitlines()
    ]


def test_an_event_is_a_line_of_facts(tmp_path: Path) -> None:
    """Time, level, process, event and facts; the words that came along only where they were asked for."""
    begin(settings(tmp_path), "rag")
    note("answered", text={"question": CANARY}, refused=True, seconds=0.5)
    [line] = lines(tmp_path)
    assert (line["event"], line["level"], line["refused"], line["seconds"]) == ("answered", "info", True, 0.5)
    assert line["process"] == os.getpid() and line["time"].endswith("Z") and CANARY not in str(line)
    begin(settings(tmp_path, text=True), "rag")
    note("answered", text={"question": CANARY}, refused=True)
    assert lines(tmp_path)[1]["text"] == {"question": CANARY}


def test_an_error_shows_where_and_not_what(tmp_path: Path) -> None:
    """Of an exception the log has its type and the places in the code, not its words, whichever logger it came by."""
    begin(settings(tmp_path), "app")
    try:
        raise StoreError(f"{CANARY}.pdf is damaged")
    except StoreError:
        logging.getLogger("ui.jobs").exception("A job of the page failed")
        logging.getLogger("streamlit.error").exception(CANARY)
        logging.getLogger("somebody.else").warning(CANARY)
        logging.getLogger("rag.postings").warning("made anew: %s", CANARY)
    found = lines(tmp_path)
    assert [line["event"] for line in found] == ["A job of the page failed", "streamlit.error", "made anew: %s"]
    assert found[0]["failure"] == "StoreError" and "test_logs.py" in found[0]["where"][0]
    assert CANARY not in json.dumps(found, ensure_ascii=False)


def test_a_crash_is_logged_and_shown(tmp_path: Path) -> None:
    """An exception that nobody caught is in the log without its words, and on the terminal as ever."""
    code = (
        "from pathlib import Path; import sys; from rag.logs import begin; from rag.settings import Settings\n"
        f"begin(Settings(Path(sys.argv[1])), 'rag'); raise ValueError({CANARY!r})"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    assert CANARY in done.stderr and done.returncode == 1
    [line] = lines(tmp_path)
    assert (line["event"], line["failure"]) == ("crashed", "ValueError") and CANARY not in str(line)


def test_a_key_is_struck_out(tmp_path: Path) -> None:
    """Not even where somebody wrote it into a fact or asked for words."""
    begin(settings(tmp_path, text=True), "rag")
    note("asked", text={"question": "is sk-canary-77 a key?"}, address="http://x/?k=sk-canary-77")
    assert "sk-canary" not in (tmp_path / "logs" / "rag.jsonl").read_text() and "•••" in str(lines(tmp_path))


def test_it_stays_small_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log is rotated, keeps a few files, and is its owner's alone."""
    monkeypatch.setattr(logs, "_BYTES", 2000)
    begin(settings(tmp_path), "rag")
    for number in range(200):
        note("asked", number=number)
    files = sorted((tmp_path / "logs").iterdir())
    assert len(files) == 4 and all(path.stat().st_size <= 2000 for path in files)
    assert lines(tmp_path)[-1]["number"] and max(line["number"] for line in lines(tmp_path)) == 199
    if os.name != "nt":
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the log can't be written, the work goes on in silence."""
    (tmp_path / "logs").write_text("a file where the folder should be")
    begin(settings(tmp_path), "rag")
    note("asked")
    assert capsys.readouterr().err == ""


def test_it_is_a_setting(tmp_path: Path) -> None:
    """``log.text`` is off, and can be turned on in footnote.toml."""
    assert load_settings(tmp_path).log.text is False
    (tmp_path / "footnote.toml").write_text("[log]\ntext = true\n")
    assert load_settings(tmp_path).log.text is True
