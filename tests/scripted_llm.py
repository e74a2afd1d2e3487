"""A language model that answers what it was told to, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rag.errors import RagError


class ScriptedLLM:
    """Yields the given pieces; ``asked`` lists the prompts, ``closed`` tells whether the last stream has ended."""

    remote = False
    name = "scripted"

    def __init__(self, *pieces: str, room: int = 100_000, error: RagError | None = None) -> None:
        self.pieces, self.room, self.error = pieces, room, error
        self.asked: list[list[Any]] = []
        self.closed = False

    @property
    def prompt(self) -> str:
        """The text of the last prompt, all its messages."""
        return "\n".join(str(message.content) for message in self.asked[-1])

    def count(self, text: str) -> int:
        """One token a character."""
        return len(text)

    def stream(self, messages: Sequence[Any]) -> Iterator[str]:
        """The pieces, then the error if there is one."""
        self.asked.append(list(messages))
        self.closed = False
        try:
            yield from self.pieces
            if self.error:
                raise self.error
        finally:
            self.closed = True
