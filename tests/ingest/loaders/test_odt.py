from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError
from rag.types import ParsedDocument

_NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"), ("svg", "svg-compatible"),
        ("presentation", "presentation"), ("manifest", "manifest"),
    )
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/"'  # fmt: skip


def written(body: str, kind: str = "text", manifest: str = "") -> Source:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        whole = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
        archive.writestr("content.xml", f"<office:document-content {_NAMES}>{whole}</office:document-content>")
        if manifest:
            archive.writestr("META-INF/manifest.xml", f"<manifest:manifest {_NAMES}>{manifest}</manifest:manifest>")
    return Source(f"a.od{kind[0]}", content=content.getvalue())


def parsed(source: Source) -> ParsedDocument:
    (made,) = load(source)
    return made


def text_of(body: str) -> str:
    return parsed(written(body)).text


def p(text: str) -> str:
    return f"<text:p>{text}</text:p>"


def cell(text: str, more: str = "") -> str:
    return f"<table:table-cell {more}>{p(text)}</table:table-cell>"


def row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


COVERED = "<table:covered-table-cell/>"


def test_headings_lists_and_blanks() -> None:
    """Headings keep their level, list items are items, tabs and counted blanks are blanks, line ends of the XML are one."""
    heading = '<text:h text:outline-level="2">第一\n节</text:h>'
    items = (
        f"<text:list><text:list-item>{p('one')}</text:list-item><text:list-item>{p('二')}</text:list-item></text:list>"
    )
    made = text_of(heading + p("a<text:s/>b<text:tab/>c <text:span>d</text:span>\n e") + items)
    assert made == "## 第一 节\n\na b\tc d e\n- one\n- 二"


def test_tables_keep_names_and_merged_cells() -> None:
    """Rows keep their column names; what is merged downwards is in each row, what is merged across is said once."""
    header = f"<table:table-header-rows>{row(cell('地区'), cell('2022'), cell('2023'))}</table:table-header-rows>"
    rows = row(cell("华东", 'table:number-rows-spanned="2"'), cell("5"), cell("6")) + row(COVERED, cell("7"), cell("8"))
    rows += row(cell("西"), cell("closed", 'table:number-columns-spanned="2"'), COVERED)
    assert text_of(f"<table:table>{header}{rows}</table:table>").split("\n") == [
        "地区: 华东; 2022: 5; 2023: 6",
        "地区: 华东; 2022: 7; 2023: 8",
        "地区: 西; 2022, 2023: closed",
    ]


def test_repeats_cost_nothing() -> None:
    """Cells and rows that are declared a million times over are no text and take no time."""
    wide = '<table:table-cell table:number-columns-repeated="16384"/>'
    many = f'<table:table-row table:number-rows-repeated="1048576">{wide}</table:table-row>'
    full = cell("x", 'table:number-columns-repeated="9999999"')
    filled = f'<table:table-row table:number-rows-repeated="1048576">{full}'
    began = time.monotonic()
    made = text_of(f"<table:table>{row(cell('a'), cell('b'), wide)}{row(cell('1'), cell('2'))}{many}</table:table>")
    assert made == "a: 1; b: 2"
    text_of(f"<table:table>{filled}</table:table-row></table:table>")
    assert time.monotonic() - began < 5


def test_what_hangs_on_a_paragraph_follows_it() -> None:
    """Notes, comments, text boxes and descriptions of pictures come after the paragraph; names of pictures do not."""
    note = (
        f"<text:note><text:note-citation>1</text:note-citation><text:note-body>{p('脚注')}</text:note-body></text:note>"
    )
    remark = f"<office:annotation><dc:creator>李雷</dc:creator>{p('check')}</office:annotation>"
    framed = f"<draw:frame><draw:text-box>{p('in the box')}</draw:text-box></draw:frame>"
    told = "<svg:title>图片 1</svg:title><svg:desc>A bridge</svg:desc>"
    pictured = f'<draw:frame draw:name="Image1"><draw:image/>{told}</draw:frame>'
    made = text_of(p(f"before{note}{remark} after{framed}{pictured}") + p("next"))
    assert made.split("\n\n") == ["before after", "脚注", "李雷: check", "in the box", "A bridge", "next"]


def test_deleted_text_and_contents_stay_out() -> None:
    """What tracked changes deleted and the generated list of contents are no text."""
    deleted = f"<text:tracked-changes><text:changed-region>{p('old')}</text:changed-region></text:tracked-changes>"
    contents = f"<text:table-of-content><text:index-body>{p('Scope 3')}</text:index-body></text:table-of-content>"
    assert text_of(deleted + contents + p("新")) == "新"


def test_slides_are_pages() -> None:
    """Each slide of an .odp is a page with its title, its texts and its notes, without its footer."""
    one = (
        f'<draw:frame presentation:class="title"><draw:text-box>{p("标题")}</draw:text-box></draw:frame>'
        f'<draw:frame presentation:class="footer"><draw:text-box>{p("Confidential")}</draw:text-box></draw:frame>'
        f"<draw:custom-shape>{p('shape')}</draw:custom-shape>"
        f"<presentation:notes><draw:frame><draw:text-box>{p('said')}</draw:text-box></draw:frame></presentation:notes>"
    )
    made = parsed(written(f"<draw:page>{one}</draw:page><draw:page>{p('two')}</draw:page>", "presentation"))
    assert [(page.number, page.text) for page in made.pages] == [(1, "# 标题\n\nshape\n\nsaid"), (2, "two")]


def test_locked_and_damaged_files_say_so() -> None:
    """A file behind a password and one with cut XML are told apart."""
    entry = "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
    with pytest.raises(IngestError, match="locked: needs a password; open it in LibreOffice"):
        parsed(written(p("x"), manifest=entry))
    with pytest.raises(IngestError, match=r"damaged: content\.xml"):
        parsed(written("<text:p>"))


def test_a_real_file_is_read(shared: Path) -> None:
    """A file that an office program wrote comes with its heading and its lines."""
    made = parsed(Source.of(shared / "docs/odt_text.odt"))
    assert made.title == "These are a few of my favorite things:" and "• Parrots" in made.text
