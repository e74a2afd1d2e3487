"""Numbers and names, which a source has to state literally."""

from __future__ import annotations

import pytest

from rag.literals import evidence_numbers, names, numbers, squeeze, stated_numbers


@pytest.mark.parametrize(
    ("written", "value"),
    [("十五", 15), ("一百二十三", 123), ("三千零五", 3005), ("三万五千", 35_000), ("二〇二三", 2023), ("两百", 200),
     ("１５", 15), ("1,234.5", 1234.5), ("85%", 85), ("百分之八十五", 85), ("3.5亿", 3.5e8), ("350 million", 3.5e8),
     ("175B", 1.75e11), ("1750亿", 1.75e11), ("1.2 万亿", 1.2e12), ("1.2 trillion", 1.2e12), ("500万", 5e6),
     ("5 million", 5e6), ("12k", 12_000), ("3 March", 3), ("-7", 7), ("2.50", 2.5)],
)  # fmt: skip
def test_a_number_has_one_value_however_it_is_written(written: str, value: float) -> None:
    """Digits, Chinese numerals, separators and scales of both languages give the same value."""
    assert value in numbers(written)


@pytest.mark.parametrize(
    ("chinese", "english"),
    [("十五天", "15 days"), ("3.5亿", "350 million"), ("1750亿参数", "175B parameters"), ("二〇二三年", "in 2023"),
     ("5月3日", "May 3"), ("五千元", "5,000 yuan")],
)  # fmt: skip
def test_the_same_number_in_both_languages(chinese: str, english: str) -> None:
    """A number in a Chinese source vouches for the English one, and the other way round."""
    assert stated_numbers(english) <= evidence_numbers(chinese)
    assert stated_numbers(chinese) <= evidence_numbers(english)


@pytest.mark.parametrize("text", ["一般来说，这一点十分重要", "no number here", "千万不要忘记", "千克和千米", ""])
def test_mere_words_are_no_numbers(text: str) -> None:
    """Chinese words with a numeral character in them are nothing that a source must state."""
    assert stated_numbers(text) == set()


def test_different_numbers_differ() -> None:
    """A scale or a decimal point that is lost makes another number."""
    assert not stated_numbers("3.5亿") & evidence_numbers("3.5万")
    assert not stated_numbers("1.5") & numbers("15")
    assert not stated_numbers("1,234") & evidence_numbers("12345")


def test_number_words_vouch() -> None:
    """A source that says "three" vouches for 3."""
    assert 3.0 in evidence_numbers("There are three steps.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("The GPT-4 model by OpenAI is large.", {"gpt4", "openai"}), ("使用 LoRA 和 bert 微调", {"lora", "bert"}),
     ("Paris is a city.", set()), ("It lies in Paris.", {"paris"}), ("a plain sentence", set()), ("纯中文句子", set())],
)  # fmt: skip
def test_names_are_found(text: str, expected: set[str]) -> None:
    """Names have inner capitals or digits, or a capital inside a sentence; in Chinese every Latin word is one."""
    assert names(text) == expected


@pytest.mark.parametrize("written", ["GPT-4", "GPT 4", "gpt4", "ＧＰＴ－４", "Gpt_4"])
def test_a_name_is_the_same_with_and_without_hyphen(written: str) -> None:
    """Case, width, blanks and hyphens make no other name."""
    assert squeeze(written) == "gpt4"


def test_a_number_between_chinese_characters_is_a_number() -> None:
    """Chinese puts no space around digits: the number counts all the same, and digits inside a name do not."""
    assert stated_numbers("评测包括13个任务") == {13.0}
    assert stated_numbers("使用GPT4模型") == set()
