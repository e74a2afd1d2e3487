"""How far a run is, and two ways to say so: a bar on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from rag.terminal import Meter, duration, printable


@dataclass(frozen=True, slots=True)
class Progress:
    """Files done of ``total``, chunks so far, chunks a second, seconds left (None while unknown), the current file.

    ``pages`` are those read so far, of files that are not done, too.
    """

    done: int
    total: int
    chunks: int
    rate: float
    left: float | None
    file: str
    pages: int = 0


Reporter = Callable[[Progress], None]


def reporter(stream: TextIO | None = None) -> Reporter:
    """A reporter on a stream, by default standard error: a bar on a terminal, a line a minute elsewhere."""
    meter = Meter(stream or sys.stderr)

    def report(progress: Progress) -> None:
        finished = progress.done == progress.total and not progress.file
        meter.show(progress.done / max(progress.total, 1), sentence(progress), finished=finished)

    return report


def sentence(progress: Progress) -> str:
    """The progress in words."""
    left = f", {duration(progress.left)} left" if progress.left is not None and progress.file else ""
    now = f" · {printable(progress.file)}" if progress.file else ""
    pages = f"{progress.pages} pages, " if progress.pages else ""
    speed = f"{progress.chunks} chunks, {progress.rate:.1f} chunks/s"
    return f"{progress.done}/{progress.total} files, {pages}{speed}{left}{now}"
