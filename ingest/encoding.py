"""Bytes to text, strictly: a file whose encoding cannot be told is refused, never guessed into nonsense."""

from __future__ import annotations

import codecs
import re

from ingest import detection
from ingest.source import Source
from rag.errors import IngestError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
# What a file says of itself is often the name of a subset: each is read by the table that systems really write.
_SUPERSETS = {
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "big5": ("cp950", "big5hkscs"),
    "cp950": ("cp950", "big5hkscs"),
    "shift_jis": ("cp932",),
    "euc_kr": ("cp949",),
    "euc_jp": ("euc_jp", "euc_jis_2004"),
    "iso8859-1": ("cp1252",),
    "ascii": ("cp1252",),
    "iso8859-9": ("cp1254",),
    "tis-620": ("cp874",),
    "koi8-r": ("koi8_u",),
}
_SEVEN_BIT = re.compile(r"iso2022_|hz$|utf-7$")  # they look like ASCII
_LATIN_WITH_OTHER = re.compile("[A-Za-z][\u0530-\u07ff]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd]")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_NAMES = "gb18030, big5, shift_jis, euc-kr, windows-1252, windows-1251"
_WAY_OUT = f"save the file as UTF-8, or type --encoding NAME ({_NAMES}, …)"
_SAMPLE = 200_000


def read_text(source: Source, declared: str | None = None) -> str:
    """The text of a file; ``declared`` is the encoding that the file itself names. Raises IngestError."""
    return decode(source.read(), declared, source.encoding)


def decode(data: bytes, declared: str | None = None, wanted: str = "") -> str:
    """The text of bytes; ``wanted`` is the user's word, for what is not Unicode by itself. Raises IngestError.

    In this order: a mark at the beginning, UTF-8, ``wanted``, ``declared``, then what can be told from the bytes.
    """
    if wanted and not _codecs(wanted):
        raise IngestError(f"there is no encoding named {wanted!r}; type --encoding with one such as {_NAMES}")
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _checked(_strict(data, (name,)), f"starts like {name.upper()} but is not").removeprefix("\ufeff")
    unicode = _text(data, ("utf-8",))
    text = _shifted(data, wanted, declared) or (None if unicode and _by_chance(unicode) else unicode)
    if text is None:
        text = _text(data, _codecs(wanted))
    if text is None:
        text = _told(data, declared)
    if text is None:
        raise IngestError(_complaint(data, wanted))
    return text


def _by_chance(text: str) -> bool:
    """Whether what is UTF-8 may be so by chance: one or two letters of a far alphabet within Latin words."""
    return sum(c > "\x7f" for c in text) < 3 and _LATIN_WITH_OTHER.search(text) is not None


def _shifted(data: bytes, wanted: str, declared: str | None) -> str | None:
    """The text where it is in one of the encodings that write everything in ASCII, Japanese mail for one."""
    if not data.isascii():
        return None
    named = [name for name in (wanted, declared) if name and _SEVEN_BIT.match(_canonical(name))]
    if not named and b"\x1b$" in data:
        named = ["iso2022_jp_ext", "iso2022_kr"]
    return next((text for name in named if (text := _text(data, (name,))) and "\x1b" not in text), None)


def _told(data: bytes, declared: str | None) -> str | None:
    """The text by what the file says of itself, unless that is plainly wrong, else by what can be told from its bytes."""
    if guess := detection.wide(data):
        return _text(data, guess.codecs)
    found = detection.multibyte(data)
    named = _codecs(declared or "")
    # A template's or server's word must not turn Chinese into accents or Hangul where the bytes are beyond doubt.
    if named and (not found or set(named) & set(found.codecs)) and (text := _text(data, named)) is not None:
        return text
    if _is_binary(data):
        raise IngestError("not a text file: it holds binary data")
    letters = detection.single_byte(data)
    if found and letters:
        return None
    guess = found or letters
    return _text(data, guess.codecs) if guess else None


def _complaint(data: bytes, wanted: str) -> str:
    if wanted:
        try:
            data.decode(_codecs(wanted)[-1])
        except UnicodeDecodeError as error:
            return f"not {wanted}: byte {error.start + 1:,} does not belong there; {_WAY_OUT}"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        well_formed = len(re.findall(rb"[\xc3-\xf4][\x80-\xbf]+", data))
        if well_formed > 10 and well_formed * 2 > len(re.findall(rb"[\x80-\xff]+", data)):
            return f"the encoding is unsure: UTF-8 but for byte {error.start + 1:,}; {_WAY_OUT}"
    return f"the encoding is unsure: {_WAY_OUT}"


def _canonical(name: str) -> str:
    """Python's own name of a text encoding, or "" for what is none."""
    try:
        found = codecs.lookup(name.strip())
    except (LookupError, ValueError):
        return ""
    return found.name if found._is_text_encoding and found.name not in ("undefined", "idna", "punycode") else ""


def _codecs(name: str) -> tuple[str, ...]:
    canonical = _canonical(name) if name else ""
    return _SUPERSETS.get(canonical, (canonical,)) if canonical else ()


def _text(data: bytes, names: tuple[str, ...]) -> str | None:
    text = _strict(data, names)
    return text if text is not None and _is_text(text) else None


def _strict(data: bytes, names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            return data.decode(name)
        except (UnicodeError, LookupError):
            continue
    return None


def _checked(text: str | None, complaint: str) -> str:
    if text is None or not _is_text(text):
        raise IngestError(f"the file {complaint}: save it as UTF-8")
    return text


def _is_binary(data: bytes) -> bool:
    return b"\0" in data or len(_BINARY.findall(data)) > len(data) / 200


def _is_text(text: str) -> bool:
    sample = text[:_SAMPLE]
    return len(_CONTROL.findall(sample)) * 200 <= len(sample)
