"""Text on a terminal: a Chinese character takes two columns."""

from __future__ import annotations

import unicodedata


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


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
