"""The library page: the list, one document, the search tester, knowledge bases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from scripted import ScriptedPipeline
from streamlit.testing.v1 import AppTest

from rag.access import User
from rag.errors import AccessError
from rag.kbs import create_kb
from rag.store import Store
from rag.types import StoredDocument
from ui import gate
from ui.library import delete, include, sought
from ui.resources import Services
from ui.session import Session
from ui.text import Say

Start = Callable[..., tuple[AppTest, Services]]
READER = User("ada", "reader", frozenset({"default"}))
CURATOR = User("bo", "curator", frozenset({"default"}))
OWNER = User("", "admin")


def draw() -> None:
    """The library page for whoever is at the gate."""
    from ui import frame, gate, library, resources
    from ui.text import Say

    say = Say(frame.chosen_language())
    with resources.errors_shown():
        library.page(frame.enter_kb(resources.services(), gate.enter(say), say))


def draw_search() -> None:
    """The search tester for whoever is at the gate."""
    from ui import frame, gate, resources, search
    from ui.text import Say

    say = Say(frame.chosen_language())
    with resources.errors_shown():
        search.page(frame.enter_kb(resources.services(), gate.enter(say), say))


def texts(app: AppTest) -> str:
    """All titles, Markdown and captions of the page."""
    return "\n".join(element.value for element in [*app.title, *app.markdown, *app.caption])


def keys(app: AppTest) -> set[str]:
    """The keys of all buttons on the page."""
    return {str(button.key) for button in app.button}


def test_a_document_opens_with_its_own_address(start: Start, filled: Path) -> None:
    """A click on a name shows the document; its address alone brings it back, and leads back to the list."""
    app, _ = start(page=draw)
    app.button(key="open-adapters.md").click().run()
    assert app.query_params["d"] in ("adapters.md", ["adapters.md"])
    assert "two small matrices" in texts(app)
    app.button(key="back").click().run()
    assert "d" not in app.query_params and app.button(key="open-adapters.md")


def test_a_document_that_is_gone_is_told(start: Start, filled: Path) -> None:
    """An address of a deleted document says so instead of failing."""
    app, services = start(page=draw)
    app.query_params["d"] = "adapters.md"
    with Store(services.settings.home) as store:
        store.delete("adapters.md")
    app.run()
    assert "no longer in the knowledge base" in app.info[0].value and not app.exception


def test_deleting_twice_is_deleting_once(start: Start, filled: Path) -> None:
    """Where another tab was first, the document is simply gone."""
    _, services = start(page=draw)
    session = Session(services, OWNER, Say("en"), "default")
    assert delete(session, ["adapters.md"]).names == ("adapters.md",)
    assert delete(session, ["adapters.md", "量化.txt"]).names == ("量化.txt", "adapters.md")
    with Store(filled) as store:
        assert not store.documents()


def test_nothing_is_deleted_by_one_click(start: Start, filled: Path) -> None:
    """Delete asks first, naming the document."""
    app, services = start(page=draw)
    app.query_params["d"] = "量化.txt"
    app.run().button(key="delete-document").click().run()
    assert "Delete “量化" in texts(app) and app.button(key="sure")
    with Store(services.settings.home) as store:
        assert store.document("量化.txt")


def test_a_deleted_document_can_be_taken_in_again(start: Start, filled: Path) -> None:
    """A document whose file is still in its folder is listed as deleted, and comes back when asked for."""
    app, services = start(page=draw)
    session = Session(services, OWNER, Say("en"), "default")
    delete(session, ["adapters.md"])
    app.run()
    assert app.button(key="include-adapters.md")
    include(session, "adapters.md")
    assert services.ingests["default"].wait(60)
    with Store(filled) as store:
        assert store.document("adapters.md")


def test_several_documents_are_tagged_and_read_again(start: Start, filled: Path) -> None:
    """Chosen documents can be tagged at once, and their files read again."""
    app, services = start(page=draw)
    for name in ("adapters.md", "量化.txt"):
        app.checkbox(key=f"choose-{name}").check().run()
    assert "2 chosen" in texts(app)
    next(box for box in app.text_input if box.label == "Tag").set_value("model")
    next(button for button in app.button if button.label == "Add tag").click().run()
    with Store(filled) as store:
        assert [document.tags for document in store.documents()] == [("model",)] * 2
    app.button(key="reread-chosen").click().run()
    assert services.ingests["default"].wait(60)
    found = {verdict.file: verdict.state for verdict in services.ingests["default"].progress.verdicts}
    assert set(found) >= {"adapters.md", "量化.txt"} and "set aside" not in found.values()


def test_words_are_found_inside_a_document(start: Start, filled: Path) -> None:
    """The search inside counts the places, whatever their case."""
    app, _ = start(page=draw)
    app.query_params["d"] = "adapters.md"
    app.run().text_input(key="inside").set_value("TWO SMALL").run()
    assert "1 places" in texts(app)


@pytest.mark.parametrize(
    ("words", "types", "tags", "found"),
    [
        ("", [], [], ["A.md", "b/合同.PDF"]),
        ("合同", [], [], ["b/合同.PDF"]),
        ("first", [], [], ["A.md"]),
        ("", ["pdf"], [], ["b/合同.PDF"]),
        ("", [], ["hr"], ["A.md"]),
        ("a", ["pdf"], ["hr"], []),
    ],
)
def test_the_list_is_narrowed(words: str, types: list[str], tags: list[str], found: list[str]) -> None:
    """By words of name or title, by type and by tag; restrictions add up."""
    documents = [
        StoredDocument("A.md", "The first", "indexed", "", 1, 1, tags=("hr",)),
        StoredDocument("b/合同.PDF", "Lease", "indexed", "", 1, 1),
    ]
    assert [document.name for document in sought(documents, words, types, tags)] == found


@pytest.mark.parametrize(
    ("user", "may"),
    [(READER, set()), (CURATOR, {"delete-document", "reread"}), (OWNER, {"delete-document", "reread"})],
    ids=["reader", "curator", "owner"],
)
def test_who_may_change_a_document(
    start: Start, filled: Path, monkeypatch: pytest.MonkeyPatch, user: User, may: set[str]
) -> None:
    """Readers see a document and its file; only curators and admins see what changes it."""
    monkeypatch.setattr(gate, "enter", lambda say: user)
    app, services = start(page=draw)
    assert bool(app.file_uploader) == bool(may)
    app.query_params["d"] = "adapters.md"
    app.run()
    assert app.get("download_button")
    assert keys(app) & {"delete-document", "reread"} == may
    if not may:
        with pytest.raises(AccessError):
            delete(Session(services, user, Say("en"), "default"), ["adapters.md"])


def test_the_address_opens_no_knowledge_base_of_others(
    start: Start, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A knowledge base named in the address is opened only by whom it is shared with."""
    create_kb(filled, "board", OWNER)
    monkeypatch.setattr(gate, "enter", lambda say: READER)
    app, _ = start(page=draw)
    app.query_params["kb"] = "board"
    app.run()
    assert app.button(key="open-adapters.md")


def test_the_search_tester_says_why(start: Start, filled: Path) -> None:
    """Passages in the mixed order with what their score is made of, the two rankings, and the likely outcome."""
    app, _ = start(ScriptedPipeline(), page=draw_search)
    app.text_input(key="tester-question").set_value("How much memory?").run()
    assert not app.exception
    assert "Would answer: 90% likely" in texts(app).replace("\\", "")
    assert texts(app).count("× words") == 2
    assert "By meaning" in texts(app) and "By words" in texts(app)
