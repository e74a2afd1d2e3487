"""Answers of a model that obeys an attacker, in a real browser: not one request goes to the attacker's host."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from test_browser import ROOT, _ready, browser  # noqa: F401  (the fixture)

from rag.conversations import Conversations
from rag.store import Store
from rag.types import Answer
from tests.rag import test_injection as attacks
from tests.rag.stored import put


class Canary:
    """The attacker's host on loopback; ``asked`` lists the paths that somebody requested."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(204)
                self.end_headers()

            do_POST = do_HEAD = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.host = f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
def canary() -> Iterator[Canary]:
    """A host that counts its visitors."""
    made = Canary()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def answers(tmp_path: Path, exact_embedder: type, canary: Canary) -> list[Answer]:
    """What the real pipeline makes of every payload, aimed at the canary, kept as one conversation in a home."""
    embedder: Any = exact_embedder()
    with Store(tmp_path) as store:
        put(store, embedder, "leave.md", attacks.LEAVE)
        put(store, embedder, "planted.md", attacks.PLANTED)
        payloads = [p.replace("https://evil.example", f"http://{canary.host}") for p in attacks.PAYLOADS.values()]
        drafts = [attacks.TRUE + payload.replace("evil.example", canary.host) for payload in payloads]
        pipelines = [attacks.pipeline(store, embedder, draft) for draft in drafts]
        made = [pipeline.ask("How many days of paid leave?") for pipeline in pipelines]
    conversations = Conversations(tmp_path)
    conversation = conversations.create("attacks")
    for answer in made:
        conversations.add(conversation, "user", answer.question)
        conversations.add(conversation, "assistant", answer.text, answer)
    return made


def test_other_renderers_load_nothing(browser: Any, answers: list[Answer], canary: Canary) -> None:  # noqa: F811
    """Shown by a renderer that allows everything, the answers make a browser ask for nothing; unfiltered they would."""
    page = browser.new_page()
    page.set_content(attacks.RENDERER.render(f"![x](http://{canary.host}/seen)"), wait_until="networkidle")
    assert canary.asked == ["/seen"]
    canary.asked.clear()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    for answer in answers:
        page.set_content(attacks.RENDERER.render(answer.text))
        assert (
            page.locator("a, img, script, iframe, svg, form, object, embed, video, meta, link, style, input").count()
            == 0
        )
    page.wait_for_load_state("networkidle")
    page.close()
    assert canary.asked == [] and requested == []


def test_the_page_loads_nothing(browser: Any, answers: list[Answer], canary: Canary, tmp_path: Path) -> None:  # noqa: F811
    """The app's own page shows all of them, asks no host but its own, and holds no link or image of theirs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "FOOTNOTE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "streamlit", "run", "tests/ui/injected_app.py", "--server.port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            address = _ready(f"http://127.0.0.1:{port}", server)
            page = browser.new_page()
            requested: list[str] = []
            page.on("request", lambda request: requested.append(request.url))
            page.goto(f"{address}/?c=1")
            expect(page.get_by_test_id("stChatMessage")).to_have_count(2 * len(answers), timeout=120_000)
            page.wait_for_load_state("networkidle")
            inside = page.get_by_test_id("stChatMessageContent")
            assert inside.locator("a[href]").count() == 0
            assert inside.locator("img, script, iframe, form, object, embed, video").count() == 0
            page.close()
        finally:
            server.terminate()
    ours = (address, address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in requested if not url.startswith(ours)] == [] and canary.asked == []
