"""Conversations, kept in the store beside the documents."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rag.access import OWNER, User
from rag.database import Database
from rag.errors import StoreError
from rag.message_sources import note_sources
from rag.serialise import answer_from_json, answer_to_json, filter_from_json, filter_to_json
from rag.types import EVERYTHING, Answer, Filter, Passage, Turn

_TITLE_CHARACTERS = 80
_OWN = "SELECT id FROM conversation WHERE id = ? AND owner = ?"
_ALL_OWN = "SELECT id FROM conversation WHERE owner = ?"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation's place in the list; ``updated`` is seconds since 1970."""

    id: int
    title: str
    updated: float


@dataclass(frozen=True, slots=True)
class Message:
    """One message; an assistant's carries its checked answer, unless it was stopped or failed.

    ``rating`` is 1 or -1 where the reader gave one, and ``correction`` what they say is right.
    """

    role: Literal["user", "assistant"]
    content: str
    answer: Answer | None = None
    id: int = 0
    rating: int = 0
    correction: str = ""

    @property
    def gone(self) -> bool:
        """Whether this was an answer out of a document that has been deleted since."""
        return self.role == "assistant" and not self.content and self.answer is None


class Conversations:
    """One person's conversations under a home folder; those of others are as good as not there."""

    def __init__(self, home: Path, user: User = OWNER) -> None:
        self._database = Database(home)
        self._owner = user.name
        self._user = user

    def create(self, title: str, scope: Filter = EVERYTHING) -> int:
        """Begin a conversation that asks what ``scope`` lets through; returns its id."""
        now = time.time()
        with self._database.transaction() as connection:
            sql = "INSERT INTO conversation(title, created, updated, owner, scope) VALUES(?,?,?,?,?)"
            row = (_title(title), now, now, self._owner, _packed(scope))
            return int(connection.execute(sql, row).lastrowid)

    def all(self) -> list[Conversation]:
        """Every conversation, the latest first."""
        sql = "SELECT id, title, updated FROM conversation WHERE owner = ? ORDER BY updated DESC, id DESC"
        return [Conversation(*row) for row in self._database.rows(sql, (self._owner,))]

    def search(self, words: str) -> list[Conversation]:
        """The conversations whose title or messages hold these words in a row, in whatever case, the latest first."""
        wanted = words.casefold()
        sql = f"SELECT conversation_id, content FROM message WHERE conversation_id IN ({_ALL_OWN})"
        held = {number for number, text in self._database.rows(sql, (self._owner,)) if wanted in text.casefold()}
        return [found for found in self.all() if found.id in held or wanted in found.title.casefold()]

    def scope(self, conversation: int) -> Filter:
        """What a conversation asks: knowledge bases and restrictions."""
        rows = self._database.rows(f"SELECT scope FROM conversation WHERE id = ({_OWN})", (conversation, self._owner))
        return filter_from_json(json.loads(rows[0][0])) if rows and rows[0][0] else EVERYTHING

    def set_scope(self, conversation: int, scope: Filter) -> None:
        """Ask something else from the next question on."""
        with self._database.transaction() as connection:
            sql = "UPDATE conversation SET scope = ? WHERE id = ? AND owner = ?"
            connection.execute(sql, (_packed(scope), conversation, self._owner))

    def messages(self, conversation: int) -> list[Message]:
        """The messages of a conversation in order; empty for one that does not exist.

        An answer from a knowledge base that is no longer shared with its reader is as good as gone.
        """
        hidden = self._no_longer_shared(conversation)
        sql = f"""SELECT role, content, answer, id, rating, correction FROM message
                  WHERE conversation_id = ({_OWN}) ORDER BY id"""
        return [
            Message(role, "", None, rest[0])
            if rest[0] in hidden
            else Message(role, content, answer_from_json(json.loads(answer)) if answer else None, *rest)
            for role, content, answer, *rest in self._database.rows(sql, (conversation, self._owner))
        ]

    def _no_longer_shared(self, conversation: int) -> set[int]:
        sql = """SELECT m.id, k.name FROM message m JOIN message_source s ON s.message_id = m.id
                 JOIN file f ON f.id = s.file_id JOIN kb k ON k.id = f.kb_id WHERE m.conversation_id = ?"""
        return {i for i, kb in self._database.rows(sql, (conversation,)) if not self._user.may_read(kb)}

    def add(
        self,
        conversation: int,
        role: str,
        content: str,
        answer: Answer | None = None,
        passages: Sequence[Passage] = (),
    ) -> None:
        """Append a message; raises StoreError where the conversation was deleted meanwhile.

        ``passages`` are what a draft without an answer was made from. What was made from a document that has been deleted
        by now is kept empty, as it would be had it come before the deletion.
        """
        # Without the passages that were passed over: nobody is shown them here, and each could keep this from lasting.
        kept = replace(answer, trace=replace(answer.trace, cut=())) if answer else None
        packed = json.dumps(answer_to_json(kept), ensure_ascii=False) if kept else None
        with self._database.transaction() as connection:
            sql = "UPDATE conversation SET updated = ? WHERE id = ? AND owner = ?"
            if connection.execute(sql, (time.time(), conversation, self._owner)).rowcount == 0:
                raise StoreError("This conversation was deleted. Begin a new one.")
            sql = "INSERT INTO message(conversation_id, role, content, answer) VALUES(?,?,?,?)"
            message = connection.execute(sql, (conversation, role, content, packed)).lastrowid
            if not note_sources(connection, message, answer.passages if answer else passages, answer):
                connection.execute("UPDATE message SET content = '', answer = NULL WHERE id = ?", (message,))

    def rate(self, message: int, rating: int, correction: str = "") -> None:
        """Keep what the reader thinks of an answer: 1, -1 or 0 for nothing, and what would be right."""
        with self._database.transaction() as connection:
            sql = f"UPDATE message SET rating = ?, correction = ? WHERE id = ? AND conversation_id IN ({_ALL_OWN})"
            connection.execute(sql, (rating, correction.strip(), message, self._owner))

    def cut(self, conversation: int, message: int) -> None:
        """Take a message away, and all that follow it in the conversation."""
        with self._database.transaction() as connection:
            sql = f"DELETE FROM message WHERE id >= ? AND conversation_id = ({_OWN})"
            connection.execute(sql, (message, conversation, self._owner))

    def rename(self, conversation: int, title: str) -> None:
        """Give a conversation another title."""
        with self._database.transaction() as connection:
            sql = "UPDATE conversation SET title = ? WHERE id = ? AND owner = ?"
            connection.execute(sql, (_title(title), conversation, self._owner))

    def delete(self, conversation: int) -> None:
        """Delete a conversation with all its messages."""
        with self._database.transaction() as connection:
            sql = "DELETE FROM conversation WHERE id = ? AND owner = ?"
            connection.execute(sql, (conversation, self._owner))


def owners(home: Path) -> list[str]:
    """The names of all whose conversations a home holds; empty for whoever runs this machine."""
    return [name for (name,) in Database(home).rows("SELECT DISTINCT owner FROM conversation ORDER BY owner")]


def history(messages: list[Message]) -> tuple[Turn, ...]:
    """The messages as turns, for the next question.

    A refusal and a question back told nothing that it could be about; small talk goes together with what it answers, and
    a question with the answer that went with its document.
    """
    turns: list[Turn] = []
    for message in messages:
        if message.gone or (message.answer and message.answer.kind == "talk"):
            turns = turns[:-1] if turns and turns[-1].role == "user" else turns
        elif not message.answer or (not message.answer.refused and message.answer.kind in ("answer", "quote")):
            turns.append(Turn(message.role, message.content))
    return tuple(turns)


def _packed(scope: Filter) -> str:
    return json.dumps(filter_to_json(scope), ensure_ascii=False)


def _title(title: str) -> str:
    return " ".join(title.split())[:_TITLE_CHARACTERS] or "…"
