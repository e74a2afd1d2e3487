"""What happened, as JSON lines in HOME/logs: numbers, ids and kinds; no text of documents or questions unless asked for."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from rag.settings import Settings

_BYTES, _FILES = 1_000_000, 4  # of a program's log, and how many of them
_OWN = ("rag", "ingest", "evaluation", "ui", "app")
_log = logging.getLogger("rag.events")


def begin(settings: Settings, program: str) -> None:
    """Write this program's events to HOME/logs/PROGRAM.jsonl from now on; nowhere where that cannot be written.

    The settings' keys are struck out wherever they turn up.
    """
    folder = settings.home / "logs"
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, _Quiet)]:
        root.removeHandler(old)
        old.close()
    handler = _Quiet(folder / f"{program}.jsonl", maxBytes=_BYTES, backupCount=_FILES - 1, delay=True, encoding="utf-8")
    handler.setFormatter(_Lines(settings.log.text, settings.secrets))
    handler.addFilter(_worth_keeping)
    root.addHandler(handler)
    _log.setLevel(logging.INFO)
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _crashed


def note(event: str, *, text: dict[str, str] | None = None, **facts: float | int | str | bool | None) -> None:
    """Log an event with facts that are no one's words; ``text`` is kept only where the settings ask for it."""
    _log.info(event, extra={"facts": facts, "text": text or {}})


class _Quiet(RotatingFileHandler):
    """A log that is its owner's alone, and that nobody misses where it cannot be written."""

    def _open(self) -> Any:
        Path(self.baseFilename).parent.mkdir(exist_ok=True, mode=0o700)  # not its parents: no home is made by a log
        stream = super()._open()
        with contextlib.suppress(OSError):
            os.chmod(self.baseFilename, 0o600)
        return stream

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Nothing: a full disk is said where it matters."""


class _Lines(logging.Formatter):
    """A record as one line of JSON."""

    def __init__(self, text: bool, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._text = text
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Time (UTC), level, process, event and facts; of an exception its type and the places in the code."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "process": record.process,
            "event": record.msg if _is_own(record) and isinstance(record.msg, str) else record.name,
            **getattr(record, "facts", {}),
        }
        if self._text:
            line["text"] = getattr(record, "text", {}) or record.getMessage()
        if record.exc_info and record.exc_info[0]:
            line |= _failure(record.exc_info[0], record.exc_info[2])
            if self._text:
                line["text"] = str(record.exc_info[1])
        packed = json.dumps(line, ensure_ascii=False, default=str)
        for secret in self._secrets:
            packed = packed.replace(json.dumps(secret, ensure_ascii=False)[1:-1], "•••")
        return packed


def _failure(kind: type[BaseException], where: TracebackType | None) -> dict[str, Any]:
    """The type of an exception and the places that it went through; its message may hold a document's words."""
    places = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(where)]
    return {"failure": kind.__name__, "where": places[-12:]}


def _is_own(record: logging.LogRecord) -> bool:
    return record.name.split(".")[0] in _OWN


def _worth_keeping(record: logging.LogRecord) -> bool:
    return (_is_own(record) and record.levelno >= logging.INFO) or record.levelno >= logging.ERROR


def _crashed(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    """Log an exception that nobody caught, and show it as ever."""
    if not issubclass(kind, KeyboardInterrupt):
        _log.critical("crashed", exc_info=(kind, error, where))
    sys.__excepthook__(kind, error, where)
