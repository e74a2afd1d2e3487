"""Text files in whatever encoding: read right or set aside with the way out, never turned into nonsense."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from ingest.encoding import decode, read_text
from ingest.source import Source
from rag.errors import IngestError
from tests.ingest.languages import ENCODINGS, TEXTS

CHINESE = TEXTS["zh-Hans"][2]
GERMAN = TEXTS["de"][2]
# What the languages were and are saved in where people write them, Unicode apart.
USUAL = [
    ("zh-Hans", "gb18030"), ("zh-Hans", "gbk"), ("zh-Hans", "gb2312"), ("zh-Hant", "big5"), ("zh-Hant", "gb18030"),
    ("zh-Hant", "big5hkscs"), ("ja", "shift_jis"), ("ja", "cp932"), ("ja", "euc-jp"), ("ja", "iso-2022-jp"),
    ("ko", "euc-kr"), ("ko", "cp949"), ("en", "cp1252"), ("de", "cp1252"), ("fr", "cp1252"), ("es", "latin-1"),
    ("es", "cp1252"), ("pt", "latin-1"), ("sv", "latin-1"), ("cs", "cp1250"), ("cs", "iso-8859-2"), ("pl", "cp1250"),
    ("pl", "iso-8859-2"), ("hu", "cp1250"), ("ru", "cp1251"), ("ru", "koi8-r"), ("ru", "cp866"), ("ru", "iso-8859-5"),
    ("tr", "cp1254"), ("el", "cp1253"), ("el", "iso-8859-7"),
]  # fmt: skip
UNICODE = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize(("language", "encoding"), USUAL)
def test_a_paragraph_is_read_in_what_people_save_it_in(language: str, encoding: str) -> None:
    """Some lines of text are enough to tell, and read as they were written."""
    assert decode(TEXTS[language][2].encode(encoding)) == TEXTS[language][2]


@pytest.mark.parametrize("encoding", UNICODE)
@pytest.mark.parametrize("language", TEXTS)
def test_unicode_is_read_in_all_its_forms(language: str, encoding: str) -> None:
    """With a mark or without one, whatever the language."""
    assert decode(TEXTS[language][2].encode(encoding)) == TEXTS[language][2]


def test_nothing_is_silently_wrong() -> None:
    """Each text, title to paragraph, in each encoding that can hold it: right, or set aside with what to type."""
    states: Counter[str] = Counter()
    wrong = []
    for language, texts in TEXTS.items():
        for text in texts:
            for encoding in ENCODINGS:
                try:
                    data = text.encode(encoding)
                except UnicodeEncodeError:
                    continue
                try:
                    right = decode(data) == text
                    states["right" if right else "wrong"] += 1
                    if not right:
                        wrong.append((language, encoding, text))
                except IngestError as error:
                    states["set aside"] += 1
                    assert "--encoding" in str(error) or "binary" in str(error)
    print(dict(states))
    assert not wrong
    assert states["right"] > 2 * states["set aside"]


def test_the_few_bytes_of_a_small_note_are_enough() -> None:
    """German umlauts are the same in all Latin tables, so that two words of them can be read."""
    assert decode("## müssen\n\nmüssen\n\näöüß\n".encode("latin-1")) == "## müssen\n\nmüssen\n\näöüß\n"


@pytest.mark.parametrize("wrong", [b"\xff", b"\xc3("])
def test_a_damaged_byte_is_not_ignored(wrong: bytes) -> None:
    """One wrong byte in a UTF-8 file is not skipped; the reason says which byte it is."""
    before = CHINESE.encode()
    with pytest.raises(IngestError, match=f"byte {len(before) + 1:,}"):
        decode(before + wrong + before)


def test_what_the_user_says_is_used_for_what_is_not_unicode() -> None:
    """``--encoding`` reads what cannot be told, and leaves UTF-8 files beside it as they are."""
    thai = "เวลาทำการวันหยุด"
    with pytest.raises(IngestError, match="--encoding NAME"):
        decode(thai.encode("cp874"))
    assert read_text(Source("a.txt", content=thai.encode("cp874"), encoding="tis-620")) == thai
    assert read_text(Source("a.txt", content=thai.encode(), encoding="tis-620")) == thai
    assert decode("Käse".encode("utf-16"), wanted="gbk") == "Käse"


def test_what_the_user_says_must_fit() -> None:
    """A file that is not in the encoding named is set aside, with the place of the first byte that does not fit."""
    with pytest.raises(IngestError, match=r"not cp932: byte \d+ does not belong there"):
        decode(b"abc \x81 def", wanted="cp932")


@pytest.mark.parametrize("name", ["gb-18031", "rot13", "base64", "undefined", "a\0b"])
def test_an_unknown_encoding_is_named_with_examples(name: str) -> None:
    """A mistyped name is an error that shows right ones."""
    with pytest.raises(IngestError, match=r"there is no encoding named .* gb18030"):
        decode(b"text", wanted=name)


@pytest.mark.parametrize(
    ("text", "encoding", "declared"),
    [
        ("朱镕基和“①”", "gb18030", "gb2312"),
        ("①髙橋さん", "cp932", "Shift_JIS"),
        ("똠방각하", "cp949", "euc-kr"),
        ("“Wort” – € 5", "cp1252", "iso-8859-1"),
        ("差旅", "gbk", "GBK"),
        ("привет", "koi8-r", "koi8-r"),
        ("こんにちは", "iso-2022-jp", "ISO-2022-JP"),
        ("嘅咗", "big5hkscs", "big5"),
    ],
)
def test_what_a_file_says_of_itself_is_used(text: str, encoding: str, declared: str) -> None:
    """A declared encoding is taken at its word, in the wider table that systems write under that name."""
    assert decode(text.encode(encoding), declared) == text


@pytest.mark.parametrize(
    "declared", ["iso-8859-1", "windows-1252", "utf-8", "ascii", "big5", "no-such-thing", "utf-16"]
)
def test_a_wrong_declaration_does_not_spoil_the_text(declared: str) -> None:
    """Where a file is plainly something else than it says, what its bytes tell counts."""
    assert decode(CHINESE.encode("gbk"), declared) == CHINESE


def test_a_letter_in_a_long_plain_text_decides() -> None:
    """The one line that is not ASCII is looked at, wherever it stands."""
    text = (
        "An ordinary line of the log.\n" * 20_000 + "Die Größe der Straße ist nicht bekannt, und das für die Gäste.\n"
    )
    assert decode(text.encode("cp1252")) == text
    text = "An ordinary line of the log.\n" * 20_000 + "今天的会议在下午三点开始，请大家准时到。\n"
    assert decode(text.encode("gbk")) == text


@pytest.mark.parametrize("data", [bytes(range(256)) * 40, b"\x00\x01\x02" * 100, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 20])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    """Binary data has no encoding, and says that it is none."""
    with pytest.raises(IngestError, match=r"binary|unsure"):
        decode(data)


def test_a_large_file_is_told_as_fast_as_a_small_one() -> None:
    """Telling the encoding looks at a sample: 20 MB take little longer than to decode them."""
    data = (CHINESE + "\n").encode("gbk") * (20_000_000 // len(CHINESE.encode("gbk")))
    began = time.perf_counter()
    data.decode("gb18030")
    plain = time.perf_counter() - began
    began = time.perf_counter()
    decode(data)
    assert time.perf_counter() - began < 3 * plain + 2
