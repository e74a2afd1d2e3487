"""Knowledge bases as a whole: made, called otherwise, deleted with all that belongs to them. An admin's matter."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

from rag.access import User
from rag.database import Database
from rag.errors import AccessError, StoreError
from rag.settings import kb_name
from rag.store import Store, own_folders

_RENAMING = "renaming"  # in meta, while folders are being moved


def create_kb(home: Path, name: str, user: User) -> None:
    """Make an empty knowledge base; raises StoreError where there is one of the name."""
    _check(user)
    with Store(home, kb_name(name), user) as store:
        if name in store.kbs():
            raise StoreError(f"There is a knowledge base named {name!r} already. Choose another name.")
        store.create()


def rename_kb(home: Path, old: str, new: str, user: User) -> None:
    """Call a knowledge base otherwise; its files, grants, questions and reports go along.

    A note in the store says what is under way, so that a program that is ended in between loses nothing: the next one
    that opens the store completes it. Raises StoreLockedError while documents are being added.
    """
    _check(user)
    kb_name(new)
    with Store(home, old, user) as store, store.write_lock():
        known = store.kbs()
        if old not in known:
            raise StoreError(f"There is no knowledge base named {old!r}.")
        if new in known or any(folder.exists() for folder in own_folders(home, new)):
            raise StoreError(f"There is a knowledge base named {new!r} already. Choose another name.")
        database = Database(home)
        with database.transaction() as connection:
            connection.execute("INSERT INTO meta VALUES(?,?)", (_RENAMING, json.dumps([old, new])))
        complete_renaming(database, home)


def complete_renaming(database: Database, home: Path) -> None:
    """Bring a renaming to its end that was begun, whoever began it; nothing where there is none."""
    rows = database.rows("SELECT value FROM meta WHERE key = ?", (_RENAMING,))
    if not rows:
        return
    old, new = json.loads(rows[0][0])
    for source, target in zip(own_folders(home, old), own_folders(home, new), strict=True):
        if source.exists() and not target.exists():
            with suppress(FileNotFoundError):  # another process is at it, too
                os.replace(source, target)
    with database.transaction() as connection:
        connection.execute("UPDATE kb SET name = ? WHERE name = ?", (new, old))
        connection.execute("UPDATE record SET kb = ? WHERE kb = ?", (new, old))
        renamed = "SELECT json_group_array(CASE value WHEN ?1 THEN ?2 ELSE value END) FROM json_each({})"
        connection.execute(f"UPDATE user SET kbs = ({renamed.format('user.kbs')})", (old, new))
        scopes = connection.execute("SELECT id, scope FROM conversation WHERE scope <> ''").fetchall()
        for identity, text in scopes:
            scope = json.loads(text)
            if old in scope.get("kbs", ()):
                scope["kbs"] = [new if kb == old else kb for kb in scope["kbs"]]
                packed = json.dumps(scope, ensure_ascii=False)
                connection.execute("UPDATE conversation SET scope = ? WHERE id = ?", (packed, identity))
        connection.execute("DELETE FROM meta WHERE key = ?", (_RENAMING,))


def delete_kb(home: Path, name: str, user: User) -> None:
    """Delete a knowledge base with its documents, uploads, questions and reports; folders of one's own stay.

    Raises StoreLockedError while documents are being added.
    """
    _check(user)
    with Store(home, name, user) as store, store.write_lock():
        store.delete_kb()
    for folder in own_folders(home, name):
        shutil.rmtree(folder, ignore_errors=True)


def _check(user: User) -> None:
    if not user.admin:
        raise AccessError("Only admins make, rename and delete knowledge bases.")
