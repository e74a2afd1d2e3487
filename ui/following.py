"""Folders that are followed while they change: a process a knowledge base, for as long as the app runs."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rag.store import UPLOADS, Store

if TYPE_CHECKING:
    from ui.resources import Services

_KEPT = 20  # lines of what was seen
_PATIENCE = 3.0  # seconds for a process to end


class Follower:
    """A process that keeps a knowledge base equal to its watched folders; it ends when it is told to, or this one does."""

    def __init__(self, command: tuple[str, ...], task: dict[str, object], folder: Path) -> None:
        self.lines: deque[str] = deque(maxlen=_KEPT)
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=folder
        )
        assert self._child.stdin is not None
        with suppress(BrokenPipeError):  # it ended at once
            self._child.stdin.write(json.dumps(task) + "\n")
            self._child.stdin.flush()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether it still follows."""
        return self._child.poll() is None

    def stop(self) -> None:
        """End it, between two documents; one that takes long is not waited for."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_PATIENCE)

    def _listen(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            told = json.loads(line)
            if text := told.get("line") or told.get("error"):
                self.lines.append(str(text))
        self._child.wait()


def follow(services: Services, kb: str) -> None:
    """Follow the folders of a knowledge base that are to be watched, and no others any more."""
    if earlier := services.followers.pop(kb, None):
        earlier.stop()
    with Store(services.settings.home, kb) as store:
        roots = [root.path for root in store.root_states() if root.watched and root.path != UPLOADS]
    present = [root for root in roots if os.path.lexists(root)]
    if present:
        services.followers[kb] = Follower(
            services.ingest_command, services.task(kb, present, watch=True), services.folder
        )


def resume(services: Services) -> None:
    """Follow again what was followed when the app last ran."""
    with Store(services.settings.home, services.settings.kb) as store:
        kbs = store.kbs()
    for kb in kbs:
        follow(services, kb)
