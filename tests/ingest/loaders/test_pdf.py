from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError

MakePdf = Callable[..., Path]


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


def test_garbage_is_never_indexed(tmp_path: Path, make_pdf: MakePdf) -> None:
    """A text layer without meaning is refused; one bad page among good ones is left out and named."""
    garbage = ["(cid:12)(cid:7)(cid:99) ".replace("(", "\\(").replace(")", "\\)") * 5] * 5
    with pytest.raises(IngestError, match="no readable text"):
        list(load(Source.of(make_pdf(tmp_path / "bad.pdf", [garbage]))))
    (document,) = load(Source.of(make_pdf(tmp_path / "mixed.pdf", [["A good page of words."], garbage])))
    assert [page.text for page in document.pages] == ["A good page of words.", ""]
    assert any("page 2: left out" in warning for warning in document.warnings)


def test_running_heads_are_dropped(tmp_path: Path, make_pdf: MakePdf) -> None:
    """A line that heads every page, with its number, does not come between the sentences."""
    pages = [
        ["Annual report 2024", f"Page {n + 2}", *(f"Topic {n * n}{letter} is here." for letter in "abcdef")]
        for n in range(1, 7)
    ]
    (document,) = load(Source.of(make_pdf(tmp_path / "a.pdf", pages)))
    assert "Annual report" not in document.text and "Page" not in document.text
    assert "Topic 36f is here." in document.text
