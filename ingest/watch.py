"""Keeps a knowledge base equal to its folders while they change.

The system tells of changes (inotify and its like) or, where it cannot, each folder is looked through every few seconds.
A run begins once all that was touched stands still, so a file that is being written is not read half and a burst of
changes is one run.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.discovery import Root, Stamp, stamp, wanted
from ingest.ignore import NAME
from ingest.sync import Report
from rag.errors import RagError, StoreLockedError
from rag.mounts import network_drive
from rag.terminal import printable
from rag.types import Verdict

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

STILL = 1.0  # seconds without a change that end a burst
_LONGEST = 300.0  # what never stands still is taken as it is after so many seconds
_POLL = 3.0
_LOOK = 1.0
_AGAIN = {StoreLockedError: 2.0, RagError: 30.0}  # seconds after which a run that failed is tried again
_TOLD = frozenset({"created", "modified", "moved", "deleted", "closed", "attrib"})  # not that somebody reads
_EXHAUSTED = frozenset({errno.ENOSPC, errno.EMFILE, errno.ENFILE})

Run = Callable[[Sequence[Root]], Report]
Say = Callable[[str], None]


def watch(roots: Sequence[Root], own: Path, run: Run, say: Say, known: Report) -> bool:
    """Call ``run`` with the roots that changed, until Ctrl-C; whether that came in the middle of a run.

    Changes in ``own`` are the program's, what ``known`` says is not said again. A root that vanishes is waited for, a run
    that fails is tried again.
    """
    watcher = _Watcher(roots, own, run, say, known)
    try:
        watcher.follow()
    except KeyboardInterrupt:
        return False
    finally:
        watcher.close()
    return True


@dataclass(slots=True)
class _Place:
    """A root under observation; ``identity`` tells the folder from another one of its name, None while it is gone."""

    root: Root
    folder: Path
    mounted: bool
    identity: tuple[int, int] | None = None
    gone: bool = False
    observer: Any = None
    touched: set[Path] = field(default_factory=set)
    due: bool = False
    not_before: float = 0.0
    complaint: str = ""

    @classmethod
    def of(cls, root: Root) -> _Place:
        """A root; of a file the folder around it is observed, since editors put a new file in its place."""
        return cls(root, root.path.parent if root.path.is_file() else root.path, os.path.ismount(root.path))

    @property
    def is_observed(self) -> bool:
        """Whether somebody still looks: an observer ends by itself where it finds nothing to look at."""
        return self.observer is not None and all(emitter.is_alive() for emitter in self.observer.emitters)

    @property
    def identity_now(self) -> tuple[int, int] | None:
        """Which folder lies there now; None where none does, or only the place for a drive to come back to."""
        try:
            if self.mounted and not os.path.ismount(self.root.path):
                return None
            self.root.path.stat()
            status = self.folder.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino


class _Watcher:
    def __init__(self, roots: Sequence[Root], own: Path, run: Run, say: Say, known: Report) -> None:
        self._own = own
        self._run = run
        self._write = say
        self._places = [_Place.of(root) for root in roots]
        self._said = {verdict.file: _told(verdict) for verdict in known.verdicts}
        self._stirred = threading.Event()
        self._lock = threading.Lock()

    def follow(self) -> None:
        """Run after run; returns where one was interrupted."""
        for place in self._places:
            self._look_after(place)
        names = ", ".join(str(place.root.path) for place in self._places)
        self._say(f"watching {names}; Ctrl-C ends it" if names else "there is no folder or file to watch")
        while self._places:
            for place in self._places:
                self._look_after(place)
            due = [place for place in self._places if self._is_due(place)]
            if not due:
                self._stirred.wait(_LOOK)
                self._stirred.clear()
                continue
            self._wait_until_still(due)
            if self._bring_level(due):
                return

    def close(self) -> None:
        """End the observation."""
        for place in self._places:
            _stop(place)

    def _say(self, text: str) -> None:
        self._write(f"{time.strftime('%H:%M:%S')} {text}")

    # What there is to observe

    def _look_after(self, place: _Place) -> None:
        """Observe a root that is new or has come back, and let go of one that has gone."""
        identity = place.identity_now
        if identity == place.identity and (place.gone if identity is None else place.is_observed):
            return
        _stop(place)
        if identity is not None and not self._observe(place):
            identity = None  # it went while it was looked at
        place.identity = identity
        if identity is None and not place.gone:
            self._say(f"{place.root.path} is not there: nothing of it is removed; waiting until it is back")
        elif identity is not None and place.gone:
            self._say(f"{place.root.path} is back")
        place.gone = identity is None
        place.due, place.not_before = True, 0.0  # due at first, too: the first run is over

    def _observe(self, place: _Place) -> bool:
        """Have changes told; whether that was possible."""
        from watchdog.observers import Observer
        from watchdog.observers.polling import PollingObserverVFS

        reason = _network(place.folder)
        try:
            if not reason:
                try:
                    place.observer = self._started(Observer(), place)
                except OSError as error:
                    if error.errno not in _EXHAUSTED:
                        raise
                    reason = f"the system has no more watches to give ({error.strerror})"
            if reason:  # lstat: a link is no folder to look through
                place.observer = self._started(PollingObserverVFS(os.lstat, os.scandir, polling_interval=_POLL), place)
                self._say(f"{place.root.path}: {reason}, so it is looked through every {_POLL:g} s")
        except OSError:
            return False
        return True

    def _started(self, observer: Any, place: _Place) -> Any:
        from watchdog.events import FileSystemEventHandler

        handler = FileSystemEventHandler()
        handler.on_any_event = lambda event: self._note(place, event)  # type: ignore[method-assign]
        observer.schedule(handler, str(place.folder), recursive=place.folder == place.root.path)
        observer.start()
        return observer

    def _note(self, place: _Place, event: FileSystemEvent) -> None:
        """Called by the observer's thread for everything that happens."""
        if event.event_type not in _TOLD or (event.is_directory and event.event_type in ("modified", "attrib")):
            return
        for text in (event.src_path, event.dest_path):
            path = Path(os.fsdecode(text))
            if text and self._concerns(place, path):
                with self._lock:
                    place.touched.add(path)
                self._stirred.set()

    def _concerns(self, place: _Place, path: Path) -> bool:
        """Whether a path could be one of a root's documents."""
        if path == place.root.path:
            return True
        if self._own in (path, *path.parents) or place.root.path not in path.parents:
            return False
        parts = path.relative_to(place.root.path).parts
        return all(map(wanted, parts[:-1])) and (wanted(parts[-1]) or parts[-1] == NAME)

    # Runs

    def _is_due(self, place: _Place) -> bool:
        return (
            place.identity is not None and (place.due or bool(place.touched)) and time.monotonic() >= place.not_before
        )

    def _wait_until_still(self, due: Sequence[_Place]) -> None:
        """Until nothing new is touched and sizes and times have stayed the same for a moment."""
        deadline = time.monotonic() + _LONGEST
        before = None
        while time.monotonic() < deadline and (now := self._stamps(due)) != before:
            before = now
            time.sleep(STILL)

    def _stamps(self, due: Sequence[_Place]) -> dict[Path, Stamp | None]:
        with self._lock:
            paths = [path for place in due for path in place.touched]
        return {path: stamp(path) for path in paths}

    def _bring_level(self, due: Sequence[_Place]) -> bool:
        """Run over the roots that changed; whether that was interrupted."""
        due = [place for place in due if place.identity_now == place.identity]
        with self._lock:
            for place in due:
                place.touched.clear()
                place.due = False
        if not due:
            return False
        try:
            report = self._run([place.root for place in due])
        except RagError as error:
            self._try_again(due, error)
            return False
        for place in due:
            place.complaint = ""
        self._tell(report)
        return report.interrupted

    def _try_again(self, due: Sequence[_Place], error: RagError) -> None:
        pause = next(seconds for kind, seconds in _AGAIN.items() if isinstance(error, kind))
        if any(place.complaint != str(error) for place in due):
            self._say(str(error))
        for place in due:
            place.due, place.complaint, place.not_before = True, str(error), time.monotonic() + pause

    def _tell(self, report: Report) -> None:
        """A line for each file that is not as it was said to be."""
        for verdict in report.verdicts:
            # What was set aside is looked at in every run; only what is new of it is said.
            old_news = verdict.state == "set aside" and _told(verdict) == self._said.get(verdict.file)
            if verdict.state != "unchanged" and not old_news:
                self._say(_line(verdict))
            self._said[verdict.file] = _told(verdict)


def _told(verdict: Verdict) -> tuple[str, str, tuple[str, ...]]:
    """What a verdict says, whatever the reading took."""
    return verdict.state, verdict.reason, verdict.warnings


def _line(verdict: Verdict) -> str:
    chunks = f" ({verdict.chunks} chunks)" if verdict.state == "indexed" and not verdict.reason else ""
    return printable(f"{verdict.state:<9} {verdict.file}{chunks}{': ' if verdict.reason else ''}{verdict.reason}")


def _stop(place: _Place) -> None:
    observer, place.observer = place.observer, None
    if observer is not None and observer.is_alive():
        observer.stop()
        observer.join(timeout=5)


def _network(folder: Path) -> str:
    """That a folder lies on a drive whose changes by others go untold; empty where they are told."""
    kind = network_drive(folder)
    return f"it lies on a network drive ({kind})" if kind else ""
