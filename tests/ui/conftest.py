"""The page without a browser: the real app, stores and ingest, with a scripted pipeline where the models would be."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import streamlit as st
from scripted import ScriptedPipeline
from streamlit import config
from streamlit.testing.v1 import AppTest

from rag.settings import IngestSettings, Settings
from ui import resources
from ui.resources import Services

ROOT = Path(__file__).resolve().parents[2]
START = Callable[..., tuple[AppTest, Services]]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exact_embedder: type) -> START:
    """``start(pipeline, locale=…, page=…)`` opens the app on an empty home: the page as it is and its services."""

    def begin(
        pipeline: ScriptedPipeline | None = None,
        *,
        locale: str = "en-US",
        page: Callable[[], None] | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> tuple[AppTest, Services]:
        services = Services(
            Settings(home=tmp_path, ingest=IngestSettings(**(settings or {}))),
            lambda settings, embedder: pipeline or ScriptedPipeline(),
            lambda settings: exact_embedder(),
        )
        services.ingest_command = (sys.executable, str(Path(__file__).with_name("ingest_child.py")))
        monkeypatch.setattr(resources, "make_services", lambda: services)
        monkeypatch.setattr(Services, "missing_models", lambda self: [])
        st.cache_resource.clear()
        app = AppTest.from_function(page) if page else AppTest.from_file(str(ROOT / "app.py"))
        app.default_timeout = 30
        app.context = {"locale": locale}
        return app.run(), services

    config.set_option("server.address", "127.0.0.1")
    return begin


@pytest.fixture
def filled(tmp_path: Path, exact_embedder: type) -> Path:
    """A home whose knowledge base holds two small documents, one in each language."""
    from ingest.sync import synchronise
    from rag.store import Store

    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "adapters.md").write_text("# Adapters\n\nLoRA trains two small matrices.\n", encoding="utf-8")
    (folder / "量化.txt").write_text("四比特量化让模型能在笔记本电脑上运行。\n", encoding="utf-8")
    with Store(tmp_path) as store:
        synchronise(Settings(home=tmp_path), [folder], store=store, embedder=exact_embedder())
    return tmp_path
