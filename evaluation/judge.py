"""A second opinion on answers by a chat model, never the only one: it is reported beside the metrics that need no model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from evaluation.metrics import Score, without_markers
from evaluation.record import Record
from rag.types import Language

if TYPE_CHECKING:
    from evaluation.results import ObservedModel

_PROMPT: dict[Language, str] = {
    "zh": "你在批改答案。下面是一个问题、它的标准答案（可能有几种写法）和一份回答。"
    "回答的意思包含了标准答案，就只回复“对”；否则只回复“错”。\n\n问题：{question}\n标准答案：{gold}\n回答：{answer}\n\n对还是错？",
    "en": "You grade answers. Below are a question, its right answer (perhaps in several wordings) and an answer to grade. "
    "If the answer says what the right answer says, reply RIGHT and nothing else, otherwise WRONG.\n\n"
    "Question: {question}\nRight answer: {gold}\nAnswer to grade: {answer}\n\nRIGHT or WRONG?",
}
_VERDICT = re.compile(r"\b(right|correct|wrong|incorrect)\b|(不对|错|对|正确)", re.IGNORECASE)
_RIGHT = {"right", "correct", "对", "正确"}


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often a judge and ``gold_contained`` say the same of ``n`` answers; ``kappa`` takes chance out of that.

    ``unclear`` answers got no verdict that could be read.
    """

    model: str
    n: int
    agreement: float
    kappa: float
    unclear: int


def judged(
    records: Sequence[Record], model: ObservedModel, name: str, report: Callable[[int, int], None]
) -> tuple[list[Record], Agreement]:
    """The records with ``judged_right`` of every answerable question that has a right answer, and the agreement.

    A refusal is not right and is not put to the judge. Raises LLMError where the judge fails.
    """
    graded, pairs, unclear = [], [], 0
    for done, record in enumerate(records):
        report(done, len(records))
        gold = record.scores.get("gold_contained")
        if gold is None or record.said is None:
            graded.append(record)
            continue
        verdict = False if record.refused else _verdict(record, model)
        unclear += verdict is None
        if verdict is not None and not record.refused:
            pairs.append((bool(gold.right), verdict))
        scores = {**record.scores} | ({} if verdict is None else {"judged_right": Score(float(verdict))})
        graded.append(replace(record, scores=scores))
    report(len(records), len(records))
    return graded, Agreement(name, len(pairs), *agreement(pairs), unclear)


def agreement(pairs: Sequence[tuple[bool, bool]]) -> tuple[float, float]:
    """The share of pairs that are equal, and Cohen's kappa (A Coefficient of Agreement for Nominal Scales, 1960).

    Kappa is 1 where all are equal and there is one kind only.
    """
    if not pairs:
        return 0.0, 0.0
    n = len(pairs)
    same = sum(a == b for a, b in pairs) / n
    first, second = (sum(side) / n for side in zip(*pairs, strict=True))
    chance = first * second + (1 - first) * (1 - second)
    return same, 1.0 if chance == 1 else (same - chance) / (1 - chance)


def _verdict(record: Record, model: ObservedModel) -> bool | None:
    from langchain_core.messages import HumanMessage

    assert record.said
    question = record.question
    asked = _PROMPT[record.language].format(
        question=question.question, gold=" | ".join(question.answers), answer=without_markers(record.said.text)
    )
    said = "".join(model.stream([HumanMessage(asked)]))
    found = _VERDICT.search(said)
    return found.group().lower() in _RIGHT if found else None
