"""Documents being added: an ingest in a job of its own, with its own store and the shared embedder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import IngestError, StoreLockedError
from rag.types import Verdict
from ui.jobs import Job
from ui.resources import SAMPLES
from ui.session import Session

if TYPE_CHECKING:
    from ingest.embedding import LazyEmbedder
    from ingest.progress import Progress
    from ingest.sync import Report
    from rag.store import Store

Tell = Callable[["Adding"], None]
_LOCK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Adding:
    """How far an ingest is, in files, and what became of them once it has ended."""

    done: int = 0
    total: int = 0
    file: str = ""
    verdicts: tuple[Verdict, ...] = ()


def formats() -> list[str]:
    """The suffixes that can be added, without the dot."""
    from ingest.loaders import SUFFIXES

    return [suffix.removeprefix(".") for suffix in SUFFIXES]


def start_samples(session: Session) -> None:
    """Add the sample documents in the background."""

    def run(store: Store, embedder: LazyEmbedder, report: Callable[[Progress], None]) -> Report:
        from ingest.sync import synchronise

        return synchronise(session.services.settings, [SAMPLES], store=store, embedder=embedder, report=report)

    def work(tell: Tell, stop: threading.Event) -> None:
        tell(Adding(verdicts=_run(session, tell, run, stop).verdicts))

    session.services.ingest = Job(work, Adding())


def start_uploads(session: Session, files: Sequence[tuple[str, bytes]]) -> None:
    """Keep these files (name, bytes) and add them in the background."""

    def run(store: Store, embedder: LazyEmbedder, report: Callable[[Progress], None]) -> Report:
        from ingest.sync import ingest_uploads

        return ingest_uploads(session.services.settings, store=store, embedder=embedder, report=report)

    def work(tell: Tell, stop: threading.Event) -> None:
        kept, refused = _keep(session, files)
        found = _run(session, tell, run, stop).verdicts
        # Uploads of earlier days are looked at too; what became of today's is what was asked for.
        asked = tuple(verdict for verdict in found if verdict.file in kept or verdict.state != "unchanged")
        tell(Adding(verdicts=(*refused, *asked)))

    session.services.ingest = Job(work, Adding())


def _keep(session: Session, files: Sequence[tuple[str, bytes]]) -> tuple[set[str], list[Verdict]]:
    """Write uploads to their folder; the names they got there, and a verdict for each that could not be kept."""
    from ingest.uploads import add_upload

    kept: set[str] = set()
    refused: list[Verdict] = []
    for name, data in files:
        try:
            kept.add(add_upload(session.services.settings, name, data).name)
        except IngestError as error:
            refused.append(Verdict(name, "set aside", str(error)))
    return kept, refused


def _run(
    session: Session,
    tell: Tell,
    run: Callable[[Store, LazyEmbedder, Callable[[Progress], None]], Report],
    stop: threading.Event,
) -> Report:
    """Run an ingest as soon as no other one is writing: a command on a terminal, or the same page in another tab."""
    from ingest.embedding import LazyEmbedder

    def report(progress: Progress) -> None:
        tell(Adding(progress.done, progress.total, progress.file))

    with session.store() as store:
        while True:
            try:
                return run(store, LazyEmbedder(session.services.embedder), report)
            except StoreLockedError:
                if stop.wait(_LOCK_SECONDS):
                    raise
