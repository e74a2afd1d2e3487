"""What `doctor` checks in the store: that every acknowledged document is whole and nothing else is there."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from rag.store import chunk_crc, words_hash

_AGAIN = "Type `python -m rag doctor --repair`."


def problems(connection: Any) -> list[str]:
    """One sentence for each thing that is wrong; empty where all is well."""
    found = [
        f"The database file is damaged: {row[0]}."
        for row in connection.execute("PRAGMA integrity_check")
        if row[0] != "ok"
    ]
    if found:
        return found
    found += [
        f"A row of {row[0]} points at nothing. {_AGAIN}" for row in connection.execute("PRAGMA foreign_key_check")
    ]
    for kb, name in connection.execute("SELECT id, name FROM kb").fetchall():
        found += _postings(connection, kb, name)
    if spare := len(set(damaged_vectors(connection)) - _used(connection)):
        found.append(f"{spare} vectors that nothing uses are damaged. {_AGAIN}")
    return found + _documents(connection)


def _used(connection: Any) -> set[int]:
    return {row[0] for row in connection.execute("SELECT DISTINCT vector_id FROM chunk")}


def _postings(connection: Any, kb: int, name: str) -> list[str]:
    sql = f"""SELECT (SELECT count(*) FROM chunk WHERE kb_id = ? AND id NOT IN (SELECT rowid FROM fts_{kb})),
                     (SELECT count(*) FROM fts_{kb} WHERE rowid NOT IN (SELECT id FROM chunk WHERE kb_id = ?))"""
    missing, phantom = connection.execute(sql, (kb, kb)).fetchone()
    found = (
        [f"{missing} chunks of knowledge base {name!r} are missing from the word index. {_AGAIN}"] if missing else []
    )
    return found + ([f"{phantom} entries of {name!r}'s word index belong to no chunk. {_AGAIN}"] if phantom else [])


def damaged_documents(connection: Any) -> list[int]:
    """The ids of documents whose text, chunks or vectors are not what was stored, ascending."""
    sql = "SELECT id, title, sha256, text FROM document"
    damaged = {i for i, title, sha, text in connection.execute(sql) if words_hash(title, text) != sha}
    sql = """SELECT c.document_id, c.heading, c.text, c.crc, substr(d.text, c.start + 1, c."end" - c.start) FROM chunk c
             JOIN document d ON d.id = c.document_id"""
    for document, heading, text, crc, stored in connection.execute(sql):
        if chunk_crc(heading, text) != crc or text != stored:
            damaged.add(document)
    sql = "SELECT document_id FROM chunk GROUP BY document_id HAVING max(ordinal) <> count(*) - 1 OR min(ordinal) <> 0"
    damaged |= {row[0] for row in connection.execute(sql)}
    damaged |= {row[0] for row in connection.execute("SELECT id FROM document EXCEPT SELECT document_id FROM chunk")}
    sql = "SELECT document_id FROM chunk WHERE vector_id = ?"
    damaged |= {row[0] for vector in damaged_vectors(connection) for row in connection.execute(sql, (vector,))}
    sql = """SELECT min(d.id), f.chunks, count(c.id) FROM file f JOIN document d ON d.file_id = f.id
             LEFT JOIN chunk c ON c.document_id = d.id WHERE f.sha256 <> ''
             AND NOT EXISTS(SELECT 1 FROM document o WHERE o.file_id = f.id AND o.record <> '') GROUP BY f.id"""
    damaged |= {document for document, expected, there in connection.execute(sql) if expected != there}
    return sorted(damaged)


def damaged_vectors(connection: Any) -> list[int]:
    """The ids of vectors that are not what was stored, or no unit vectors."""
    sql = "SELECT id, value, windows, crc FROM vector"
    return [i for i, value, windows, crc in connection.execute(sql) if not _is_sound(value, windows, crc)]


def _is_sound(value: object, windows: object, crc: object) -> bool:
    if not isinstance(value, bytes) or not isinstance(windows, bytes) or zlib.crc32(value + windows) != crc:
        return False
    return len(value) % 4 == 0 and abs(float(np.linalg.norm(np.frombuffer(value, np.float32))) - 1) < 1e-2


def _documents(connection: Any) -> list[str]:
    sql = "SELECT name FROM document WHERE id = ?"
    damaged = [row[0] for i in damaged_documents(connection) for row in connection.execute(sql, (i,))]
    found = [f"{name} is damaged. {_AGAIN}" for name in damaged]
    sql = """SELECT f.relative FROM file f WHERE f.state = 'indexed' AND f.sha256 <> '' AND NOT EXISTS(
             SELECT 1 FROM file t JOIN document d ON d.file_id = t.id WHERE t.kb_id = f.kb_id AND t.sha256 = f.sha256)"""
    return found + [
        f"{name} counts as indexed and has no text. Ingest its folder again." for (name,) in connection.execute(sql)
    ]
