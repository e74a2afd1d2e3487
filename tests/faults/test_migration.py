"""SIGKILL while the schema changes: the old one or the new one, never between."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rag import database
from rag.database import DATABASE_NAME, SCHEMA_VERSION
from rag.store import Store
from tests.rag.old_schema import make_schema_1

SEED = 2026
CHILD = """
import os, signal, sys
from pathlib import Path
from rag.database import Database
left, real = [int(sys.argv[2])], Database._connect
def tick():
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
def connect(self):
    connection = real(self)
    connection.set_progress_handler(tick, 20)
    return connection
Database._connect = connect
Database(Path(sys.argv[1]))
print(left[0])
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")


def migrate(home: Path, steps: int) -> subprocess.CompletedProcess[str]:
    """Open a home, and SIGKILL it after so many steps of SQLite's machine."""
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(home), str(steps)], capture_output=True, text=True, timeout=60
    )


def version(home: Path) -> int:
    connection = database.sqlite.connect(str(home / "workspace" / DATABASE_NAME))
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    connection.close()
    return found


def test_a_kill_leaves_the_old_schema_or_the_new(
    tmp_path: Path, exact_embedder: type, times: Callable[[int, int], int], figure: Callable[[str, str], None]
) -> None:
    """Wherever it is killed, the next start finds everything, under one schema."""
    old = tmp_path / "old"
    make_schema_1(old, exact_embedder())
    shutil.copytree(old, tmp_path / "trial")
    total = 10**9 - int(migrate(tmp_path / "trial", 10**9).stdout)
    assert total > 50
    dice, kills, found = random.Random(SEED), times(50, 6), {1: 0, SCHEMA_VERSION: 0}
    for number in range(kills):
        home = tmp_path / str(number)
        shutil.copytree(old, home)
        assert migrate(home, dice.randint(1, total)).returncode == -signal.SIGKILL
        found[version(home)] += 1
        with Store(home) as store:
            assert store.counts() == (1, 1) and store.verify() == []
            assert store.lexical_candidates(["leave"], 5) == [1] and store.tag("a.md", ["t"]) == ("t",)
        assert version(home) == SCHEMA_VERSION
    figure(
        "SIGKILL in a migration", f"{kills} kills: {found[1]} left the old schema, {found[SCHEMA_VERSION]} the new one"
    )
    assert found[1]
