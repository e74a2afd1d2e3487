"""What the pipeline says without a search or a model, and how it asks in another style."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.conversations import Message, history
from rag.errors import SettingsError
from rag.pipeline import Pipeline
from rag.serialise import answer_from_json, answer_to_json
from rag.settings import AnswerSettings, PromptSettings, Settings
from rag.store import Store
from rag.types import Filter, Turn
from tests.rag.stored import put
from tests.scripted_llm import ScriptedLLM

RENT = "The office rent is 9,000 euros a month."
LEAVE = "每位员工每年享有十五天带薪年假。"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store without documents."""
    with Store(tmp_path) as opened:
        yield opened


def add(store: Store, embedder: Any, **texts: str) -> None:
    for title, text in texts.items():
        put(store, embedder, f"{title}.md", text, heading=title)


def pipeline(store: Store, embedder: Any, *pieces: str, style: str = "short") -> tuple[Pipeline, ScriptedLLM]:
    """A pipeline that does not refuse before the model is asked, and its model."""
    llm = ScriptedLLM(*(pieces or ("x",)))
    settings = replace(Settings(store.home), answers=AnswerSettings(strictness=0.0), prompt=PromptSettings(style))
    return Pipeline(settings, store, embedder, llm), llm  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "replied"),
    [
        ("Hello!", "Ask me"),
        ("谢谢！", "不客气"),
        ("Who are you?", "Footnote"),
        ("你能做什么？", "出处"),
        ("再见", "再见"),
    ],
)
def test_small_talk_costs_neither_search_nor_model(store: Store, embedder: Any, said: str, replied: str) -> None:
    """The reply is no refusal and no answer: no claims, no citations, no passages, and nothing was embedded or asked."""
    add(store, embedder, rent=RENT)
    asking, llm = pipeline(store, embedder)
    embedder.seen.clear()
    answer = asking.ask(said)
    assert replied in answer.text and (answer.kind, answer.refused, answer.reason) == ("talk", False, "")
    assert answer.claims == answer.citations == answer.passages == () and llm.asked == embedder.seen == []
    assert answer_from_json(json.loads(json.dumps(answer_to_json(answer)))) == answer


@pytest.mark.parametrize("question", ["Which documents do you have?", "有哪些文档？"])
def test_the_documents_are_those_that_may_be_searched(store: Store, embedder: Any, question: str) -> None:
    """The list keeps to the filter, the knowledge bases it names and what is withheld."""
    add(store, embedder, rent=RENT, leave=LEAVE)
    store.tag("leave.md", ["hr"])
    with Store(store.home, "other") as other:
        put(other, embedder, "else.md", "Something else.")
    asking, _ = pipeline(store, embedder)

    def named(**where: Any) -> set[str]:
        lines = asking.ask(question, **where).text.split("\n")
        return {line.removeprefix("- ") for line in lines[1:]}

    assert named() == {"rent.md", "leave.md"}
    assert named(filter=Filter(tags=("hr",))) == {"leave.md"}
    assert named(filter=Filter(kbs=("default", "other"))) == {"rent.md", "leave.md", "else.md"}
    assert named(withhold=["rent.md"]) == {"leave.md"}
    assert "hr" in asking.ask(question, filter=Filter(tags=("hr",))).text


def test_a_question_behind_thanks_is_searched_for(store: Store, embedder: Any) -> None:
    """Politeness in front of a question changes nothing."""
    add(store, embedder, rent=RENT)
    answer = pipeline(store, embedder, RENT)[0].ask("Thanks! And how high is the office rent?")
    assert answer.kind == "answer" and answer.citations


def test_small_talk_is_no_part_of_what_was_said(store: Store, embedder: Any) -> None:
    """The next question is about what was asked before the thanks, not about the thanks; a question back is left out."""
    add(store, embedder, rent=RENT, leave=LEAVE)
    asking, _ = pipeline(store, embedder, RENT)
    messages = []
    for question in ("How high is the office rent?", "Thanks!"):
        messages += [Message("user", question), Message("assistant", "…", asking.ask(question))]
    assert history(messages) == (Turn("user", "How high is the office rent?"), Turn("assistant", "…"))
    back = [Message("user", "Why?"), Message("assistant", "…", asking.ask("Why?"))]
    assert history(back) == (Turn("user", "Why?"),)


@pytest.mark.parametrize(("question", "asked"), [("它多少钱？", "你指的是“leave”还是“rent”？"),
                                                 ("What about it?", "Do you mean “leave” or “rent”?")])  # fmt: skip
def test_a_first_question_about_nothing_is_asked_back(store: Store, embedder: Any, question: str, asked: str) -> None:
    """With nothing to take "it" from, the program asks, naming the documents where they are few."""
    add(store, embedder, rent=RENT, leave=LEAVE)
    asking, llm = pipeline(store, embedder)
    answer = asking.ask(question)
    assert (answer.text, answer.kind, answer.refused, llm.asked) == (asked, "question", False, [])
    add(store, embedder, third="Third.", fourth="Fourth.")
    assert "rent" not in asking.ask(question).text and asking.ask(question).kind == "question"


def test_a_single_document_is_what_is_meant(store: Store, embedder: Any) -> None:
    """With one document, by itself or by the filter, "it" is clear; with none, the empty knowledge base is told of."""
    assert pipeline(store, embedder)[0].ask("What is it about?").refused
    add(store, embedder, rent=RENT)
    assert pipeline(store, embedder, RENT)[0].ask("What is it about?").kind == "answer"
    add(store, embedder, leave=LEAVE)
    chosen = Filter(documents=("rent.md",))
    assert pipeline(store, embedder, RENT)[0].ask("What is it about?", filter=chosen).kind == "answer"


def test_it_after_two_things_is_asked_back(store: Store, embedder: Any) -> None:
    """Where either of two things just named would be found equally well in documents of their own, the program asks."""
    add(store, embedder, Berlin="The Berlin office has a rent.", Paris="The Paris office has a rent.")
    spoken = (Turn("user", "Compare the Berlin office and the Paris office."),)
    asking, _ = pipeline(store, embedder)
    assert asking.ask("How high is its rent?", spoken).text == "Do you mean “Berlin” or “Paris”?"
    settled = (*spoken, Turn("assistant", "The Berlin office is larger."))
    assert asking.ask("How high is its rent?", settled).kind != "question"


def test_two_things_of_one_document_are_not_asked_about(store: Store, embedder: Any) -> None:
    """Where both lead to the same document there is nothing to choose."""
    add(store, embedder, offices="The Berlin office has a rent. The Paris office has a rent.", zebra="Zebras run.")
    spoken = (Turn("user", "Compare the Berlin office and the Paris office."),)
    assert pipeline(store, embedder)[0].ask("How high is its rent?", spoken).kind != "question"


def test_the_language_asked_for_is_that_of_the_answer(store: Store, embedder: Any) -> None:
    """The prompt, and what the program says itself, are in the language that the question asks for."""
    add(store, embedder, rent=RENT)
    asking, llm = pipeline(store, embedder, "不知道月亮。")
    answer = asking.ask("How high is the office rent? Answer in Chinese.")
    assert "用一句简短的中文" in llm.prompt and "in English" not in llm.prompt
    assert answer.language == "zh" and "文档中没有找到" in answer.text
    english, llm = pipeline(store, embedder)
    english.ask("办公室的租金是多少？请用英文回答。")
    assert "in English" in llm.prompt


def test_thoughts_are_kept_apart(store: Store, embedder: Any) -> None:
    """Of a style that thinks first only the answer is checked and shown; the thoughts come with it and survive saving."""
    add(store, embedder, rent=RENT)
    asking, llm = pipeline(store, embedder, "The moon has 12 cheeses.\nAnswer: ", RENT, style="steps")
    answer = asking.ask("How high is the office rent?")
    assert (answer.text, answer.thoughts, answer.refused) == (RENT, "The moon has 12 cheeses.", False)
    assert [claim.supported for claim in answer.claims] == [True] and "short steps" in llm.prompt
    assert answer_from_json(json.loads(json.dumps(answer_to_json(answer)))) == answer


def test_an_older_saved_answer_has_no_kind(store: Store, embedder: Any) -> None:
    """An answer saved before there were kinds and thoughts is an answer without thoughts."""
    add(store, embedder, rent=RENT)
    value = answer_to_json(pipeline(store, embedder, RENT)[0].ask("How high is the office rent?"))
    del value["kind"], value["thoughts"]
    assert (answer_from_json(value).kind, answer_from_json(value).thoughts) == ("answer", "")


def test_an_unknown_style_stops_the_pipeline(store: Store, embedder: Any) -> None:
    """A style that there is none of is told when the pipeline is made, not at the first question."""
    with pytest.raises(SettingsError, match="'rhyme'"):
        pipeline(store, embedder, style="rhyme")
