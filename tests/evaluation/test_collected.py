"""Questions kept for measuring."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.__main__ import main
from evaluation.collected import COLLECTED, collect, from_feedback, sets_folder
from evaluation.dataset import Question, load
from rag.access import OWNER, User
from rag.conversations import Conversations
from rag.store import Store
from rag.types import Answer, Citation, Embedder, Filter, Passage, Turn
from tests.rag.stored import passage, put


def test_a_collected_question_is_part_of_a_set(tmp_path: Path) -> None:
    """What was collected loads as a question set, each question once, with its conversation."""
    before = (Turn("user", "什么是 LoRA？"), Turn("assistant", "低秩适配。"))
    asked = Question("1", "它省多少显存？", ("三分之二",), ("a.md",), history=before)
    assert collect(tmp_path, "default", asked)
    assert collect(tmp_path, "default", Question("2", "Who won the cup?", answerable=False))
    assert not collect(tmp_path, "default", Question("3", "Who won the cup?", answerable=False))
    first, second = load(sets_folder(tmp_path, "default") / COLLECTED)
    assert (first.question, first.answers, first.relevant, first.history) == (
        "它省多少显存？", ("三分之二",), ("a.md",), before,
    )  # fmt: skip
    assert (second.answerable, second.relevant) == (False, ())


@pytest.fixture(autouse=True)
def documents(tmp_path: Path, embedder: Embedder) -> None:
    """A store that holds what the answers quote."""
    with Store(tmp_path) as store:
        for name in ("leave.md", "a.md", "b.md"):
            put(store, embedder, name, f"text of {name}")


def answer(question: str, *shown: Passage, refused: bool = False) -> Answer:
    cited = () if refused else tuple(Citation(n, p, p.chunk.text, 0, 1, 1.0) for n, p in enumerate(shown, 1))
    return Answer(question, "said", (), cited, shown, refused, "", "en")


def say(home: Path, user: User, question: str, given: Answer, rating: int, correction: str = "", kb: str = "") -> None:
    """A conversation of one question, whose answer is judged."""
    conversations = Conversations(home, user)
    number = conversations.create(question, Filter(kbs=(kb,) if kb else ()))
    conversations.add(number, "user", question)
    conversations.add(number, "assistant", given.text, given)
    if rating:
        conversations.rate(conversations.messages(number)[1].id, rating, correction)


def test_thumbs_and_corrections_of_everybody_become_questions(tmp_path: Path) -> None:
    """A thumb up keeps what was quoted or that it was refused, a correction what is right; what is only wrong is counted."""
    ada, leave = User("ada", "reader", frozenset({"default"})), passage("十五天", "leave.md")
    say(tmp_path, OWNER, "年假几天？", answer("年假几天？", leave), 1)
    say(tmp_path, ada, "年假几天？", answer("年假几天？", leave), 1)  # twice is once
    say(tmp_path, ada, "Who sings?", answer("Who sings?", leave, refused=True), 1)
    say(tmp_path, ada, "How long?", answer("How long?", leave), -1, "ten days")
    say(tmp_path, ada, "How high?", answer("How high?", leave), -1)
    say(tmp_path, ada, "How old?", answer("How old?", leave), 0)
    say(tmp_path, ada, "Elsewhere?", answer("Elsewhere?", leave), 1, kb="other")
    made, unknown = from_feedback(tmp_path, "default")
    assert [(q.question, q.answers, q.relevant, q.answerable) for q in made] == [
        ("年假几天？", ("十五天",), ("leave.md",), True),
        ("How long?", ("ten days",), (), True),
        ("Who sings?", (), (), False),
    ]
    assert unknown == 1


def test_feedback_becomes_a_set_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It adds what is new and leaves alone what a person has changed; without feedback it says how to give some."""
    command = ["generate", "--from-feedback", "--home", str(tmp_path)]
    assert main(command) == 1 and "thumbs" in capsys.readouterr().err
    say(tmp_path, OWNER, "年假几天？", answer("年假几天？", passage("十五天", "leave.md")), 1)
    assert main(command) == 0 and main(command) == 0
    assert "0 new questions of 1" in capsys.readouterr().out
    [question] = load(sets_folder(tmp_path, "default") / "feedback.jsonl")
    assert question.answers == ("十五天",)
