"""Files are parsed in a child process with bounded memory and time, without keys (`ingest/child.py` is its other end)."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from ingest.child import MEMORY
from ingest.page_image import MOST_PIXELS, PageImage, PageRequest
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

__all__ = ["MEMORY", "Request", "Sandbox"]
_SIGXCPU = 24
FILE_SECONDS = 3600.0
_PROCESSOR_SHARE = 2 / 3  # of the seconds for a page, as processor time: the rest is for waiting
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "PYTHONPATH",
                     "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """A file to be read, with the encoding and the passwords that the user gave for it."""

    path: Path
    encoding: str = ""
    passwords: tuple[str, ...] = field(default=(), repr=False)


class Sandbox:
    """A child process that parses one file after the other; started when needed, and again after it died.

    ``seconds`` is the time for each page, record or part, ``file_seconds`` that for a whole file. After a file,
    ``read_seconds`` says how long it was read; ``pages`` counts what is done of it so far.
    """

    def __init__(self, seconds: float, file_seconds: float = FILE_SECONDS) -> None:
        self._seconds = seconds
        self._file_seconds = file_seconds
        self._processor_seconds = math.ceil(seconds * _PROCESSOR_SHARE)
        self._process: subprocess.Popen[str] | None = None
        self._deadline: float | None = None
        self._timed_out = ""
        self._spent = 0.0
        self.pages = 0
        self.read_seconds = 0.0

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def documents(self, asked: Path | Request) -> Iterator[ParsedDocument]:
        """The documents of a file as they are read; raises IngestError with the reason where it cannot be."""
        for message in self._messages(Request(asked) if isinstance(asked, Path) else asked):
            if "document" in message:
                yield _document(message["document"])

    def picture(self, path: Path, page: PageRequest) -> PageImage:
        """A page of a file as it looks; raises IngestError with the reason where it cannot be drawn."""
        drawn: dict[str, Any] = {}
        # To its end: what is left unread would answer the next file.
        for message in self._messages(Request(path), page):
            drawn = message.get("drawn", drawn)
        return _picture(drawn)

    def _messages(self, request: Request, page: PageRequest | None = None) -> Iterator[dict[str, Any]]:
        """What the child says of a file until it is done; raises IngestError with the reason where it fails."""
        if self._process and self._process.poll() is not None:
            self.close()  # it died while it had nothing to do: that is no fault of this file
        process = self._started()
        assert process.stdin and process.stdout
        self.pages, self._spent, self.read_seconds = 0, 0.0, 0.0
        try:
            process.stdin.write(self._question(request, page))
            process.stdin.flush()
            while "failure" not in (message := self._receive(process.stdout)):
                self.pages = message.get("pages", self.pages)
                yield message
        except (BrokenPipeError, EOFError):
            self.close()
            self.read_seconds = round(self._spent, 3)
            raise IngestError(self._obituary(process.returncode)) from None
        finally:
            self.pages = 0
        self.read_seconds = message["seconds"]
        if message["last"]:
            self.close()
        if message["failure"]:
            raise IngestError(message["failure"])

    def close(self) -> None:
        """End the child."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close() if pipe else None

    def _question(self, request: Request, page: PageRequest | None) -> str:
        asked = {
            "path": os.path.abspath(request.path),
            "encoding": request.encoding,
            "passwords": request.passwords,
            "seconds": self._processor_seconds,
            **({"page": asdict(page)} if page else {}),
        }
        return json.dumps(asked) + "\n"

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._timed_out = ""
            self._process = subprocess.Popen(
                [sys.executable, "-X", "utf8", "-m", "ingest.child"],
                cwd=Path(__file__).resolve().parents[1],
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                errors="surrogatepass",
                start_new_session=True,  # Ctrl-C is the parent's to handle
            )
            threading.Thread(target=self._watch, args=(self._process,), daemon=True).start()
        return self._process

    def _receive(self, pipe: IO[str]) -> dict[str, Any]:
        began = time.monotonic()
        self._deadline = began + min(self._seconds, self._file_seconds - self._spent)
        try:
            line = pipe.readline()
        finally:
            self._deadline = None
            self._spent += time.monotonic() - began
        if not line.endswith("\n"):
            raise EOFError
        message: dict[str, Any] = json.loads(line)
        return message

    def _watch(self, process: subprocess.Popen[str]) -> None:
        """Kill the child when it has owed an answer for too long."""
        while process.poll() is None:
            if (deadline := self._deadline) is not None and time.monotonic() > deadline:
                whole = self._spent + self._seconds > self._file_seconds
                self._timed_out = (
                    f"longer than {self._file_seconds:g} seconds in all (ingest.file_seconds)"
                    if whole
                    else f"longer than {self._seconds:g} seconds (ingest.parse_seconds)"
                )
                process.kill()
                return
            time.sleep(0.1)

    def _obituary(self, code: int | None) -> str:
        if self._timed_out:
            return f"reading it took {self._timed_out}"
        if code is not None and code == -_SIGXCPU:
            return (
                f"reading it took more than {self._processor_seconds} seconds of processor time for one page or record "
                "(two thirds of ingest.parse_seconds)"
            )
        return f"its reader crashed (exit code {code}): the file is damaged or malicious"


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _document(message: dict[str, Any]) -> ParsedDocument:
    pages = tuple(Page(**page) for page in message.pop("pages"))
    return ParsedDocument(pages=pages, warnings=tuple(message.pop("warnings")), **message)


def _picture(message: dict[str, Any]) -> PageImage:
    """What the child drew; raises IngestError where that is no PNG of a size that it may have."""
    png = base64.b64decode(message["png"])
    width, height = (int.from_bytes(png[at : at + 4]) for at in (16, 20))
    if png[:8] != b"\x89PNG\r\n\x1a\n" or width * height > 2 * MOST_PIXELS:
        raise IngestError("its reader gave no picture: the file is damaged or malicious")
    return PageImage(png, bool(message["found"]), int(message["pages"]), str(message["note"]))
