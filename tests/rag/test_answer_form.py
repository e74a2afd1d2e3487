"""The format and language of answer that a question asks for."""

from __future__ import annotations

import pytest

from rag.answer_form import asked_format, asked_language, asks_only_for_form
from rag.followup import leans


@pytest.mark.parametrize(
    ("question", "wanted"),
    [("List the tax rates", "list"), ("Give me the fees as a list", "list"),
     ("What are the fees? Use bullet points.", "list"),
     ("Explain in three points why", "list"), ("用列表说明费用", "list"), ("费用有哪些？列表", "list"),
     ("请列出所有费用", "list"),
     ("用三点说明原因", "list"), ("三点总结一下", "list"), ("原因是什么？三点", "list"),
     ("Show the fees as a table", "table"), ("Fees per year in a table, please", "table"), ("用表格列出费用", "table"),
     ("费用是多少？用表格。", "table"), ("以表格形式列出", "table"), ("In one word, who signed?", "word"),
     ("用一个词回答：谁签的字？", "word"), ("Explain in detail how leave works", "detail"), ("请详细说明年假", "detail")],
)  # fmt: skip
def test_a_format_that_is_asked_for(question: str, wanted: str) -> None:
    """Lists, tables, one word and detail are recognised in both languages."""
    assert asked_format(question) == wanted


@pytest.mark.parametrize(
    "question",
    ["What is the wait list?", "Is there a list price?", "What does table 3 say?", "How many seats are at a table?",
     "Which word is used?", "Who is on the guest list?", "下午三点开会吗？", "会议三点开始", "表格里有什么数字？",
     "列表是什么数据结构", "用户表格在哪里下载", "三点半在哪里集合？", "详细地址是什么？", "会议是下午三点"],
)  # fmt: skip
def test_a_word_alone_asks_for_no_format(question: str) -> None:
    """A question about a table, a list or three o'clock is answered as any other."""
    assert asked_format(question) == ""


@pytest.mark.parametrize(
    ("question", "wanted"),
    [("How high is the rent? Answer in Chinese.", "zh"), ("In Chinese please: what is the rent?", "zh"),
     ("How high is the rent? 用中文", "zh"), ("用中文回答：How high is the rent?", "zh"), ("租金是多少？用英文回答", "en"),
     ("年假几天？请用英文。", "en"), ("Please reply in English: 租金是多少？", "en"), ("What is the title in English?", None),
     ("Which courses are taught in Chinese?", None), ("Can I write the exam in Chinese?", None), ("合同用中文写吗？", None),
     ("用英文怎么说合同？", None), ("英文名是什么？", None)],
)  # fmt: skip
def test_a_language_that_is_asked_for(question: str, wanted: str | None) -> None:
    """An order to answer in a language is one; a question that only speaks of a language is none."""
    assert asked_language(question) == wanted


@pytest.mark.parametrize(
    "question",
    ["As a table please", "用表格", "Answer in English", "用英文回答", "换成中文回答", "Can you answer in Chinese?"],
)
def test_a_wish_for_another_form_is_a_follow_up(question: str) -> None:
    """A form alone is asked of what was answered before, so it leans on the conversation."""
    assert asks_only_for_form(question) and leans(question)


@pytest.mark.parametrize(
    "question", ["Show the fees as a table", "用表格列出费用", "Explain the leave rules in Mandarin"]
)
def test_a_question_with_a_form_stands_alone(question: str) -> None:
    """A question that names its subject beside the form is no mere wish for another form."""
    assert not asks_only_for_form(question)


def test_a_form_is_asked_for_in_traditional_characters_as_well() -> None:
    """The wish for a table or a language is heard in either script."""
    assert asked_format("請用表格列出各部門的預算") == asked_format("请用表格列出各部门的预算") == "table"
    assert asked_language("請用英語回答") == asked_language("请用英语回答") == "en"
