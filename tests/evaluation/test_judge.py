"""A judge's verdicts: read in both languages, counted beside what needs no judge, never asked what needs none."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from evaluation.dataset import Question
from evaluation.judge import agreement, judged
from evaluation.metrics import Score
from evaluation.record import Record, Said
from evaluation.results import ObservedModel
from rag.settings import LLMSettings, Settings, load_settings
from tests.scripted_llm import ScriptedLLM


def judge(reply: str) -> tuple[ObservedModel, ScriptedLLM]:
    scripted = ScriptedLLM(reply)
    cast("Any", scripted).settings = LLMSettings()
    return ObservedModel(cast("Any", scripted)), scripted


def record(question: str, answer: str, *, contained: bool, refused: bool = False) -> Record:
    language: Any = "zh" if question > "一" else "en"
    asked = Question(question, question, ("6300公里",), ("d",))
    scores = {"gold_contained": Score(float(contained))}
    return Record(asked, language, said=Said(answer, "", "answer", 0.9), refused=refused, scores=scores)


def verdicts(reply: str, *records: Record) -> tuple[list[float | None], Any, ScriptedLLM]:
    model, scripted = judge(reply)
    graded, found = judged(records, model, "judge", lambda done, total: None)
    scores = [r.scores.get("judged_right") for r in graded]
    return [score.right if score else None for score in scores], found, scripted


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("RIGHT", 1.0),
        ("Wrong.", 0.0),
        ("对", 1.0),
        ("不对", 0.0),
        ("错。", 0.0),
        ("It is incorrect", 0.0),
        ("Hm", None),
    ],
)
def test_a_verdict_is_read_in_both_languages(reply: str, right: float | None) -> None:
    """What cannot be read is no verdict, and is counted."""
    found, agreed, _ = verdicts(reply, record("长江有多长？", "6300公里", contained=True))
    assert found == [right] and agreed.unclear == (right is None)


def test_the_judge_sees_question_gold_and_answer_in_the_questions_language() -> None:
    """And not the footnotes' marks, which say nothing about right or wrong."""
    _, _, scripted = verdicts("对", record("长江有多长？", "全长6300公里[1]。", contained=True))
    assert "长江有多长？" in scripted.prompt and "全长6300公里。" in scripted.prompt and "只回复" in scripted.prompt
    _, _, scripted = verdicts("RIGHT", record("How long is it?", "Long [1].", contained=False))
    assert "Long." in scripted.prompt and "RIGHT or WRONG" in scripted.prompt


def test_a_refusal_is_wrong_without_a_judge() -> None:
    """It is not put to the judge, whose opinion of it has no part in the agreement."""
    found, agreed, scripted = verdicts("RIGHT", record("How long?", "I can't say", contained=False, refused=True))
    assert found == [0.0] and not scripted.asked and agreed.n == 0


def test_agreement_by_hand() -> None:
    """Three of four alike; by chance .5·.25 + .5·.75 = .5 would be, so kappa is (.75 − .5) / (1 − .5)."""
    assert agreement([(True, True), (True, False), (False, False), (False, False)]) == pytest.approx((0.75, 0.5))
    assert agreement([(True, True)]) == (1.0, 1.0)
    assert agreement([]) == (0.0, 0.0)


def test_who_judges_is_a_setting_of_its_own(tmp_path: Path) -> None:
    """Without one the model that answers judges itself; a judge is set like any other model, its bounds included."""
    assert Settings(tmp_path).judging == LLMSettings()
    other = load_settings(
        tmp_path, environment={"FOOTNOTE_JUDGE_MODEL": "gpt", "FOOTNOTE_JUDGE_BASE_URL": "http://127.0.0.1:1"}
    )
    assert other.judging.model == "gpt" and other.judging.remote and not other.llm.remote
