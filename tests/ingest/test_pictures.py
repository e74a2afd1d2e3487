from __future__ import annotations

import io
from pathlib import Path

import docx
import pytest

from ingest import ocr
from ingest.loaders import load
from ingest.source import Source
from tests.ingest.pictures import chinese_font, drawn, lines


def holding(path: Path, text: str, scans: int = 1) -> Path:
    """A Word file with this text and then pictures of a Chinese clause."""
    document = docx.Document()
    document.add_paragraph(text)
    for number in range(1, scans + 1):
        picture = io.BytesIO()
        drawn(lines([f"第{number}条 租期为两年", f"Clause {number} on the rent"]), chinese_font(40)).save(
            picture, "PNG"
        )
        picture.seek(0)
        document.add_picture(picture)
    document.save(str(path))
    return path


def test_scans_pasted_into_a_document_are_read(tmp_path: Path) -> None:
    """A Word file that is little more than pictures of pages is read from them, in their order."""
    (document,) = load(Source.of(holding(tmp_path / "a.docx", "附件", scans=11)))
    assert [page.kind for page in document.pages] == ["text"] + ["ocr"] * 11
    assert "第2条租期为两年" in "".join(document.pages[2].text.split())
    assert "Clause 11 on the rent" in document.pages[11].text


def test_pictures_beside_much_text_are_illustrations(tmp_path: Path) -> None:
    """A text of its own is not held up by reading its pictures."""
    (document,) = load(Source.of(holding(tmp_path / "a.docx", "The tenancy is described here at length. " * 10)))
    assert [page.kind for page in document.pages] == ["text"]


def test_without_ocr_the_pictures_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where OCR is not installed the document says how many pictures were not read, with the command."""
    monkeypatch.setattr(ocr, "available", lambda: False)
    (document,) = load(Source.of(holding(tmp_path / "a.docx", "附件", scans=2)))
    assert document.warnings == (f"2 pictures in it: {ocr.MISSING}",)
