"""What `doctor` checks in the store: that every acknowledged document is whole and nothing else is there."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

_AGAIN = "Type `python -m rag delete NAME`, then ingest its folder with --include NAME."


def problems(connection: Any) -> list[str]:
    """One sentence for each thing that is wrong; empty where all is well."""
    found = [
        f"The database file is damaged: {row[0]}."
        for row in connection.execute("PRAGMA integrity_check")
        if row[0] != "ok"
    ]
    if found:
        return found
    found += [f"A row of {row[0]} points at nothing." for row in connection.execute("PRAGMA foreign_key_check")]
    for kb, name in connection.execute("SELECT id, name FROM kb").fetchall():
        found += _postings(connection, kb, name)
    return found + _documents(connection) + _vectors(connection)


def _postings(connection: Any, kb: int, name: str) -> list[str]:
    sql = f"""SELECT (SELECT count(*) FROM chunk WHERE kb_id = ? AND id NOT IN (SELECT rowid FROM fts_{kb})),
                     (SELECT count(*) FROM fts_{kb} WHERE rowid NOT IN (SELECT id FROM chunk WHERE kb_id = ?))"""
    missing, phantom = connection.execute(sql, (kb, kb)).fetchone()
    found = [f"{missing} chunks of knowledge base {name!r} are missing from the word index."] if missing else []
    return found + ([f"{phantom} entries of {name!r}'s word index belong to no chunk."] if phantom else [])


def _documents(connection: Any) -> list[str]:
    found = []
    sql = """SELECT d.name, c.heading, c.text, c.crc, substr(d.text, c.start + 1, c."end" - c.start) FROM chunk c
             JOIN document d ON d.id = c.document_id"""
    for name, heading, text, crc, stored in connection.execute(sql):
        if zlib.crc32(f"{heading}\0{text}".encode()) != crc or text != stored:
            found.append(f"A chunk of {name} is damaged. {_AGAIN}")
    sql = """SELECT f.relative, f.chunks, count(c.id) FROM file f JOIN document d ON d.file_id = f.id
             LEFT JOIN chunk c ON c.document_id = d.id WHERE f.sha256 <> ''
             AND NOT EXISTS(SELECT 1 FROM document o WHERE o.file_id = f.id AND o.record <> '') GROUP BY f.id"""
    for name, expected, there in connection.execute(sql):
        if expected != there:
            found.append(f"{name} has {there} chunks where {expected} were stored. {_AGAIN}")
    sql = """SELECT f.relative FROM file f WHERE f.state = 'indexed' AND f.sha256 <> '' AND NOT EXISTS(
             SELECT 1 FROM file t JOIN document d ON d.file_id = t.id WHERE t.kb_id = f.kb_id AND t.sha256 = f.sha256)"""
    found += [
        f"{name} counts as indexed and has no text. Ingest its folder again." for (name,) in connection.execute(sql)
    ]
    return found


def _vectors(connection: Any) -> list[str]:
    damaged = 0
    for value, windows, crc in connection.execute("SELECT value, windows, crc FROM vector"):
        norm = float(np.linalg.norm(np.frombuffer(value, np.float32))) if zlib.crc32(value + windows) == crc else 0.0
        damaged += not abs(norm - 1) < 1e-2
    return [f"{damaged} vectors are damaged. {_AGAIN}"] if damaged else []
