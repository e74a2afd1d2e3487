"""Who may read and change what: held by the store itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rag.access import OWNER, User
from rag.errors import AccessError
from rag.pipeline import Pipeline
from rag.settings import Settings
from rag.store import Store
from rag.types import Filter

READER = User("ada", "reader", frozenset({"open"}))
CURATOR = User("bo", "curator", frozenset({"open"}))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two knowledge bases, each with a tagless file known to it."""
    for kb in ("open", "secret"):
        with Store(tmp_path, kb) as store:
            store.remember_root(str(tmp_path / kb))
    return tmp_path


def test_a_knowledge_base_that_is_not_granted_cannot_be_read(home: Path) -> None:
    """Neither opened, nor reached from another one, nor listed."""
    with pytest.raises(AccessError):
        Store(home, "secret", READER)
    with Store(home, "open", READER) as store:
        assert store.kbs() == ["open"]
        with pytest.raises(AccessError):
            store.beside("secret")
    with Store(home) as store, pytest.raises(AccessError):
        store.seen_by(CURATOR, "secret")


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.delete_kb(),
        lambda store: store.remember_root("/elsewhere"),
        lambda store: store.delete("a.txt"),
        lambda store: store.tag("a.txt", ["x"]),
        lambda store: store.include("a.txt"),
        lambda store: store.write_lock(),
        lambda store: store.write_note("key", "value"),
    ],
)
def test_a_reader_changes_nothing(home: Path, write: Callable[[Store], object]) -> None:
    """Whatever writes to a knowledge base is refused to a reader before anything is written."""
    with Store(home, "open", READER) as store, pytest.raises(AccessError):
        write(store)


def test_a_curator_changes_what_is_granted(home: Path) -> None:
    """A curator writes to a granted knowledge base, an admin to any."""
    with Store(home, "open", CURATOR) as store:
        store.write_note("key", "value")
        assert store.note("key") == "value"
    with Store(home, "secret", User("eve", "admin")) as store:
        store.write_note("key", "value")


def test_a_question_reaches_no_other_knowledge_base(home: Path, exact_embedder: type) -> None:
    """A question is searched in granted knowledge bases only, whatever its filter names."""
    pipeline = Pipeline(Settings(home), Store(home), exact_embedder(), None)
    seen = pipeline.seen_by(READER, "open")
    for asked in ("Who earns what?", "What documents do you have?"):
        with pytest.raises(AccessError):
            seen.retrieve(asked, filter=Filter(kbs=("open", "secret")))
    with pytest.raises(AccessError):
        pipeline.seen_by(READER, "secret")
    assert pipeline.store.user == OWNER
