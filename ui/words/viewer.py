"""The words of an opened source, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {}
