"""Settings: where a value comes from, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import cache, load_settings, overrides

SECRET = "sk-do-not-show"


def write(home: Path, text: str) -> Path:
    (home / "footnote.toml").write_text(text, encoding="utf-8")
    return home


def test_defaults_need_no_file(tmp_path: Path) -> None:
    """An empty home has working defaults: built-in models that stay on this machine."""
    settings = load_settings(tmp_path, environment={})
    assert (settings.kb, settings.llm.remote) == ("default", False)
    assert settings.embedding.model.startswith("builtin:") and settings.llm.model.startswith("builtin:")


def test_the_file_wins_over_the_defaults(tmp_path: Path) -> None:
    """What footnote.toml says is used, what it does not say keeps its default."""
    settings = load_settings(write(tmp_path, "[retrieval]\nk = 9\n"), environment={})
    assert settings.retrieval.k == 9
    assert settings.retrieval.candidates == load_settings(tmp_path / "other", environment={}).retrieval.candidates


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """FOOTNOTE_LLM_BASE_URL is llm.base_url, and decides."""
    write(tmp_path, '[llm]\nbase_url = "http://file/v1"\ntimeout = 5\n')
    environment = {"FOOTNOTE_LLM_BASE_URL": "http://environment/v1", "FOOTNOTE_RETRIEVAL_K": "7"}
    settings = load_settings(tmp_path, environment=environment)
    assert (settings.llm.base_url, settings.llm.timeout, settings.retrieval.k) == ("http://environment/v1", 5.0, 7)
    assert overrides(environment) == {"llm.base_url", "retrieval.k"}


def test_a_flag_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--home and --kb win over FOOTNOTE_HOME and FOOTNOTE_KB."""
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path / "environment"))
    monkeypatch.setenv("FOOTNOTE_KB", "environment")
    assert load_settings().home == tmp_path / "environment"
    assert load_settings().kb == "environment"
    flagged = load_settings(tmp_path / "flag", "flag")
    assert (flagged.home, flagged.kb) == (tmp_path / "flag", "flag")


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    """A variable that is set to nothing changes nothing."""
    assert load_settings(tmp_path, environment={"FOOTNOTE_LLM_MODEL": ""}) == load_settings(tmp_path, environment={})


@pytest.mark.parametrize(
    ("toml", "environment", "named"),
    [
        ("[retrieval]\ntop_k = 3\n", {}, ("retrieval.top_k", "footnote.toml", "candidates", "lexical_weight")),
        ("[retriever]\nk = 3\n", {}, ("retriever", "footnote.toml", "retrieval", "llm")),
        ("k = 3\n", {}, ("'k'", "retrieval")),
        ("", {"FOOTNOTE_RETRIEVAL_TOP_K": "3"}, ("retrieval.top_k", "environment", "candidates")),
        ("", {"FOOTNOTE_TOPK": "3"}, ("FOOTNOTE_TOPK", "RETRIEVAL")),
    ],
)
def test_an_unknown_key_is_an_error(
    tmp_path: Path, toml: str, environment: dict[str, str], named: tuple[str, ...]
) -> None:
    """A misspelt setting is named together with the ones that there are."""
    with pytest.raises(SettingsError) as error:
        load_settings(write(tmp_path, toml), environment=environment)
    assert all(word in str(error.value) for word in named), str(error.value)


@pytest.mark.parametrize(
    "toml",
    ["[retrieval]\nk = 'many'\n", "[retrieval]\nk = true\n", "[retrieval]\nk = -1\n", "[retrieval]\nk = 4.5\n",
     "[retrieval]\nk = inf\n", "[embedding]\ntimeout = 0\n", "[embedding]\napi_key = 3\n",
     "[llm]\ntimeout = nan\n", "[llm]\ntimeout = inf\n", "[llm]\nmodel = 3\n",
     "[llm]\ntimeout = 2020-01-01\n", "[llm]\ntimeout = []\n", "retrieval = 4\n", "[retrieval\n", "\x00"],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_an_error(tmp_path: Path, toml: str) -> None:
    """A wrong type, a negative, broken or endless number and broken TOML each give one sentence, no guess."""
    with pytest.raises(SettingsError):
        load_settings(write(tmp_path, toml), environment={})


@pytest.mark.parametrize("value", ["many", "-1", "4.5", "1e400", "nan", "①"])
def test_a_wrong_value_in_the_environment_is_an_error(tmp_path: Path, value: str) -> None:
    """The environment is checked as the file is, and the message names the setting and the value."""
    with pytest.raises(SettingsError) as error:
        load_settings(tmp_path, environment={"FOOTNOTE_RETRIEVAL_K": value})
    assert "retrieval.k" in str(error.value) and value in str(error.value)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a\\b", "a\nb", "x" * 101])
def test_a_knowledge_base_name_is_no_path(tmp_path: Path, name: str) -> None:
    """A name that could leave its folder is refused; the empty one means the default."""
    if not name:
        assert load_settings(tmp_path, name, environment={}).kb == "default"
        return
    with pytest.raises(SettingsError):
        load_settings(tmp_path, name, environment={})


def test_a_key_is_never_shown(tmp_path: Path) -> None:
    """The API key is neither in the settings' own text nor in any message about them."""
    settings = load_settings(tmp_path, environment={"FOOTNOTE_LLM_API_KEY": SECRET})
    assert settings.llm.api_key == SECRET
    assert SECRET not in repr(settings) and SECRET not in str(settings)
    for toml in (
        f"[llm]\napi_key = ['{SECRET}']\n",
        f"[llm]\napi_key = '{SECRET}'\nbad\n",
        f"[llm]\napi_key = '{SECRET}'\nx = 1\n",
    ):
        with pytest.raises(SettingsError) as error:
            load_settings(write(tmp_path, toml), environment={})
        assert SECRET not in str(error.value)


def test_models_lie_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """$FOOTNOTE_CACHE decides where weights lie, whatever the home is."""
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "weights"))
    assert cache() == tmp_path / "weights"


def test_the_style_of_prompt_is_a_setting(tmp_path: Path) -> None:
    """prompt.style and prompt.file come from the file and the environment like any other setting."""
    home = write(tmp_path, '[prompt]\nstyle = "steps"\n')
    settings = load_settings(home, environment={"FOOTNOTE_PROMPT_FILE": "mine.toml"})
    assert (settings.prompt.style, settings.prompt.file) == ("steps", "mine.toml")
    assert load_settings(tmp_path / "other", environment={}).prompt.style == "short"


def test_an_encoding_must_be_one(tmp_path: Path) -> None:
    """The encoding of undeclared text files is a setting; a name that is none is refused with examples."""
    settings = load_settings(tmp_path, environment={"FOOTNOTE_INGEST_ENCODING": "gb18030"})
    assert settings.ingest.encoding == "gb18030"
    for wrong in ("klingon", "hex"):
        with pytest.raises(SettingsError, match="gb18030"):
            load_settings(tmp_path, environment={"FOOTNOTE_INGEST_ENCODING": wrong})
