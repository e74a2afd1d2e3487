"""Mails: their headers, the best of their texts, and each attachment as a document of its own."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError
from rag.types import ParsedDocument


def parsed(content: bytes | EmailMessage, encoding: str = "") -> list[ParsedDocument]:
    """The mail, then what is attached to it."""
    data = content if isinstance(content, bytes) else content.as_bytes()
    documents = list(load(Source("mail.eml", content=data, encoding=encoding)))
    return [documents[-1], *documents[:-1]]


def mail(text: str = "Hello.", subject: str = "预算 2024") -> EmailMessage:
    """A mail with an ordinary head."""
    message = EmailMessage()
    message["From"] = "王小明 <wang@example.cn>"
    message["To"] = "ann@example.org"
    message["Date"] = "Mon, 06 May 2024 10:00:00 +0800"
    message["Subject"] = subject
    message.set_content(text)
    return message


def test_a_mail_is_its_head_and_its_text() -> None:
    """Who wrote to whom, when and about what are lines before the text; the quoted history stays."""
    (document,) = parsed(mail("您好，\n\n附件请查收。\n\n> earlier words\n"))
    assert document.title == "预算 2024" and document.key is None
    assert document.text == (
        "From: 王小明 <wang@example.cn>\nTo: ann@example.org\nDate: Mon, 06 May 2024 10:00:00 +0800\nSubject: 预算 2024\n\n"
        "您好，\n\n附件请查收。\n\n> earlier words"
    )


def test_of_two_forms_of_a_text_one_is_read() -> None:
    """The plain form goes before the page, unless it only says that there is a page."""
    message = mail("The plain words, which are enough for anyone who reads them in this mail program.")
    message.add_alternative("<p>The page</p>", subtype="html")
    assert "plain words" in parsed(message)[0].text and "The page" not in parsed(message)[0].text
    message = mail("Please view this message in HTML.")
    message.add_alternative(f"<style>p{{}}</style><h1>News</h1><p>{'All of the news. ' * 40}</p>", subtype="html")
    (document,) = parsed(message)
    assert "# News\n\nAll of the news." in document.text and "view this" not in document.text and document.marked_up


def test_each_attachment_is_a_document_of_its_own() -> None:
    """Attachments go through the loaders of their formats and are called by their names, two of one name apart."""
    message = mail()
    message.add_attachment("名称,价格\n苹果,5\n".encode("gbk"), maintype="text", subtype="csv", filename="价格.csv")
    message.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="价格.csv")
    message.add_attachment(
        b"<h1>Page</h1>", maintype="application", subtype="octet-stream", filename="C:\\x\\..\\page.html"
    )
    found = {document.key: document.text for document in parsed(message)[1:]}
    assert found == {"价格.csv": "名称: 苹果; 价格: 5", "价格 (2).csv": "a: 1; b: 2", "page.html": "# Page"}


def test_what_cannot_be_read_is_a_warning_of_the_mail() -> None:
    """A broken, empty or unsupported attachment never costs the mail, which says what is missing and why."""
    message = mail()
    message.add_attachment(b"%PDF-1.4 broken", maintype="application", subtype="pdf", filename="a.pdf")
    message.add_attachment(b"\0\1", maintype="application", subtype="octet-stream", filename="b.bin")
    message.add_attachment(b"", maintype="text", subtype="plain", filename="c.txt")
    (document,) = parsed(message)
    assert "Hello." in document.text
    assert [warning.split(" left out: ")[0] for warning in document.warnings] == [
        "attachment a.pdf", "attachment b.bin", "attachment c.txt"
    ]  # fmt: skip
    assert "PDF is damaged" in document.warnings[0] and "bin files are not supported" in document.warnings[1]


def test_a_mail_in_a_mail_is_read_to_the_third_one() -> None:
    """Forwarded mails come with their own attachments; what lies deeper than three files is told and left out."""
    message = mail("the innermost", "level 4")
    for level in (3, 2, 1, 0):
        outer = mail(f"text of {level}", f"level {level}")
        outer.add_attachment(message)
        message = outer
    documents = parsed(message)
    assert [document.key for document in documents] == [
        None, "level 1.eml#level 2.eml#level 3.eml", "level 1.eml#level 2.eml", "level 1.eml"
    ]  # fmt: skip
    assert "more than 3 files deep" in documents[1].warnings[0]


def test_a_picture_in_the_text_is_no_attachment() -> None:
    """Logos that a page shows and proofs of a signature are left out without a word."""
    message = mail("The plain words, which are enough for anyone who reads them in this mail program.")
    message.add_alternative('<p>x<img src="cid:logo"></p>', subtype="html")
    page = message.get_payload()[1]  # type: ignore[index]
    page.add_related(b"\x89PNG\r\n\x1a\n", "image", "png", cid="<logo>", filename="logo.png")  # type: ignore[union-attr]
    message.add_attachment(b"sig", maintype="application", subtype="pgp-signature", filename="s.asc")
    (document,) = parsed(message)
    assert document.warnings == ()


_GBK_HEAD = (
    "From: 王 <w@x.cn>\nSubject: 关于年假的通知\nContent-Type: text/plain{}\n\n"
    "今年的年假从五月开始按新的规定执行，请大家知道。\n"
)


@pytest.mark.parametrize("charset", ["", "; charset=gb2312", "; charset=us-ascii", "; charset=no-such-thing"])
def test_bytes_against_the_rules_are_read(charset: str) -> None:
    """Old programs write a subject and a text in GBK and say nothing, or something wrong, of it."""
    (document,) = parsed(_GBK_HEAD.format(charset).encode("gbk"))
    assert document.title == "关于年假的通知"
    assert document.text.endswith("今年的年假从五月开始按新的规定执行，请大家知道。") and "\ufffd" not in document.text


def test_encoded_names_are_shown_as_names() -> None:
    """Names of attachments by RFC 2231 and, as many programs write them, in encoded words."""
    data = (
        b"From: a@b\nSubject: =?gb2312?B?1tDOxA==?=\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
        b"--x\nContent-Type: text/plain; charset=gb2312\nContent-Transfer-Encoding: base64\n\n1tDOxA==\n"
        b"--x\nContent-Type: application/octet-stream\nContent-Disposition: attachment;\n"
        b" filename*=UTF-8''%E6%8A%A5%E5%91%8A.txt\n\nfirst\n"
        b'--x\nContent-Type: text/plain; name="=?gb2312?B?1tDOxA==?=.txt"\nContent-Disposition: attachment\n\nsecond\n--x--\n'
    )
    documents = parsed(data)
    assert documents[0].title == "中文" and documents[0].text.endswith("\n\n中文")
    assert [(document.key, document.text) for document in documents[1:]] == [
        ("报告.txt", "first"),
        ("中文.txt", "second"),
    ]


def test_a_name_cannot_deceive() -> None:
    """Folders, line ends and characters that turn the writing round are no part of an attachment's name."""
    message = mail()
    message.add_attachment(b"x", maintype="text", subtype="plain", filename="../../etc/\u202etxt.exe\u202c.txt")
    assert [document.key for document in parsed(message)[1:]] == ["txt.exe.txt"]


def test_a_saved_page_is_read_as_the_page() -> None:
    """What a browser saved as one file has the page's title and text, without a mail's head or the pictures."""
    data = (
        b"From: <Saved by Blink>\nSnapshot-Content-Location: https://example.org/\nSubject: T\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/related; type="text/html"; boundary="x"\n\n'
        b"--x\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n"
        b"<html><meta charset=3D'utf-8'><h1>=E6=A0=87=E9=A2=98</h1><p>Words</p>\n"
        b"--x\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0K\n--x--\n"
    )
    (document,) = load(Source("page.mhtml", content=data))
    assert (document.title, document.text, document.warnings) == ("标题", "# 标题\n\nWords", ())


@pytest.mark.parametrize("content", [b"", b"just words\n\nand more", b"\n\n\n"])
def test_what_is_no_mail_says_so(content: bytes) -> None:
    """A file that only has a mail's ending is refused."""
    with pytest.raises(IngestError, match="not a mail"):
        parsed(content)


@pytest.mark.parametrize(
    "head",
    [
        b"Subject: =?utf-8?b?====?=",
        b"Subject: =?utf-8?q?=E4=BD?= =?utf-8?q?=A0?=",
        b"Date: not a date",
        b"From: <<<>>>,,;",
        b"Content-Type: multipart/mixed",
        b"Content-Type: multipart/mixed; boundary=y",
        b"Content-Type: text/plain; charset=\xff\xfe",
        b"Content-Disposition: attachment; filename*=x'y'%ZZ",
        b"Content-Type: message/rfc822",
    ],
)
def test_a_broken_head_breaks_nothing(head: bytes) -> None:
    """What mail programs get wrong costs at most the line that is wrong."""
    documents = parsed(b"From: a@example.org\nMIME-Version: 1.0\n" + head + b"\n\nwords of the mail\n")
    assert "From:" in documents[0].text


def test_a_text_that_cannot_be_told_sets_the_mail_aside_with_the_way_out() -> None:
    """A body in an encoding that nobody can tell is not stored as nonsense; ``--encoding`` reads it."""
    data = b"From: a@example.org\nSubject: T\n\n" + "เวลาทำการวันหยุด".encode("cp874") + b"\n"
    with pytest.raises(IngestError, match="--encoding"):
        parsed(data)
    assert parsed(data, "tis-620")[0].text.endswith("เวลาทำการวันหยุด")


def test_a_mail_that_is_cut_off_says_so(tmp_path: Path) -> None:
    """A download that broke off gives what came, and the reader is told that something may be missing."""
    message = EmailMessage()
    message["From"], message["Subject"] = "a@example.org", "报价"
    message.set_content("The body of the mail.")
    message.add_attachment(b"one attachment", maintype="text", subtype="plain", filename="a.txt")
    whole = message.as_bytes()
    for share, cut in ((1.0, False), (0.9, True)):
        path = tmp_path / "m.eml"
        path.write_bytes(whole[: int(len(whole) * share)])
        documents = list(load(Source.of(path)))
        assert any("cut off" in warning for warning in documents[-1].warnings) is cut
