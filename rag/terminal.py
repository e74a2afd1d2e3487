"""Text and progress on a terminal: a Chinese character takes two columns; a bar where it can be redrawn, lines elsewhere."""

from __future__ import annotations

import re
import shutil
import sys
import time
import unicodedata
from typing import TextIO

_ORDERS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """The text with a mark for each character that would move the cursor, give a terminal orders or turn the reading."""
    return _ORDERS.sub("\ufffd", text)


def columns(text: str) -> int:
    """The columns that a text takes."""
    return sum(_columns(character) for character in text)


def cut(text: str, most: int) -> str:
    """The text, shortened with "…" where it takes more than ``most`` columns."""
    if columns(text) <= most:
        return text
    kept, room = "", most - 1
    for character in text:
        room -= _columns(character)
        if room < 0:
            break
        kept += character
    return kept + "…"


def padded(text: str, wide: int) -> str:
    """The text with blanks up to ``wide`` columns."""
    return text + " " * (wide - columns(text))


def duration(seconds: float) -> str:
    """Seconds as 0:07, 12:30 or 1:05:00."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Meter:
    """Says how far long work is: one line that is drawn over and over on a terminal, a line a minute elsewhere."""

    def __init__(self, stream: TextIO | None = None, seconds: float = 60.0) -> None:
        self._stream = stream or sys.stderr
        self._redraws = self._stream.isatty()
        self._pause = 0.1 if self._redraws else seconds
        self._said = 0.0 if self._redraws else time.monotonic()

    def show(self, share: float, sentence: str, *, finished: bool = False) -> None:
        """Show a share of 0 to 1 and the sentence beside it, if the last time is long enough ago."""
        if not (finished and self._redraws) and time.monotonic() - self._said < self._pause:
            return
        self._said = time.monotonic()
        if self._redraws:
            filled = int(24 * min(max(share, 0.0), 1.0))
            line = cut(f"[{'█' * filled}{'░' * (24 - filled)}] {sentence}", shutil.get_terminal_size().columns - 1)
            self._stream.write(f"\r\x1b[K{line}" + ("\n" if finished else ""))
        else:
            self._stream.write(sentence + "\n")
        self._stream.flush()


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
