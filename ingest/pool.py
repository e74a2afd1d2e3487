"""Several sandboxes at work: files are handed out to them, and what they read waits, bounded, to be taken."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.sandbox import Request, Sandbox
from rag.errors import IngestError
from rag.settings import IngestSettings
from rag.types import ParsedDocument

_MOST_CHILDREN = 4
_AHEAD = 64  # messages, and
_CHARACTERS_AHEAD = 20_000_000  # characters of documents that may wait


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was read of a file: a document of it, or (``document`` None) its end, with a ``failure`` or none.

    ``seconds`` is, at the end, how long it was read.
    """

    path: Path
    document: ParsedDocument | None = None
    failure: str = ""
    seconds: float = 0.0

    @property
    def characters(self) -> int:
        """How much text waits in it."""
        return sum(len(page.text) for page in self.document.pages) if self.document else 0


class Pool:
    """Reads files in several children at once; a file's documents come in order, files in any.

    One child takes the largest files first, so that the slowest is not begun last; the others take the smallest, so that
    there is something to embed at once and a long file holds up no other.
    """

    def __init__(self, requests: Sequence[Request], settings: IngestSettings, children: int | None = None) -> None:
        count = min(children or default_children(), max(len(requests), 1))
        self._todo = deque(sorted(requests, key=lambda request: (_size(request.path), request.path)))
        self._sandboxes = [Sandbox(settings.parse_seconds, settings.file_seconds) for _ in range(count)]
        self._ready: queue.SimpleQueue[Parsed | BaseException | None] = queue.SimpleQueue()
        self._room = threading.Condition()
        self._waiting = self._characters = 0
        self._stopped = False
        self._at_work = count
        self._threads = [
            threading.Thread(target=self._work, args=(sandbox, place == 0 and count > 1), daemon=True)
            for place, sandbox in enumerate(self._sandboxes)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, seconds: float | None = None) -> Parsed | None:
        """The next thing read, or None where there is nothing within the time or any more."""
        if not self._at_work:
            return None
        try:
            said = self._ready.get(timeout=seconds)
        except queue.Empty:
            return None
        if said is None:
            self._at_work -= 1
            return self.take(seconds)
        if isinstance(said, BaseException):
            raise said
        with self._room:
            self._waiting -= 1
            self._characters -= said.characters
            self._room.notify_all()
        return said

    @property
    def exhausted(self) -> bool:
        """Whether everything was read and taken."""
        return not self._at_work

    @property
    def pages(self) -> int:
        """Pages done of the files that are being read now."""
        return sum(sandbox.pages for sandbox in self._sandboxes)

    @property
    def waiting_characters(self) -> int:
        """How much text was read and not taken yet."""
        return self._characters

    def close(self) -> None:
        """End the children; what was not taken is forgotten."""
        with self._room:
            self._stopped = True
            self._room.notify_all()
        for sandbox in self._sandboxes:
            sandbox.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _work(self, sandbox: Sandbox, largest_first: bool) -> None:
        try:
            while not self._stopped:
                try:
                    request = self._todo.pop() if largest_first else self._todo.popleft()
                except IndexError:
                    break
                for said in _said(request, sandbox):
                    if not self._put(said):
                        return
        except BaseException as error:  # handed to the thread that waits for it, which raises it
            self._ready.put(error)
        finally:
            sandbox.close()
            self._ready.put(None)

    def _put(self, said: Parsed) -> bool:
        """Let it wait to be taken as soon as there is room; false once nobody will."""
        with self._room:
            self._room.wait_for(lambda: self._stopped or self._has_room())
            self._waiting += 1
            self._characters += said.characters
        if not self._stopped:
            self._ready.put(said)
        return not self._stopped

    def _has_room(self) -> bool:
        return not self._waiting or (self._waiting < _AHEAD and self._characters < _CHARACTERS_AHEAD)


def default_children() -> int:
    """How many children read at once: as many as there are processors, at most four."""
    return max(1, min(os.cpu_count() or 1, _MOST_CHILDREN))


def read_all(paths: Sequence[Path], settings: IngestSettings, children: int | None = None) -> Iterator[Parsed]:
    """Everything that is read of files."""
    with Pool([Request(path) for path in paths], settings, children) as pool:
        while not pool.exhausted:
            if said := pool.take():
                yield said


def _said(request: Request, sandbox: Sandbox) -> Iterator[Parsed]:
    try:
        for document in sandbox.documents(request):
            yield Parsed(request.path, document)
    except IngestError as error:
        yield Parsed(request.path, failure=str(error), seconds=sandbox.read_seconds)
    else:
        yield Parsed(request.path, seconds=sandbox.read_seconds)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
