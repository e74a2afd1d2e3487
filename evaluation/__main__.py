"""``python -m evaluation QA.jsonl``: measure retrieval, and with --answers the answers, over a question set."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rag.errors import RagError

if TYPE_CHECKING:
    from evaluation.dataset import Question
    from evaluation.metrics import Measure
    from evaluation.report import Evaluation
    from evaluation.runner import Record
    from rag.llm import LanguageModel
    from rag.pipeline import Pipeline
    from rag.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 well, 1 where a bar is missed or something failed, 2 on wrong use."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["calibrate"]:
        from evaluation.calibrate import main as calibrate

        return calibrate(given[1:])
    parser = _parser()
    options = parser.parse_args(given)
    bars = _bars(parser, options)
    try:
        return _evaluate(options, bars)
    except RagError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; no report was written.", file=sys.stderr)
        return 130


def _evaluate(options: argparse.Namespace, bars: Mapping[str, float]) -> int:
    from evaluation import report
    from rag.settings import load_settings

    settings = load_settings(options.home, options.kb)
    questions = _questions(options)
    for place in (options.json, options.html):
        report.check_place(place)
    if options.corpus:
        settings = ingested(settings, options.corpus)
    run = _run(settings, questions, options)
    print(report.as_text(run))
    if options.json:
        report.write(options.json, report.dumps(run))
    if options.html:
        report.write(options.html, report.as_html(run))
    if broken := sum(1 for record in run.records if record.error):
        print(f"{broken} questions could not be asked; the report says why.", file=sys.stderr)
    return 1 if _missed(run.metrics, bars) or broken else 0


def _questions(options: argparse.Namespace) -> list[Question]:
    from evaluation.dataset import load, withheld

    questions = load(options.questions)[: options.limit]
    # Tried here as well, so that a number too high is told before a corpus is ingested.
    withheld(questions, options.withhold, options.questions)
    return questions


def ingested(settings: Settings, corpus: Path) -> Settings:
    """The settings of a scratch knowledge base that equals the corpus."""
    from evaluation.corpus import ingest_corpus, scratch_settings
    from ingest.progress import reporter

    scratch = scratch_settings(settings, corpus)
    done = ingest_corpus(scratch, corpus, reporter(sys.stderr))
    for verdict in done.verdicts:
        if verdict.state == "set aside":
            print(f"set aside: {verdict.file}: {verdict.reason}", file=sys.stderr)
    return scratch


def _run(settings: Settings, questions: Sequence[Question], options: argparse.Namespace) -> Evaluation:
    from evaluation import dataset, report, runner
    from rag.pipeline import load_pipeline
    from rag.settings import TraceSettings
    from rag.store import Store

    with Store(settings.home, settings.kb) as store:
        names = [document.name for document in store.documents()]
        if not names:
            raise RagError(
                f"Knowledge base {settings.kb!r} in {settings.home} is empty. Type `python -m ingest PATH` "
                "first, or name the questions' documents with --corpus."
            )
        asked = dataset.resolve(questions, names, options.questions)
        asked += dataset.withheld(asked, options.withhold, options.questions)
        unrecorded = replace(settings, trace=TraceSettings(keep=0))  # the records are those of people's own questions
        pipeline = load_pipeline(unrecorded, answers=options.answers)
        if not options.fresh:
            remembering(pipeline)
        records: list[Record] = runner.run(
            pipeline, asked, store.document_text, answers=options.answers, report=Progress()
        )
    models = {"embedding": settings.embedding.model}
    if options.answers:
        models["llm"] = pipeline.model_name
    return report.evaluation(records, settings, models)


def remembering(pipeline: Pipeline) -> Pipeline:
    """The pipeline with a model that uses the drafts of earlier runs over the same scratch knowledge base again.

    A draft may hold a document's words: where documents can be deleted, none is kept.
    """
    from evaluation.corpus import is_scratch
    from evaluation.drafts import RememberedModel

    if pipeline.llm and is_scratch(pipeline.settings):
        kept = RememberedModel(pipeline.llm, pipeline.settings.home / "drafts")
        pipeline.llm = cast("LanguageModel", kept)
    return pipeline


def _missed(metrics: Mapping[str, Measure], bars: Mapping[str, float]) -> bool:
    from evaluation.runner import LESS_IS_BETTER

    missed = False
    for name, bar in bars.items():
        measure = metrics.get(name)
        if measure is None:
            print(f"{name} has no cases in this question set, so it cannot reach {bar:g}.", file=sys.stderr)
        elif measure.value > bar if name in LESS_IS_BETTER else measure.value < bar:
            print(f"{name} is {measure.value:.4f}, the bar is {bar:g}.", file=sys.stderr)
        else:
            continue
        missed = True
    return missed


class Progress:
    """Questions done and the time left, on stderr."""

    def __init__(self) -> None:
        from rag.terminal import Meter

        self._started = time.monotonic()
        self._meter = Meter(sys.stderr)

    def __call__(self, done: int, total: int) -> None:
        """Tell how many questions are done, of how many."""
        from rag.terminal import duration

        left = (time.monotonic() - self._started) / done * (total - done) if done else None
        said = f"{done}/{total} questions" + (f", {duration(left)} left" if left is not None else "")
        self._meter.show(done / max(1, total), said, finished=done == total)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation",
        description="Measure retrieval, and with --answers the answers, over a question set.",
        epilog="`python -m evaluation calibrate --help` tells of the fit behind answers.strictness. "
        "Exit code: 0 well, 1 where a bar is missed or something failed, 2 on wrong use.",
    )
    parser.add_argument("questions", type=Path, metavar="QA.jsonl", help="question set, one JSON object a line")
    parser.add_argument(
        "--corpus",
        type=_corpus,
        metavar="PATH",
        help="measure over this file or folder, ingested into a scratch knowledge base that is kept",
    )
    parser.add_argument("--answers", action="store_true", help="let the language model answer, and measure that too")
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="let the model write every draft anew; with --corpus those of earlier runs are used again, and not timed",
    )
    parser.add_argument("--limit", type=_at_least(1), metavar="N", help="only the first N questions")
    parser.add_argument(
        "--withhold",
        type=_at_least(0),
        default=0,
        metavar="N",
        help="ask N answerable questions again with their documents hidden, as unanswerable",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page")
    parser.add_argument(
        "--fail-under",
        action="append",
        default=[],
        metavar="METRIC=X",
        help="exit with 1 where METRIC is worse than X: below it, or above it where less is better "
        "(false_refusal_rate, claims_flagged, seconds); may be repeated",
    )
    parser.add_argument("--home", type=Path, metavar="DIR", help="default $FOOTNOTE_HOME, then data/")
    parser.add_argument("--kb", metavar="NAME", help="knowledge base (default: default)")
    return parser


def _corpus(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty path names no corpus")
    return Path(text)


def _at_least(least: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no number of {least} or more")
        return int(text)

    return count


def _bars(parser: argparse.ArgumentParser, options: argparse.Namespace) -> dict[str, float]:
    from evaluation.runner import METRICS, NEED_ANSWERS

    bars = {}
    for text in options.fail_under:
        name, _, number = text.partition("=")
        try:
            bars[name] = float(number)
        except ValueError:
            bars[name] = math.nan
        if name not in METRICS:
            parser.error(f"--fail-under {text}: {name!r} is not a metric. Known: {', '.join(METRICS)}")
        if not math.isfinite(bars[name]):
            parser.error(f"--fail-under {text}: write METRIC=NUMBER, for example {name}=0.9")
        if name in NEED_ANSWERS and not options.answers:
            parser.error(f"--fail-under {text}: {name} needs --answers")
    return bars


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
