"""Scratch knowledge bases: a corpus is ingested once and kept for as long as nothing that shapes it changes.

One home for each corpus and embedder, one knowledge base in it for each way to cut it into chunks: a changed splitter
makes a new one, which finds the vectors of all texts that stayed the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import RagError
from rag.settings import Settings, cache

if TYPE_CHECKING:
    from ingest.progress import Progress
    from ingest.sync import Report

_PROJECT = Path(__file__).resolve().parent.parent
# Code that decides what the chunks and their vectors are; a measurement must not be made on those of an older version.
_SHAPING = (
    "ingest/**/*.py",
    "rag/text.py",
    "rag/store.py",
    "rag/database.py",
    "rag/embedder.py",
    "rag/bert.py",
    "rag/windows.py",
    "rag/e5.py",
)


def scratch_settings(settings: Settings, corpus: Path) -> Settings:
    """The same settings with the home of the corpus's scratch knowledge base; raises RagError without a corpus."""
    if not corpus.exists():
        raise RagError(f"The corpus {corpus} does not exist. Name a file or folder to ingest.")
    place = corpus.resolve()
    home = f"{place.parent.name}-{place.stem}-{_hash(str(place), asdict(settings.embedding))}"
    return replace(settings, home=cache() / "evaluation" / home, kb=_hash(asdict(settings.ingest), _code()))


def expected_names(corpus: Path) -> list[str] | None:
    """What the documents of a corpus will be called once they are ingested; None where only reading them would tell.

    Raises RagError where there is no corpus.
    """
    from ingest.discovery import discover, root_of

    if not corpus.exists():
        raise RagError(f"The corpus {corpus} does not exist. Name a file or folder to ingest.")
    names: list[str] = []
    for file in discover(root_of(corpus), corpus / "workspace"):
        if file.path.suffix.lower() == ".eml":  # its attachments are documents, too
            return None
        names.append(file.relative)
        if file.path.suffix.lower() == ".jsonl":
            names += [f"{file.relative}#{identity}" for identity in _record_ids(file.path)]
    return names


def _record_ids(path: Path) -> Iterator[str]:
    for line in path.read_bytes().split(b"\n"):
        try:
            record = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError):
            continue  # ingest says what is wrong with it
        if isinstance(record, dict) and "id" in record:
            yield str(record["id"]).strip()


def ingest_corpus(settings: Settings, corpus: Path, report: Callable[[Progress], None]) -> Report:
    """Make the scratch knowledge base equal to the corpus; a second time that costs a look at the files."""
    from ingest.embedding import LazyEmbedder
    from ingest.sync import synchronise
    from rag.embedder import load_embedder
    from rag.store import Store

    with Store(settings.home, settings.kb) as store:
        embedder = LazyEmbedder(lambda: load_embedder(settings.embedding))
        done = synchronise(settings, [corpus], store=store, embedder=embedder, report=report)
    if done.interrupted:
        raise KeyboardInterrupt
    return done


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _code() -> str:
    digest = hashlib.sha256()
    for pattern in _SHAPING:
        for path in sorted(_PROJECT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()
