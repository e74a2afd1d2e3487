from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError
from rag.types import ParsedDocument


def parsed(folder: Path, name: str, content: str | bytes) -> list[ParsedDocument]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(load(Source.of(path)))


def test_a_text_file_keeps_its_text(tmp_path: Path) -> None:
    """Plain text is stored as it is, with one kind of line end, under the file's name."""
    (document,) = parsed(tmp_path, "笔记.txt", "第一行\r\nsecond line\r\n")
    assert (document.title, document.text, document.marked_up) == ("笔记", "第一行\nsecond line\n", False)


@pytest.mark.parametrize(
    "name", ["README", "LICENSE", "2. Minutes", "3. 会议纪要", "server.log", "server.log.1", "a.text"]
)
def test_a_name_without_a_known_ending_is_no_obstacle_to_text(tmp_path: Path, name: str) -> None:
    """Files that people never gave an ending, and logs, are text where they decode as text."""
    (document,) = parsed(tmp_path, name, "Read me 读我")
    assert document.text == "Read me 读我"


def test_form_feeds_number_the_pages_of_a_text_file(tmp_path: Path) -> None:
    """A form feed in a text file starts a page, so a citation can name it."""
    (document,) = parsed(tmp_path, "a.txt", "one\ftwo")
    assert [(page.number, page.text) for page in document.pages] == [(1, "one"), (2, "two")]


def test_unseen_characters_are_removed_and_counted(tmp_path: Path) -> None:
    """Direction overrides, tag characters and NULs go; the joiners that emoji and Persian need stay."""
    (document,) = parsed(tmp_path, "a.txt", "ab\u202ec\U000e0041d 👨\u200d👩 می\u200cخواهم" + " plain text" * 60)
    assert document.text.startswith("abcd 👨\u200d👩 می\u200cخواهم")
    assert document.warnings == ("2 invisible or control characters removed",)


def test_markdown_is_titled_by_front_matter_or_first_heading(tmp_path: Path) -> None:
    """The front matter's title wins and is not part of the text; underlined headings become # lines."""
    (document,) = parsed(tmp_path, "a.md", "---\ntitle: 标题\n---\nPart\n====\ntext")
    assert (document.title, document.text, document.marked_up) == ("标题", "# Part\ntext", True)
    (document,) = parsed(tmp_path, "b.md", "# 开头\ntext ![x](data:image/png;base64,AAAA)")
    assert (document.title, document.text) == ("开头", "# 开头\ntext x")


def test_each_csv_row_keeps_its_column_names(tmp_path: Path) -> None:
    """A cell with a line break or a comma stays in its row; every row can be read alone."""
    (document,) = parsed(tmp_path, "a.csv", '姓名,备注\n张三,"第一行\n第二行"\n李四,"a, b"\n')
    assert document.text == "姓名: 张三; 备注: 第一行第二行\n姓名: 李四; 备注: a, b"


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_csv_separators_are_recognised(tmp_path: Path, separator: str) -> None:
    """Semicolons, tabs and bars separate cells as well as commas do."""
    (document,) = parsed(tmp_path, "a.csv", f"a{separator}b\n1{separator}2\n")
    assert document.text == "a: 1; b: 2"


def test_each_record_is_a_document(tmp_path: Path) -> None:
    """A line of a .jsonl file is a document under its id; a number will do as an id."""
    lines = [{"id": 7, "title": "T", "text": "一"}, {"id": "b#1", "text": "two"}]
    documents = parsed(tmp_path, "r.jsonl", "\n".join(map(json.dumps, lines)) + "\n\n")
    assert [(d.key, d.title, d.text) for d in documents] == [("7", "T", "一"), ("b#1", "", "two")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{broken", "line 2 is not valid JSON"),
        ("[1]", "line 2 is not an object"),
        ('{"text": "x", "name": "n"}', 'line 2 has no "id", only "text", "name"; each line must be like {"id"'),
        ('{"id": "c"}', 'line 2 has no "text"'),
        ('{"id": true, "text": "x"}', 'line 2: "id"'),
        ('{"id": "c", "text": 5}', 'line 2: "text"'),
        ('{"id": "a", "text": "x"}', "line 2: the id 'a' is already that of line 1"),
        ("[" * 100_000, "line 2 is not valid JSON"),
    ],
)
def test_a_broken_record_names_its_line(tmp_path: Path, line: str, reason: str) -> None:
    """A file with a broken line gives no documents, and says which line it is."""
    with pytest.raises(IngestError, match=reason):
        parsed(tmp_path, "r.jsonl", '{"id": "a", "text": "x"}\n' + line)


def test_a_page_loses_its_furniture_and_keeps_its_substance(tmp_path: Path) -> None:
    """Menus, scripts, banners and footers go; title, headings, lists, tables and code stay, in order."""
    (document,) = parsed(
        tmp_path,
        "a.html",
        """<!doctype html><title>Site | 页</title><script>evil()</script><nav><a>Home</a></nav>
        <div class="cookie-banner">Accept all</div><div id="sidebar"><a>x</a></div><main><h1>手册</h1><p>第一
        段 <b>bold</b>text.</p><ul><li>one</li><li>two<ul><li>three</li></ul></li></ul>
        <table><tr><th>Name</th><th>价格</th></tr><tr><td>A</td><td>1</td></tr></table>
        <pre># not a heading\n  x</pre></main><footer>© us</footer>""",
    )
    assert document.title == "手册"
    assert document.text == (
        "# 手册\n\n第一段 boldtext.\n\n- one\n- two\n- three\n\nName: A; 价格: 1\n\n```\n# not a heading\n  x\n```"
    )


def test_cells_that_span_rows_are_repeated(tmp_path: Path) -> None:
    """A cell that spans two rows belongs to both, so each row can be read alone."""
    body = "<tr><td rowspan=2>华东</td><td>1</td></tr><tr><td>2</td></tr>"
    html = f"<table><tr><th>地区</th><th>年</th></tr>{body}</table>"
    (document,) = parsed(tmp_path, "a.html", html)
    assert document.text == "地区: 华东; 年: 1\n地区: 华东; 年: 2"


def test_a_page_in_gb2312_is_read(tmp_path: Path) -> None:
    """The encoding that a page names is used."""
    html = '<html><meta charset="gb2312"><title>朱镕基</title><body><p>朱镕基</p></body></html>'
    (document,) = parsed(tmp_path, "a.html", html.encode("gb18030"))
    assert (document.title, document.text) == ("朱镕基", "朱镕基")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"%PDF-1.4\n", "the PDF is damaged"),
        ("a.pdf", b"just words", "not what its name says: no PDF"),
        ("a.docx", b"just words", "not what its name says: no DOCX"),
        ("a.txt", bytes(range(256)) * 8, "not a text file"),
        ("a.pdf", b"", "empty: zero bytes"),
        ("a.xlsx", b"PK\x03\x04broken", "damaged"),
        ("a.gz", b"\x1f\x8b\x08123", "gz files are not supported"),
        ("a.xyz", b"text", "xyz files are not supported"),
        ("program", b"\x7fELF\x02\x01\x01\0" * 9, "not a text file"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    """A file that is not what its name says, or of a format that is not supported, is refused with the reason."""
    with pytest.raises(IngestError, match=reason):
        parsed(tmp_path, name, content)


def test_content_goes_before_the_name(tmp_path: Path) -> None:
    """A web page named .txt is read as a web page, and the reader is told."""
    (document,) = parsed(tmp_path, "a.txt", "<!DOCTYPE html><title>T</title><p>words</p>")
    assert document.text == "words"
    assert document.warnings == ("read as html: that is what is in it, though its name ends in .txt",)


def test_each_row_of_a_markdown_table_keeps_its_column_names(tmp_path: Path) -> None:
    """Rows can be read alone; bars in code or behind a backslash part nothing, and tables in code stay code."""
    (document,) = parsed(
        tmp_path,
        "a.md",
        "| 名称 | A \\| B |\n|------|:-----:|\n| 苹果 | `x|y`<br>z |\n\n```\n| a | b |\n|---|---|\n```\n",
    )
    assert document.text == "名称: 苹果; A | B: `x|y` z\n\n```\n| a | b |\n|---|---|\n```\n"


def test_html_in_markdown_becomes_its_words(tmp_path: Path) -> None:
    """Comments, tags and pictures become what is seen of them; code, addresses and type names stay."""
    (document,) = parsed(
        tmp_path,
        "a.md",
        '<!-- hidden --><b>bold</b>&nbsp;&copy; ?a=1&copy=2 <img src="a.png" alt="A house"> ![图](b.png "t")\n'
        "`<b>code</b>` List<String> <https://example.org>\n\n<table><tr><th>a</th><th>b</th></tr>"
        "<tr><td>1</td><td>2</td></tr></table>\n<script>x()</script>",
    )
    assert document.text.split() == (
        "bold © ?a=1&copy=2 A house 图 `<b>code</b>` List<String> <https://example.org> a: 1; b: 2".split()
    )


@pytest.mark.parametrize(
    "banner",
    [
        '<div id="onetrust-banner">We use cookies. <button>Accept all</button></div>',
        '<div class="x9"><p>This site uses cookies to measure traffic.</p><button>Accept all</button><a>Policy</a></div>',
        '<section><p>本网站使用 Cookie 改善体验。</p><a role="button">同意</a></section>',
        '<div role="dialog">We value your privacy</div>',
        '<p style="display:none">secret</p>',
        '<div aria-hidden="true">secret</div>',
        "<div hidden>secret</div>",
        '<form><input><label>Search</label></form>',
        '<ul class="main-menu"><li><a>One</a></li><li><a>Two</a></li></ul>',
    ],
)  # fmt: skip
def test_banners_menus_and_hidden_parts_stay_behind(tmp_path: Path, banner: str) -> None:
    """What asks for consent, leads elsewhere or cannot be seen is no text of the page."""
    words = "<p>The words of the page, on how a cookie is baked and that you accept all kinds of flour.</p>" * 3
    (document,) = parsed(tmp_path, "a.html", f"<html><body>{banner}<div>{words}</div>{banner}</body></html>")
    line = "The words of the page, on how a cookie is baked and that you accept all kinds of flour."
    assert document.text == "\n\n".join([line] * 3)


def test_a_page_that_is_one_form_is_read(tmp_path: Path) -> None:
    """Some systems wrap the whole page into a form."""
    (document,) = parsed(tmp_path, "a.html", "<form><div><p>All the words of this page are in here.</p></div></form>")
    assert document.text == "All the words of this page are in here."


def test_pictures_and_terms_come_as_words(tmp_path: Path) -> None:
    """What a picture shows, its caption, terms with their meanings, and what is folded up."""
    (document,) = parsed(
        tmp_path,
        "a.html",
        '<p>See <img src=a alt="a red house"> here.<img alt="IMG_12.jpg"><img alt="up" width="16"></p>'
        '<figure><img alt="销售图"><figcaption>Sales by year</figcaption></figure>'
        "<dl><dt>年假</dt><dd>十五天</dd><dt>B</dt><dd><p>x</p><p>y</p></dd></dl>"
        "<details><summary>More</summary>Folded</details>",
    )
    assert (
        document.text == "See a red house here.\n\n销售图\n\nSales by year\n\n年假: 十五天\nB\nx\ny\n\nMore\n\nFolded"
    )


def test_headers_of_several_rows_and_tables_in_tables(tmp_path: Path) -> None:
    """A cell is named by all the headers above it; a table within a cell follows the one around it."""
    (document,) = parsed(
        tmp_path,
        "a.html",
        "<table><caption>Sales</caption><tr><th rowspan=2>Region</th><th colspan=2>2023</th></tr><tr><th>Q1</th><th>Q2</th></tr>"
        "<tr><td>North</td><td>1</td><td>2</td></tr></table>"
        "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>x<table><tr><th>c</th><th>d</th></tr><tr><td>3</td><td>4</td>"
        "</tr></table></td></tr></table>",
    )
    assert document.text == "Sales\nRegion: North; 2023 › Q1: 1; 2023 › Q2: 2\n\nA: 1; B: x\n\nc: 3; d: 4"


def test_an_endlessly_nested_page_ends_in_a_sentence(tmp_path: Path) -> None:
    """Nesting that would exhaust the reader's stack is refused in words."""
    with pytest.raises(IngestError, match="nested too deeply"):
        parsed(tmp_path, "a.html", "<div>" * 5000 + "x")


@pytest.mark.parametrize(
    "declared", ['<meta charset="shift_jis">', "<meta http-equiv=Content-Type content='text/html; charset=euc-kr'>", ""]
)
def test_a_page_that_declares_another_encoding_is_still_read_right(tmp_path: Path, declared: str) -> None:
    """A page in GBK whose template says something else."""
    words = "今天的会议在下午三点开始，请大家准时到会议室。" * 2
    (document,) = parsed(tmp_path, "a.html", f"<html>{declared}<body><p>{words}</p>".encode("gbk"))
    assert document.text == words
