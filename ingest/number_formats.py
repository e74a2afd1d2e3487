"""Numbers as a spreadsheet shows them: integers without ".0", percent, currency, thousands, dates, durations."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

# The formats that files name by number alone (ECMA-376, 18.8.30).
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 37: "#,##0;(#,##0)",
    38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)", 14: "yyyy-mm-dd", 15: "d-mmm-yy",
    16: "d-mmm", 17: "mmm-yy", 18: "h:mm", 19: "h:mm:ss", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm",
    27: "yyyy-mm", 28: "m-d", 29: "m-d", 30: "yyyy-mm-dd", 31: "yyyy-mm-dd", 32: "h:mm", 33: "h:mm:ss", 34: "h:mm",
    35: "h:mm:ss", 36: "yyyy-mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss", 50: "yyyy-mm", 51: "m-d", 52: "yyyy-mm",
    53: "m-d", 54: "m-d", 55: "h:mm", 56: "h:mm:ss", 57: "yyyy-mm", 58: "m-d",
}  # fmt: skip
_EPOCH = datetime(1899, 12, 30)
_EPOCH_1904 = datetime(1904, 1, 1)
_BRACKETED = re.compile(r"\[(?!\$|h+\]|m+\]|s+\])[^\]]*\]", re.IGNORECASE)
_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.')
_DATE = re.compile(r"[ymdhs]|\[h+\]", re.IGNORECASE)
_SYMBOLS = "$€£¥￥₩₹₽元"


def shown(value: float, code: str, *, from_1904: bool = False) -> str:
    """A number in the format of its cell; a date comes as year-month-day, whatever the order that was asked for."""
    section, negative_shown = _section(code, value)
    plain = _LITERAL.sub("", _CURRENCY.sub("", section))
    if _DATE.search(plain) and "general" not in plain.lower():
        return _date(value, plain.lower(), from_1904)
    if "e+" in plain.lower() or not re.search(r"[0#?]", plain):
        return _general(value)
    return _number(value, section, plain, negative_shown)


def _section(code: str, value: float) -> tuple[str, bool]:
    """The part of a format that is meant for this value, and whether that part itself shows it to be negative."""
    sections = _BRACKETED.sub("", code).split(";")
    if value < 0 and len(sections) > 1 and sections[1].strip():
        return sections[1], True
    if value == 0 and len(sections) > 2 and re.search(r"[0#?]", sections[2]):
        return sections[2], False
    return sections[0], False


def _general(value: float) -> str:
    """As many digits as a reader would see, an integer as one."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.10g}"


def _number(value: float, section: str, plain: str, negative_shown: bool) -> str:
    percent = "%" in plain
    digits = plain.split(".", 1)[1] if "." in plain else ""
    decimals = len(re.match(r"[0#?]*", digits)[0])  # type: ignore[index]
    optional = len(re.match(r"0*", digits)[0])  # type: ignore[index]
    scale = 1000.0 ** len(re.findall(r",(?=[^0#?]*$)", plain.split(".")[0])) if re.search(r",\s*$", plain) else 1.0
    text = f"{abs(value) * (100 if percent else 1) / scale:{',' if re.search(r'[#0],[#0]', plain) else ''}.{decimals}f}"
    while decimals > optional and text.endswith("0"):
        text, decimals = text[:-1], decimals - 1
    text = text.rstrip(".")
    currency, front = _currency(section)
    text = f"{currency if front else ''}{text}{'%' if percent else ''}{'' if front else currency}"
    negative = value < 0 and text.strip("0.,%") != ""
    if negative and negative_shown and "(" in plain:
        return f"({text})"
    return f"-{text}" if negative else text


def _currency(section: str) -> tuple[str, bool]:
    """The currency and such words of a format, and whether they stand in front."""
    named = _CURRENCY.search(section)
    literal = _CURRENCY.sub(lambda match: match[1], section)
    words = [
        (match.start(), match[1] or match[2] or "") for match in _LITERAL.finditer(literal) if match[1] or match[2]
    ] + [(place, mark) for place, mark in enumerate(literal) if mark in _SYMBOLS and not _quoted(literal, place)]
    text = named[1] if named else next((word for _, word in sorted(words) if word.strip(" ()-+,.")), "")
    place = literal.find(text) if text else 0
    first = re.search(r"[0#?]", literal)
    front = first is not None and place < first.start()
    return (f"{text} " if front and text[-1:].isalpha() else text), front


def _quoted(code: str, place: int) -> bool:
    return code.count('"', 0, place) % 2 == 1


def _date(value: float, plain: str, from_1904: bool) -> str:
    if "[" in plain:  # a duration
        seconds = round(value * 86400)
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    try:
        moment = (_EPOCH_1904 if from_1904 else _EPOCH) + timedelta(seconds=round(value * 86400))
    except OverflowError:
        return _general(value)
    day, year, clock = "d" in plain, "y" in plain, "h" in plain or "s" in plain
    parts = [f"{moment:%Y-%m-%d}" if day and year else f"{moment:%Y-%m}" if year and "m" in plain else ""]
    if not parts[0]:
        parts = [f"{moment:%Y}" if year else f"{moment:%m-%d}" if day else ""]
    if clock:
        parts.append(f"{moment:%H:%M:%S}" if "s" in plain and moment.second else f"{moment:%H:%M}")
    return " ".join(part for part in parts if part) or f"{moment:%Y-%m-%d}"
