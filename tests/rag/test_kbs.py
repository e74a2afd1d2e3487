"""Knowledge bases made, renamed and deleted, whatever comes in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.collected import collect, sets_folder
from evaluation.dataset import Question
from rag import kbs
from rag.access import OWNER, User
from rag.conversations import Conversations
from rag.database import Database
from rag.errors import AccessError, SettingsError, StoreError, StoreLockedError
from rag.kbs import create_kb, delete_kb, rename_kb
from rag.store import Store, uploads_folder
from rag.types import Filter
from rag.users import Users
from tests.rag.stored import put


@pytest.fixture
def home(tmp_path: Path, embedder: Any) -> Path:
    """A home whose knowledge base "old" holds a document, an upload, a question and a grant."""
    with Store(tmp_path, "old") as store:
        put(store, embedder, "a.md", "Fifteen days of paid leave.")
    uploads_folder(tmp_path, "old").mkdir(parents=True)
    (uploads_folder(tmp_path, "old") / "a.txt").write_text("upload", encoding="utf-8")
    collect(tmp_path, "old", Question("1", "Who?", ("Ada",)))
    with Users(tmp_path) as users:
        users.add("ada", "reader", ("old", "other"), "a long password")
    Conversations(tmp_path).create("leave", Filter(kbs=("old",)))
    return tmp_path


def check_renamed(home: Path) -> None:
    """All that belongs to the knowledge base is found under its new name, and nothing under the old one."""
    with Store(home, "new") as store:
        assert store.kbs() == ["new"]
        assert store.document_text("a.md").startswith("Fifteen days")
    assert (uploads_folder(home, "new") / "a.txt").read_text(encoding="utf-8") == "upload"
    assert not uploads_folder(home, "old").exists()
    assert list(sets_folder(home, "new").iterdir())
    [number] = [conversation.id for conversation in Conversations(home).all()]
    assert Conversations(home).scope(number).kbs == ("new",)
    [row] = Database(home).rows("SELECT kbs FROM user")
    assert sorted(json.loads(row[0])) == ["new", "other"]


def test_everything_goes_along_with_a_new_name(home: Path) -> None:
    """Documents, uploads, questions, grants and what conversations ask follow the name."""
    rename_kb(home, "old", "new", OWNER)
    check_renamed(home)


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_a_renaming_that_is_cut_off_is_completed(home: Path, monkeypatch: pytest.MonkeyPatch, moves: int) -> None:
    """A program that ends after any number of moved folders loses nothing: opening the store brings it to its end."""
    real, left = kbs.os.replace, [moves]

    def replace(source: Path, target: Path) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(source, target)

    monkeypatch.setattr(kbs.os, "replace", replace)
    if moves < 2:
        with pytest.raises(KeyboardInterrupt):
            rename_kb(home, "old", "new", OWNER)
    else:  # all folders are moved, the names are not
        monkeypatch.setattr(Database, "transaction", _ended_at_the_second(Database.transaction))
        with pytest.raises(KeyboardInterrupt):
            rename_kb(home, "old", "new", OWNER)
    monkeypatch.undo()
    check_renamed(home)


def _ended_at_the_second(real: Any) -> Any:
    calls = [0]

    def transaction(self: Database) -> Any:
        calls[0] += 1
        if calls[0] == 2:
            raise KeyboardInterrupt
        return real(self)

    return transaction


def test_a_deleted_knowledge_base_leaves_nothing(home: Path) -> None:
    """Documents, uploads and questions are gone; a new one of the name begins empty and is shared with nobody."""
    delete_kb(home, "old", OWNER)
    assert not uploads_folder(home, "old").exists() and not sets_folder(home, "old").exists()
    create_kb(home, "old", OWNER)
    with Store(home, "old") as store:
        assert store.counts() == (0, 0)
    [row] = Database(home).rows("SELECT kbs FROM user")
    assert json.loads(row[0]) == ["other"]


def test_only_admins_do_that(home: Path) -> None:
    """A curator neither makes nor renames nor deletes a knowledge base."""
    curator = User("bo", "curator", frozenset({"old"}))
    for act in (
        lambda: create_kb(home, "mine", curator),
        lambda: rename_kb(home, "old", "mine", curator),
        lambda: delete_kb(home, "old", curator),
        lambda: Store(home, "old", curator).delete_kb(),
    ):
        with pytest.raises(AccessError):
            act()


def test_names_that_are_none_or_taken_are_refused(home: Path) -> None:
    """A name in use and one that could be a path are refused before anything moves."""
    create_kb(home, "taken", OWNER)
    with pytest.raises(StoreError):
        rename_kb(home, "old", "taken", OWNER)
    with pytest.raises(StoreError):
        create_kb(home, "taken", OWNER)
    with pytest.raises(SettingsError):
        rename_kb(home, "old", "../out", OWNER)


def test_nothing_is_renamed_under_a_running_ingest(home: Path) -> None:
    """While documents are being added the name stays."""
    with Store(home, "old") as store, store.write_lock():
        with pytest.raises(StoreLockedError):
            rename_kb(home, "old", "new", OWNER)
        with pytest.raises(StoreLockedError):
            delete_kb(home, "old", OWNER)
