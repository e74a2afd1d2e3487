"""What `doctor --repair` does: rebuilds what the store still knows, and names what has to be ingested again.

A database that SQLite can read is mended in one transaction. One that it cannot is read row by row into a new file as far
as it goes; the damaged one is kept beside it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.database import DATABASE_NAME, Database, Snapshot, SQLiteError, connect_damaged, set_aside
from rag.errors import DamagedError, RagError, StoreError
from rag.logs import note
from rag.postings import TOKENISER, remake_postings
from rag.settings import Settings
from rag.store import Store, chunk_crc, text_sha, vector_columns
from rag.types import Chunk, Embedder
from rag.verify import damaged_documents, damaged_vectors, problems
from rag.whole_file import sync_folder
from rag.windows import embed_chunks

_FARTHEST_GAP = 1 << 14  # rows that are passed over at once where a part of a table cannot be read


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was mended, the documents that must be ingested again, their roots, and where a damaged file is kept."""

    done: tuple[str, ...]
    again: tuple[str, ...]
    roots: tuple[str, ...]
    kept: Path | None = None


def repair(settings: Settings, embedder: Callable[[], Embedder]) -> Repaired:
    """Mend the store of a home; raises StoreLockedError while somebody writes, StoreError where the app has it open.

    ``embedder`` is asked for only where vectors must be made anew.
    """
    home, kept = settings.home, None
    done: list[str] = []
    if _is_damaged(home):
        kept = _salvage(home, done)
    with Store(home) as store, store.write_lock():
        again, roots = _mend(Database(store.home), embedder, done)
    shutil.rmtree(home / "workspace" / "cache", ignore_errors=True)
    note("repaired", mended=len(done), documents_out=len(again), new_file=kept is not None)
    return Repaired(tuple(done), tuple(again), tuple(roots), kept)


def _is_damaged(home: Path) -> bool:
    try:
        return bool(Database(home).problem())
    except DamagedError:
        return True


# What SQLite can read


def _mend(database: Database, embedder: Callable[[], Embedder], done: list[str]) -> tuple[list[str], list[str]]:
    _renew_vectors(database, embedder, done)
    with database.lenient(), database.transaction() as connection:
        stray = _remove_strays(connection)
        names = _drop_damaged(connection)
        roots = sorted({root for _, root in names})
        if stray or names or _has_wrong_postings(connection):
            remake_postings(connection)
            done.append("The word index was made anew.")
        if stray:
            done.append(f"{stray} rows that belonged to nothing were removed.")
        if left := problems(connection):
            raise StoreError(f"The store could not be mended: {' '.join(left[:3])} Put a backup back, or ingest anew.")
    return sorted({name for name, _ in names}), roots


def _renew_vectors(database: Database, embedder: Callable[[], Embedder], done: list[str]) -> None:
    """Embed again what has a damaged vector and an undamaged text; where that is not to be had, the document goes below."""
    with database.lenient(), database.snapshot() as connection:
        damaged = damaged_vectors(connection)
        sql = """SELECT v.id, v.fingerprint, c.heading, c.text, c.crc FROM vector v JOIN chunk c ON c.vector_id = v.id
                 WHERE v.id = ? LIMIT 1"""
        rows = [row for identity in damaged for row in connection.execute(sql, (identity,))]
    whole = [row for row in rows if chunk_crc(row[2], row[3]) == row[4]]
    if not whole:
        return
    with contextlib.suppress(RagError):
        model = embedder()
        mine = [row for row in whole if row[1] == model.fingerprint]
        chunks = [Chunk(0, "", 0, heading, None, text, 0, len(text)) for _, _, heading, text, _ in mine]
        vectors = embed_chunks(chunks, model) if chunks else []
        with database.transaction() as connection:
            for (identity, *_), chunk, vector in zip(mine, chunks, vectors, strict=True):
                sha = text_sha(chunk.indexed_text)
                connection.execute(
                    "UPDATE vector SET text_sha = ?, value = ?, windows = ?, crc = ? WHERE id = ?",
                    (sha, *vector_columns(vector), identity),
                )
        if mine:
            done.append(f"{len(mine)} vectors were made anew.")


def _remove_strays(connection: Any) -> int:
    """Rows that point at rows that are gone."""
    removed = 0
    while found := connection.execute("PRAGMA foreign_key_check").fetchall():
        for table, rowid, parent, _ in found:
            if rowid is not None:
                connection.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (rowid,))
            else:  # a table without row numbers: whatever of it has no parent
                column, key = _link(connection, table, parent)
                connection.execute(f'DELETE FROM "{table}" WHERE "{column}" NOT IN (SELECT "{key}" FROM "{parent}")')
            removed += 1
    return removed


def _link(connection: Any, table: str, parent: str) -> tuple[str, str]:
    for row in connection.execute(f'PRAGMA foreign_key_list("{table}")'):
        if row[2] == parent:
            return str(row[3]), str(row[4] or "id")
    raise StoreError(f"{table} has no link to {parent}.")


def _drop_damaged(connection: Any) -> list[tuple[str, str]]:
    """Take out the documents that are not whole and let their files be read anew; names and roots."""
    sql = """SELECT d.name, r.path, d.file_id FROM document d JOIN file f ON f.id = d.file_id
             JOIN root r ON r.id = f.root_id WHERE d.id = ?"""
    named = []
    for document in damaged_documents(connection):
        for name, root, file in connection.execute(sql, (document,)).fetchall():
            named.append((str(name), str(root)))
            connection.execute("UPDATE file SET sha256 = '', chunks = 0 WHERE id = ?", (file,))
        connection.execute("DELETE FROM document WHERE id = ?", (document,))
    sql = """SELECT f.relative, r.path, f.id FROM file f JOIN root r ON r.id = f.root_id
             WHERE f.state = 'indexed' AND f.sha256 <> '' AND NOT EXISTS(SELECT 1 FROM file t
             JOIN document d ON d.file_id = t.id WHERE t.kb_id = f.kb_id AND t.sha256 = f.sha256)"""
    for name, root, file in connection.execute(sql).fetchall():
        named.append((str(name), str(root)))
        connection.execute("UPDATE file SET sha256 = '' WHERE id = ?", (file,))
    connection.execute("DELETE FROM vector WHERE NOT EXISTS(SELECT 1 FROM chunk WHERE vector_id = vector.id)")
    if named:
        connection.execute("UPDATE kb SET generation = generation + 1")
    return named


def _has_wrong_postings(connection: Any) -> bool:
    return any("word index" in problem for problem in problems(connection))


# What SQLite cannot read


def _salvage(home: Path, done: list[str]) -> Path:
    """Read what can be read into a new file and put it in the place of the damaged one, which is returned."""
    fresh = home / "workspace" / f".part-repair-{os.getpid()}"
    copy = home / "workspace" / f".part-damaged-{os.getpid()}"
    old = None
    try:
        old = connect_damaged(home, copy)
        with Snapshot(fresh) as new:
            lost = _copy_tables(old, new)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    finally:
        if old is not None:
            old.close()
        for ending in ("", "-wal", "-shm", "-journal"):
            Path(f"{copy}{ending}").unlink(missing_ok=True)
    kept = set_aside(home)
    os.replace(fresh, home / "workspace" / DATABASE_NAME)
    sync_folder(home / "workspace")
    done.append("The database was read into a new file as far as it could be read.")
    if lost:
        done.append(f"Rows of {', '.join(lost)} may be missing.")
    return kept


def _copy_tables(old: Any, new: Snapshot) -> list[str]:
    lost: list[str] = []
    with new.transaction() as connection:
        connection.execute("PRAGMA defer_foreign_keys=ON")
        connection.execute("DELETE FROM meta WHERE key = 'secret'")
        tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        for table, sql in tables:
            if table.startswith(("sqlite_", "fts_", "vocabulary_")):
                continue
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            marks = ",".join("?" * len(columns))
            by = "rowid" if "WITHOUT ROWID" not in sql else columns[0]
            complete = True
            for row in _rows(old, table, columns, by):
                if row is None:
                    complete = False
                else:
                    connection.execute(f'INSERT OR IGNORE INTO "{table}" VALUES({marks})', row)
            lost += [] if complete else [table]
        # The word index isn't copied: whoever opens the store makes it anew.
        connection.execute("DELETE FROM meta WHERE key = ?", (TOKENISER,))
        connection.execute("INSERT OR IGNORE INTO meta VALUES('secret', ?)", (secrets.token_hex(32),))
        _remove_strays(connection)
    return lost


def _rows(old: Any, table: str, columns: Sequence[str], by: str) -> Iterator[tuple[Any, ...] | None]:
    """The rows of a table in order, and None for each part that cannot be read."""
    named = ",".join(f'"{column}"' for column in columns)
    last, gap, end = -1, 1, _end(old, table, by)
    while last <= end:
        try:
            sql = f'SELECT {by}, {named} FROM "{table}" WHERE {by} > ? ORDER BY {by}'
            for row in old.execute(sql, (last,)):
                last, gap = row[0], 1
                yield row[1:]
            return
        except SQLiteError:
            yield None
            if not isinstance(last, int):
                return
            last, gap = last + gap, min(gap * 2, _FARTHEST_GAP)


def _end(old: Any, table: str, by: str) -> int:
    """A number after which there are no rows."""
    for sql in (f'SELECT max({by}) FROM "{table}"', f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'"):
        with contextlib.suppress(SQLiteError):
            for (value,) in old.execute(sql):
                if isinstance(value, int):
                    return value
    return 1 << 22
