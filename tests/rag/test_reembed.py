"""Changing over to another embedder: whole before, whole after, nothing embedded twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.errors import StoreError
from rag.reembed import reembed
from rag.retriever import Retriever
from rag.settings import RetrievalSettings
from rag.store import Store
from tests.conftest import ExactEmbedder
from tests.rag.stored import put

ROOT = Path(__file__).resolve().parents[2]
TEXTS = tuple(f"Passage number {i} speaks of subject{i} alone." for i in range(300))
QUESTION = "What speaks of subject7?"


@pytest.fixture
def store(tmp_path: Path, embedder: Any) -> Iterator[Store]:
    """A knowledge base with some text twice, embedded by ``exact-1``."""
    with Store(tmp_path) as opened:
        put(opened, embedder, "a.md", *TEXTS)
        put(opened, embedder, "b.md", TEXTS[0], "Another one.")
        yield opened


def best(store: Store, embedder: Any) -> str:
    return Retriever(store, embedder, RetrievalSettings()).search(QUESTION)[0].chunk.text


def test_a_change_over_is_one_switch(store: Store, embedder: Any) -> None:
    """After it the new embedder finds what the old one found, the old one is refused, and its vectors are gone."""
    new = ExactEmbedder(512, "exact-2")
    with pytest.raises(StoreError, match="python -m rag reembed"):
        Retriever(store, new, RetrievalSettings())
    generation = store.generation()
    assert reembed(store, new) == len(TEXTS) + 1 and sorted(new.seen) == sorted({*TEXTS, "Another one."})
    assert best(store, new) == TEXTS[7] and store.vector_table().vectors.shape == (len(TEXTS) + 2, 512)
    assert store.generation() > generation and store.known_vectors(TEXTS, "exact-1") == {} and store.verify() == []
    with pytest.raises(StoreError, match="exact-2"):
        store.check_embedding("exact-1")


class Stopping(ExactEmbedder):
    """An embedder that is interrupted at its second batch."""

    def embed_passages(self, texts: Any) -> np.ndarray:
        if self.seen:
            raise KeyboardInterrupt
        return super().embed_passages(texts)


def test_an_interrupted_change_over_goes_on(store: Store, embedder: Any) -> None:
    """Interrupted, the old state answers, an ingest's sweep leaves the new vectors, and no text is embedded twice."""
    first, second = Stopping(512, "exact-2"), ExactEmbedder(512, "exact-2")
    with pytest.raises(KeyboardInterrupt):
        reembed(store, first)
    assert best(store, embedder) == TEXTS[7]
    put(store, embedder, "new.md", "Added meanwhile.")
    store.sweep_vectors()
    reembed(store, second)
    assert sorted(first.seen + second.seen) == sorted({*TEXTS, "Another one.", "Added meanwhile."})
    assert best(store, second) == TEXTS[7] and store.verify() == []


def test_a_change_over_that_is_given_up_leaves_nothing(store: Store, embedder: Any) -> None:
    """Typed again with the old embedder set back, it embeds nothing and sweeps what the other one left."""
    with pytest.raises(KeyboardInterrupt):
        reembed(store, Stopping(512, "exact-2"))
    assert reembed(store, embedder) == 0
    assert store.known_vectors(TEXTS, "exact-2") == {} and best(store, embedder) == TEXTS[7]


def test_other_knowledge_bases_are_not_touched(store: Store, embedder: Any, tmp_path: Path) -> None:
    """A knowledge base that shares texts and vectors keeps its own, generation and all."""
    with Store(tmp_path, "other") as other:
        put(other, embedder, "a.md", *TEXTS[:9])
        generation, before = other.generation(), other.vector_table()
        reembed(store, ExactEmbedder(512, "exact-2"))
        assert other.generation() == generation and np.array_equal(other.vector_table().vectors, before.vectors)
        other.check_embedding("exact-1")
        assert best(other, embedder) == TEXTS[7] and other.verify() == []


def test_an_empty_knowledge_base_is_said(tmp_path: Path, embedder: Any) -> None:
    """There is nothing to change over; the next ingest may use any embedder."""
    with Store(tmp_path) as store, pytest.raises(StoreError, match="empty"):
        reembed(store, embedder)


_KILLED = """
import os, signal, sys
from pathlib import Path
from rag.reembed import reembed
from rag.store import Store
from tests.conftest import ExactEmbedder
with Store(Path(sys.argv[1])) as store:
    if sys.argv[2] == "switch":
        store.switch_embedding = lambda fingerprint: os.kill(os.getpid(), signal.SIGKILL)
    def report(now):
        if sys.argv[2] == "batch":
            os.kill(os.getpid(), signal.SIGKILL)
    reembed(store, ExactEmbedder(512, "exact-2"), report)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize(("moment", "left"), [("batch", 301 - 128), ("switch", 0)])
def test_a_kill_leaves_the_old_state(store: Store, embedder: Any, tmp_path: Path, moment: str, left: int) -> None:
    """Killed after a batch, or right before the switch, the old state is whole and answers; the rest alone is embedded."""
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), moment], cwd=ROOT, timeout=60)
    assert done.returncode == -signal.SIGKILL
    store.check_embedding("exact-1")
    assert best(store, embedder) == TEXTS[7] and store.verify() == []
    new = ExactEmbedder(512, "exact-2")
    assert reembed(store, new) == left == len(new.seen)
    assert best(store, new) == TEXTS[7] and store.verify() == []
