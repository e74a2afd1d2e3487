from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.markdown import headings
from ingest.splitter import split, weight
from rag.settings import IngestSettings
from rag.types import Page, ParsedDocument

SETTINGS = IngestSettings(chinese_size=35, english_size=100)
PIECES = st.sampled_from(
    [
        "# Title\n",
        "## 部分\n",
        "### tail",
        "```\n",
        "一句话。",
        "「引文」！",
        "A sentence here. ",
        "e.g. this, ",
        "3.14 ",
        "\n",
        "\n\n",
        "a: 1; b: 2\n",
        "| x | y |\n",
        "长" * 60,
        "word " * 40,
        "x" * 250,
        "\u3000",
        "第二章 总则\n",
        "😀",
    ]
)


def document(*pages: str, marked_up: bool = True, title: str = "Doc") -> ParsedDocument:
    numbered = len(pages) > 1
    made = tuple(Page(n if numbered else None, text) for n, text in enumerate(pages, start=1))
    return ParsedDocument(title, made, marked_up=marked_up)


@given(st.lists(st.lists(PIECES, max_size=25).map("".join), min_size=1, max_size=4), st.booleans())
def test_every_chunk_is_a_slice_of_the_document_and_nothing_is_lost(pages: list[str], marked_up: bool) -> None:
    """Chunks are slices in order, stay on their page and within the budget, and leave out only blanks and headings."""
    parsed = document(*pages, marked_up=marked_up)
    text = parsed.text
    chunks = split(parsed, "doc", SETTINGS)
    uncovered, last = "", 0
    for ordinal, chunk in enumerate(chunks):
        assert chunk.text == text[chunk.start : chunk.end] and chunk.text.strip() == chunk.text != ""
        assert chunk.ordinal == ordinal and chunk.start >= last and "\f" not in chunk.text
        assert weight(chunk.text, SETTINGS) <= SETTINGS.english_size
        if len(pages) > 1:
            assert chunk.page == text.count("\f", 0, chunk.start) + 1
        uncovered += text[last : chunk.start] + "\n"
        last = chunk.end
    uncovered += text[last:]
    for line in uncovered.splitlines():
        assert not line.strip() or line.lstrip("　 ").startswith(("#", "第"))


def test_headings_are_carried_as_a_path() -> None:
    """A chunk says under which headings it stands; a fence's "# comment" is no heading."""
    text = "# Doc\nIntro.\n## 训练\n### LoRA\nLow rank.\n```\n# code\n```\n## 推理\n快。"
    chunks = split(document(text), "doc", SETTINGS)
    assert [(c.heading, c.text) for c in chunks] == [
        ("Doc", "Intro."),
        ("Doc › 训练 › LoRA", "Low rank.\n```\n# code\n```"),
        ("Doc › 推理", "快。"),
    ]


def test_a_heading_without_text_can_still_be_found() -> None:
    """A bare outline is kept as text of the section that it stands in."""
    chunks = split(document("# Doc\n## One\n## Two\n## Three\nText."), "doc", SETTINGS)
    assert [(c.heading, c.text) for c in chunks] == [("Doc", "## One\n## Two"), ("Doc › Three", "Text.")]


def test_chunks_end_where_sentences_end() -> None:
    """No Chinese or English sentence that fits into a chunk is cut, and abbreviations end none."""
    sentences = [
        "这是第一句话，它不长。",
        "这是第二句！",
        "“他说了。”",
        "See e.g. Fig. 3 by Dr. Smith for 3.14 of it. ",
        "Is it so? ",
        "Yes. ",
    ]
    text = "".join(sentences * 6).strip()
    ends = {"。", "！", "”", ".", "?"}
    for chunk in split(document(text, marked_up=False), "doc", SETTINGS):
        assert chunk.text[-1] in ends
        assert not chunk.text.endswith(("e.g.", "Fig.", "Dr."))


def test_a_small_tail_is_balanced_away() -> None:
    """A text a little over the budget becomes two halves, not one full chunk and a crumb."""
    text = "这是一个句子哦。" * 5
    sizes = [len(chunk.text) for chunk in split(document(text, marked_up=False), "doc", SETTINGS)]
    assert sizes == [24, 16] or sizes == [16, 24]


def test_table_rows_stay_whole() -> None:
    """A row that fits is never split, whatever balance would like."""
    rows = [f"name: thing {n}; note: This is it. And more of it. {'y' * 20}" for n in range(9)]
    text = "\n".join(rows)
    lines = [line for c in split(document(text, marked_up=False), "doc", SETTINGS) for line in c.text.split("\n")]
    assert lines == rows


def test_a_row_too_long_for_a_chunk_is_broken_between_its_cells() -> None:
    """Each piece of such a row begins with a column's name, in tables and in running text alike."""
    row = "; ".join(f"column {n}: {'word ' * 6}{n}" for n in range(9))
    for kind in ("table", "text"):
        made = ParsedDocument("Doc", (Page(None, f"Before this.\n{row}\n最后一句。", kind=kind),))  # type: ignore[arg-type]
        texts = [chunk.text for chunk in split(made, "doc", SETTINGS)]
        assert len(texts) > 3
        assert all(text.startswith(("column", "Before", "最后")) for text in texts), texts


def test_chinese_chapters_of_plain_text_are_headings() -> None:
    """A line that is only a chapter's name heads what follows; the same words inside a sentence don't."""
    chunks = split(
        document("第一章 总则\n为了规范。见第二章 罚则。\n第二章 罚则\n罚款。", marked_up=False, title="规定"),
        "d",
        SETTINGS,
    )
    assert [chunk.heading for chunk in chunks] == ["规定 › 第一章 总则", "规定 › 第二章 罚则"]


@given(st.lists(PIECES, max_size=20).map("".join))
def test_headings_are_where_they_say(text: str) -> None:
    """A heading's offsets enclose its line."""
    for mark in headings(text):
        assert text[mark.start : mark.end].strip().lstrip("#").strip().startswith(mark.text.rstrip("#").strip())
