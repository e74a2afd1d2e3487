"""One file that holds everything of a home, made and put back while the app runs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import tomlkit

from rag.database import DATABASE_NAME, Database, Snapshot, set_aside
from rag.errors import DamagedError, RagError, StoreLockedError
from rag.logs import note
from rag.settings import CONFIG_NAME
from rag.store import RESTORING, Store
from rag.whole_file import sync_folder, whole_file

_FORMAT = 1
_MANIFEST = "manifest.json"
_READY = "ready"  # in the folder of what is put back, once all of it is checked
_BLOCK = 1 << 20
_BESIDE = 1 << 26  # bytes that are to stay free
# Where the folders of a home lie; each knowledge base has one of its name in each.
_FOLDERS = {"uploads": "workspace/uploads", "pages": "workspace/pages", "questions": "workspace/questions",
            "reports": "reports"}  # fmt: skip

Report = Callable[[int, int], None]  # bytes done, bytes in all


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds: documents, files beside the database, their bytes, and when it was made (seconds since 1970)."""

    documents: int
    files: int
    bytes: int
    made: float


def backup(home: Path, target: Path, report: Report = lambda done, total: None) -> Contents:
    """Write all documents, conversations, people, uploads, question sets, reports and settings into one ZIP file.

    It is one state of the store, whoever writes meanwhile. Left out: keys in footnote.toml, who is signed in, models, and
    folders of one's own. Raises RagError where the place is taken or cannot be written; then no file is left there.
    """
    target = target.absolute()
    if target.exists():
        raise RagError(f"{target} is there already. Name another file.")
    if (home / "workspace").resolve() in target.resolve().parents:
        raise RagError(f"{target} lies in the store itself. Name a place outside {home / 'workspace'}.")
    if not (home / "workspace" / DATABASE_NAME).exists():
        raise RagError(f"There is no store in {home}, so there is nothing to back up. Name another place with --home.")
    copy = home / "workspace" / f".part-backup-{os.getpid()}"
    try:
        with Store(home):  # brought up to date
            pass
        database = Database(home)
        database.copy_to(copy)
        with Snapshot(copy) as taken:
            taken.write("DELETE FROM signed_in")
            documents = int(taken.rows("SELECT count(*) FROM document")[0][0])
        held = _write(home, target, copy, documents, report)
        note("backed up", documents=held.documents, files=held.files, bytes=held.bytes)
        return held
    except OSError as error:
        raise RagError(
            f"{target} cannot be written ({error.strerror}). Check its folder and the space there."
        ) from None
    finally:
        copy.unlink(missing_ok=True)


def restore(home: Path, source: Path, *, replace: bool = False, report: Report = lambda done, total: None) -> Contents:
    """Put a backup in the place of what a home holds; all of it is checked before anything is changed.

    Whoever has the store open goes on with what was put back. Raises RagError where the file is no whole backup or, unless
    ``replace`` is set, where there are documents; StoreLockedError while documents are being added.
    """
    if replace:
        _make_room(home)
    with Store(home) as store:
        there = sum(store.seen_by(store.user, kb).counts()[0] for kb in store.kbs())
        if there and not replace:
            raise RagError(
                f"{home} holds {there} documents, which the backup would replace. Add --replace to have that done; "
                "`python -m rag backup FILE.zip` keeps them first."
            )
        with store.write_lock():
            staged = home / "workspace" / RESTORING
            shutil.rmtree(staged, ignore_errors=True)
            try:
                contents = _unpack(source, staged, report)
                _go_on_from(Database(home), staged / DATABASE_NAME)
                (staged / _READY).touch()
                sync_folder(staged)
            except BaseException:
                shutil.rmtree(staged, ignore_errors=True)
                raise
            _complete(home)
            shutil.rmtree(home / "workspace" / "cache", ignore_errors=True)
        store.settle()
    note("restored", documents=contents.documents, files=contents.files, bytes=contents.bytes)
    return contents


def complete_restoring(home: Path) -> None:
    """Bring a restoring to its end that was broken off: forwards once all was checked, else back to nothing."""
    staged = home / "workspace" / RESTORING
    if not staged.exists():
        return
    with suppress(StoreLockedError), Database(home).write_lock():  # locked: whoever restores is still at it
        if (staged / _READY).exists():
            _complete(home)
        shutil.rmtree(staged, ignore_errors=True)


def _make_room(home: Path) -> None:
    """Set a database aside that is too damaged to be opened."""
    try:
        Database(home).close()
    except DamagedError:
        set_aside(home)


# Writing


def _write(home: Path, target: Path, copy: Path, documents: int, report: Report) -> Contents:
    files = {DATABASE_NAME: copy, **dict(_files(home))}
    total = sum(path.stat().st_size for path in files.values() if path.exists())
    if shutil.disk_usage(target.parent).free < _BESIDE:
        raise RagError(f"The disk of {target.parent} is full. Free some space or name another place.")
    manifest: dict[str, Any] = {"format": _FORMAT, "documents": documents, "made": time.time(), "files": {}}
    done = 0
    with whole_file(target) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, path in files.items():
            with suppress(FileNotFoundError), path.open("rb") as source:  # deleted meanwhile: the user's latest word
                with packed.open(name, "w", force_zip64=True) as place:
                    sha, size = _copied(source, place, lambda bytes_: report(done + bytes_, total))  # noqa: B023
                manifest["files"][name] = {"sha256": sha, "bytes": size}
                done += size
        if (home / CONFIG_NAME).exists():
            settings = _settings_without_keys(home / CONFIG_NAME)
            packed.writestr(CONFIG_NAME, settings)
            manifest["files"][CONFIG_NAME] = {"sha256": hashlib.sha256(settings).hexdigest(), "bytes": len(settings)}
        packed.writestr(_MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
    return Contents(documents, len(manifest["files"]) - 1, done, manifest["made"])


def _files(home: Path) -> Iterator[tuple[str, Path]]:
    for name, folder in _FOLDERS.items():
        for path in sorted((home / folder).rglob("*")):
            if path.is_file() and not path.is_symlink() and not path.name.startswith(".part-"):
                yield f"{name}/{path.relative_to(home / folder).as_posix()}", path


def _settings_without_keys(path: Path) -> bytes:
    settings = tomlkit.parse(path.read_text(encoding="utf-8"))
    for section in settings.values():
        if isinstance(section, dict):
            section.pop("api_key", None)
    return tomlkit.dumps(settings).encode()


def _copied(source: IO[bytes], target: IO[bytes], told: Callable[[int], None]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while block := source.read(_BLOCK):
        target.write(block)
        digest.update(block)
        size += len(block)
        told(size)
    return digest.hexdigest(), size


# Reading


def _unpack(source: Path, staged: Path, report: Report) -> Contents:
    """Everything of a backup, checked, in a folder of its own; raises RagError."""
    broken = f"{source} is no whole backup of Footnote"
    try:
        with zipfile.ZipFile(source) as packed:
            manifest = json.loads(packed.read(_MANIFEST))
            if manifest.get("format") != _FORMAT:
                raise RagError(f"{source} was made by another version of Footnote (format {manifest.get('format')}).")
            _extract(packed, manifest["files"], staged, report)
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        EOFError,
        NotImplementedError,
        zlib.error,
    ) as error:
        raise RagError(f"{broken} ({error}). Nothing was changed.") from None
    except OSError as error:
        raise RagError(f"{source} cannot be put back ({error.strerror or error}). Nothing was changed.") from None
    with Snapshot(staged / DATABASE_NAME) as taken:
        if problem := taken.problem():
            raise RagError(f"{broken} ({problem}). Nothing was changed.")
    sizes = [int(entry["bytes"]) for entry in manifest["files"].values()]
    return Contents(int(manifest["documents"]), len(sizes) - 1, sum(sizes), float(manifest["made"]))


def _extract(packed: zipfile.ZipFile, files: dict[str, Any], staged: Path, report: Report) -> None:
    total, done = sum(int(entry["bytes"]) for entry in files.values()), 0
    if shutil.disk_usage(staged.parent).free < total + _BESIDE:
        raise RagError(f"{total >> 20:,} MB are needed in {staged.parent}. Free some space; nothing was changed.")
    if DATABASE_NAME not in files:
        raise ValueError("the database is missing")
    for folder in _FOLDERS:
        (staged / folder).mkdir(parents=True)
    for name, entry in files.items():
        target = staged / _safe(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        with packed.open(name) as member, target.open("xb") as out:
            os.chmod(target, 0o600)
            digest, left = hashlib.sha256(), int(entry["bytes"])
            while block := member.read(min(_BLOCK, left + 1)):  # one more than promised is too many
                if len(block) > left:
                    raise ValueError(f"{name} is longer than it says")
                out.write(block)
                digest.update(block)
                left -= len(block)
                done += len(block)
                report(done, total)
            out.flush()
            os.fsync(out.fileno())
        if left or digest.hexdigest() != entry["sha256"]:
            raise ValueError(f"{name} is damaged")


def _safe(name: str) -> Path:
    parts = PurePosixPath(name).parts
    known = name in (DATABASE_NAME, CONFIG_NAME) or (len(parts) > 2 and parts[0] in _FOLDERS)
    if not known or any(part in ("..", "/", "") or ":" in part or "\\" in part or "\0" in part for part in parts):
        raise ValueError(f"{name!r} is no file of a backup")
    return Path(*parts)


def _go_on_from(live: Database, staged: Path) -> None:
    """Let the numbers of the staged store go on from the live one's, so that no cache of either passes for the other's."""
    sql = "SELECT max(coalesce((SELECT max(generation) FROM kb), 0), coalesce((SELECT max(CAST(value AS INTEGER)) "
    generation = live.rows(sql + "FROM meta WHERE key = 'generation'), 0))")[0][0]
    given = live.rows("SELECT name, seq FROM sqlite_sequence")
    with Snapshot(staged) as taken:
        taken.write("UPDATE kb SET generation = max(generation, ?) + 1", generation)
        taken.write("INSERT OR REPLACE INTO meta SELECT 'generation', max(generation) FROM kb HAVING count(*)")
        taken.write("UPDATE meta SET value = lower(hex(randomblob(8))) WHERE key = 'identity'")
        for name, number in given:
            taken.write("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", number, name)


def _complete(home: Path) -> None:
    """Put what is staged and checked into its places; a program that ends in between leaves the rest to the next one."""
    staged = home / "workspace" / RESTORING
    if (staged / DATABASE_NAME).exists():
        Database(home).take_over(staged / DATABASE_NAME)
        (staged / DATABASE_NAME).unlink()
        sync_folder(staged)
    for name, folder in _FOLDERS.items():
        if (staged / name).exists():
            shutil.rmtree(home / folder, ignore_errors=True)
            (home / folder).parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged / name, home / folder)
    if (staged / CONFIG_NAME).exists() and not (home / CONFIG_NAME).exists():
        os.replace(staged / CONFIG_NAME, home / CONFIG_NAME)
    shutil.rmtree(staged)
