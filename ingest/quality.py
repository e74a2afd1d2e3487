"""How much of a text layer is language: fonts without a character map and bad OCR leave symbols where words were."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

GARBAGE = 0.5
DOUBTFUL = 0.85
_CID = re.compile(r"\(cid:\d+\)")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN_WORD = re.compile(r"\S*[A-Za-z]\S*")
_PLAIN_WORD = re.compile(
    r"[\W_]*[A-Za-z\u00c0-\u024f]+(?:['’\-‐–—/.@&+_][A-Za-z0-9\u00c0-\u024f]+)*[\W_]*"
    r"|.*(?:https?:|www\.|@).*|[A-Z]+[\d\-]+\S*"
)
_ODD_CASE = re.compile(r"[a-z]+[A-Z]{2,}|[A-Z]{2,}[a-z]{3,}[A-Z]")
_SCANNED = re.compile(r"[A-Za-z][«»*^£©~|!;$%#&][a-z]|[«»£©^][a-zA-Z]|[a-zA-Z][«»£^]")  # what OCR makes of a blot
_ENOUGH = 40


def quality(text: str) -> float:
    """From 0 (symbols) to 1 (language): the worst of characters, Chinese characters and Latin words."""
    return min(_characters(text), _chinese(text), _vowels(text), _words(text))


def _characters(text: str) -> float:
    broken = _CID.findall(text)
    rest = "".join(_CID.sub("", text).split())
    bad = sum(unicodedata.category(c) in ("Co", "Cn", "Cs", "Cc") or c == "\ufffd" for c in rest)
    total = len(rest) + len(broken)
    return 1.0 - (bad + len(broken)) / total if total else 1.0


def _chinese(text: str) -> float:
    """The share of everyday characters; a wrong character map yields rare ones."""
    han = _HAN.findall(text)
    return 1.0 if len(han) < _ENOUGH else min(1.0, sum(map(_everyday, han)) / len(han) / 0.9)


@lru_cache(maxsize=30_000)
def _everyday(character: str) -> bool:
    simplified = character.encode("gb2312", "ignore")
    traditional = character.encode("big5", "ignore")
    return (bool(simplified) and simplified[0] < 0xD8) or (bool(traditional) and traditional[0] < 0xC7)


def _vowels(text: str) -> float:
    """Shifted letters ("7KLV LV") keep their number but lose their vowels."""
    letters = [c for c in text.lower() if "a" <= c <= "z"]
    if len(letters) < 5 * _ENOUGH or len(letters) < len(_HAN.findall(text)):
        return 1.0
    share = sum(c in "aeiouy" for c in letters) / len(letters)
    return 1.0 if 0.26 <= share <= 0.58 else 0.0 if not 0.18 <= share <= 0.66 else 0.6


def _words(text: str) -> float:
    """The share of Latin words without symbols or capitals in their middle."""
    words = _LATIN_WORD.findall(text)
    if len(words) < _ENOUGH or len(words) * 2 < len(_HAN.findall(text)):
        return 1.0
    scanned = sum(_SCANNED.search(word) is not None for word in words)
    odd = sum(not _PLAIN_WORD.fullmatch(word) or _ODD_CASE.search(word) is not None for word in words)
    return 1.0 - max(odd, 3 * scanned) / len(words)
