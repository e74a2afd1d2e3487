"""Vectors for chunks: an embedder that loads itself when first needed, and batches that survive a broken-off run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np

from rag.store import Store
from rag.types import Chunk, Embedder, Language, Side
from rag.windows import embed_chunks

BATCH = 256  # chunks that are gathered, so that texts of one length are embedded together
_SAVED = 128  # of these, so many are embedded and saved at a time


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


def vectors_for(
    chunks: Iterable[Chunk], embedder: Embedder, store: Store, embedded: Callable[[int], None]
) -> dict[str, np.ndarray]:
    """The vectors of each chunk by its indexed text, from the store where it has them; new ones are saved batch by batch.

    ``embedded`` is told after each batch how many chunks it held.
    """
    wanted = {chunk.indexed_text: chunk for chunk in chunks}
    known = store.known_vectors(list(wanted), embedder.fingerprint)
    missing = sorted(wanted.keys() - known.keys(), key=lambda text: (len(text), text))
    for start in range(0, len(missing), _SAVED):
        batch = missing[start : start + _SAVED]
        vectors = embed_chunks([wanted[text] for text in batch], embedder)
        store.save_vectors(batch, vectors, embedder.fingerprint)
        known |= dict(zip(batch, vectors, strict=True))
        embedded(len(batch))
    return known
