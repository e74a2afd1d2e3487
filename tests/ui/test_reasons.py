"""What ingest says of files, in both languages."""

from __future__ import annotations

import re

import pytest

from ui.words.reasons import CHINESE, reason

CASES = [
    ("locked: needs a password; type --password FILE=PASSWORD", "已加密，需要密码", "locked: needs a password"),
    ("the PDF is damaged or cut off: no trailer", "文件已损坏或不完整：no trailer", None),
    ("needs OCR: type `pip install -r requirements-ocr.txt`, then run this again", "需要文字识别（OCR）", "needs OCR"),
    ("page 3: turned by 90 degrees to be read", "第 3 页：旋转 90 度后读取", None),
    ("same bytes as 合同.docx", "与 合同.docx 内容完全相同", None),
    ("reading it took longer than 90 seconds (ingest.parse_seconds)", "读取超过了 90 秒", None),
    ("attachment a.zip left out: .zip files are not supported", "附件 a.zip 未收录：不支持 .zip 文件", None),
    ("something nobody knows", "something nobody knows", None),
]


@pytest.mark.parametrize(("text", "chinese", "english"), CASES)
def test_a_reason_is_told_in_the_readers_language(text: str, chinese: str, english: str | None) -> None:
    """Known sentences are Chinese for readers of Chinese, without commands on the page; unknown ones stay as they are."""
    assert reason(text, "zh") == chinese
    if english:
        assert reason(text, "en") == english


def test_every_pattern_fills_its_sentence() -> None:
    """Each Chinese sentence uses no more places than its pattern has groups."""
    for pattern, chinese in CHINESE:
        groups = re.compile(pattern).groups
        assert all(int(place) < groups for place in re.findall(r"\{(\d)\}", chinese)), pattern
