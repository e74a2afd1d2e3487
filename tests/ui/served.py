"""The app as a user starts it, a real browser, and a person at the page: what every browser test builds on."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
ANSWER = 240_000  # milliseconds; an answer takes 10 to 20 seconds on two free cores
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def missing(what: str) -> NoReturn:
    """Skip, saying why; a failure where everything is promised to be there."""
    message = f"the browser test needs {what}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        missing("Chromium (Debian: apt install chromium fonts-noto-cjk)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def served(home: Path, app: str = "app.py", **environment: str) -> Iterator[str]:
    """The address of an app on a home, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", app, "--server.port", str(port)]
    variables = {**os.environ, "FOOTNOTE_HOME": str(home), "PYTHONPATH": str(ROOT), **environment}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL) as server:
        try:
            yield _ready(f"http://127.0.0.1:{port}", server)
        finally:
            server.terminate()


def ingest(home: Path, *paths: str) -> None:
    """Take files in with the command, before anybody is at the page."""
    command = [sys.executable, "-m", "ingest", *paths, "--home", str(home)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=280, capture_output=True)


def _ready(address: str, server: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                return address
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"{address} never answered")


class Reader:
    """A person at the page, and every address their browser asked for."""

    def __init__(self, browser: Browser, address: str, page: str = "", **context: Any) -> None:
        self.context = browser.new_context(**{"viewport": WIDE, "locale": "en-US", **context})
        self.page: Page = self.context.new_page()
        self.address = address
        self.requested: list[str] = []
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.set_default_timeout(60_000)
        self.go(page)

    def go(self, page: str = "", **query: str) -> None:
        """Open a page by its address and wait until it is drawn."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        self.page.goto(f"{self.address}/{page}?{asked}")
        self.settle()

    def settle(self) -> None:
        """Wait until the page is drawn and no run of it is under way."""
        expect(self.page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning", timeout=60_000
        )

    def ask(self, question: str) -> Locator:
        """Type a question, send it, and wait until its answer is checked; the answer's message."""
        answers = self.page.locator("[class*='st-key-checked-']")
        before = answers.count()
        box = self.page.get_by_test_id("stChatInputTextArea")
        expect(box).to_be_enabled(timeout=60_000)
        box.fill(question)
        box.press("Enter")
        expect(answers).to_have_count(before + 1, timeout=ANSWER)
        return answers.last

    def outside(self) -> list[str]:
        """What the browser asked of any other host than the app."""
        ours = (self.address, self.address.replace("http", "ws"), "data:", "blob:")
        return [url for url in self.requested if not url.startswith(ours)]

    def leave(self) -> None:
        """Close the tab; raises AssertionError where the page had asked another host for anything."""
        self.context.close()
        assert not self.outside(), f"the page asked other hosts for {self.outside()}"


def violations(page: Page, rules: Mapping[str, Any] | None = None) -> list[str]:
    """What axe finds against WCAG 2 A and AA on the page as it is: rule, how many places, the first of them."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "rules": dict(rules or {})}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{v['id']}, {len(v['nodes'])} times: {v['nodes'][0]['html'][:200]} {_why(v['nodes'][0])}" for v in found]


def _why(node: Mapping[str, Any]) -> str:
    return " ".join(str(node.get("failureSummary", "")).split())[:300]
