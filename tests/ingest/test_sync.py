from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ingest import comparing, ocr
from ingest.discovery import sha256
from ingest.progress import Progress
from ingest.reading import _readable
from ingest.sync import Report, ingest_uploads, synchronise
from ingest.uploads import add_upload, clean_name
from rag.errors import IngestError, StoreError
from rag.settings import IngestSettings, Settings
from rag.store import Store
from rag.types import Embedder, Page, ParsedDocument
from tests.ingest.conftest import MakePdf


class Library:
    """A folder of documents, a store, and the command that makes one equal to the other."""

    def __init__(self, folder: Path, store: Store, embedder: Embedder) -> None:
        self.folder, self.store, self.embedder = folder, store, embedder
        self.settings = Settings(home=store.home, ingest=IngestSettings(parse_seconds=20))
        folder.mkdir()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def sync(self, *paths: Path, include: Sequence[str] = ()) -> dict[str, str]:
        return {verdict.file: verdict.state for verdict in self.report(*paths, include=include).verdicts}

    def report(self, *paths: Path, include: Sequence[str] = ()) -> Report:
        roots = paths or (self.folder,)
        return synchronise(self.settings, roots, store=self.store, embedder=self.embedder, include=include)

    def names(self) -> list[str]:
        assert self.store.verify() == []
        return [document.name for document in self.store.documents()]


@pytest.fixture
def library(tmp_path: Path, embedder: Embedder) -> Iterator[Library]:
    with Store(tmp_path / "home") as store:
        yield Library(tmp_path / "docs", store, embedder)


def test_a_run_makes_the_store_equal_to_the_folder(library: Library) -> None:
    """New files are indexed, unchanged ones left, changed ones replaced, vanished ones removed."""
    library.write("a.txt", "甲的内容。")
    library.write("sub/b.md", "# B\ntext")
    assert library.sync() == {"a.txt": "indexed", "sub/b.md": "indexed"}
    assert library.sync() == {"a.txt": "unchanged", "sub/b.md": "unchanged"}
    library.write("a.txt", "新的内容。")
    (library.folder / "sub/b.md").unlink()
    assert library.sync() == {"a.txt": "indexed", "sub/b.md": "removed"}
    assert library.names() == ["a.txt"]
    assert library.store.document_text("a.txt") == "新的内容。"


def test_the_date_of_a_file_is_kept(library: Library) -> None:
    """A document has its file's date, a changed date of unchanged bytes is taken over, and nothing is read for it."""
    path = library.write("a.txt", "content")
    os.utime(path, (1_700_000_000, 1_700_000_000.5))
    library.sync()
    assert library.store.document("a.txt").modified == 1_700_000_000.5
    os.utime(path, (1_600_000_000, 1_600_000_000))
    library.embedder = None  # type: ignore[assignment]
    assert library.sync() == {"a.txt": "unchanged"}
    assert library.store.document("a.txt").modified == 1_600_000_000


def test_tags_follow_a_renamed_file(library: Library) -> None:
    """A file that is renamed and one that is changed keep their tags at the next run."""
    path = library.write("a.txt", "content")
    library.sync()
    library.store.tag("a.txt", ["t"])
    path.rename(path.with_name("b.txt"))
    library.sync()
    library.write("b.txt", "other content")
    library.sync()
    assert [(d.name, d.tags) for d in library.store.documents()] == [("b.txt", ("t",))]


def test_an_unchanged_folder_needs_no_embedder(library: Library) -> None:
    """A second run embeds nothing and asks no model for anything."""
    library.write("a.txt", "content")
    library.sync()
    library.embedder = None  # type: ignore[assignment]
    assert library.sync() == {"a.txt": "unchanged"}


def test_equal_passages_are_embedded_once(library: Library) -> None:
    """The same passage under the same title in two records costs one vector; vectors of a broken-off run are used."""
    records = [{"id": str(n), "title": "T", "text": "the very same words"} for n in range(3)]
    library.write("r.jsonl", "\n".join(map(json.dumps, records)))
    library.sync()
    assert library.embedder.seen == ["T\nthe very same words"]  # type: ignore[attr-defined]
    assert library.names() == ["r.jsonl#0", "r.jsonl#1", "r.jsonl#2"]


def test_only_changed_records_are_written(library: Library) -> None:
    """Of a changed .jsonl file, equal records stay, changed ones are replaced and missing ones removed."""
    write = lambda *texts: library.write(  # noqa: E731
        "r.jsonl", "\n".join(json.dumps({"id": f"k{n}", "text": t}) for n, t in enumerate(texts))
    )
    write("one", "two", "three")
    assert library.report().totals["documents"] == 3
    write("one", "TWO changed")
    report = library.report()
    assert report.totals["documents"] == 1 and report.verdicts[0].chunks == 2
    assert library.names() == ["r.jsonl#k0", "r.jsonl#k1"]
    assert library.store.document_text("r.jsonl#k1") == "TWO changed"


def test_a_missing_root_removes_nothing(library: Library) -> None:
    """When the folder is gone, as an unplugged disk is, the run fails and the documents stay."""
    library.write("a.txt", "content")
    library.sync()
    library.folder.rename(library.folder.with_name("away"))
    with pytest.raises(IngestError, match="Nothing was changed"):
        library.sync()
    assert library.names() == ["a.txt"]


def test_other_roots_are_not_touched(library: Library, tmp_path: Path) -> None:
    """A run over one folder, or one file, leaves what came from elsewhere."""
    library.write("a.txt", "content a")
    library.sync()
    other = tmp_path / "b.txt"
    other.write_text("content b")
    assert library.sync(other) == {"b.txt": "indexed"}
    assert library.names() == ["a.txt", "b.txt"]


def test_the_same_bytes_are_indexed_once(library: Library) -> None:
    """A copy gets the state of the first and says whose bytes it has; when the first goes, the copy takes its place."""
    library.write("a.txt", "same content")
    library.write("b.txt", "same content")
    verdicts = library.report().verdicts
    assert [(v.file, v.state, v.reason) for v in verdicts] == [
        ("a.txt", "indexed", ""),
        ("b.txt", "indexed", "same bytes as a.txt"),
    ]
    assert library.sync() == {"a.txt": "unchanged", "b.txt": "unchanged"}
    (library.folder / "a.txt").unlink()
    assert library.sync() == {"a.txt": "removed", "b.txt": "indexed"}
    assert library.names() == ["b.txt"]


def test_a_renamed_file_is_not_embedded_again(library: Library) -> None:
    """A rename costs no embedding where the passages stay the same."""
    path = library.write("one/a.txt", "content")
    library.sync()
    (library.folder / "two").mkdir()
    path.rename(library.folder / "two/a.txt")
    library.embedder.seen.clear()  # type: ignore[attr-defined]
    assert library.sync() == {"one/a.txt": "removed", "two/a.txt": "indexed"}
    assert library.embedder.seen == []  # type: ignore[attr-defined]


def test_a_change_for_the_worse_is_not_hidden(library: Library) -> None:
    """When a file's new version cannot be read, its old text no longer answers, and the verdict says why."""
    path = library.write("a.txt", "content")
    library.sync()
    path.write_bytes(bytes(range(256)) * 10)
    report = library.report()
    assert [(v.state, v.reason) for v in report.verdicts] == [("set aside", "not a text file: it holds binary data")]
    assert library.names() == [] and report.set_aside == 1
    assert library.sync() == {"a.txt": "set aside"}


def test_empty_files_are_empty(library: Library) -> None:
    """A text file without text is neither indexed nor a failure; a PDF of zero bytes is one."""
    library.write("a.txt", "")
    library.write("b.md", " \n\n")
    library.write("c.pdf", "")
    assert library.sync() == {"a.txt": "empty", "b.md": "empty", "c.pdf": "set aside"}
    assert library.sync() == {"a.txt": "empty", "b.md": "empty", "c.pdf": "set aside"}


def test_a_deleted_document_stays_out_until_it_is_included(library: Library) -> None:
    """What the user deleted does not come back by itself, only with --include or with other bytes."""
    library.write("a.txt", "content")
    library.sync()
    library.store.delete("a.txt")
    assert library.sync() == {"a.txt": "removed"} and library.names() == []
    assert library.sync(include=["a.txt"]) == {"a.txt": "indexed"} and library.names() == ["a.txt"]


def test_a_deleted_record_stays_out(library: Library) -> None:
    """A record that was deleted is left out when its file changes elsewhere."""
    library.write("r.jsonl", '{"id": "a", "text": "one"}\n{"id": "b", "text": "two"}')
    library.sync()
    library.store.delete("r.jsonl#b")
    library.write("r.jsonl", '{"id": "a", "text": "one!"}\n{"id": "b", "text": "two"}')
    library.sync()
    assert library.names() == ["r.jsonl#a"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX files")
def test_only_regular_files_inside_the_root_are_read(library: Library, tmp_path: Path) -> None:
    """Links, FIFOs, hidden and lock files are passed over, and nothing hangs."""
    (tmp_path / "outside.txt").write_text("secret")
    library.write("a.txt", "content")
    (library.folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (library.folder / "loop").symlink_to(library.folder)
    os.mkfifo(library.folder / "fifo.txt")
    library.write(".git/config.txt", "x")
    library.write("~$a.docx", "x")
    assert library.sync() == {"a.txt": "indexed"}


def test_a_root_around_the_store_does_not_read_the_store(library: Library) -> None:
    """Ingesting the home folder itself leaves its workspace out."""
    (library.store.home / "note.txt").write_text("content")
    assert library.sync(library.store.home) == {"note.txt": "indexed"}


def test_a_large_file_is_set_aside_unread(library: Library) -> None:
    """A file over the limit gets a verdict that names the setting."""
    library.settings = replace(library.settings, ingest=IngestSettings(max_file_mb=0))
    library.write("a.txt", "x" * (1 << 20))
    (verdict,) = library.report().verdicts
    assert verdict.state == "set aside" and "ingest.max_file_mb" in verdict.reason


def test_interruption_keeps_what_was_done(library: Library) -> None:
    """Ctrl-C in the middle leaves whole documents and their vectors, and the next run does the rest."""
    for n in range(400):
        library.write(f"{n:03}.txt", f"content {n}")

    class Interrupting:
        def __init__(self, inner: Embedder, home: Path) -> None:
            self.inner, self.home = inner, home

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
            with Store(self.home) as store:
                if store.counts()[0]:
                    raise KeyboardInterrupt
            return self.inner.embed_passages(texts)

    whole, library.embedder = library.embedder, Interrupting(library.embedder, library.store.home)  # type: ignore[assignment]
    report = library.report()
    assert report.interrupted and 0 < len(library.names()) < 400
    assert {v.file for v in report.verdicts if v.state == "indexed"} <= set(library.names())
    library.embedder = whole
    assert not library.report().interrupted and len(library.names()) == 400
    assert len(whole.seen) == 400  # type: ignore[attr-defined]


def test_a_copy_keeps_the_text_when_the_first_file_goes(library: Library, tmp_path: Path) -> None:
    """Of two folders with the same file, either may lose or change it: the text stays, under the other's name."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "copy.txt").write_text("年假十五天。", encoding="utf-8")
    library.write("first.txt", "年假十五天。")
    library.sync()
    library.sync(elsewhere)
    assert library.names() == ["first.txt"]
    library.write("first.txt", "年假改为二十天。")
    library.sync()
    assert library.names() == ["copy.txt", "first.txt"]
    assert library.store.document_text("copy.txt") == "年假十五天。"
    (elsewhere / "copy.txt").unlink()
    library.sync(elsewhere)
    assert library.names() == ["first.txt"]


def test_a_deleted_upload_does_not_come_back_through_a_copy(library: Library) -> None:
    """Deleting an uploaded document keeps the same bytes in a folder out, too, and removes every upload of them."""
    add_upload(library.settings, "u.txt", b"secret words")
    ingest_uploads(library.settings, store=library.store, embedder=library.embedder)
    library.write("z.txt", "secret words")
    library.sync()
    library.store.delete("u.txt")
    library.sync()
    ingest_uploads(library.settings, store=library.store, embedder=library.embedder)
    assert library.names() == []


def test_a_file_deleted_while_it_is_read_is_not_indexed(library: Library) -> None:
    """What went while it was being embedded leaves no document behind."""
    path = library.write("a.txt", "content")
    inner = library.embedder

    class Slow:
        def __getattr__(self, name: str) -> object:
            return getattr(inner, name)

        def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
            path.unlink()
            return inner.embed_passages(texts)

    library.embedder = Slow()  # type: ignore[assignment]
    assert library.sync() == {"a.txt": "removed"}
    assert library.names() == []


def test_a_document_deleted_before_it_is_read_again_stays_out(library: Library) -> None:
    """A deletion between "read again" and the reading holds, and is lifted by including it."""
    library.write("a.txt", "one")
    library.sync()
    library.store.read_again(["a.txt"])
    library.store.delete("a.txt")
    for _ in range(2):
        assert library.sync()["a.txt"] == "removed" and library.names() == []
    assert library.sync(include=["a.txt"]) == {"a.txt": "indexed"} and library.names() == ["a.txt"]


def test_deleting_what_waits_to_be_read_takes_no_other_along(library: Library) -> None:
    """Of several uploads that wait to be read anew, the deletion of one leaves the others and their files alone."""
    for name in ("a.txt", "b.txt"):
        add_upload(library.settings, name, f"content of {name}".encode())
    take_in = partial(ingest_uploads, library.settings, store=library.store, embedder=library.embedder)
    take_in()
    library.store.read_again(["a.txt", "b.txt"])
    library.store.delete("a.txt")
    take_in()
    assert library.names() == ["b.txt"] and library.store.files("uploads")["b.txt"].state == "indexed"
    add_upload(library.settings, "a.txt", b"content of a.txt")
    take_in()
    assert library.names() == ["a.txt", "b.txt"]


def test_including_what_was_replaced_changes_nothing_else(library: Library) -> None:
    """Where a deleted document's file holds another one by now, that one and its copy are left alone."""
    library.write("a.txt", "one")
    library.sync()
    library.store.delete("a.txt")
    library.write("a.txt", "two")
    library.write("b.txt", "two")
    library.sync()
    library.store.include("a.txt")
    assert len(library.names()) == 1
    library.store.delete(library.names()[0])
    library.sync()
    assert library.names() == []


@pytest.mark.parametrize("name", ["a.txt", "r.jsonl#k"])
def test_a_document_deleted_while_it_is_read_again_stays_out(library: Library, name: str) -> None:
    """A deletion on the page in the middle of a run that reads the same bytes again is not undone by the run."""
    library.write("a.txt", "one")
    library.write("r.jsonl", json.dumps({"id": "k", "title": "t", "text": "two"}))
    library.sync()
    inner = library.embedder

    class Meanwhile:
        fingerprint = inner.fingerprint
        dimension = inner.dimension
        centre = inner.centre
        embed_query = inner.embed_query

        def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
            if any(document.name == name for document in library.store.documents()):
                with Store(library.store.home) as page:
                    page.delete(name)
                    page._database.connection.execute(
                        "DELETE FROM vector WHERE id NOT IN (SELECT vector_id FROM chunk)"
                    )
            return inner.embed_passages(texts)

    library.embedder = Meanwhile()
    library.settings = replace(library.settings, ingest=IngestSettings(chinese_size=100))
    other = library.write("new.txt", "what has to be embedded").name
    library.sync()
    assert library.names() == sorted({"a.txt", "r.jsonl#k", other} - {name})
    library.sync()
    assert library.names() == sorted({"a.txt", "r.jsonl#k", other} - {name})


def test_another_chunk_size_reads_the_files_again(library: Library) -> None:
    """A changed chunk size takes effect at the next run, though no file has changed."""
    library.write("a.txt", "年假每年十五天。" * 100)
    library.sync()
    before = library.store.counts()
    library.settings = replace(library.settings, ingest=IngestSettings(chinese_size=100))
    assert library.sync() == {"a.txt": "indexed"}
    assert library.store.counts()[1] > before[1]
    assert library.sync() == {"a.txt": "unchanged"}


def test_another_embedder_is_refused(library: Library, tmp_path: Path) -> None:
    """A knowledge base made with one embedder takes no vectors of another."""
    library.write("a.txt", "content")
    library.sync()
    library.write("b.txt", "more")
    library.embedder.fingerprint = "exact-2"  # type: ignore[misc]
    with pytest.raises(StoreError, match="exact-2"):
        library.sync()
    assert library.names() == ["a.txt"]


def test_progress_counts_up_to_the_end(library: Library) -> None:
    """The reporter hears of every file, and at last that all is done."""
    library.write("a.txt", "content")
    library.write("b.txt", "more content")
    heard: list[Progress] = []
    synchronise(library.settings, [library.folder], store=library.store, embedder=library.embedder, report=heard.append)
    assert (heard[-1].done, heard[-1].total, heard[-1].chunks, heard[-1].file) == (2, 2, 2, "")
    assert {"a.txt", "b.txt"} <= {progress.file for progress in heard}


def test_uploads_are_a_root_of_their_own(library: Library) -> None:
    """An uploaded file is kept, indexed, and replaced by a newer one of its name."""
    path = add_upload(library.settings, "报告.txt", "第一版。".encode())
    assert path.parent == library.settings.home / "workspace/uploads/default"
    ingest_uploads(library.settings, store=library.store, embedder=library.embedder)
    add_upload(library.settings, "报告.txt", "第二版。".encode())
    ingest_uploads(library.settings, store=library.store, embedder=library.embedder)
    assert library.names() == ["报告.txt"] and library.store.document_text("报告.txt") == "第二版。"


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("../../etc/passwd", "passwd"),
        ("/abs/a.txt", "a.txt"),
        ("C:\\x\\b.pdf", "b.pdf"),
        ("a\0b\u202etxt.exe", "abtxt.exe"),
        ("CON.txt", "_CON.txt"),
        (".hidden", "hidden"),
        ("..", "document"),
        ("", "document"),
        ("a:b?.md", "a_b_.md"),
        ("长" * 300 + ".docx", "长" * 65 + ".docx"),
    ],
)
def test_upload_names_can_do_no_harm(name: str, cleaned: str) -> None:
    """A name leads nowhere else, hides nothing and fits every file system."""
    assert clean_name(name) == cleaned


# Moves


def moved(library: Library) -> list[str]:
    """What a run embeds and reads after the embedder has forgotten what it saw."""
    library.embedder.seen.clear()  # type: ignore[attr-defined]
    library.report()
    return list(library.embedder.seen)  # type: ignore[attr-defined]


def test_a_moved_file_is_neither_read_nor_embedded(library: Library) -> None:
    """A file in another folder keeps its documents, tags and date of reading; the verdicts say where it was and is."""
    path = library.write("one/a.md", "# 标题\n内容。")
    library.sync()
    library.store.tag("one/a.md", ["t"])
    before = library.store.chunk_marks()[0].tolist()
    (library.folder / "two").mkdir()
    path.rename(library.folder / "two/a.md")
    library.embedder = None  # type: ignore[assignment]
    verdicts = library.report().verdicts
    assert [(v.file, v.state, v.reason) for v in verdicts] == [
        ("one/a.md", "removed", "it is two/a.md now"),
        ("two/a.md", "indexed", "it was one/a.md"),
    ]
    assert library.names() == ["two/a.md"] and library.store.document("two/a.md").tags == ("t",)
    assert library.store.chunk_marks()[0].tolist() == before
    assert library.sync() == {"two/a.md": "unchanged"}


def test_a_new_name_is_the_new_title(library: Library) -> None:
    """A document without a title of its own is found by its file's new name, as if it had been read under it."""
    path = library.write("scan 1.txt", "甲方：王伟。")
    library.sync()
    library.store.tag("scan 1.txt", ["t"])
    path.rename(path.with_name("王伟合同.txt"))
    assert moved(library) == ["王伟合同\n甲方：王伟。"]
    (document,) = library.store.documents()
    assert (document.name, document.title, document.tags) == ("王伟合同.txt", "王伟合同", ("t",))
    assert library.store.chunks("王伟合同.txt")[0].heading == "王伟合同"
    assert library.names() == ["王伟合同.txt"] and library.sync() == {"王伟合同.txt": "unchanged"}


def test_the_old_name_is_used_again(library: Library) -> None:
    """a.md becomes b.md and a new a.md is written: the old text moves with its tags, only the new one is embedded."""
    path = library.write("a.md", "# One\nold text")
    library.sync()
    library.store.tag("a.md", ["t"])
    path.rename(path.with_name("b.md"))
    library.write("a.md", "# Two\nnew text")
    assert moved(library) == ["Two\nnew text"]
    assert [(d.name, d.title, d.tags) for d in library.store.documents()] == [
        ("a.md", "Two", ()),
        ("b.md", "One", ("t",)),
    ]
    assert library.names() == ["a.md", "b.md"]


def test_two_files_change_places(library: Library) -> None:
    """Each document keeps its tags under the other's name."""
    a, b = library.write("a.md", "# A\nfirst"), library.write("b.md", "# B\nsecond")
    library.sync()
    library.store.tag("a.md", ["first"])
    a.rename(a.with_name("c"))
    b.rename(a)
    a.with_name("c").rename(b)
    assert moved(library) == []
    assert [(d.name, d.title, d.tags) for d in library.store.documents()] == [
        ("a.md", "B", ()),
        ("b.md", "A", ("first",)),
    ]
    assert library.names() == ["a.md", "b.md"]


def test_a_file_over_another(library: Library) -> None:
    """A file that was moved over another one takes its place; the text of the other goes, unless a copy holds it."""
    a, b = library.write("a.md", "# A\nfirst"), library.write("b.md", "# B\nsecond")
    library.write("copy of b.md", "# B\nsecond")
    library.sync()
    a.replace(b)
    assert moved(library) == []
    assert [(d.name, d.title) for d in library.store.documents()] == [("b.md", "A"), ("copy of b.md", "B")]
    assert library.names() == ["b.md", "copy of b.md"]


def test_only_the_case_of_a_name_changes(library: Library) -> None:
    """A rename from a.md to A.md is a rename as any other."""
    path = library.write("a.md", "# A\ntext")
    library.sync()
    path.rename(path.with_name("A.md"))
    assert moved(library) == [] and library.names() == ["A.md"]


def test_a_renamed_first_of_two_copies(library: Library) -> None:
    """The copy says the new name, and nothing is embedded."""
    path = library.write("a.md", "# A\ntext")
    library.write("b.md", "# A\ntext")
    library.sync()
    path.rename(path.with_name("c.md"))
    library.embedder = None  # type: ignore[assignment]
    assert {v.file: v.reason for v in library.report().verdicts}["b.md"] == "same bytes as c.md"
    assert library.sync() == {"b.md": "unchanged", "c.md": "unchanged"}


def test_a_deleted_file_stays_out_under_another_name(library: Library) -> None:
    """A rename does not bring back what the user deleted."""
    path = library.write("a.md", "# A\ntext")
    library.sync()
    library.store.delete("a.md")
    path.rename(path.with_name("b.md"))
    library.sync()
    assert library.names() == []


def test_copies_in_two_roots(library: Library, tmp_path: Path) -> None:
    """The same records in another folder are indexed once, and stay under the copy's name when the first folder's go."""
    records = "\n".join(json.dumps({"id": key, "title": key, "text": f"text {key}"}) for key in "xyz")
    path = library.write("r.jsonl", records)
    other = tmp_path / "other"
    other.mkdir()
    (other / "copy.jsonl").write_text(records)
    library.sync()
    library.embedder.seen.clear()  # type: ignore[attr-defined]
    assert library.sync(other) == {"copy.jsonl": "indexed"}
    assert library.names() == ["r.jsonl#x", "r.jsonl#y", "r.jsonl#z"]
    path.unlink()
    library.sync()
    assert library.names() == ["copy.jsonl#x", "copy.jsonl#y", "copy.jsonl#z"]
    assert library.embedder.seen == []  # type: ignore[attr-defined]


def test_a_file_moves_to_another_root(library: Library, tmp_path: Path) -> None:
    """In a run over both folders it goes along with its tags."""
    other = tmp_path / "other"
    other.mkdir()
    path = library.write("a.md", "# A\ntext")
    library.sync(library.folder, other)
    library.store.tag("a.md", ["t"])
    path.rename(other / "a.md")
    library.embedder = None  # type: ignore[assignment]
    states = {v.file: v.state for v in library.report(library.folder, other).verdicts}
    assert states == {"docs/a.md": "removed", "other/a.md": "indexed"}
    assert [(d.name, d.tags) for d in library.store.documents()] == [("a.md", ("t",))]


def test_one_root_inside_another(library: Library) -> None:
    """A file that two roots hold gets a verdict under each, also where it is empty."""
    library.write("sub/a.txt", "content")
    library.write("sub/empty.txt", "")
    states = library.sync(library.folder, library.folder / "sub")
    assert sorted(states.values()) == ["empty", "empty", "indexed", "indexed"]
    assert len(library.names()) == 1


# Stamps


def age(*paths: Path, seconds: float = 10) -> None:
    """Let files look as if they had been written some time ago, and wait out the time of their entries."""
    for path in paths:
        os.utime(path, (time.time() - seconds,) * 2)
    time.sleep(2.1)  # the time of an entry's change cannot be set


def test_an_unchanged_file_is_not_hashed(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has the stamp that it had is not opened again; after a touch it is, and it is unchanged."""
    path = library.write("a.txt", "content")
    age(path)
    library.sync()
    hashed: list[Path] = []
    monkeypatch.setattr(comparing, "sha256", lambda path: hashed.append(path) or sha256(path))
    assert library.sync() == {"a.txt": "unchanged"} and hashed == []
    os.utime(path)
    assert library.sync() == {"a.txt": "unchanged"} and hashed == [path]


def test_a_change_in_the_same_moment_is_seen(library: Library) -> None:
    """A file of the same size and time whose bytes are others is read again where it was read right after its change."""
    path = library.write("a.txt", "content 1")
    library.sync()
    before = path.stat()
    path.write_text("content 2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert library.store.all_files()[0].stamp == ""
    assert library.sync() == {"a.txt": "indexed"}
    assert library.store.document_text("a.txt") == "content 2"


def test_a_large_unchanged_folder_takes_little_time(library: Library) -> None:
    """200 unchanged files take well under a second (10,000 in 5 is the aim)."""
    paths = [library.write(f"{n % 50}/{n}.txt", f"text {n} " * 500) for n in range(200)]
    age(*paths)
    library.sync()
    started = time.monotonic()
    assert set(library.sync().values()) == {"unchanged"}
    assert time.monotonic() - started < 1


# What is known of a file


def test_a_verdict_tells_how_each_page_was_read(library: Library, make_pdf: MakePdf) -> None:
    """Pages, their kind, quality and characters, and the seconds, in the verdict and in the store, also when unchanged."""
    make_pdf(library.folder / "a.pdf", [["Fifteen days of paid leave."], ["Second page of it."]])
    library.write("t.csv", "name,days\nleave,15\n")
    report = library.report()
    for verdicts in (report.verdicts, library.report().verdicts):
        pdf, csv = verdicts
        assert [(m.number, m.kind, m.quality) for m in pdf.read] == [(1, "text", 1.0), (2, "text", 1.0)]
        assert sum(m.characters for m in pdf.read) == len(library.store.document_text("a.pdf")) - 1
        assert [m.kind for m in csv.read] == ["table"]
        assert pdf.seconds > 0
    assert {f.relative: f.seconds > 0 for f in library.store.all_files()} == {"a.pdf": True, "t.csv": True}


def test_what_was_left_out_for_want_of_ocr_is_read_once_it_is_there(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An indexed file with pages that needed OCR is read again when OCR has come, and not before."""
    library.write("a.txt", "content")
    library.sync()
    (file,) = library.store.all_files()
    library.store.put_file(replace(file, warnings=(f"page 2: {ocr.MISSING}",)), [None])
    monkeypatch.setattr(ocr, "available", lambda: False)
    assert library.sync() == {"a.txt": "unchanged"}
    monkeypatch.setattr(ocr, "available", lambda: True)
    assert library.report().verdicts[0].warnings == ()


def test_other_loaders_read_the_files_again(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the loaders have changed, unchanged files are read anew, and no passage is embedded that has its vector."""
    library.write("a.txt", "content")
    library.sync()
    monkeypatch.setattr("ingest.sync.READER", 1000)
    library.embedder.seen.clear()  # type: ignore[attr-defined]
    assert library.sync() == {"a.txt": "indexed"}
    assert library.embedder.seen == []  # type: ignore[attr-defined]
    assert library.store.all_files()[0].seconds > 0
    assert library.sync() == {"a.txt": "unchanged"}


def test_garbage_is_not_indexed() -> None:
    """Pages that are no language lose their text and are named; a document of nothing else has no text left."""
    good, bad = Page(1, "Words.", quality=0.9), Page(2, "\ue001\ue002", quality=0.1)
    mixed = _readable(ParsedDocument("t", (good, bad)))
    assert [page.text for page in mixed.pages] == ["Words.", ""] and mixed.pages[1].quality == 0.1
    assert mixed.warnings == ("page 2: left out: what is there is no readable text",)
    assert not _readable(ParsedDocument("t", (bad, bad))).text.strip()
    whole = ParsedDocument("t", (good,))
    assert _readable(whole) is whole
