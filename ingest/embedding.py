"""Vectors for chunks: an embedder that loads itself when first needed and works beside the rest, in batches that survive."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cached_property
from itertools import islice

import numpy as np

from rag.store import Store
from rag.types import Chunk, Embedder, Language, Side
from rag.windows import embed_chunks

BATCH = 256  # chunks that are gathered, so that texts of one length are embedded together
_SAVED = 64  # of these, so many are embedded and saved at a time


class LazyEmbedder:
    """An Embedder whose model is loaded at its first use, so that a run with nothing new loads none."""

    def __init__(self, load: Callable[[], Embedder]) -> None:
        self._load = load

    @cached_property
    def _embedder(self) -> Embedder:
        return self._load()

    @property
    def fingerprint(self) -> str:
        """The loaded embedder's fingerprint."""
        return self._embedder.fingerprint

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._embedder.dimension

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 of shape (len(texts), dimension)."""
        return self._embedder.embed_passages(texts)

    def embed_query(self, text: str) -> np.ndarray:
        """A unit vector, float32 of shape (dimension,)."""
        return self._embedder.embed_query(text)

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, side: Side = "passage") -> np.ndarray:
        """The vectors with their language's mean taken away, at unit length again."""
        return self._embedder.centre(vectors, languages, side=side)


class Vectors:
    """The vectors of what waits to be committed: from the store, or worked out in a thread of their own.

    All methods are called from one thread, the one that writes to the store. ``embedded`` is told after each batch how many
    chunks it held.
    """

    def __init__(self, embedder: Embedder, store: Store, embedded: Callable[[int], None]) -> None:
        self._embedder = embedder
        self._store = store
        self._embedded = embedded
        self._thread = ThreadPoolExecutor(1, "embedder")
        self._needed: Counter[str] = Counter()  # by how many waiting documents
        self._there: dict[str, np.ndarray] = {}
        self._wanted: dict[str, Chunk] = {}  # still to be handed to the embedder, in order
        self._begun: deque[tuple[list[str], Future[list[np.ndarray]]]] = deque()
        self._checked = False

    @property
    def full(self) -> bool:
        """Whether so much waits for the embedder that more would only take memory."""
        return len(self._wanted) >= BATCH

    @property
    def busy(self) -> bool:
        """Whether the embedder has something to do."""
        return bool(self._begun)

    def want(self, chunks: Sequence[Chunk]) -> None:
        """A document waits for these; raises StoreError where the store was made with another embedder."""
        if not self._checked:
            self._store.check_embedding(self._embedder.fingerprint)
            self._checked = True
        new = {chunk.indexed_text: chunk for chunk in chunks if chunk.indexed_text not in self._needed}
        self._needed.update({chunk.indexed_text for chunk in chunks})
        known = self._store.known_vectors(list(new), self._embedder.fingerprint)
        self._there |= known
        self._wanted |= {text: chunk for text, chunk in new.items() if text not in known}

    def have(self, chunks: Sequence[Chunk]) -> bool:
        """Whether all of a document's vectors are there."""
        return all(chunk.indexed_text in self._there for chunk in chunks)

    def of(self, chunks: Sequence[Chunk]) -> list[np.ndarray]:
        """The vectors of a document's chunks: of each a matrix, the whole first, then its windows."""
        return [self._there[chunk.indexed_text] for chunk in chunks]

    def release(self, chunks: Sequence[Chunk]) -> None:
        """A document waits no longer."""
        for text in {chunk.indexed_text for chunk in chunks}:
            self._needed[text] -= 1
            if not self._needed[text]:
                del self._needed[text]
                self._there.pop(text, None)
                self._wanted.pop(text, None)

    def feed(self) -> None:
        """Give the embedder its next batches while it is still at the last one: what waits, where it is enough or all."""
        if len(self._begun) > 1 or not self._wanted or (self._begun and len(self._wanted) < BATCH):
            return
        texts = sorted(islice(self._wanted, BATCH), key=lambda text: (len(text), text))
        for start in range(0, len(texts), _SAVED):
            batch = texts[start : start + _SAVED]
            chunks = [self._wanted.pop(text) for text in batch]
            self._begun.append((batch, self._thread.submit(embed_chunks, chunks, self._embedder)))

    def collect(self, seconds: float = 0.0) -> bool:
        """Save the embedder's oldest batch if it is done within so many seconds; whether there was one."""
        if not self._begun or not wait([self._begun[0][1]], seconds).done:
            return False
        batch, future = self._begun.popleft()
        vectors = future.result()
        self._store.save_vectors(batch, vectors, self._embedder.fingerprint)
        self._there |= {text: matrix for text, matrix in zip(batch, vectors, strict=True) if text in self._needed}
        self._embedded(len(batch))
        return True

    def close(self) -> None:
        """Let the embedder end the batch that it is at, and save what it has done, so that a later run goes on from there."""
        self._thread.shutdown(cancel_futures=True)
        for batch, future in self._begun:
            if not future.cancelled() and not future.exception():
                self._store.save_vectors(batch, future.result(), self._embedder.fingerprint)
        self._begun.clear()
