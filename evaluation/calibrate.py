"""``python -m evaluation calibrate``: fit the probability that a question can be answered, over question sets.

Answerable questions are asked as they are and, every second one, again with their documents withheld; unanswerable ones
count as such. Each set weighs the same, and in it the two kinds do. What is printed for a set comes from a fit on the others,
or on its other half where it is alone.

In a collection that says the same things over and over (filings of one company, pages of one site) a question may well be
answered with its documents withheld; of a set that is named as ``--repeating`` only the answerable questions are fitted on.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.dataset import Question, withheld_question
from rag.answerable import DRAFT_FEATURES, FEATURES, WEIGHTS, draft_features, features
from rag.errors import RagError
from rag.whole_file import write_whole

if TYPE_CHECKING:
    from rag.pipeline import Pipeline
    from rag.settings import Settings
    from rag.types import Retrieval

_SEED = 0
_STRICTNESS = tuple(n / 20 for n in range(2, 19))
_BINS = 10


@dataclass(frozen=True, slots=True)
class Example:
    """A question's numbers before and after a draft; ``drafted`` is None where no draft was asked for."""

    answerable: bool
    found: tuple[float, ...]
    drafted: tuple[float, ...] | None


def main(arguments: Sequence[str]) -> int:
    """Fit, print how a fit on the other sets does on each, and write the weights."""
    options = _parser().parse_args(arguments)
    try:
        _calibrate(options)
    except RagError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; nothing was written. Drafts so far are kept: type the same command to go on.", file=sys.stderr)
        return 130
    return 0


def choose(questions: Sequence[Question], most: int, skip: int) -> list[Question]:
    """Up to ``most`` answerable questions, half as many of them again with their documents withheld, and unanswerable ones.

    The first ``skip`` questions are left to be measured on, in a set that has twice as many.
    """
    left = questions[skip:] if len(questions) >= 2 * skip else questions
    answerable = [question for question in left if question.answerable and question.relevant][:most]
    unanswerable = [question for question in left if not question.answerable][:most]
    return [*answerable, *map(withheld_question, answerable[::2]), *unanswerable]


def examples(
    pipeline: Pipeline, questions: Sequence[Question], drafts: int, report: Callable[[int, int], None]
) -> list[Example]:
    """The questions' numbers; ``drafts`` of each kind, drawn at random but always the same, are put to the model, too."""
    drawn = _drawn(questions, drafts)
    found = []
    for done, question in enumerate(questions):
        report(done, len(questions))
        retrieval = pipeline.retrieve(question.question, question.history, withhold=question.withhold, k=10)
        if retrieval.passages:
            drafted = _drafted(pipeline, retrieval) if question.id in drawn else None
            found.append(Example(question.answerable, features(retrieval.query, retrieval.passages), drafted))
    report(len(questions), len(questions))
    return found


def fit(sets: Mapping[str, Sequence[Example]]) -> dict[str, Any]:
    """The weights of both models, as ``rag.answerable.load_calibration`` reads them; the shipped ones where there is no draft."""
    before = _fit([(e.found, e.answerable) for s in sets.values() for e in s], _weights(sets.values()))
    drafted = {name: [_with(before, e) for e in s if e.drafted is not None] for name, s in sets.items()}
    if rows := [(x, y) for s in drafted.values() for x, y in s]:
        after = _named(DRAFT_FEATURES, _fit(rows, _pair_weights(drafted.values())))
    else:
        after = json.loads(WEIGHTS.read_text(encoding="utf-8"))["drafted"]
    return {"found": _named(FEATURES, before), "drafted": after, "fitted_on": sorted(sets)}


def _calibrate(options: argparse.Namespace) -> None:
    from rag.settings import load_settings

    settings = load_settings(options.home, options.kb)
    sets = {}
    for place in options.sets:
        sets[_name(place)] = _examples(place, settings, options)
    repeating = {_name(place) for place in options.repeating}
    if unknown := repeating - sets.keys():
        raise RagError(f"--repeating {', '.join(sorted(unknown))} is none of the sets. Name it among them, too.")
    fitting = {name: [e for e in s if e.answerable or name not in repeating] for name, s in sets.items()}
    _print_held_out(sets, fitting)
    fitted = fit(fitting)
    out = options.out or settings.home / "calibration.json"
    write_whole(out, json.dumps(fitted, indent=1) + "\n")
    print(f"Written: {out}. To use it, set answers.calibration to this path.")


def _name(place: Path) -> str:
    return place.name if place.is_dir() else place.stem


def _examples(place: Path, settings: Settings, options: argparse.Namespace) -> list[Example]:
    from evaluation.__main__ import Progress, fitting, ingested
    from evaluation.dataset import known_names, resolve
    from evaluation.formats import corpus_of
    from evaluation.results import Results
    from evaluation.runner import observed
    from rag.pipeline import load_pipeline
    from rag.settings import AnswerSettings, TraceSettings
    from rag.store import Store

    corpus = corpus_of(place)
    questions = fitting(place, corpus)
    if corpus:
        settings = ingested(settings, corpus)
    with Store(settings.home, settings.kb) as store:
        questions = resolve(questions, known_names(store), place)
    # Every question is to reach the model, however hopeless.
    settings = replace(settings, trace=TraceSettings(keep=0), answers=AnswerSettings(strictness=0.0))
    pipeline = load_pipeline(settings, answers=options.drafts > 0)
    pipeline = observed(pipeline, Results(pipeline.store))
    chosen = choose(questions, options.questions, options.skip)
    print(f"{place.name}: {len(chosen)} questions", file=sys.stderr)
    return examples(pipeline, chosen, options.drafts, Progress())


def _drawn(questions: Sequence[Question], most: int) -> set[str]:
    kinds: dict[tuple[bool, bool], list[str]] = {}
    for question in questions:
        kinds.setdefault((question.answerable, bool(question.withhold)), []).append(question.id)
    draw = random.Random(_SEED)
    return {chosen for ids in kinds.values() for chosen in draw.sample(ids, min(most, len(ids)))}


def _drafted(pipeline: Pipeline, retrieval: Retrieval) -> tuple[float, ...]:
    _, claims, _ = pipeline.grounded(retrieval, "".join(pipeline.generate(retrieval)))
    return draft_features(retrieval.answerable, claims)


def _with(before: Any, example: Example) -> tuple[tuple[float, ...], bool]:
    """The draft's numbers with the first one, what retrieval thought, by another fit."""
    assert example.drafted
    return (float(before.decision_function([example.found])[0]), *example.drafted[1:]), example.answerable


def _fit(rows: Sequence[tuple[tuple[float, ...], bool]], weights: np.ndarray) -> Any:
    from sklearn.linear_model import LogisticRegression

    x, y = np.array([row for row, _ in rows]), np.array([answerable for _, answerable in rows])
    if len(set(y)) < 2:
        raise RagError("The questions are all of one kind. Name a set with answerable questions and their documents.")
    return LogisticRegression(C=10, max_iter=5000).fit(x, y, sample_weight=weights * len(rows))


def _weights(sets: Any) -> np.ndarray:
    return _pair_weights([[(e.found, e.answerable) for e in s] for s in sets])


def _pair_weights(sets: Any) -> np.ndarray:
    """One weight a row: each set counts the same, and in it the answerable and the others."""
    kept = [s for s in sets if s]
    weights = []
    for rows in kept:
        count = {kind: sum(y == kind for _, y in rows) for kind in (True, False)}
        weights += [1 / count[y] / (2 * len(kept)) for _, y in rows]
    return np.array(weights)


def _named(names: Sequence[str], model: Any) -> dict[str, Any]:
    weights = dict(zip(names, model.coef_[0].round(4).tolist(), strict=True))
    return {"weights": weights, "bias": round(float(model.intercept_[0]), 4)}


def _print_held_out(sets: Mapping[str, Sequence[Example]], fitting: Mapping[str, Sequence[Example]]) -> None:
    """For each set, by a fit on the others: area under the curve, calibration error, and the curve itself.

    A set that is alone is told of by halves: one is fitted on, the other is what is told of.
    """
    for name, own in sets.items():
        others, told = {other: s for other, s in fitting.items() if other != name}, "a fit on the others"
        if not others:
            others, own, told = {name: own[::2]}, own[1::2], "a fit on the other half of it"
        before = _fit([(e.found, e.answerable) for s in others.values() for e in s], _weights(others.values()))
        x = np.array([e.found for e in own])
        _print_quality(f"{name}, before a draft, by {told}", before.predict_proba(x)[:, 1], [e.answerable for e in own])
        drafted = [[_with(before, e) for e in s if e.drafted is not None] for s in others.values()]
        mine = [_with(before, e) for e in own if e.drafted is not None]
        if mine and any(drafted):
            after = _fit([row for s in drafted for row in s], _pair_weights(drafted))
            p = after.predict_proba(np.array([row for row, _ in mine]))[:, 1]
            _print_quality(f"{name}, with a draft", p, [y for _, y in mine])


def _print_quality(title: str, p: np.ndarray, answerable: Sequence[bool]) -> None:
    from sklearn.metrics import roc_auc_score

    y = np.array(answerable)
    if y.all() or not y.any():
        return
    print(
        f"{title}: AUC {roc_auc_score(y, p):.3f}, calibration error {calibration_error(p, y):.3f}, {y.sum()} + {(~y).sum()}"
    )
    row = [f"{t:.2f} {(p[~y] < t).mean():.2f}/{(p[y] < t).mean():.2f}" for t in _STRICTNESS[::2]]
    print("  strictness, refused of the unanswerable / of the answerable: " + "  ".join(row))


def calibration_error(p: np.ndarray, y: np.ndarray) -> float:
    """The expected calibration error: mean distance of probability and share in ten bins, both kinds weighing the same.

    Guo et al., On Calibration of Modern Neural Networks, 2017, equation 3.
    """
    weight = np.where(y, 0.5 / y.sum(), 0.5 / (~y).sum())
    bins = np.minimum((p * _BINS).astype(int), _BINS - 1)
    error = 0.0
    for place in range(_BINS):
        inside = bins == place
        if (mass := weight[inside].sum()) > 0:
            error += abs(float((weight[inside] * (p[inside] - y[inside])).sum() / mass)) * float(mass)
    return error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation calibrate",
        description="Fit the probability that a question can be answered, which answers.strictness is compared with.",
    )
    parser.add_argument(
        "sets", type=Path, nargs="+", metavar="SET",
        help="a set that brings its documents (a folder with qa.jsonl and corpus.jsonl), or a QA.jsonl over the knowledge base",
    )  # fmt: skip
    parser.add_argument("--questions", type=int, default=300, metavar="N", help="answerable questions of a set (300)")
    parser.add_argument(
        "--drafts",
        type=int,
        default=40,
        metavar="N",
        help="of each kind put to the model (40); 0: the shipped fit of drafts stays",
    )
    parser.add_argument(
        "--skip",
        type=int,
        default=0,
        metavar="N",
        help="leave out the first N questions of sets that have twice as many",
    )
    parser.add_argument(
        "--repeating", type=Path, action="append", default=[], metavar="SET",
        help="one of the sets, whose documents repeat each other, so that withholding some leaves the answer there",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write the fit (calibration.json in the home)"
    )
    parser.add_argument("--home", type=Path, metavar="DIR", help="default $FOOTNOTE_HOME, then data/")
    parser.add_argument("--kb", metavar="NAME", help="knowledge base (default: default)")
    return parser
