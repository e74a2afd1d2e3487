"""Runs the same pipeline as the app and the commands over questions, and notes what became of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from evaluation import metrics
from evaluation.dataset import Question
from evaluation.drafts import RememberedModel
from evaluation.metrics import Measure, Score
from rag.errors import RagError
from rag.text import language
from rag.types import Answer, Language, Passage

if TYPE_CHECKING:
    from rag.pipeline import Pipeline

METRICS = (
    "hit@1", "hit@5", "hit@10", "mrr", "ndcg@10", "recall@10",
    "gold_contained", "exact_match", "f1",
    "citation_precision", "citation_recall", "cited_right",
    "refusal_recall", "false_refusal_rate", "refusal_precision", "refusal_f1",
    "claims_supported", "claims_flagged",
    "seconds_p50", "seconds_p95", "first_token_p50",
)  # fmt: skip
LESS_IS_BETTER = {"false_refusal_rate", "claims_flagged", "seconds_p50", "seconds_p95", "first_token_p50"}
NEED_ANSWERS = {name for name in METRICS if name.startswith(("gold", "exact", "f1", "cit", "claims", "first"))}
_SLICE_VALUES = 20
_JUDGED = ("answer", "quote")  # kinds of answer that a probability decided about
# Enough passages for ten documents of ordinary length; more are asked for where they fall together in fewer.
_PASSAGES = (50, 400)

DocumentText = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one question; ``found`` is the ranking of documents, ``answer`` is None without --answers.

    ``right`` tells of each citation of the answer whether it is right; ``slices`` gives its value in each slice. A record
    is not ``timed`` where its draft was written in an earlier run.
    """

    question: Question
    language: Language
    found: tuple[str, ...]
    answer: Answer | None
    refused: bool
    right: tuple[bool, ...]
    scores: Mapping[str, Score]
    seconds: float
    first_token: float | None
    slices: Mapping[str, str]
    error: str = ""
    timed: bool = True

    @property
    def failed(self) -> bool:
        """Whether a reader should look at it: not found among the first ten, not right, wrongly refused or answered."""
        if self.error:
            return True
        wanted = ("gold_contained", "cited_right") if self.answer else ("hit@10",)
        wrong = any(name in self.scores and not self.scores[name].right for name in wanted)
        return wrong or (self.answer is not None and self.refused == self.question.answerable)


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """One point of the risk–coverage curve: what ``answers.strictness`` would have made of a run's probabilities.

    ``coverage`` is the share of all questions that are answered, ``risk`` the share of unanswerable ones among these.
    """

    strictness: float
    refusal_recall: float
    false_refusal_rate: float
    coverage: float
    risk: float


def run(
    pipeline: Pipeline,
    questions: Sequence[Question],
    document_text: DocumentText,
    *,
    answers: bool,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Record]:
    """Ask every question, in order; ``report`` is told how many are done, of how many.

    ``relevant`` of the questions must be names as the store knows them; ``document_text`` gives a document's text.
    """
    text = cache(document_text)
    records = []
    for done, question in enumerate(questions):
        report(done, len(questions))
        records.append(_ask(pipeline, question, text, answers))
    report(len(questions), len(questions))
    return records


def summarise(records: Sequence[Record]) -> dict[str, Measure]:
    """Every metric that has cases, in the order of METRICS."""
    measures: dict[str, Measure | None] = {
        name: metrics.ratio([record.scores[name] for record in records if name in record.scores]) for name in METRICS
    }
    if all(record.question.answerable for record in records):
        measures["refusal_precision"] = measures["refusal_f1"] = None  # nothing was there to be refused
    timed = [record for record in records if record.timed]
    seconds = [record.seconds for record in timed]
    measures["seconds_p50"] = metrics.percentile(seconds, 50)
    measures["seconds_p95"] = metrics.percentile(seconds, 95)
    first = [record.first_token for record in timed if record.first_token is not None]
    measures["first_token_p50"] = metrics.percentile(first, 50)
    return {name: measure for name, measure in measures.items() if measure is not None}


def slices(records: Sequence[Record]) -> dict[str, dict[str, dict[str, Measure]]]:
    """The metrics of every part of the set: by field, then by value.

    A field is ``language``, ``cross_lingual``, ``multi_turn``, ``withheld`` or a meta field with up to 20 values; the
    middle three only where some question is of that kind.
    """
    found = {}
    for name in dict.fromkeys(name for record in records for name in record.slices):
        parts: dict[str, list[Record]] = {}
        for record in records:
            if name in record.slices:
                parts.setdefault(record.slices[name], []).append(record)
        flag_without_cases = name in ("cross_lingual", "multi_turn", "withheld") and "true" not in parts
        if len(parts) <= _SLICE_VALUES and not flag_without_cases:
            found[name] = {value: summarise(part) for value, part in sorted(parts.items())}
    return found


def risk_coverage(records: Sequence[Record]) -> list[RiskCoverage]:
    """The curve over strictness, from the answers' probabilities; empty without both kinds of question.

    Below the strictness of the run it is a guess: questions that were hopeless then were never put to the model.
    """
    told = [(r.answer.confidence, r.question.answerable) for r in records if r.answer and r.answer.kind in _JUDGED]
    sound = [p for p, answerable in told if answerable]
    unsound = [p for p, answerable in told if not answerable]
    if not sound or not unsound:
        return []
    curve = []
    for step in range(1, 20):
        bar = step / 20
        right, wrong = sum(p >= bar for p in sound), sum(p >= bar for p in unsound)
        curve.append(
            RiskCoverage(
                bar,
                1 - wrong / len(unsound),
                1 - right / len(sound),
                (right + wrong) / len(told),
                wrong / (right + wrong) if right + wrong else 0.0,
            )
        )
    return curve


def _ask(pipeline: Pipeline, question: Question, text: DocumentText, answers: bool) -> Record:
    scores: dict[str, Score] = {}
    found: tuple[str, ...] = ()
    seconds, refused = 0.0, False
    if question.relevant or not answers:
        passages, seconds, refused = _search(pipeline, question)
        found = tuple(metrics.rank_documents(passages, question.relevant)[: metrics.DEPTH])
    if question.relevant:
        scores |= metrics.retrieval_scores(found, question.relevant)
    answer, error = None, ""
    right: tuple[bool, ...] = ()
    if answers:
        try:
            answer = pipeline.ask(question.question, question.history, withhold=question.withhold)
        except RagError as failure:  # one question's failure must not cost the others
            error = str(failure)
            if question.answerable and question.answers:
                scores |= metrics.unanswered_scores()
    if answer:
        right = _right_citations(answer, question, text)
        scores |= _answer_scores(answer, right, question)
        seconds, refused = answer.timings.total, answer.refused
        found = found or tuple(metrics.rank_documents(answer.passages, ()))
    return Record(
        question=question,
        language=language(question.question),
        found=found,
        answer=answer,
        refused=refused,
        right=right,
        scores=scores | metrics.refusal_scores(refused, question.answerable),
        seconds=seconds,
        first_token=answer.timings.first_token if answer else None,
        slices=_slices(question, text),
        error=error,
        timed=not (answers and isinstance(pipeline.llm, RememberedModel) and pipeline.llm.reused),
    )


def _search(pipeline: Pipeline, question: Question) -> tuple[tuple[Passage, ...], float, bool]:
    """Passages of at least ten documents where there are so many, the seconds, and whether retrieval refused."""
    for k in _PASSAGES:
        retrieval = pipeline.retrieve(question.question, question.history, withhold=question.withhold, k=k)
        documents = metrics.rank_documents(retrieval.passages, question.relevant)
        if len(documents) >= metrics.DEPTH or len(retrieval.passages) < k:
            break
    return retrieval.passages, retrieval.seconds, bool(retrieval.refusal)


def _right_citations(answer: Answer, question: Question, text: DocumentText) -> tuple[bool, ...]:
    literal = any(metrics.gold_contained(text(name), question.answers) for name in question.relevant)
    return tuple(
        metrics.citation_right(citation, question.relevant, question.answers, literal) for citation in answer.citations
    )


def _answer_scores(answer: Answer, right: Sequence[bool], question: Question) -> dict[str, Score]:
    scores = metrics.citation_scores(answer, right, question.relevant) | metrics.claim_scores(answer)
    if question.answerable and question.answers:
        scores |= metrics.answer_scores(answer, question.answers)
    return scores


def _slices(question: Question, text: DocumentText) -> dict[str, str]:
    asked_in = language(question.question)
    found = {
        "language": asked_in,
        "multi_turn": _spelled(bool(question.history)),
        "withheld": _spelled(bool(question.withhold)),
    }
    relevant = question.relevant or question.withhold
    if relevant:
        found["cross_lingual"] = _spelled(all(language(text(name)) != asked_in for name in relevant))
    for name, value in question.meta.items():
        # The set's own word on cross_lingual counts; another field of a name that is taken gets one of its own.
        taken = name in found and name != "cross_lingual"
        found[f"meta.{name}" if taken else name] = _spelled(value)
    return found


def _spelled(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
