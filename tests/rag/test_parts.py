"""Questions within a question, what an answer leaves open, and words that no passage holds."""

from __future__ import annotations

import pytest

from rag.parts import parts, unanswered, unmentioned


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("How high is the rent?", ["How high is the rent?"]),
        ("How high is the rent and when is it due?", ["How high is the rent", "when is it due"]),
        ("Who wrote it? When did it appear?", ["Who wrote it", "When did it appear"]),
        ("What are salt and pepper made of?", ["What are salt and pepper made of"]),
        ("In 2020, what was sold?", ["In 2020 what was sold"]),
        ("年假有几天？", ["年假有几天"]),
        ("年假有几天，病假怎么算？", ["年假有几天", "病假怎么算"]),
        ("房租是多少以及什么时候付？", ["房租是多少", "什么时候付"]),
        ("在2020年，谁是主席？", ["在2020年谁是主席"]),
        ("合同", ["合同"]),
    ],
)
def test_a_question_falls_into_its_questions(question: str, found: list[str]) -> None:
    """Each part asks something of its own; what asks nothing stays with the part it belongs to."""
    assert [part.strip(" ?？") for part in parts(question)] == [part.strip(" ?？") for part in found]


def test_a_part_that_nothing_is_about_is_open() -> None:
    """Of two questions the one without an answer is named; where both have one, or neither, nothing is."""
    question = "How high is the rent and when does the lease end?"
    assert unanswered(question, ["The rent is 9,000 euros."]) == ["when does the lease end"]
    assert unanswered(question, ["The rent is 9,000 euros.", "The lease ends in March."]) == []
    assert unanswered(question, ["Giraffes sleep."]) == []
    assert unanswered("房租是多少，合同什么时候到期？", ["房租每月九千欧元。"]) == ["合同什么时候到期"]
    assert unanswered("How high is the rent?", ["Giraffes sleep."]) == []


def test_words_that_no_passage_holds_are_named() -> None:
    """They stand as they do in the question, once each; Chinese ones in runs."""
    assert unmentioned("How high is the tax on giraffes?", ["The tax is high."]) == ["giraffes"]
    assert unmentioned("年假的税率是多少？", ["年假有十五天。"]) == ["税率"]
    assert unmentioned("How high is the tax?", ["The tax is high."]) == []
