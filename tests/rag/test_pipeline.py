"""From question to footnote, with real retrieval and a scripted model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.errors import Incomplete, LLMError, RagError
from rag.explain import notes
from rag.pipeline import Pipeline
from rag.settings import AnswerSettings, RetrievalSettings, Settings
from rag.store import Store
from rag.types import Turn
from rag.wording import say
from tests.rag.stored import put
from tests.scripted_llm import ScriptedLLM

LEAVE = "Every employee has fifteen days of paid leave. Unused leave expires in March."
YEAR_LEAVE = "每位员工每年享有十五天带薪年假。未休完的年假在次年三月底失效。"
RENT = "The office rent is 9,000 euros a month."
Make = Callable[..., Pipeline]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    """A store without documents."""
    with Store(tmp_path) as opened:
        yield opened


@pytest.fixture
def store(empty: Store, embedder: Any) -> Store:
    """A store with three small documents."""
    put(empty, embedder, "leave.md", *LEAVE.split(". ", 1), heading="Leave")
    put(empty, embedder, "年假.txt", YEAR_LEAVE)
    put(empty, embedder, "rent.md", RENT)
    return empty


@pytest.fixture
def make(embedder: Any) -> Make:
    """``make(store, llm, **retrieval)`` is a pipeline that answers whatever the probability is, unless told otherwise."""

    def pipeline(store: Store, llm: ScriptedLLM | None, *, strictness: float = 0.0, **retrieval: Any) -> Pipeline:
        chosen = replace(
            Settings(store.home), retrieval=RetrievalSettings(**retrieval), answers=AnswerSettings(strictness)
        )
        return Pipeline(chosen, store, embedder, llm)  # type: ignore[arg-type]

    return pipeline


@pytest.mark.parametrize(
    ("question", "draft", "text", "document", "quote"),
    [
        (
            "When does unused leave expire?",
            "Unused leave expires in March [1].",
            "Unused leave expires in March.",
            "leave.md",
            "Unused leave expires in March.",
        ),
        (
            "带薪年假有多少天？",
            "每年享有15天带薪年假[1]。",
            "每年享有15天带薪年假。",
            "年假.txt",
            "每位员工每年享有十五天带薪年假。",
        ),
    ],
)
def test_an_answer_carries_its_footnote(
    store: Store, make: Make, question: str, draft: str, text: str, document: str, quote: str
) -> None:
    """The answer reads clean, and its footnote shows the document's own words at their own place."""
    answer = make(store, ScriptedLLM(*draft)).ask(question)
    assert (answer.text, answer.refused, answer.reason) == (text, False, "")
    (citation,) = answer.citations
    assert (citation.n, citation.quote, citation.passage.chunk.document) == (1, quote, document)
    assert store.document_text(document)[citation.start : citation.end] == quote
    assert [(c.text, c.citations, c.supported) for c in answer.claims] == [(text, (1,), True)]
    assert answer.timings.first_token is not None and answer.timings.total > 0


def test_what_the_documents_do_not_say_is_flagged(store: Store, make: Make) -> None:
    """In an answer that is true in part, the invented sentence is flagged in the question's language."""
    answer = make(store, ScriptedLLM("年假有十五天。公司共有八百名员工。")).ask("带薪年假有多少天？")
    assert [c.supported for c in answer.claims] == [True, False]
    assert answer.claims[1].why == "文档中没有这个数字：800"


@pytest.mark.parametrize(
    ("question", "draft", "said"),
    [
        ("How many days of leave?", "The moon is made of 12 cheeses.", "withheld"),
        ("每位员工每年享有几天带薪年假？", "月亮由十二块奶酪组成。", "没有采用"),
        ("How many days of leave?", "The passages do not mention it.", "do not give"),
        ("每位员工每年享有几天带薪年假？", "资料中没有提到。", "没有给出"),
        ("How many days of leave?", "", "do not give"),
        ("How many days of leave?", " \n ", "do not give"),
    ],
)
def test_an_answer_without_support_is_refused(store: Store, make: Make, question: str, draft: str, said: str) -> None:
    """Where that is not likely enough and no claim is supported or the model says nothing, the answer is a refusal."""
    answer = make(store, ScriptedLLM(draft), strictness=0.999).ask(question)
    assert answer.refused and said in answer.reason
    assert answer.claims == () and answer.citations == () and answer.passages
    assert draft.strip() == "" or draft not in answer.text


@pytest.mark.parametrize("draft", ["The leave is 12 cheeses.", "", " \n "])
def test_without_support_the_document_speaks_for_itself(store: Store, make: Make, draft: str) -> None:
    """Where the documents hold the answer but not the model's words, the nearest words are quoted, and the reader told."""
    answer = make(store, ScriptedLLM(draft)).ask("How many days of leave?")
    assert (answer.kind, answer.text) == ("quote", "Every employee has fifteen days of paid leave")
    assert answer.citations[0].quote == answer.text and answer.claims[0].citations == (1,)
    assert "model's own words" in answer.reason and not answer.refused


def test_what_the_model_says_is_not_there_is_refused(store: Store, make: Make) -> None:
    """A model that says that the passages do not tell is believed, however likely an answer was."""
    answer = make(store, ScriptedLLM("The passages do not mention it.")).ask("How many days of leave?")
    assert answer.refused and "do not give" in answer.reason


@pytest.mark.parametrize(
    ("question", "looked", "lacking"),
    [("How high is the office tax?", "Looked for: How high is the office tax?", "No passage mentions: high, tax"),
     ("年假的税率是多少？", "查找的内容：年假的税率是多少？", "没有段落提到：")],
)  # fmt: skip
def test_a_refusal_says_what_was_looked_for(store: Store, make: Make, question: str, looked: str, lacking: str) -> None:
    """A reader learns what was searched and which words of the question no passage holds."""
    answer = make(store, ScriptedLLM("x"), strictness=1.0).ask(question)
    assert answer.refused and looked in answer.reason and lacking in answer.reason


@pytest.mark.parametrize(
    ("question", "draft", "lacking"),
    [("How many days of paid leave are there, and who is the chief astronomer?", "Every employee has fifteen days.",
      "who is the chief astronomer"),
     ("年假有几天，以及总天文学家是谁？", "每位员工每年享有十五天带薪年假。", "总天文学家是谁")],
)  # fmt: skip
def test_half_an_answer_says_which_half_is_missing(
    store: Store, make: Make, question: str, draft: str, lacking: str
) -> None:
    """Of a double question the part that nothing in the answer is about is named."""
    assert make(store, ScriptedLLM(draft)).ask(question).open == (lacking,)


@pytest.mark.parametrize(
    ("question", "draft", "told"),
    [("年假有几天？", "Every employee has fifteen days of paid leave.", True),
     ("年假有几天？", "每位员工享有十五天带薪年假。", False),
     ("How many days of leave?", "每位员工每年享有十五天带薪年假。", True), ("How many days of leave?", "fifteen days", False)],
)  # fmt: skip
def test_an_answer_in_another_language_is_told(store: Store, make: Make, question: str, draft: str, told: bool) -> None:
    """A sentence in the wrong language is shown with a note; a name or a number belongs to no language."""
    answer = make(store, ScriptedLLM(draft)).ask(question)
    assert (say("other language", answer.language) in notes(answer)) == (told and answer.kind == "answer")
    assert answer.kind == "answer"


def test_documents_that_contradict_each_other_are_both_cited(store: Store, make: Make, embedder: Any) -> None:
    """The answer follows the one and says that the other tells otherwise, with a footnote to each."""
    put(store, embedder, "new.md", "The office rent is 9,500 euros a month.")
    answer = make(store, ScriptedLLM("The office rent is 9,000 euros a month.")).ask("How high is the office rent?")
    claim = answer.claims[0]
    cited = {citation.n: citation.passage.chunk.document for citation in answer.citations}
    assert [cited[n] for n in claim.citations] == ["rent.md"] and [cited[n] for n in claim.disputed] == ["new.md"]
    assert "otherwise" in claim.why and claim.supported


def test_a_document_is_followed_against_common_knowledge(store: Store, make: Make, embedder: Any) -> None:
    """What everybody knows is no support; what the document says is."""
    put(store, embedder, "tale.md", "In this tale the capital of France is Lyon.")
    wrong = make(store, ScriptedLLM("The capital of France is Paris.")).ask("What is the capital of France?")
    assert "Paris" not in wrong.text
    right = make(store, ScriptedLLM("The capital of France is Lyon.")).ask("What is the capital of France?")
    assert right.kind == "answer" and right.citations[0].passage.chunk.document == "tale.md"


def test_an_answer_that_broke_off_says_so(store: Store, make: Make) -> None:
    """What came of an answer is checked and shown, and marked as incomplete."""
    broken = Incomplete("The model broke off; what came is incomplete. Ask again.")
    answer = make(store, ScriptedLLM("Unused leave expires in March.", error=broken)).ask("When does leave expire?")
    assert answer.citations and answer.incomplete == str(broken)


@pytest.mark.parametrize(("question", "said"), [("Anything?", "no documents yet"), ("有什么？", "还没有文档")])
def test_an_empty_knowledge_base_says_so(empty: Store, make: Make, question: str, said: str) -> None:
    """Without documents the answer says that there are none, and no model is asked."""
    llm = ScriptedLLM("x")
    answer = make(empty, llm).ask(question)
    assert answer.refused and said in answer.reason
    assert llm.asked == []


def test_an_unlikely_question_is_refused_before_the_model(store: Store, make: Make) -> None:
    """Below the probability that is set no model is asked, and the nearest passages are shown."""
    llm = ScriptedLLM("x")
    answer = make(store, llm, strictness=1.0).ask("How far is the moon?")
    assert answer.refused and "fits the question" in answer.reason and answer.passages
    assert llm.asked == []


@pytest.mark.parametrize("question", ["x" * 10_000, "带薪年假" * 2500])
def test_a_question_of_10000_characters_is_one_sentence(store: Store, make: Make, question: str) -> None:
    """A question that is too long is refused with its length and the limit."""
    with pytest.raises(RagError) as error:
        make(store, ScriptedLLM("x")).ask(question)
    assert "10,000" in str(error.value) and "4,000" in str(error.value) and len(str(error.value)) < 200


@pytest.mark.parametrize("question", ["", "  \n", "???", "。", "🙂"])
def test_a_question_without_a_word_is_one_sentence(store: Store, make: Make, question: str) -> None:
    """Punctuation alone is no question, and the sentence says so."""
    with pytest.raises(RagError, match="no word"):
        make(store, ScriptedLLM("x")).ask(question)


@pytest.mark.parametrize("question", ["a", "税", "7"])
def test_a_question_of_one_character_is_answered(store: Store, make: Make, question: str) -> None:
    """One letter, character or digit is a question like any other."""
    assert make(store, ScriptedLLM("x")).ask(question).passages


@pytest.mark.parametrize(
    ("first", "reply", "then", "document"),
    [
        ("How high is the office rent?", "9,000 euros.", "Is it monthly?", "rent.md"),
        ("带薪年假有多少天？", "十五天。", "它什么时候失效？", "年假.txt"),
    ],
)
def test_a_follow_up_question_keeps_its_subject(
    store: Store, make: Make, first: str, reply: str, then: str, document: str
) -> None:
    """ "Is it monthly?" is searched for and asked with the question before it."""
    llm = ScriptedLLM("x")
    pipeline = make(store, llm)
    history = (Turn("user", first), Turn("assistant", reply))
    retrieval = pipeline.retrieve(then, history)
    assert retrieval.query == f"{first} {reply} {then}" and retrieval.passages[0].chunk.document == document
    list(pipeline.generate(retrieval))
    assert first in llm.prompt and reply in llm.prompt


def test_an_independent_question_leaves_the_conversation_out(store: Store, make: Make) -> None:
    """A question that stands alone is not mixed up with what was asked before."""
    llm = ScriptedLLM("x")
    make(store, llm).ask("How high is the office rent each month?", (Turn("user", "What about zebras?"),))
    assert "zebras" not in llm.prompt


def test_a_withheld_document_is_hidden(store: Store, make: Make) -> None:
    """A withheld document is neither found, shown to the model nor cited."""
    llm = ScriptedLLM("The office rent is 9,000 euros a month.")
    answer = make(store, llm).ask("How high is the office rent?", withhold=["rent.md"])
    assert "9,000" not in answer.text and "rent.md" not in {p.chunk.document for p in answer.passages}
    assert "9,000" not in llm.prompt


def test_withholding_everything_is_no_empty_knowledge_base(store: Store, make: Make) -> None:
    """With all documents hidden nothing fits, but nobody is told to add documents."""
    answer = make(store, ScriptedLLM("x")).ask("leave?", withhold=["leave.md", "年假.txt", "rent.md"])
    assert answer.refused and answer.passages == () and "no documents yet" not in answer.reason


def test_the_model_sees_the_passages_numbered(store: Store, make: Make) -> None:
    """The prompt holds the passages found, best first and numbered, then the question."""
    llm = ScriptedLLM("x")
    make(store, llm).ask("How high is the office rent?")
    prompt = llm.prompt
    first, second = (re.search(rf"<\w{{6}} {n}>\n(.*)", prompt) for n in (1, 2))
    assert (
        first
        and second
        and first.group(1) == RENT
        and first.end() < second.start() < prompt.rindex("How high is the office rent?")
    )


def test_neighbouring_passages_are_shown_as_one(store: Store, make: Make) -> None:
    """Two chunks that follow one another share a number in the prompt, and each can be cited."""
    llm = ScriptedLLM("Every employee has fifteen days of paid leave [1]. Unused leave expires in March [1].")
    answer = make(store, llm).ask("How many days of paid leave, and when does unused leave expire?")
    assert "Every employee has fifteen days of paid leave\nUnused leave expires in March." in llm.prompt
    assert [c.citations for c in answer.claims] == [(1,), (2,)]


def test_the_prompt_fits_the_context(store: Store, make: Make) -> None:
    """Where the context is small, the last passages are left out, the best one and the question stay."""
    roomy, tight = ScriptedLLM("x"), ScriptedLLM("x")
    make(store, roomy).ask("How high is the office rent?")
    whole = sum(len(m.content) + 8 for m in roomy.asked[0])
    tight.room = whole - 1
    make(store, tight).ask("How high is the office rent?")
    assert sum(len(m.content) + 8 for m in tight.asked[0]) <= tight.room
    assert RENT in tight.prompt and "How high is the office rent?" in tight.prompt
    assert tight.prompt.count("\n</") < roomy.prompt.count("\n</")


def test_the_conversation_gives_way_before_the_passage(store: Store, make: Make) -> None:
    """Where not even one passage fits beside the conversation, the conversation is left out."""
    llm = ScriptedLLM("x", room=560)
    make(store, llm).ask("Is it monthly?", (Turn("user", "How high is the office rent?"), Turn("assistant", "z" * 300)))
    assert "zzz" not in llm.prompt and RENT in llm.prompt


def test_a_context_that_is_too_small_is_one_sentence(store: Store, make: Make) -> None:
    """A question that fits no context is an error with the setting to change."""
    with pytest.raises(LLMError, match=r"llm\.context"):
        make(store, ScriptedLLM("x", room=50)).ask("How high is the office rent?")


def test_k_passages_go_to_the_model(store: Store, make: Make) -> None:
    """The number of passages that is set is what the model sees and the answer lists."""
    llm = ScriptedLLM("x")
    answer = make(store, llm, k=1).ask("How high is the office rent?")
    assert len(answer.passages) == 1 and "[2]" not in llm.prompt


def test_closing_the_stream_stops_the_model(store: Store, make: Make) -> None:
    """Whoever stops reading stops the model, and the next question is not kept waiting."""
    llm = ScriptedLLM("one ", "two ", "three ")
    pipeline = make(store, llm)
    stream = pipeline.generate(pipeline.retrieve("How high is the office rent?"))
    assert next(stream) == "one "
    stream.close()  # type: ignore[attr-defined]
    assert llm.closed
    assert list(pipeline.generate(pipeline.retrieve("How high is the office rent?"))) == ["one ", "two ", "three "]


def test_a_model_that_fails_keeps_nobody_waiting(store: Store, make: Make) -> None:
    """An error of the model reaches the caller as it is, and the next question is asked."""
    llm = ScriptedLLM("half", error=LLMError("The model broke off."))
    pipeline = make(store, llm)
    for _ in range(2):
        with pytest.raises(LLMError, match="broke off"):
            pipeline.ask("How high is the office rent?")
    assert len(llm.asked) == 2


def test_retrieval_needs_no_model(store: Store, make: Make) -> None:
    """A pipeline without a language model finds passages and says clearly that it cannot answer."""
    pipeline = make(store, None)
    retrieval = pipeline.retrieve("How high is the office rent?", k=2)
    assert retrieval.passages[0].chunk.document == "rent.md" and len(retrieval.passages) == 2
    with pytest.raises(LLMError, match="retrieval only"):
        list(pipeline.generate(retrieval))


def test_a_document_added_while_running_is_found(store: Store, make: Make, embedder: Any) -> None:
    """What another process ingests is found at the next question."""
    pipeline = make(store, ScriptedLLM("Giraffes sleep standing [1]."), strictness=0.05)
    assert pipeline.ask("How do giraffes sleep?").refused
    with Store(store.home) as other:
        put(other, embedder, "animals.md", "Giraffes sleep standing.")
    answer = pipeline.ask("How do giraffes sleep?")
    assert [c.passage.chunk.document for c in answer.citations] == ["animals.md"]
