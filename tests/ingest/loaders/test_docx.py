from __future__ import annotations

import zipfile
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ingest.archive import MOST_BYTES, check_archive
from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError
from rag.types import ParsedDocument

_BOX = """<w:p {ns} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:r><mc:AlternateContent>
<mc:Choice Requires="wps"><w:drawing>
<w:txbxContent><w:p><w:r><w:t>in the box</w:t></w:r></w:p></w:txbxContent></w:drawing>
</mc:Choice><mc:Fallback><w:pict><w:txbxContent><w:p><w:r><w:t>in the box</w:t></w:r></w:p></w:txbxContent></w:pict>
</mc:Fallback></mc:AlternateContent></w:r></w:p>"""


def parsed(document: object, path: Path) -> ParsedDocument:
    document.save(str(path))  # type: ignore[attr-defined]
    (made,) = load(Source.of(path))
    return made


def test_document_order_headings_lists_and_tables(tmp_path: Path) -> None:
    """Everything stands in the order of the page; a table row keeps its column names, nested tables follow."""
    made = docx.Document()
    made.add_heading("手册", level=1)
    made.add_paragraph("Before.")
    table = made.add_table(rows=2, cols=2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ["项目", "数量", "甲", "3"], strict=True):
        cell.text = text
    inner = table.rows[1].cells[1].add_table(rows=1, cols=1)
    inner.rows[0].cells[0].text = "nested"
    made.add_heading("Part", level=2)
    made.add_paragraph("item", style="List Bullet")
    document = parsed(made, tmp_path / "a.docx")
    assert document.title == "手册" and document.marked_up
    assert document.text == "# 手册\n\nBefore.\n\n项目: 甲; 数量: 3\n\nnested\n\n## Part\n- item"


def test_text_boxes_come_along_once(tmp_path: Path) -> None:
    """The text of a text box is read, and the copy for old readers is not."""
    made = docx.Document()
    made.element.body.insert(0, parse_xml(_BOX.format(ns=nsdecls("w"))))
    assert parsed(made, tmp_path / "a.docx").text == "in the box"


def test_deleted_text_stays_out(tmp_path: Path) -> None:
    """What tracked changes deleted is not part of the document; what they inserted is."""
    made = docx.Document()
    paragraph = (
        "<w:p %s><w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins></w:p>"
    )
    made.element.body.insert(0, parse_xml(paragraph % nsdecls("w")))
    assert parsed(made, tmp_path / "a.docx").text == "new"


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    """XML entities never get as far as a parser."""
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
    with pytest.raises(IngestError, match="declares a document type"):
        list(load(Source.of(path)))


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    """A small file that unpacks beyond the limit, or a hundredfold, is refused; small blank parts are not."""
    bomb = tmp_path / "bomb.docx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in range(5):
            archive.writestr(f"word/{part}.xml", b"\0" * (MOST_BYTES // 4))
    with pytest.raises(IngestError, match="unpacked it would be 250 MB"):
        check_archive(Source.of(bomb))
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * (2 << 20))
    with pytest.raises(IngestError, match="100 times its size"):
        check_archive(Source.of(bomb))
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * (1 << 19))
    check_archive(Source.of(bomb))
