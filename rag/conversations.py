"""Conversations, kept in the store beside the documents."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.database import Database
from rag.errors import StoreError
from rag.serialise import answer_from_json, answer_to_json
from rag.types import Answer, Turn

_TITLE_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation's place in the list; ``updated`` is seconds since 1970."""

    id: int
    title: str
    updated: float


@dataclass(frozen=True, slots=True)
class Message:
    """One message; an assistant's carries its checked answer, unless it was stopped or failed."""

    role: Literal["user", "assistant"]
    content: str
    answer: Answer | None = None


class Conversations:
    """All conversations under a home folder."""

    def __init__(self, home: Path) -> None:
        self._database = Database(home)

    def create(self, title: str) -> int:
        """Begin a conversation; returns its id."""
        now = time.time()
        with self._database.transaction() as connection:
            sql = "INSERT INTO conversation(title, created, updated) VALUES(?,?,?)"
            return int(connection.execute(sql, (_title(title), now, now)).lastrowid)

    def all(self) -> list[Conversation]:
        """Every conversation, the latest first."""
        rows = self._database.rows("SELECT id, title, updated FROM conversation ORDER BY updated DESC, id DESC")
        return [Conversation(*row) for row in rows]

    def messages(self, conversation: int) -> list[Message]:
        """The messages of a conversation in order; empty for one that does not exist."""
        sql = "SELECT role, content, answer FROM message WHERE conversation_id = ? ORDER BY id"
        return [
            Message(role, content, answer_from_json(json.loads(answer)) if answer else None)
            for role, content, answer in self._database.rows(sql, (conversation,))
        ]

    def add(self, conversation: int, role: str, content: str, answer: Answer | None = None) -> None:
        """Append a message; raises StoreError where the conversation was deleted meanwhile."""
        packed = json.dumps(answer_to_json(answer), ensure_ascii=False) if answer else None
        with self._database.transaction() as connection:
            sql = "UPDATE conversation SET updated = ? WHERE id = ?"
            if connection.execute(sql, (time.time(), conversation)).rowcount == 0:
                raise StoreError("This conversation was deleted. Begin a new one.")
            sql = "INSERT INTO message(conversation_id, role, content, answer) VALUES(?,?,?,?)"
            connection.execute(sql, (conversation, role, content, packed))

    def rename(self, conversation: int, title: str) -> None:
        """Give a conversation another title."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE conversation SET title = ? WHERE id = ?", (_title(title), conversation))

    def delete(self, conversation: int) -> None:
        """Delete a conversation with all its messages."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM conversation WHERE id = ?", (conversation,))


def history(messages: list[Message]) -> tuple[Turn, ...]:
    """The messages as turns, for the next question.

    A refusal and a question back told nothing that it could be about; small talk goes together with what it answers.
    """
    turns: list[Turn] = []
    for message in messages:
        if message.answer and message.answer.kind == "talk":
            turns = turns[:-1] if turns and turns[-1].role == "user" else turns
        elif not message.answer or (not message.answer.refused and message.answer.kind in ("answer", "quote")):
            turns.append(Turn(message.role, message.content))
    return tuple(turns)


def _title(title: str) -> str:
    return " ".join(title.split())[:_TITLE_CHARACTERS] or "…"
