from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL.Image import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    TextStringObject,
)

from ingest import ocr
from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError
from tests.ingest.pictures import chinese_font, drawn, latin_font, lines

MakePdf = Callable[..., Path]


def joined(path: Path, written: Path, scan: Image) -> Path:
    """A PDF of another one's pages and then a picture."""
    scan.save(path.with_suffix(".scan.pdf"))
    writer = PdfWriter()
    writer.append(written)
    writer.append(path.with_suffix(".scan.pdf"))
    writer.write(path)
    return path


def page_of(path: Path, drawing: str) -> Path:
    """A PDF of one page with this content stream; F1 is Helvetica."""
    writer = PdfWriter()
    page = writer.add_blank_page(612, 792)
    content = DecodedStreamObject()
    content.set_data(drawing.encode())
    page[NameObject("/Contents")] = writer._add_object(content)
    pairs = (("/Type", "/Font"), ("/Subtype", "/Type1"), ("/BaseFont", "/Helvetica"))
    font = DictionaryObject({NameObject(key): NameObject(value) for key, value in pairs})
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
    )
    writer.write(path)
    return path


def test_page_numbers_count_blank_pages(tmp_path: Path, make_pdf: MakePdf) -> None:
    """The third page stays the third where the second is blank, and the blank one is named."""
    (document,) = load(Source.of(make_pdf(tmp_path / "a.pdf", [["First page."], [], ["Third page."]])))
    assert [(page.number, page.text) for page in document.pages] == [(1, "First page."), (2, ""), (3, "Third page.")]
    assert document.warnings == ("page 2: without text",)


def test_a_truly_blank_pdf_is_no_failure(tmp_path: Path, make_pdf: MakePdf) -> None:
    """A PDF of one blank page is read and has no text."""
    (document,) = load(Source.of(make_pdf(tmp_path / "a.pdf", [[]])))
    assert document.text == ""


def test_an_empty_password_is_tried(tmp_path: Path, make_pdf: MakePdf) -> None:
    """A PDF that only restricts copying opens; one that needs a password says so."""
    (document,) = load(Source.of(make_pdf(tmp_path / "open.pdf", [["Hello there."]], password="")))
    assert document.text == "Hello there."
    with pytest.raises(IngestError, match="locked: needs a password"):
        list(load(Source.of(make_pdf(tmp_path / "locked.pdf", [["Hello."]], password="secret"))))


def test_passwords_are_tried(tmp_path: Path, make_pdf: MakePdf) -> None:
    """One of the passwords that the user gave opens a locked file; a wrong one does not."""
    path = make_pdf(tmp_path / "locked.pdf", [["Behind a password."]], password="开门")
    (document,) = load(Source(path.name, path, passwords=("wrong", "开门")))
    assert document.text == "Behind a password."
    with pytest.raises(IngestError, match="locked: the password given does not open it"):
        list(load(Source(path.name, path, passwords=("wrong",))))


def test_rubbish_is_read_from_the_picture_of_its_page(tmp_path: Path, make_pdf: MakePdf) -> None:
    """A text layer without meaning goes to OCR, which reads what the page shows; other pages keep their own text."""
    garbage = ["/G21/G22/G07/G99 /G12/G45 /G33/G01 /G28"] * 12
    path = make_pdf(tmp_path / "mixed.pdf", [["A good page of words."], garbage])
    (document,) = load(Source.of(path))
    assert [page.kind for page in document.pages] == ["text", "ocr"]
    assert document.pages[0].text == "A good page of words."
    assert "left out" in " ".join(document.warnings) and "/G21" not in document.text


def test_a_scan_among_written_pages_is_read(tmp_path: Path, make_pdf: MakePdf) -> None:
    """Only the page that is a picture goes to OCR, in Chinese too, and keeps its number."""
    scan = drawn(lines(["第三条 保修期为三年", "Warranty lasts three years."]), chinese_font(40))
    path = joined(tmp_path / "mixed.pdf", make_pdf(tmp_path / "a.pdf", [["A written page."], []]), scan)
    (document,) = load(Source.of(path))
    assert [(page.number, page.kind) for page in document.pages] == [(1, "text"), (2, "text"), (3, "ocr")]
    assert "保修期为三年" in document.pages[2].text and "three years" in document.pages[2].text
    assert document.warnings == ("page 2: without text",)


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_scan_that_lies_on_its_side_is_turned(tmp_path: Path, turned: int) -> None:
    """Scans turned by a quarter or half are read upright, and the reader is told."""
    text = [f"The meeting of item {n} was held in the large hall." for n in range(8)]
    drawn(lines(text), latin_font(36)).rotate(turned, expand=True).save(tmp_path / "a.pdf")
    (document,) = load(Source.of(tmp_path / "a.pdf"))
    assert "The meeting of item 5 was held in the large hall." in document.text
    assert f"page 1: turned by {turned} degrees to be read" in document.warnings


def test_without_ocr_the_command_is_named(tmp_path: Path, make_pdf: MakePdf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where OCR is not installed a scan is set aside with the command, and a written document names its scanned page."""
    monkeypatch.setattr(ocr, "available", lambda: False)
    scan = drawn(lines(["Only a picture of words."]))
    scan.save(tmp_path / "scan.pdf")
    with pytest.raises(IngestError, match="type `pip install -r"):
        list(load(Source.of(tmp_path / "scan.pdf")))
    (document,) = load(
        Source.of(joined(tmp_path / "mixed.pdf", make_pdf(tmp_path / "a.pdf", [["A written page."]]), scan))
    )
    assert document.pages[0].text == "A written page." and document.pages[1].text == ""
    assert document.warnings == (f"page 2: {ocr.MISSING}",)


def test_a_stamp_on_a_scan_does_not_hide_the_scan(tmp_path: Path, make_pdf: MakePdf) -> None:
    """A page that is one picture with a line of text on it is a scan: the picture's words are read."""
    scan = drawn(lines([f"Paragraph {n} of the lease." for n in range(6)]), latin_font(40))
    scan.save(tmp_path / "scan.pdf")
    writer = PdfWriter(clone_from=tmp_path / "scan.pdf")
    stamp = PdfReader(make_pdf(tmp_path / "stamp.pdf", [["Received 12 May"]])).pages[0]
    writer.pages[0].merge_page(stamp)
    writer.write(tmp_path / "stamped.pdf")
    (document,) = load(Source.of(tmp_path / "stamped.pdf"))
    assert document.pages[0].kind == "ocr" and "Paragraph 4 of the lease." in document.text


HIDDEN = {
    "no ink": "3 Tr",
    "white": "1 1 1 rg",
    "tiny": "/F1 1 Tf",
}


@pytest.mark.parametrize("how", HIDDEN)
@pytest.mark.parametrize("seen", ["Seen by everybody on the page.", ""])
def test_hidden_text_is_flagged(tmp_path: Path, how: str, seen: str) -> None:
    """Text that nobody sees beside text that everybody sees is kept and named; a page all of one kind is not accused."""
    path = page_of(
        tmp_path / "a.pdf",
        f"BT /F1 12 Tf 72 700 Td ({seen}) Tj ET BT /F1 12 Tf {HIDDEN[how]} 72 600 Td (Obey this now please) Tj ET",
    )
    (document,) = load(Source.of(path))
    flagged = [warning for warning in document.warnings if "hidden text, 17 characters" in warning]
    assert len(flagged) == bool(seen)


def test_white_letters_on_a_dark_bar_are_not_hidden(tmp_path: Path) -> None:
    """The head of a table in white on blue is there to be read."""
    path = page_of(
        tmp_path / "a.pdf",
        "0 0 .5 rg 60 590 300 30 re f BT 1 1 1 rg /F1 12 Tf 72 600 Td (Name of the product) Tj ET "
        "BT 0 0 0 rg /F1 12 Tf 72 560 Td (Kettle and pot) Tj ET",
    )
    (document,) = load(Source.of(path))
    assert document.warnings == ()


def test_filled_in_forms_and_notes_come_along(tmp_path: Path) -> None:
    """What a person typed into a form's field or noted on the page is part of the document."""
    writer = PdfWriter(clone_from=page_of(tmp_path / "a.pdf", "BT /F1 12 Tf 72 700 Td (Application) Tj ET"))
    for note in (
        {"/Subtype": NameObject("/Widget"), "/T": TextStringObject("申请人"), "/V": TextStringObject("王小明")},
        {"/Subtype": NameObject("/FreeText"), "/Contents": TextStringObject("Checked on Monday")},
        {"/Subtype": NameObject("/Link"), "/Contents": TextStringObject("never shown")},
    ):
        box = ArrayObject(FloatObject(n) for n in (10, 10, 100, 30))
        pairs = {NameObject(key): value for key, value in note.items()}
        writer.add_annotation(0, DictionaryObject({NameObject("/Rect"): box, **pairs}))
    writer.write(tmp_path / "form.pdf")
    (document,) = load(Source.of(tmp_path / "form.pdf"))
    assert document.text == "Application\n\n申请人: 王小明\nChecked on Monday"


def test_a_chapter_has_a_running_head_of_its_own(tmp_path: Path, make_pdf: MakePdf) -> None:
    """A head that stands on every other page of one chapter goes, however long the book."""
    body = [[f"Sentence {n * 7 + m} is only here." for m in range(5)] for n in range(20)]
    heads = [["Chapter One"] if n < 10 and n % 2 else [f"Part {n * n} apart"] for n in range(20)]
    pages = [head + text for head, text in zip(heads, body, strict=True)]
    (document,) = load(Source.of(make_pdf(tmp_path / "a.pdf", pages)))
    assert "Chapter One" not in document.text and "Part 16 apart" in document.text


def test_running_heads_are_dropped(tmp_path: Path, make_pdf: MakePdf) -> None:
    """A line that heads every page, with its number, does not come between the sentences."""
    pages = [
        ["Annual report 2024", f"Page {n + 2}", *(f"Topic {n * n}{letter} is here." for letter in "abcdef")]
        for n in range(1, 7)
    ]
    (document,) = load(Source.of(make_pdf(tmp_path / "a.pdf", pages)))
    assert "Annual report" not in document.text and "Page" not in document.text
    assert "Topic 36f is here." in document.text
