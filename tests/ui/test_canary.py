"""Attacks in everything that others write, on every page, in a real browser: no request goes to the attacker's host."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from served import Reader, chromium, served

from ingest.sync import synchronise
from rag.access import User
from rag.conversations import Conversations
from rag.settings import Settings
from rag.store import Store
from rag.types import Answer, Chunk, Citation, Claim, Passage, Timings
from rag.users import Throttle, Users
from tests.faults import seeds
from tests.rag import test_injection as attacks
from tests.rag.stored import put

PAGES = ("chat", "library", "search", "evaluation", "settings")
ALIKE, MOST = (
    2,
    25 if os.environ.get("LONG") else 6,
)  # controls pressed of those that only a number tells apart, and in all, a page
TOGETHER = 12  # answers in a conversation: the page draws so many at once
SHORTLY = 200  # milliseconds from a click to the run that it causes, and from a dialog to what it would load
PATIENTLY = 60_000  # milliseconds on a machine with much else to do
PASSWORD = "correct horse battery"
# Nothing is asked of them: with addresses in the settings, the page opens without the built-in models.
ELSEWHERE = {
    "FOOTNOTE_LLM_BASE_URL": "http://127.0.0.1:9/v1", "FOOTNOTE_LLM_MODEL": "![x](http://CANARY/model)",
    "FOOTNOTE_EMBEDDING_BASE_URL": "http://127.0.0.1:9/v1", "FOOTNOTE_EMBEDDING_MODEL": "m",
    "FOOTNOTE_ACCESS_SIGN_IN": "always",
}  # fmt: skip
# Short ones for names and titles, where little fits; in those of knowledge bases and files no slash may stand.
NAMES = (
    "![n](http://CANARY/name)",
    "<img src=http://CANARY/name>",
    "$\\includegraphics{http://CANARY/name}$",
    "<svg><image href='http://CANARY/name'/>",
    "[n]: http://CANARY/name",
)
SLASHLESS = "![n](http&colon;&sol;&sol;CANARY&sol;name)<img src=&#104;ttp:&#47;&#47;CANARY>"
MORE = (
    "$$\\includegraphics{http://CANARY/tex}$$ \\(\\href{http://CANARY/tex}{x}\\)",
    ":material/thumb_up: :balloon: :streamlit: :red[x](http://CANARY/directive) :image[http://CANARY/directive]",
    "<link rel=prefetch href=http://CANARY/prefetch><link rel=dns-prefetch href=//CANARY>",
    "<div style=\"background:url('http://CANARY/css')\">x</div>",
    "[![x](http://CANARY/both)](http://CANARY/both)",
)


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

            do_POST = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.host = f"127.0.0.1:{self.server.server_port}"

    def aimed(self, payload: str) -> str:
        """A payload with this host in it."""
        return payload.replace("https://evil.example", f"http://{self.host}").replace("CANARY", self.host)


@dataclass(frozen=True)
class Planted:
    """A home full of attacks: who is signed in there, and what the answers of the real pipeline were."""

    home: Path
    user: User
    token: str
    answers: list[Answer]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    """A host that counts its visitors."""
    made = Canary()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(autouse=True)
def nobody_asked_before(canary: Canary) -> None:
    """Each test counts from nothing."""
    canary.asked.clear()


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, exact_embedder: type, canary: Canary) -> Planted:
    """Attacks in documents, their names, tags and titles, in files on the disk, conversations, answers, users and names."""
    home = tmp_path_factory.mktemp("home")
    embedder: Any = exact_embedder()
    names = [canary.aimed(name) for name in NAMES]
    payloads = [canary.aimed(payload) for payload in (*MORE, *attacks.PAYLOADS.values())]
    kb = canary.aimed(SLASHLESS)
    users = Users(home)
    for name in names[1:]:
        users.add(name, "reader", [kb])
    user = users.add(names[0], "admin", (), PASSWORD)
    for base in ("default", kb):
        with Store(home, base) as store:
            put(store, embedder, "leave.md", attacks.LEAVE)
            for number, name in enumerate(names):
                put(store, embedder, f"{number}/{name}.md", *payloads[number::12], heading=name)
                store.tag(f"{number}/{name}.md", [canary.aimed("![t](http://CANARY/tag)")])
            synchronise(
                Settings(home), [_folder(home / canary.aimed(SLASHLESS), canary)], store=store, embedder=embedder
            )
    with Store(home) as store:
        made = [
            attacks.pipeline(store, embedder, attacks.TRUE + payload).ask("How many days of paid leave?")
            for payload in payloads
        ]
    conversations = Conversations(home, user)
    everything = [*made, *(_obedient(payload, names[0]) for payload in payloads)]
    for begin in range(0, len(everything), TOGETHER):
        number = conversations.create(names[begin % len(names)])
        for answer in everything[begin : begin + TOGETHER]:
            conversations.add(number, "user", answer.question)
            conversations.add(number, "assistant", answer.text, answer)
    return Planted(home, user, users.sign_in(names[0], PASSWORD, Throttle()), made)


def _folder(folder: Path, canary: Canary) -> Path:
    """Files whose names and contents are attacks: text, HTML, a PDF with links, and one that cannot be read."""
    folder.mkdir(exist_ok=True)
    name = canary.aimed("![f](http&colon;&sol;&sol;CANARY&sol;file)")
    payloads = [canary.aimed(payload) for payload in (*MORE, *attacks.PAYLOADS.values())]
    (folder / f"{name}.txt").write_text("\n\n".join(payloads), encoding="utf-8")
    (folder / f"{name}.html").write_text(f"<h1>{payloads[0]}</h1><p>{payloads[1]}</p>" + "".join(payloads), "utf-8")
    (folder / f"{name}.docx").write_bytes(b"PK\x03\x04 not a document")
    writer = PdfWriter(clone_from=PdfReader(BytesIO(seeds.pdf())))
    writer.add_annotation(0, Link(rect=(0, 0, 600, 800), url=f"http://{canary.host}/pdf"))
    writer.add_metadata({"/Title": canary.aimed("![t](http://CANARY/title)")})
    writer.write(folder / f"{name}.pdf")
    return folder


def _obedient(payload: str, name: str) -> Answer:
    """An answer that no filter has seen: the payload wherever text can stand."""
    chunk = Chunk(1, name, 0, f"{name} › {payload}", 3, payload, 0, len(payload))
    passage = Passage(chunk, 0.9, 1, 1, also=(name,), dense=0.7, lexical=0.5)
    supported = Claim(payload, 0, len(payload), (1,), True)
    unsupported = Claim(payload, len(payload) + 1, 2 * len(payload) + 1, (), False, payload)
    citation = Citation(1, passage, payload, 0, len(payload), 0.9)
    return Answer(
        payload, f"{payload}\n{payload}", (supported, unsupported), (citation,), (passage,), False, payload, "en",
        Timings(0.1, 0.1, 0.1),
    )  # fmt: skip


def test_the_canary_would_sing(browser: Browser, canary: Canary, tmp_path: Path) -> None:
    """An image on a page asks the attacker's host where nothing guards it; the server's own headers alone stop it."""
    page = tmp_path / "page.py"
    image = f"import streamlit as st\nst.markdown('![x](http://{canary.host}/seen)')\n"
    for guarded in (False, True):
        server = f"from ui import web\nif __name__ != '__main__':\n    app = st.App({str(page)!r}, middleware=web.MIDDLEWARE)\n"
        page.write_text(image + server * guarded)
        with served(tmp_path, str(page)) as address:
            reader = Reader(browser, address)
            expect(reader.page.get_by_role("img", name="x")).to_have_count(1)
            reader.page.wait_for_load_state("networkidle")
            reader.context.close()
        assert canary.asked == ([] if guarded else ["/seen"])
        canary.asked.clear()


def test_other_renderers_load_nothing(browser: Browser, planted: Planted, canary: Canary) -> None:
    """Shown by a renderer that allows everything, the pipeline's answers make a browser ask for nothing; raw ones would."""
    page = browser.new_page()
    page.set_content(attacks.RENDERER.render(f"![x](http://{canary.host}/seen)"), wait_until="networkidle")
    assert canary.asked == ["/seen"]
    canary.asked.clear()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    for answer in planted.answers:
        page.set_content(attacks.RENDERER.render(answer.text))
        assert (
            page.locator("a, img, script, iframe, svg, form, object, embed, video, meta, link, style, input").count()
            == 0
        )
    page.wait_for_load_state("networkidle")
    page.close()
    assert canary.asked == [] and requested == []


def test_no_page_asks_the_attacker(browser: Browser, planted: Planted, canary: Canary) -> None:
    """Every page, with all that can be opened there opened, without the server's headers: no other host is asked."""
    with served(planted.home, "tests/ui/injected_app.py", **_environment(canary)) as address:
        Reader(browser, address).leave()  # the sign-in page
        reader = _signed_in(browser, address, planted)
        pressed = {}
        for name in PAGES:
            other = [{"kb": canary.aimed(SLASHLESS)}] if name in ("chat", "library") else []
            for query in ({}, *other):
                _go(reader, name, **query)
                pressed[name] = pressed.get(name, 0) + _open_everything(reader, canary)
        for conversation in Conversations(planted.home, planted.user).all():
            _go(reader, "chat", c=str(conversation.id))
            pressed["chat"] += _open_everything(reader, canary, most=5)
        reader.page.wait_for_load_state("networkidle")
        reader.leave()
    assert canary.asked == []
    assert pressed["chat"] > 12 and pressed["library"] > 5, pressed


def test_the_headers_forbid_nothing_of_ours(browser: Browser, planted: Planted, canary: Canary) -> None:
    """Under the server's content security policy every page draws, opens a footnote, and breaks none of its rules."""
    with served(planted.home, **_environment(canary)) as address:
        reader = _signed_in(browser, address, planted)
        said: list[str] = []
        reader.page.on("console", lambda message: said.append(message.text))
        for name in reversed(PAGES):
            _go(reader, name, c="9")
        expect(reader.page.get_by_test_id("stChatMessage").nth(3)).to_be_visible()
        _open_everything(reader, canary, most=5)
        reader.leave()
    assert [text for text in said if "Content Security Policy" in text] == [] and canary.asked == []


def _environment(canary: Canary) -> dict[str, str]:
    return {name: canary.aimed(value) for name, value in ELSEWHERE.items()}


def _signed_in(browser: Browser, address: str, planted: Planted) -> Reader:
    """A reader whose browser holds the cookie of who is signed in."""
    reader = Reader(browser, address)
    port = address.rpartition(":")[2]
    reader.context.add_cookies([{"name": f"footnote-{port}", "value": planted.token, "url": address}])
    return reader


def _go(reader: Reader, name: str, **query: str) -> None:
    """Open a page and wait until it is drawn to its end, where the signed-in person stands."""
    reader.go("" if name == "chat" else name, **{key: quote(value, safe="") for key, value in query.items()})
    _drawn(reader)


def _drawn(reader: Reader) -> None:
    expect(reader.page.locator(".st-key-person")).to_be_visible(timeout=PATIENTLY)
    reader.page.wait_for_timeout(SHORTLY)
    _settled(reader)
    expect(reader.page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENTLY)


def _settled(reader: Reader) -> None:
    app = reader.page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENTLY)


def _nothing_foreign(page: Page, canary: Canary) -> None:
    """No element of the page points to the attacker."""
    pointing = "[href*=HOST], [src*=HOST], [srcset*=HOST], [poster*=HOST], [data*=HOST], [action*=HOST]"
    found = page.locator(pointing.replace("HOST", f'"{canary.host}"')).evaluate_all("all => all.map(e => e.outerHTML)")
    assert found == []


def _open_everything(reader: Reader, canary: Canary, most: int = MOST) -> int:
    """Unfold what is folded and press the buttons, a few of each kind, dialogs closed again; returns how many.

    Nothing on the page may point to the attacker at any time.
    """
    page, start = reader.page, reader.page.url
    seen: dict[str, str] = {}
    for pressed in range(most):
        _unfold(page.locator("body"))
        _nothing_foreign(page, canary)
        button = _next(page, seen)
        if button is None:
            return pressed
        button.evaluate("button => button.click()")
        _drawn(reader)
        dialog = page.get_by_role("dialog")
        if dialog.count():
            _unfold(dialog.last)
            page.wait_for_timeout(SHORTLY)
        page.keyboard.press("Escape")
        _settled(reader)
        if page.url != start:
            page.goto(start)
            _drawn(reader)
    return most


def _next(page: Page, seen: dict[str, str]) -> Locator | None:
    """The next button to press: none that ends the visit, and few of those that only a number tells apart."""
    for place in ("stMainBlockContainer", "stBottom", "stSidebarUserContent"):
        buttons = page.locator(f"[data-testid={place}] button:enabled:visible")
        for index, name in enumerate(buttons.evaluate_all(_NAMES)):
            kind = re.sub(r"\d+", "#", name)
            if "sign-out" not in name and name not in seen and sum(kind == other for other in seen.values()) < ALIKE:
                seen[name] = kind
                return buttons.nth(index)
    return None


# The key of each button, else its words.
_NAMES = """all => all.map(button => {
  const keyed = button.closest("[class*='st-key-']");
  const key = keyed ? [...keyed.classList].find(name => name.startsWith("st-key-")) : "";
  return key + "|" + (keyed && keyed.querySelectorAll("button").length === 1 ? "" : button.innerText);
})"""


def _unfold(inside: Locator) -> None:
    """Open every expander and look at every tab."""
    inside.locator("details:not([open]) > summary").evaluate_all("all => all.slice(0, 30).forEach(e => e.click())")
    for tab in inside.get_by_role("tab").all()[:6]:
        tab.evaluate("tab => tab.click()")
