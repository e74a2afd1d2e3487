"""What leaves the page as a file or on the clipboard."""

from __future__ import annotations

from markdown_it import MarkdownIt

from rag.conversations import Message
from rag.export import answer_text, conversation_markdown
from rag.types import Answer, Chunk, Citation, Claim, Passage

QUOTE = "LoRA trains two\nsmall matrices."
CHUNK = Chunk(1, "en/adapters.pdf", 0, "Adapters", 3, QUOTE, 0, len(QUOTE))
NOTE = Citation(1, Passage(CHUNK, 0.8, 1, 1), QUOTE, 0, len(QUOTE), 0.9)
TEXT = "It trains two matrices. The moon made it."
ANSWER = Answer(
    "How does LoRA work?", TEXT,
    (Claim(TEXT[:23], 0, 23, (1,), True), Claim(TEXT[24:], 24, len(TEXT), (), False, "no passage says this")),
    (NOTE,), (NOTE.passage,), False, "", "en",
)  # fmt: skip


def test_an_exported_conversation_keeps_its_sources() -> None:
    """Question, answer, footnote numbers, quoted words, document and page are in the file, and what nothing supports."""
    said = [Message("user", ANSWER.question), Message("assistant", TEXT, ANSWER), Message("assistant", "It st")]
    text = conversation_markdown("LoRA", said, "en")
    assert "## How does LoRA work?" in text
    assert "It trains two matrices.[^1-1] The moon made it. (not supported by the documents)" in text
    assert "[^1-1]: en/adapters.pdf, p. 3: “LoRA trains two small matrices.”" in text
    assert text.rstrip().endswith("*Cut short: its sources were not checked*")


def test_text_by_others_stays_text() -> None:
    """Neither a question nor a title becomes a picture, a link, HTML or a heading in the exported file."""
    attack = "![x](https://evil.example/a.png) <img src=x> [a](javascript:b)\n===\n---\n# big"
    text = conversation_markdown(attack, [Message("user", attack), Message("assistant", attack)], "zh")
    tokens = [t for block in MarkdownIt("commonmark").parse(text) for t in (block, *(block.children or []))]
    assert not {t.type for t in tokens} & {"image", "link_open", "html_inline", "html_block", "hr"}
    assert [t.tag for t in tokens if t.type == "heading_open"] == ["h1", "h2"]


def test_an_answer_is_copied_with_its_sources() -> None:
    """What is pasted elsewhere has numbers in brackets and a line for each source."""
    assert answer_text(ANSWER).split("\n") == [
        "It trains two matrices.[1] The moon made it. (not supported by the documents)",
        "",
        "[1] en/adapters.pdf, p. 3: “LoRA trains two small matrices.”",
    ]
