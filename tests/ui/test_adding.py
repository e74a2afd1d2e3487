"""Documents on their way in: dropped files, archives, locked ones, folders that are followed; the ingest is a real process."""

from __future__ import annotations

import io
import os
import signal
import time
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
from docx import Document
from msoffcrypto.format.ooxml import OOXMLFile
from streamlit.testing.v1 import AppTest

from rag.access import OWNER
from rag.store import UPLOADS, Store
from rag.types import Verdict
from ui import adding
from ui.adding import Adding
from ui.jobs import Job
from ui.resources import Services
from ui.session import Session
from ui.text import Say

Start = Callable[..., tuple[AppTest, Services]]


def draw() -> None:
    """The library page, as the app draws it for whoever runs the machine."""
    from rag.access import OWNER
    from ui import frame, library, resources
    from ui.text import Say

    with resources.errors_shown():
        library.page(frame.enter_kb(resources.services(), OWNER, Say("en")))


def names(services: Services) -> set[str]:
    """The names of all documents."""
    with Store(services.settings.home) as store:
        return {document.name for document in store.documents()}


def job_of(services: Services) -> Job[Adding]:
    """The ingest that was started last."""
    return services.ingests["default"]


def drop(app: AppTest, services: Services, *files: tuple[str, bytes]) -> dict[str, Verdict]:
    """Drop files on the page and wait for what becomes of them."""
    app.file_uploader[0].set_value([(name, data, "application/octet-stream") for name, data in files]).run()
    assert job_of(services).wait(120)
    app.run()
    assert not app.exception
    return {verdict.file: verdict for verdict in job_of(services).progress.verdicts}


class Upload(io.BytesIO):
    """A file as the uploader of the page gives it."""

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(data)
        self.name = name


def session_of(services: Services) -> Session:
    """Whoever runs the machine, in another tab."""
    return Session(services, OWNER, Say("en"), "default")


def texts(app: AppTest) -> str:
    """All Markdown and captions of the page."""
    return "\n".join([m.value for m in app.markdown] + [c.value for c in app.caption])


def zipped(members: Sequence[tuple[str | zipfile.ZipInfo, bytes]]) -> bytes:
    """A zip of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def test_dropped_files_are_ingested_and_get_verdicts(start: Start, filled: Path) -> None:
    """Of ten files with two bad ones eight are documents afterwards, and each bad one says why and what to do."""
    app, services = start(page=draw)
    good = [(f"新闻{number}.txt", f"第{number}天杭州下雨。".encode()) for number in range(8)]
    found = drop(app, services, *good, ("empty.txt", b""), ("broken.pdf", b"%PDF-1.7 nothing"))
    assert {name for name, _ in good} <= names(services)
    assert [found[name].state for name in ("empty.txt", "broken.pdf")] == ["empty", "set aside"]
    assert "Mend or replace the file" in texts(app)
    assert "Add it again once there is something in it" in texts(app)


def test_a_rerun_ingests_nothing_twice(start: Start, filled: Path) -> None:
    """Drawing the page again and again starts no second ingest."""
    app, services = start(page=draw)
    drop(app, services, ("a.txt", b"Rain in Hangzhou."))
    first = job_of(services)
    app.run().run()
    assert job_of(services) is first


def test_an_upload_waits_for_another_ingest(start: Start, filled: Path) -> None:
    """An upload while another ingest writes is not lost: the page says who writes, and it goes on by itself."""
    app, services = start(page=draw)
    with Store(services.settings.home) as store, store.write_lock():
        app.file_uploader[0].set_value([("a.txt", b"Rain in Hangzhou.", "text/plain")]).run()
        job = job_of(services)
        while not job.progress.waiting and not job.done:
            time.sleep(0.05)
        app.run()
        assert f"process {os.getpid()}" in texts(app)
    assert job.wait(60)
    app.run()
    assert not app.error and "a.txt" in names(services)


def test_a_zip_becomes_its_files(start: Start, filled: Path) -> None:
    """Files of a zip keep their folders, so two of one name survive; litter stays out, what cannot be read is named."""
    app, services = start(page=draw)
    data = zipped(
        [("a/读我.txt", "甲方。".encode()), ("b/读我.txt", "乙方。".encode()), ("XXXX.txt", "违约金。".encode()),
         ("__MACOSX/._x.txt", b"x"), (".DS_Store", b"x"), ("../../out.txt", b"Outside."), ("tool.exe", b"MZ")]
    )  # fmt: skip
    found = drop(app, services, ("papers.zip", data.replace(b"XXXX.txt", "合同.txt".encode("gb18030"))))
    assert names(services) >= {"papers/a/读我.txt", "papers/b/读我.txt", "papers/合同.txt"}
    assert found["papers/tool.exe"].state == "set aside"
    assert not list(filled.parent.rglob("out.txt"))
    assert not [name for name in found if "DS_Store" in name or "MACOSX" in name]


def bomb() -> bytes:
    """A small archive that would unpack to 300 MB."""
    return zipped([("zeros.txt", bytes(300 << 20))])


def locked_zip() -> bytes:
    """An archive whose member says that it is encrypted."""
    data = bytearray(zipped([("a.txt", b"secret")]))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("make", "why"), [(bomb, "MB"), (locked_zip, "encrypted"), (lambda: b"PK\x03\x04 no zip", "damaged")],
    ids=["bomb", "locked", "broken"],
)  # fmt: skip
def test_a_zip_that_harms_is_one_verdict(start: Start, filled: Path, make: Callable[[], bytes], why: str) -> None:
    """A bomb, a locked and a broken archive leave nothing behind but a sentence."""
    app, services = start(page=draw)
    before = names(services)
    found = drop(app, services, ("x.zip", make()))
    assert found["x.zip"].state == "set aside" and why in found["x.zip"].reason
    assert names(services) == before


def test_two_files_of_one_name_are_both_kept(start: Start, filled: Path) -> None:
    """In one drop the second gets a number; a later drop of the name takes the place of the first, and says so."""
    app, services = start(page=draw)
    drop(app, services, ("r.txt", b"First report."), ("r.txt", b"Second report."))
    assert {"r.txt", "r (2).txt"} <= names(services)
    drop(app, services, ("r.txt", b"Third report."))
    assert "takes the place of an earlier upload" in texts(app)
    with Store(filled) as store:
        assert "Third" in store.document_text("r.txt")


def test_names_of_any_kind_do_no_harm(start: Start, filled: Path) -> None:
    """A name of 300 characters with slashes is cut to one that the system takes, inside the folder of uploads."""
    app, services = start(page=draw)
    drop(app, services, ("../" + "长" * 300 + "/x.txt", b"Rain."), ("y" * 300 + ".txt", b"Wind."))
    uploads = filled / "workspace" / "uploads" / "default"
    assert len([path for path in uploads.rglob("*.txt")]) == 2
    assert {name.rsplit(".", 1)[-1] for name in names(services)} >= {"txt"}


def test_a_file_that_is_too_large_is_refused_by_name(start: Start, filled: Path) -> None:
    """A file over the limit gets a sentence with its size, and the others are taken in."""
    (filled / "footnote.toml").write_text("[ingest]\nmax_file_mb = 1\n", encoding="utf-8")
    app, services = start(page=draw, settings={"max_file_mb": 1})
    found = drop(app, services, ("big.txt", b"x" * (2 << 20)), ("a.txt", b"Rain in Hangzhou."))
    assert "1 MB is the most" in found["big.txt"].reason
    assert "raise the limit in the settings" in texts(app)
    assert "a.txt" in names(services)


def locked_document(password: str) -> bytes:
    """A Word document behind a password."""
    plain, closed = io.BytesIO(), io.BytesIO()
    document = Document()
    document.add_paragraph("The rent is 900 francs.")
    document.save(plain)
    OOXMLFile(plain).encrypt(password, closed)
    return closed.getvalue()


def test_a_locked_file_opens_with_a_password_that_nothing_keeps(start: Start, filled: Path) -> None:
    """The page asks for the password, reads the file with it, and neither store nor page knows it afterwards."""
    app, services = start(page=draw)
    found = drop(app, services, ("lease.docx", locked_document("s3cret-word")))
    assert found["lease.docx"].reason.startswith("locked")
    next(box for box in app.text_input if "lease" in box.label).set_value("s3cret-word")
    next(button for button in app.button if button.label == "Open").click().run()
    assert job_of(services).wait(60)
    app.run()
    with Store(filled) as store:
        assert "900 francs" in store.document_text("lease.docx")
    kept = [path for path in filled.rglob("*") if path.is_file() and b"s3cret-word" in path.read_bytes()]
    assert not kept
    assert "s3cret-word" not in texts(app)


def test_stopping_keeps_what_was_taken_in(start: Start, filled: Path) -> None:
    """Stop ends the process between two documents; the same again goes on from there."""
    app, services = start(page=draw)
    files = [
        (f"{number:03}.txt", f"Report {number} of the observatory.".encode(), "text/plain") for number in range(400)
    ]
    app.file_uploader[0].set_value(files).run()
    job = job_of(services)
    while job.progress.done < 5 and not job.done:
        time.sleep(0.01)
    job.stop()
    assert job.wait(60)
    app.run()
    assert job.progress.interrupted or len(job.progress.verdicts) == 400
    assert not app.exception and not app.error


def test_a_process_that_is_killed_is_one_sentence(start: Start, filled: Path, tmp_path: Path) -> None:
    """Where the process is gone in the middle, the page says so and stays up."""
    app, services = start(page=draw)
    with Store(services.settings.home) as store, store.write_lock():
        app.file_uploader[0].set_value([("a.txt", b"Rain in Hangzhou.", "text/plain")]).run()
        job = job_of(services)
        while not job.progress.waiting and not job.done:
            time.sleep(0.05)
        children = Path(f"/proc/{os.getpid()}/task")
        pids = {int(p) for task in children.iterdir() for p in (task / "children").read_text().split()}
        for pid in pids:
            if b"ingest_child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        assert job.wait(60)
    app.run()
    assert "ended unexpectedly" in app.error[0].value


def test_a_folder_is_followed_and_forgotten(start: Start, filled: Path, tmp_path: Path) -> None:
    """A folder added by its path is a root; followed, a new file of it becomes a document by itself; taken out, it goes."""
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / "one.txt").write_text("One day of rain.", encoding="utf-8")
    app, services = start(page=draw)
    next(box for box in app.text_input if box.label == "Add a folder of this machine").set_value(str(folder))
    next(button for button in app.button if button.label == "Add").click().run()
    assert job_of(services).wait(60)
    app.run()
    assert "one.txt" in names(services)
    app.toggle(key=f"watch-{folder}").set_value(True).run()
    (folder / "two.txt").write_text("Two days of wind.", encoding="utf-8")
    end = time.monotonic() + 60
    while "two.txt" not in names(services) and time.monotonic() < end:
        time.sleep(0.2)
    assert "two.txt" in names(services)
    app.run().toggle(key=f"watch-{folder}").set_value(False).run()
    assert not services.followers
    app.button(key=f"forget-{folder}").click().run()
    assert "Take “" in texts(app)
    with Store(filled) as store:
        store.forget_root(str(folder))
    assert not {"one.txt", "two.txt"} & names(services)
    assert (folder / "one.txt").exists()


def test_a_folder_can_be_the_first_thing_in_a_knowledge_base(start: Start, tmp_path: Path) -> None:
    """Where nothing is yet, a folder can be added by its path; one without documents can be unfollowed again."""
    folder = tmp_path / "bare"
    folder.mkdir()
    app, services = start(page=draw)
    next(box for box in app.text_input if box.label == "Add a folder of this machine").set_value(str(folder))
    next(button for button in app.button if button.label == "Add").click().run()
    assert job_of(services).wait(60)
    app.run().toggle(key=f"watch-{folder}").set_value(True).run()
    assert services.followers["default"].running
    app.toggle(key=f"watch-{folder}").set_value(False).run()
    assert not services.followers


@pytest.mark.parametrize(
    ("line", "chinese"),
    [("09:30:00 watching /srv/a; Ctrl-C ends it", "09:30:00 正在关注 /srv/a"),
     ("09:30:00 indexed   新.txt (2 chunks)", "09:30:00 已收录 · 新.txt (2 个片段)"),
     ("09:30:00 set aside a.pdf: locked: needs a password; type --password FILE=PASSWORD",
      "09:30:00 未收录 · a.pdf: 已加密，需要密码"),
     ("09:30:00 /srv/a is back", "09:30:00 /srv/a 回来了")],
)  # fmt: skip
def test_what_following_saw_is_told_in_the_readers_language(line: str, chinese: str) -> None:
    """States, reasons and what happens to folders are Chinese for readers of Chinese, without a key to press."""
    assert adding._seen(line, Say("zh")) == chinese


def test_a_folder_that_is_not_there_is_one_sentence(start: Start, filled: Path) -> None:
    """A mistyped path is told as such and adds nothing."""
    app, services = start(page=draw)
    next(box for box in app.text_input if box.label == "Add a folder of this machine").set_value("/no/such/folder")
    next(button for button in app.button if button.label == "Add").click().run()
    assert "/no/such/folder" in app.error[0].value.replace("\\", "")
    assert not services.ingests


def test_what_is_followed_is_followed_again_after_a_restart(start: Start, filled: Path) -> None:
    """A folder that was followed when the app last ran is followed once it runs again."""
    with Store(filled) as store:
        [root] = [state.path for state in store.root_states() if state.path != UPLOADS]
        store.watch_root(root, True)
    _, services = start(page=draw)
    assert services.followers["default"].running
    services.followers["default"].stop()


def test_long_names_that_are_cut_alike_are_both_kept(start: Start, filled: Path) -> None:
    """Three files in one drop whose 300 characters are cut to the same name stay three documents."""
    app, services = start(page=draw)
    before = names(services)
    contents = [b"Rain today.", b"Wind tomorrow.", b"Snow on Sunday."]
    drop(app, services, *(("y" * 300 + ".txt", content) for content in contents))
    with Store(filled) as store:
        texts_now = {store.document_text(name).strip().encode() for name in names(services) - before}
    assert texts_now == set(contents)


def test_a_password_is_asked_for_only_where_it_opens_something(start: Start, filled: Path) -> None:
    """A locked archive is to be unpacked first: there is no box, and no advice, for a password that nothing would read."""
    app, services = start(page=draw)
    drop(app, services, ("x.zip", locked_zip()))
    assert not [box for box in app.text_input if box.label.startswith("Password")]
    assert "Type its password" not in texts(app)


def test_a_locked_file_can_be_opened_after_its_verdict_was_dismissed(start: Start, filled: Path) -> None:
    """The password box is where the file is listed as left out, too."""
    app, services = start(page=draw)
    drop(app, services, ("lease.docx", locked_document("s3cret-word")))
    app.button(key="dismiss").click().run()
    next(box for box in app.text_input if "lease" in box.label).set_value("s3cret-word")
    next(button for button in app.button if button.label == "Open").click().run()
    assert job_of(services).wait(60)
    with Store(filled) as store:
        assert "900 francs" in store.document_text("lease.docx")


def test_a_second_drop_from_another_tab_loses_no_verdict(start: Start, filled: Path) -> None:
    """Files dropped while another tab's are being added wait their turn, and the outcome tells of both."""
    _, services = start(page=draw)
    session = session_of(services)
    with Store(services.settings.home) as store, store.write_lock():
        for name, data in (("first.txt", b"Rain."), ("second.txt", b"Wind.")):
            adding.start(session, [UPLOADS], keep=partial(adding._keep, session, [Upload(name, data)]))
    assert job_of(services).wait(60)
    told = [(verdict.file, verdict.state) for verdict in job_of(services).progress.verdicts]
    assert sorted(told) == [("first.txt", "indexed"), ("second.txt", "indexed")]


def test_another_tab_does_not_turn_following_off(start: Start, filled: Path) -> None:
    """A page drawn before a folder was followed shows that it is when it is drawn again, and changes nothing."""
    app, _ = start(page=draw)
    with Store(filled) as store:
        [root] = [state.path for state in store.root_states() if state.path != UPLOADS]
        store.watch_root(root, True)
    app.run()
    assert app.toggle(key=f"watch-{root}").value is True
    with Store(filled) as store:
        assert store.root_states()[0].watched


def test_a_folder_that_went_is_said_to_be_missing(start: Start, filled: Path) -> None:
    """The documents of a folder that is gone stay, and the page says where they came from is not there."""
    (filled / "files").rename(filled / "elsewhere")
    app, services = start(page=draw)
    assert "not there now" in texts(app)
    assert "adapters.md" in names(services)
