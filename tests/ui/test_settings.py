"""The settings page: what is saved, tried, previewed, and who sees what."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from scripted import ScriptedPipeline
from streamlit.testing.v1 import AppTest

from rag.access import User
from rag.conversations import Conversations
from rag.settings import CONFIG_NAME, load_settings, save_settings
from tests.rag.fake_openai import serving
from ui import gate
from ui.resources import Services

Start = Callable[..., tuple[AppTest, Services]]
KEY = "sk-very-secret-key"


def draw() -> None:
    """The settings page for whoever is at the gate."""
    from ui import frame, gate, resources, settings
    from ui.text import Say

    say = Say(frame.chosen_language())
    with resources.errors_shown():
        settings.page(frame.enter_kb(resources.services(), gate.enter(say), say))


def shown(app: AppTest) -> str:
    """Every text on the page, and the values of its boxes."""
    texts = [element.value for element in [*app.markdown, *app.caption, *app.error, *app.success]]
    boxes = [f"{box.label} {box.value} {box.placeholder}" for box in app.text_input]
    return "\n".join([*texts, *boxes])


def box(app: AppTest, label: str) -> object:
    """The text box of a label."""
    return next(element for element in app.text_input if element.label == label)


@pytest.mark.parametrize(("locale", "title"), [("zh-CN", "设置"), ("en-US", "Settings")])
def test_the_page_says_where_text_goes(start: Start, filled: Path, locale: str, title: str) -> None:
    """The page says that nothing leaves the machine, and where the data lies."""
    app, _ = start(locale=locale, page=draw)
    assert not app.exception
    assert app.title[0].value == title
    assert "sent nowhere" in shown(app) or "不会发送到任何地方" in shown(app)
    assert CONFIG_NAME in shown(app).replace("\\", "")


def test_a_reader_sees_no_path_and_no_model(start: Start, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is no admin chooses language and theme and is told where text goes; nothing else."""
    monkeypatch.setattr(gate, "enter", lambda say: User("ada", "curator", frozenset({"default"})))
    app, _ = start(page=draw)
    assert not app.text_input and not app.slider and not app.get("tab")
    assert str(filled) not in shown(app).replace("\\", "")
    assert app.segmented_control(key="language-settings")
    assert app.button(key="theme-Dark")


def test_a_model_at_an_address_is_tried_and_saved(start: Start, filled: Path) -> None:
    """The trial shows what the model says; saved, the settings are in force without a restart, the key in a closed file."""
    with serving() as server:
        app, services = start(page=draw)
        app.segmented_control(key="llm-kind").set_value("address").run()
        app.text_input(key="llm-address").set_value(server.url)
        app.text_input(key="llm-name").set_value("qwen3:8b")
        app.text_input(key="llm-key-0").set_value(KEY).run()
        app.button(key="try-model").click().run()
        assert services.trial is not None and services.trial.wait(60)
        app.run()
        assert app.success and not app.error
        app.button(key="save-model").click().run()
    assert not app.exception and not app.error
    assert KEY not in shown(app)
    saved = load_settings(filled, environment={})
    assert (saved.llm.model, saved.llm.base_url, saved.llm.api_key) == ("qwen3:8b", server.url, KEY)
    assert services.settings.llm == saved.llm
    assert stat.S_IMODE((filled / CONFIG_NAME).stat().st_mode) == 0o600


def test_a_key_never_comes_back(start: Start, filled: Path) -> None:
    """A stored key is told of and never shown, in no box and no text."""
    save_settings(filled, {"llm.base_url": "http://127.0.0.1:9/v1", "llm.model": "m", "llm.api_key": KEY})
    app, services = start(page=draw)
    services.renew()
    app.segmented_control(key="llm-kind").set_value("address").run()
    assert KEY not in shown(app)
    assert app.text_input(key="llm-key-0").value == ""
    assert "One is stored" in app.text_input(key="llm-key-0").placeholder


def test_another_address_never_gets_the_stored_key(start: Start, filled: Path) -> None:
    """With the address changed the stored key is neither sent in a trial nor kept."""
    save_settings(filled, {"llm.base_url": "http://127.0.0.1:9/v1", "llm.model": "m", "llm.api_key": KEY})
    with serving() as server:
        app, services = start(page=draw)
        services.renew()
        app.segmented_control(key="llm-kind").set_value("address").run()
        app.text_input(key="llm-address").set_value(server.url).run()
        app.button(key="try-model").click().run()
        assert services.trial is not None and services.trial.wait(60)
        assert server.keys and not any(KEY in str(key) for key in server.keys)
        app.button(key="save-model").click().run()
    assert load_settings(filled, environment={}).llm.api_key == ""
    assert KEY not in (filled / CONFIG_NAME).read_text(encoding="utf-8")


def test_an_address_that_does_not_answer_is_one_sentence(start: Start, filled: Path) -> None:
    """A trial of a dead address says what is wrong, without the key, and saves nothing."""
    app, services = start(page=draw)
    app.segmented_control(key="llm-kind").set_value("address").run()
    app.text_input(key="llm-address").set_value("http://127.0.0.1:9/v1")
    app.text_input(key="llm-name").set_value("m")
    app.text_input(key="llm-key-0").set_value(KEY).run()
    app.button(key="try-model").click().run()
    assert services.trial is not None and services.trial.wait(120)
    app.run()
    assert "127.0.0.1" in app.error[0].value.replace("\\", "") and KEY not in app.error[0].value
    assert not (filled / CONFIG_NAME).exists()


def test_what_the_environment_decides_cannot_be_changed(
    start: Start, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting from the environment is shown as such, greyed out, and never written."""
    monkeypatch.setenv("FOOTNOTE_RETRIEVAL_K", "3")
    app, services = start(page=draw)
    services.renew()
    app.run()
    assert app.slider(key="set-k").disabled
    assert "retrieval\\.k" in shown(app)
    app.slider(key="set-strictness").set_value(0.4).run()
    app.button(key="save-search").click().run()
    assert load_settings(filled, environment={}).answers.strictness == 0.4
    assert "k =" not in (filled / CONFIG_NAME).read_text(encoding="utf-8")


def test_the_preview_compares_and_saves_nothing(start: Start, filled: Path) -> None:
    """The last question is searched with the settings as they are and as they would be; nothing is written."""
    conversations = Conversations(filled)
    number = conversations.create("LoRA")
    conversations.add(number, "user", "Why LoRA?")
    pipeline = ScriptedPipeline()
    app, services = start(pipeline, page=draw)
    assert app.text_input(key="preview-question").value == "Why LoRA?"
    app.button(key="preview-show").click().run()
    app.slider(key="set-k").set_value(9).run()
    assert [settings.retrieval.k for settings in pipeline.tried][-2:] == [services.settings.retrieval.k, 9]
    assert "90% likely" in shown(app).replace("\\", "")
    assert not (filled / CONFIG_NAME).exists()


def test_models_that_stay_are_not_loaded_again(start: Start, filled: Path) -> None:
    """After a change of strictness the loaded model goes on; after another model's name it is loaded anew."""
    pipeline = ScriptedPipeline()
    pipeline.llm = object()
    _, services = start(pipeline, page=draw)
    loaded: list[object] = []
    services._load = lambda settings, embedder, answers, llm: loaded.append(llm) or pipeline
    services.pipeline()
    save_settings(filled, {"answers.strictness": 0.3})
    services.renew()
    services.pipeline()
    save_settings(filled, {"llm.max_tokens": 100})
    services.renew()
    services.pipeline()
    assert loaded == [None, pipeline.llm, None]


def test_another_embedder_says_what_it_costs(start: Start, filled: Path) -> None:
    """Before the embedder is changed the page says how many passages would have to be embedded anew."""
    app, _ = start(page=draw)
    assert "passages there are have to be embedded anew" in shown(app)
    st.cache_resource.clear()
