"""``python -m ingest.worker``: a run in a process of its own, told what to do and telling how far it is in JSON lines.

The first line of standard input is the task. The run ends, between two documents, when standard input does: that is how
it is stopped, and what happens when whoever started it is gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from rag.errors import RagError, StoreLockedError

if TYPE_CHECKING:
    from ingest.discovery import Root
    from ingest.sync import Report
    from rag.settings import Settings

Tell = Callable[[str, Any], None]  # tell(kind, what)
_LOCK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Task:
    """What to do in which knowledge base: ``roots`` are paths, addresses of pages, or ``uploads``.

    ``passwords`` are pairs of a file's name and a password. With ``watch`` the folders are followed until the end.
    """

    home: str
    kb: str
    roots: tuple[str, ...]
    passwords: tuple[tuple[str, str], ...] = ()
    watch: bool = False


def main(lines: TextIO | None = None) -> int:
    """Do the task; 0 where there is a report, 1 where a sentence says why there is none."""
    given = lines or sys.stdin
    entry = json.loads(given.readline())
    roots, passwords = tuple(entry["roots"]), tuple((name, word) for name, word in entry["passwords"])
    task = Task(**{**entry, "roots": roots, "passwords": passwords})
    over = threading.Event()
    threading.Thread(target=_end_with, args=(given, over), daemon=True).start()
    with _telling() as tell:
        try:
            _watch(task, tell) if task.watch else _once(task, tell)
        except RagError as error:
            tell("error", str(error))
            return 1
        except KeyboardInterrupt:
            tell("report", {"verdicts": [], "interrupted": True})
        finally:
            over.set()
    return 0


def _end_with(lines: TextIO, over: threading.Event) -> None:
    """Interrupt the run where nobody is there any more to hear of it, or wants it to stop."""
    lines.read()
    if over.is_set():
        return
    if os.name == "nt":
        import _thread

        _thread.interrupt_main()
    else:
        os.kill(os.getpid(), signal.SIGINT)


@contextmanager
def _telling() -> Iterator[Tell]:
    """What writes a JSON line to standard output; whatever else is written there, by a library say, goes to the errors."""
    sys.stdout.flush()
    place = sys.stdout.fileno()
    kept = os.dup(place)
    os.dup2(sys.stderr.fileno(), place)
    with os.fdopen(os.dup(kept), "w", encoding="utf-8") as lines:

        def tell(kind: str, what: Any) -> None:
            lines.write(json.dumps({kind: what}) + "\n")
            lines.flush()

        try:
            yield tell
        finally:
            sys.stdout.flush()
            os.dup2(kept, place)
            os.close(kept)


def _once(task: Task, tell: Tell) -> None:
    settings = _settings(task)
    report = _when_free(lambda: _synchronise(settings, task, _roots(settings, task), tell), tell)
    tell("report", {"verdicts": [asdict(verdict) for verdict in report.verdicts], "interrupted": report.interrupted})


def _watch(task: Task, tell: Tell) -> None:
    from ingest.sync import Report
    from ingest.watch import watch

    settings = _settings(task)
    own = (settings.home / "workspace").resolve()
    roots = _roots(settings, task)
    watch(
        roots, own, lambda due: _synchronise(settings, task, due, tell), lambda text: tell("line", text), Report((), {})
    )


def _when_free(run: Callable[[], Report], tell: Tell) -> Report:
    """The run as soon as no other one is writing; meanwhile it is told who is."""
    while True:
        try:
            return run()
        except StoreLockedError as locked:
            tell("waiting", str(locked))
            time.sleep(_LOCK_SECONDS)


def _settings(task: Task) -> Settings:
    from rag.logs import begin
    from rag.settings import load_settings

    settings = load_settings(task.home, task.kb)
    begin(settings, "ingest")
    return settings


def _roots(settings: Settings, task: Task) -> list[Root]:
    """Folders, files and pages as roots; a page that cannot be fetched is an error."""
    from ingest.discovery import root_of
    from ingest.uploads import uploads_root
    from ingest.web import fetch_pages
    from rag.errors import IngestError
    from rag.store import UPLOADS

    addresses = [root for root in task.roots if "://" in root]
    pages = fetch_pages(settings, addresses)
    if pages.failures:
        raise IngestError("; ".join(f"{verdict.file}: {verdict.reason}" for verdict in pages.failures))
    uploads = [uploads_root(settings)] if UPLOADS in task.roots else []
    for root in uploads:
        root.path.mkdir(parents=True, exist_ok=True)
    return [*uploads, *pages.roots, *(root_of(Path(r)) for r in task.roots if r not in (UPLOADS, *addresses))]


def _synchronise(settings: Settings, task: Task, roots: Sequence[Root], tell: Tell) -> Report:
    from ingest.embedding import LazyEmbedder
    from ingest.passwords import Passwords
    from ingest.sync import synchronise
    from rag.embedder import load_embedder
    from rag.store import Store

    embedder = LazyEmbedder(lambda: load_embedder(settings.embedding))
    with Store(settings.home, settings.kb) as store:
        return synchronise(
            settings, roots, store=store, embedder=embedder, passwords=Passwords(task.passwords),
            report=lambda progress: tell("progress", asdict(progress)),
        )  # fmt: skip


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where whoever started this ignores it
    sys.exit(main())
