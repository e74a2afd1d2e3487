"""Words within one text: where they stand, whatever their case, width or form."""

from __future__ import annotations

import unicodedata


def occurrences(text: str, words: str) -> list[tuple[int, int]]:
    """Start and end of each place where the text holds these words, compared by NFKC and case; without overlaps."""
    wanted = _folded(words.strip())[0]
    folded, origin = _folded(text)
    if not wanted:
        return []
    found, at = [], folded.find(wanted)
    while at >= 0:
        found.append((origin[at], origin[at + len(wanted) - 1] + 1))
        at = folded.find(wanted, at + len(wanted))
    return found


def _folded(text: str) -> tuple[str, list[int]]:
    """The text as it is compared, and for each of its characters the place of the one that it came from."""
    folded, origin = [], []
    for place, character in enumerate(text):
        for part in unicodedata.normalize("NFKC", character).casefold():
            folded.append(part)
            origin.append(place)
    return "".join(folded), origin
