"""Work that outlives a rerun of the page: an answer being written, documents being added, models being fetched."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from rag.errors import RagError

P = TypeVar("P")
_log = logging.getLogger(__name__)

Work = Callable[[Callable[[P], None], threading.Event], None]  # work(report, stop)


class Job(Generic[P]):
    """One piece of work in a thread of its own; the page looks at it and never waits for it.

    ``progress`` is what the work last reported, ``error`` the sentence of the RagError that ended it, ``failed`` True
    when something unexpected did.
    """

    def __init__(self, work: Work[P], progress: P) -> None:
        self.progress = progress
        self.error = ""
        self.failed = False
        self.started = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether the work has ended, well or not."""
        return not self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop; it ends at the next point where it looks."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask it to stop."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end; False when it hasn't come within these seconds."""
        self._thread.join(seconds)
        return self.done

    def _run(self, work: Work[P]) -> None:
        try:
            work(self._report, self._stop)
        except RagError as error:
            self.error = str(error)
        except Exception:
            # The thread's edge: without this the page would show a job that ended for no reason.
            _log.exception("A job of the page failed")
            self.failed = True

    def _report(self, progress: P) -> None:
        self.progress = progress
