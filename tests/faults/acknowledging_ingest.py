"""An ingest that writes a line to a pipe at every step, and a document's name only after its transaction is over.

Run as ``python acknowledging_ingest.py HOME FOLDER DESCRIPTOR``: everything is the real thing but the embedder, since
durability needs no model.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ingest.sync import synchronise
from rag.settings import Settings
from rag.store import Store
from rag.types import Language, ParsedDocument, StoredFile


class HashEmbedder:
    """A unit vector for each text that only its bytes decide."""

    fingerprint = "hash"
    dimension = 16

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        vector = np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint8)[:16].astype(np.float32) - 127.5
        return vector / np.linalg.norm(vector)

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, side: str = "passage") -> np.ndarray:
        return vectors


class AcknowledgingStore(Store):
    """A store that says which document is safe, once it is."""

    descriptor = -1

    def put_document(self, file: StoredFile, document: ParsedDocument, *rest: Any, **options: Any) -> bool:
        stored = super().put_document(file, document, *rest, **options)
        name = file.relative if document.key is None else f"{file.relative}#{document.key}"
        say(self.descriptor, f"safe {name} {hashlib.sha256(document.text.encode()).hexdigest()}")
        return stored


def say(descriptor: int, line: str) -> None:
    os.write(descriptor, f"{line}\n".encode())


def main(home: Path, folder: Path, descriptor: int) -> None:
    """One run over the folder."""
    with AcknowledgingStore(home) as store:
        store.descriptor = descriptor
        say(descriptor, "begun")
        synchronise(
            Settings(home),
            [folder],
            store=store,
            embedder=HashEmbedder(),
            report=lambda progress: say(descriptor, "step"),
        )
        say(descriptor, "done")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
