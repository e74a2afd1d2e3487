"""How far a run is, and two ways to say so: a bar on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from ingest.width import cut


@dataclass(frozen=True, slots=True)
class Progress:
    """Files done of ``total``, chunks so far, chunks a second, seconds left (None while unknown), the current file."""

    done: int
    total: int
    chunks: int
    rate: float
    left: float | None
    file: str


Reporter = Callable[[Progress], None]


def reporter(stream: TextIO = sys.stderr) -> Reporter:
    """The reporter that suits a stream."""
    return Bar(stream) if stream.isatty() else Lines(stream)


class Bar:
    """One line that is drawn over and over, ten times a second at most."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = 0.0

    def __call__(self, progress: Progress) -> None:
        """Draw the bar; the last state ends the line."""
        finished = progress.done == progress.total and not progress.file
        if finished or time.monotonic() - self._drawn > 0.1:
            self._drawn = time.monotonic()
            filled = 24 * progress.done // max(progress.total, 1)
            line = f"[{'█' * filled}{'░' * (24 - filled)}] {sentence(progress)}"
            ending = "\n" if finished else ""
            self._stream.write(f"\r\x1b[K{cut(line, shutil.get_terminal_size().columns - 1)}{ending}")
            self._stream.flush()


class Lines:
    """A line a minute, for logs."""

    def __init__(self, stream: TextIO, seconds: float = 60.0) -> None:
        self._stream = stream
        self._seconds = seconds
        self._said = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Say how far the run is, if the last time is long enough ago."""
        if time.monotonic() - self._said >= self._seconds:
            self._said = time.monotonic()
            print(sentence(progress), file=self._stream, flush=True)


def sentence(progress: Progress) -> str:
    """The progress in words."""
    left = f", {_duration(progress.left)} left" if progress.left is not None and progress.file else ""
    now = f" · {progress.file}" if progress.file else ""
    return f"{progress.done}/{progress.total} files, {progress.chunks} chunks, {progress.rate:.1f} chunks/s{left}{now}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
