"""Takes a reasoning model's thoughts out of its answer while it streams."""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class Thoughts:
    """Lets an answer through without the thoughts before it, also where a mark is split.

    ``<think>`` opens them only before the answer has begun; behind it the marks are text. Thoughts that never end leave no
    answer. A ``</think>`` that nothing opened takes away what was not shown yet; what was shown stays, mark and all.
    """

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False
        self._begun = False

    def without(self, piece: str) -> str:
        """What of the answer so far can be shown for sure and was not shown before."""
        self._held += piece
        while not self._begun and (found := self._next()):
            before, mark = found
            if mark == _OPEN and before.strip():
                break
            self._held = self._held[len(before) + len(mark) :]
            self._thinking = mark == _OPEN
        kept = 0 if self._begun else self._may_be_a_mark()
        held, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        return "" if self._thinking else self._trimmed(held)

    def rest(self) -> str:
        """What was held back at the end, because a mark might have begun there."""
        held, self._held = self._held, ""
        return "" if self._thinking else self._trimmed(held)

    @property
    def _marks(self) -> tuple[str, ...]:
        return (_CLOSE,) if self._thinking else (_OPEN, _CLOSE)

    def _next(self) -> tuple[str, str] | None:
        """What stands before the next mark, and the mark."""
        places = [(at, mark) for mark in self._marks if (at := self._held.find(mark)) >= 0]
        return (self._held[: min(places)[0]], min(places)[1]) if places else None

    def _may_be_a_mark(self) -> int:
        """How many characters at the end may be the beginning of a mark."""
        return max(_overlap(self._held, mark) for mark in self._marks)

    def _trimmed(self, text: str) -> str:
        """The text; blanks between the thoughts and the answer are no part of it."""
        text = text if self._begun else text.lstrip()
        self._begun = self._begun or bool(text)
        return text


def _overlap(text: str, mark: str) -> int:
    """How many characters at the end of a text may be the beginning of the mark."""
    return next((n for n in range(min(len(mark) - 1, len(text)), 0, -1) if text.endswith(mark[:n])), 0)
