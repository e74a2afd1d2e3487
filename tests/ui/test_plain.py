"""Text by others on the page: it is shown letter by letter and can do nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import PASSAGES

from rag.types import Answer, Claim
from ui.markup import answer_markdown, inline, plain, unsupported
from ui.text import Say

ATTACKS = [
    "![x](https://evil.example/a.png)",
    "[click](javascript:alert(1))",
    "[click][1]\n\n[1]: https://evil.example",
    "<https://evil.example>",
    "<img src=x onerror=alert(1)>",
    "https://evil.example/a?b",
    "see www.evil.example now",
    "write to someone@evil.example",
    "```mermaid\ngraph TD\n```",
    "$$\\href{https://evil.example}{x}$$",
    ":material/home: :streamlit: :smile: :100:",
    ":red-background[x] :help[x]",
    "# Heading\n## Two",
    "a | b\n--|--\n1 | 2",
    "    indented code",
    "> quote",
    "line\n===",
    "&lt;b&gt; &amp;",
    "~~gone~~ _a_ *b* `c`",
]


def shown(markdown: str) -> str:
    """What a reader sees of escaped Markdown."""
    without = markdown.replace("\u2060", "").replace("\\\n", "\n")
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", without)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_character_keeps_a_meaning(attack: str) -> None:
    """Each character that Markdown reads a meaning into is escaped, and addresses are broken invisibly."""
    escaped = plain(attack)
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", escaped)
    assert not re.search(r"[!<>\[\]()`$#|~&_=]", bare)
    resolved = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escaped)
    assert not re.search(r"https?://|www\.|@\w|:[\w+-]+:|:material[/_]", resolved)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Co"]), max_size=300))
def test_inline_text_reads_as_it_was(text: str) -> None:
    """A label shows the text's own characters on one line, whatever they are."""
    text = text.replace("\u2060", "")
    assert shown(inline(text, 1000)) == " ".join(text.split())


@given(st.lists(st.sampled_from(["- one", "2. two", "three", "", "  - four", "中文。", "a * b"]), max_size=12))
def test_every_line_is_kept(lines: list[str]) -> None:
    """Lists and paragraphs lose no line."""
    text = plain("\n".join(lines))
    assert sum(bool(line.strip(" \\")) for line in text.split("\n")) == sum(bool(line.strip()) for line in lines)


def test_lists_and_paragraphs_stay_readable() -> None:
    """A list stays a list, a line break a line break, bold bold."""
    assert plain("Two kinds:\n- **one**\n- two\n\nEnd\nof it") == ("Two kinds\\:\n\n- **one**\n- two\n\nEnd\\\nof it")


def test_a_long_label_is_cut() -> None:
    """A label of any length takes no more room than it is given."""
    assert inline("长" * 50, 10) == "长" * 9 + "…"


def answer(text: str, *claims: Claim) -> Answer:
    """An answer with these claims."""
    return Answer("?", text, claims, (), PASSAGES, False, "", "en")


def test_a_claim_carries_its_footnote_numbers() -> None:
    """The numbers of a claim's footnotes stand right behind it."""
    text = "LoRA is small. It is fast."
    marked = answer_markdown(answer(text, Claim(text[:14], 0, 14, (1, 2), True), Claim(text[15:], 15, 26, (2,), True)))
    assert marked == "LoRA is small\\. :gray-badge[1] :gray-badge[2] It is fast\\. :gray-badge[2]"


def test_an_unsupported_claim_is_marked_and_says_why() -> None:
    """A sentence that nothing supports stands on a coloured ground, in a list item too, and its reason is given."""
    text = "- On the [moon]."
    claim = Claim(text, 0, len(text), (), False, "no passage says this")
    assert answer_markdown(answer(text, claim)) == "- :orange-background[On the \\[moon\\]\\.]"
    assert "no passage says this" in unsupported(answer(text, claim), Say("en"))[0]


def test_text_cannot_forge_our_marks() -> None:
    """Characters that stand for footnotes inside the program mean nothing in an answer."""
    forged = "x\ue0021 \ue000y\ue001"
    assert answer_markdown(answer(forged, Claim(forged, 0, len(forged), (), True))) == "x1 y"
