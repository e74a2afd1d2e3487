"""Numbers and names, which a source has to state literally."""

from __future__ import annotations

import pytest

from rag.literals import dates, decades, evidence_numbers, names, numbers, quantities, squeeze, stated_numbers


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


@pytest.mark.parametrize(
    "written",
    ["2021年3月5日", "March 5, 2021", "5 March 2021", "Mar. 5, 2021", "2021-03-05", "2021/3/5", "二〇二一年三月五日",
     "March 5th, 2021", "５ March 2021"],
)  # fmt: skip
def test_a_date_is_the_same_however_it_is_written(written: str) -> None:
    """A date has one value in both languages and in digits, and its parts are no loose numbers of a claim."""
    assert dates(f"x {written} y") == [(2021, 3, 5)]
    assert stated_numbers(written) == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [("March 2021", [(2021, 3, None)]), ("2021年3月", [(2021, 3, None)]), ("3月5日", [(None, 3, 5)]), ("May 5", [(None, 5, 5)]),
     ("he may 5 times", []), ("3个月", []), ("2021年", []), ("version 1.2.3", []), ("13/14", []), ("99月", [])],
)  # fmt: skip
def test_parts_of_dates(text: str, found: list[object]) -> None:
    """A month with a day or a year is a date; a span of months, a verb and a version are none."""
    assert dates(text) == found


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("the 1980s", 1980),
        ("1980年代", 1980),
        ("20世纪80年代", 1980),
        ("上世纪八十年代", 1980),
        ("the '80s", 1980),
        ("19世纪60年代", 1860),
    ],
)
def test_decades(text: str, first: int) -> None:
    """A decade is one in both languages, and it vouches for no year of its own."""
    assert decades(text) == {first}
    assert float(first) not in evidence_numbers(text)


@pytest.mark.parametrize(
    ("text", "quantity"),
    [("5 km", (5, "km")), ("5公里", (5, "km")), ("十五公里", (15, "km")), ("$5 million", (5e6, "usd")),
     ("3.5亿美元", (3.5e8, "usd")), ("百分之八十五", (85, "%")), ("85％", (85, "%")), ("85 per cent", (85, "%")),
     ("2021年", (2021, "")), ("5年", (5, "year")), ("公元前221年", (221, "bc")),
     ("19th century", (19, "century")), ("88 km/h", (88, "km/h")),
     ("12 kids", (12, "")), ("60 members", (60, ""))],
)  # fmt: skip
def test_a_number_has_its_unit(text: str, quantity: tuple[float, str]) -> None:
    """The unit behind a number, or the sign before it, has one name in both languages; a word that begins like one is none."""
    assert quantity in quantities(text)


def test_a_range_shares_its_unit() -> None:
    """In "5 to 10 km" both are kilometres, and 1990-95 names 1995."""
    assert quantities("5 to 10 km") == {(5.0, "km"), (10.0, "km")}
    assert quantities("5至10公里") == {(5.0, "km"), (10.0, "km")}
    assert 1995.0 in evidence_numbers("1990-95")


def test_number_words_with_a_scale() -> None:
    """A source that says "five million" vouches for 5 million, and not for 5."""
    assert 5e6 in evidence_numbers("five million people") and 5.0 not in evidence_numbers("five million people")


def test_letters_with_accents_are_one_name() -> None:
    """A name with an accent is not cut at it, and a unit glued to a number is no name."""
    assert names("它是 catrín 的阴性") == {"catrín"}
    assert names("波长为760nm处") == set()


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("公司有三个部门", {3}),
        ("试用期为六个月", {6}),
        ("每周三开会", {3}),
        ("星期二", {2}),
        ("第三章", {3}),
        ("两倍", {2}),
        ("一年", {1}),
        ("三分之二", {2 / 3}),
        ("2/3 of it", {2 / 3}),
        ("two thirds", {2 / 3}),
        ("three months", {3}),
        ("twenty-five days", {25}),
        ("two hundred and fifty pages", {250}),
        ("five thousand", {5000}),
        ("一个部门", set()),
        ("一种方法", set()),
        ("每一天", set()),
        ("one of them", set()),
        ("十分重要", set()),
        ("数十个", set()),
        ("四川", set()),
    ],
)
def test_what_is_counted_is_stated(text: str, stated: set[float]) -> None:
    """A numeral before a measure word, a weekday, an ordinal, a fraction and a number word count; 一个 and "one" do not."""
    assert stated_numbers(text) == stated


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("两方签字，共两份", "Both parties sign two copies"),
        ("每周三", "every Wednesday"),
        ("第三章", "the third chapter"),
        ("三分之二的员工", "two-thirds of the staff"),
        ("two sides", "双方"),
        ("three quarters", "四分之三"),
        ("half of two thirds", "三分之二"),
    ],
)
def test_what_is_counted_is_found_in_the_other_language(claim: str, source: str) -> None:
    """Small numbers, weekdays, ordinals and fractions vouch across languages."""
    assert stated_numbers(claim) <= evidence_numbers(source)
