"""Everything in one file, and back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rag.__main__ import main
from rag.backup import backup, restore
from rag.conversations import Conversations
from rag.database import DATABASE_NAME
from rag.dense import open_index
from rag.errors import RagError, StoreLockedError
from rag.store import Store, uploads_folder
from rag.users import Users
from tests.rag.stored import put


@pytest.fixture
def home(tmp_path: Path, embedder: Any) -> Path:
    """A home with documents in two knowledge bases, an upload, a question set, a report, people and settings with a key."""
    home = tmp_path / "home"
    with Store(home) as store:
        put(store, embedder, "a.md", "Fifteen days of paid leave.")
        put(Store(home, "人事"), embedder, "b.md", "年假每年十五天。")
    for name in ("workspace/uploads/default/u.txt", "workspace/questions/人事/q.jsonl", "reports/default/r.json"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"content of {name}", encoding="utf-8")
    (home / "footnote.toml").write_text('[llm]\nbase_url = "http://127.0.0.1:1/v1"\napi_key = "sk-canary"\n')
    Conversations(home).create("年假几天？")
    Users(home).add("ada", "admin", (), "correct horse battery")
    return home


def state(home: Path) -> dict[str, object]:
    """Everything that a user would miss."""
    with Store(home) as store:
        kbs = {
            kb: [(d, store.beside(kb).document_text(d.name)) for d in store.beside(kb).documents()]
            for kb in store.kbs()
        }
        assert store.verify() == []
    files = {
        str(path.relative_to(home)): path.read_text(encoding="utf-8")
        for folder in ("workspace/uploads", "workspace/questions", "reports")
        for path in (home / folder).rglob("*") if path.is_file()
    }  # fmt: skip
    return {"kbs": kbs, "files": files, "asked": [c.title for c in Conversations(home).all()],
            "people": [p.user.name for p in Users(home).all()]}  # fmt: skip


def test_everything_comes_back_elsewhere(home: Path, tmp_path: Path) -> None:
    """A backup put into an empty home gives the same documents, files, conversations, people and settings, but no key."""
    held = backup(home, tmp_path / "b.zip")
    assert (held.documents, held.files) == (2, 4)
    restore(tmp_path / "new", tmp_path / "b.zip")
    assert state(tmp_path / "new") == state(home)
    assert "base_url" in (tmp_path / "new" / "footnote.toml").read_text()
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        assert not any(b"sk-canary" in packed.read(name) for name in packed.namelist())
    if os.name != "nt":
        assert (tmp_path / "b.zip").stat().st_mode & 0o077 == 0


def test_it_takes_the_place_of_what_was_there(home: Path, tmp_path: Path, embedder: Any) -> None:
    """What came after the backup is gone after --replace, deleted documents are back, and an open program follows."""
    backup(home, tmp_path / "b.zip")
    before = state(home)
    with Store(home) as open_one:
        index = open_index(open_one, embedder)
        open_one.delete("a.md")
        put(open_one, embedder, "later.md", "Later words.")
        (uploads_folder(home, "default") / "later.txt").write_text("x")
        index.follow()
        with pytest.raises(RagError, match="--replace"):
            restore(home, tmp_path / "b.zip")
        restore(home, tmp_path / "b.zip", replace=True)
        index.follow()
        (found, _) = index.search(embedder.embed_query("paid leave"), 1)[0]
        assert open_one.chunks_by_id([found])[found].document == "a.md"
        assert [d.name for d in open_one.documents()] == ["a.md"]
        assert put(open_one, embedder, "new.md", "New words.") and open_one.verify() == []
        open_one.delete("new.md")
    assert state(home) == before
    assert not list((home / "workspace").glob("restore")) and not list((home / "workspace").glob(".part*"))


def test_a_backup_is_one_state_of_a_store_that_is_written(home: Path, tmp_path: Path, embedder: Any) -> None:
    """Documents that are added and deleted meanwhile are in it whole or not at all."""
    stop = threading.Event()

    def write() -> None:
        with Store(home) as store:
            number = 0
            while not stop.is_set():
                put(store, embedder, f"w{number % 7}.md", *[f"{number} {part} words" for part in range(20)])
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(4):
            backup(home, tmp_path / f"{number}.zip")
    finally:
        stop.set()
        writer.join(60)
    for number in range(4):
        restore(tmp_path / f"home{number}", tmp_path / f"{number}.zip")
        with Store(tmp_path / f"home{number}") as store:
            assert store.verify() == [] and "a.md" in {d.name for d in store.documents()}


def test_a_damaged_backup_changes_nothing(home: Path, tmp_path: Path) -> None:
    """A file that is cut off, flipped or made by somebody else is refused in one sentence, before anything is changed."""
    backup(home, tmp_path / "b.zip")
    raw, before = (tmp_path / "b.zip").read_bytes(), state(home)
    bad = [raw[: len(raw) // 2], b"", b"no zip at all", *(
        raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :] for at in range(40, len(raw), len(raw) // 60)
    )]  # fmt: skip
    for number, content in enumerate(bad):
        (tmp_path / "bad.zip").write_bytes(content)
        try:
            restore(home, tmp_path / "bad.zip", replace=True)
        except RagError as error:
            assert "Nothing was changed" in str(error), number
        assert state(home) == before, number


@pytest.mark.parametrize(
    "name", ["../out.txt", "/out.txt", "uploads/../../out.txt", "workspace/x", "uploads/default/a\\b"]
)
def test_a_planted_name_writes_nothing_outside(home: Path, tmp_path: Path, name: str) -> None:
    """A backup made to write elsewhere is refused."""
    backup(home, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as good, zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        manifest = json.loads(good.read("manifest.json"))
        manifest["files"][name] = {"sha256": "0" * 64, "bytes": 1}
        bad.writestr("manifest.json", json.dumps(manifest))
        bad.writestr(DATABASE_NAME, good.read(DATABASE_NAME))
        bad.writestr(name, "x")
    with pytest.raises(RagError, match="no whole backup"):
        restore(home, tmp_path / "bad.zip", replace=True)
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize("step", ["unpack", "take_over", "replace 1", "replace 3", "rmtree"])
def test_a_kill_in_the_middle_leaves_one_or_the_other(home: Path, tmp_path: Path, embedder: Any, step: str) -> None:
    """Whenever it is killed, the next start finds all of the old state or all of the backup, never a mixture."""
    backup(home, tmp_path / "b.zip")
    saved = state(home)
    with Store(home) as store:
        put(store, embedder, "later.md", "Later words.")
    (uploads_folder(home, "default") / "later.txt").write_text("x")
    later = state(home)
    code = (
        "import os, shutil, signal, sys; from pathlib import Path; from rag import backup; from rag.database import Database\n"
        "def die(*a, **k): os.kill(os.getpid(), signal.SIGKILL)\n"
        "step, count = sys.argv[3].split()[0], int(sys.argv[3].split()[1]) if ' ' in sys.argv[3] else 1\n"
        "if step == 'unpack': backup._go_on_from = die\n"
        "if step == 'take_over': Database.take_over = die\n"
        "if step in ('replace', 'rmtree'):\n"
        "    real, module, calls = getattr(shutil if step == 'rmtree' else os, step), backup, []\n"
        "    def counted(*a, **k):\n"
        "        calls.append(1) if step == 'replace' or 'ignore_errors' not in k else None\n"
        "        ready = Path(sys.argv[1], 'workspace/restore/ready').exists()\n"
        "        return die() if len(calls) == count and ready else real(*a, **k)\n"
        "    setattr(shutil if step == 'rmtree' else os, step, counted)\n"
        "backup.restore(Path(sys.argv[1]), Path(sys.argv[2]), replace=True)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(home), str(tmp_path / "b.zip"), step], timeout=60)
    assert run.returncode == -signal.SIGKILL
    assert state(home) == (later if step == "unpack" else saved)
    assert not (home / "workspace" / "restore").exists()


def test_nobody_restores_into_a_running_ingest(home: Path, tmp_path: Path) -> None:
    """While documents are being added, a restore is told who does it."""
    backup(home, tmp_path / "b.zip")
    with Store(home) as store, store.write_lock(), pytest.raises(StoreLockedError, match="process"):
        restore(home, tmp_path / "b.zip", replace=True)


def test_a_damaged_store_is_replaced_and_kept(home: Path, tmp_path: Path) -> None:
    """A database that can't be opened gives way to the backup with --replace, and stays beside it."""
    backup(home, tmp_path / "b.zip")
    before = state(home)
    (home / "workspace" / DATABASE_NAME).write_bytes(b"damaged " * 5000)
    with pytest.raises(RagError, match="--replace"):
        restore(home, tmp_path / "b.zip")
    restore(home, tmp_path / "b.zip", replace=True)
    assert state(home) == before
    assert len(list((home / "workspace").glob(f"{DATABASE_NAME}.damaged-*"))) == 1


def test_the_commands(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`backup` and `restore` say what they hold; a taken place and a home without a store are errors."""
    target = tmp_path / "b.zip"
    assert main(["backup", str(target), "--home", str(home)]) == 0
    assert "2 documents, 4 files" in capsys.readouterr().out
    assert main(["backup", str(target), "--home", str(home)]) == 1
    assert "there already" in capsys.readouterr().err
    assert main(["backup", str(tmp_path / "c.zip"), "--home", str(tmp_path / "nothing")]) == 1
    assert main(["backup", str(home / "workspace" / "c.zip"), "--home", str(home)]) == 1
    shutil.rmtree(home)
    assert main(["restore", str(target), "--home", str(home)]) == 0
    assert "2 documents" in capsys.readouterr().out
    assert main(["restore", str(tmp_path / "missing.zip"), "--home", str(home), "--replace"]) == 1
    assert "missing.zip" in capsys.readouterr().err
