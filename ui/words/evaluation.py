"""The words of the evaluation page, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {}
