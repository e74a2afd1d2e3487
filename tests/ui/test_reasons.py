"""What ingest says of files, in both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

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
    ("reading it took longer than 300 seconds in all (ingest.file_seconds)", "读取超过了 300 秒", None),
    ("unpacked it would be more than 200 MB; 200 MB is the most", "解压后超过 200 MB 的上限", None),
    ("unpacked it would be 4096 MB; 200 MB is the most", "解压后超过 200 MB 的上限", None),
    ("the file starts like UTF-16 but is not: save it as UTF-8", "开头像 UTF-16，内容却不是；请另存为 UTF-8", None),
    (
        "it did not come within 30 seconds; what was taken in of it before stays",
        "30 秒内没有收到；之前收录的内容仍保留",
        None,
    ),
    (
        "a.pdf was changed after it was taken in; take it in again to see it as it is now",
        "a.pdf 在收录之后有改动；重新收录后可查看现在的内容",
        None,
    ),
    ("it was 旧名.docx", "原来叫做 旧名.docx", None),
    ("pages 3, 7: left out: what is there is no readable text", "第 3, 7 页：未收录：其中没有可读的文字", None),
    (
        "locked: needs a password; open it in LibreOffice and save it without one",
        "已加密；请用 LibreOffice 打开，另存为不加密的文件",
        None,
    ),
    (
        "Another process is writing to this store (python -m ingest, process 12, since 09:30:00). "
        "Wait until it has finished, then type the command again.",
        "另一个进程正在写入（python -m ingest，进程 12，始于 09:30:00）。",
        "Another process is writing to this store (python -m ingest, process 12, since 09:30:00).",
    ),
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


INGEST = Path(__file__).resolve().parents[2] / "ingest"
# What speaks to whoever typed a command, and lists of words.
OF_THE_TERMINAL = {
    "__main__.py",
    "report.py",
    "watch.py",
    "passwords.py",
    "alphabets.py",
    "progress.py",
    "ocr_setup.py",
}
TELLING = re.compile(
    r"\b(?:is|was|are|were|has|holds|not|no|needs|left|took|takes|lacks|failed|cannot|than|read|missing|bytes)\b"
)
# Parts of sentences, whose wholes are among the cases.
PARTS = {
    "unpacked it would be 7; 7 MB is the most", "more than 7 MB", "same bytes as ", "starts like 7 but is not",
    "was changed after it was taken in; take it in again to see it as it is now", "reading it took 7",
    "longer than 7 seconds (ingest.parse_seconds)", "longer than 7 seconds in all (ingest.file_seconds)",
    "what was taken in of it before stays",
}  # fmt: skip
UNTOLD = re.compile(r"[A-Za-z]+,? [a-z]+ [a-z]+")  # three words of English in a row


def sentences(node: ast.AST) -> list[str]:
    """A text of the source, 7 in the place of what is filled in; of an alternative the first."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(sentences(part)[0] for part in node.values)]
    if isinstance(node, ast.FormattedValue):
        alternative = isinstance(node.value, ast.IfExp) and sentences(node.value.body)
        return alternative or ["7"]
    return []


def told() -> dict[str, str]:
    """What ingest may tell of a file, and where in the sources that stands."""
    found: dict[str, str] = {}
    for path in sorted(INGEST.rglob("*.py")):
        if path.name in OF_THE_TERMINAL:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
        inner |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        inner -= {id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
        for node in ast.walk(tree):
            for text in sentences(node) if id(node) not in inner else []:
                if len(text.split()) >= 3 and TELLING.search(text) and re.fullmatch(r"[\w ,.;:'\"()`=\-…/%]+", text):
                    found.setdefault(text, f"{path.name}:{node.lineno}")
    return found


def test_every_reason_of_ingest_has_a_chinese_sentence() -> None:
    """No reason or warning in the sources of ingest is forgotten in the table."""
    sources = told()
    assert len(sources) > 100
    assert PARTS <= set(sources)
    told_so = {text: reason(text, "zh") for text in sources if text not in PARTS}
    lacking = [f"{sources[text]}: {text}: {zh}" for text, zh in told_so.items() if zh.isascii() or UNTOLD.search(zh)]
    assert not lacking, "\n".join(lacking)
