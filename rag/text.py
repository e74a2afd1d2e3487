"""Normalisation and the lexical tokeniser: one function for what is indexed and what is asked."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

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
_RULES = 2  # to be counted up with every change of what ``tokens`` makes of a text


def normalise(text: str) -> str:
    """The text as it is compared: ``folded``, and traditional Chinese as simplified."""
    return unicodedata.normalize("NFKC", text).translate(_comparable()).casefold()


def folded(text: str) -> str:
    """Compatibility forms and width folded, case folded, invisible characters gone; the characters stay what they are."""
    return unicodedata.normalize("NFKC", text).translate(_INVISIBLE).casefold()


def simplified(text: str) -> str:
    """The text with each traditional Chinese character as its simplified one, one for one: every offset stays right."""
    return text if text.isascii() else text.translate(_simplified())


def tokeniser_version() -> str:
    """The name of what ``tokens`` does: it changes with the rules here and with the table of characters."""
    table = "".join(chr(old) + new for old, new in sorted(_simplified().items()))
    return f"{_RULES}-{hashlib.sha256(table.encode()).hexdigest()[:12]}"


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


@lru_cache(maxsize=1)
def _simplified() -> dict[int, str]:
    """OpenCC's table of single characters, traditional to simplified: 4,659 pairs in 40 ms, once a process.

    Words that differ between regions (软件, 軟體) are no matter of characters and stay apart.
    """
    from opencc import OpenCC

    ranges = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0x20000, 0x31350))
    characters = [chr(code) for start, end in ranges for code in range(start, end)]
    convert = OpenCC("t2s").convert
    # A line each, so that no two make a word; twice, because what one becomes may be another's traditional form.
    become = convert(convert("\n".join(characters))).split("\n")
    return {ord(old): new for old, new in zip(characters, become, strict=True) if old != new and len(new) == 1}


@lru_cache(maxsize=1)
def _comparable() -> dict[int, str | None]:
    return {**_INVISIBLE, **_simplified()}
