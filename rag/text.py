"""Normalisation and the lexical tokeniser: one function for what is indexed and what is asked."""

from __future__ import annotations

import re
import unicodedata

from rag.types import Language

# Han, kana and Hangul are written without (reliable) spaces, so their runs become overlapping bigrams.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
CJK_CHARACTER = re.compile(f"[{_CJK}]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_LATIN_WORD = re.compile(r"[^\W\d_]{2,}")
_TOKEN = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
_INVISIBLE = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF, 0x00AD, *range(0xE0000, 0xE0080)]
)


def normalise(text: str) -> str:
    """The text as it is compared: compatibility forms and width folded, case folded, invisible characters gone."""
    return unicodedata.normalize("NFKC", text).translate(_INVISIBLE).casefold()


def tokens(text: str) -> list[str]:
    """Lexical tokens in order: overlapping bigrams of CJK runs, and the words and numbers of everything else."""
    found: list[str] = []
    for run in _TOKEN.findall(normalise(text)):
        if CJK_CHARACTER.match(run) and len(run) > 1:
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
        else:
            found.append(run)
    return found


def language(text: str) -> Language:
    """``zh`` where Han characters outweigh Latin words (a Chinese word is about two characters), else ``en``."""
    han = len(_HAN.findall(text))
    words = sum(1 for word in _LATIN_WORD.findall(text) if not CJK_CHARACTER.match(word))
    return "zh" if han / 2 > words * 0.5 else "en"
