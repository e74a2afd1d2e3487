"""`doctor --repair`: what can be rebuilt is, what can't is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rag.__main__ import main
from rag.database import DATABASE_NAME
from rag.dense import open_index
from rag.errors import StoreError
from rag.repair import repair
from rag.settings import Settings
from rag.store import Store
from tests.rag.stored import put


@pytest.fixture
def store(tmp_path: Path, embedder: Any) -> Store:
    with Store(tmp_path) as opened:
        put(opened, embedder, "a.md", "Fifteen days of paid leave.", "A second passage.")
        put(opened, embedder, "年假.md", "年假每年十五天。")
    return Store(tmp_path)


def mend(store: Store, embedder: Any) -> Any:
    return repair(Settings(store.home), lambda: embedder)


def test_a_sound_store_is_left_alone(store: Store, embedder: Any) -> None:
    """Nothing is changed where nothing is wrong, and no model is asked for."""
    before = store.generation()
    done = repair(Settings(store.home), lambda: pytest.fail("no embedder is needed"))
    assert (done.done, done.again, done.kept) == ((), (), None) and store.generation() == before


def test_the_word_index_is_made_anew(store: Store, embedder: Any) -> None:
    """Missing and stray postings are mended from the passages."""
    store._database.connection.execute("DELETE FROM fts_1 WHERE rowid = 1")
    store._database.connection.execute("INSERT INTO fts_1(rowid, tokens) VALUES(99, 'phantom')")
    assert len(store.verify()) == 2
    assert mend(store, embedder).again == ()
    assert store.verify() == [] and store.lexical_candidates(["leave"], 5) == [1]
    assert store.lexical_candidates(["phantom"], 5) == []


def test_a_damaged_vector_is_embedded_again(store: Store, embedder: Any) -> None:
    """A vector whose text is whole is made anew, and finds its passage as before."""
    store._database.connection.execute("UPDATE vector SET value = zeroblob(4096) WHERE id = 1")
    assert "a.md is damaged" in store.verify()[0]
    assert mend(store, embedder).again == () and store.verify() == []
    index = open_index(store, embedder)
    assert index.search(embedder.embed_query("Fifteen days of paid leave."), 1)[0][0] == 1


def test_a_damaged_text_is_named_and_read_again(store: Store, embedder: Any) -> None:
    """A document whose words are not what was stored goes, is named with its folder, and counts as unread."""
    store._database.connection.execute("UPDATE chunk SET text = 'Fifty days of paid leave.' WHERE id = 1")
    assert store.chunks_by_id([1]) == {}  # before anything is mended, it never reaches a prompt
    found = mend(store, embedder)
    assert (found.again, found.roots) == (("a.md",), ("/documents",))
    assert [document.name for document in store.documents()] == ["年假.md"]
    assert store.verify() == [] and store.files("/documents")["a.md"].sha256 == ""
    put(store, embedder, "a.md", "Fifteen days of paid leave.")
    assert store.verify() == [] and store.counts() == (2, 2)


def test_without_the_model_the_document_is_named(store: Store, embedder: Any) -> None:
    """Where a vector can't be made anew, its document is taken out and named, not left half found."""
    store._database.connection.execute("UPDATE vector SET value = zeroblob(4096) WHERE id = 1")

    def missing() -> Any:
        raise StoreError("no model")

    assert repair(Settings(store.home), missing).again == ("a.md",) and store.verify() == []


def test_an_open_app_is_not_cut_off(store: Store, embedder: Any) -> None:
    """A damaged file that another program has open is not set aside under it."""
    path = store.home / "workspace" / DATABASE_NAME
    store.settle()
    store.close()
    raw = bytearray(path.read_bytes())
    for page in range(8, len(raw) // 8192):
        raw[page * 8192 : page * 8192 + 100] = bytes(100)
    path.write_bytes(raw)
    other = Store(store.home)
    assert other.generation() >= 0
    with pytest.raises(StoreError, match="Stop the app"):
        mend(store, embedder)
    other.close()
    assert mend(store, embedder).kept
    with Store(store.home) as mended:
        assert mended.verify() == []


def test_the_command_says_what_to_type(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """The report names what was damaged and the command that takes it in again; without --repair nothing changes."""
    store._database.connection.execute("UPDATE chunk SET text = 'x' WHERE id = 3")
    home = ["--home", str(store.home)]
    assert main(["doctor", *home]) == 1
    assert "年假.md is damaged. Type `python -m rag doctor --repair`." in capsys.readouterr().out
    main(["doctor", "--repair", *home])
    said = capsys.readouterr().out
    assert "taken out: 年假.md" in said and "python -m ingest /documents" in said
