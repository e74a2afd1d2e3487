"""The dense index: FAISS over centred vectors, ids only; it follows the store by difference, and its cache is checked."""

from __future__ import annotations

import contextlib
import hashlib
import json
import struct
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rag.store import Store, cache_path
from rag.types import Embedder
from rag.whole_file import whole_file

_MAGIC = b"FNDX2\n"
_HASH_BYTES = 32
Kind = Literal["exact", "ivf", "ivf-sq8"]
# Exact search took 21 ms at 25,000 chunks and 34 at 100,000 on two busy cores, IVF about 1 at the same recall; the limit
# is a judgement between the two, below which training (2 s) would hardly be felt.
_EXACT_UP_TO = 30_000
# Float vectors take 1.5 kB a chunk, codes a quarter: beyond this, loading and holding them costs more than the reading
# of a candidate's raw vector, which codes need to rank as exact search does (their own recall@10 ends at .992).
_FLOAT_UP_TO = 150_000
_REBUILT_SHARE = 0.5  # of the chunks: so many changes cost more one by one than a new index
_SAVED_SHARE = 0.05  # changes that the cache on the disk may lag behind
_GROWTH = 2.0  # since training: the cells no longer fit what is in them
_TRAINING_POINTS = 64  # a cell
_BLOCK = 8192  # vectors read at a time
# Questions lie elsewhere than passages. Sums of three passages with as much noise again are found as hardly as real
# questions of five sets, or harder, at 7,000, 100,000 and 500,000 chunks (bench/scale.py measures the real ones).
_TRIALS = 200
_PARTS = 3
_RECALL = 0.995
_DEPTH = 10
_MOST_COMPARED = 1000  # allowed chunks that are compared one by one


@dataclass(slots=True)
class _Held:
    """A FAISS index and what it holds: ids, sorted, and their marks; ``built_for`` is its size when it was trained."""

    index: Any
    kind: Kind
    ids: np.ndarray
    marks: np.ndarray
    built_for: int


class DenseIndex:
    """Search over the centred unit vectors of one knowledge base, at one generation of its store; safe for threads."""

    def __init__(self, store: Store, embedder: Embedder, held: _Held, generation: int, unsaved: int) -> None:
        self._store = store
        self._embedder = embedder
        self._held = held
        self._unsaved = unsaved
        self._lock = threading.Lock()  # a search and a change never overlap
        self.generation = generation

    def __len__(self) -> int:
        return len(self._held.ids)

    @property
    def kind(self) -> Kind:
        """How it searches: ``exact``, ``ivf`` (cells of float vectors) or ``ivf-sq8`` (cells of 8-bit codes)."""
        return self._held.kind

    def follow(self) -> None:
        """Take in what was added to the store and drop what has gone; nothing where its generation is the same."""
        with self._lock, self._store.snapshot():
            generation = self._store.generation()
            if generation == self.generation:
                return
            try:
                held, changes = _followed(self._held, self._store, self._embedder)
            except BaseException:
                # What a broken-off change left is in doubt: the next call builds it anew.
                self._held, self.generation = _empty(self._embedder), -1
                raise
            self._unsaved = self._unsaved + changes if held is self._held else len(held.ids)
            self._held, self.generation = held, generation
            if self._unsaved > _SAVED_SHARE * len(held.ids):
                _write_cache(self._store, self._embedder, held)
                self._unsaved = 0

    def search(
        self,
        vector: np.ndarray,
        limit: int,
        allowed: Collection[int] | np.ndarray | None = None,
        without: Collection[int] = (),
    ) -> list[tuple[int, float]]:
        """Chunk ids and cosines, best first, at most ``limit``; where given, only ``allowed`` ids, none of ``without``."""
        if not len(self) or limit < 1:
            return []
        chosen = None if allowed is None else np.setdiff1d(_array(allowed), _array(without))
        if chosen is not None and len(chosen) <= _MOST_COMPARED:
            return _best(self.cosines(vector, chosen), limit)
        coded = self.kind == "ivf-sq8"
        wanted = limit + limit // 4 + 16 if coded else limit
        with self._lock:
            found = _searched(self._held, vector, wanted, chosen, _array(without))
        return _best(self.cosines(vector, [i for i, _ in found]), limit) if coded else found

    def cosines(self, vector: np.ndarray, ids: Collection[int] | np.ndarray) -> dict[int, float]:
        """The exact cosines of given chunks to a vector, those that the store does not hold left out."""
        table = self._store.vector_table(ids)
        if not len(table.ids):
            return {}
        scores = self._embedder.centre(table.vectors, table.languages) @ vector
        return dict(zip(table.ids.tolist(), scores.tolist(), strict=True))

    def meanings(self, vector: np.ndarray, ids: Collection[int]) -> dict[int, tuple[float, float]]:
        """For given chunks the cosine of the whole and that of the best window, those that the store does not hold left out."""
        whole, windows = self._store.vector_tables(ids)
        if not len(whole.ids):
            return {}
        wholes = self._embedder.centre(whole.vectors, whole.languages) @ vector
        pieces = self._embedder.centre(windows.vectors, windows.languages, side="window") @ vector
        best = np.maximum.reduceat(pieces, np.searchsorted(windows.ids, whole.ids))
        return dict(zip(whole.ids.tolist(), zip(wholes.tolist(), best.tolist(), strict=True), strict=True))


def open_index(store: Store, embedder: Embedder) -> DenseIndex:
    """The index of the store's present generation: its cache, brought up to date, where that is whole, else built."""
    with store.snapshot():
        generation = store.generation()
        cached = _read_cache(store, embedder)
        held, unsaved = _followed(cached or _empty(embedder), store, embedder)
        if cached is None or held is not cached or unsaved > _SAVED_SHARE * len(held.ids):
            _write_cache(store, embedder, held)
            unsaved = 0
    return DenseIndex(store, embedder, held, generation, unsaved)


def kind_for(size: int) -> Kind:
    """The kind of index for so many chunks."""
    if size <= _EXACT_UP_TO:
        return "exact"
    return "ivf" if size <= _FLOAT_UP_TO else "ivf-sq8"


def _best(cosines: dict[int, float], limit: int) -> list[tuple[int, float]]:
    return sorted(cosines.items(), key=lambda pair: -pair[1])[:limit]


def _array(ids: Collection[int] | np.ndarray) -> np.ndarray:
    return ids.astype(np.int64) if isinstance(ids, np.ndarray) else np.fromiter(ids, np.int64, len(ids))


def _searched(
    held: _Held, vector: np.ndarray, limit: int, allowed: np.ndarray | None, without: np.ndarray
) -> list[tuple[int, float]]:
    import faiss

    selector: Any = None
    share = 1.0
    if allowed is not None:
        selector = faiss.IDSelectorBatch(allowed)
        share = max(len(allowed), 1) / len(held.ids)
    elif len(without):
        hidden = faiss.IDSelectorBatch(without)
        selector = faiss.IDSelectorNot(hidden)
    if held.kind == "exact":
        parameters = faiss.SearchParameters(sel=selector) if selector else None  # type: ignore[call-arg]
    else:
        # The fewer may be found, the further apart they lie: as many vectors are compared as without a selection.
        probes = min(held.index.nlist, int(held.index.nprobe / share) + 1) if selector else held.index.nprobe
        parameters = faiss.SearchParametersIVF(sel=selector, nprobe=probes)  # type: ignore[call-arg]
    query = np.ascontiguousarray(vector[None], np.float32)
    scores, ids = held.index.search(query, min(limit, len(held.ids)), params=parameters)
    return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]


# Following the store


def _followed(held: _Held, store: Store, embedder: Embedder) -> tuple[_Held, int]:
    """An index of what the store holds now, and how many changes its cache lacks; the same object where it was changed.

    Where anything went, all count as lacking: no vector of a deleted text is to stay in the cache.
    A chunk is the same where its id and its mark are: an older copy of the database may have given an id to another text.
    """
    ids, marks = store.chunk_marks()
    stays = _known(held.ids, held.marks, ids, marks)
    new = ids[~_known(ids, marks, held.ids, held.marks)]
    gone = held.ids[~stays]
    changes = len(new) + len(gone)
    if _outgrown(held, len(ids)) or changes > _REBUILT_SHARE * len(ids):
        return _built(store, embedder, ids, marks), changes
    if len(gone):
        import faiss

        held.index.remove_ids(faiss.IDSelectorBatch(gone))
    added = _add(held.index, store, embedder, new)
    kept = np.isin(ids, new, invert=True) | np.isin(ids, added)  # a damaged vector is no part of the index
    held.ids, held.marks = ids[kept], marks[kept]
    return held, max(changes, len(ids)) if len(gone) else changes


def _known(ids: np.ndarray, marks: np.ndarray, among: np.ndarray, their_marks: np.ndarray) -> np.ndarray:
    """Which of the ids are among others, sorted, under the same mark."""
    if not len(among):
        return np.zeros(len(ids), bool)
    places = np.minimum(np.searchsorted(among, ids), len(among) - 1)
    known: np.ndarray = (among[places] == ids) & (their_marks[places] == marks)
    return known


def _outgrown(held: _Held, size: int) -> bool:
    kinds: list[Kind] = ["exact", "ivf", "ivf-sq8"]
    if kinds.index(kind_for(size)) > kinds.index(held.kind):
        return True
    return held.kind != "exact" and not held.built_for / (2 * _GROWTH) <= size <= held.built_for * _GROWTH


# Building


def _empty(embedder: Embedder) -> _Held:
    import faiss

    index = faiss.IndexIDMap2(faiss.IndexFlatIP(embedder.dimension))
    return _Held(index, "exact", np.zeros(0, np.int64), np.zeros(0, np.int64), 0)


def _built(store: Store, embedder: Embedder, ids: np.ndarray, marks: np.ndarray) -> _Held:
    held = _empty(embedder)
    held.kind, held.built_for = kind_for(len(ids)), len(ids)
    if held.kind == "exact":
        added = _add(held.index, store, embedder, ids)
    else:
        # The seed is fixed: the same store gives the same index.
        chance = np.random.default_rng(0)
        held.index = _trained(store, embedder, ids, held.kind, chance)
        trials = _trials(store, embedder, ids, chance)
        truth = _Truth(trials)
        added = _add(held.index, store, embedder, ids, truth)
        _set_probes(held.index, trials, truth.ids)
    kept = np.isin(ids, added)
    held.ids, held.marks = ids[kept], marks[kept]
    return held


def _trained(store: Store, embedder: Embedder, ids: np.ndarray, kind: Kind, chance: np.random.Generator) -> Any:
    import faiss

    cells = 1 << round(np.log2(np.sqrt(len(ids)) * 1.4))
    quantiser = faiss.IndexFlatIP(embedder.dimension)
    index: Any
    if kind == "ivf":
        index = faiss.IndexIVFFlat(quantiser, embedder.dimension, cells, faiss.METRIC_INNER_PRODUCT)
    else:
        codes = faiss.ScalarQuantizer.QT_8bit
        index = faiss.IndexIVFScalarQuantizer(
            quantiser, embedder.dimension, cells, codes, faiss.METRIC_INNER_PRODUCT, False
        )
    index.cp.max_points_per_centroid = _TRAINING_POINTS
    index.cp.spherical = True
    sample = chance.choice(ids, min(len(ids), cells * _TRAINING_POINTS), replace=False)
    index.train(np.concatenate([vectors for _, vectors in _centred(store, embedder, np.sort(sample))]))
    return index


def _trials(store: Store, embedder: Embedder, ids: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Vectors that are as hard to find the neighbours of as a question's."""
    chosen = chance.choice(ids, _TRIALS * _PARTS, replace=False)
    vectors = np.concatenate([block for _, block in _centred(store, embedder, np.sort(chosen))])
    vectors = vectors[chance.permutation(len(vectors))][: len(vectors) // _PARTS * _PARTS]
    noise = chance.normal(size=(len(vectors) // _PARTS, vectors.shape[1]))
    return _unit(_unit(vectors.reshape(-1, _PARTS, vectors.shape[1]).sum(1)) + _unit(noise)).astype(np.float32)


class _Truth:
    """The nearest vectors of the trials among all that are shown to it, by exact search."""

    def __init__(self, trials: np.ndarray) -> None:
        self._trials = trials
        self._scores = np.full((len(trials), _DEPTH), -2, np.float32)
        self.ids = np.full((len(trials), _DEPTH), -1, np.int64)

    def show(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        scores = np.hstack([self._scores, self._trials @ vectors.T])
        every = np.hstack([self.ids, np.broadcast_to(ids, (len(self._trials), len(ids)))])
        best = np.argpartition(-scores, _DEPTH - 1, axis=1)[:, :_DEPTH]
        self._scores, self.ids = np.take_along_axis(scores, best, 1), np.take_along_axis(every, best, 1)


def _set_probes(index: Any, trials: np.ndarray, truth: np.ndarray) -> None:
    """As few cells a search as find the nearest of the trials; codes are ranked anew, so a place near the top is enough."""
    index.nprobe = 8
    while index.nprobe < index.nlist:
        _, found = index.search(trials, 5 * _DEPTH)
        hits = [len(np.intersect1d(a, b)) for a, b in zip(found, truth, strict=True)]
        if sum(hits) >= _RECALL * truth.size:
            return
        index.nprobe = min(2 * index.nprobe, index.nlist)


def _add(index: Any, store: Store, embedder: Embedder, ids: np.ndarray, truth: _Truth | None = None) -> np.ndarray:
    """Add chunks, and return the ids of those whose vectors are undamaged."""
    added = [np.zeros(0, np.int64)]
    for found, vectors in _centred(store, embedder, ids):
        index.add_with_ids(vectors, found)
        added.append(found)
        if truth is not None:
            truth.show(found, vectors)
    return np.concatenate(added)


def _centred(store: Store, embedder: Embedder, ids: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Ids and centred vectors, block by block: all at once, 500,000 take 2 GB on their way."""
    for start in range(0, len(ids), _BLOCK):
        table = store.vector_table(ids[start : start + _BLOCK])
        if len(table.ids):
            vectors = embedder.centre(table.vectors, table.languages)
            yield table.ids, np.ascontiguousarray(vectors, np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit


# The cache: magic, SHA-256 of the rest, length and JSON of the header, ids, marks, FAISS's own bytes


def _state(store: Store, embedder: Embedder) -> dict[str, Any]:
    return {"store": store.identity(), "fingerprint": embedder.fingerprint}


def _read_cache(store: Store, embedder: Embedder) -> _Held | None:
    """The cached index, or None where it is missing, damaged, or of another store or embedder."""
    import faiss

    try:
        data = memoryview(cache_path(store.home, store.kb).read_bytes())
        rest = data[len(_MAGIC) + _HASH_BYTES :]
        if data[: len(_MAGIC)] != _MAGIC or hashlib.sha256(rest).digest() != data[len(_MAGIC) : len(_MAGIC) + 32]:
            return None
        (length,) = struct.unpack_from("<I", rest)
        header = json.loads(bytes(rest[4 : 4 + length]))
    except (OSError, ValueError, struct.error):
        return None
    if any(header.get(key) != value for key, value in _state(store, embedder).items()):
        return None
    body, size = rest[4 + length :], 8 * header["chunks"]
    ids, marks = (np.frombuffer(body[i * size : (i + 1) * size], np.int64).copy() for i in (0, 1))
    index = faiss.deserialize_index(np.frombuffer(body[2 * size :], np.uint8))
    return _Held(index, header["kind"], ids, marks, header["built_for"])


def _write_cache(store: Store, embedder: Embedder, held: _Held) -> None:
    import faiss

    header = _state(store, embedder) | {"chunks": len(held.ids), "kind": held.kind, "built_for": held.built_for}
    packed = json.dumps(header).encode()
    body: Any = faiss.serialize_index(held.index)
    parts = [struct.pack("<I", len(packed)), packed, held.ids.tobytes(), held.marks.tobytes(), body.data]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    path = cache_path(store.home, store.kb)
    # A cache that cannot be written (a read-only folder, a full disk) costs time at the next start, nothing else.
    with contextlib.suppress(OSError), whole_file(path) as out:
        out.writelines([_MAGIC, digest.digest(), *parts])
