"""Where the page may be opened, and with which of Streamlit's options."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from rag import serve as module
from rag.__main__ import main
from rag.serve import Serving, came_from_outside, flags, refusal
from rag.settings import AccessSettings, Settings
from rag.users import Users


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[list[str], dict[str, str]]]:
    """The commands and environments that would have been started; no identity provider is set up."""
    calls: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], *, env: dict[str, str], cwd: Path) -> Any:
        calls.append((command, env))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(module.subprocess, "run", run)
    monkeypatch.setattr(module, "oidc_configured", lambda: False)
    return calls


@pytest.mark.parametrize(
    "place",
    [
        ["--address", "0.0.0.0"],
        ["--address", "::"],
        ["--address", "192.168.1.20"],
        ["--address", "kb.example.org"],
        ["--host", "kb.example.org"],
        ["--address", "0.0.0.0", "--host", "kb.example.org"],
    ],
)
def test_nobody_is_let_in_unasked(
    tmp_path: Path, started: list[Any], capsys: pytest.CaptureFixture[str], place: list[str]
) -> None:
    """A place that others can reach is refused with 2 and what to type, until somebody can sign in."""
    assert main(["serve", *place, "--home", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "rag users add" in said.err and started == []


def test_with_people_everybody_signs_in(tmp_path: Path, started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Once there are users, an address is served under its own name, and a proxy's name on loopback; both ask everybody."""
    monkeypatch.delenv("FOOTNOTE_ACCESS_SIGN_IN", raising=False)
    Users(tmp_path).add("ada", "admin")
    assert main(["serve", "--address", "192.168.1.20", "--home", str(tmp_path)]) == 0
    assert main(["serve", "--host", "kb.example.org", "--home", str(tmp_path)]) == 0
    assert main(["serve", "--home", str(tmp_path)]) == 0
    (lan, proxied, own) = started
    assert _values(lan[0], "server.allowedHosts") == ["192.168.1.20"]
    assert _values(proxied[0], "server.address") == ["127.0.0.1"]
    assert _values(proxied[0], "server.allowedHosts") == ["kb.example.org", "127.0.0.1", "localhost", "::1"]
    assert [env.get("FOOTNOTE_ACCESS_SIGN_IN") for _, env in started] == ["always", "always", None]
    assert own[1]["FOOTNOTE_HOME"] == str(tmp_path)


def test_every_address_needs_names(tmp_path: Path, started: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    """0.0.0.0 says nothing about the names people type, and without names anybody's would do: they must be given."""
    Users(tmp_path).add("ada", "admin")
    assert main(["serve", "--address", "0.0.0.0", "--home", str(tmp_path)]) == 2
    assert "--host" in capsys.readouterr().err
    assert main(["serve", "--address", "0.0.0.0", "--host", "10.0.0.7", "--home", str(tmp_path)]) == 0
    assert _values(started[0][0], "server.allowedHosts") == ["10.0.0.7"]


def test_always_holds_on_loopback(tmp_path: Path, started: list[Any]) -> None:
    """With sign_in = "always" even loopback is refused until somebody can sign in."""
    always = Settings(tmp_path, access=AccessSettings("always"))
    assert "users add" in refusal(Serving(), always)
    assert refusal(Serving(), Settings(tmp_path)) == ""
    Users(tmp_path).add("ada", "admin")
    assert refusal(Serving(), always) == ""


def test_an_identity_provider_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secrets.toml with [auth] counts, one without, a broken one or none doesn't."""
    monkeypatch.setattr(module, "_APP", tmp_path / "app.py")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    folder = tmp_path / ".streamlit"
    folder.mkdir()
    for text, seen in (("", False), ("[other]\nx = 1", False), ("[auth", False), ("[auth]\nclient_id = 'x'", True)):
        (folder / "secrets.toml").write_text(text)
        assert module.oidc_configured() is seen


def test_the_unsafe_defaults_are_set_right() -> None:
    """Each of Streamlit's options that matters is said outright, so that no config.toml of the user's decides it."""
    from streamlit import config

    said = flags(Serving(), Settings(Path("data")))
    known = config._config_options_template
    assert all(name.removeprefix("--") in known for name in said[::2])
    assert {name: _values(said, name)[0] for name in (
        "server.address", "server.enableCORS", "server.enableXsrfProtection", "server.enableStaticServing",
        "server.enableAgentApi", "server.trustedUserHeaders", "server.maxUploadSize", "client.showErrorDetails",
        "browser.gatherUsageStats", "browser.serverAddress", "global.developmentMode",
    )} == {
        "server.address": "127.0.0.1", "server.enableCORS": "true", "server.enableXsrfProtection": "true",
        "server.enableStaticServing": "false", "server.enableAgentApi": "false", "server.trustedUserHeaders": "{}",
        "server.maxUploadSize": "200", "client.showErrorDetails": "none", "browser.gatherUsageStats": "false",
        "browser.serverAddress": "127.0.0.1", "global.developmentMode": "false",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "outside"),
    [
        ({"Host": "127.0.0.1:8501"}, False),
        ({"Host": "localhost:8501"}, False),
        ({"host": "[::1]:8501"}, False),
        ({"Host": "kb.example.org"}, True),
        ({"Host": "192.168.1.20:8501"}, True),
        ({"Host": "127.0.0.1.evil.example"}, True),
        ({"Host": "localhost", "X-Forwarded-For": "10.0.0.9"}, True),
        ({"Host": "localhost", "forwarded": "for=10.0.0.9"}, True),
        ({"Host": "localhost", "Via": "1.1 proxy"}, True),
    ],
)
def test_a_proxy_shows(headers: dict[str, str], outside: bool) -> None:
    """A request that was passed on, or that names another host, is somebody else's though it comes from loopback."""
    assert came_from_outside(headers) is outside


def _values(command: list[str], option: str) -> list[str]:
    return [command[at + 1] for at, word in enumerate(command) if word == f"--{option}"]


def test_the_app_started_by_hand_is_as_safe() -> None:
    """`streamlit run app.py` gets from config.toml what `serve` says by flags, and listens on this machine only."""
    import tomllib

    text = (Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    said = flags(Serving(), Settings(Path("data")))
    options = {name.removeprefix("--") for name in said[::2]} - {"server.port", "global.developmentMode"}
    for option in options:
        section, _, name = option.partition(".")
        written = tomllib.loads(text)[section][name]
        values = written if isinstance(written, list) else [written]
        assert [str(value).lower() for value in values] == [v.lower() for v in _values(said, option)], option
