"""Feeds and other XML: what a reader would read, and no trap sprung."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError
from rag.types import ParsedDocument


def parsed(content: str | bytes, name: str = "a.xml") -> ParsedDocument:
    (document,) = load(Source(name, content=content.encode() if isinstance(content, str) else content))
    return document


def test_a_feed_is_read_entry_by_entry() -> None:
    """RSS: each entry under its title with date and author, the words of its HTML without the markup."""
    document = parsed(
        """<?xml version="1.0"?><rss xmlns:dc="d" xmlns:content="c"><channel><title>公司新闻</title>
        <description>All the news</description><item><title>新办公室</title><pubDate>Mon, 06 May 2024</pubDate>
        <dc:creator>王小明</dc:creator><description>short</description>
        <content:encoded><![CDATA[<p>我们<b>搬家</b>了。</p><script>x()</script><ul><li>二楼</li></ul>]]></content:encoded></item>
        <item><title>Tea &amp; cake</title><description>Fish&nbsp;&amp;amp; chips at &lt;b&gt;noon&lt;/b&gt;</description></item>
        </channel></rss>"""
    )
    assert document.title == "公司新闻"
    assert document.text == (
        "# 公司新闻\n\nAll the news\n\n## 新办公室\n\nMon, 06 May 2024 · 王小明\n\n我们搬家了。\n\n- 二楼\n\n## Tea & cake\n\n"
        "Fish & chips at noon"
    )


def test_atom_and_rdf_feeds_are_read_as_well() -> None:
    """Atom with XHTML inside and RSS 1.0, whose entries stand beside the channel."""
    atom = parsed(
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><entry><title>One</title><updated>2024-05-06</updated>'
        '<author><name>Ann</name></author><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Para</p></div>'
        "</content></entry></feed>",
        "news.atom",
    )
    assert atom.text == "# F\n\n## One\n\n2024-05-06 · Ann\n\nPara"
    rdf = parsed(
        '<rdf:RDF xmlns:rdf="r" xmlns="p"><channel><title>C</title></channel><item><title>I</title>'
        "<description>D</description></item></rdf:RDF>"
    )
    assert rdf.text == "# C\n\n## I\n\nD"


def test_data_keeps_its_names_and_a_record_its_line() -> None:
    """Elements with values only are records: one line each, with the names of elements and attributes."""
    document = parsed(
        '<staff><person id="x7"><name>张三</name><age unit="years">40</age></person>'
        '<person><name>Ann</name><age>30</age></person><door code="12"/></staff>',
        "staff.xml",
    )
    assert document.text == "name: 张三; unit: years; age: 40\nname: Ann; age: 30\ncode: 12"
    assert document.title == "staff"


def test_prose_keeps_titles_paragraphs_and_code() -> None:
    """DocBook and its kin: titles as headings by depth, paragraphs whole, lists and listings as such."""
    document = parsed(
        '<!DOCTYPE book PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "http://example.org/docbookx.dtd"><book>'
        "<title>手册</title><chapter><title>One</title><para>Hello <emphasis>big</emphasis> world.</para><itemizedlist>"
        "<listitem><para>first</para></listitem><listitem><para>second</para></listitem></itemizedlist>"
        "<programlisting>a\n  b</programlisting></chapter></book>"
    )
    assert document.title == "手册"
    assert document.text == "# 手册\n\n## One\n\nHello big world.\n- first\n- second\n\n```\na\n  b\n```"


def test_the_declared_encoding_is_read_by_its_wider_table() -> None:
    """gb2312 in the declaration, characters of GBK in the text: read as they were written."""
    text = '<?xml version="1.0" encoding="gb2312"?><a><b>朱镕基</b></a>'
    assert parsed(text.encode("gbk")).text == "b: 朱镕基"
    assert parsed(text.replace("gb2312", "utf-16").encode("utf-16")).text == "b: 朱镕基"


_LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "ha" * 10}">' for i in range(9))


@pytest.mark.parametrize(
    "doctype",
    [
        f"<!DOCTYPE a [{_LAUGHS}]>",
        f'<!DOCTYPE a [<!ENTITY l8 "{"x" * 100_000}">]>',
        '<!DOCTYPE a [<!ENTITY l8 SYSTEM "file://SECRET">]>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "file://SECRET"> %p;]>',
        '<!doctype a PUBLIC "x" "y" [<!ENTITY l8 "x">]>',
    ],
)
def test_entities_of_a_file_s_own_are_refused(tmp_path: Path, doctype: str) -> None:
    """Billion laughs, quadratic growth and entities that are other files: refused before anything is expanded."""
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    with pytest.raises(IngestError, match="entities of its own"):
        parsed(f'<?xml version="1.0"?>\n<!-- c -->{doctype.replace("SECRET", str(secret))}<a>&l8;</a>')


def test_a_document_type_elsewhere_is_never_fetched(tmp_path: Path) -> None:
    """A reference to an outside document type is let be: nothing of that file comes in, no name of it is known."""
    dtd = tmp_path / "x.dtd"
    dtd.write_text('<!ENTITY who "the secret">')
    assert "secret" not in parsed(f'<!DOCTYPE a SYSTEM "file://{dtd}"><a><b>by &who;</b></a>').text


def test_a_feed_that_is_not_well_formed_is_read_with_a_warning() -> None:
    """A bare ampersand and a missing end lose nothing of what is there, and the reader is told."""
    document = parsed(
        "<rss><channel><title>T</title><item><title>A & B</title><description>text &amp; more</description>"
    )
    assert document.text == "# T\n\n## A & B\n\ntext & more"
    assert "not well-formed" in document.warnings[0]


def test_a_name_without_its_namespace_is_a_name() -> None:
    """Prefixes that nothing declares are read with a warning."""
    document = parsed("<data><x:row><x:a>1</x:a><b>二</b></x:row></data>")
    assert document.text.endswith("b: 二") and document.warnings


@pytest.mark.parametrize("content", [b"", b"no markup at all", b"<a>" * 5000, b"<a>" + b"x" * 11_000_000 + b"</a>"])
def test_what_is_no_xml_or_too_much_says_so(content: bytes) -> None:
    """Empty, plain, endlessly nested and giant content ends in a sentence."""
    with pytest.raises(IngestError, match=r"empty|damaged"):
        parsed(content)
