"""The parts of a sentence that must be found literally: numbers with scale and unit, dates, names; in both languages."""

from __future__ import annotations

import re
import unicodedata

from rag.text import CJK_CHARACTER, normalise

Date = tuple[int | None, int | None, int | None]  # year, month, day

_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_SCALE = {
    "万": 1e4, "亿": 1e8, "千": 1e3, "百万": 1e6, "千万": 1e7, "百亿": 1e10, "千亿": 1e11, "万亿": 1e12,
    "hundred": 1e2,
    "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "k": 1e3, "m": 1e6, "b": 1e9, "bn": 1e9, "t": 1e12,
}  # fmt: skip
_NUMBER = re.compile(
    r"(?<![a-z0-9_.])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:\s?(万亿|千亿|百亿|千万|百万|万|亿|千(?!克|米|瓦)|(?:thousand|million|billion|trillion|bn)(?![a-z]))|([kmbt])(?![a-z]))?"
)
_SHORT_RANGE = re.compile(r"(?<!\d)(1\d{3}|20\d{2})[-–—/](\d{2})(?!\d)")  # 1990-95
_NUMBER_INSIDE = re.compile(r"\d+(?:\.\d+)?")
_HAN = "〇零一二两三四五六七八九十百千万亿"
# Not the unit behind digits, as in 3.5亿 and 5 千万: that belongs to them.
_HAN_NUMBER = re.compile(rf"(?<![\d{_HAN}])(?!(?<=\d\s)[十百千万亿])[{_HAN}]{{1,12}}")
_MONTHS = {name: i for i, name in enumerate(
    "january february march april may june july august september october november december".split(), 1)}  # fmt: skip
_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)})\b(?=\s+\d)|(?<=\d )({'|'.join(_MONTHS)})\b")
# A single Chinese numeral is a number before a measure word, in a weekday and in an ordinal; 一 only before a span of time.
_COUNTED = re.compile(
    r"(?<=[周期拜第])[一二三四五六七八九十]|(?<![某每这那同有当前])一(?=个月|年(?!级)|天|小时|周(?![边围年]))"
    r"|(?<![数几])[二两三四五六七八九十](?=个|天|日|年|月|周|星期|人|次|项|家|倍|成|位|名|种|部|门|条|件|元|岁|级|期|章|层|楼|台|份|版|步|类|组"
    r"|支|只|座|所|场|届|轮|套|块|间|张|本|册|卷|处|点|枚|辆|艘|颗|米|公里|千米|公斤|千克|克|吨|升|秒|分钟|小时|世纪|美元|大(?!学))"
)
_WORDS = {name: i for i, name in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen".split())}  # fmt: skip
_TENS = {name: 10 * i for i, name in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
NUMBER_WORDS = frozenset(_WORDS.keys() | _TENS.keys()) - {"one"}
_ORDINALS = {name: i for i, name in enumerate(
    "first second third fourth fifth sixth seventh eighth ninth tenth".split(), 1)}  # fmt: skip
# What vouches for a number without being one: "both" for 2, Wednesday for 周三.
_VOUCHING: dict[str, float] = {"once": 1, "首": 1, "dozen": 12, "half": 0.5, "半": 0.5, **_ORDINALS}
_VOUCHING |= dict.fromkeys(["both", "pair", "couple", "twice", "double", "双", "俩"], 2)
_VOUCHING |= {name: i for i, name in enumerate("monday tuesday wednesday thursday friday saturday".split(), 1)}
_VOUCHES = re.compile(r"\b(?:" + "|".join(w for w in _VOUCHING if w.isascii()) + r")s?\b|[首双俩半]")
_PARTS = {"half": 2, "quarter": 4} | {name: i for name, i in _ORDINALS.items() if i > 2}
_FRACTION = re.compile(
    r"(?<![\d./⁄])(\d{1,2}) ?[/⁄] ?(\d{1,2})(?![\d/⁄]|\.\d)"
    r"|(?P<below>[二三四五六七八九十]{1,3})分之(?P<above>[一二三四五六七八九十]{1,3})"
    rf"|\b(?P<count>one|two|three|four|five|six|seven|eight|nine)[ -](?P<part>{'|'.join(_PARTS)})s?\b"
)
_UNITS_OF_MEASURE = {
    "km/h": r"km/h|kph|公里/小?时|公里每小时|kilomet(?:er|re)s? (?:per|an) hour",
    "mph": r"mph|英里/小?时|miles (?:per|an) hour",
    "km²": r"km2|sq\.? ?km|平方公里|平方千米|square kilomet(?:er|re)s?",
    "mi²": r"sq\.? ?mi|平方英里|square miles?",
    "m²": r"m2|平方米|平方公尺|square met(?:er|re)s?",
    "ha": r"公顷|hectares?|ha",
    "acre": r"英亩|acres?",
    "m³": r"m3|立方米|cubic met(?:er|re)s?",
    "km": r"km|公里|千米|kilomet(?:er|re)s?",
    "cm": r"cm|厘米|公分|centimet(?:er|re)s?",
    "mm": r"mm|毫米|公厘|millimet(?:er|re)s?",
    "mi": r"英里|miles?|mi",
    "ft": r"英尺|呎|feet|foot|ft",
    "in": r"英寸|吋|inch(?:es)?",
    "m": r"米|公尺|met(?:er|re)s?|(?<=\d )m",
    "kg": r"kg|公斤|千克|kilograms?|kilos?",
    "g": r"克|grams?|g",
    "t": r"公吨|吨|tonnes?|tons?",
    "l": r"公升|升|lit(?:er|re)s?",
    "s": r"秒钟?|seconds?",
    "min": r"分钟|minutes?|mins?",
    "h": r"个?小时|hours?|hrs?",
    "d": r"天|days?",
    "week": r"周(?!年)|个?星期|weeks?",
    "month": r"个月|months?",
    "year": r"周年|年(?!代)|岁|years?",
    "%": r"%|个?百分点|percent(?:age points?)?|per cent",
    "usd": r"美元|美金|(?:us )?dollars?|usd",
    "eur": r"欧元|euros?|eur",
    "gbp": r"英镑|gbp",
    "jpy": r"日[元圆]|yen|jpy",
    "hkd": r"港[元币]",
    "cny": r"元人民币|人民币|元|yuan|rmb|cny",
    "°c": r"°c|摄氏度|degrees? celsius",
    "°f": r"°f|华氏度|degrees? fahrenheit",
    "kw": r"kw|千瓦|kilowatts?",
    "mw": r"mw|兆瓦|megawatts?",
    "hp": r"马力|匹马力|horsepower|hp",
    "gb": r"gb|gigabytes?",
    "mb": r"mb|megabytes?",
    "tb": r"tb|terabytes?",
    "mhz": r"mhz|兆赫",
    "ghz": r"ghz",
    "century": r"(?:st|nd|rd|th)?[ -]?centur(?:y|ies)|世纪",
    "bc": r"b\.?c\.?(?:e\.?)?",
}  # fmt: skip
_UNIT = re.compile("[ -]?(?:" + "|".join(f"({spelling})" for spelling in _UNITS_OF_MEASURE.values()) + ")(?![a-z])")
_UNIT_NAMES = tuple(_UNITS_OF_MEASURE)
_SIGNS = {"$": "usd", "€": "eur", "£": "gbp", "¥": "¥"}  # ¥ is yuan or yen
_SIGN = re.compile(r"([$€£¥])\s?$|(百分之)$|(公元前|(?<![之以])前)$")
_TO = re.compile(r" ?(?:[-–—~]|to|and|or|至|到|和|或) ?[$€£¥]?(?=\d)")
_MINUS = re.compile(r"(?:(?:^|[^\w)\]%°] ?|[\u4e00-\u9fff])[-−]|零下|minus |negative )$")
_BELOW_ZERO = re.compile(r"[^.,;]{0,12} below (?:zero|freezing)")
_PAIR = re.compile(r"(?<![\d.:/-])(\d{1,3})(?:[:比–-]|点)(\d{1,3})(?![\d:/-]|\.\d)")
_VERSION = re.compile(r"(?:[A-Z][A-Za-z+#]*[ -]?|\b[vV]\.? ?|\b[Vv]ersions? |版本[号为是]? ?)(\d+\.\d+)(?!\d)")
_DECIMAL = re.compile(r"(?<![\d.])\d+\.\d+(?!\d)")
_AT_LEAST = re.compile(
    r"(?:at least|\bnot? (?:less|fewer|lower) than|(?<!no )(?<!not )(?:more than|over|above|exceed(?:s|ed|ing)?)|minimum of"
    r"|至少|最少|不少于|不低于|不小于|(?<![不未没])超过|(?<!不)(?:多于|大于|高于))\W{0,2}$"
)
_AT_MOST = re.compile(
    r"(?:at most|\bnot? more than|\bnot exceed(?:ing)?|up to|(?<!no )(?<!not )(?:less|fewer) than|under|below|maximum of|within"
    r"|至多|最多|[不未没]超过|不多于|不高于|不大于|(?<!不)(?:低于|少于|小于)|不满|未满)\W{0,2}$"
)
_OR_MORE = re.compile(r" ?[\u4e00-\u9fff%°]{0,4}?(?:以上|以外|之外)|(?: \w+)? or (?:more|above|longer|older)\b")
_OR_LESS = re.compile(
    r" ?[\u4e00-\u9fff%°]{0,4}?(?:以下|以内|之内)|(?: \w+)? or (?:less|fewer|below|shorter|younger)\b"
)
_MONTH_NAMES = "|".join(f"{name.capitalize()}|{name[:3].capitalize()}t?\\.?|{name.upper()}" for name in _MONTHS)
_SMALL_HAN = "[一二三四五六七八九十]{1,3}"
_DATE = re.compile(
    r"(?<![\d.])(?P<y1>\d{4})([-/.])(?P<m1>\d{1,2})\2(?P<d1>\d{1,2})(?![\d.])"
    rf"|(?:(?P<y2>\d{{4}}|[〇零一二三四五六七八九]{{4}}) ?年 ?)?(?<!\d)"
    rf"(?P<m2>\d{{1,2}}|(?<![一二三四五六七八九十]){_SMALL_HAN}) ?月(?:份| ?(?P<d2>\d{{1,2}}|{_SMALL_HAN}) ?[日号])?"
    rf"|(?<!\w)(?P<d3>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<m3>{_MONTH_NAMES})(?!\w| \d{{1,2}}(?!\d))"
    r"(?:,? ?(?P<y3>\d{4})(?!\d))?"
    rf"|(?<!\w)(?P<m4>{_MONTH_NAMES}) (?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?![\d%])(?:,? (?P<y4>\d{{4}})(?!\d))?"
    rf"|(?<!\w)(?P<m5>{_MONTH_NAMES})(?: of)?,? (?P<y5>\d{{4}})(?!\d)"
)
_DECADE = re.compile(
    r"(?<![\d.])(\d{3}0)(?:['’]?s\b| ?年代)|(?:(\d{2}|[一二][十]?[一二三四五六七八九]?|上个?) ?世纪)"
    r"(?P<tens>\d0|[一二三四五六七八九]十) ?年代"
    r"|(?<![\d.])['’]?(?P<bare>[1-9]0)(?:['’]?s\b| ?年代)"
)
_CARDINAL = rf"(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_WORDS)}))?|{'|'.join(sorted(_WORDS, key=len, reverse=True))}"
_NUMBER_WORD = re.compile(
    rf"\b({_CARDINAL})\b(?: (hundred)\b(?:(?: and)? ({_CARDINAL})\b)?)?(?:[ -](thousand|million|billion|trillion)\b)?"
)
_TITLE = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|[A-Z])\.$")
_LETTERS = "A-Za-zÀ-ÖØ-öø-ɏ"
_LATIN = re.compile(rf"(?<![0-9{_LETTERS}])[{_LETTERS}][{_LETTERS}0-9]*(?:[-./&+'’][{_LETTERS}0-9]+)*\+*")


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
    """The values that a claim has to answer for: as ``numbers``, with number words, without those of dates and decades.

    A single Chinese numeral counts where something is counted by it; elsewhere it is often a mere word, and so is "one".
    """
    folded = normalise(_DECADE.sub("·", _DATE.sub(" · ", _compatible(text))))
    whole = _FRACTION.sub(lambda m: m.group() if _fraction(m) is None else "·", folded)
    words = {value for phrase, value in _word_values(whole) if phrase != "one"}
    return numbers(_HAN_NUMBER.sub(lambda m: m.group() if _counts(m) else "·", whole)) | words | _fractions(folded)


def evidence_numbers(text: str) -> set[float]:
    """The values that a source can vouch for: as ``numbers``, with number words, ordinals and the digits inside names.

    A decade vouches for no year.
    """
    text = _DECADE.sub("·", text)
    folded = normalise(text)
    words = {value for _, value in _word_values(folded)} | _fractions(folded)
    words |= {
        float(_VOUCHING[word] if word in _VOUCHING else _VOUCHING[word[:-1]]) for word in _VOUCHES.findall(folded)
    }
    ends = {float(first[:2] + last) for first, last in _SHORT_RANGE.findall(folded)}
    return numbers(text) | words | ends | {float(digits) for digits in _NUMBER_INSIDE.findall(folded)}


def _counts(numeral: re.Match[str]) -> bool:
    """Whether a run of Chinese numerals is a number and no mere word."""
    run = numeral.group()
    if len(run) == 1:
        return bool(_COUNTED.match(numeral.string, numeral.start()))
    return not set(run) <= set("千百万亿十")


def _word_values(folded: str) -> list[tuple[str, float]]:
    """The English number words of a text, each phrase with its value."""
    return [(m.group(), _word_value(m)) for m in _NUMBER_WORD.finditer(folded)]


def _word_value(match: re.Match[str]) -> float:
    def cardinal(words: str | None) -> int:
        return sum(_TENS.get(word, _WORDS.get(word, 0)) for word in re.split("[ -]", words or ""))

    value = cardinal(match[1]) * (100 if match[2] else 1) + cardinal(match[3])
    return value * _SCALE.get(match[4] or "", 1.0)


def _fractions(folded: str) -> set[float]:
    """The proper fractions of a text: 2/3, 三分之二, "two thirds"."""
    return {value for match in _FRACTION.finditer(folded) if (value := _fraction(match)) is not None}


def _fraction(match: re.Match[str]) -> float | None:
    if match["part"]:
        above, below = float(_WORDS[match["count"]]), float(_PARTS[match["part"]])
    elif match["below"]:
        above, below = _han_value(match["above"]) or 0.0, _han_value(match["below"]) or 0.0
    else:
        above, below = float(match[1]), float(match[2])
    return above / below if 0 < above < below else None


def quantities(text: str) -> set[tuple[float, str]]:
    """Every value with the unit behind it (or the sign before it) under one name, "" where there is none that is known."""
    folded = normalise(text)
    found: set[tuple[float, str]] = set()
    values = _placed(folded)
    later = ""
    for match, value in sorted(values, key=lambda pair: -pair[0].start()):
        unit = _unit(folded, match.start(), match.end(), value)
        if not unit and _TO.match(folded, match.end()):
            unit = later  # as in 5 to 10 km
        found.add((value, unit))
        later = unit
    return found


def bounds(text: str) -> set[tuple[float, int]]:
    """Every value that a text makes a lower (1) or an upper (-1) bound: 至少5, "5 or more"; 不超过5, "less than 5"."""
    folded = normalise(text)
    found = set()
    for match, value in _placed(folded):
        start, end = match.span()
        before = max(0, start - 20)
        if _AT_LEAST.search(folded, before, start) or _OR_MORE.match(folded, end):
            found.add((value, 1))
        if _AT_MOST.search(folded, before, start) or _OR_LESS.match(folded, end):
            found.add((value, -1))
    return found


def signs(text: str) -> set[tuple[float, int]]:
    """Every value in digits or numerals with its sign: -5, 零下5 and "5 below zero" are (5, -1)."""
    folded = normalise(text)
    return {
        (
            value,
            -1 if _MINUS.search(folded, max(0, m.start() - 9), m.start()) or _BELOW_ZERO.match(folded, m.end()) else 1,
        )
        for m, value in _placed(folded)
    }


def pairs(text: str) -> set[tuple[int, int]]:
    """The times, scores and ratios of a text, whose order matters: 15:18, 3比2, 3-2."""
    return {(int(one), int(other)) for one, other in _PAIR.findall(_compatible(text))}


def versions(text: str) -> set[str]:
    """The decimals behind a name or the word "version", as written: 3.10 in "Python 3.10" is not 3.1."""
    return set(_VERSION.findall(_compatible(text)))


def decimals(text: str) -> set[str]:
    """The decimals of a text as written."""
    return set(_DECIMAL.findall(_compatible(text))) | versions(text)


def _placed(folded: str) -> list[tuple[re.Match[str], float]]:
    """The numbers of a text, in digits, numerals and words, where they stand and with their values."""
    values = [(m, _value(m.group(1), m.group(2) or m.group(3))) for m in _NUMBER.finditer(folded)]
    values += [(m, v) for m in _HAN_NUMBER.finditer(folded) if (v := _han_value(m.group())) is not None]
    return values + [(m, _word_value(m)) for m in _NUMBER_WORD.finditer(folded)]


def dates(text: str) -> list[Date]:
    """The dates of a text that name a month, in order, each as year, month and day, None for what is not there."""
    found: list[Date] = []
    for match in _DATE.finditer(_compatible(text)):
        part = {key[0]: value for key, value in match.groupdict().items() if value}
        year, month, day = (_date_part(part.get(key)) for key in "ymd")
        if month and month <= 12 and (day or 1) <= 31:
            found.append((year, month, day))
    return found


def decades(text: str) -> set[int]:
    """The first years of the decades that a text names: "the 1980s", 20世纪80年代."""
    found = set()
    for match in _DECADE.finditer(normalise(text)):
        century = match[2]
        if match[1]:
            found.add(int(match[1]))
            continue
        tens = match["tens"] or match["bare"]
        past = 19 if not century or century.startswith("上") else (_date_part(century) or 20) - 1
        found.add(past * 100 + (_date_part(tens) or 0))
    return found


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _date_part(written: str | None) -> int | None:
    """A year, month or day as a number, whether in digits, Chinese numerals or as a month's English name."""
    if not written:
        return None
    if written.isdecimal():
        return int(written)
    if written[0].isascii():
        return 1 + [name[:3] for name in _MONTHS].index(written[:3].lower())
    value = _han_value(written)
    return int(value) if value else None


def _unit(folded: str, start: int, end: int, value: float) -> str:
    sign = _SIGN.search(folded, max(0, start - 4), start)
    if sign:
        return _SIGNS[sign[1]] if sign[1] else "%" if sign[2] else "bc" if folded.startswith("年", end) else ""
    match = _UNIT.match(folded, end)
    if not match:
        return ""
    name = _UNIT_NAMES[(match.lastindex or 1) - 1]
    # 2021年 is a date and no span of time.
    return "" if name == "year" and value >= 1000 and "年" in match[0] else name


def names(text: str) -> set[str]:
    """Latin names and identifiers, folded: in Chinese text every Latin word, elsewhere those with capitals or digits."""
    chinese = bool(CJK_CHARACTER.search(text))
    found = set()
    for match in _LATIN.finditer(text):
        word = match.group()
        inner = any(c.isupper() for c in word[1:]) or any(c.isdigit() for c in word)
        before = text[: match.start()].rstrip()
        starts = not before.strip(" \"'“‘(-*•") or (before[-1] in ".!?:" and not _TITLE.search(before))
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
