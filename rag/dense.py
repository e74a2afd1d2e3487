"""The dense index: FAISS over centred vectors, ids only; a cache that is rebuilt from the store whenever in doubt."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.store import Store
from rag.types import Embedder

_MAGIC = b"FNDX1\n"


class DenseIndex:
    """Exact inner-product search over the centred unit vectors of one knowledge base, at one generation of its store."""

    def __init__(self, index: Any, generation: int) -> None:
        self._index = index
        self.generation = generation

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(
        self,
        vector: np.ndarray,
        limit: int,
        allowed: Collection[int] | np.ndarray | None = None,
        without: Collection[int] = (),
    ) -> list[tuple[int, float]]:
        """Chunk ids and cosines, best first, at most ``limit``; where given, only ``allowed`` ids, none of ``without``."""
        import faiss

        if not len(self) or limit < 1:
            return []
        parameters = None
        if allowed is not None:
            chosen = np.setdiff1d(np.asarray(list(allowed), np.int64), np.asarray(list(without), np.int64))
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBatch(chosen))  # type: ignore[call-arg]
        elif without:
            hidden = faiss.IDSelectorBatch(np.fromiter(without, np.int64))
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorNot(hidden))  # type: ignore[call-arg]
        scores, ids = self._index.search(vector[None].astype(np.float32), min(limit, len(self)), params=parameters)
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]

    def cosines(self, vector: np.ndarray, ids: Sequence[int]) -> dict[int, float]:
        """The cosines of given chunks to a vector, those that the index does not hold left out."""
        found = {}
        for i in ids:
            try:
                found[i] = float(self._index.reconstruct(int(i)) @ vector)
            except RuntimeError:  # an id that came into the store after this index was built
                continue
        return found


def open_index(store: Store, embedder: Embedder) -> DenseIndex:
    """The index of the store's present generation: from its cache where that is whole and current, else rebuilt."""
    path = store.home / "workspace" / "cache" / f"{hashlib.sha256(store.kb.encode()).hexdigest()[:16]}.faiss"
    with store.snapshot():
        generation = store.generation()
        state = {"store": store.identity(), "generation": generation, "fingerprint": embedder.fingerprint}
        if (index := _read_cache(path, state)) is None:
            index = _build(store, embedder)
            _write_cache(path, index, state)
    return DenseIndex(index, generation)


def _build(store: Store, embedder: Embedder) -> Any:
    import faiss

    table = store.vector_table()
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(embedder.dimension))
    if len(table.ids):
        centred = embedder.centre(table.vectors, table.languages)
        index.add_with_ids(np.ascontiguousarray(centred, np.float32), table.ids)
    return index


def _read_cache(path: Path, state: dict[str, Any]) -> Any | None:
    """The cached index, or None where it is missing, damaged, or of another store, generation or embedder."""
    import faiss

    try:
        data = path.read_bytes()
        (length,) = struct.unpack_from("<I", data, len(_MAGIC))
        start = len(_MAGIC) + 4
        header, body = json.loads(data[start : start + length]), data[start + length :]
    except (OSError, ValueError, struct.error):
        return None
    whole = data.startswith(_MAGIC) and header.get("sha256") == hashlib.sha256(body).hexdigest()
    if not whole or any(header.get(key) != value for key, value in state.items()):
        return None
    return faiss.deserialize_index(np.frombuffer(body, np.uint8))


def _write_cache(path: Path, index: Any, state: dict[str, Any]) -> None:
    import faiss

    body = faiss.serialize_index(index).tobytes()
    packed = json.dumps(state | {"sha256": hashlib.sha256(body).hexdigest()}).encode()
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as out:
            out.write(_MAGIC + struct.pack("<I", len(packed)) + packed + body)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
    except OSError:
        # A cache that cannot be written (a read-only folder, a full disk) costs time at the next start, nothing else.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
