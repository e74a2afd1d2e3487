"""The library page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from scripted import ScriptedPipeline
from streamlit.testing.v1 import AppTest

from rag.store import Store
from ui.resources import Services

Start = Callable[..., tuple[AppTest, Services]]


def draw() -> None:
    """The library page, as the app draws it."""
    from rag.access import OWNER
    from ui import frame, library, resources
    from ui.text import Say

    with resources.errors_shown():
        library.page(frame.enter_kb(resources.services(), OWNER, Say("en")))


@pytest.fixture
def pipeline(exact_embedder: type) -> ScriptedPipeline:
    """A scripted pipeline whose embedder really embeds."""
    scripted = ScriptedPipeline()
    scripted.embedder = exact_embedder()
    return scripted


def names(services: Services) -> set[str]:
    """The names of all documents."""
    with Store(services.settings.home) as store:
        return {document.name for document in store.documents()}


def test_dropped_files_are_ingested_and_get_verdicts(start: Start, filled: Path, pipeline: ScriptedPipeline) -> None:
    """Files dropped on the page are in the knowledge base afterwards; one without text gets its reason."""
    app, services = start(pipeline, page=draw)
    dropped = [("新闻.txt", "杭州今天下雨。".encode(), "text/plain"), ("no.txt", b"", "text/plain")]
    app.file_uploader[0].set_value(dropped).run()
    assert services.ingest is not None
    assert services.ingest.wait(60)
    app.run()
    assert not app.exception
    assert "新闻.txt" in names(services)
    verdicts = {verdict.file: verdict.state for verdict in services.ingest.progress.verdicts}
    assert verdicts == {"新闻.txt": "indexed", "no.txt": "empty"}


def test_a_rerun_ingests_nothing_twice(start: Start, filled: Path, pipeline: ScriptedPipeline) -> None:
    """Drawing the page again and again starts no second ingest."""
    app, services = start(pipeline, page=draw)
    app.file_uploader[0].set_value([("a.txt", b"Rain in Hangzhou.", "text/plain")]).run()
    first = services.ingest
    app.run()
    assert first is not None
    assert first.wait(60)
    app.run().run()
    assert services.ingest is first


def test_a_document_is_not_deleted_by_one_click(start: Start, filled: Path, pipeline: ScriptedPipeline) -> None:
    """Delete asks first, naming the document."""
    app, services = start(pipeline, page=draw)
    app.button(key="delete-量化.txt").click().run()
    assert any("Delete “量化" in element.value for element in app.markdown)
    assert app.button(key="sure")
    assert "量化.txt" in names(services)


def test_a_documents_chunks_can_be_read(start: Start, filled: Path, pipeline: ScriptedPipeline) -> None:
    """The passages that a document was split into can be looked at."""
    app, _ = start(pipeline, page=draw)
    app.button(key="chunks-adapters.md").click().run()
    assert any("two small matrices" in element.value for element in app.markdown)


def test_an_upload_waits_for_another_ingest(start: Start, filled: Path, pipeline: ScriptedPipeline) -> None:
    """An upload while another ingest writes is not lost: it waits, and is taken in when the other has ended."""
    app, services = start(pipeline, page=draw)
    with Store(services.settings.home) as store, store.write_lock():
        app.file_uploader[0].set_value([("a.txt", b"Rain in Hangzhou.", "text/plain")]).run()
        assert services.ingest is not None
        assert not services.ingest.wait(2)
    assert services.ingest.wait(60)
    app.run()
    assert not app.error and not app.exception
    with Store(services.settings.home) as store:
        assert "a.txt" in [document.name for document in store.documents()]
