"""The retriever: dense and lexical candidates, their scores fused, duplicates collapsed; also a LangChain BaseRetriever."""

from __future__ import annotations

import copy
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rag.dense import DenseIndex, open_index
from rag.fusion import fused
from rag.lexical import contributions, explained_shares, inverse_frequency
from rag.reranker import Reranker
from rag.settings import RetrievalSettings
from rag.store import Store, TermStatistics
from rag.text import language, tokens
from rag.types import EVERYTHING, MOST_CUT, Chunk, Cut, Embedder, Filter, Found, Passage, Remembered, Trace

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

_NEAR_DUPLICATE = 0.9  # Jaccard similarity of the token sets
_TWIN_REACH = 12  # the same text has nearly the same score, so a twin is found a few ranks above
# In a large collection a term that every fifth chunk holds finds nothing and makes the search slow.
_COMMON = 0.2
_LARGE = 2000
_MOST_TERMS = 64
_MOST_READ = 20_000  # characters of a question; the embedder reads its beginning, the word index its rarest terms
_MOST_EMBEDDED = 2_000  # of these, what the embedder gets: more than most models read, less than an address refuses
# FTS5 ranks about a posting a microsecond, so a large collection is asked by as many of the rarest terms as hold these.
# Without a limit the four best passages are the same: for 80 of 80 questions with 10,000 postings at 100,000 chunks, for
# 50 of 50 with 20,000 at 500,000 (49 with 10,000).
_POSTINGS = (10_000, 20_000)
_POSTINGS_SHARE = 0.04  # of the chunks, within these


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked of the index: terms, each with what it counts, and a unit vector, centred by language."""

    terms: Mapping[str, float]
    vector: np.ndarray


@dataclass(frozen=True, slots=True)
class _Source:
    """A knowledge base that is searched: only ``allowed`` chunk ids where these are given, and none that is ``hidden``."""

    store: Store
    index: DenseIndex
    allowed: np.ndarray | None
    hidden: set[int]

    def listed(self, terms: Sequence[str], depth: int) -> list[int]:
        """Chunk ids by their words, best first, at most ``depth``."""
        found = self.store.lexical_candidates(terms, depth + len(self.hidden), self.allowed)
        return [i for i in found if i not in self.hidden][:depth]


class Retriever:
    """Finds the passages of one knowledge base, or of several where a filter names them; safe to use from several threads."""

    def __init__(
        self, store: Store, embedder: Embedder, settings: RetrievalSettings, reranker: Reranker | None = None
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._settings = settings
        self._reranker = reranker
        self._indexes: dict[str, DenseIndex] = {}
        self._refreshing = threading.Lock()
        store.check_embedding(embedder.fingerprint)

    def search(
        self, text: str, k: int | None = None, withhold: Collection[str] = (), filter: Filter = EVERYTHING
    ) -> list[Passage]:
        """The passages of ``find``, without the account of how they came to be these."""
        return list(self.find(text, k, filter, withhold).passages)

    def find(
        self,
        text: str,
        k: int | None = None,
        filter: Filter = EVERYTHING,
        withhold: Collection[str] = (),
        before: Sequence[Remembered] = (),
    ) -> Found:
        """The ``k`` best passages that the filter lets through and documents in ``withhold`` do not hold, and the trace.

        ``before`` is what of the conversation a follow-up is searched with.
        Of a text longer than 20,000 characters the beginning is read. Raises StoreError where the filter names a
        knowledge base or a document that does not exist.
        """
        text = text[:_MOST_READ]
        question = self._understand(text, before) if _says_something(text) else None
        with self._store.snapshot():
            sources = self._sources(filter, withhold)
            statistics = total(source.store.term_statistics(question.terms if question else {}) for source in sources)
            wanted = k or self._settings.k
            depth = max(self._settings.candidates, wanted)
            ranked, words = self._fused(question, sources, statistics, depth) if question else ([], {})
            # A reranker may lift any of them; without one, those far behind would only be compared for nothing.
            passages, repeated = collapse(ranked, words, None if self._reranker else wanted + MOST_CUT + _TWIN_REACH)
            trace = _trace(text, sources, statistics, filter)
        if self._reranker is not None:
            passages = self._reranker.rerank(" ".join([*(e.turn.content for e in before if e.words), text]), passages)
            trace = replace(trace, reranked=sum(passage.rerank is not None for passage in passages))
        found = Found(tuple(passages), replace(trace, cut=tuple(repeated))).first(wanted)
        terms = question.terms if question else {}
        return _explained(found, lambda passage: contributions(terms, words.get(passage.chunk.id, ()), statistics))

    def over(self, store: Store) -> Retriever:
        """The same retriever over another knowledge base or in another user's hands; the indexes are shared."""
        other = copy.copy(self)
        other._store = store
        return other

    def as_langchain(self, k: int | None = None) -> BaseRetriever:
        """This retriever behind LangChain's interface; each Document carries name, page, heading and score."""
        from rag.chain import FootnoteRetriever

        return FootnoteRetriever(retriever=self, k=k or self._settings.k)

    def _understand(self, text: str, before: Sequence[Remembered]) -> Search:
        terms: dict[str, float] = {}
        for earlier in before:
            if earlier.words:
                terms |= dict.fromkeys(tokens(earlier.turn.content), earlier.words)
        terms |= dict.fromkeys(tokens(text), 1.0)
        return Search(terms, question_vector(text, before, self._embedder))

    def _sources(self, filter: Filter, withhold: Collection[str]) -> list[_Source]:
        """The knowledge bases to search, each with what may be found in it."""
        stores = [self._store.beside(kb) for kb in dict.fromkeys(filter.kbs)] or [self._store]
        for name in set.intersection(*(set(store.unknown_names(filter.documents)) for store in stores)):
            raise self._store.no_document(name, stores)
        return [self._source(store, filter, withhold) for store in stores]

    def _source(self, store: Store, filter: Filter, withhold: Collection[str]) -> _Source:
        store.check_embedding(self._embedder.fingerprint)
        allowed = store.allowed_chunks(filter, withhold) if filter.restricts else None
        hidden = store.chunk_ids(withhold) if allowed is None else set()
        return _Source(store, self._current_index(store), allowed, hidden)

    def _current_index(self, store: Store) -> DenseIndex:
        with self._refreshing:
            if store.kb not in self._indexes:
                self._indexes[store.kb] = open_index(store, self._embedder)
            index = self._indexes[store.kb]
            index.follow()
            return index

    def _fused(
        self, question: Search, sources: Sequence[_Source], statistics: TermStatistics, depth: int
    ) -> tuple[list[Passage], dict[int, list[str]]]:
        """Candidates of both halves, the missing half of a score computed, fused, best first; and their tokens by id."""
        selective = _selective(question.terms, statistics)
        dense: dict[int, float] = {}
        meanings: dict[int, tuple[float, float]] = {}
        words: dict[int, list[str]] = {}
        lexical_ids: list[int] = []
        chunks: dict[int, tuple[Chunk, str]] = {}
        for source in sources:  # chunk ids are unique over all knowledge bases of a file
            near = dict(source.index.search(question.vector, depth, source.allowed, source.hidden))
            listed = source.listed(selective, depth)
            dense |= near
            candidates = [*dict.fromkeys([*near, *listed])]
            meanings |= source.index.meanings(question.vector, candidates)
            words |= source.store.chunk_tokens(candidates)
            lexical_ids += listed
            there = source.store.chunks_by_id(candidates)
            chunks |= {i: (chunk, source.store.kb) for i, chunk in there.items()}
        shares = explained_shares(question.terms, words, statistics)
        if len(sources) > 1:  # each list is in order by itself; over several only scores can be compared
            dense = dict(sorted(dense.items(), key=lambda item: -item[1])[:depth])
            lexical_ids = sorted(lexical_ids, key=lambda i: -shares.get(i, 0.0))[:depth]
        dense_rank = {i: rank for rank, i in enumerate(dense, 1)}
        lexical_rank = {i: rank for rank, i in enumerate(lexical_ids, 1)}
        weight = self._settings.lexical_weight
        passages = []
        for i, (chunk, kb) in chunks.items():
            if i in dense_rank or i in lexical_rank:
                (whole, window), share = meanings.get(i, (0.0, 0.0)), shares.get(i, 0.0)
                passages.append(
                    Passage(chunk, fused(whole, window, share, weight), dense_rank.get(i), lexical_rank.get(i),
                            dense=whole, window=window, lexical=share, kb=kb, lexical_weight=weight)
                )  # fmt: skip
        return sorted(passages, key=lambda p: (-p.score, p.chunk.id)), words


def question_vector(text: str, before: Sequence[Remembered], embedder: Embedder) -> np.ndarray:
    """The unit vector that a question is searched with (dim,): its own, centred, with what it remembers mixed in."""

    def asked(said: str) -> np.ndarray:
        return embedder.centre(embedder.embed_query(said[:_MOST_EMBEDDED])[None], [language(said)], side="query")

    def told(said: str) -> np.ndarray:
        return embedder.centre(embedder.embed_passages([said]), [language(said)])

    vector = asked(text)
    for earlier in before:
        said = earlier.turn.content
        vector = vector + earlier.meaning * (asked(said) if earlier.turn.role == "user" else told(said))
    return vector.reshape(-1) / max(float(np.linalg.norm(vector)), 1e-9)


def total(parts: Iterable[TermStatistics]) -> TermStatistics:
    """The statistics of several collections as those of one."""
    several = list(parts)
    if len(several) == 1:
        return several[0]
    chunks = sum(part.chunks for part in several)
    tokens_there = sum(part.chunks * part.mean_length for part in several)
    frequency: Counter[str] = Counter()
    for part in several:
        frequency.update(part.frequency)
    return TermStatistics(chunks, tokens_there / chunks if chunks else 0.0, dict(frequency))


def collapse(
    passages: Iterable[Passage], words: Mapping[int, Sequence[str]], most: int | None = None
) -> tuple[list[Passage], list[Cut]]:
    """Passages, best first and at most ``most``, without those whose text repeats a better one's.

    ``also`` names the other documents. The second list holds those that went, each with the chunk that it repeats.

    ``words`` are the chunks' indexed tokens by id; two texts repeat each other where nine tenths of these are common.
    """
    kept: list[Passage] = []
    repeated: list[Cut] = []
    seen: list[frozenset[str]] = []
    places: dict[str, int] = {}
    for passage in passages:
        if most is not None and len(kept) >= most:
            break
        own = frozenset(words.get(passage.chunk.id, ()))
        nearby = range(len(seen) - 1, max(len(seen) - 1 - _TWIN_REACH, -1), -1)
        twin = places.get(passage.chunk.text)
        if twin is None:
            twin = next((i for i in nearby if _similar(own, seen[i])), None)
        if twin is None:
            places[passage.chunk.text] = len(kept)
            kept.append(passage)
            seen.append(own)
            continue
        repeated.append(Cut(passage, "duplicate", kept[twin].chunk.id))
        if passage.chunk.document not in kept[twin].documents:
            kept[twin] = replace(kept[twin], also=(*kept[twin].also, passage.chunk.document))
    return kept, repeated


def merge_neighbours(passages: Iterable[Passage]) -> list[list[Chunk]]:
    """Runs of chunks that follow one another in a document, in the order of their best passage."""
    runs: list[list[Chunk]] = []
    kbs: list[str] = []  # of each run: two knowledge bases may have a document of one name
    for passage in passages:
        chunk = passage.chunk
        run = next((r for r, kb in zip(runs, kbs, strict=True)
                    if (kb, r[0].document) == (passage.kb, chunk.document)
                    and r[0].ordinal - 1 <= chunk.ordinal <= r[-1].ordinal + 1), None)  # fmt: skip
        if run is None:
            runs.append([chunk])
            kbs.append(passage.kb)
        elif chunk.ordinal < run[0].ordinal:
            run.insert(0, chunk)
        elif chunk.ordinal > run[-1].ordinal:
            run.append(chunk)
    return runs


def _trace(query: str, sources: Sequence[_Source], statistics: TermStatistics, filter: Filter) -> Trace:
    """What was searched, and a reason in case nothing is found."""
    allowed = sum(len(source.allowed) for source in sources if source.allowed is not None)
    searched = allowed if filter.restricts else statistics.chunks - sum(len(source.hidden) for source in sources)
    if not statistics.chunks:
        reason = "empty"
    elif filter.restricts and not searched:
        reason = f"filtered: {filter}"
    else:
        reason = "irrelevant" if _says_something(query) else "wordless"
    return Trace(query, searched=searched, hidden=statistics.chunks - searched, reason=reason)


def _explained(found: Found, terms: Callable[[Passage], tuple[tuple[str, float], ...]]) -> Found:
    """What was found with the matching terms of each passage, those that were cut included."""
    passages = tuple(replace(p, terms=terms(p)) for p in found.passages)
    cut = tuple(replace(c, passage=replace(c.passage, terms=terms(c.passage))) for c in found.trace.cut)
    return Found(passages, replace(found.trace, cut=cut, reason="" if passages else found.trace.reason))


def _says_something(text: str) -> bool:
    """Whether there is a letter, a digit or a symbol in the text; mere punctuation asks for nothing."""
    return any(unicodedata.category(character)[0] in "LNS" for character in text)


def _similar(a: frozenset[str], b: frozenset[str]) -> bool:
    if not a or min(len(a), len(b)) < _NEAR_DUPLICATE * max(len(a), len(b)):
        return False
    common = len(a & b)
    return common >= _NEAR_DUPLICATE * (len(a) + len(b) - common)


def _selective(terms: Mapping[str, float], statistics: TermStatistics) -> list[str]:
    """The terms that are worth looking up, those that count most first, then the rarest; a long text asks by its rarest."""
    there = [term for term in terms if statistics.frequency.get(term)]
    limit = _COMMON * statistics.chunks if statistics.chunks > _LARGE else statistics.chunks
    rare = [term for term in there if statistics.frequency[term] <= limit] or there
    chosen: list[str] = []
    room = statistics.chunks * _MOST_TERMS
    if statistics.chunks > _LARGE:
        room = int(np.clip(_POSTINGS_SHARE * statistics.chunks, *_POSTINGS))
    for term in sorted(rare, key=lambda term: (-terms[term], -inverse_frequency(term, statistics)))[:_MOST_TERMS]:
        room -= statistics.frequency[term]
        if chosen and room < 0:
            break
        chosen.append(term)
    return chosen
