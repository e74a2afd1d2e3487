"""Settings: where a value comes from, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import CONFIG_NAME, cache, load_settings, overrides, save_settings

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


def test_saving_keeps_what_else_stands_there(tmp_path: Path) -> None:
    """Comments, order and other settings of the user's file stay; a value that is taken out is the default again."""
    path = tmp_path / CONFIG_NAME
    path.write_text(
        "# mine\n[llm]\nmodel = 'a.gguf'  # good\ncontext = 2048\n\n[answers]\nstrictness = 0.2\n", encoding="utf-8"
    )
    save_settings(tmp_path, {"llm.context": None, "answers.strictness": 0.5, "retrieval.k": 6}, environment={})
    assert path.read_text(encoding="utf-8").startswith("# mine\n[llm]\nmodel = 'a.gguf'  # good\n")
    saved = load_settings(tmp_path, environment={})
    assert (saved.llm.context, saved.answers.strictness, saved.retrieval.k) == (4096, 0.5, 6)


@pytest.mark.parametrize("changes", [{"llm.max_tokens": 9000}, {"answers.strictness": 3.0}, {"llm.colour": "red"}])
def test_what_makes_no_sense_is_not_written(
    tmp_path: Path, changes: dict[str, str | int | float | bool | None]
) -> None:
    """Settings that contradict each other, or that there are not, are refused, and the file stays as it was."""
    save_settings(tmp_path, {"retrieval.k": 6}, environment={})
    before = (tmp_path / CONFIG_NAME).read_bytes()
    with pytest.raises(SettingsError):
        save_settings(tmp_path, changes, environment={})
    assert (tmp_path / CONFIG_NAME).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [CONFIG_NAME]


def test_a_file_with_a_key_is_closed_to_others(tmp_path: Path) -> None:
    """Nobody else may read a settings file once a key is in it."""
    (tmp_path / CONFIG_NAME).touch(0o644)
    save_settings(tmp_path, {"llm.api_key": "sk-1"}, environment={})
    assert (tmp_path / CONFIG_NAME).stat().st_mode & 0o077 == 0
