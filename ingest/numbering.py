"""The numbers that Word puts in front of paragraphs by itself: "1.2", "(a)", "第三条"; they stand in no paragraph's text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
BULLET = "- "
_LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
          (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_CHINESE = "〇一二三四五六七八九"
_FORMAL = "零壹贰叁肆伍陆柒捌玖"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a list: how its number is written, the text around it, and where it begins."""

    kind: str = "decimal"
    text: str = ""
    start: int = 1


@dataclass(slots=True)
class Numbering:
    """The lists of a document and how far each has counted."""

    lists: dict[str, tuple[str, dict[int, Level]]] = field(default_factory=dict)
    _counts: dict[str, list[int]] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, root: Any | None) -> Numbering:
        """The lists that a numbering part defines, none without one."""
        if root is None:
            return cls()
        abstract = {one.get(f"{W}abstractNumId"): one for one in root.iter(f"{W}abstractNum")}
        lists: dict[str, tuple[str, dict[int, Level]]] = {}
        for one in root.iter(f"{W}num"):
            base = _value(one, "abstractNumId")
            levels = _levels(abstract[base]) if base in abstract else {}
            changed = _levels(one)
            starts = {_number(o.get(f"{W}ilvl")): _value(o, "startOverride") for o in one.iter(f"{W}lvlOverride")}
            for level, start in starts.items():
                if start:
                    old = changed.get(level) or levels.get(level, Level())
                    changed[level] = Level(old.kind, old.text, _number(start))
            key = f"{base}/{one.get(f'{W}numId')}" if any(starts.values()) else str(base)
            lists[one.get(f"{W}numId", "")] = (key, levels | changed)
        return cls(lists)

    def label(self, list_id: str, level: int) -> str:
        """What stands in front of the list's next paragraph on this level: "1.2 ", BULLET, or "" where nothing is shown."""
        if list_id not in self.lists or not 0 <= level < _LEVELS:
            return "" if list_id == "0" else BULLET
        key, levels = self.lists[list_id]
        counts = self._counts.setdefault(key, [0] * _LEVELS)
        shown = levels.get(level, Level())
        counts[level] = max(counts[level] + 1, shown.start if not counts[level] else 0)
        counts[level + 1 :] = [0] * (_LEVELS - level - 1)
        if shown.kind == "bullet":
            return BULLET
        if shown.kind == "none":
            return shown.text.strip() + " " if shown.text.strip() and "%" not in shown.text else ""
        text = _PLACE.sub(lambda place: self._written(counts, levels, int(place[1]) - 1), shown.text).strip()
        return f"{text} " if text else ""

    @staticmethod
    def _written(counts: list[int], levels: dict[int, Level], level: int) -> str:
        shown = levels.get(level, Level())
        return _WRITTEN.get(shown.kind, str)(counts[level] or shown.start)


def _levels(element: Any) -> dict[int, Level]:
    return {
        _number(one.get(f"{W}ilvl")): Level(
            _value(one, "numFmt") or "decimal", _value(one, "lvlText"), _number(_value(one, "start"), 1)
        )
        for one in element.iter(f"{W}lvl")
    }


def _value(element: Any, name: str) -> str:
    found = element.find(f"{W}{name}")
    return (found.get(f"{W}val") or "") if found is not None else ""


def _number(text: str | None, otherwise: int = 0) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 7 else otherwise


def _letters(number: int) -> str:
    return chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 9) if number > 0 else str(number)


def _roman(number: int) -> str:
    if not 0 < number < 4000:
        return str(number)
    written = ""
    for value, letters in _ROMAN:
        times, number = divmod(number, value)
        written += letters * times
    return written


def _chinese(number: int, digits: str = _CHINESE, units: str = "十百千") -> str:
    """A number below ten thousand in words: 一百〇三."""
    if not 0 < number < 10_000:
        return str(number)
    written, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            written += (digits[0] if gap and written else "") + digits[digit] + (units[place - 1] if place else "")
        gap = not digit
    return written[1:] if written.startswith("一十") else written


def _ring(number: int) -> str:
    return chr(0x245F + number) if 0 < number <= 20 else str(number)


def _cycle(signs: str) -> Callable[[int], str]:
    return lambda number: signs[(number - 1) % len(signs)]


_WRITTEN: dict[str, Callable[[int], str]] = {
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "decimalZero": lambda number: f"{number:02}",
    "chineseCounting": _chinese,
    "chineseCountingThousand": _chinese,
    "taiwaneseCountingThousand": _chinese,
    "taiwaneseCounting": _chinese,
    "japaneseCounting": _chinese,
    "ideographDigital": _chinese,
    "chineseLegalSimplified": lambda number: _chinese(number, _FORMAL, "拾佰仟"),
    "ideographTraditional": _cycle(_STEMS),
    "ideographZodiac": _cycle(_BRANCHES),
    "decimalEnclosedCircle": _ring,
    "decimalEnclosedCircleChinese": _ring,
}
