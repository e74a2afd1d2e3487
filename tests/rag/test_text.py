"""Normalisation, lexical tokens and the language of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text import folded, language, normalise, simplified, tokens


@pytest.mark.parametrize(
    ("written", "same"),
    [("ＧＰＴ－４", "gpt-4"), ("ﬁne", "fine"), ("Straße", "STRASSE"), ("soft\u00adhyphen", "softhyphen"),
     ("zero\u200bwidth", "zerowidth"), ("\ufeff文档", "文档"), ("１２３％", "123%")],
)  # fmt: skip
def test_looks_do_not_matter(written: str, same: str) -> None:
    """Full width, ligatures, case and invisible characters make no difference to what is found."""
    assert normalise(written) == normalise(same)


def test_chinese_is_read_in_pairs() -> None:
    """A Chinese run becomes its overlapping pairs, so a word is found wherever it stands."""
    assert tokens("带薪年假") == ["带薪", "薪年", "年假"]
    assert set(tokens("年假")) <= set(tokens("带薪年假"))


def test_a_single_character_is_a_token() -> None:
    """A question of one Chinese character is still looked up."""
    assert tokens("税") == ["税"]


def test_english_is_read_in_words() -> None:
    """English words and numbers are tokens in order, without case, punctuation and underscores."""
    assert tokens("The GPT-4 model_name, v2!") == ["the", "gpt", "4", "model", "name", "v2"]


def test_mixed_text_is_cut_between_the_scripts() -> None:
    """A Latin name inside Chinese is a token of its own."""
    assert tokens("使用LoRA微调") == ["使用", "lora", "微调"]


@pytest.mark.parametrize("text", ["", "   ", "。！？…", "—_—", "🙂"])
def test_text_without_words_has_no_tokens(text: str) -> None:
    """Punctuation, white space and pictures are no tokens."""
    assert tokens(text) == []


@given(st.text(max_size=60))
def test_tokens_are_plain_words(text: str) -> None:
    """No token holds white space, a quote or an operator, whatever the text: it can be looked up as it is."""
    for token in tokens(text):
        assert token
        assert not set(token) & set(" \t\n\"'*:^()-+_")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("How many days of leave are there?", "en"), ("年假有几天？", "zh"), ("LoRA 的秩应该设为多少？", "zh"),
     ("What does 年假 mean in this contract?", "en"), ("", "en"), ("12345", "en"), ("税", "zh"),
     ("Как обучить модель?", "en")],
)  # fmt: skip
def test_language_of_a_question(text: str, expected: str) -> None:
    """A question is answered in the language that most of it is written in; English where there is neither."""
    assert language(text) == expected


@pytest.mark.parametrize(
    ("traditional", "plain"),
    [
        ("帶薪年假", "带薪年假"),
        ("萬億元發展", "万亿元发展"),
        ("軟體開發與臺灣", "软体开发与台湾"),
        ("ＡＢＣ學校", "abc学校"),
    ],
)
def test_traditional_and_simplified_characters_find_each_other(traditional: str, plain: str) -> None:
    """A word gives the same tokens in either script, whichever of the two was indexed."""
    assert tokens(traditional) == tokens(plain)


def test_simplified_text_keeps_every_offset() -> None:
    """The simplified form has as many characters, and what is no traditional character is left alone."""
    text = "臺灣的《發展報告》 ﬁnal ２０２４年 — 𠮷野家 日本語の漢字"
    assert len(simplified(text)) == len(text) and simplified(simplified(text)) == simplified(text)
    assert simplified(text).startswith("台湾的《发展报告》 ﬁnal ２０２４年 — ")


def test_folding_without_simplifying_keeps_the_script() -> None:
    """What is kept to be shown, such as a tag, is folded in width and case and stays traditional."""
    assert folded("ＨＲ規章") == "hr規章"
