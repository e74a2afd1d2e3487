"""One model, many people: whose turn it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rag.errors import LLMError

MOST_WAITING = 20
_LOOK_SECONDS = 0.2


class Turns:
    """A fair queue for the one place at the model: people take turns, and each person's own answers come in order.

    Somebody who asks five things at once waits with the fifth until everybody else had theirs.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._present: tuple[int, int, str] | None = None  # whose turn it is
        self._served: dict[str, int] = {}  # a person's turns since they last found the place free
        self._waiting: list[tuple[int, int, str]] = []  # round, arrival, ticket: least first
        self._arrivals = 0

    @contextmanager
    def place(self, ticket: str, person: str) -> Iterator[Iterator[None]]:
        """The place at the model for a ``ticket``: what is given is to be waited through, an item a look.

        Raises LLMError where more than 20 wait.
        """
        entry = self._join(ticket, person)
        try:
            yield self._wait(entry)
        finally:
            self._leave(entry)

    def ahead(self, ticket: str) -> int:
        """How many answers come before this one's; 0 where it is its turn, or where it does not wait."""
        with self._changed:
            order = [waiting for _, _, waiting in sorted(self._waiting)]
            return order.index(ticket) + (self._present is not None) if ticket in order else 0

    def _join(self, ticket: str, person: str) -> tuple[int, int, str]:
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                raise LLMError(
                    f"{MOST_WAITING} questions are waiting for the model already. Ask again in a few minutes."
                )
            if not self._waiting and self._present is None:
                self._served.clear()
            first = min((place for place, _, _ in self._waiting), default=min(self._served.values(), default=0))
            self._served[person] = round_ = max(self._served.get(person, -1) + 1, first)
            self._arrivals += 1
            entry = (round_, self._arrivals, ticket)
            self._waiting.append(entry)
            return entry

    def _wait(self, entry: tuple[int, int, str]) -> Iterator[None]:
        while True:
            with self._changed:
                if self._present is None and entry == min(self._waiting):
                    self._waiting.remove(entry)
                    self._present = entry
                    return
                self._changed.wait(_LOOK_SECONDS)
            yield

    def _leave(self, entry: tuple[int, int, str]) -> None:
        with self._changed:
            if self._present == entry:
                self._present = None
            elif entry in self._waiting:  # given up before its turn came
                self._waiting.remove(entry)
            self._changed.notify_all()
