"""The store: what it acknowledges is there whole, what is deleted is gone."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.errors import StoreError, StoreLockedError
from rag.store import Store, content_hash
from rag.text import tokens
from rag.types import Page, ParsedDocument
from tests.rag.stored import ROOT, chunks_of, file, put

LEAVE = "Every employee has fifteen days of paid leave."
YEAR_LEAVE = "每位员工享有十五天带薪年假。"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with Store(tmp_path) as opened:
        yield opened


def found(store: Store, question: str) -> set[str]:
    """The documents whose words the question finds."""
    ids = store.lexical_candidates(tokens(question), 10)
    return {chunk.document for chunk in store.chunks_by_id(ids).values()}


def test_a_document_is_given_back_as_it_was(store: Store, embedder: Any) -> None:
    """Text, title, chunks with their offsets, and the words to find it by are all there after put_document."""
    put(store, embedder, "leave.md", LEAVE, YEAR_LEAVE, heading="Leave › 年假")
    assert store.document_text("leave.md") == f"{LEAVE}\n{YEAR_LEAVE}"
    assert [(d.name, d.title, d.chunks, d.state) for d in store.documents()] == [
        ("leave.md", "Leave › 年假", 2, "indexed")
    ]
    for chunk, text in zip(store.chunks("leave.md"), (LEAVE, YEAR_LEAVE), strict=True):
        assert chunk.text == text == store.document_text("leave.md")[chunk.start : chunk.end]
        assert (chunk.document, chunk.heading) == ("leave.md", "Leave › 年假")
    assert found(store, "paid leave") == found(store, "年假") == {"leave.md"}
    assert store.counts() == (1, 2)
    assert store.verify() == []


def test_pages_keep_their_numbers(store: Store, embedder: Any) -> None:
    """Pages come back with number, kind and quality, joined by a form feed in the stored text."""
    pages = (Page(1, "第一页"), Page(2, "| a |", "table"), Page(3, "blurred", "ocr", 0.25))
    document = ParsedDocument("t", pages)
    vectors = embedder.embed_passages([document.text])
    store.put_document(file("p.pdf"), document, chunks_of("p.pdf", (document.text,)), vectors, embedder.fingerprint)
    assert store.document_pages("p.pdf") == pages
    assert store.document_text("p.pdf") == "第一页\f| a |\fblurred"


def test_a_document_is_replaced_whole(store: Store, embedder: Any) -> None:
    """A new version leaves nothing of the old one to be found."""
    put(store, embedder, "a.md", "Old zebra words.", "More of them.")
    put(store, embedder, "a.md", "New giraffe words.")
    assert store.counts() == (1, 1)
    assert (found(store, "zebra"), found(store, "giraffe")) == (set(), {"a.md"})
    assert len(store.vector_table().ids) == 1
    assert store.verify() == []


def test_an_error_in_the_middle_leaves_the_old_version(
    store: Store, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If storing breaks off after the first of two chunks, the old version is there, whole, and the new one isn't."""
    put(store, embedder, "a.md", "Old zebra words.")
    before, generation = store.documents(), store.generation()
    real, calls = tokens, []

    def breaks(text: str) -> list[str]:
        calls.append(text)
        if len(calls) == 2:
            raise OSError("the disk is gone")
        return real(text)

    monkeypatch.setattr("rag.store.tokens", breaks)
    with pytest.raises(OSError, match="disk"):
        put(store, embedder, "a.md", "New giraffe words.", "Second chunk.")
    monkeypatch.undo()
    assert len(calls) == 2
    assert (found(store, "zebra"), found(store, "giraffe")) == ({"a.md"}, set())
    assert (store.documents(), store.generation()) == (before, generation)
    assert store.verify() == []


def test_a_removed_file_is_forgotten(store: Store, embedder: Any) -> None:
    """remove_file takes the document, its words, its vectors and the file's row."""
    put(store, embedder, "a.md", LEAVE)
    put(store, embedder, "b.md", YEAR_LEAVE)
    store.remove_file(ROOT, "a.md")
    assert [d.name for d in store.documents()] == ["b.md"] and set(store.files(ROOT)) == {"b.md"}
    assert found(store, LEAVE) == set()
    assert len(store.vector_table().ids) == 1 and store.verify() == []


def test_a_deleted_document_stays_out_until_it_is_included(store: Store, embedder: Any) -> None:
    """Delete marks the bytes as excluded; include lifts that once, and a name that was never deleted is an error."""
    row = put(store, embedder, "a.md", LEAVE)
    assert store.delete("a.md") == ["a.md"]
    assert store.documents() == [] and found(store, LEAVE) == set()
    assert store.excluded(row.sha256)
    assert store.files(ROOT)["a.md"].state == "removed"
    store.include("a.md")
    assert not store.excluded(row.sha256)
    with pytest.raises(StoreError, match=r"a\.md"):
        store.include("a.md")


@pytest.mark.parametrize("relative", ["list.jsonl", "folder/C#/list.jsonl"])
def test_an_included_record_makes_its_file_be_read_again(store: Store, embedder: Any, relative: str) -> None:
    """A record that is let in again comes back at the next ingest, even where names hold a "#"."""
    put(store, embedder, relative, LEAVE, key="r#1")
    put(store, embedder, relative, YEAR_LEAVE, key="r2")
    put(store, embedder, "other.md", "Other.")
    assert [d.name for d in store.documents()] == [f"{relative}#r#1", f"{relative}#r2", "other.md"]
    document = ParsedDocument(relative, (Page(None, LEAVE),), key="r#1")
    store.delete(f"{relative}#r#1")
    assert store.excluded(content_hash(document))
    assert store.record_hashes(ROOT, relative).keys() == {"r2"}
    store.include(f"{relative}#r#1")
    assert store.files(ROOT)[relative].sha256 == ""
    assert store.files(ROOT)["other.md"].sha256 != ""


def test_an_included_record_of_equal_names_is_read_again(store: Store, embedder: Any) -> None:
    """A record whose file's name another root has, too, is let in again by the name it was deleted by."""
    for root in ("/x/first", "/x/second"):
        put(store, embedder, "list.jsonl", f"{LEAVE} {root}", root=root, key="1")
    store.delete("first/list.jsonl#1")
    store.include("first/list.jsonl#1")
    assert store.files("/x/first")["list.jsonl"].sha256 == ""


def test_equal_names_get_their_roots_name(store: Store, embedder: Any) -> None:
    """Two files of one relative path are told apart by their folder's name, and lose it when one is gone."""
    put(store, embedder, "notes.md", LEAVE, root="/home/x/first")
    put(store, embedder, "notes.md", YEAR_LEAVE, root="/home/x/second")
    put(store, embedder, "notes.md", "Third.", root="/home/y/second")
    names = [d.name for d in store.documents()]
    assert names == ["first/notes.md", "second/notes.md", "y/second/notes.md"]
    assert store.document_text("second/notes.md") == YEAR_LEAVE
    assert found(store, "年假") == {"second/notes.md"}
    store.delete("first/notes.md")
    store.delete("y/second/notes.md")
    assert [d.name for d in store.documents()] == ["notes.md"]


def test_records_of_one_file_are_documents_of_their_own(store: Store, embedder: Any) -> None:
    """Records are named file#key; ending the file drops those that are no longer in it."""
    for key in ("a", "b"):
        put(store, embedder, "r.jsonl", f"Record {key}.", key=key)
    assert [d.name for d in store.documents()] == ["r.jsonl#a", "r.jsonl#b"]
    store.put_file(file("r.jsonl"), keep=["b"])
    assert [d.name for d in store.documents()] == ["r.jsonl#b"]
    assert store.verify() == []


def test_the_generation_grows_with_every_change(store: Store, embedder: Any) -> None:
    """What changes the passages makes the generation larger, and nothing else: an index is not rebuilt for nothing."""
    seen = [store.generation()]
    assert seen == [0]
    changes = [
        lambda: put(store, embedder, "a.md", LEAVE),
        lambda: put(store, embedder, "a.md", YEAR_LEAVE),
        lambda: store.delete("a.md"),
    ]
    for change in changes:
        change()
        seen.append(store.generation())
    assert seen == sorted(set(seen))
    store.remember_root(ROOT)
    store.put_file(file("e.md", state="empty"))
    store.include("a.md")
    assert store.generation() == seen[-1]


def test_the_generation_grows_over_the_end_of_a_knowledge_base(store: Store, embedder: Any) -> None:
    """A knowledge base that is deleted and made anew does not come back to a generation it had before."""
    put(store, embedder, "a.md", LEAVE)
    before = store.generation()
    store.delete_kb()
    put(store, embedder, "b.md", YEAR_LEAVE)
    assert store.generation() > before
    with Store(store.home, "younger") as younger:
        put(younger, embedder, "c.md", YEAR_LEAVE)
        younger.delete_kb()
    before = store.generation()
    store.delete_kb()
    put(store, embedder, "b.md", YEAR_LEAVE)
    assert store.generation() > before


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 0.0, 0.7])
def test_broken_vectors_are_refused(store: Store, embedder: Any, number: float) -> None:
    """A vector that is not finite or not of unit length stores nothing and names the document."""
    vectors = np.full((1, 4), number, np.float32)
    with pytest.raises(StoreError, match=r"chunk 0 of a\.md"):
        store.put_document(
            file("a.md"), ParsedDocument("a", (Page(None, "x"),)), chunks_of("a.md", ("x",)), vectors, "e"
        )
    assert store.counts() == (0, 0)


def test_a_wrong_number_of_vectors_is_refused(store: Store, embedder: Any) -> None:
    """One vector for two chunks stores nothing and says both numbers."""
    with pytest.raises(StoreError, match="1 vectors for 2 chunks"):
        store.put_document(
            file("a.md"),
            ParsedDocument("a", (Page(None, "x\ny"),)),
            chunks_of("a.md", ("x", "y")),
            embedder.embed_passages(["x"]),
            "e",
        )
    assert store.counts() == (0, 0)


def test_another_embedder_is_refused(store: Store, embedder: Any, exact_embedder: Any) -> None:
    """A knowledge base made with one embedder takes nothing from another, and says how to go on."""
    put(store, embedder, "a.md", LEAVE)
    with pytest.raises(StoreError, match=r"exact-1.*other-2.*--kb"):
        put(store, exact_embedder(fingerprint="other-2"), "b.md", YEAR_LEAVE)
    assert [d.name for d in store.documents()] == ["a.md"]
    with Store(store.home, "second") as second:
        put(second, exact_embedder(fingerprint="other-2"), "b.md", YEAR_LEAVE)


def test_knowledge_bases_do_not_mix(store: Store, embedder: Any) -> None:
    """What is in one knowledge base is not found in another, and deleting one leaves the other."""
    put(store, embedder, "a.md", LEAVE)
    with Store(store.home, "第二") as second:
        assert found(second, "leave") == set()
        put(second, embedder, "b.md", LEAVE)
        assert store.kbs() == ["default", "第二"]
        second.delete_kb()
    assert store.kbs() == ["default"] and found(store, "leave") == {"a.md"} and store.verify() == []


@pytest.mark.parametrize(("name", "near"), [("leaves.md", "leave.md"), ("年假制度", "年假制度.txt")])
def test_an_unknown_name_gets_its_near_matches(store: Store, embedder: Any, name: str, near: str) -> None:
    """A misspelt document name is answered with the names that come close."""
    put(store, embedder, "leave.md", LEAVE)
    put(store, embedder, "年假制度.txt", YEAR_LEAVE)
    for ask in (store.delete, store.document_text, store.chunks):
        with pytest.raises(StoreError, match=near):
            ask(name)


def test_vectors_are_kept_for_the_next_run(store: Store, embedder: Any) -> None:
    """Vectors saved before their document was stored are known again, by exactly their text and embedder."""
    vectors = embedder.embed_passages([LEAVE, "paid leave", "fifteen days"])
    store.save_vectors([LEAVE], [vectors], "exact-1")
    known = store.known_vectors([LEAVE, YEAR_LEAVE], "exact-1")
    assert known.keys() == {LEAVE}
    assert np.array_equal(known[LEAVE][0], embedder.embed_query(LEAVE))
    assert np.allclose(known[LEAVE][1:], vectors[1:], atol=1e-3)
    assert store.known_vectors([LEAVE], "other-2") == {}
    store.sweep_vectors()
    assert store.known_vectors([LEAVE], "exact-1") == {}


def test_what_is_deleted_is_in_no_file(tmp_path: Path, embedder: Any) -> None:
    """After a deletion no raw file of the store holds the document's words any more, in either language."""
    canaries = ["quetzalcoatlus", "朱鹮栖息地"]
    with Store(tmp_path) as store:
        put(store, embedder, "keep.md", LEAVE)
        put(store, embedder, "secret.md", f"The {canaries[0]} meets {canaries[1]}.", heading=f"Title {canaries[0]}")
    raw = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert all(canary.encode() in raw for canary in canaries)
    with Store(tmp_path) as store:
        store.delete("secret.md")
        assert store.verify() == []
    raw = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"fifteen days" in raw
    assert not any(canary.encode() in raw for canary in [*canaries, "朱鹮", "栖息"])


def test_the_write_lock_names_its_holder(store: Store) -> None:
    """A second writer is told which process writes since when, and may write once that has ended."""
    code = (
        "import sys; from pathlib import Path; from rag.store import Store\n"
        "with Store(Path(sys.argv[1])).write_lock():\n    print('held', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(store.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin and other.stdout and other.stdout.readline() == "held\n"
        with pytest.raises(StoreLockedError, match=rf"-c, process {other.pid}, since \d\d:\d\d"), store.write_lock():
            pass
        other.stdin.write("\n")
        other.stdin.close()
        other.wait(30)
    with store.write_lock():
        pass


def test_the_write_lock_is_free_after_an_error(store: Store) -> None:
    """A run that breaks off does not lock the next one out."""
    with pytest.raises(KeyError), store.write_lock():
        raise KeyError
    with store.write_lock():
        pass


def test_several_threads_write_and_read_at_once(store: Store, embedder: Any) -> None:
    """Documents written by several threads are all there, and none is ever seen in part."""
    errors: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for i in range(5):
                put(store, embedder, f"{number}-{i}.md", "first half", "second half")
                with store.snapshot():
                    assert store.counts()[1] == 2 * store.counts()[0]
        except BaseException as error:
            errors.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.counts() == (15, 30) and store.verify() == []


def test_two_stores_see_each_other(store: Store, embedder: Any) -> None:
    """What one process (the command) writes, another (the app) finds at its next question."""
    with Store(store.home) as other:
        assert other.counts() == (0, 0)
        put(store, embedder, "a.md", LEAVE)
        assert found(other, "leave") == {"a.md"}
        other.delete("a.md")
    assert found(store, "leave") == set()


@pytest.mark.parametrize(
    "question",
    [
        '"',
        "'",
        "leave OR",
        "NEAR(leave",
        "leave*",
        "-leave",
        "tokens:leave",
        "^leave",
        "(leave",
        '"leave" AND NOT "x',
        "'; DROP TABLE document; --",
        "leave\0",
        "%_",
        "{}",
    ],
)
def test_operators_in_a_question_are_mere_words(store: Store, embedder: Any, question: str) -> None:
    """Quotes and search operators in a question are harmless, and its words still find the document."""
    put(store, embedder, "a.md", LEAVE)
    assert found(store, question) == ({"a.md"} if "leave" in question else set())
    assert store.counts() == (1, 1)


def test_document_names_are_mere_names(store: Store, embedder: Any) -> None:
    """Quotes, percent signs and Chinese in file names are kept and found as they are."""
    for name in ('it\'s "new" 100%.md', "年假 #1.md", "a_b.md", "; DROP TABLE file.md"):
        put(store, embedder, name, name)
        assert store.document_text(name) == name
        assert store.delete(name) == [name]
    assert store.documents() == []


def test_statistics_count_chunks(store: Store, embedder: Any) -> None:
    """Document frequencies count chunks, unknown terms count 0, and an empty knowledge base has none."""
    assert store.term_statistics(["leave"]).chunks == 0
    put(store, embedder, "a.md", "leave leave paid", "paid", content="x")
    statistics = store.term_statistics(["leave", "paid", "zzz"])
    assert (statistics.chunks, statistics.mean_length) == (2, 2.0)
    assert statistics.frequency == {"leave": 1, "paid": 2, "zzz": 0}


def test_a_damaged_chunk_is_found_out(store: Store, embedder: Any) -> None:
    """A changed byte in a stored chunk is reported by doctor, and that chunk is never shown."""
    put(store, embedder, "a.md", LEAVE)
    assert store.verify() == []
    with store._database.transaction() as connection:
        connection.execute("UPDATE chunk SET text = replace(text, 'fifteen', 'fifty')")
    assert found(store, "leave") == set()
    assert any("a.md" in problem for problem in store.verify())


def test_a_file_that_is_no_store_is_not_opened(tmp_path: Path) -> None:
    """A damaged file is said to be damaged, with what to type, and is not written over."""
    path = tmp_path / "workspace" / "footnote.sqlite3"
    path.parent.mkdir()
    path.write_bytes(b"no database at all, but long enough to be looked at " * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="doctor --repair"):
        Store(tmp_path)
    assert path.read_bytes() == before


def test_a_store_of_a_newer_version_is_refused(store: Store) -> None:
    """A store that a newer Footnote wrote is refused with "Update", not misread."""
    store._database.connection.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="newer"):
        Store(store.home)


@pytest.mark.parametrize("number", [0.0, float("nan"), 3.0])
def test_broken_vectors_are_not_kept_for_the_next_run(store: Store, number: float) -> None:
    """What is no unit vector is refused before it is saved, so that the next run does not meet it again."""
    with pytest.raises(StoreError, match="no unit vector"):
        store.save_vectors([LEAVE], [np.full((1, 4), number, np.float32)], "e")
    assert store.known_vectors([LEAVE], "e") == {}


def test_a_damaged_vector_is_put_right(store: Store, embedder: Any) -> None:
    """Saving a text's vectors again replaces a row whose checksum no longer fits."""
    store.save_vectors([LEAVE], embedder.embed_passages([LEAVE]), "exact-1")
    store._database.connection.execute("UPDATE vector SET crc = crc + 1")
    assert store.known_vectors([LEAVE], "exact-1") == {}
    store.save_vectors([LEAVE], embedder.embed_passages([LEAVE]), "exact-1")
    assert store.known_vectors([LEAVE], "exact-1").keys() == {LEAVE}
