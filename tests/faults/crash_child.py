"""Work on a store that tells a pipe of every step, so that whoever reads it knows what was promised when it was killed.

Run as ``python crash_child.py DESCRIPTOR HOME FOLDER MUTANT WORK…``, the work being ``ingest``, ``delete NAME``,
``reembed FINGERPRINT`` or ``index``. Everything is the real thing but the embedder, since durability needs no model. A
document is told to be ``safe`` or ``gone`` once its transaction is over; ``in``, ``committing`` and ``out`` frame each one.
A ``MUTANT`` breaks one rule on purpose: ``no transaction`` (which also ends its process between two statements, as the
parent's kills meet such a moment too seldom), ``promised early`` or ``postings stay``.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ingest.sync import synchronise
from rag.database import Database
from rag.dense import open_index
from rag.reembed import reembed
from rag.settings import Settings
from rag.store import Store
from rag.types import Language, ParsedDocument, StoredFile


class HashEmbedder:
    """A unit vector for each text that its bytes and the fingerprint decide."""

    dimension = 16

    def __init__(self, fingerprint: str = "hash") -> None:
        self.fingerprint = fingerprint

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        digest = hashlib.sha256(f"{self.fingerprint} {text}".encode()).digest()
        vector = np.frombuffer(digest, np.uint8)[:16].astype(np.float32) - 127.5
        return vector / np.linalg.norm(vector)

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, side: str = "passage") -> np.ndarray:
        return vectors


class TellingStore(Store):
    """A store that says which document is safe, once it is."""

    def put_document(self, file: StoredFile, document: ParsedDocument, *rest: Any, **options: Any) -> bool:
        name = file.relative if document.key is None else f"{file.relative}#{document.key}"
        line = f"safe {name} {hashlib.sha256(document.text.encode()).hexdigest()}"
        if MUTANT == "promised early":
            say(line)
        stored = super().put_document(file, document, *rest, **options)
        if stored and MUTANT != "promised early":
            say(line)
        return stored


class Fatal:
    """A connection that ends its process, once in a while, between two statements."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        if DICE.random() < 0.01:
            os.kill(os.getpid(), signal.SIGKILL)
        return getattr(self._connection, name)


class Forgetful:
    """A connection that leaves postings behind."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def executemany(self, sql: str, rows: Any) -> Any:
        return None if sql.startswith("DELETE FROM fts_") else self._connection.executemany(sql, rows)


def say(line: str) -> None:
    os.write(DESCRIPTOR, f"{line}\n".encode())


def tell_transactions() -> None:
    """Say when each transaction begins, is about to be committed and is over."""
    real = Database.transaction

    @contextmanager
    def told(self: Database) -> Iterator[Any]:
        if MUTANT == "no transaction":
            say("in")
            yield Fatal(self.connection)
            say("out")
            return
        with real(self) as connection:
            say("in")
            yield Forgetful(connection) if MUTANT == "postings stay" else connection
            say("committing")
        say("out")

    Database.transaction = told  # type: ignore[method-assign]


def main(home: Path, folder: Path, work: Sequence[str]) -> None:
    """Do the work, one piece after the other."""
    with TellingStore(home) as store:
        say("begun")
        fingerprint = store._rows("SELECT max(fingerprint) FROM kb")[0][0] or "hash"
        embedder = HashEmbedder(fingerprint)
        for piece in work:
            what, _, name = piece.partition(" ")
            if what == "ingest":
                report = synchronise(
                    Settings(home), [folder], store=store, embedder=embedder, report=lambda _: say("step")
                )
                assert not report.interrupted
            elif what == "delete" and not store.unknown_names([name]):
                sha = hashlib.sha256(store.document_text(name).encode()).hexdigest()
                say(f"deleting {name}")
                store.delete(name)
                say(f"gone {name} {sha}")
            elif what == "reembed" and store.counts()[1]:
                embedder = HashEmbedder(name)
                reembed(store, embedder, report=lambda _: say("step"))
            elif what == "index":
                say("step")
                open_index(store, embedder).follow()
        say("done")


if __name__ == "__main__":
    DESCRIPTOR, MUTANT = int(sys.argv[1]), sys.argv[4]
    DICE = random.Random(os.environ["CRASH_SEED"])
    tell_transactions()
    main(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[5:])
