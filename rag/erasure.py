"""Deletes documents and proves it: looks for their words, postings and vectors in the raw files of the store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import StoreError
from rag.logs import note
from rag.raw_search import find_raw
from rag.store import Store, own_folders
from rag.text import tokens

_PIECES = 48  # of all documents together
_LENGTH = 20  # characters of a piece: a sentence's worth, which hardly anybody else writes
_TOKENS = 6


@dataclass(frozen=True, slots=True)
class Erasure:
    """Which documents are gone, what was looked for and where, and the files that still hold words of theirs."""

    names: tuple[str, ...]
    pieces: int
    files: int
    bytes: int
    left: tuple[Path, ...]


def erase(store: Store, names: Sequence[str]) -> Erasure:
    """Delete documents, then look for them in the raw bytes of all that the store keeps.

    A piece that another document holds, too, is no trace; who is no admin is told of their knowledge base's files alone. A
    name of no document is passed over where there are several; raises StoreError where there is only one.
    """
    pieces = _pieces(store, names)
    gone: list[str] = []
    for name in names:
        try:
            gone += store.delete(name)
        except StoreError:
            if len(names) == 1:
                raise
    home = store.home
    files, size, found = find_raw([home / "workspace", home / "reports", home / "logs"], pieces)
    elsewhere = {number for hits in found.values() for number in hits if store.holds(pieces[number])}
    left = sorted(path.relative_to(home) for path, hits in found.items() if hits - elsewhere and _may_know(store, path))
    note(
        "deleted", text={"names": ", ".join(gone)}, documents=len(gone), pieces=len(pieces), files=files, left=len(left)
    )
    return Erasure(tuple(gone), len(pieces), files, size, tuple(left))


def _may_know(store: Store, path: Path) -> bool:
    """Whether whoever deletes may know that a file holds words: what is not of their knowledge base is an admin's matter.

    Otherwise a guess, stored and deleted, would tell whether somebody else's file or conversation holds it.
    """
    return store.user.admin or any(folder in path.parents for folder in own_folders(store.home, store.kb))


def _pieces(store: Store, names: Collection[str]) -> list[bytes]:
    """Pieces of the documents as they lie in the files: text, tokens joined by blanks, vectors."""
    each = max(1, _PIECES // max(len(names), 1) // 3)
    pieces: list[bytes] = []
    for name in names:
        if store.unknown_names([name]):
            continue
        chunks = store.chunks(name)
        chunks = chunks[:: max(1, len(chunks) // each)][:each]
        vectors = store.vector_table([chunk.id for chunk in chunks]).vectors
        for chunk in chunks:
            middle = max(0, (len(chunk.text) - _LENGTH) // 2)
            pieces.append(chunk.text[middle : middle + _LENGTH].encode())
            pieces.append(" ".join(tokens(chunk.indexed_text)[-_TOKENS:]).encode())
        pieces += [vector.tobytes() for vector in vectors]
    return list(dict.fromkeys(piece for piece in pieces if piece))
