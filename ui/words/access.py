"""The words of signing in and who may do what, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {}
