"""The child in which files are parsed: ``python -m ingest.child``, started by the sandbox, without keys, and limited.

A file as a JSON line in; signs of life, documents and an end as JSON lines out. No pickle: what comes out of a parser that
a document may have subverted is only ever data.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from ingest.source import Source
from rag.errors import IngestError
from rag.types import ParsedDocument

MEMORY = 1536 << 20  # bytes above what the child takes when it starts
_NICE = 5  # the embedder goes first; much more, and a page's time would run out while its reader waits for a processor
_TICK_SECONDS = 0.25  # a sign of life is not sent more often


def main() -> None:
    """Answer each file on standard input with its documents, then with its end."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="surrogatepass", newline="\n")
    os.dup2(2, 1)  # a parser that prints must not be taken for an answer
    _end_with_parent()
    _limit()
    for line in sys.stdin:
        last = _Answer(answers, json.loads(line)).give()
        if last:
            return


class _Answer:
    """What is said of one file, and how long it has been read."""

    def __init__(self, answers: IO[str], asked: dict[str, Any]) -> None:
        self._answers = answers
        path = Path(asked["path"])
        passwords = tuple(asked["passwords"])
        self._page: dict[str, Any] | None = asked.get("page")
        self._source = replace(Source.of(path), encoding=asked["encoding"], passwords=passwords, tick=self._tick)
        self._processor_seconds: float = asked["seconds"]
        self._pages = 0
        self._told = self._began = time.monotonic()
        self._blocked = 0.0

    def give(self) -> bool:
        """Send a file's documents and its end; whether this process should not go on."""
        failure, last = "", False
        _limit_processor(self._processor_seconds)
        try:
            if self._page is not None:
                self._draw(self._page)
            else:
                for document in self._documents():
                    self._send({"document": asdict(document)})
                    _limit_processor(self._processor_seconds)
        except IngestError as error:
            failure = str(error)
        except MemoryError:
            failure, last = f"reading it takes more than {MEMORY >> 20} MB of memory", True
        except RecursionError:
            failure = "its parts are nested too deeply"
        except OSError as error:
            failure = f"it cannot be read ({error.strerror or error})"
        except Exception as error:  # the parsers are many and raise anything; the verdict names what it was
            failure = f"it cannot be read ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
        seconds = time.monotonic() - self._began - self._blocked
        self._send({"failure": failure, "last": last, "seconds": round(seconds, 3)})
        return last

    def _documents(self) -> Iterator[ParsedDocument]:
        from ingest.loaders import load

        return load(self._source)

    def _draw(self, page: dict[str, Any]) -> None:
        from ingest.page_image import PageRequest, draw

        drawn = draw(self._source, PageRequest(**page))
        self._send({"drawn": {**asdict(drawn), "png": base64.b64encode(drawn.png).decode("ascii")}})

    def _tick(self) -> None:
        """A page or a part is done: the next one has its time anew."""
        self._pages += 1
        if time.monotonic() - self._told >= _TICK_SECONDS:
            self._send({"pages": self._pages})
            _limit_processor(self._processor_seconds)

    def _send(self, message: dict[str, Any]) -> None:
        began = time.monotonic()
        self._answers.write(json.dumps(message, ensure_ascii=False) + "\n")
        self._answers.flush()
        self._told = time.monotonic()
        self._blocked += self._told - began


def _end_with_parent() -> None:
    """Leave when the parent is gone: killed, it can end nobody, and a parser in a loop would run for ever."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _limit() -> None:
    """Let others go first, bound this process's memory where the system can, and keep it from writing files."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; the time limit holds there too
        return
    import ingest.loaders  # noqa: F401  what is always there belongs to the baseline

    os.nice(_NICE)
    try:
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        taken = 512 << 20
    limits = {"RLIMIT_AS": taken + MEMORY, "RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0}
    for name, most in limits.items():
        with contextlib.suppress(AttributeError, ValueError, OSError):  # macOS knows the name but refuses
            resource.setrlimit(getattr(resource, name), (most, most))


def _limit_processor(seconds: float) -> None:
    """From now on this process may use so many seconds of processor time; then the system ends it (SIGXCPU)."""
    try:
        import resource
    except ImportError:
        return
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = math.ceil(time.process_time() + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if most == resource.RLIM_INFINITY else min(soft, most), most))


if __name__ == "__main__":
    main()
