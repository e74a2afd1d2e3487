"""Documents put into a store without files: one chunk for each text given."""

from __future__ import annotations

import hashlib
from itertools import accumulate
from typing import Any

from rag.store import Store
from rag.types import Chunk, Page, ParsedDocument, Passage, StoredFile

ROOT = "/documents"


def file(relative: str, *, root: str = ROOT, content: str = "", state: Any = "indexed", chunks: int = 0) -> StoredFile:
    """A file's row; its bytes are the content's, or its path's where there is none."""
    sha = hashlib.sha256((content or f"{root}/{relative}").encode()).hexdigest()
    return StoredFile(root, relative, sha, len(content), state, chunks=chunks)


def chunks_of(name: str, texts: tuple[str, ...], heading: str = "") -> list[Chunk]:
    """One chunk for each text, at its place in the texts joined by a line end."""
    starts = [0, *accumulate(len(text) + 1 for text in texts)]
    return [Chunk(0, name, i, heading, None, t, starts[i], starts[i] + len(t)) for i, t in enumerate(texts)]


def put(
    store: Store, embedder: Any, relative: str, *texts: str,
    root: str = ROOT, heading: str = "", key: str | None = None, content: str = "",
) -> StoredFile:  # fmt: skip
    """Store a document of these texts and return its file."""
    chunks = chunks_of(relative, texts, heading)
    document = ParsedDocument(heading or relative, (Page(None, "\n".join(texts)),), key=key)
    row = file(relative, root=root, content=content, chunks=len(chunks))
    vectors = embedder.embed_passages([chunk.indexed_text for chunk in chunks])
    store.put_document(row, document, chunks, vectors, embedder.fingerprint)
    return row


def passage(
    text: str, document: str = "a.md", *, identity: int = 1, heading: str = "", start: int = 0, page: int | None = None,
    score: float = 0.8, ordinal: int = 0,
) -> Passage:  # fmt: skip
    """A passage that was found, without a store."""
    return Passage(Chunk(identity, document, ordinal, heading, page, text, start, start + len(text)), score, 1, 1)
