"""Work that outlives a rerun."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from rag.errors import LLMError
from ui.jobs import Job


def test_progress_is_seen_while_the_work_goes_on() -> None:
    """What the work reports is there to look at before it has ended."""
    told, go = threading.Event(), threading.Event()

    def work(report: Callable[[int], None], stop: threading.Event) -> None:
        report(7)
        told.set()
        go.wait(10)

    job = Job(work, 0)
    assert told.wait(10)
    assert (job.progress, job.done) == (7, False)
    go.set()
    assert job.wait(10)


def test_work_can_be_stopped() -> None:
    """Work that is asked to stop sees it and ends."""

    def work(report: Callable[[int], None], stop: threading.Event) -> None:
        stop.wait(10)

    job = Job(work, 0)
    job.stop()
    assert job.stopping
    assert job.wait(10)


def test_a_known_failure_is_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    """A RagError ends the work and leaves its sentence; anything else is said to be unexpected and logged."""

    def refused(report: Callable[[int], None], stop: threading.Event) -> None:
        raise LLMError("The model refuses.")

    def broken(report: Callable[[int], None], stop: threading.Event) -> None:
        raise ZeroDivisionError

    known, unknown = Job(refused, 0), Job(broken, 0)
    assert known.wait(10)
    assert unknown.wait(10)
    assert (known.error, known.failed) == ("The model refuses.", False)
    assert (unknown.error, unknown.failed) == ("", True)
    assert "ZeroDivisionError" in caplog.text
