"""What a follow-up is searched with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rag.followup import alternatives, bare, leans, remembered, search_text
from rag.retriever import Retriever
from rag.settings import RetrievalSettings
from rag.store import Store
from rag.types import Turn
from tests.rag.stored import put

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
    """A complete question on another matter names what it is about."""
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


def test_a_follow_up_is_searched_with_the_last_exchange() -> None:
    """Question and answer before it lend their meaning; their words only where the follow-up names nothing itself."""
    asked, said = remembered("Does it expire?", LEAVE)
    assert (asked.turn, said.turn) == LEAVE and 0 < asked.meaning < 1 and 0 < said.meaning < 1
    assert asked.words > 0 and said.words == 0
    assert all(part.words == 0 for part in remembered("How large is the office rent in Berlin?", LEAVE))


def test_nothing_is_remembered_before_the_first_question() -> None:
    """Neither an empty conversation nor a greeting is searched with."""
    assert remembered("Why?", ()) == () and remembered("Why?", (Turn("assistant", "Hello."),)) == ()


def best_document(home: Path, embedder: Any, question: str, history: tuple[Turn, ...]) -> str:
    """Where the best passage for a follow-up lies, among documents on leave and on rent."""
    with Store(home) as store:
        put(store, embedder, "leave.md", "Paid leave is fifteen days. 带薪年假一共十五天。")
        put(store, embedder, "rent.md", "The office rent in Berlin is high. 办公室的月租金很高。")
        found = Retriever(store, embedder, RetrievalSettings()).find(question, before=remembered(question, history))
    return found.passages[0].chunk.document


@pytest.mark.parametrize(("question", "history"), [("那它呢？", YEAR_LEAVE), ("And what about it?", LEAVE)])
def test_a_bare_follow_up_finds_what_was_spoken_of(tmp_path: Path, embedder: Any, question: str, history: Any) -> None:
    """A follow-up that names nothing finds the subject of the conversation."""
    assert best_document(tmp_path, embedder, question, history) == "leave.md"


@pytest.mark.parametrize(
    ("question", "history"),
    [("How high is the office rent in Berlin?", LEAVE), ("办公室的月租金是多少？", YEAR_LEAVE)],
)
def test_a_new_subject_leaves_the_old_one(tmp_path: Path, embedder: Any, question: str, history: Any) -> None:
    """A complete question on another matter finds that matter, whatever was spoken of before."""
    assert best_document(tmp_path, embedder, question, history) == "rent.md"


def test_an_answer_that_never_came_leaves_the_one_before_it_out() -> None:
    """The last question without an answer stands alone: what was said earlier was about something else."""
    (asked,) = remembered("Does it expire?", (*LEAVE, Turn("user", "And the rent in Berlin?")))
    assert asked.turn.content == "And the rent in Berlin?"


@pytest.mark.parametrize(
    "question",
    ["它多少钱？", "那呢？", "为什么？", "他是谁？", "这是什么？", "多少钱", "What about it?", "Why?", "How much is it?",
     "What's this about?", "And then?", "How does it work?"],
)  # fmt: skip
def test_a_bare_question_names_nothing(question: str) -> None:
    """Pronouns and question words alone do not say what is asked about."""
    assert bare(question)


@pytest.mark.parametrize(
    "question",
    [
        "它什么时候失效？",
        "年假几天？",
        "税",
        "有什么？",
        "Is it monthly?",
        "What is IT?",
        "Who is Will?",
        "The Who",
        "What is work?",
        "What is 'mean'?",
        "Who signed it?",
        "a",
        "7",
        "Anything?",
    ],
)
def test_a_word_of_its_own_makes_a_question(question: str) -> None:
    """One content word, an abbreviation or a number is enough to be searched for."""
    assert not bare(question)


def asked(question: str, *answers: str) -> tuple[Turn, ...]:
    return (Turn("user", question), *(Turn("assistant", answer) for answer in answers))


@pytest.mark.parametrize(
    ("question", "history", "names"),
    [("When was it built?", asked("Compare the Berlin office and the Paris office."), ("Berlin office", "Paris office")),
     ("How large is it?", asked("What is the difference between LoRA and QLoRA?", "LoRA is …, QLoRA …"), ("LoRA", "QLoRA")),
     ("它多少钱？", asked("自行车还是电动车更贵？"), ("自行车", "电动车")),
     ("它多大？", asked("比较柏林办公室和巴黎办公室", "柏林办公室较大，巴黎办公室较小。"), ("柏林办公室", "巴黎办公室"))],
)  # fmt: skip
def test_it_may_be_either_of_two(question: str, history: tuple[Turn, ...], names: tuple[str, str]) -> None:
    """After a question about two things "it" may be either."""
    assert alternatives(question, history) == names


@pytest.mark.parametrize(
    ("question", "history"),
    [("How large is it?", asked("Is the Berlin office or the Paris office larger?", "The Berlin office.")),
     ("它多大？", asked("柏林办公室和巴黎办公室哪个大？", "柏林办公室。")),
     ("How are they related?", asked("Compare the Berlin office and the Paris office.")),
     ("它们多大？", asked("比较柏林办公室和巴黎办公室")),
     ("How large is the Paris office, is it old?", asked("Compare the Berlin office and the Paris office.")),
     ("How large is it?", asked("Compare the Berlin office and the Paris office.", "One is larger.")),
     ("How large is it?", LEAVE), ("它会过期吗？", YEAR_LEAVE), ("How large is it?", ())],
)  # fmt: skip
def test_what_is_clear_has_no_alternatives(question: str, history: tuple[Turn, ...]) -> None:
    """Where the answer settled it, both are meant, the question names one or no two things were named: nothing is open."""
    assert alternatives(question, history) is None


@pytest.mark.parametrize("question", ["它們有多大？", "還有嗎？", "為什麼？"])
def test_traditional_characters_lean_as_well(question: str) -> None:
    """What points back in simplified characters points back in traditional ones."""
    assert leans(question)
