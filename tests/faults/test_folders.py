"""Folders that hold more than files, files that change their kind, and names that are paths or no text."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.discovery import Root, discover, sha256
from ingest.progress import Progress
from ingest.sandbox import Sandbox
from ingest.sync import synchronise
from ingest.uploads import add_upload, clean_name, uploads_root
from rag.errors import IngestError
from rag.settings import IngestSettings, Settings
from rag.store import Store
from rag.types import Embedder, Verdict

Figure = Callable[[str, str], None]
CANARY = "canary-7f3a"

posix_only = pytest.mark.skipif(os.name == "nt", reason="POSIX files")


def _special_files(folder: Path, outside: Path) -> list[str]:
    """Everything that a folder can hold and that is no document; their names."""
    (folder / "link.txt").symlink_to(outside / "secret.txt")
    (folder / "linked").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    (folder / "dangling.txt").symlink_to(outside / "nothing.txt")
    os.mkfifo(folder / "fifo.txt")
    here = os.getcwd()
    os.chdir(folder)  # a socket's name may have no more than 108 bytes
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("socket.txt")
    os.chdir(here)
    listener.close()
    names = ["link.txt", "linked", "loop", "dangling.txt", "fifo.txt", "socket.txt"]
    for name, kind, device in (("zero.txt", stat.S_IFCHR, (1, 5)), ("disk.txt", stat.S_IFBLK, (7, 0))):
        try:
            os.mknod(folder / name, kind | 0o600, os.makedev(*device))
        except OSError:  # only root may
            continue
        names.append(name)
    return names


@posix_only
def test_only_regular_files_are_ever_opened(tmp_path: Path, embedder: Embedder, figure: Figure) -> None:
    """Links, FIFOs, sockets and devices are passed over; one that takes a file's place meanwhile is refused at once."""
    folder, outside = tmp_path / "docs", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "secret.txt").write_text(CANARY)
    (folder / "a.txt").write_text("content")
    names = _special_files(folder, outside)
    assert [file.relative for file in discover(Root(str(folder), folder), tmp_path)] == ["a.txt"]
    started = time.monotonic()
    for name in names:
        with pytest.raises(OSError):
            sha256(folder / name)
        if name not in ("linked", "loop"):
            with Sandbox(20) as sandbox, pytest.raises(IngestError, match="cannot be read"):
                list(sandbox.documents(folder / name))
    assert time.monotonic() - started < 20
    figure("links, FIFOs, sockets, devices", f"{len(names)}: 0 opened, 0 hangs")


@posix_only
def test_a_file_that_becomes_a_link_is_not_followed(tmp_path: Path, embedder: Embedder, figure: Figure) -> None:
    """Between finding a file and reading it, a link may take its place: what it points to is never taken in."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text(CANARY)
    moments = []
    with Store(tmp_path / "home") as store:
        for moment in range(1, 8):
            for name in ("a.txt", "b.txt"):
                (folder / name).unlink(missing_ok=True)
                (folder / name).write_text(f"{name} at moment {moment}")
            calls = 0

            def swap(progress: Progress, moment: int = moment) -> None:
                nonlocal calls
                calls += 1
                if calls == moment:
                    (folder / "b.txt").unlink()
                    (folder / "b.txt").symlink_to(tmp_path / "secret.txt")
                    moments.append(progress)

            synchronise(Settings(store.home), [folder], store=store, embedder=embedder, report=swap)
            assert not any(CANARY in store.document_text(document.name) for document in store.documents())
    figure("files swapped for links", f"{len(moments)} moments of a run: 0 outside reads")
    assert len(moments) >= 4


@posix_only
def test_what_may_not_be_read_is_told(tmp_path: Path, embedder: Embedder) -> None:
    """A file without permission is set aside; a folder without it ends the run before anything is removed."""
    with tempfile.TemporaryDirectory() as name, Store(tmp_path / "home") as store:
        folder = Path(name).resolve()
        (folder / "shut").mkdir()
        (folder / "a.txt").write_text("a")
        (folder / "shut/b.txt").write_text("b")

        def run() -> Sequence[Verdict]:
            return synchronise(Settings(store.home), [folder], store=store, embedder=embedder).verdicts

        run()
        (folder / "shut").chmod(0)
        with _as_nobody(folder), pytest.raises(IngestError, match=r"Permission denied.*Nothing was changed"):
            discover(Root(str(folder), folder), tmp_path)
        (folder / "shut").chmod(0o777)
        assert {document.name for document in store.documents()} == {"a.txt", "shut/b.txt"}
        (folder / "a.txt").chmod(0)
        with _as_nobody(folder), pytest.raises(PermissionError):
            sha256(folder / "a.txt")


@contextmanager
def _as_nobody(folder: Path) -> Iterator[None]:
    """Root may read everything: for a while this process is somebody else."""
    if os.geteuid() != 0:
        yield
        return
    folder.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_names_that_are_no_text_stay_apart(tmp_path: Path, embedder: Embedder) -> None:
    """Names that are no UTF-8, that differ only in case, or that hold controls each make a document of their own."""
    folder = tmp_path / "docs"
    folder.mkdir()
    names = [
        b"caf\xe9.txt",
        b"caf\xe8.txt",
        "咖啡.txt".encode("gbk"),
        b"A.txt",
        b"a.txt",
        b"line\nbreak.txt",
        b"esc\x1b[31m.txt",
    ]
    made = 0
    for number, name in enumerate(names):
        try:
            Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(f"content number {number}")
            made += 1
        except OSError:  # some systems take UTF-8 only
            continue
    if len(list(folder.iterdir())) < made:
        pytest.skip("this file system does not tell case apart")
    with Store(tmp_path / "home") as store:

        def run() -> Sequence[Verdict]:
            return synchronise(Settings(store.home), [folder], store=store, embedder=embedder).verdicts

        assert [verdict.state for verdict in run()] == ["indexed"] * made
        assert len({store.document_text(document.name) for document in store.documents()}) == made
        assert [verdict.state for verdict in run()] == ["unchanged"] * made


UPLOAD_NAMES = [
    "../../../etc/passwd", "/etc/passwd", "..", ".", "", "a\0b.txt", "a" * 4096 + ".txt", "文" * 2000 + ".pdf",
    "\u202efdp.exe.txt", "CON", "con.txt", "NUL.md", "LPT1.", "C:\\Windows\\win.ini", "\\\\server\\share\\a.txt",
    "a/../../b.txt", "~/.ssh/id_rsa", ".footnoteignore", ".hidden", "~$lock.docx", "a:b.txt", "a|b?.txt", "a\nb.txt",
    "\x1b[31mred.txt", " . ", "...", "a.txt.", "x" * 300, "\ud800.txt", "%2e%2e%2fa.txt", "name#1.txt", "-rf.txt",
]  # fmt: skip


def test_upload_names_stay_in_their_folder(tmp_path: Path, figure: Figure) -> None:
    """Whatever an upload is called, it is written into the folder of uploads, under a name that is safe anywhere."""
    (tmp_path / "around").mkdir()
    where = Settings(tmp_path / "around/home", ingest=IngestSettings())
    for name in UPLOAD_NAMES:
        place = add_upload(where, name, b"content")
        assert place.resolve().parent == uploads_root(where).path.resolve(), name
        assert place.read_bytes() == b"content" and len(place.name.encode()) <= 255
        assert (
            place.name.isprintable() and not place.name.startswith((".", "~$")) and clean_name(place.name) == place.name
        )
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(uploads_root(where).path in path.parents for path in written)
    figure("upload names", f"{len(UPLOAD_NAMES)}: 0 writes outside")
