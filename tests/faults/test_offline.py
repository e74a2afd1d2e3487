"""Nothing leaves this machine: every socket but loopback's is refused and counted while the real commands run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import FULL

ROOT = Path(__file__).resolve().parents[2]
# Read by every Python that is started below, children included, before anything else.
GUARD = """
import os, sys

def refuse(event, arguments):
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto", "socket.bind"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "localhost"
    else:
        return
    host = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if host not in ("localhost", "::1", "0.0.0.0", "::") and not host.startswith("127."):
        with open(ATTEMPTS, "a") as file:
            file.write(f"{event} {host} {sys.argv}\\n")
        raise OSError(f"offline: {event} {host}")

sys.addaudithook(refuse)
open(GUARDED, "a").write("x")
"""


@pytest.fixture
def guarded(tmp_path: Path) -> dict[str, str]:
    """An environment in which no Python reaches another host, and whoever tries is written down."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(
        f"ATTEMPTS, GUARDED = {str(tmp_path / 'attempts')!r}, {str(tmp_path / 'guarded')!r}\n{GUARD}"
    )
    cleared = {
        k: v for k, v in os.environ.items() if not k.startswith(("HF_", "TRANSFORMERS_", "LANGSMITH", "LANGCHAIN"))
    }
    return {
        **cleared,
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "guard"), str(ROOT)]),
        "LANGSMITH_TRACING": "true",  # what somebody's shell may say
        "LANGSMITH_API_KEY": "key",
    }


def test_no_command_reaches_another_host(
    tmp_path: Path, guarded: dict[str, str], figure: Callable[[str, str], None]
) -> None:
    """Ingest, a question and an evaluation with the built-in models work, and never try."""
    home = tmp_path / "home"
    document = tmp_path / "docs" / "leave.md"
    document.parent.mkdir()
    document.write_text(
        "# Leave\n\nEvery employee has fifteen days of paid leave a year.\n\n每年带薪年假十五天。\n", encoding="utf-8"
    )
    questions = tmp_path / "qa.jsonl"
    asked = {
        "id": "1",
        "question": "How many days of paid leave are there?",
        "answers": ["fifteen"],
        "relevant": ["leave.md"],
    }
    questions.write_text(json.dumps(asked) + "\n")
    commands = [
        ["ingest", str(document.parent), "--home", str(home)],
        ["evaluation", str(questions), "--home", str(home), *(["--answers"] if FULL else [])],
        *(
            [["rag", "ask", "年假有几天？", "--home", str(home)], ["rag", "doctor", "--home", str(home)]]
            if FULL
            else []
        ),
    ]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", *command], env=guarded, cwd=ROOT, capture_output=True, text=True, timeout=280
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
    attempts = tmp_path / "attempts"
    assert not attempts.exists(), attempts.read_text()
    assert len((tmp_path / "guarded").read_text()) >= len(commands) + 1, "the children were not guarded"
    figure("connections to other hosts", f"0 in {len(commands)} commands with the real models")


def test_the_guard_catches_an_attempt(tmp_path: Path, guarded: dict[str, str]) -> None:
    """The guard is no formality: a look-up and a connection are refused and written down."""
    code = (
        "import socket, urllib.request\n"
        "one = lambda: urllib.request.urlopen('http://example.org/')\n"
        "two = lambda: socket.create_connection(('192.0.2.1', 80))\n"
        "for attempt in (one, two):\n"
        "    try: attempt(); raise SystemExit('reached')\n"
        "    except OSError: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=guarded, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    said = (tmp_path / "attempts").read_text()
    assert "example.org" in said and "192.0.2.1" in said
