"""From a document back to the file that it came from."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from ingest.discovery import Root
from ingest.originals import find_original
from ingest.sync import ingest_uploads, synchronise
from ingest.uploads import add_upload
from rag.access import User
from rag.errors import AccessError, IngestError, StoreError
from rag.settings import Settings
from rag.store import Store, page_folder

TakeIn = Callable[..., Store]


@pytest.fixture
def take_in(tmp_path: Path, exact_embedder: type) -> TakeIn:
    """``take_in(path, …)`` takes folders, files and web pages in and returns the store."""
    store = Store(tmp_path / "home")

    def begin(*paths: Path | Root) -> Store:
        synchronise(Settings(home=tmp_path / "home"), list(paths), store=store, embedder=exact_embedder())
        return store

    return begin


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder."""
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def test_a_file_of_a_folder_and_one_alone(folder: Path, tmp_path: Path, take_in: TakeIn) -> None:
    """A document of a folder leads to its file below it, one that was named alone to itself."""
    (folder / "深").mkdir()
    (folder / "深" / "a.txt").write_text("one two three")
    (tmp_path / "b.txt").write_text("four five six")
    store = take_in(folder, tmp_path / "b.txt")
    assert find_original(store, "深/a.txt").path == folder / "深" / "a.txt"
    alone = find_original(store, "b.txt")
    assert (alone.path, alone.record, alone.read()) == (tmp_path / "b.txt", "", b"four five six")


def test_two_files_of_one_name(tmp_path: Path, take_in: TakeIn) -> None:
    """Where two folders hold the same name, each document leads to its own file."""
    for name in ("north", "south"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(f"of the {name}")
    store = take_in(tmp_path / "north", tmp_path / "south")
    assert find_original(store, "north/a.txt").read() == b"of the north"
    assert find_original(store, "south/a.txt").read() == b"of the south"


def test_an_upload(tmp_path: Path, exact_embedder: type) -> None:
    """An upload is found in its folder under the workspace."""
    settings = Settings(home=tmp_path)
    add_upload(settings, "notes.txt", b"seven eight nine")
    with Store(tmp_path) as store:
        ingest_uploads(settings, store=store, embedder=exact_embedder())
        assert find_original(store, "notes.txt").read() == b"seven eight nine"


def test_a_web_page(tmp_path: Path, take_in: TakeIn) -> None:
    """A web page leads to the file in which it was kept."""
    address = "https://example.org/guide"
    kept = page_folder(tmp_path / "home", "default", address) / "guide.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("ten eleven twelve")
    assert find_original(take_in(Root(address, kept)), address).path == kept


def test_records_and_attachments(folder: Path, take_in: TakeIn) -> None:
    """A record leads to its file and an attachment to the mail around it, each with its key."""
    lines = [json.dumps({"id": str(n), "text": f"record number {n}"}) for n in range(3)]
    (folder / "r.jsonl").write_text("\n".join(lines))
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Plans", "a@example.org"
    mail.set_content("See the attached plan.")
    mail.add_attachment("the plan itself", filename="plan.txt")
    (folder / "m.eml").write_bytes(mail.as_bytes())
    store = take_in(folder)
    record, attached = find_original(store, "r.jsonl#1"), find_original(store, "m.eml#plan.txt")
    assert (record.path.name, record.record) == ("r.jsonl", "1")
    assert (attached.path.name, attached.record) == ("m.eml", "plan.txt")


def test_a_name_that_is_no_utf_8(folder: Path, take_in: TakeIn) -> None:
    """A file whose name is in another encoding is found though the store writes its bytes escaped."""
    path = os.path.join(os.fsencode(folder), b"caf\xe9.txt")
    try:
        with open(path, "wb") as file:
            file.write(b"one two three")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert find_original(take_in(folder), "caf\\xe9.txt").read() == b"one two three"


def test_changed_bytes(folder: Path, take_in: TakeIn) -> None:
    """Other bytes, even as many, are not the original; nor are they where they come between finding and reading."""
    path = folder / "a.txt"
    path.write_text("one two three")
    store = take_in(folder)
    found = find_original(store, "a.txt")
    path.write_text("ONE TWO THREE")
    with pytest.raises(IngestError, match=r"a\.txt was changed"):
        find_original(store, "a.txt")
    with pytest.raises(IngestError, match=r"a\.txt was changed"):
        found.read()


def test_a_file_that_is_gone(folder: Path, take_in: TakeIn) -> None:
    """A missing file is said to be missing, and a folder that is away with it."""
    (folder / "a.txt").write_text("one two three")
    store = take_in(folder)
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(IngestError, match="no longer where it was"):
        find_original(store, "a.txt")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_no_link_and_no_pipe(folder: Path, tmp_path: Path, take_in: TakeIn) -> None:
    """What became a link, to the same bytes even, or a pipe is not opened, and nothing waits for it."""
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(f"one two three {name}")
    store = take_in(folder)
    (folder / "a.txt").rename(tmp_path / "a.txt")
    (folder / "a.txt").symlink_to(tmp_path / "a.txt")
    (folder / "b.txt").unlink()
    os.mkfifo(folder / "b.txt")
    for name in ("a.txt", "b.txt"):
        with pytest.raises(IngestError, match=name):
            find_original(store, name)


def test_names_and_rights(folder: Path, tmp_path: Path, take_in: TakeIn) -> None:
    """A document that there is not gives near matches; a knowledge base that is not one's own gives nothing."""
    (folder / "a.txt").write_text("one two three")
    store = take_in(folder)
    with pytest.raises(StoreError, match=r"a\.txt"):
        find_original(store, "b.txt")
    with pytest.raises(AccessError):
        store.seen_by(User("li", "reader", frozenset()), "default")
