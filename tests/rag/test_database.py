"""The schema: an older file is brought up to date whole, or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag import database
from rag.database import DATABASE_NAME, SCHEMA_VERSION, Database
from rag.errors import StoreError
from rag.store import Store
from tests.rag.old_schema import make_schema_1
from tests.rag.stored import put


@pytest.fixture
def old_home(tmp_path: Path, embedder: Any) -> Path:
    """A home whose file has schema 1 and holds a document."""
    make_schema_1(tmp_path, embedder)
    return tmp_path


def columns(home: Path) -> tuple[int, set[str], set[str]]:
    """The file's schema version, its tables and the columns of a file's row, without opening it as a store."""
    connection = database.sqlite.connect(str(home / "workspace" / DATABASE_NAME))
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    fields = {row[1] for row in connection.execute("PRAGMA table_info(file)")}
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return version, tables, fields


def test_the_first_schema_is_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: Any) -> None:
    """A file made by the first schema's own text opens as one of today, and takes documents, dates and tags."""
    monkeypatch.setattr(database, "_STEPS", database._STEPS[:1])
    monkeypatch.setattr(database, "SCHEMA_VERSION", 1)
    Database(tmp_path).close()
    version, tables, fields = columns(tmp_path)
    assert version == 1 and "tag" not in tables and "modified" not in fields
    monkeypatch.undo()
    with Store(tmp_path) as store:
        put(store, embedder, "a.md", "text")
        assert store.tag("a.md", ["t"]) == ("t",) and store.verify() == []
    assert columns(tmp_path)[0] == SCHEMA_VERSION


def test_an_old_file_keeps_its_documents(old_home: Path, embedder: Any) -> None:
    """After the migration all is there as it was, without date or tags, and a tag can be put on."""
    assert columns(old_home)[0] == 1
    with Store(old_home) as store:
        (document,) = store.documents()
        assert (document.name, document.modified, document.tags) == ("a.md", None, ())
        assert store.document_text("a.md") == "Fifteen days of paid leave."
        assert len(store.lexical_candidates(["leave"], 5)) == 1 and store.verify() == []
        assert store.tag("a.md", ["t"]) == ("t",)
    assert columns(old_home)[0] == SCHEMA_VERSION


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_kill_in_the_middle_leaves_the_old_schema(old_home: Path) -> None:
    """SIGKILL between the first change and the end of the migration leaves schema 1 whole; the next start migrates."""
    code = (
        "import os, signal, sys; from pathlib import Path; from rag import database\n"
        "def half(connection, step):\n"
        "    connection.execute('ALTER TABLE file ADD COLUMN modified REAL'); os.kill(os.getpid(), signal.SIGKILL)\n"
        "database._run_each = half; database.Database(Path(sys.argv[1]))"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(old_home)], timeout=60)
    assert killed.returncode == -signal.SIGKILL
    version, tables, fields = columns(old_home)
    assert version == 1 and "tag" not in tables and "modified" not in fields
    with Store(old_home) as store:
        assert store.counts() == (1, 1) and store.verify() == []


def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """Each connection of the store syncs its log at every commit, overwrites what it deletes and minds references."""
    with Store(tmp_path) as store:
        pragmas = ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        assert [store._rows(f"PRAGMA {name}")[0][0] for name in pragmas] == ["wal", 2, 1, 1]


def test_a_newer_file_is_refused(old_home: Path) -> None:
    """A file of a later schema is left alone, with what to do."""
    connection = database.sqlite.connect(str(old_home / "workspace" / DATABASE_NAME))
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StoreError, match="Update Footnote"):
        Store(old_home)


def test_old_answers_go_with_their_documents(old_home: Path) -> None:
    """An answer that was kept before answers knew their documents is found by the names that it shows."""
    with Store(old_home) as store:
        store.close()
    connection = database.sqlite.connect(str(old_home / "workspace" / DATABASE_NAME))
    connection.execute("DROP TABLE message_source")
    connection.execute("INSERT INTO conversation(title, created, updated) VALUES('t', 0, 0)")
    for name in ("a.md", "docs/a.md", "b.md"):
        answer = json.dumps({"passages": [{"document": name}], "trace": {"cut": [{"text": "passed over"}]}})
        connection.execute(
            "INSERT INTO message(conversation_id, role, content, answer) VALUES(1, 'assistant', 'x', ?)", (answer,)
        )
    connection.execute("PRAGMA user_version=6")
    connection.commit()
    connection.close()
    with Store(old_home) as store:
        assert not store._rows("SELECT 1 FROM message WHERE answer LIKE '%passed over%'")
        store.delete("a.md")
        assert [row[0] for row in store._rows("SELECT content FROM message ORDER BY id")] == ["", "", "x"]


def test_the_old_file_is_kept_until_something_is_deleted(old_home: Path, embedder: Any) -> None:
    """Beside the changed file lies the earlier one, whole; a deletion takes it away, with the words that it held."""
    with Store(old_home) as store:
        (copy,) = (old_home / "workspace").glob(f"{DATABASE_NAME}.schema-*")
        assert copy.name.endswith("schema-1") and b"Fifteen days" in copy.read_bytes()
        store.delete("a.md")
    assert not copy.exists()
