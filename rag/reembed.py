"""Changing a knowledge base over to another embedder: new vectors beside the old ones, then one switch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rag.errors import StoreError
from rag.logs import note
from rag.store import Store
from rag.types import Embedder
from rag.windows import embed_chunks

_GATHERED = 512  # texts of which those of one length are embedded together
_SAVED = 128  # texts that are embedded and saved at a time


@dataclass(frozen=True, slots=True)
class Progress:
    """Texts embedded of those that had to be, and seconds left (None while unknown)."""

    done: int
    total: int
    left: float | None


def reembed(store: Store, embedder: Embedder, report: Callable[[Progress], None] = lambda progress: None) -> int:
    """Embed every text of the knowledge base that has no vector of this embedder, then switch; returns how many.

    Until the switch, which is one transaction, the knowledge base answers with its old vectors. Whatever ends the
    program before, the vectors so far are kept and the next call goes on from them. Raises StoreLockedError.
    """
    fingerprint = embedder.fingerprint
    with store.write_lock():
        if not store.counts()[1]:
            raise StoreError(
                f"Knowledge base {store.kb!r} is empty: there is nothing to embed. Type `python -m ingest …`."
            )
        store.keep_vectors_of(fingerprint)
        total = store.count_without_vector(fingerprint)
        done, began = 0, time.monotonic()
        while chunks := sorted(store.chunks_without_vector(fingerprint, _GATHERED), key=lambda c: len(c.indexed_text)):
            for start in range(0, len(chunks), _SAVED):
                batch = chunks[start : start + _SAVED]
                texts = [chunk.indexed_text for chunk in batch]
                store.save_vectors(texts, embed_chunks(batch, embedder), fingerprint)
                done += len(batch)
                seconds = time.monotonic() - began
                report(Progress(done, total, seconds / done * (total - done)))
            if store.count_without_vector(fingerprint) > total - done:
                raise StoreError(
                    f"Knowledge base {store.kb!r} holds texts that were stored otherwise than they are read now. "
                    "Ingest its folders into another knowledge base with --kb NAME."
                )
        store.switch_embedding(fingerprint)
        store.settle()
    note("re-embedded", texts=done)
    return done
