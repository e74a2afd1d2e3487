"""What is taken out of every text before it is stored: characters that nobody sees or that deceive the eye."""

from __future__ import annotations

import re
import unicodedata

# Controls, lone surrogates, direction overrides, zero-width space and mark, tag characters. The joiners U+200C and
# U+200D stay: Persian, Indic scripts and emoji need them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def clean(text: str) -> tuple[str, int]:
    """The text in NFC with ``\\n`` line ends and no unseen characters, and how many of those were removed."""
    text = _LINE_ENDS.sub("\n", text)
    text, removed = _UNSEEN.subn("", text)
    return unicodedata.normalize("NFC", text), removed
