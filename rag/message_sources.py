"""Which documents the answers in conversations were made from: an answer goes when one of them is deleted."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from rag.types import Answer, Passage


def note_sources(connection: Any, message: int, shown: Collection[Passage], answer: Answer | None) -> bool:
    """Keep what a message was made from, inside a write transaction; False where some of that is gone already.

    A follow-up whose query was made out of the answer before it is made from that one's documents, too.
    """
    passages = [*shown, *(citation.passage for citation in answer.citations)] if answer else [*shown]
    sources: set[tuple[int, str]] = set()
    for passage in passages:
        found = _sources_of(connection, passage)
        if not found:
            return False
        sources |= found
    connection.executemany("INSERT INTO message_source VALUES(?,?,?)", [(message, *source) for source in sources])
    if answer and answer.trace.query not in ("", answer.question):
        sql = """INSERT OR IGNORE INTO message_source SELECT ?1, s.file_id, s.record FROM message_source s
                 WHERE s.message_id = (SELECT max(e.id) FROM message e JOIN message m ON m.id = ?1
                 WHERE e.conversation_id = m.conversation_id AND e.role = 'assistant' AND e.id < ?1)"""
        connection.execute(sql, (message,))
    return True


def forget_answers(connection: Any, document: int) -> None:
    """Empty the messages that were made from a document which is about to go, inside its transaction."""
    sql = """SELECT DISTINCT s.message_id FROM document d JOIN message_source s
             ON s.file_id = d.file_id AND s.record = d.record WHERE d.id = ?"""
    messages = json.dumps([message for (message,) in connection.execute(sql, (document,))])
    among = "(SELECT value FROM json_each(?))"
    empty = f"UPDATE message SET content = '', answer = NULL, rating = 0, correction = '' WHERE id IN {among}"
    connection.execute(empty, (messages,))
    connection.execute(f"DELETE FROM message_source WHERE message_id IN {among}", (messages,))


def _sources_of(connection: Any, passage: Passage) -> set[tuple[int, str]]:
    """File and record of a passage's document and of those with the same text; of one read anew since, by its name."""
    sql = "SELECT d.file_id, d.record, d.kb_id FROM chunk c JOIN document d ON d.id = c.document_id WHERE c.id = ?"
    held = connection.execute(sql, (passage.chunk.id,)).fetchone()
    names = passage.also if held else (passage.chunk.document, *passage.also)
    sql = "SELECT file_id, record FROM document WHERE '/' || ? LIKE '%/' || name AND (? IS NULL OR kb_id = ?)"
    kb = held[2] if held else None
    found = {source for name in names for source in connection.execute(sql, (name, kb, kb))}
    return found | {held[:2]} if held else found
