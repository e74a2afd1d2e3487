"""The parts of a sentence that must be found literally: numbers (with their scale, in both languages) and names."""

from __future__ import annotations

import re

from rag.text import CJK_CHARACTER, normalise

_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_SCALE = {
    "万": 1e4, "亿": 1e8, "千": 1e3, "百万": 1e6, "千万": 1e7, "百亿": 1e10, "千亿": 1e11, "万亿": 1e12,
    "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "k": 1e3, "m": 1e6, "b": 1e9, "bn": 1e9, "t": 1e12,
}  # fmt: skip
_NUMBER = re.compile(
    r"(?<![a-z0-9_.])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:\s?(万亿|千亿|百亿|千万|百万|万|亿|千(?!克|米|瓦)|(?:thousand|million|billion|trillion|bn)(?![a-z]))|([kmbt])(?![a-z]))?"
)
_NUMBER_INSIDE = re.compile(r"\d+(?:\.\d+)?")
_HAN = "〇零一二两三四五六七八九十百千万亿"
# Not the unit behind digits, as in 3.5亿 and 5 千万: that belongs to them.
_HAN_NUMBER = re.compile(rf"(?<![\d{_HAN}])(?!(?<=\d\s)[十百千万亿])[{_HAN}]{{1,12}}")
_MONTHS = {name: i for i, name in enumerate(
    "january february march april may june july august september october november december".split(), 1)}  # fmt: skip
_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)})\b(?=\s+\d)|(?<=\d )({'|'.join(_MONTHS)})\b")
_WORDS = {name: i for i, name in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve".split())}  # fmt: skip
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-./&+'’][A-Za-z0-9]+)*\+*")


def numbers(text: str) -> set[float]:
    """Every value that a text states, in digits or Chinese numerals, scaled by the 万, million or B behind it."""
    folded = normalise(text)
    found = {_value(match.group(1), match.group(2) or match.group(3)) for match in _NUMBER.finditer(folded)}
    found |= {float(_MONTHS[a or b]) for a, b in _MONTH.findall(folded)}
    for match in _HAN_NUMBER.finditer(folded):
        if (value := _han_value(match.group())) is not None:
            found.add(value)
    return found


def stated_numbers(text: str) -> set[float]:
    """The values that a claim has to answer for: as ``numbers``, without single Chinese numerals, which are often mere words."""
    folded = normalise(text)
    without = _HAN_NUMBER.sub(
        lambda m: m.group() if len(m.group()) > 1 and not set(m.group()) <= set("千百万亿十") else "·", folded
    )
    return numbers(without)


def evidence_numbers(text: str) -> set[float]:
    """The values that a source can vouch for: as ``numbers``, with English number words and the digits inside names."""
    folded = normalise(text)
    words = {float(value) for name, value in _WORDS.items() if re.search(rf"\b{name}\b", folded)}
    return numbers(text) | words | {float(digits) for digits in _NUMBER_INSIDE.findall(folded)}


def names(text: str) -> set[str]:
    """Latin names and identifiers, folded: in Chinese text every Latin word, elsewhere those with capitals or digits."""
    chinese = bool(CJK_CHARACTER.search(text))
    found = set()
    for match in _LATIN.finditer(text):
        word = match.group()
        inner = any(c.isupper() for c in word[1:]) or any(c.isdigit() for c in word)
        starts = not text[: match.start()].strip(" \"'“‘(-*•") or text[: match.start()].rstrip()[-1:] in ".!?:"
        if inner or (chinese and len(word) > 1) or (word[0].isupper() and not starts and len(word) > 1):
            found.add(squeeze(word))
    return found


def squeeze(text: str) -> str:
    """The text as names are compared: folded, without white space, hyphens and dots."""
    return re.sub(r"[\s\-_.'’]+", "", normalise(text))


def _value(digits: str, unit: str | None) -> float:
    return float(digits.replace(",", "")) * _SCALE.get(unit or "", 1.0)


def _han_value(run: str) -> float | None:
    """The value of a run of Chinese numerals: 十五 → 15, 二〇二三 → 2023, 三万五千 → 35000; None for a bare unit."""
    if all(c in _DIGITS for c in run):
        return float("".join(str(_DIGITS[c]) for c in run))
    total = section = digit = 0
    for c in run:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif _UNITS[c] >= 10**4:
            total = (total + section + digit) * _UNITS[c] if c == "亿" else total + (section + digit) * _UNITS[c]
            section = digit = 0
        else:
            section += (digit or 1) * _UNITS[c]
            digit = 0
    value = total + section + digit
    return float(value) if value else None
