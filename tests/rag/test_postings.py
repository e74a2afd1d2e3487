"""The word index of a store made under another version of the tokeniser is made anew, whole or not at all."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag import postings
from rag.errors import StoreError
from rag.store import Store
from rag.text import tokens
from tests.rag.stored import put


@pytest.fixture
def old_home(tmp_path: Path, embedder: Any) -> Path:
    """A home with two knowledge bases whose postings hold traditional characters, as before there was a version."""
    for kb in ("default", "other"):
        with Store(tmp_path, kb) as store:
            put(store, embedder, "a.md", "帶薪年假十五天。", "The second chunk.")
            connection = store._database.connection
            number = store._known_kb()
            connection.execute(f"UPDATE fts_{number} SET tokens = '帶薪 薪年 年假' WHERE tokens LIKE '带薪%'")
            connection.execute("UPDATE chunk SET tokens = 3 WHERE text LIKE '帶薪%'")
            connection.execute("DELETE FROM meta WHERE key = 'tokeniser'")
    return tmp_path


@pytest.mark.parametrize("kb", ["default", "other"])
def test_an_older_index_finds_the_new_words(old_home: Path, kb: str) -> None:
    """After opening, every knowledge base of the file answers by today's tokens, and counts by them."""
    with Store(old_home, kb) as store:
        assert len(store.lexical_candidates(tokens("带薪"), 5)) == 1
        assert store.lexical_candidates(["帶薪"], 5) == [] and store.verify() == []
        assert store.term_statistics(["带薪"]).mean_length == (len(tokens("帶薪年假十五天。")) + 3) / 2


def test_it_is_made_anew_once(old_home: Path) -> None:
    """The first opening changes the generation, so that nothing counted before is used; the second one changes nothing."""
    with Store(old_home) as store:
        first = store.generation()
    with Store(old_home) as store:
        assert store.generation() == first


def test_a_large_one_says_what_takes_so_long(
    old_home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where it takes seconds a line tells how many chunks there are."""
    monkeypatch.setattr(postings, "_WORTH_A_WORD", 4)
    with caplog.at_level(logging.WARNING):
        Store(old_home).close()
    assert "4 chunks" in caplog.text


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_kill_in_the_middle_leaves_the_old_index(old_home: Path) -> None:
    """SIGKILL between two knowledge bases leaves all old postings; the next opening makes them anew."""
    code = (
        "import os, signal, sys; from pathlib import Path; from rag import postings\n"
        "made = []\n"
        "def once(connection, kb, real=postings._remake):\n"
        "    if made: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    made.append(kb); real(connection, kb)\n"
        "postings._remake = once\n"
        "from rag.store import Store; Store(Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(old_home)], timeout=60)
    assert done.returncode == -signal.SIGKILL
    for kb in ("default", "other"):
        with Store(old_home, kb) as store:
            assert len(store.lexical_candidates(tokens("带薪"), 5)) == 1 and store.verify() == []


def test_two_versions_never_write_one_index(tmp_path: Path, embedder: Any) -> None:
    """A process that began before another version took over writes nothing more, and says why."""
    with Store(tmp_path) as store:
        put(store, embedder, "a.md", "text")
        store._database.connection.execute("UPDATE meta SET value = 'later' WHERE key = 'tokeniser'")
        with pytest.raises(StoreError, match="Another version"):
            put(store, embedder, "b.md", "more")
        assert [document.name for document in store.documents()] == ["a.md"]
