"""What is searched for when a question leans on its conversation."""

from __future__ import annotations

import pytest

from rag.followup import leans, search_text
from rag.types import Turn

LEAVE = (Turn("user", "How many days of paid leave are there?"), Turn("assistant", "Fifteen."))
YEAR_LEAVE = (Turn("user", "带薪年假一共有多少天？"), Turn("assistant", "十五天。"))


@pytest.mark.parametrize(
    "question",
    ["Does it expire?", "And in the second year?", "Why?", "What about part-time staff?", "Where do they apply?",
     "它会过期吗？", "为什么？", "兼职员工呢？", "这些申请交给谁处理？", "其中有几天可以顺延到次年？", "还有吗"],
)  # fmt: skip
def test_a_question_that_points_back_leans(question: str) -> None:
    """Pronouns, fragments and very short questions need the conversation."""
    assert leans(question)


@pytest.mark.parametrize(
    "question",
    ["How large is the office rent in Berlin?", "Which optimiser was used to train the network?",
     "公司办公室的月租金是多少？", "训练网络时使用了哪种优化器？"],
)  # fmt: skip
def test_a_question_that_stands_alone_does_not(question: str) -> None:
    """A complete question on another matter is searched for as it is."""
    assert not leans(question)


def test_a_leaning_question_is_searched_with_the_one_before() -> None:
    """ "Does it expire?" is searched for with the exchange that says what "it" is, in both languages."""
    assert search_text("Does it expire?", LEAVE) == f"{LEAVE[0].content} Fifteen. Does it expire?"
    assert search_text("它会过期吗？", YEAR_LEAVE) == f"{YEAR_LEAVE[0].content} 十五天。 它会过期吗？"


def test_a_chain_of_leaning_questions_keeps_its_subject() -> None:
    """After two fragments in a row the first full question is still part of what is searched for."""
    history = (*LEAVE, Turn("user", "Does it expire?"), Turn("assistant", "In March."))
    assert search_text("Why?", history) == f"{LEAVE[0].content} Does it expire? In March. Why?"


def test_the_first_question_is_searched_as_it_is() -> None:
    """Without a conversation there is nothing to lean on."""
    assert search_text("Why?", ()) == "Why?"
    assert search_text("Why?", (Turn("assistant", "Hello."),)) == "Why?"
