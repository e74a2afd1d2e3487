"""The opened source: what it shows for a page, a table, a text, and for what is no longer there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from scripted import ScriptedPipeline
from streamlit.testing.v1 import AppTest

from ingest.page_image import PageRequest
from ingest.sync import synchronise
from rag.conversations import Conversations
from rag.errors import IngestError
from rag.settings import Settings
from rag.store import Store
from rag.types import Answer, Citation, Claim, Passage
from tests.ingest.conftest import _make_pdf
from ui.resources import Services
from ui.table_rows import rows_around

Start = Callable[..., tuple[AppTest, Services]]
ROWS = "name: Ada; salary: 900; city: Bern\nname: Bo; salary: 800; city: Basel\nname: Cy; salary: 700; city: Chur"


def answered(home: Path, document: str, quote: str) -> int:
    """A conversation whose answer cites these words of a document; its number."""
    with Store(home) as store:
        text = store.document_text(document)
        start = text.index(quote)
        chunk = next(c for c in store.chunks(document) if c.start <= start < c.end)
    passage = Passage(chunk, 0.9, 1, 1, kb="default")
    citation = Citation(1, passage, quote, start, start + len(quote), 0.9)
    claim = Claim("So it is.", 0, 9, (1,), True)
    answer = Answer("Is it?", "So it is.", (claim,), (citation,), (passage,), False, "", "en")
    conversations = Conversations(home)
    number = conversations.create("Is it?")
    conversations.add(number, "user", "Is it?")
    conversations.add(number, "assistant", answer.text, answer)
    return number


@pytest.fixture
def home(filled: Path, exact_embedder: type) -> Path:
    """The filled home with a PDF of two pages and a table beside the texts."""
    folder = filled / "files"
    _make_pdf(folder / "lora.pdf", [["Rain in Hangzhou all day long."], ["LoRA trains two small matrices instead."]])
    (folder / "people.csv").write_text("name,salary,city\nAda,900,Bern\nBo,800,Basel\nCy,700,Chur\n", encoding="utf-8")
    with Store(filled) as store:
        synchronise(Settings(home=filled), [folder], store=store, embedder=exact_embedder())
    return filled


def opened(app: AppTest, number: int) -> AppTest:
    """The conversation's footnote, opened."""
    app.query_params["c"] = str(number)
    app.run().pills[0].set_value(1).run()
    assert not app.exception
    return app


def shown(app: AppTest) -> list[dict[str, object]]:
    """What the source's own elements show."""
    return [json.loads(element.proto.json or element.proto.mixed.json) for element in app.get("bidi_component")]


def captions(app: AppTest) -> str:
    """All captions."""
    return "\n".join(caption.value for caption in app.caption)


def test_a_pdf_opens_on_its_page(start: Start, home: Path) -> None:
    """A quote on the second page opens the picture of that page, and pages can be turned."""
    app, services = start(ScriptedPipeline())
    opened(app, answered(home, "lora.pdf", "two small matrices"))
    [(_, request)] = services._drawn
    assert (request.page, services._drawn.popitem()[1].found) == (2, True)
    assert len(app.get("image")) == 1
    next(button for button in app.button if str(button.key).startswith("back-")).click().run()
    assert [request.page for _, request in services._drawn] == [1]


def test_a_row_opens_as_a_table(start: Start, home: Path) -> None:
    """A quoted row stands among its neighbours under the column names, marked."""
    app, _ = start(ScriptedPipeline())
    opened(app, answered(home, "people.csv", "name: Bo; salary: 800"))
    table = next(each["table"] for each in shown(app) if "table" in each)
    assert table["names"] == ["name", "salary", "city"]  # type: ignore[index]
    assert table["rows"][1] == ["Bo", "800", "Basel"] and table["marked"] == [1]  # type: ignore[index]


def test_an_answer_of_a_deleted_document_is_gone(start: Start, home: Path) -> None:
    """Of an answer that quoted a document deleted since, the page shows that it is gone, and no word."""
    app, services = start(ScriptedPipeline())
    number = answered(home, "adapters.md", "two small matrices")
    with Store(services.settings.home) as store:
        store.delete("adapters.md")
    app.query_params["c"] = str(number)
    app.run()
    assert not app.exception and not app.pills
    assert "has been deleted since" in captions(app)
    assert "So it is." not in [markdown.value for markdown in app.markdown]


def test_words_that_only_moved_are_found_again(start: Start, home: Path, exact_embedder: type) -> None:
    """A document that has more in front now still shows the words among the lines around them."""
    app, _ = start(ScriptedPipeline())
    number = answered(home, "adapters.md", "two small matrices")
    (home / "files" / "adapters.md").write_text("# Adapters\n\nA new line.\n\nLoRA trains two small matrices.\n")
    with Store(home) as store:
        synchronise(Settings(home=home), [home / "files"], store=store, embedder=exact_embedder())
    opened(app, number)
    [text] = shown(app)
    assert text["quote"] == "two small matrices" and "A new line." in str(text["before"])


def test_a_page_that_cannot_be_drawn_is_tried_once(start: Start, home: Path) -> None:
    """A broken page says so every time that it is asked for, and costs its time once."""
    _, services = start(ScriptedPipeline())
    path = home / "broken.pdf"
    path.write_bytes(b"%PDF-1.7\n")
    wanted = PageRequest(hashlib.sha256(path.read_bytes()).hexdigest(), 1)
    for _ in range(2):
        with pytest.raises(IngestError, match="damaged"):
            services.draw(path, wanted)
        path.unlink(missing_ok=True)  # the second time there is nothing left to open


def test_an_attachment_says_that_it_came_with_a_mail(start: Start, home: Path, exact_embedder: type) -> None:
    """A PDF inside a mail is shown as its text, and the page says where it lies."""
    app, _ = start(ScriptedPipeline())
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Plans", "a@example.org"
    mail.set_content("See the plan.")
    plan = (home / "files" / "lora.pdf").read_bytes().replace(b"Hangzhou", b"Shanghai")
    mail.add_attachment(plan, maintype="application", subtype="pdf", filename="plan.pdf")
    (home / "files" / "m.eml").write_bytes(mail.as_bytes())
    with Store(home) as store:
        synchronise(Settings(home=home), [home / "files"], store=store, embedder=exact_embedder())
    opened(app, answered(home, "m.eml#plan.pdf", "two small matrices"))
    assert "attached to a mail" in captions(app) and not app.get("image")


def test_a_knowledge_base_that_is_not_ones_own(start: Start) -> None:
    """Words from a knowledge base that the reader may not ask are not shown, only that it isn't theirs."""
    app, _ = start(page=as_reader)
    assert "secret" in app.error[0].value and not shown(app)


def as_reader() -> None:
    """A footnote in the hands of a reader who may ask one other knowledge base."""
    from rag.access import User
    from rag.types import Chunk, Citation, Passage
    from ui.resources import services
    from ui.session import Session
    from ui.text import Say
    from ui.viewer import citation_card

    chunk = Chunk(1, "story.txt", 0, "story", None, "Hidden words.", 0, 13)
    cited = Citation(1, Passage(chunk, 0.8, 1, 1, kb="secret"), "Hidden words.", 0, 13, 0.9)
    citation_card(
        cited, Session(services(), User("li", "reader", frozenset({"default"})), Say("en"), "default"), key="a"
    )


def test_a_file_that_changed_is_not_shown_as_the_source(start: Start, home: Path) -> None:
    """Where the file holds other bytes by now, there is no picture, and the page says why."""
    app, services = start(ScriptedPipeline())
    number = answered(home, "lora.pdf", "two small matrices")
    _make_pdf(home / "files" / "lora.pdf", [["Something else."]])
    opened(app, number)
    assert not app.get("image") and not services._drawn
    assert "changed" in captions(app)


@pytest.mark.parametrize(
    ("quote", "marked"), [("Bo; salary: 800", {1}), ("salary: 900; city: Bern\nname: Bo", {0, 1}), (ROWS, {0, 1, 2})]
)
def test_the_quoted_rows_are_the_marked_ones(quote: str, marked: set[int]) -> None:
    """Exactly the rows that hold a part of the quote are marked."""
    start = ROWS.index(quote)
    rows = rows_around(ROWS, start, start + len(quote))
    assert rows is not None and rows.marked == marked and rows.names == ("name", "salary", "city")


def test_a_sentence_is_no_table() -> None:
    """Running text is not made into a table, nor are rows under different names."""
    text = "Note: it rained; nobody came.\n" + ROWS + "\nkind: a; size: 3"
    assert rows_around("It rained all day. Nobody came.", 0, 10) is None
    assert rows_around(text, text.index("Cy"), len(text)) is None
