"""The whole page in a real browser: the real app, models, stores and ingest, on the sample knowledge base."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from rag.models import BUILTINS, is_present

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
ANSWER = 240_000  # milliseconds; an answer takes 10 to 20 seconds on two free cores
NEWS = "青鸾观测站于2031年4月建成，站长是沈砚秋。观测站位于海拔4120米的玉龙高原，配有口径6.5米的望远镜。"


def missing(what: str) -> NoReturn:
    """Skip, saying why; a failure where everything is promised to be there."""
    message = f"the browser test needs {what}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        missing("Chromium (Debian: apt install chromium fonts-noto-cjk)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, started as a user starts it, on a home that holds the sample documents."""
    for name in BUILTINS:
        if not is_present(name):
            missing(f"the model {name}: type `python -m rag models pull`")
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "FOOTNOTE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    ingest = [sys.executable, "-m", "ingest", "data/docs"]
    subprocess.run(ingest, cwd=ROOT, env=environment, check=True, timeout=280, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            yield _ready(f"http://127.0.0.1:{port}", server)
        finally:
            server.terminate()


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

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.requested: list[str] = []
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.set_default_timeout(60_000)
        self.page.goto(address)

    def ask(self, question: str) -> None:
        """Type a question, send it, and wait until its answer is checked."""
        box = self.page.get_by_test_id("stChatInputTextArea")
        expect(box).to_be_enabled(timeout=60_000)
        asked = self.page.get_by_test_id("stExpander").count()
        box.fill(question)
        box.press("Enter")
        expect(self.page.get_by_test_id("stExpander")).not_to_have_count(asked, timeout=ANSWER)

    def open_first_footnote(self) -> str:
        """Open the answer's first footnote and return the quoted words."""
        self.page.locator("[class*='st-key-notes-'] button").first.click()
        mark = self.page.locator("mark").first
        expect(mark).to_be_visible()
        return mark.inner_text()


@pytest.fixture
def reader(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """A person whose browser has the language of the test."""
    context = browser.new_context(locale=request.param, viewport={"width": 1280, "height": 900})
    person = Reader(context, address)
    yield person
    context.close()
    ours = (address, address.replace("http", "ws"), "data:", "blob:")
    outside = [url for url in person.requested if not url.startswith(ours)]
    assert not outside, f"the page asked other hosts for {outside}"


@pytest.mark.parametrize("reader", ["en-US"], indirect=True)
def test_a_question_is_answered_with_footnotes_that_open(reader: Reader) -> None:
    """A question on the samples gets an answer, its footnote opens the quoted words, and a reload keeps both."""
    page = reader.page
    expect(page.get_by_role("heading", name="Footnote")).to_be_visible()
    reader.ask("What are emergent abilities?")
    quote = reader.open_first_footnote()
    assert re.search(r"emergent|larger", quote, re.IGNORECASE)
    page.get_by_role("button", name="Show in the document").click()
    expect(page.get_by_role("dialog").locator("mark")).to_have_text(quote)
    page.keyboard.press("Escape")
    page.reload()
    expect(page.get_by_text("What are emergent abilities?").last).to_be_visible()
    assert reader.open_first_footnote() == quote


@pytest.mark.parametrize("reader", ["zh-CN"], indirect=True)
def test_an_uploaded_document_answers_and_can_be_deleted(reader: Reader, address: str) -> None:
    """A Chinese file dropped on the page is indexed, answers a question with its words, and is gone once deleted."""
    page = reader.page
    page.get_by_role("link", name="文档").click()
    file = {"name": "观测站.txt", "mimeType": "text/plain", "buffer": NEWS.encode()}
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("处理结果")).to_be_visible(timeout=ANSWER)
    expect(page.get_by_text("已收录", exact=True)).to_be_visible()
    page.get_by_role("link", name="提问").click()
    reader.ask("青鸾观测站的站长是谁？")
    assert "沈砚秋" in reader.open_first_footnote()
    page.get_by_role("link", name="文档").click()
    find = page.get_by_role("textbox", name="按名称查找")
    find.fill("观测站")
    find.press("Enter")
    row = page.locator("[class*='st-key-document-']").filter(has_text="观测站.txt")
    row.locator("[class*='st-key-delete-'] button").first.click()
    page.get_by_role("dialog").get_by_role("button", name="删除", exact=True).click()
    expect(page.get_by_text("已删除")).to_be_visible()
    expect(row).to_have_count(0)
    page.get_by_text("English", exact=True).click()
    expect(page.get_by_role("heading", name="Documents")).to_be_visible()
