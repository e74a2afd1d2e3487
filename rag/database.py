"""The SQLite file behind the store: connection, schema, transactions, locks. The only module that opens it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from rag.errors import DamagedError, StoreError, StoreLockedError
from rag.mounts import network_drive

try:  # The wheel carries a current SQLite; many systems' own one has WAL and FTS5 faults that were mended since.
    from pysqlite3 import dbapi2 as sqlite
except ImportError:
    import sqlite3 as sqlite

SQLITE_VERSION: str = sqlite.sqlite_version
DATABASE_NAME = "footnote.sqlite3"
SQLiteError: type[Exception] = sqlite.DatabaseError
_BUSY_SECONDS = 30
_SETTLING_SECONDS = 5  # that a reader is waited for, to empty the write-ahead log
_NO_SCHEMA = 1000  # nor any that a later version will have
_MEND = "Type `python -m rag doctor --repair`, or put a backup back with `python -m rag restore FILE.zip --replace`."
_DAMAGE = re.compile(
    "malformed|corrupt|could not decode|no such (table|column)|vtable|unsupported file format|"
    "already exists|duplicate column",
    re.IGNORECASE,
)

_SCHEMA_1 = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE kb(
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
    generation INTEGER NOT NULL DEFAULT 0, fingerprint TEXT NOT NULL DEFAULT '');
CREATE TABLE root(
    id INTEGER PRIMARY KEY, kb_id INTEGER NOT NULL REFERENCES kb ON DELETE CASCADE,
    path TEXT NOT NULL, label TEXT NOT NULL, UNIQUE(kb_id, path), UNIQUE(kb_id, label));
CREATE TABLE file(
    id INTEGER PRIMARY KEY, kb_id INTEGER NOT NULL REFERENCES kb ON DELETE CASCADE,
    root_id INTEGER NOT NULL REFERENCES root ON DELETE CASCADE, relative TEXT NOT NULL,
    sha256 TEXT NOT NULL, size INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    pages INTEGER NOT NULL, chunks INTEGER NOT NULL, warnings TEXT NOT NULL, UNIQUE(root_id, relative));
CREATE INDEX file_bytes ON file(kb_id, sha256);
CREATE TABLE exclusion(
    kb_id INTEGER NOT NULL REFERENCES kb ON DELETE CASCADE, sha256 TEXT NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY(kb_id, sha256)) WITHOUT ROWID;
CREATE TABLE document(
    id INTEGER PRIMARY KEY AUTOINCREMENT, kb_id INTEGER NOT NULL REFERENCES kb ON DELETE CASCADE,
    file_id INTEGER NOT NULL REFERENCES file ON DELETE CASCADE, record TEXT NOT NULL, name TEXT NOT NULL,
    title TEXT NOT NULL, sha256 TEXT NOT NULL, text TEXT NOT NULL, UNIQUE(file_id, record));
CREATE INDEX document_name ON document(kb_id, name);
CREATE TABLE page(
    document_id INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, ordinal INTEGER NOT NULL, number INTEGER,
    start INTEGER NOT NULL, length INTEGER NOT NULL, kind TEXT NOT NULL, quality REAL NOT NULL,
    PRIMARY KEY(document_id, ordinal)) WITHOUT ROWID;
CREATE TABLE vector(
    id INTEGER PRIMARY KEY AUTOINCREMENT, text_sha BLOB NOT NULL, fingerprint TEXT NOT NULL,
    value BLOB NOT NULL, crc INTEGER NOT NULL, UNIQUE(text_sha, fingerprint));
CREATE TABLE chunk(
    id INTEGER PRIMARY KEY AUTOINCREMENT, kb_id INTEGER NOT NULL REFERENCES kb ON DELETE CASCADE,
    document_id INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, ordinal INTEGER NOT NULL,
    heading TEXT NOT NULL, page INTEGER, text TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    language TEXT NOT NULL, tokens INTEGER NOT NULL, vector_id INTEGER NOT NULL REFERENCES vector, crc INTEGER NOT NULL,
    UNIQUE(document_id, ordinal));
CREATE INDEX chunk_kb ON chunk(kb_id);
CREATE INDEX chunk_vector ON chunk(vector_id);
CREATE TABLE conversation(
    id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL);
CREATE TABLE message(
    id INTEGER PRIMARY KEY AUTOINCREMENT, conversation_id INTEGER NOT NULL REFERENCES conversation ON DELETE CASCADE,
    role TEXT NOT NULL, content TEXT NOT NULL, answer TEXT);
CREATE INDEX message_conversation ON message(conversation_id);
"""
_SCHEMA_2 = """
ALTER TABLE file ADD COLUMN modified REAL;
CREATE TABLE tag(
    file_id INTEGER NOT NULL REFERENCES file ON DELETE CASCADE, record TEXT NOT NULL, tag TEXT NOT NULL,
    PRIMARY KEY(file_id, record, tag)) WITHOUT ROWID;
ALTER TABLE vector ADD COLUMN windows BLOB NOT NULL DEFAULT x'';
CREATE INDEX chunk_marks ON chunk(kb_id, crc, vector_id, tokens);
"""
# A record is deleted with a document that it showed (rag/store.py) and loses its words where that document only changes.
_SCHEMA_3 = """
CREATE TABLE record(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kb TEXT NOT NULL, created REAL NOT NULL,
    question TEXT NOT NULL, facts TEXT NOT NULL, words TEXT NOT NULL, answer_sha TEXT NOT NULL);
CREATE INDEX record_answer ON record(answer_sha);
CREATE TABLE record_document(
    record_seq INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,
    document_id INTEGER NOT NULL REFERENCES document ON DELETE CASCADE,
    PRIMARY KEY(record_seq, document_id)) WITHOUT ROWID;
CREATE INDEX record_of_document ON record_document(document_id);
CREATE TRIGGER record_forgets BEFORE DELETE ON document BEGIN
    UPDATE record SET words = '' WHERE seq IN (SELECT record_seq FROM record_document WHERE document_id = OLD.id); END;
"""
_SCHEMA_4 = """
ALTER TABLE file ADD COLUMN seconds REAL NOT NULL DEFAULT 0;
ALTER TABLE file ADD COLUMN stamp TEXT NOT NULL DEFAULT '';
"""
# A conversation belongs to whoever began it (empty: whoever runs this machine) and keeps what it asks, as JSON. A root is
# looked at again and again where it is watched.
_SCHEMA_5 = """
ALTER TABLE conversation ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE conversation ADD COLUMN scope TEXT NOT NULL DEFAULT '';
CREATE INDEX conversation_owner ON conversation(owner);
ALTER TABLE message ADD COLUMN rating INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN correction TEXT NOT NULL DEFAULT '';
ALTER TABLE root ADD COLUMN watched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE root ADD COLUMN looked REAL;
CREATE TABLE user(
    name TEXT PRIMARY KEY, password TEXT NOT NULL, role TEXT NOT NULL, kbs TEXT NOT NULL, created REAL NOT NULL);
CREATE TABLE signed_in(
    token TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES user ON DELETE CASCADE ON UPDATE CASCADE, expires REAL NOT NULL);
"""
# What evaluation found out about a knowledge base's present documents; it goes with the first change of them, so that no
# word of a deleted document stays here.
_SCHEMA_6 = """
CREATE TABLE result(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kb_id INTEGER NOT NULL REFERENCES kb ON DELETE CASCADE,
    key TEXT NOT NULL UNIQUE, value TEXT NOT NULL);
CREATE INDEX result_kb ON result(kb_id);
CREATE TRIGGER result_is_old AFTER UPDATE OF generation ON kb WHEN NEW.generation <> OLD.generation BEGIN
    DELETE FROM result WHERE kb_id = OLD.id; END;
"""
# What an answer in a conversation was made from: it goes with it. Earlier ones are found by the names that they show, and
# lose the passages that were passed over, which nobody is shown.
_SCHEMA_7 = """
CREATE TABLE message_source(
    message_id INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
    file_id INTEGER NOT NULL REFERENCES file ON DELETE CASCADE, record TEXT NOT NULL,
    PRIMARY KEY(message_id, file_id, record)) WITHOUT ROWID;
CREATE INDEX message_source_file ON message_source(file_id, record);
INSERT OR IGNORE INTO message_source SELECT m.id, d.file_id, d.record
    FROM message m, json_each(m.answer, '$.passages') p
    JOIN kb k JOIN document d ON d.kb_id = k.id AND d.name IN (json_extract(p.value, '$.document'),
        substr(json_extract(p.value, '$.document'), instr(json_extract(p.value, '$.document'), '/') + 1));
UPDATE message SET answer = json_set(answer, '$.trace.cut', json('[]')) WHERE json_extract(answer, '$.trace.cut') <> '[]';
"""
# Step n makes schema n of schema n - 1; a new file goes through all of them, so that there is one truth.
_STEPS = (_SCHEMA_1, _SCHEMA_2, _SCHEMA_3, _SCHEMA_4, _SCHEMA_5, _SCHEMA_6, _SCHEMA_7)
SCHEMA_VERSION = len(_STEPS)


class Database:
    """HOME/workspace/footnote.sqlite3; a connection for each thread, opened when first used."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "workspace"
        self.path = self.folder / DATABASE_NAME
        self._local = threading.local()
        if kind := network_drive(home):
            raise StoreError(
                f"{home} lies on a network drive ({kind}), where a database can be damaged when two machines write or a "
                "connection breaks. Choose a folder on a disk of this machine with --home."
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(
                f"{self.folder} cannot be made ({error.strerror}). Choose another place with --home."
            ) from None
        with self._explained():
            self._prepare()

    def close(self) -> None:
        """Close this thread's connection."""
        if connection := getattr(self._local, "connection", None):
            connection.close()
            self._local.connection = None

    @property
    def connection(self) -> Any:
        """This thread's connection."""
        if getattr(self._local, "connection", None) is None:
            self._local.connection = self._connect()
        return self._local.connection

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._explained():
            return list(self.connection.execute(sql, values))

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        """One read transaction: everything read inside belongs to one state of the store. May be nested."""
        if self.connection.in_transaction:
            yield self.connection
            return
        with self._explained():
            self.connection.execute("BEGIN")
            try:
                yield self.connection
            finally:
                self.connection.execute("ROLLBACK")

    @contextmanager
    def lenient(self) -> Iterator[None]:
        """Read text that is no UTF-8 any more with marks in it, instead of failing: to find it, or to get around it."""
        connection = self.connection
        strict, connection.text_factory = connection.text_factory, _marked
        try:
            yield
        finally:
            connection.text_factory = strict

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """One write transaction: committed and on the disk when the block ends, or nothing of it."""
        with self._explained():
            connection = self.connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def problem(self) -> str:
        """What is wrong with the file; empty where nothing is. Raises DamagedError where not even that can be asked."""
        found = self.rows("PRAGMA integrity_check(1)")[0][0]
        return "" if found == "ok" else str(found)

    def settle(self) -> bool:
        """Bring the write-ahead log into the database file and empty it; False while a reader keeps it from that."""
        with self._explained():
            self.connection.execute(f"PRAGMA busy_timeout={_SETTLING_SECONDS * 1000}")
            try:
                return not self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                self.connection.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")

    def remove_old_copies(self) -> None:
        """Remove the copy that was made before the last change of the schema."""
        for copy in self.folder.glob(f"{DATABASE_NAME}.schema-*"):
            copy.unlink(missing_ok=True)

    def copy_to(self, path: Path) -> None:
        """Write one state of the database to a new file, compact, whoever writes meanwhile."""
        with self._explained():
            self.connection.execute("VACUUM INTO ?", (str(path),))

    def take_over(self, path: Path) -> None:
        """Become what another database file holds, in one transaction; who reads meanwhile sees either."""
        with self._explained():
            source = sqlite.connect(str(path))
            try:
                source.backup(self.connection)
            finally:
                source.close()

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """The one place for a long writer; raises StoreLockedError, naming who holds it."""
        with (self.folder / "lock").open("a+", encoding="utf-8") as handle:
            if not _try_lock(handle):
                handle.seek(0)
                raise StoreLockedError(
                    f"Another process is writing to this store ({handle.read().strip() or 'just started'}). "
                    "Wait until it has finished, then type the command again."
                )
            handle.truncate(0)
            handle.write(f"{_program()}, process {os.getpid()}, since {time.strftime('%H:%M:%S')}")
            handle.flush()
            try:
                yield
            finally:
                handle.truncate(0)

    def _connect(self) -> Any:
        connection = sqlite.connect(
            str(self.path), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")
        return connection

    def _prepare(self) -> None:
        self.connection.execute("PRAGMA page_size=8192")
        mode = self.connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise StoreError(f"{self.folder} is on a file system without write-ahead logs. Choose a local --home.")
        version = self.connection.execute("PRAGMA user_version").fetchone()[0]
        if not 0 <= version < _NO_SCHEMA:
            raise DamagedError(f"{self.path} is damaged (schema {version}). {_MEND}")
        if version > SCHEMA_VERSION:
            raise StoreError(f"{self.path} was written by a newer Footnote (schema {version}). Update Footnote.")
        if version < SCHEMA_VERSION:
            self._copy_old(version)
            with self.transaction() as connection:
                self._migrate(connection)

    def _copy_old(self, version: int) -> None:
        """Keep the file as it is before its schema changes; the next deletion or change removes the copy."""
        self.remove_old_copies()
        if version:
            unfinished = self.folder / f"{DATABASE_NAME}.schema-{version}.{os.getpid()}.tmp"
            self.copy_to(unfinished)
            os.replace(unfinished, self.folder / f"{DATABASE_NAME}.schema-{version}")

    def _migrate(self, connection: Any) -> None:
        """Bring the file to the present schema, inside one transaction: it has the old one or the new one."""
        version = connection.execute("PRAGMA user_version").fetchone()[0]  # another process may have been here first
        for step in _STEPS[version:]:
            _run_each(connection, step)
        if version == 0:
            # Tells the index caches of this store from those of another that counts from the start again.
            connection.execute("INSERT INTO meta VALUES('identity', ?)", (secrets.token_hex(8),))
        if version < 3:
            connection.execute("INSERT OR IGNORE INTO meta VALUES('secret', ?)", (secrets.token_hex(32),))
        connection.execute(f"PRAGMA user_version={max(version, SCHEMA_VERSION)}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite.DatabaseError as error:
            if isinstance(error, sqlite.OperationalError) and not _DAMAGE.search(str(error)):
                raise StoreError(self._advice(str(error))) from error
            what = str(error).partition(" with text ")[0]  # which would be a document's own
            raise DamagedError(f"{self.path} is damaged ({what}). {_MEND}") from error

    def _free(self) -> int:
        return shutil.disk_usage(self.folder).free >> 20

    def _advice(self, message: str) -> str:
        if "full" in message:
            return (
                f"The disk is full: {self.path} could not be written, {self._free()} MB are free there. Nothing was changed by "
                "this step. Free some space and do it again."
            )
        if "disk I/O error" in message:
            return (
                f"{self.path} could not be read or written (disk I/O error), {self._free()} MB are free there. Check the space "
                "and the disk, then do it again."
            )
        if "locked" in message or "busy" in message:
            return f"{self.path} has been locked by another process for {_BUSY_SECONDS} s. Try again when it is done."
        if "readonly" in message:
            return f"{self.path} is read-only. Give this user the right to write to it, or choose another --home."
        return f"{self.path}: {message}. Type `python -m rag doctor`."


class Snapshot(Database):
    """A database file that lies apart from the store, brought to the present schema; closed at the end of its block."""

    def __init__(self, path: Path) -> None:
        self.folder, self.path = path.parent, path
        self._local = threading.local()
        with self._explained():
            self._prepare()

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, sql: str, *values: Any) -> None:
        """One statement, in a transaction of its own."""
        with self.transaction() as connection:
            connection.execute(sql, values)


def _marked(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")


# What stands in the first 100 bytes of each of our files (https://www.sqlite.org/fileformat.html, section 1.3).
_HEADER = {0: b"SQLite format 3\0" + (8192).to_bytes(2, "big"), 20: bytes((0, 64, 32, 32)), 44: (4).to_bytes(4, "big"),
           52: bytes(4), 56: (1).to_bytes(4, "big"), 64: bytes(28)}  # fmt: skip


def connect_damaged(home: Path, copy: Path) -> Any:
    """A lenient connection to a copy of a damaged database, with a sound header; StoreError where a program has it open."""
    path = home / "workspace" / DATABASE_NAME
    _check_alone(path)
    with suppress(FileNotFoundError):
        shutil.copyfile(f"{path}-wal", f"{copy}-wal")
    shutil.copyfile(path, copy)
    with copy.open("r+b") as file:
        header = bytearray(file.read(100).ljust(100, b"\0"))
        for at, right in _HEADER.items():
            header[at : at + len(right)] = right
        if header[18] not in (1, 2) or header[19] not in (1, 2):
            header[18:20] = b"\2\2"
        if not 0 < int.from_bytes(header[60:64], "big") <= SCHEMA_VERSION:
            header[60:64] = SCHEMA_VERSION.to_bytes(4, "big")
        file.seek(0)
        file.write(header)
    connection = sqlite.connect(str(copy), isolation_level=None)
    connection.text_factory = _marked
    return connection


def _check_alone(path: Path) -> None:
    connection = sqlite.connect(str(path), timeout=2, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")  # waits for everybody else to close it
    except sqlite.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise StoreError(f"Another program has {path} open. Stop the app and whatever else uses it, then type this "
                             "again.") from None  # fmt: skip
    except sqlite.DatabaseError:
        pass  # too damaged to be locked by anybody
    finally:
        connection.close()


def set_aside(home: Path) -> Path:
    """Move a damaged database out of the way, with its logs, and return its new place; nobody may have it open."""
    folder = home / "workspace"
    place = folder / f"{DATABASE_NAME}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
    for ending in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            os.replace(folder / f"{DATABASE_NAME}{ending}", Path(f"{place}{ending}"))
    return place


def _program() -> str:
    """What this process is called by whoever started it: ``python -m ingest``, ``streamlit``."""
    started = Path(sys.argv[0] or "python")
    return f"python -m {started.parent.name}" if started.name == "__main__.py" else started.name


def _run_each(connection: Any, script: str) -> None:
    # executescript() would commit the transaction that this belongs to.
    for statement in script.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def _try_lock(handle: IO[str]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            handle.seek(1 << 20)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
