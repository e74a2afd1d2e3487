"""Files are parsed in a child process with bounded memory and time, without keys, that reads ahead of the parent.

The child is ``python -m ingest.sandbox``: a path as a JSON line in, documents as JSON lines out. No pickle: what comes
out of a parser that a document may have subverted is only ever data.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from rag.errors import IngestError
from rag.types import Page, ParsedDocument

MEMORY = 1536 << 20  # bytes above what the child takes when it starts
_AHEAD = 32
_CHARACTERS_AHEAD = 20_000_000
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "PYTHONPATH",
                     "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the child says of a file: a document of it, or (``document`` None) its end, with a ``failure`` or none."""

    path: Path
    document: ParsedDocument | None = None
    failure: str = ""


class Sandbox:
    """A child process that parses one file after the other; started when needed, and again after it died."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        self._deadline: float | None = None
        self._timed_out = False

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def documents(self, path: Path) -> Iterator[ParsedDocument]:
        """The documents of a file as they are read; raises IngestError with the reason where it cannot be."""
        process = self._started()
        assert process.stdin and process.stdout
        try:
            process.stdin.write(json.dumps(os.path.abspath(path)) + "\n")
            process.stdin.flush()
            while True:
                message = self._receive(process.stdout)
                if "document" not in message:
                    break
                yield _document(message["document"])
        except (BrokenPipeError, EOFError):
            self.close()
            raise IngestError(self._obituary(process.returncode)) from None
        if message.get("last"):
            self.close()
        if failure := message.get("failure"):
            raise IngestError(failure)

    def close(self) -> None:
        """End the child."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close() if pipe else None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._timed_out = False
            self._process = subprocess.Popen(
                [sys.executable, "-X", "utf8", "-m", "ingest.sandbox"],
                cwd=Path(__file__).resolve().parents[1],
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is the parent's to handle
            )
            threading.Thread(target=self._watch, args=(self._process,), daemon=True).start()
        return self._process

    def _receive(self, pipe: IO[str]) -> dict[str, Any]:
        self._deadline = time.monotonic() + self._seconds
        line = pipe.readline()
        self._deadline = None
        if not line.endswith("\n"):
            raise EOFError
        message: dict[str, Any] = json.loads(line)
        return message

    def _watch(self, process: subprocess.Popen[str]) -> None:
        """Kill the child when it has owed an answer for too long."""
        while process.poll() is None:
            if (deadline := self._deadline) is not None and time.monotonic() > deadline:
                self._timed_out = True
                process.kill()
                return
            time.sleep(0.1)

    def _obituary(self, code: int | None) -> str:
        if self._timed_out:
            return f"reading it took longer than {self._seconds:g} seconds (ingest.parse_seconds)"
        return f"its reader crashed (exit code {code}): the file is damaged or malicious"


def read_ahead(paths: Sequence[Path], seconds: float) -> Generator[Parsed]:
    """What the child says of each file, in order, while it already reads the next ones; close it to stop early."""
    stop = threading.Event()
    ready: queue.Queue[Parsed | BaseException | None] = queue.Queue()
    sandbox = Sandbox(seconds)
    thread = threading.Thread(target=_produce, args=(paths, sandbox, ready, stop), daemon=True)
    thread.start()
    try:
        while (said := ready.get()) is not None:
            if isinstance(said, BaseException):
                raise said
            yield said
    finally:
        stop.set()
        sandbox.close()
        thread.join(timeout=5)


def _produce(
    paths: Sequence[Path],
    sandbox: Sandbox,
    ready: queue.Queue[Parsed | BaseException | None],
    stop: threading.Event,
) -> None:
    try:
        for path in paths:
            for said in _said(path, sandbox):
                _wait_for_room(ready, stop)
                if stop.is_set():
                    return
                ready.put(said)
    except BaseException as error:  # handed to the thread that waits for it, which raises it
        ready.put(error)
    else:
        ready.put(None)
    finally:
        sandbox.close()


def _said(path: Path, sandbox: Sandbox) -> Iterator[Parsed]:
    try:
        for document in sandbox.documents(path):
            yield Parsed(path, document)
    except IngestError as error:
        yield Parsed(path, failure=str(error))
    else:
        yield Parsed(path)


def _wait_for_room(ready: queue.Queue[Parsed | BaseException | None], stop: threading.Event) -> None:
    while not stop.is_set() and not ready.empty():
        waiting = list(ready.queue)
        documents = [said.document for said in waiting if isinstance(said, Parsed) and said.document]
        characters = sum(len(page.text) for document in documents for page in document.pages)
        if len(waiting) < _AHEAD and characters < _CHARACTERS_AHEAD:
            return
        stop.wait(0.005)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _document(message: dict[str, Any]) -> ParsedDocument:
    pages = tuple(Page(**page) for page in message.pop("pages"))
    return ParsedDocument(pages=pages, warnings=tuple(message.pop("warnings")), **message)


# From here on: the child.


def main() -> None:
    """Answer each path on standard input with its documents, then with its end."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)  # a parser that prints must not be taken for an answer
    _end_with_parent()
    _limit()
    for line in sys.stdin:
        last = _answer(Path(json.loads(line)), answers)
        if last:
            return


def _answer(path: Path, answers: IO[str]) -> bool:
    """Send a file's documents and its end; whether this process should not go on."""
    from ingest.loaders import load
    from ingest.source import Source

    failure, last = "", False
    try:
        for document in load(Source.of(path)):
            _send(answers, {"document": asdict(document)})
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
    _send(answers, {"failure": failure, "last": last})
    return last


def _send(answers: IO[str], message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def _end_with_parent() -> None:
    """Leave when the parent is gone: killed, it can end nobody, and a parser in a loop would run for ever."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _limit() -> None:
    """Bound this process's memory where the system can, and keep it from writing files."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; the time limit holds there too
        return
    import ingest.loaders  # noqa: F401  what is always there belongs to the baseline

    try:
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        taken = 512 << 20
    limits = {"RLIMIT_AS": taken + MEMORY, "RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0}
    for name, most in limits.items():
        with contextlib.suppress(AttributeError, ValueError, OSError):  # macOS knows the name but refuses
            resource.setrlimit(getattr(resource, name), (most, most))


if __name__ == "__main__":
    main()
