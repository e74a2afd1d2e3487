"""A store as the first schema had it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rag.store import Store
from tests.rag.stored import put


def make_schema_1(home: Path, embedder: Any) -> None:
    """A home whose file has schema 1 and holds a document: what later ones added is taken out of a present one."""
    with Store(home) as store:
        put(store, embedder, "a.md", "Fifteen days of paid leave.")
        connection = store._database.connection
        connection.execute("DROP TRIGGER result_is_old")
        for table in ("message_source", "result", "signed_in", "user"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP INDEX conversation_owner")
        for table, added in (
            ("conversation", "owner scope"),
            ("message", "rating correction"),
            ("root", "watched looked"),
        ):
            for column in added.split():
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("DROP TRIGGER record_forgets")
        connection.execute("DROP TABLE record_document")
        connection.execute("DROP TABLE record")
        connection.execute("DELETE FROM meta WHERE key = 'secret'")
        for column in ("modified", "seconds", "stamp"):
            connection.execute(f"ALTER TABLE file DROP COLUMN {column}")
        connection.execute("DROP TABLE tag")
        connection.execute("DROP INDEX chunk_marks")
        connection.execute("ALTER TABLE vector DROP COLUMN windows")
        connection.execute("PRAGMA user_version=1")
