"""A deletion that is proved: no word, posting or vector of the document is in any file of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rag.access import User
from rag.conversations import Conversations
from rag.dense import open_index
from rag.erasure import erase
from rag.errors import StoreError
from rag.store import Store
from rag.types import Answer, Citation
from tests.rag.stored import passage, put

SECRET = "The quetzalcoatlus meets the ibis at the reservoir. 朱鹮栖息地在水库以北三公里处。"
KEPT = "Fifteen days of paid leave in each year of service. 每年十五天带薪年假。"


@pytest.fixture
def store(tmp_path: Path, embedder: Any) -> Store:
    with Store(tmp_path) as opened:
        put(opened, embedder, "keep.md", KEPT)
        put(opened, embedder, "secret.md", SECRET, heading="Reservoir")
        open_index(opened, embedder)
    return Store(tmp_path)


def answered(store: Store, name: str) -> None:
    """A conversation in which an answer quotes the document."""
    (chunk,) = store.chunks(name)
    found = passage(chunk.text, name, identity=chunk.id)
    citation = Citation(1, found, chunk.text, 0, len(chunk.text), 0.9)
    answer = Answer("Where?", chunk.text, (), (citation,), (found,), False, "", "en")
    conversations = Conversations(store.home)
    number = conversations.create("Where?")
    conversations.add(number, "assistant", answer.text, answer)


def test_nothing_of_it_is_left(store: Store) -> None:
    """Text, postings, vectors, the index's cache and the answers that quoted it are gone, while others have it open."""
    answered(store, "secret.md")
    other = Store(store.home)
    assert len(other.chunks("secret.md")) == 1
    done = erase(store, ["secret.md"])
    assert (done.names, done.left) == (("secret.md",), ())
    assert done.pieces >= 3 and done.files >= 2
    raw = b"".join(path.read_bytes() for path in store.home.rglob("*") if path.is_file())
    assert not any(word.encode() in raw for word in ("quetzalcoatlus", "朱鹮", "栖息", "reservoir"))
    assert b"Fifteen days" in raw and other.counts() == (1, 1)


def test_what_still_holds_it_is_named(store: Store) -> None:
    """A report that quotes the document is named, since it isn't the store's to change."""
    report = store.home / "reports" / "default" / "r.json"
    report.parent.mkdir(parents=True)
    report.write_text(SECRET, encoding="utf-8")
    assert erase(store, ["secret.md"]).left == (Path("reports/default/r.json"),)


def test_a_guess_tells_nobody_what_others_hold(store: Store, embedder: Any) -> None:
    """Who is no admin learns of words in their own knowledge base's files, never of those of others or of conversations."""
    ours, theirs = (store.home / "reports" / kb / "r.json" for kb in ("default", "board"))
    for path in (ours, theirs):
        path.parent.mkdir(parents=True)
        path.write_text(SECRET, encoding="utf-8")
    Conversations(store.home).create(SECRET)
    curator = store.seen_by(User("bo", "curator", frozenset({"default"})), "default")
    assert erase(curator, ["secret.md"]).left == (Path("reports/default/r.json"),)


def test_words_of_another_document_are_no_trace(store: Store, embedder: Any) -> None:
    """What a second document says as well stays, and isn't called a trace of the first."""
    put(store, embedder, "copy.md", SECRET, heading="Reservoir")
    done = erase(store, ["secret.md"])
    assert done.left == () and store.document_text("copy.md") == SECRET


def test_a_trace_is_found(store: Store) -> None:
    """The search is no formality: bytes that lie in a file beside the database, in any form, are found."""
    (chunk,) = store.chunks("secret.md")
    vector = store.vector_table([chunk.id]).vectors[0].tobytes()
    stray = store.home / "workspace" / "stray.bin"
    stray.write_bytes(b"\0" * 5000 + vector)
    assert erase(store, ["secret.md"]).left == (Path("workspace/stray.bin"),)


def test_an_unknown_name_deletes_nothing(store: Store) -> None:
    """One name of no document is an error; among several it is as good as deleted."""
    with pytest.raises(StoreError, match=r"secret\.md"):
        erase(store, ["secrets.md"])
    assert erase(store, ["gone.md", "secret.md"]).names == ("secret.md",)
