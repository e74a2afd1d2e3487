"""Which old encoding bytes are in: every candidate is decoded strictly and weighed by how the language is really written.

A text is taken only where one reading is good and every other one clearly worse; what is left is unsure.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from ingest.alphabets import ALPHABETS, CHINESE, CJK_PUNCTUATION, JAPANESE, KOREAN
from rag.text import simplified

_SAMPLE = 1 << 16
_TELLING = 60  # bytes, about ten words
# Each candidate with the codecs that read it: the one of the usual system first, then its extension.
_GOOD = 0.8  # of a mean weight a character; the wrong readings of real texts lie below 0.4
_ENOUGH = 6.0  # of all weights: three everyday characters, where a wrong reading has one in ten
_FEWEST = 4  # characters of UTF-16 without a mark
_AHEAD = 0.5  # of the mean weight over the next best reading's
_Weigher = Callable[[str], float]
_RUN = re.compile(r"[^\x00-\x7f]+")
_WITHIN_WORD = re.compile(r"[a-z][^\x00-\x7f]{1,2}(?=[a-z])")  # as accented letters stand, and no East Asian ones
_WORD = re.compile(r"[^\W\d_]+")
_SIGNS = frozenset("‘’“”‚„‹›«»–—…•·€£¥§°©®™¿¡¼½¾×÷±²³¹µ†№\u00a0\u00ad")
_LETTER = r"[^\W\d_]"
# Signs where no writer puts them: within a word, a dash with a blank on one side alone, money without a number.
_MISPLACED = re.compile(
    rf"{_LETTER}[^\w\s\x00-\x7f’·…–—\u00ad-]{_LETTER}|\d(?![ªºµ])[^\W\d_\x00-\x7f]|(?![ªºµ])[^\W\d_\x00-\x7f]\d|[‚„¿¡‹](?:\s|\Z)|«\s*(?=[.,;:)]|\Z)"
    rf"|(?<!{_LETTER}){_LETTER}{{1,2}}[–—…]{_LETTER}|{_LETTER}[–—…]{_LETTER}{{1,2}}(?!{_LETTER})|{_LETTER}[–—]\s|\s[–—]{_LETTER}"
    rf"|(?<![\d\s])[£¥€](?![\d\s])|[£¥]{_LETTER}|[a-zß-ÿ]©|(?<!{_LETTER})\u00ad|{_LETTER}[‚„¿¡†±¶×÷°§]|[†±×÷]{_LETTER}"
    rf"|(?<![\dnN ])°|(?<![nN])°\d|([©®§°£¥€±²³¹µ×÷])\1"
    rf"|{_LETTER}\u00a0(?:\s|[a-zß-ÿ]|\Z)"
)
# Closing marks that open elsewhere, and the ones that must be there then: „so“, ‚so‘, »so«.
_TURNED = tuple(
    (close, opening, re.compile(pattern))
    for close, opening, pattern in (
        ("“", "„", rf"{_LETTER}“"),
        ("‘", "‚", rf"{_LETTER}‘"),
        ("«", "»", rf"{_LETTER}«"),
        ("»", "«", rf"»{_LETTER}"),
    )
)
_APOSTROPHE = re.compile(rf"{_LETTER}’{_LETTER}")
# Letters and signs that are one byte in all Latin code pages, and of which other tables make no other words.
_UNDISPUTED = re.compile(
    rf"(?:[\x00-\x7füÄÖÜßéÉ]|[äö](?!\W|\Z)|(?<!{_LETTER})[©€£](?= ?\d)|(?<=\d)[€°]|(?<=\d )€|§(?= ?\d)|(?<=\s)[–—](?=\s))*"
)


@dataclass(frozen=True, slots=True)
class Guess:
    """A way to read bytes: ``codecs`` to try strictly, in order."""

    codecs: tuple[str, ...]


def multibyte(data: bytes) -> Guess | None:
    """The East Asian encoding that the bytes are in beyond doubt, else None."""
    sample = _sample(data)
    readings: dict[str, tuple[float, tuple[str, ...]]] = {}
    for names, weighers in _MULTIBYTE.items():
        text = _first(sample, names)
        if text is not None:
            readings[text] = max(readings.get(text, (-9.0, ())), (_mean(text, weighers), names))
    ranked = sorted(((mean, text, names) for text, (mean, names) in readings.items()), reverse=True)
    if not ranked:
        return None
    mean, text, names = ranked[0]
    enough = mean * sum(c > "\x7f" for c in text) >= _ENOUGH
    ahead = len(ranked) == 1 or mean - ranked[1][0] >= _AHEAD
    return Guess(names) if mean >= _GOOD and enough and ahead else None


def wide(data: bytes) -> Guess | None:
    """UTF-16 without a mark, in the byte order that it is in beyond doubt, else None."""
    if len(data) % 2 or len(data) < 2 * _FEWEST:
        return None
    readings = []
    for codec in ("utf-16-le", "utf-16-be"):
        decoder = codecs.getincrementaldecoder(codec)()  # a pair of surrogates may be cut in two
        try:
            readings.append((_written_wide(decoder.decode(data[:_SAMPLE])), codec))
        except UnicodeError:
            continue
    readings.sort(reverse=True)
    if not readings or readings[0][0] < _GOOD or (len(readings) > 1 and readings[0][0] - readings[1][0] < _AHEAD):
        return None
    return Guess((readings[0][1],))


def single_byte(data: bytes) -> Guess | None:
    """The encoding of one byte a letter that the bytes are in beyond doubt, else None."""
    sample = _sample(data)
    readings: dict[str, tuple[float, str]] = {}
    for codec in dict.fromkeys(codec for alphabet in ALPHABETS for codec in alphabet.encodings):
        text = _first(sample, (codec,))
        if text is None or not _well_formed(text):
            continue
        spoken = _spoken(text, codec)
        if spoken is None and _UNDISPUTED.fullmatch(text):
            spoken = 0.0
        if spoken is not None:
            readings[text] = max(readings.get(text, (-1.0, "")), (spoken, codec))
    ranked = sorted(readings.items(), key=lambda reading: -reading[1][0])
    if not ranked:
        return None
    text, (spoken, codec) = ranked[0]
    others = ranked[1][1][0] if len(ranked) > 1 else 0.0
    certain = spoken >= _least(text) and spoken >= 2 * others + 1
    return Guess((codec,)) if certain or (others == 0 and _UNDISPUTED.fullmatch(text)) else None


def _sample(data: bytes) -> bytes:
    """The lines that say something of the encoding: none but UTF-16 has a line feed within a character."""
    lines = data.split(b"\n")
    telling = b"\n".join(line for line in lines if not line.isascii())
    if len(telling) > _TELLING:
        return _cut(telling, _SAMPLE)
    # A few words among plain lines are told by those.
    plain = b"\n".join(line for line in lines[:100] if line.isascii())
    return telling + b"\n" + _cut(plain, 20 * _TELLING)


def _cut(lines: bytes, length: int) -> bytes:
    if len(lines) <= length:
        return lines
    end = lines.rfind(b"\n", 0, length)
    return lines[:end] if end > 0 else lines


def _first(data: bytes, names: tuple[str, ...]) -> str | None:
    for codec in names:
        try:
            return data.decode(codec)
        except UnicodeError:
            continue
    return None


def _mean(text: str, weighers: tuple[_Weigher, ...]) -> float:
    """The mean weight of the characters beyond ASCII in the language that suits them best."""
    beyond = [c for c in text if c > "\x7f"]
    runs = len(_RUN.findall(text))
    if not beyond or len(_WITHIN_WORD.findall(text)) > 0.3 * runs:
        return -2.0
    return max(sum(map(weigh, beyond)) / len(beyond) for weigh in weighers)


def _written_wide(text: str) -> float:
    """The mean weight of all characters, ASCII among them."""
    plain = sum(c in "\n\r\t" or " " <= c <= "~" for c in text)
    beyond = [c for c in text if c > "\x7f"]
    bad = len(text) - plain - len(beyond)
    # Every second byte of an alphabet's letters is the same small number, which no other encoding writes.
    alphabet = [0.8 if _of_alphabet(c) else -2.0 for c in beyond]
    best = max(sum(alphabet), *(sum(map(weigh, beyond)) for weigh in _ALL))
    return (plain + best - 3.0 * bad) / len(text)


def _of_alphabet(c: str) -> bool:
    return (c < "\u1000" or "\u1e00" <= c < "\u2000") and unicodedata.category(c)[0] in "LMP"


@cache
def _chinese(c: str) -> float:
    if c in CJK_PUNCTUATION:
        return 1.0
    if "\u4e00" <= c <= "\u9fff":
        return 2.0 if simplified(c) in CHINESE else 0.0 if c in _everyday() else -1.5
    return _foreign(c)


@cache
def _japanese(c: str) -> float:
    if "\u3041" <= c <= "\u3096":
        return 1.5
    if c in CJK_PUNCTUATION or "\u30a1" <= c <= "\u30fc":
        return 1.0
    if "\u4e00" <= c <= "\u9fff":
        return 2.0 if c in JAPANESE else -0.5 if _level(c, "euc_jp", 0xB0, 0xCF) else -2.0
    return _foreign(c)


@cache
def _korean(c: str) -> float:
    if "\uac00" <= c <= "\ud7a3":
        return 1.5 if c in KOREAN else -0.3 if _level(c, "euc_kr", 0xB0, 0xC8) else -2.0
    return 0.5 if c in CJK_PUNCTUATION else _foreign(c)


@cache
def _alphabetic(c: str) -> float:
    """Greek and Cyrillic, which all East Asian encodings hold."""
    if "\u0370" <= c <= "\u04ff" and c.isalpha():
        return 1.5
    return 0.5 if c in CJK_PUNCTUATION else _foreign(c)


_ALL = (_chinese, _japanese, _korean, _alphabetic)
# For each encoding the codecs that read it, the one of the usual system first, then its extension, and what it is used
# for. Kana stand at other places in each extension of Big5.
_MULTIBYTE: dict[tuple[str, ...], tuple[_Weigher, ...]] = {
    ("gb18030",): _ALL,
    ("cp950", "big5hkscs"): (_chinese, _alphabetic),
    ("cp932",): _ALL,
    ("euc_jp", "euc_jis_2004"): _ALL,
    ("cp949",): _ALL,
}


def _foreign(c: str) -> float:
    """A character of none of the language's own kinds: a sign may be there, another script's letter hardly."""
    if unicodedata.category(c) in ("Co", "Cn", "Cc", "Cs"):
        return -5.0
    return -2.0 if c.isalpha() or "\uff61" <= c <= "\uff9f" or "\u2500" <= c <= "\u259f" else 0.0


def _level(c: str, codec: str, low: int, high: int) -> bool:
    """Whether a character stands in the rows of the everyday ones."""
    try:
        code = c.encode(codec)
    except UnicodeError:
        return False
    return len(code) == 2 and low <= code[0] <= high


@cache
def _everyday() -> frozenset[str]:
    """The first levels of GB 2312 and Big5: 9,156 characters, 6,700 of them different."""
    plain = (bytes((high, low)) for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF))
    full = (bytes((high, low)) for high in range(0xA4, 0xC7) for low in (*range(0x40, 0x7F), *range(0xA1, 0xFF)))
    return frozenset(_decodable(plain, "gb2312")) | frozenset(_decodable(full, "big5"))


def _decodable(codes: Iterator[bytes], codec: str) -> Iterator[str]:
    for code in codes:
        try:
            yield code.decode(codec)
        except UnicodeError:
            continue


def _well_formed(text: str) -> bool:
    """Whether what is beyond ASCII stands as it does in writing: letters in words of one script, capitals first, signs apart."""
    beyond = {c for c in set(text) if c > "\x7e"}
    if any(not c.isalpha() and c not in _SIGNS for c in beyond) or _MISPLACED.search(text):
        return False
    if any(close in beyond and opening not in beyond and pattern.search(text) for close, opening, pattern in _TURNED):
        return False
    return all(_is_word(word) for word in set(_WORD.findall(text)) if not word.isascii())


def _is_word(word: str) -> bool:
    scripts = {unicodedata.name(c, "").split(" ")[0] for c in word} - {"FEMININE", "MASCULINE", "MICRO"}
    if len(scripts) > 1:
        return False
    if any(b.isupper() and not a.isupper() and not (a + b).isascii() for a, b in pairwise(word)):
        return False
    if any(
        a.isupper() and b.isupper() and c.islower() and c not in "ßs" and not c.isascii() for a, b, c in _threes(word)
    ):
        return False
    return scripts != {"LATIN"} or len(word) < 3 or any(c.isascii() for c in word) or bool(_UNDISPUTED.fullmatch(word))


def _threes(word: str) -> Iterator[tuple[str, str, str]]:
    return zip(word, word[1:], word[2:], strict=False)


def _spoken(text: str, codec: str) -> float | None:
    """How many of a text's words are short ones of the language that it must be in; None where that has other letters."""
    words = [word.lower() for word in _WORD.findall(text)]
    letters = {c.lower() for c in set(text) if c > "\x7f" and c.isalpha()} - {"µ"}
    signs = {sign for sign in "¿¡" if sign in text} | ({"’"} if _APOSTROPHE.search(text) else set())
    counts = [(sum(word in a.words for word in words), a) for a in ALPHABETS]
    fits = [count for count, a in counts if codec in a.encodings and letters <= a.letters and signs <= a.signs]
    # Another language that is spoken much more, and cannot be written like this, shows that the reading is wrong.
    if not fits or max(fits) < 0.7 * max(count for count, _ in counts):
        return None
    return float(max(fits))


def _least(text: str) -> float:
    """How many short words a text must hold, by its length."""
    return max(2.0, 0.08 * len(_WORD.findall(text)))
