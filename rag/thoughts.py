"""Takes a reasoning model's thoughts out of its answer while it streams."""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class Thoughts:
    """Lets an answer through without its ``<think>…</think>`` blocks, also where a mark is split or a block never ends."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False
        self._begun = False

    def without(self, piece: str) -> str:
        """What of the answer so far can be shown for sure and was not shown before."""
        self._held += piece
        shown = ""
        while (at := self._held.find(mark := self._mark)) >= 0:
            if not self._thinking:
                shown += self._held[:at]
            self._held = self._held[at + len(mark) :]
            self._thinking = not self._thinking
        kept = _overlap(self._held, mark)
        if not self._thinking:
            shown += self._held[: len(self._held) - kept]
        self._held = self._held[len(self._held) - kept :]
        return self._trimmed(shown)

    def rest(self) -> str:
        """What was held back at the end, because a mark might have begun there."""
        held, self._held = self._held, ""
        return "" if self._thinking else self._trimmed(held)

    @property
    def _mark(self) -> str:
        return _CLOSE if self._thinking else _OPEN

    def _trimmed(self, text: str) -> str:
        """The text; blanks between the thoughts and the answer are no part of it."""
        text = text if self._begun else text.lstrip()
        self._begun = self._begun or bool(text)
        return text


def _overlap(text: str, mark: str) -> int:
    """How many characters at the end of a text may be the beginning of the mark."""
    return next((n for n in range(min(len(mark) - 1, len(text)), 0, -1) if text.endswith(mark[:n])), 0)
