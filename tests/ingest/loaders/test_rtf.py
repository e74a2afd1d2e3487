from __future__ import annotations

import pytest

from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError

HEAD = r"{\rtf1\ansi\ansicpg936{\fonttbl{\f0\fcharset134 SimSun;}}\f0 "


def text_of(body: str | bytes) -> str:
    content = body if isinstance(body, bytes) else (HEAD + body + "}").encode("latin-1")
    (made,) = load(Source("a.rtf", content=content))
    return made.text.strip()


def test_words_in_both_languages_however_they_are_written() -> None:
    """Escaped bytes of the code page, raw ones and Unicode all give the same Chinese; surrogate halves one emoji."""
    u = "\\u"
    assert text_of(r"\'d6\'d0\'ce\'c4 ABC") == "中文 ABC"
    assert text_of(HEAD.encode() + "中文 ABC".encode("gb18030") + b"}") == "中文 ABC"
    assert text_of(f"{u}20013?{u}25991? {u}-10179?{u}-8704?") == "中文 😀"


def test_what_is_not_shown_stays_out_and_tables_keep_their_names() -> None:
    """Codes of fields, headers of pages and pictures are no text; a row keeps its column names."""
    row = r"\trowd\cellx1\cellx2 {}\cell {}\cell\row"
    hidden = r"{\field{\*\fldinst PAGE}{\fldrslt link}}{\header top}{\pict\bin5 }}}}}}"
    assert (
        text_of(hidden + r"\par" + row.format("City", "Sum") + row.format("Ulm", "7") + r"\pard end")
        == "link\nCity: Ulm; Sum: 7\nend"
    )


@pytest.mark.parametrize("body", [r"\'d6", "\\u99999999 ", r"\'ff\'ff"])
def test_odd_characters_are_a_sentence(body: str) -> None:
    """Bytes that are no characters of the code page are never guessed at."""
    with pytest.raises(IngestError, match="another encoding than it says"):
        text_of(body + "x")
