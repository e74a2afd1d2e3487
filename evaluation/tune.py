"""``python -m evaluation tune``: search settings that do better on a question set, and check them on questions kept aside.

Half of the questions choose the settings, by successive halving: all candidates are asked a quarter of them, the better half
twice as many, and so on. The other half tells whether the best is better than the present settings, or only seemed to be.
"""

from __future__ import annotations

import argparse
import math
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.dataset import Question
from evaluation.metrics import paired_difference, paired_p
from rag.errors import RagError

if TYPE_CHECKING:
    from evaluation.record import Record
    from evaluation.runner import Run
    from rag.pipeline import Pipeline
    from rag.settings import Settings
    from rag.store import Store
    from rag.types import Embedder

_SCALES = (0.5, 0.75, 1.0, 1.5)  # of the present chunk size
_WEIGHTS = (0.4, 0.6, 0.8, 1.0, 1.3)
_READ = (0.75, 1.0, 1.5)  # of the text that the model reads now
_STRICTNESS = (0.4, 0.5, 0.6, 0.7, 0.8)
_MOST = 24  # candidates beside the present settings
_LEAST = 20  # questions in the half that chooses, and in the other
_RUNGS = 3
_SEED = 0
_CERTAIN = 0.05

Scored = Callable[["Candidate", Question], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Settings that are tried: ``scale`` times the chunk size, λ, passages to the model, strictness."""

    scale: float
    lexical_weight: float
    k: int
    strictness: float

    def over(self, settings: Settings) -> Settings:
        """The settings with these."""
        ingest, scale = settings.ingest, self.scale
        sizes = replace(
            ingest,
            chinese_size=max(50, round(ingest.chinese_size * scale)),
            english_size=max(100, round(ingest.english_size * scale)),
        )
        return replace(
            settings,
            ingest=sizes if scale != 1 else ingest,
            retrieval=replace(settings.retrieval, lexical_weight=self.lexical_weight, k=self.k),
            answers=replace(settings.answers, strictness=self.strictness),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The best candidate against the present settings on the half kept aside; ``n`` questions, means of their scores."""

    best: Candidate
    before: float
    after: float
    low: float
    high: float
    p: float
    n: int
    cut_short: bool

    @property
    def gains(self) -> bool:
        """Whether it is better, and not by luck."""
        return self.after > self.before and self.p < _CERTAIN


def main(arguments: Sequence[str]) -> int:
    """Search, print what was found and write it down; 0 also where nothing better was found."""
    options = _parser().parse_args(arguments)
    # Whatever ends it politely, the copies of the documents go with it.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _tune(options)
    except RagError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; what was asked is kept. Type the same command to go on.", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def candidates(settings: Settings, answers: bool) -> list[Candidate]:
    """The present settings first, then others, drawn at random but always the same ones.

    Without ``answers`` the model reads as much text as now, or longer chunks would always win, and strictness stays.
    """
    retrieval, now = settings.retrieval, settings.answers.strictness
    present = Candidate(1.0, retrieval.lexical_weight, retrieval.k, now)
    found = [
        Candidate(scale, weight, max(1, round(retrieval.k * read / scale)), strictness)
        for scale, weight, read, strictness in product(
            _SCALES, sorted({*_WEIGHTS, retrieval.lexical_weight}), _READ if answers else (1.0,),
            sorted({*_STRICTNESS, now}) if answers else (now,),
        )
    ]  # fmt: skip
    others = [candidate for candidate in dict.fromkeys(found) if candidate != present]
    return [present, *random.Random(_SEED).sample(others, min(_MOST, len(others)))]


def halves(questions: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """Two halves of the questions, each with its share of the unanswerable ones, always the same."""
    kinds: dict[bool, list[Question]] = {True: [], False: []}
    for question in questions:
        kinds[question.answerable].append(question)
    draw, first, second = random.Random(_SEED), [], []
    for kind in kinds.values():
        draw.shuffle(kind)
        first += kind[::2]
        second += kind[1::2]
    draw.shuffle(first)
    return first, second


def search(
    tried: Sequence[Candidate], questions: Sequence[Question], score: Scored, out_of_time: Callable[[], bool]
) -> tuple[Candidate, bool]:
    """The best of the candidates by successive halving (Jamieson and Talwalkar 2016), and whether time cut the search short.

    The first of ``tried``, the present settings, wins a tie. A rung that time cut short counts for nothing.
    """
    left = list(tried)
    for rung in range(_RUNGS):
        asked = questions[: math.ceil(len(questions) / 2 ** (_RUNGS - 1 - rung))]
        means: dict[Candidate, tuple[float, float]] = {}
        for candidate in left:
            scores = []
            for question in asked:
                if out_of_time():
                    return left[0], True
                scores.append(score(candidate, question))
            means[candidate] = (sum(s for s, _ in scores) / len(asked), sum(s for _, s in scores) / len(asked))
        left = sorted(left, key=lambda candidate: means[candidate], reverse=True)  # stable: the earlier one wins a tie
        if rung < _RUNGS - 1:
            left = left[: math.ceil(len(left) / 2)]
    return left[0], False


def held_out(best: Candidate, present: Candidate, questions: Sequence[Question], score: Scored, cut: bool) -> Verdict:
    """The best candidate and the present settings on questions that had no part in choosing."""
    pairs = [(score(present, question)[0], score(best, question)[0]) for question in questions]
    before, after = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
    return Verdict(best, before, after, *paired_difference(pairs), paired_p(pairs), len(pairs), cut)


def _tune(options: argparse.Namespace) -> None:
    from evaluation.__main__ import fitting, ingested
    from evaluation.dataset import known_names, resolve
    from evaluation.formats import corpus_of
    from evaluation.report import check_place
    from rag.settings import TraceSettings, load_settings
    from rag.store import Store

    settings = load_settings(options.home, options.kb)
    home = settings.home
    out = options.out or home / "tuned.toml"
    check_place(out)
    if options.corpus is None and options.kb is None:
        options.corpus = corpus_of(options.questions)
    questions = fitting(options.questions, options.corpus)
    if options.corpus:
        settings = ingested(settings, options.corpus)
    settings = replace(settings, trace=TraceSettings(keep=0))
    with Store(settings.home, settings.kb) as store:
        if not store.counts()[0]:
            raise RagError(
                f"Knowledge base {settings.kb!r} is empty. Ingest documents first, or name them with --corpus."
            )
        questions = resolve(questions, known_names(store), options.questions)
    if not options.answers:
        questions = [question for question in questions if question.relevant]
    first, second = halves(questions)
    if min(len(first), len(second)) < _LEAST:
        raise RagError(
            f"{options.questions} has {len(questions)} questions to tune on; below {2 * _LEAST} any difference may be "
            "luck. Write more, or draft some: python -m evaluation generate."
        )
    tried = candidates(settings, options.answers)
    with _Tuning(settings, options) as tuning:
        clock = _Clock(options.minutes * 60, len(first), len(second), len(tried))
        counted = clock.counting(tuning.score)
        best, cut = search(tried, first, counted, clock.out_of_time)
        verdict = held_out(best, tried[0], second, tuning.score, cut) if best != tried[0] else None
    # Over a corpus the settings are those of its scratch knowledge base; what is written is for the user's own home.
    _tell(verdict, cut, replace(settings, home=home), options, len(tried), out)


class _Clock:
    """Tells how far the search is, and ends it so that the check on the other half still fits into the time."""

    def __init__(self, seconds: float, searching: int, checking: int, tried: int) -> None:
        from evaluation.__main__ import Progress

        self._began = time.monotonic()
        self._seconds = seconds
        self._checking = 2 * checking
        shares = [1 / 2 ** (_RUNGS - 1 - rung) for rung in range(_RUNGS)]
        self._total = round(sum(searching * share * tried / 2**rung for rung, share in enumerate(shares)))
        self._took: list[float] = []  # seconds of each question; the first ones may have loaded a model
        self._progress = Progress("questions, at most")

    def out_of_time(self) -> bool:
        """Whether what is left is needed for the other half."""
        spent = time.monotonic() - self._began
        each = statistics.median(self._took[-100:]) if len(self._took) >= _LEAST else 0.0
        return spent + each * self._checking > self._seconds

    def counting(self, score: Scored) -> Scored:
        """The scores, counted."""

        def counted(candidate: Candidate, question: Question) -> tuple[float, float]:
            self._progress(min(len(self._took), self._total - 1), self._total)
            began = time.monotonic()
            found = score(candidate, question)
            self._took.append(time.monotonic() - began)
            return found

        return counted


class _Tuning:
    """Asks questions under candidates; a knowledge base for each chunk size, one model and embedder for all."""

    def __init__(self, settings: Settings, options: argparse.Namespace) -> None:
        self._settings = settings
        self._options = options
        self._runs: dict[Candidate, Run] = {}
        self._bases: dict[float, Pipeline] = {}
        self._known: dict[tuple[Candidate, str], tuple[float, float]] = {}
        self._open = ExitStack()

    def __enter__(self) -> _Tuning:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def score(self, candidate: Candidate, question: Question) -> tuple[float, float]:
        """How well a question goes, and what decides between equals: the rank of the first right document."""
        key = (candidate, question.id)
        if key not in self._known:
            self._known[key] = self._scored(self._run(candidate).ask(question))
        return self._known[key]

    def _scored(self, record: Record) -> tuple[float, float]:
        rank = record.scores["mrr"].right if "mrr" in record.scores else 0.0
        if self._options.answers:
            return float(not record.failed), rank
        return record.scores["evidence"].right, rank

    def _run(self, candidate: Candidate) -> Run:
        from evaluation.results import Results
        from evaluation.runner import Run, stored_pages

        if candidate not in self._runs:
            base = self._base(candidate)
            pipeline = base.under(replace(candidate.over(self._settings), home=base.settings.home, kb=base.settings.kb))
            self._runs[candidate] = Run(
                pipeline, stored_pages(pipeline.store), answers=self._options.answers, results=Results(pipeline.store)
            )
        return self._runs[candidate]

    def _base(self, candidate: Candidate) -> Pipeline:
        """The pipeline over chunks of a candidate's size."""
        from rag.pipeline import load_pipeline

        if candidate.scale not in self._bases:
            first = next(iter(self._bases.values()), None)
            wanted = self._ingested(candidate.over(self._settings), first)
            made = load_pipeline(
                wanted, answers=self._options.answers,
                embedder=first.embedder if first else None, llm=first.llm if first else None,
            )  # fmt: skip
            self._bases[candidate.scale] = made
            self._open.callback(made.store.close)  # before its folder goes
        return self._bases[candidate.scale]

    def _ingested(self, wanted: Settings, first: Pipeline | None) -> Settings:
        if wanted.ingest == self._settings.ingest:
            return self._settings
        if self._options.corpus:
            from evaluation.__main__ import ingested

            return ingested(wanted, self._options.corpus)
        from rag.embedder import load_embedder
        from rag.store import Store

        home = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="footnote-tuning-")))
        embedder = first.embedder if first else load_embedder(wanted.embedding)
        with Store(self._settings.home, self._settings.kb) as store, Store(home, wanted.kb) as into:
            print(
                f"Cutting {store.counts()[0]} documents into chunks of {wanted.ingest.english_size} …", file=sys.stderr
            )
            rechunk(store, into, self._settings, wanted, embedder)
        return replace(wanted, home=home)


def rechunk(store: Store, into: Store, present: Settings, wanted: Settings, embedder: Embedder) -> None:
    """Put a knowledge base's documents into another one, cut into chunks of another size, without reading their files."""
    from ingest.splitter import split
    from rag.types import ParsedDocument
    from rag.windows import embed_chunks

    for document in store.documents():
        file, record = store.file_of(document.name)
        pages, chunks = store.document_pages(document.name), store.chunks(document.name)
        cut = [(chunk.start, chunk.end, chunk.heading) for chunk in chunks]
        parsed = ParsedDocument(document.title, pages, key=record or None)
        # Whether a text's # lines are headings is not stored; the way that gives the present chunks is the right one.
        ways = [replace(parsed, marked_up=marked) for marked in (True, False)]
        same = (way for way in ways if [(c.start, c.end, c.heading) for c in split(way, "", present.ingest)] == cut)
        parsed = next(same, ways[0])
        new = split(parsed, document.name, wanted.ingest)
        if new:
            into.put_document(file, parsed, new, embed_chunks(new, embedder), embedder.fingerprint)


def _tell(
    verdict: Verdict | None, cut: bool, settings: Settings, options: argparse.Namespace, tried: int, out: Path
) -> None:
    what = "questions that go right" if options.answers else "questions whose answer the model gets to read"
    if cut:
        print(
            f"The {options.minutes:g} minutes were over before all {tried} candidates were through; --minutes gives more."
        )
    if verdict is None:
        print(f"None of {tried} candidates did better than the present settings. Keep them.")
        return
    print(
        f"On {verdict.n} questions kept aside ({what}): {verdict.before:.3f} → {verdict.after:.3f}, "
        f"difference {verdict.after - verdict.before:+.3f} [{verdict.low:+.3f}, {verdict.high:+.3f}], p = {verdict.p:.3f}"
    )
    print(_as_toml(verdict, settings))
    if not verdict.gains:
        print("That may be luck: no gain could be shown. Keep the present settings.")
        return
    from evaluation.report import write

    write(out, _as_toml(verdict, settings))
    again = " and ingest your documents again, for the size of chunks has changed" if verdict.best.scale != 1 else ""
    print(f"Written: {out}. To use them, copy these lines into {settings.home / 'footnote.toml'}{again}.")


def _as_toml(verdict: Verdict, settings: Settings) -> str:
    """The settings that differ, with what they gain as a comment."""
    import tomlkit

    document, best = tomlkit.document(), verdict.best.over(settings)
    gained = f"{verdict.before:.3f} -> {verdict.after:.3f}, 95 % of the difference in {verdict.low:+.3f} to {verdict.high:+.3f}"
    document.add(tomlkit.comment(f"{verdict.n} questions kept aside: {gained}, p = {verdict.p:.3f}"))
    for section, names in {
        "ingest": ("chinese_size", "english_size"), "retrieval": ("lexical_weight", "k"), "answers": ("strictness",),
    }.items():  # fmt: skip
        old, new = getattr(settings, section), getattr(best, section)
        changed = [name for name in names if getattr(old, name) != getattr(new, name)]
        if changed:
            table = tomlkit.table()
            for name in changed:
                table.add(name, getattr(new, name))
                table[name].comment(f"was {getattr(old, name)}")
            document.add(section, table)
    return tomlkit.dumps(document)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation tune",
        description="Search chunk size, the weight of words, and with --answers the number of passages and strictness, on "
        "half of a question set; the other half tells whether that is a gain.",
    )
    parser.add_argument("questions", type=Path, metavar="QA.jsonl", help="question set, the larger the better")
    parser.add_argument(
        "--corpus", type=Path, metavar="PATH", help="over this file or folder instead of the knowledge base"
    )
    parser.add_argument("--answers", action="store_true", help="let the language model answer; slow, so give it time")
    parser.add_argument("--minutes", type=float, default=30.0, metavar="N", help="how long it may take, about (30)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write a gain (tuned.toml in the home)")
    parser.add_argument("--home", type=Path, metavar="DIR", help="default $FOOTNOTE_HOME, then data/")
    parser.add_argument("--kb", metavar="NAME", help="knowledge base (default: default)")
    return parser
