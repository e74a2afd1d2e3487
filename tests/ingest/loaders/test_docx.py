from __future__ import annotations

import io
import zipfile
from dataclasses import replace
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


_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DRAWN = """<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing">
<wp:docPr id="1" name="Picture 1" title="{title}" descr="{descr}"/></wp:inline></w:drawing></w:r></w:p>"""
_CHART = """<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"
xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>产量</a:t></a:r>
</a:p></c:rich></c:tx></c:title><c:plotArea><c:barChart><c:ser><c:tx><c:strRef><c:strCache><c:pt idx="0"><c:v>2023</c:v></c:pt>
</c:strCache></c:strRef></c:tx><c:cat><c:strRef><c:strCache><c:pt idx="0"><c:v>甲厂</c:v></c:pt></c:strCache></c:strRef></c:cat>
<c:val><c:numRef><c:numCache><c:formatCode>0.0%</c:formatCode><c:pt idx="0"><c:v>0.25</c:v></c:pt></c:numCache></c:numRef></c:val>
</c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>"""


def written(body: str, main: str = "word/document.xml", namespace: str = _W, **parts: str) -> Source:
    """A package with this body and further parts (``footnotes='<w:footnote…>'``), made by hand."""
    content = io.BytesIO()
    relations = "".join(
        f'<Relationship Id="r{kind}" Type="{_OFFICE}/{kind}" Target="{kind}.xml"/>' for kind in (*parts, "image")
    )
    names = f'xmlns:w="{namespace}" xmlns:r="{_OFFICE}"'
    with zipfile.ZipFile(content, "w") as archive:
        package = "http://schemas.openxmlformats.org/package/2006/relationships"
        start = f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="/{main}"/>'
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{package}">{start}</Relationships>')
        file = main.rpartition("/")[2]
        archive.writestr(f"word/_rels/{file}.rels", f'<Relationships xmlns="{package}">{relations}</Relationships>')
        archive.writestr(main, f"<w:document {names}><w:body>{body}</w:body></w:document>")
        for kind, inner in parts.items():
            whole = inner if inner.startswith("<c:") else f"<w:{kind} {names}>{inner}</w:{kind}>"
            archive.writestr(f"word/{kind}.xml", whole)
    return Source("a.docx", content=content.getvalue())


def text_of(source: Source) -> str:
    (made,) = load(source)
    return made.text


def p(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def tc(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{p(text)}</w:tc>"


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


def test_notes_and_comments_follow_what_they_are_about() -> None:
    """A footnote's, an endnote's and a comment's words come after the paragraph that refers to them."""
    body = "<w:p><w:r><w:t>正文</w:t><w:{0}Reference w:id='2'/></w:r></w:p>" + p("Next.")
    for kind in ("footnote", "endnote"):
        rule = f"<w:{kind} w:id='0' w:type='separator'>{p('rule')}</w:{kind}>"
        notes = {f"{kind}s": f"{rule}<w:{kind} w:id='2'>{p('the note')}</w:{kind}>"}
        assert text_of(written(body.format(kind), **notes)) == "正文\n\nthe note\n\nNext."
    comment = f"<w:comment w:id='2' w:author='李雷'>{p('请核对')}</w:comment>"
    assert text_of(written(body.format("comment"), comments=comment)) == "正文\n\n李雷: 请核对\n\nNext."


def test_alternative_texts_come_along_where_they_say_something() -> None:
    """A description of a picture is read; a name like "Picture 3" or a file's name is not."""
    told = text_of(
        written(_DRAWN.format(title="", descr="A bridge over a river") + _DRAWN.format(title="", descr="图片 3"))
    )
    assert told == "A bridge over a river"
    for nothing in ("image1.png", "Picture 12", "文本框 4", "---"):
        assert text_of(written(p("x") + _DRAWN.format(title=nothing, descr=nothing))) == "x"


def test_charts_are_written_down() -> None:
    """A chart comes as its title and a row a category, in the format of its figures."""
    chart = '<w:p><w:r><c:chart xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" r:id="rchart"/></w:r></w:p>'
    assert text_of(written(chart, chart=_CHART)) == "产量\n甲厂; 2023: 25.0%"


def test_numbers_that_word_counts_by_itself_are_shown() -> None:
    """Headings and paragraphs carry the numbers that a reader sees, in both languages; a bullet is a dash."""
    level = '<w:lvl w:ilvl="{0}"><w:start w:val="1"/><w:numFmt w:val="{1}"/><w:lvlText w:val="{2}"/></w:lvl>'
    lists = (
        f'<w:abstractNum w:abstractNumId="0">{level.format(0, "decimal", "%1")}'
        f"{level.format(1, 'decimal', '%1.%2')}</w:abstractNum>"
        f'<w:abstractNum w:abstractNumId="1">{level.format(0, "chineseCounting", "第%1条")}</w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="2">{level.format(0, "bullet", "")}</w:abstractNum>'
        + "".join(f'<w:num w:numId="{n + 1}"><w:abstractNumId w:val="{n}"/></w:num>' for n in range(3))
    )
    of = '<w:numPr><w:ilvl w:val="{1}"/><w:numId w:val="{0}"/></w:numPr>'
    heading = '<w:outlineLvl w:val="{1}"/>' + of
    body = [p("Scope", heading.format(1, 0)), p("Terms", heading.format(1, 1)), p("Use", heading.format(1, 1))]
    body += [p("Rest", heading.format(1, 0)), p("Parts", heading.format(1, 1)), p("dot", of.format(3, 0))]
    body += [p("适用", of.format(2, 0)) for _ in range(12)]
    lines = text_of(written("".join(body), numbering=lists)).split("\n")
    assert [line for line in lines if line][:6] == [
        "# 1 Scope",
        "## 1.1 Terms",
        "## 1.2 Use",
        "# 2 Rest",
        "## 2.1 Parts",
        "- dot",
    ]
    assert lines[-1] == "第十二条 适用" and "第三条 适用" in lines


def test_merged_cells_are_filled_and_said_once() -> None:
    """A cell merged downwards stands in each of its rows; one merged across stands once under both names."""
    down, goes_on = "<w:vMerge w:val='restart'/>", "<w:vMerge/>"
    rows = [
        tc("地区") + tc("2022") + tc("2023"),
        tc("华东", down) + tc("closed", "<w:gridSpan w:val='2'/>"),
        tc("", goes_on) + tc("5") + tc("6"),
    ]
    table = "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"
    assert text_of(written(table)) == "地区: 华东; 2022, 2023: closed\n地区: 华东; 2022: 5; 2023: 6"


def test_marked_header_rows_name_the_columns() -> None:
    """Rows that Word repeats on each page are the header, all of them, whatever is in them."""
    mark = "<w:trPr><w:tblHeader/></w:trPr>"
    rows = [
        mark + tc("A", "<w:gridSpan w:val='2'/>") + tc("B"),
        mark + tc("1") + tc("2") + tc("3"),
        tc("x") + tc("y") + tc("z"),
    ]
    table = "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"
    assert text_of(written(table)) == "A › 1: x; A › 2: y; B › 3: z"


def test_a_frame_of_one_cell_is_no_table() -> None:
    """Text in a frame keeps its paragraphs."""
    cell = f"<w:tc>{p('第一段。')}{p('Second.')}</w:tc>"
    assert text_of(written(f"<w:tbl><w:tr>{cell}</w:tr></w:tbl>")) == "第一段。\n\nSecond."


def test_content_controls_are_read_and_their_prompts_are_not() -> None:
    """What was filled into a form is text; "click here" is not, nor is hidden text or the table of contents."""
    control = "<w:sdt><w:sdtPr>{}</w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>"
    body = control.format("", p("filled in")) + control.format("<w:showingPlcHdr/>", p("Click here"))
    body += "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>" + p("Scope 3", "<w:pStyle w:val='T'/>")
    styles = "<w:style w:type='paragraph' w:styleId='T'><w:name w:val='toc 1'/></w:style>"
    assert text_of(written(body, styles=styles)) == "filled in"


def test_strict_renamed_and_broken_packages_are_read() -> None:
    """The strict form, a main part under another name and a relationship to nowhere do not matter."""
    strict = "http://purl.oclc.org/ooxml/wordprocessingml/main"
    assert text_of(written(p("strict"), namespace=strict)) == "strict"
    assert text_of(replace(written(p("x"), main="word/document2.xml"), name="a.docx")) == "x"


def test_macro_documents_and_templates_are_word_documents(tmp_path: Path) -> None:
    """The text of a .docm, .dotx or .dotm is read as that of a .docx."""
    for suffix in (".docm", ".dotx", ".dotm"):
        assert text_of(replace(written(p("宏")), name=f"a{suffix}")) == "宏"


@pytest.mark.parametrize(
    "body", ["<w:p><w:pPr><w:outlineLvl w:val='x'/></w:pPr></w:p>", "<w:p>", "<w:tbl><w:tr/></w:tbl>"]
)
def test_odd_parts_are_an_error_or_nothing(body: str) -> None:
    """Numbers that are none and empty tables are passed over; broken XML is a sentence."""
    try:
        assert text_of(written(body)) == ""
    except IngestError as error:
        assert "damaged" in str(error) and body == "<w:p>"


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
