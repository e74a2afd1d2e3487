"""Vectors for chunks: an embedder that loads itself when first needed, and batches that survive a broken-off run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np

from rag.store import Store
from rag.types import Embedder, Language

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

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, query: bool = False) -> np.ndarray:
        """The vectors with their language's mean taken away, at unit length again."""
        return self._embedder.centre(vectors, languages, query=query)


def vectors_for(
    texts: Iterable[str], embedder: Embedder, store: Store, embedded: Callable[[int], None]
) -> dict[str, np.ndarray]:
    """The vector of each text, from the store where it has it; new ones are saved batch by batch.

    ``embedded`` is told after each batch how many texts it held.
    """
    wanted = list(dict.fromkeys(texts))
    known = store.known_vectors(wanted, embedder.fingerprint)
    missing = sorted((text for text in wanted if text not in known), key=len)
    for start in range(0, len(missing), _SAVED):
        batch = missing[start : start + _SAVED]
        vectors = embedder.embed_passages(batch)
        store.save_vectors(batch, vectors, embedder.fingerprint)
        known |= dict(zip(batch, vectors, strict=True))
        embedded(len(batch))
    return known
