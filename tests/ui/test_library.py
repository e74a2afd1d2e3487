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
