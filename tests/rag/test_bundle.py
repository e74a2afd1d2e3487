"""The support bundle: enough to find a fault, and nobody's words."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag import logs
from rag.__main__ import main
from rag.bundle import write_bundle
from rag.conversations import Conversations
from rag.errors import RagError
from rag.settings import LLMSettings, LogSettings, Settings
from rag.store import Store
from rag.users import Throttle, Users
from tests.rag.stored import put
from tests.rag.test_logs import handlers  # noqa: F401 (a fixture)

WORDS = (
    "canary-text",
    "canary-name",
    "canary-kb",
    "canary-question",
    "canary-key",
    "canary-home",
    "canary-person",
    "朱鹮",
)


@pytest.fixture
def home(tmp_path: Path, embedder: Any) -> Path:
    """A home with a word of its own in every place that a person can write to."""
    home = tmp_path / "canary-home"
    with Store(home, "canary-kb") as store:
        put(store, embedder, "canary-name 朱鹮.pdf", "canary-text 朱鹮")
        store._database.connection.execute("UPDATE chunk SET text = 'changed'")
    Conversations(home).create("canary-question")
    Users(home).add("canary-person", "admin", (), "correct horse battery")
    settings = replace(Settings(home), log=LogSettings(True), llm=LLMSettings(api_key="canary-key"))
    logs.begin(settings, "rag")
    logs.note("answered", text={"question": "canary-question"}, seconds=1.5)
    Users(home).sign_in("canary-person", "correct horse battery", Throttle())
    (home / "footnote.toml").write_text(
        '[llm]\nmodel = "/home/canary-person/m.gguf"\napi_key = "canary-key"\ncontext = 2048\n'
        '[prompt]\nfile = "canary-name.toml"\n'
    )
    return home


def test_it_holds_facts_and_no_words(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Versions, sizes, counts, what is wrong and the events are in it; no text, name, question, person, path or key is."""
    target = home / "b.zip"
    assert main(["doctor", "--bundle", str(target), "--home", str(home)]) == 0
    with zipfile.ZipFile(target) as packed:
        content = {name: packed.read(name).decode() for name in packed.namelist()}
    assert not [(word, name) for word in WORDS for name, text in content.items() if word in text or word in name]
    facts = json.loads(content["facts.json"])
    assert facts["store"]["knowledge bases"][-1]["types"] == {"pdf": 1}
    assert facts["store"]["wrong"] == {"damaged documents": 1}
    assert facts["settings"]["llm"]["context"] == 2048 and facts["settings"]["llm"]["model"] == "set"
    assert facts["versions"]["SQLite"] and facts["sizes"]["database"] > 0
    assert '"seconds": 1.5' in content["logs/rag.jsonl"]
    with pytest.raises(RagError, match="there already"):
        write_bundle(Settings(home), target)


def test_doctor_shows_sizes_and_settings_but_no_key(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What differs from the defaults is shown, a key as dots."""
    main(["doctor", "--home", str(home)])
    said = capsys.readouterr().out
    assert "Sizes in MB: database" in said and "llm.context = 2048" in said and "llm.api_key = •••" in said
    assert "canary-key" not in said
