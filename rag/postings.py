"""The postings of a knowledge base: an FTS5 table of ready-made tokens, all of them by one version of the tokeniser."""

from __future__ import annotations

import logging
from typing import Any

from rag.database import Database
from rag.errors import StoreError
from rag.text import tokeniser_version, tokens
from rag.types import Chunk

TOKENISER = "tokeniser"  # in meta
_WORTH_A_WORD = 5000  # chunks; they take about 2 s
_log = logging.getLogger(__name__)


def create_postings(connection: Any, kb: int) -> None:
    """Make a knowledge base's tables where they are missing: inside a write transaction."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (f"fts_{kb}",)).fetchone():
        return
    # The tokens come ready, separated by spaces; unicode61 only cuts them apart again.
    connection.execute(f"CREATE VIRTUAL TABLE fts_{kb} USING fts5(tokens, tokenize='unicode61 remove_diacritics 0')")
    connection.execute(f"INSERT INTO fts_{kb}(fts_{kb}, rank) VALUES('secure-delete', 1)")
    connection.execute(f"CREATE VIRTUAL TABLE vocabulary_{kb} USING fts5vocab('fts_{kb}', 'row')")


def follow_tokeniser(database: Database) -> None:
    """Make all postings anew where another version of the tokeniser made them, in one transaction: all or none."""
    if _made_by(database.connection) == tokeniser_version():
        return
    with database.transaction() as connection:
        if _made_by(connection) == tokeniser_version():  # another process was here first
            return
        chunks = connection.execute("SELECT count(*) FROM chunk").fetchone()[0]
        if chunks >= _WORTH_A_WORD:
            _log.warning("The word index is made anew for this version of Footnote: %s chunks, once.", f"{chunks:,}")
        remake_postings(connection)


def remake_postings(connection: Any) -> None:
    """Make the postings of every knowledge base anew from its chunks: inside a write transaction."""
    for (kb,) in connection.execute("SELECT id FROM kb").fetchall():
        _remake(connection, kb)
    connection.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (TOKENISER, tokeniser_version()))


def check_tokeniser(connection: Any) -> None:
    """Raise StoreError where another version of Footnote has made the postings anew since this process began."""
    if _made_by(connection) != tokeniser_version():
        raise StoreError(
            "Another version of Footnote has taken over this knowledge base meanwhile. Start this program again, of one "
            "version everywhere."
        )


def _made_by(connection: Any) -> str:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (TOKENISER,)).fetchone()
    return str(row[0]) if row else ""


def _remake(connection: Any, kb: int) -> None:
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (f"fts_{kb}",)).fetchone():
        connection.execute(f"DROP TABLE vocabulary_{kb}")
        connection.execute(f"DROP TABLE fts_{kb}")
    create_postings(connection, kb)
    sql = "SELECT id, heading, text FROM chunk WHERE kb_id = ? AND id > ? ORDER BY id LIMIT 1000"
    last = 0
    while part := connection.execute(sql, (kb, last)).fetchall():
        words = [(i, tokens(Chunk(i, "", 0, heading, None, text, 0, 0).indexed_text)) for i, heading, text in part]
        postings = [(i, " ".join(found)) for i, found in words]
        connection.executemany(f"INSERT INTO fts_{kb}(rowid, tokens) VALUES(?, ?)", postings)
        connection.executemany("UPDATE chunk SET tokens = ? WHERE id = ?", [(len(found), i) for i, found in words])
        last = part[-1][0]
    connection.execute("UPDATE kb SET generation = generation + 1 WHERE id = ?", (kb,))
