"""What earlier runs found out about a knowledge base as it is: a run that was cut off goes on, another setting pays for itself.

Everything lies in the store and goes with the first change of the documents (rag/database.py), so a deleted one leaves
nothing here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rag.database import Database
from rag.fence import blanked
from rag.store import Store

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from rag.llm import LanguageModel

_MOST = 20_000  # results of all knowledge bases of a home, the latest


class Results:
    """Texts by key, of a knowledge base in the state that it had when this was made."""

    def __init__(self, store: Store) -> None:
        self._database = Database(store.home)
        self._kb = store.kb
        self._generation = store.generation()

    def get(self, key: str) -> str | None:
        """What is kept under a key."""
        rows = self._database.rows("SELECT value FROM result WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def put(self, key: str, value: str) -> None:
        """Keep a text; nothing where the documents have changed since."""
        # What is lost in a power cut is found out once more.
        self._database.connection.execute("PRAGMA synchronous=NORMAL")
        with self._database.transaction() as connection:
            sql = """INSERT OR REPLACE INTO result(kb_id, key, value)
                     SELECT id, ?, ? FROM kb WHERE name = ? AND generation = ?"""
            connection.execute(sql, (key, value, self._kb, self._generation))
            connection.execute("DELETE FROM result WHERE seq <= (SELECT max(seq) FROM result) - ?", (_MOST,))


class ObservedModel:
    """A language model that counts what it is sent and writes, and takes its drafts from earlier runs where these are kept.

    ``reused`` tells whether the last draft came from there, ``tokens`` how many were in its prompt and in it.
    """

    def __init__(self, model: LanguageModel, results: Results | None = None) -> None:
        self._model = model
        self._results = results
        self.reused = False
        self.tokens: tuple[int, int] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def stream(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """The draft that was kept, in one piece, or the model's own, which is kept once it is whole."""
        key = self._key(messages)
        kept = self._results.get(key) if self._results else None
        self.reused = kept is not None
        pieces = [kept] if kept is not None else []
        if kept is not None:
            yield kept
        else:
            for piece in self._model.stream(messages):
                pieces.append(piece)
                yield piece
            if self._results:
                self._results.put(key, "".join(pieces))
        sent = sum(self._model.count(str(message.content)) for message in messages)
        self.tokens = (sent, self._model.count("".join(pieces)))

    def _key(self, messages: Sequence[BaseMessage]) -> str:
        """A hash of all that decides the draft, engine included, in whatever home; settings are written without their key."""
        said = [[message.type, blanked(str(message.content))] for message in messages]
        return key_of(self._model.name, repr(self._model.settings), *said)


def key_of(*parts: object) -> str:
    """The key of what depends on these parts alone."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
