"""Runs the same pipeline as the app and the commands over questions, and notes what became of each."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from evaluation import metrics
from evaluation.dataset import Question, as_entry
from evaluation.metrics import Measure, Place, Score
from evaluation.record import Footnote, Record, Said, Shown
from evaluation.results import ObservedModel, Results, key_of
from evaluation.steps import Course, Step, blame
from rag.errors import LLMError, RagError, StoreError
from rag.record import settings_to_json, versions
from rag.text import language
from rag.types import PAGE_BREAK, Answer, Page, Passage, Retrieval

if TYPE_CHECKING:
    from rag.llm import LanguageModel
    from rag.pipeline import Pipeline
    from rag.store import Store

METRICS = (
    "hit@1", "hit@5", "hit@10", "mrr", "ndcg@10", "recall@5", "recall@10", "evidence",
    "gold_contained", "all_parts", "exact_match", "f1", "judged_right",
    "citation_precision", "citation_recall", "cited_right",
    "citation_precision_document", "citation_recall_document", "citation_precision_page", "citation_recall_page",
    "citation_precision_span", "citation_recall_span",
    "refusal_recall", "false_refusal_rate", "refusal_precision", "refusal_f1",
    "claims_supported", "claims_flagged",
    "seconds_p50", "seconds_p95", "first_token_p50", "tokens_prompt", "tokens_answer",
)  # fmt: skip
LESS_IS_BETTER = {
    "false_refusal_rate", "claims_flagged", "seconds_p50", "seconds_p95", "first_token_p50", "tokens_prompt", "tokens_answer",
}  # fmt: skip
NEED_ANSWERS = {
    name for name in METRICS if name.startswith(("gold", "all", "exact", "f1", "cit", "claims", "first", "tok"))
}
NEED_ANSWERS |= {"judged_right"}
_SLICE_VALUES = 20
_REFUSALS = ("refusal", "false_refusal")  # metrics that only the whole answer decides
_SHOWN = 300  # characters of a passage
_ONLY_IF_TRUE = ("cross_lingual", "multi_turn", "withheld")  # of no interest in a set without such a question
# Enough passages for ten documents of ordinary length; more are asked for where they fall together in fewer.
_PASSAGES = (50, 400)

DocumentPages = Callable[[str], Sequence[Page]]


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


@dataclass(frozen=True, slots=True)
class Reliability:
    """Answers whose probability fell into one tenth: how many, the mean of it, and the share that could be answered."""

    n: int
    told: float
    true: float


class Run:
    """Asks questions of a pipeline, one after the other; ``results`` are those of earlier runs, used where they hold.

    ``pages`` gives a document's pages; ``relevant`` of the questions must be names as the store knows them.
    """

    def __init__(
        self, pipeline: Pipeline, pages: DocumentPages, *, answers: bool, results: Results | None = None
    ) -> None:
        self.pipeline = observed(pipeline, results) if answers else pipeline
        self._answers = answers
        self._results = results
        self._pages = cache(pages)
        self._under = _made_under(pipeline, answers) if results else None
        self.reused = 0  # questions whose result is that of an earlier run

    def ask(self, question: Question) -> Record:
        """What becomes of a question; a failure of its own is noted, not raised."""
        if self._results is None:
            return self._asked(question)
        key = key_of("record", self._under, as_entry(question), question.withhold)
        if kept := self._results.get(key):
            self.reused += 1
            return Record.from_json(question, json.loads(kept))
        record = self._asked(question)
        if not record.error:
            self._results.put(key, json.dumps(record.as_json(), ensure_ascii=False))
        return record

    def _asked(self, question: Question) -> Record:
        places = {name: self._place(name, question) for name in question.relevant}
        record = Record(question, language(question.question), slices=self._slices(question))
        try:
            record = self._ranked(record, places)
            return self._answered(record, places) if self._answers else record
        except RagError as failure:  # one question's failure must not cost the others
            scores = {name: score for name, score in record.scores.items() if not name.startswith(_REFUSALS)}
            if self._answers and question.answerable:
                scores |= metrics.answer_scores(None, question.answers, _parts(question))
            return replace(record, scores=scores, refused=False, step="not_asked", error=str(failure))

    def _ranked(self, record: Record, places: Mapping[str, Place]) -> Record:
        """The ranking of documents and what retrieval alone decides."""
        question = record.question
        if self._answers and not question.relevant:
            return record
        retrieval, ranked = _searched(self.pipeline, question)
        found = tuple(ranked[: metrics.DEPTH])
        scores: dict[str, Score] = {}
        if question.relevant:
            scores |= metrics.retrieval_scores(found, question.relevant)
            read = retrieval.passages[: self.pipeline.settings.retrieval.k]
            scores["evidence"] = Score(float(_evidence(read, places, question)))
        refused = bool(retrieval.refusal)
        course = Course(
            answerable=question.answerable,
            indexed=self._indexed(question),
            found=bool(scores["hit@10"].right) if scores else True,
            refused=refused,
        )
        return replace(
            record,
            found=found,
            refused=refused,
            scores=scores | metrics.refusal_scores(refused, question.answerable),
            seconds=retrieval.seconds,
            # Whether an unanswerable question is refused in the end, retrieval alone does not decide.
            step=blame(course) if question.answerable else "",
        )

    def _answered(self, record: Record, places: Mapping[str, Place]) -> Record:
        question, pipeline = record.question, self.pipeline
        model = cast("ObservedModel", pipeline.llm)
        model.tokens, model.reused = None, False
        retrieval = pipeline.retrieve(question.question, question.history, withhold=question.withhold)
        answer = pipeline.answered(retrieval)
        scores = {name: score for name, score in record.scores.items() if not name.startswith(_REFUSALS)}
        right = tuple(metrics.holds_answer(c.passage, places, question.answers) for c in answer.citations)
        scores |= metrics.claim_scores(answer) | metrics.refusal_scores(answer.refused, question.answerable)
        if not answer.refused:
            scores |= metrics.citation_scores(answer.citations, right, places, question.answers)
        if question.answerable:
            text = None if answer.refused else answer.text
            scores |= metrics.answer_scores(text, question.answers, _parts(question))
        if model.tokens:
            scores |= {"tokens_prompt": Score(model.tokens[0]), "tokens_answer": Score(model.tokens[1])}
        step = self._blamed(question, places, retrieval, answer, scores)
        return replace(
            record,
            found=record.found or tuple(metrics.rank_documents(answer.passages, ())),
            shown=tuple(map(_shown, answer.passages)) if step else (),
            refused=answer.refused,
            said=_said(answer, right),
            scores=scores,
            seconds=answer.timings.total,
            first_token=answer.timings.first_token,
            timed=not model.reused,
            step=step,
        )

    def _blamed(
        self, question: Question, places: Mapping[str, Place], retrieval: Retrieval, answer: Answer,
        scores: Mapping[str, Score],
    ) -> Step:  # fmt: skip
        asked_back = answer.kind in ("talk", "question")
        course = Course(question.answerable, refused=answer.refused or asked_back, indexed=self._indexed(question))
        if places and not asked_back:
            found = [*retrieval.passages, *(cut.passage for cut in retrieval.trace.cut)]
            shown = self._read(retrieval)
            course = replace(
                course,
                found=_evidence(found, places, question),
                read=_evidence([p for p in found if p.chunk.id in shown], places, question),
            )
        right = scores.get("all_parts", scores.get("gold_contained"))
        # A long answer in words of its own cannot be told right from wrong by looking for it.
        literal = any(place.literal for place in places.values())
        if right is not None and (literal or "all_parts" in scores or metrics.is_short(question.answers)):
            course = replace(course, right=bool(right.right))
        if "cited_right" in scores:
            course = replace(course, cited=bool(scores["cited_right"].right))
        return blame(course)

    def _read(self, retrieval: Retrieval) -> set[int]:
        """The chunks that the model was sent, or would have been had it been asked; none where not even one fits."""
        try:
            return {chunk.id for chunk in self.pipeline.read(retrieval)} if retrieval.passages else set()
        except LLMError:
            return set()

    def _indexed(self, question: Question) -> bool:
        return not question.relevant or any(self._text(name).strip() for name in question.relevant)

    def _text(self, name: str) -> str:
        return PAGE_BREAK.join(page.text for page in self._pages(name))

    def _place(self, name: str, question: Question) -> Place:
        """Where in a document the answer is: as the set says, else the pages that hold it word for word."""
        literal = metrics.gold_contained(self._text(name), question.answers)
        told = question.meta.get("pages")
        if isinstance(told, Mapping):
            told = told.get(name)
        if isinstance(told, list):
            return Place(frozenset(number for number in told if isinstance(number, int)), literal)
        holding = [p for p in self._pages(name) if literal and metrics.gold_contained(p.text, question.answers)]
        return Place(frozenset(page.number for page in holding if page.number is not None), literal)

    def _slices(self, question: Question) -> dict[str, str]:
        asked_in = language(question.question)
        found = {
            "language": asked_in,
            "multi_turn": _spelled(bool(question.history)),
            "withheld": _spelled(bool(question.withhold)),
        }
        if relevant := question.relevant or question.withhold:
            found["cross_lingual"] = _spelled(all(language(self._text(name)) != asked_in for name in relevant))
            found["document_type"] = " ".join(sorted({_type(name) for name in relevant}))
        for name, value in question.meta.items():
            # The set's own word on cross_lingual counts; another field of a name that is taken gets one of its own.
            taken = name in found and name != "cross_lingual"
            found[f"meta.{name}" if taken else name] = _spelled(value)
        return found


def stored_pages(store: Store) -> DocumentPages:
    """The pages of a store's documents; none for a file that it knows and could not index."""

    def pages(name: str) -> Sequence[Page]:
        try:
            return store.document_pages(name)
        except StoreError:
            return ()

    return pages


def observed(pipeline: Pipeline, results: Results | None) -> Pipeline:
    """The same pipeline with its model looked at, and its drafts taken from earlier runs where there are ``results``."""
    other = copy.copy(pipeline)
    if pipeline.llm is not None:
        other.llm = cast("LanguageModel", ObservedModel(pipeline.llm, results))
    return other


def summarise(records: Sequence[Record]) -> dict[str, Measure]:
    """Every metric that has cases, in the order of METRICS."""
    measures: dict[str, Measure | None] = {
        name: metrics.ratio([record.scores[name] for record in records if name in record.scores]) for name in METRICS
    }
    if all(record.question.answerable for record in records):
        measures["refusal_precision"] = measures["refusal_f1"] = None  # nothing was there to be refused
    # Where drafts of an earlier run were used, what asked no model would be all that is left, and look fast.
    fresh = all(record.timed for record in records)
    timed = [r for r in records if r.timed and not r.error and (fresh or r.first_token is not None)]
    seconds = [record.seconds for record in timed]
    measures["seconds_p50"] = metrics.percentile(seconds, 50)
    measures["seconds_p95"] = metrics.percentile(seconds, 95)
    first = [record.first_token for record in timed if record.first_token is not None]
    measures["first_token_p50"] = metrics.percentile(first, 50)
    return {name: measure for name, measure in measures.items() if measure is not None}


def slices(records: Sequence[Record]) -> dict[str, dict[str, dict[str, Measure]]]:
    """The metrics of every part of the set: by field, then by value.

    A field is ``language``, ``document_type``, ``cross_lingual``, ``multi_turn``, ``withheld`` or a meta field with up to 20
    values; the last three of these only where some question is of that kind.
    """
    found = {}
    for name in dict.fromkeys(name for record in records for name in record.slices):
        parts: dict[str, list[Record]] = {}
        for record in records:
            if name in record.slices:
                parts.setdefault(record.slices[name], []).append(record)
        flag_without_cases = name in _ONLY_IF_TRUE and "true" not in parts
        if len(parts) <= _SLICE_VALUES and not flag_without_cases:
            found[name] = {value: summarise(part) for value, part in sorted(parts.items())}
    return found


def risk_coverage(records: Sequence[Record]) -> list[RiskCoverage]:
    """The curve over strictness, from the answers' probabilities; empty without both kinds of question.

    Below the strictness of the run it is a guess: questions that were hopeless then were never put to the model.
    """
    told = _told(records)
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


def reliability(records: Sequence[Record]) -> list[Reliability]:
    """Whether the refusal probability is what it says, in tenths of it; empty without both kinds of question."""
    told = _told(records)
    if len({answerable for _, answerable in told}) < 2:
        return []
    tenths: dict[int, list[tuple[float, bool]]] = {}
    for p, answerable in told:
        tenths.setdefault(min(9, int(p * 10)), []).append((p, answerable))
    return [
        Reliability(len(part), sum(p for p, _ in part) / len(part), sum(y for _, y in part) / len(part))
        for _, part in sorted(tenths.items())
    ]


def _told(records: Sequence[Record]) -> list[tuple[float, bool]]:
    """The probability of each answer that one decided about, and whether there was anything to answer."""
    return [
        (r.said.confidence, r.question.answerable) for r in records if r.said and r.said.kind in ("answer", "quote")
    ]


def _searched(pipeline: Pipeline, question: Question) -> tuple[Retrieval, list[str]]:
    """A search deep enough for ten documents where there are so many, and their ranking."""
    for k in _PASSAGES:
        retrieval = pipeline.retrieve(question.question, question.history, withhold=question.withhold, k=k)
        documents = metrics.rank_documents(retrieval.passages, question.relevant)
        if len(documents) >= metrics.DEPTH or len(retrieval.passages) < k:
            break
    return retrieval, documents


def _evidence(passages: Sequence[Passage], places: Mapping[str, Place], question: Question) -> bool:
    return any(metrics.holds_answer(passage, places, question.answers) for passage in passages)


def _said(answer: Answer, right: Sequence[bool]) -> Said:
    notes = tuple(
        Footnote(c.n, c.passage.chunk.document, c.page, c.quote, ok)
        for c, ok in zip(answer.citations, right, strict=True)
    )
    return Said(answer.text, answer.reason, answer.kind, answer.confidence, notes)


def _shown(passage: Passage) -> Shown:
    chunk = passage.chunk
    text = " ".join(chunk.text.split())
    return Shown(chunk.document, chunk.page, text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _parts(question: Question) -> tuple[tuple[str, ...], ...]:
    """The parts that an answer must hold (``meta.answer_all``), each in its spellings."""
    told = question.meta.get("answer_all")
    if not isinstance(told, list):
        return ()
    parts = [part if isinstance(part, list) else [part] for part in told]
    return tuple(tuple(text for text in part if isinstance(text, str)) for part in parts)


def _type(name: str) -> str:
    """What kind of file a document's name is of; a record's is its file's."""
    file = name.split("#")[0] if "#" in name else name
    return PurePosixPath(file).suffix.lstrip(".").lower() or "none"


def _spelled(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _made_under(pipeline: Pipeline, answers: bool) -> dict[str, Any]:
    """All that decides a question's result beside the question: settings, code, models, state of the documents."""
    settings, made = settings_to_json(pipeline.settings), versions(pipeline)
    if not answers:
        settings = {section: settings[section] for section in ("retrieval", "embedding", "answers")}
        made = {name: made[name] for name in ("code", "embedder", "store", "generation")}
    ignored = ("home", "kb", "ingest", "trace", "access")
    kept = {section: value for section, value in settings.items() if section not in ignored}
    # Files that a setting names may hold something else by now.
    read = [repr(pipeline.calibration), repr(pipeline.style)]
    return {
        "settings": kept,
        "read": read,
        "made": made,
        "metrics": _code(),
        "answers": answers,
        "kb": pipeline.store.kb,
    }


@lru_cache
def _code() -> str:
    """A hash of the code that measures."""
    total = hashlib.sha256()
    for name in ("metrics.py", "record.py", "runner.py", "steps.py"):
        total.update((Path(__file__).parent / name).read_bytes())
    return total.hexdigest()
