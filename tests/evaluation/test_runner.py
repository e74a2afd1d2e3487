"""What a run notes of every question, and what the report makes of it; the pipeline is a scripted one."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from evaluation import report, runner
from evaluation.dataset import Question
from evaluation.page import as_html
from evaluation.record import Record, Said
from evaluation.runner import Run
from rag.errors import RagError
from rag.settings import Settings
from rag.types import Answer, Chunk, Citation, Claim, Page, Passage, Retrieval, Timings, Turn
from tests.scripted_llm import ScriptedLLM

TEXTS = {"zh.md": "长江全长6300公里。", "en.md": "The Nile is 6650 km long.", "other.md": "Nothing here."}
ANSWERS = {
    "长江有多长？": ("长江全长6300公里[1]。", ["zh.md"]),
    "How long is the Nile?": ("It is 6650 km long [1][2].", ["en.md", "other.md"]),
    "How long is the Yangtze?": ("It is 12 km [1].", ["en.md"]),
    "Who wrote this?": ("", []),
    "Who asked?": ("Nobody [1].", ["other.md"]),
}
QUESTIONS = [
    Question("1", "长江有多长？", ("6300公里",), ("zh.md",), meta={"kind": "river", "hard": False}),
    Question("2", "How long is the Nile?", ("6,650 km",), ("en.md",), meta={"kind": "river", "hard": True}),
    Question("3", "How long is the Yangtze?", ("6,300 km",), ("zh.md",), history=(Turn("user", "Hello"),)),
    Question("4", "Who wrote this?", answerable=False),
    Question("5", "Who asked?", answerable=False),
    Question("2w", "How long is the Nile?", answerable=False, withhold=("en.md",)),
]


def passage(name: str, place: int) -> Passage:
    return Passage(Chunk(place, name, 0, "", None, TEXTS[name], 0, len(TEXTS[name])), 1 / place, place, place)


class ScriptedPipeline:
    """Finds the documents that ANSWERS names first, then the others, and answers as scripted."""

    llm = cast(Any, ScriptedLLM())
    settings = Settings(Path())

    def retrieve(
        self, question: str, history: Sequence[Turn] = (), *, withhold: Collection[str] = (), k: int | None = None
    ) -> Retrieval:
        names = [name for name in dict.fromkeys([*ANSWERS[question][1], *TEXTS]) if name not in withhold]
        found = tuple(passage(name, place) for place, name in enumerate(names[:k], start=1))
        return Retrieval(question, question, tuple(history), "en", found, 1.0, "", 0.25, withheld=tuple(withhold))

    def read(self, retrieval: Retrieval) -> list[Chunk]:
        return [passage.chunk for passage in retrieval.passages[:4]]

    def answered(self, retrieval: Retrieval) -> Answer:
        text, names = ANSWERS[retrieval.question]
        names = [name for name in names if name not in retrieval.withheld]
        cited = tuple(Citation(n, passage(name, n), TEXTS[name], 0, 0, 1.0) for n, name in enumerate(names, start=1))
        claims = (Claim(text, 0, len(text), tuple(c.n for c in cited), "12" not in text),) if text else ()
        return Answer(
            retrieval.question, text, claims, cited, retrieval.passages, not text, "" if text else "nothing", "en",
            Timings(0.25, 1.0, 3.0),
        )  # fmt: skip


def pages(name: str) -> tuple[Page, ...]:
    return (Page(None, TEXTS[name]),)


def records(answers: bool, pipeline: Any = None, questions: Sequence[Question] = QUESTIONS) -> list[Record]:
    asking = Run(cast(Any, pipeline or ScriptedPipeline()), pages, answers=answers)
    return [asking.ask(question) for question in questions]


def test_answers_are_measured_by_hand() -> None:
    """Every metric of the six scripted questions has the value worked out on paper."""
    values = {name: round(m.value, 4) for name, m in runner.summarise(records(answers=True)).items()}
    assert values == {
        # rankings: 1 zh first, 2 en first, 3 en first and then zh: hit@1 2/3, MRR (1 + 1 + 1/2)/3
        "hit@1": 0.6667,
        "hit@5": 1,
        "hit@10": 1,
        "mrr": 0.8333,
        "ndcg@10": 0.8770,  # (1 + 1 + 1/log2(3)) / 3
        "recall@5": 1,
        "recall@10": 1,
        "evidence": 1,
        "gold_contained": 0.6667,  # 6300公里 and 6650 km, not 12 km
        "exact_match": 0,
        # 1: the run 6300公里 is 3 of 7 said and of 3 wanted, 2·3/(7+3); 2: 6650 and km of 5 said, 2·2/(5+2);
        # 3: km of 4 said, 2·1/(4+2)
        "f1": round((6 / 10 + 4 / 7 + 2 / 6) / 3, 4),
        # citations given: 1 right; en right and other wrong; en for the Yangtze wrong; other for 5 and, en withheld,
        # other for 2w wrong: 2 of 6
        "citation_precision": 0.3333,
        "citation_recall": 0.6667,
        "cited_right": 0.6667,
        # the same of documents; of quotes, the Yangtze's 6,300 km stands nowhere word for word: 2 of 3, and 2 of 2
        "citation_precision_document": 0.3333,
        "citation_recall_document": 0.6667,
        "citation_precision_span": 0.6667,
        "citation_recall_span": 1,
        "refusal_recall": 0.3333,  # 4 of 4, 5 and 2w
        "false_refusal_rate": 0,
        "refusal_precision": 1,
        "refusal_f1": 0.5,  # 2·1/(2 + 0 + 2)
        "claims_supported": 0.8,
        "claims_flagged": 0.2,  # 12 km of five
        "seconds_p50": 3.25,
        "seconds_p95": 3.25,
        "first_token_p50": 1,
    }


def test_without_answers_only_retrieval_is_measured() -> None:
    """Nothing about answers is reported, and a refusal is retrieval's own."""
    measures = runner.summarise(records(answers=False))
    assert not runner.NEED_ANSWERS & measures.keys()
    assert measures["hit@10"].n == 3 and measures["refusal_recall"].value == 0
    assert measures["seconds_p50"].value == 0.25


def test_sets_without_unanswerable_questions_have_no_refusal_precision() -> None:
    """Where nothing was to be refused, only the false refusals are reported."""
    measures = runner.summarise(records(answers=True)[:3])
    assert "false_refusal_rate" in measures
    assert not {"refusal_recall", "refusal_precision", "refusal_f1"} & measures.keys()


def test_slices_by_language_kind_and_meta() -> None:
    """The slices hold the questions they should, values in JSON's spelling."""
    found = runner.slices(records(answers=False))
    assert list(found) == ["language", "multi_turn", "withheld", "cross_lingual", "document_type", "kind", "hard"]
    assert found["language"]["zh"]["hit@1"].n == 1
    assert found["multi_turn"]["true"]["hit@1"].value == 0
    assert found["cross_lingual"]["true"]["hit@1"].n == 1  # the Yangtze, asked in English over zh.md
    assert found["hard"].keys() == {"true", "false"} and found["kind"].keys() == {"river"}
    assert found["withheld"]["true"].keys() >= {"refusal_recall"} and "hit@1" not in found["withheld"]["true"]


def test_a_kind_of_question_that_does_not_occur_is_no_slice() -> None:
    """Without follow-ups there is no multi_turn, and a meta field with more than 20 values is none either."""
    made = records(False, questions=[replace(QUESTIONS[1], meta={"article": i, "language": "x"}) for i in range(21)])
    assert list(runner.slices(made)) == ["language", "document_type", "meta.language"]


def test_ten_documents_are_looked_for_behind_many_passages_of_one() -> None:
    """Where fifty passages come from one document, more are asked for."""
    asked: list[int | None] = []

    class OneBigDocument(ScriptedPipeline):
        def retrieve(
            self, question: str, history: Sequence[Turn] = (), *, withhold: Collection[str] = (), k: int | None = None
        ) -> Retrieval:
            asked.append(k)
            many = [passage("other.md", 1)] * 60 + [passage("en.md", 2)]
            return replace(super().retrieve(question), passages=tuple(many[:k]))

    [record] = records(False, OneBigDocument(), [QUESTIONS[1]])
    assert len(asked) == 2 and record.found == ("other.md", "en.md")


def test_what_asked_no_model_does_not_pass_for_fast() -> None:
    """Beside drafts of an earlier run, which have no time, only questions that the model was asked just now are timed."""
    made = records(answers=True)
    refused = replace(made[0], seconds=0.01, first_token=None)
    again = [replace(record, timed=False) for record in made[1:3]]
    assert runner.summarise([refused, *made[1:]])["seconds_p50"].n == len(made)
    assert runner.summarise([refused, *again, *made[3:]])["seconds_p50"].n == 3
    assert "seconds_p50" not in runner.summarise([refused, *again])


@pytest.mark.parametrize("answers", [True, False])
def test_a_question_that_cannot_be_asked_costs_no_other(answers: bool) -> None:
    """A failure of one is noted with its reason; the rest is asked."""

    class Picky(ScriptedPipeline):
        def retrieve(self, question: str, *given: Any, **more: Any) -> Retrieval:
            if "Nile" in question:
                raise RagError("This question is too long.")
            return super().retrieve(question, *given, **more)

    made = records(answers, Picky())
    failed = {record.question.id: (record.step, record.error) for record in made if record.error}
    assert failed == {name: ("not_asked", "This question is too long.") for name in ("2", "2w")}
    assert runner.summarise(made)["hit@10"].n == 2


def test_failed_questions_say_at_which_step() -> None:
    """Wrong answers and wrong decisions to answer are failures with a step to blame, right ones are not."""
    failed = {record.question.id: record.step for record in records(answers=True) if record.failed}
    assert failed == {"3": "not_used", "5": "wrongly_answered", "2w": "wrongly_answered"}


def test_a_record_survives_being_kept() -> None:
    """What a later run takes from an earlier one is the same to the last score."""
    made = records(answers=True)
    again = [Record.from_json(record.question, json.loads(json.dumps(record.as_json()))) for record in made]
    assert [record.as_json() for record in again] == [record.as_json() for record in made]
    assert runner.summarise(again) == runner.summarise(made)


def test_the_json_report_has_its_fixed_shape(tmp_path: Path) -> None:
    """A metric is value, low, high and n; no key of a remote model is ever in it."""
    settings = Settings(tmp_path)
    settings = replace(
        settings,
        llm=replace(settings.llm, api_key="sk-secret"),
        embedding=replace(settings.embedding, api_key="sk-secret"),
        judge=replace(settings.judge, api_key="sk-secret"),
    )
    run = report.evaluation(records(answers=True), settings)
    shown = json.loads(report.dumps(report.as_json(run)))
    keys = [
        "metrics", "slices", "questions", "steps", "settings", "models", "versions", "machine", "commit", "risk_coverage",
        "reliability",
    ]  # fmt: skip
    assert list(shown) == keys
    assert shown["metrics"]["hit@10"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 3}
    assert shown["slices"]["hard"]["true"]["mrr"]["n"] == 1
    assert [entry["id"] for entry in shown["questions"]] == ["1", "2", "3", "4", "5", "2w"]
    assert [c["right"] for c in shown["questions"][1]["citations"]] == [True, False]
    assert shown["steps"] == {"not_used": 1, "wrongly_answered": 2}
    assert "sk-secret" not in json.dumps(shown) + report.as_text(run) + as_html(shown, "en")


def test_the_text_report_lists_what_failed(tmp_path: Path) -> None:
    """A reader sees the question, the step, what was wanted and what was answered."""
    shown = report.as_text(report.evaluation(records(answers=True), Settings(tmp_path)))
    assert "Went wrong: 3 (1 not used by the model, 2 wrongly answered)" in shown
    wanted = "wanted: 6,300 km\n    answered: It is 12 km [1]."
    assert f"3: How long is the Yangtze? (not used by the model)\n    {wanted}" in shown


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A new report replaces the old one; where it cannot be written, one sentence says so and nothing is left."""
    path = tmp_path / "new" / "report.json"
    report.write(path, "one")
    report.write(path, "two")
    assert path.read_text() == "two" and list(path.parent.iterdir()) == [path]
    with pytest.raises(RagError, match="could not be written"):
        report.write(path / "below", "x")
    for place in (tmp_path, path / "below"):
        with pytest.raises(RagError, match="could not be written"):
            report.check_place(place)


def test_the_curve_by_hand() -> None:
    """At each strictness: the share of either kind below it, of all at or above it, and of the wrong kind among these."""

    def record(confidence: float, answerable: bool) -> Record:
        question = Question("q", "?", answerable=answerable)
        return Record(question, "en", said=Said("", "", "answer", confidence))

    records = [record(p, True) for p in (0.9, 0.6, 0.3, 0.2)] + [record(p, False) for p in (0.7, 0.1)]
    point = next(p for p in runner.risk_coverage(records) if p.strictness == 0.5)
    assert (point.refusal_recall, point.false_refusal_rate) == (0.5, 0.5)
    assert (point.coverage, point.risk) == (pytest.approx(3 / 6), pytest.approx(1 / 3))
    assert runner.risk_coverage(records[:4]) == []
