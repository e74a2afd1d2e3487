"""``python -m evaluation QA.jsonl``: measure retrieval, and with --answers the answers, over a question set."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rag.errors import RagError

if TYPE_CHECKING:
    from evaluation.compare import Comparison
    from evaluation.dataset import Question
    from evaluation.judge import Agreement
    from evaluation.metrics import Measure
    from evaluation.record import Record
    from evaluation.report import Evaluation
    from evaluation.results import Results
    from rag.llm import LanguageModel
    from rag.pipeline import Pipeline
    from rag.settings import Settings
    from rag.types import Language

SUBCOMMANDS = ("calibrate", "tune", "generate")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 well, 1 where a bar is missed, something got worse or failed, 2 on wrong use."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] and given[0] in SUBCOMMANDS:
        from importlib import import_module

        return int(import_module(f"evaluation.{given[0]}").main(given[1:]))
    parser = _parser()
    options = parser.parse_args(given)
    bars = _bars(parser, options)
    if options.judge and not options.answers:
        parser.error("--judge judges answers; type --answers, too")
    try:
        return _evaluate(options, bars)
    except RagError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; what was asked is kept. Type the same command to go on.", file=sys.stderr)
        return 130


def _evaluate(options: argparse.Namespace, bars: Mapping[str, float]) -> int:
    from evaluation import report
    from evaluation.kept import read
    from rag.logs import begin
    from rag.settings import load_settings

    settings = load_settings(options.home, options.kb)
    begin(settings, "evaluation")
    corpus = _corpus_of(options)
    questions = _questions(options, corpus)
    baseline = read(options.baseline) if options.baseline else None
    for place in (options.json, options.html):
        report.check_place(place)
    if corpus:
        settings = ingested(settings, corpus)
    run, agreement = _run(settings, questions, options)
    made = report.as_json(run) | {"set": options.questions.stem} | ({"judge": asdict(agreement)} if agreement else {})
    found = _compared(baseline, made)
    print("\n\n".join([report.as_text(run), *_more(agreement, found)]))
    if options.json:
        report.write(options.json, report.dumps(made))
    if options.html:
        from evaluation.page import as_html

        report.write(options.html, as_html(made, options.language or _spoken(run.records), found))
    if broken := sum(1 for record in run.records if record.error):
        print(f"{broken} questions could not be asked; the report says why.", file=sys.stderr)
    return 1 if _missed(run.metrics, bars) or _worse(found) or broken else 0


def _corpus_of(options: argparse.Namespace) -> Path | None:
    """The documents to measure over: those that are named, else those that the set brings along; None: the knowledge base."""
    from evaluation.formats import corpus_of

    own = options.corpus is None and options.kb is None
    return corpus_of(options.questions) if own else options.corpus


def _questions(options: argparse.Namespace, corpus: Path | None) -> list[Question]:
    """The questions; what can be wrong with them is told here, before a corpus is ingested or a model loaded."""
    from evaluation.dataset import drawn, withheld

    questions = list(drawn(fitting(options.questions, corpus), options.limit))
    withheld(questions, options.withhold, options.questions)
    return questions


def fitting(path: Path, corpus: Path | None) -> list[Question]:
    """The questions of a set; raises DatasetError where they name documents that a corpus doesn't hold."""
    from evaluation.corpus import expected_names
    from evaluation.dataset import load, resolve

    questions = load(path)
    names = expected_names(corpus) if corpus else None
    return questions if names is None else resolve(questions, names, path)


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


def _run(
    settings: Settings, questions: Sequence[Question], options: argparse.Namespace
) -> tuple[Evaluation, Agreement | None]:
    from evaluation import dataset, report
    from evaluation.results import Results
    from evaluation.runner import Run, stored_pages
    from rag.pipeline import load_pipeline
    from rag.record import versions
    from rag.settings import TraceSettings
    from rag.store import Store

    with Store(settings.home, settings.kb) as store:
        if not store.counts()[0]:
            raise RagError(
                f"Knowledge base {settings.kb!r} in {settings.home} is empty. Type `python -m ingest PATH` "
                "first, or name the questions' documents with --corpus."
            )
        asked = dataset.resolve(questions, dataset.known_names(store), options.questions)
        asked += dataset.withheld(asked, options.withhold, options.questions)
        unrecorded = replace(settings, trace=TraceSettings(keep=0))  # the records are those of people's own questions
        pipeline = load_pipeline(unrecorded, answers=options.answers)
        results = None if options.fresh else Results(store)
        asking = Run(pipeline, stored_pages(store), answers=options.answers, results=results)
        records, progress = [], Progress()
        for done, question in enumerate(asked):
            progress(done, len(asked))
            records.append(asking.ask(question))
        progress(len(asked), len(asked))
        agreement = None
        if options.judge:
            records, agreement = _judged(records, pipeline, results)
        return report.evaluation(records, settings, versions(pipeline), asking.reused), agreement


def _judged(records: list[Record], pipeline: Pipeline, results: Results | None) -> tuple[list[Record], Agreement]:
    from evaluation.judge import judged
    from evaluation.results import ObservedModel
    from rag.llm import load_llm

    chosen = pipeline.settings.judging
    model = pipeline.llm if chosen == pipeline.settings.llm else load_llm(chosen)
    judge = ObservedModel(cast("LanguageModel", model), results)
    return judged(records, judge, chosen.model, Progress("answers judged"))


def _compared(baseline: Mapping[str, Any] | None, made: Mapping[str, Any]) -> Comparison | None:
    from evaluation.compare import compare

    return compare(baseline, made) if baseline else None


def _more(agreement: Agreement | None, found: Comparison | None) -> list[str]:
    """What stands below the table where a judge was asked, and where there is a baseline."""
    from evaluation import report

    blocks = []
    if agreement:
        blocks.append(
            f"The judge, {agreement.model}, agrees with gold_contained on {agreement.agreement:.0%} of {agreement.n} "
            f"answers (Cohen's kappa {agreement.kappa:.2f}); {agreement.unclear} got no clear verdict."
        )
    return blocks + ([report.comparison_text(found)] if found else [])


def _spoken(records: Sequence[Record]) -> Language:
    """The language that most questions are asked in."""
    return "zh" if 2 * sum(record.language == "zh" for record in records) > len(records) else "en"


def _worse(found: Comparison | None) -> bool:
    worse = found.worse if found else []
    if worse:
        print(f"Worse than the baseline: {', '.join(difference.metric for difference in worse)}.", file=sys.stderr)
    return bool(worse)


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
    """Questions done, or whatever else is counted, and the time left, on stderr."""

    def __init__(self, what: str = "questions") -> None:
        from rag.terminal import Meter

        self._what = what
        self._started = time.monotonic()
        self._meter = Meter(sys.stderr)

    def __call__(self, done: int, total: int) -> None:
        """Tell how many questions are done, of how many."""
        from rag.terminal import duration

        left = (time.monotonic() - self._started) / done * (total - done) if done else None
        said = f"{done}/{total} {self._what}" + (f", {duration(left)} left" if left is not None else "")
        self._meter.show(done / max(1, total), said, finished=done == total)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation",
        description="Measure retrieval, and with --answers the answers, over a question set.",
        epilog="Subcommands, each with a --help of its own: calibrate (fit the probability behind answers.strictness), tune "
        "(search better settings for a set), generate (draft a set from your documents or from feedback). "
        "Exit code: 0 well, 1 where a bar is missed, something is worse than the baseline or failed, 2 on wrong use.",
    )
    parser.add_argument(
        "questions", type=Path, metavar="QA.jsonl", help="question set: JSONL, SQuAD JSON, CSV, a folder"
    )
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
        help="ask everything anew; else results of earlier runs over the same documents are used where nothing has changed",
    )
    parser.add_argument(
        "--limit", type=_at_least(1), metavar="N", help="only N questions, drawn at random but always the same"
    )
    parser.add_argument(
        "--withhold",
        type=_at_least(0),
        default=0,
        metavar="N",
        help="ask N answerable questions again with their documents hidden, as unanswerable",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page that loads nothing")
    parser.add_argument("--language", choices=("zh", "en"), help="of that page (default: that of most questions)")
    parser.add_argument(
        "--baseline", type=Path, metavar="REPORT.json", help="tell what is better or worse than in this earlier report"
    )
    parser.add_argument(
        "--judge",
        action="store_true",
        help="let a chat model judge the answers, too ([judge], else the one that answers)",
    )
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
