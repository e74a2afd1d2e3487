"""What every way to run a language model has: a LangChain chat model, a token count, and its failures in a sentence."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage


@dataclass(frozen=True, slots=True)
class Until:
    """How long an answer is wanted: to the ``deadline`` (of `time.monotonic`), and while nobody has ``stopped`` it."""

    deadline: float = inf
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def left(self) -> float:
        """Seconds to the deadline."""
        return self.deadline - time.monotonic()

    @property
    def over(self) -> bool:
        """Whether nobody waits any more."""
        return self.stopped.is_set() or self.left <= 0


class Engine(Protocol):
    """One way to run a language model."""

    chat: Any

    def count(self, text: str) -> int:
        """Tokens of a text."""

    def stream(self, messages: Sequence[BaseMessage], until: Until) -> Iterator[Any]:
        """LangChain's message chunks; the last says in ``finish_reason`` why it is the last."""

    def explain(self, error: Exception) -> str:
        """What an error means, as the end of a sentence that the model's name begins."""
