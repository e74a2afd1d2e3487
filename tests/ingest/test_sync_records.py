"""Files of several documents, mails and records, through changes, renames, deletions and interruptions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from pathlib import Path

import pytest

from ingest import discovery, reading
from ingest.sync import Report, ingest_uploads, synchronise
from ingest.uploads import add_upload
from rag.settings import IngestSettings, Settings
from rag.store import Store
from rag.types import Embedder

ATTACHED = (("报价.txt", "报价单的正文"), ("b.txt", "the second attachment"))


def mail(attached: Sequence[tuple[str, str]] = ATTACHED) -> bytes:
    """A mail without a subject, so that its file's name is its title."""
    message = EmailMessage()
    message["From"] = "a@example.org"
    message.set_content("The body of the mail.")
    for name, text in attached:
        message.add_attachment(text.encode(), maintype="text", subtype="plain", filename=name)
    return message.as_bytes()


class Desk:
    """A folder and the store that follows it."""

    def __init__(self, folder: Path, store: Store, embedder: Embedder) -> None:
        self.folder, self.store, self.embedder = folder, store, embedder
        self.settings = Settings(home=store.home, ingest=IngestSettings(parse_seconds=20))
        folder.mkdir()

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def sync(self, *paths: Path) -> Report:
        return synchronise(self.settings, paths or (self.folder,), store=self.store, embedder=self.embedder)

    def names(self) -> set[str]:
        assert self.store.verify() == []
        return {document.name for document in self.store.documents()}


@pytest.fixture
def desk(tmp_path: Path, embedder: Embedder) -> Iterator[Desk]:
    with Store(tmp_path / "home") as store:
        yield Desk(tmp_path / "docs", store, embedder)


def test_a_renamed_mail_keeps_its_attachments(desk: Desk) -> None:
    """Body and attachments go along under the new name, also where the name was the title."""
    path = desk.write("one.eml", mail())
    desk.sync()
    path.rename(desk.folder / "two.eml")
    desk.sync()
    assert desk.names() == {"two.eml", "two.eml#报价.txt", "two.eml#b.txt"}


def test_a_deleted_mail_takes_its_attachments_along(desk: Desk) -> None:
    """Deleting the mail names all that is gone, and none of it comes back with the next run."""
    desk.write("m.eml", mail())
    desk.sync()
    assert set(desk.store.delete("m.eml")) == {"m.eml", "m.eml#报价.txt", "m.eml#b.txt"}
    assert desk.names() == set()
    desk.sync()
    assert desk.names() == set()


def test_a_deleted_upload_leaves_no_word_behind(desk: Desk) -> None:
    """An uploaded mail that is deleted is gone with the words of its attachments."""
    add_upload(desk.settings, "m.eml", mail())
    ingest_uploads(desk.settings, store=desk.store, embedder=desk.embedder)
    assert len(desk.names()) == 3
    desk.store.delete("m.eml")
    assert desk.names() == set() and desk.store.lexical_candidates(["second"], 10) == []


def test_a_deleted_attachment_stays_out_when_it_is_read_otherwise(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that did not change bring nothing back, even where a newer reader makes another text of them."""
    desk.write("m.eml", mail((("t.csv", "a;b\n1;2\n"), ATTACHED[1])))
    desk.sync()
    desk.store.delete("m.eml#t.csv")
    read = reading.Reader._take

    def otherwise(self: reading.Reader, file: object, parsed: object) -> None:
        from dataclasses import replace

        read(self, file, replace(parsed, title="A better title"))  # type: ignore[arg-type,type-var]

    monkeypatch.setattr(reading.Reader, "_take", otherwise)
    desk.sync()
    import ingest.sync

    monkeypatch.setattr(ingest.sync, "READER", reading.READER + 1)
    desk.sync()
    assert desk.names() == {"m.eml", "m.eml#b.txt"}


def test_a_copy_goes_on_with_the_records_of_a_file_that_changed(desk: Desk) -> None:
    """Two roots hold the same records; a change in the one leaves those of the other as they were."""
    records = [json.dumps({"id": n, "text": f"record {n} about 第{n}条"}) for n in range(3)]
    first = desk.write("a/r.jsonl", "\n".join(records).encode())
    desk.write("b/copy.jsonl", first.read_bytes())
    a, b = desk.folder / "a", desk.folder / "b"
    desk.sync(a)
    desk.sync(b)
    first.write_text("\n".join([records[0], json.dumps({"id": 9, "text": "a new one"})]), encoding="utf-8")
    desk.sync(a)
    assert desk.names() == {"r.jsonl#0", "r.jsonl#9", *(f"copy.jsonl#{n}" for n in range(3))}


def test_an_update_that_was_interrupted_is_finished_by_the_next_run(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attachment that was taken out of a mail goes, though the run that saw it broke off after the body."""
    path = desk.write("m.eml", mail())
    desk.sync()
    path.write_bytes(mail(ATTACHED[:1]))
    end = reading.Reader._end

    def broken_off(self: reading.Reader, item: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reading.Reader, "_end", broken_off)
    assert desk.sync().interrupted
    monkeypatch.setattr(reading.Reader, "_end", end)
    desk.sync()
    assert desk.names() == {"m.eml", "m.eml#报价.txt"}


def test_a_file_that_cannot_be_read_for_once_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock or a bad moment of the drive sets the file aside, and what was taken in of it stays."""
    path = desk.write("a.txt", b"some text")
    desk.sync()
    path.write_bytes(b"other text")

    def failing(path: Path) -> str:
        raise OSError(5, "Input/output error")

    from ingest import comparing

    monkeypatch.setattr(comparing, "sha256", failing)
    (verdict,) = desk.sync().verdicts
    assert verdict.state == "set aside" and "what was taken in of it before stays" in verdict.reason
    assert desk.names() == {"a.txt"}
    monkeypatch.setattr(comparing, "sha256", discovery.sha256)
    assert [verdict.state for verdict in desk.sync().verdicts] == ["indexed"]
