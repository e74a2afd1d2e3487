"""The retriever: dense and lexical candidates, their scores fused, duplicates collapsed; also a LangChain BaseRetriever."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rag.dense import DenseIndex, open_index
from rag.lexical import explained_shares, inverse_frequency
from rag.settings import RetrievalSettings
from rag.store import Store, TermStatistics
from rag.text import language, tokens
from rag.types import Chunk, Embedder, Passage

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

_NEAR_DUPLICATE = 0.9  # Jaccard similarity of the token sets
_TWIN_REACH = 12  # the same text has nearly the same score, so a twin is found a few ranks above
# In a large collection a term that every fifth chunk holds finds nothing and makes the search slow.
_COMMON = 0.2
_LARGE = 2000
_MOST_TERMS = 64


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked of the index: the question's terms and its unit vector, centred by language."""

    terms: tuple[str, ...]
    vector: np.ndarray


class Retriever:
    """Finds the passages of one knowledge base; safe to use from several threads."""

    def __init__(self, store: Store, embedder: Embedder, settings: RetrievalSettings) -> None:
        self._store = store
        self._embedder = embedder
        self._settings = settings
        self._index: DenseIndex | None = None
        self._refreshing = threading.Lock()
        store.check_embedding(embedder.fingerprint)

    def search(self, text: str, k: int | None = None, withhold: Collection[str] = ()) -> list[Passage]:
        """Passages, best first, at most ``k``; documents named in ``withhold`` are not looked at."""
        question = self._understand(text)
        with self._store.snapshot():
            index = self._current_index()
            hidden = self._store.chunk_ids(withhold)
            passages = self._fused(question, index, hidden)
        return passages[: k or self._settings.k]

    def as_langchain(self, k: int | None = None) -> BaseRetriever:
        """This retriever behind LangChain's interface; each Document carries name, page, heading and score."""
        from rag.chain import FootnoteRetriever

        return FootnoteRetriever(retriever=self, k=k or self._settings.k)

    def _understand(self, text: str) -> Search:
        words = tuple(dict.fromkeys(tokens(text)))
        raw = self._embedder.embed_query(text)
        return Search(words, self._embedder.centre(raw[None], [language(text)], query=True)[0])

    def _current_index(self) -> DenseIndex:
        with self._refreshing:
            if self._index is None or self._index.generation != self._store.generation():
                self._store.check_embedding(self._embedder.fingerprint)  # it may have been changed over meanwhile
                self._index = open_index(self._store, self._embedder)
            return self._index

    def _fused(self, question: Search, index: DenseIndex, hidden: set[int]) -> list[Passage]:
        """Candidates of both halves, the missing half of a score computed, D + λ·L, near-duplicates collapsed."""
        depth = self._settings.candidates
        statistics = self._store.term_statistics(question.terms)
        dense = dict(index.search(question.vector, depth, hidden))
        selective = _selective(question.terms, statistics)
        listed = self._store.lexical_candidates(selective, depth + len(hidden))
        lexical_ids = [i for i in listed if i not in hidden][:depth]
        candidates = list(dict.fromkeys([*dense, *lexical_ids]))
        cosines = dense | index.cosines(question.vector, [i for i in lexical_ids if i not in dense])
        words = self._store.chunk_tokens(candidates)
        shares = explained_shares(question.terms, words, statistics)
        dense_rank = {i: rank for rank, i in enumerate(dense, 1)}
        lexical_rank = {i: rank for rank, i in enumerate(lexical_ids, 1)}
        chunks = self._store.chunks_by_id(candidates)
        weight = self._settings.lexical_weight
        passages = [
            Passage(chunk, cosines.get(i, 0.0) + weight * shares.get(i, 0.0), dense_rank.get(i), lexical_rank.get(i),
                    dense=cosines.get(i, 0.0), lexical=shares.get(i, 0.0))
            for i, chunk in chunks.items()
        ]  # fmt: skip
        return collapse(sorted(passages, key=lambda p: (-p.score, p.chunk.id)), words)


def collapse(passages: Iterable[Passage], words: Mapping[int, Sequence[str]]) -> list[Passage]:
    """Passages, best first, without those whose text repeats a better one's; ``also`` names the other documents.

    ``words`` are the chunks' indexed tokens by id; two texts repeat each other where nine tenths of these are common.
    """
    kept: list[Passage] = []
    seen: list[frozenset[str]] = []
    places: dict[str, int] = {}
    for passage in passages:
        own = frozenset(words.get(passage.chunk.id, ()))
        nearby = range(len(seen) - 1, max(len(seen) - 1 - _TWIN_REACH, -1), -1)
        twin = places.get(passage.chunk.text)
        if twin is None:
            twin = next((i for i in nearby if _similar(own, seen[i])), None)
        if twin is None:
            places[passage.chunk.text] = len(kept)
            kept.append(passage)
            seen.append(own)
        elif passage.chunk.document not in kept[twin].documents:
            kept[twin] = replace(kept[twin], also=(*kept[twin].also, passage.chunk.document))
    return kept


def merge_neighbours(passages: Iterable[Passage]) -> list[list[Chunk]]:
    """Runs of chunks that follow one another in a document, in the order of their best passage."""
    runs: list[list[Chunk]] = []
    for passage in passages:
        chunk = passage.chunk
        run = next((r for r in runs if r[0].document == chunk.document
                    and r[0].ordinal - 1 <= chunk.ordinal <= r[-1].ordinal + 1), None)  # fmt: skip
        if run is None:
            runs.append([chunk])
        elif chunk.ordinal < run[0].ordinal:
            run.insert(0, chunk)
        elif chunk.ordinal > run[-1].ordinal:
            run.append(chunk)
    return runs


def _similar(a: frozenset[str], b: frozenset[str]) -> bool:
    if not a or min(len(a), len(b)) < _NEAR_DUPLICATE * max(len(a), len(b)):
        return False
    common = len(a & b)
    return common >= _NEAR_DUPLICATE * (len(a) + len(b) - common)


def _selective(terms: tuple[str, ...], statistics: TermStatistics) -> list[str]:
    """The question's terms that are worth looking up, rarest first; a long text is asked by its rarest terms."""
    there = [term for term in terms if statistics.frequency.get(term)]
    limit = _COMMON * statistics.chunks if statistics.chunks > _LARGE else statistics.chunks
    rare = [term for term in there if statistics.frequency[term] <= limit] or there
    return sorted(rare, key=lambda term: -inverse_frequency(term, statistics))[:_MOST_TERMS]
