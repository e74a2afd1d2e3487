"""Bytes to text, strictly: a file whose encoding cannot be told is refused, never guessed into nonsense."""

from __future__ import annotations

import codecs
import re

from rag.errors import IngestError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
_COMMON_CHINESE = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年你好之文本请与等及"
    "這個為國時來們對會發後說過學與於無其所方法日月能自如而也都"
)
# One language's letters must explain all that is not ASCII: Czech read as Latin-1 mixes letters that no language mixes.
_LATIN_ALPHABETS = tuple(
    frozenset(letters + letters.upper() + "‘’“”„–—…•·€£§°©®«»\u00a0¿¡´½¼×²³µ")
    for letters in ("äöüß", "àâæçéèêëîïôœùûü", "áéíóúüñçªº", "áâãàçéêíóôõúü", "àèéìîòóù", "åäöæøéü", "äëéèïöüó")
)
_SAMPLE = 200_000


def decode(data: bytes, declared: str | None = None) -> str:
    """The text of a file's bytes; ``declared`` is the encoding that the file itself names. Raises IngestError."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _checked(_strict(data, name), f"starts like {name.upper()} but is not")
    for text in (_strict(data, "utf-8"), _strict(data, declared), _bare_utf16(data)):
        if text is not None and _is_text(text):
            return text
    if b"\0" in data or len(re.findall(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", data)) > len(data) / 200:
        raise IngestError("not a text file: it holds binary data")
    text = _chinese(data) or _latin(data)
    if text is None:
        raise IngestError("the encoding is unsure: save the file as UTF-8")
    return text


def _strict(data: bytes, encoding: str | None) -> str | None:
    try:
        return data.decode(encoding) if encoding else None
    except (UnicodeError, LookupError):
        return None


def _checked(text: str | None, complaint: str) -> str:
    if text is None or not _is_text(text):
        raise IngestError(f"the file {complaint}: save it as UTF-8")
    return text


def _is_text(text: str) -> bool:
    sample = text[:_SAMPLE]
    return len(_CONTROL.findall(sample)) * 200 <= len(sample)


def _bare_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark shows itself by zero bytes on one side of nearly every pair."""
    sample = data[: _SAMPLE - _SAMPLE % 2]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if len(data) % 2 or max(even, odd) < len(sample) * 0.2 or min(even, odd) > len(sample) * 0.01:
        return None
    return _strict(data, "utf-16-le" if odd > even else "utf-16-be")


def _chinese(data: bytes) -> str | None:
    candidates = {"gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6)}  # the rows of the everyday characters
    scores = {name: _chinese_score(data, name, rows) for name, rows in candidates.items()}
    best, other = sorted(scores, key=lambda name: scores[name], reverse=True)
    if scores[best] < 0.85 or scores[best] - scores[other] < 0.1:
        return None
    text = _strict(data, best)
    return text if text is not None and _reads_as_chinese(text) else None


def _chinese_score(data: bytes, encoding: str, rows: tuple[int, int]) -> float:
    """The share of the characters beyond ASCII that sit where everyday characters and punctuation sit."""
    text = _strict(data, encoding)
    beyond = [c for c in text[:_SAMPLE] if c > "\x7f"] if text else []
    low, high = rows
    usual = 0
    for character in beyond:
        code = character.encode(encoding)
        in_level = low <= code[0] <= high and (encoding == "big5" or code[1] >= 0xA1)
        usual += len(code) == 2 and (in_level or 0xA1 <= code[0] <= 0xA3)
    return usual / len(beyond) if beyond else 0.0


def _reads_as_chinese(text: str) -> bool:
    """Whether common characters are there and kana are not; Korean bytes pass for GBK but hold none of them."""
    characters = [c for c in text[:_SAMPLE] if "\u3040" <= c <= "\u9fff"]
    kana = sum("\u3040" <= c <= "\u30ff" for c in characters)
    common = sum(c in _COMMON_CHINESE for c in characters)
    return bool(characters) and kana <= len(characters) * 0.02 and common >= len(characters) * 0.06


def _latin(data: bytes) -> str | None:
    text = _strict(data, "cp1252")
    if text is None:
        return None
    beyond = {c for c in text if c > "\x7f"}
    letters = sum(c.isalpha() for c in text)
    foreign = sum(c > "\x7f" and c.isalpha() for c in text)
    fits = any(beyond <= alphabet for alphabet in _LATIN_ALPHABETS)
    return text if fits and foreign <= max(letters * 0.5, 1) else None
