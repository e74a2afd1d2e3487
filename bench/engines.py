"""How fast each engine answers the same questions, and what the program costs beside the model alone, as a Markdown table.

    python -m bench.engines FOLDER … [--questions N] [--engines openvino llama.cpp transformers]

Each FOLDER holds corpus.jsonl and qa.jsonl. Every question goes through the whole pipeline once for each engine, all
with the settings' model, at temperature 0 and with the same passages. Measured are, from the moment the model gets the
prompt, the seconds to the first token and to the last; "program ÷ model" is the time from the question to the checked
answer over the time that the model alone took for this very prompt, so that no cache of a second run flatters either.
Medians; questions that retrieval refuses never reach the model and are left out.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evaluation.corpus import ingest_corpus, scratch_settings
from evaluation.dataset import Question, load
from ingest.progress import reporter
from rag.embedder import load_embedder
from rag.engine import Until
from rag.errors import LLMError, RagError
from rag.llm import LanguageModel
from rag.pipeline import Pipeline
from rag.settings import Settings, load_settings
from rag.store import Store
from rag.types import Embedder


@dataclass(slots=True)
class Timed:
    """An engine with a stop-watch: ``first`` and ``whole`` seconds of the last answer."""

    engine: Any
    first: float = 0.0
    whole: float = 0.0

    def stream(self, messages: Sequence[Any], until: Until) -> Iterator[Any]:
        """The engine's chunks."""
        began, self.first = time.perf_counter(), 0.0
        for chunk in self.engine.stream(messages, until):
            self.whole = time.perf_counter() - began
            self.first = self.first or (self.whole if chunk.text else 0.0)
            yield chunk
        self.whole = time.perf_counter() - began

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)


@dataclass(slots=True)
class Times:
    """Seconds of each answer."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    ratio: list[float] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.engines", description="Measure the language model's engines."
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--questions", type=int, default=10, metavar="N", help="of each set (default 10)")
    parser.add_argument("--engines", nargs="+", default=["openvino", "llama.cpp"], metavar="ENGINE")
    options = parser.parse_args(arguments)
    try:
        return _measure(options.folders, options.questions, options.engines)
    except RagError as error:
        print(error, file=sys.stderr)
        return 1


def _measure(folders: Sequence[Path], count: int, engines: Sequence[str]) -> int:
    settings = load_settings()
    embedder = load_embedder(settings.embedding)
    sets = []
    for folder in folders:
        scratch = scratch_settings(settings, folder / "corpus.jsonl")
        ingest_corpus(scratch, folder / "corpus.jsonl", reporter())
        questions = load(folder / "qa.jsonl")
        sets.append((folder.name, scratch, questions[:: max(1, len(questions) // count)][:count]))
    print(f"{settings.llm.model}, {platform.machine()}, {platform.processor() or platform.system()}")
    print("| questions | engine | load | first token | answer | program ÷ model |\n|---|---|---|---|---|---|")
    for engine in engines:
        began = time.perf_counter()
        llm = LanguageModel(replace(settings.llm, engine=engine))
        loaded = time.perf_counter() - began
        for name, scratch, questions in sets:
            times = _ask(scratch, embedder, llm, questions)
            middle = [statistics.median(values) for values in (times.first, times.whole, times.ratio)]
            print(
                f"| {name} ({len(times.whole)}) | {engine} | {loaded:.1f} s | {middle[0]:.2f} s | {middle[1]:.2f} s "
                f"| {middle[2]:.3f} |",
                flush=True,
            )
    return 0


def _ask(settings: Settings, embedder: Embedder, llm: LanguageModel, questions: Sequence[Question]) -> Times:
    watch = llm._engine if isinstance(llm._engine, Timed) else Timed(llm._engine)
    llm._engine = watch
    times = Times()
    with Store(settings.home, settings.kb) as store:
        pipeline = Pipeline(settings, store, embedder, llm)
        pipeline.retrieve(questions[0].question)  # the first search loads the index
        for question in questions:
            watch.whole = 0.0
            began = time.perf_counter()
            try:
                pipeline.ask(question.question, question.history)
            except LLMError as error:
                print(f"{question.id}: {error}", file=sys.stderr)
                continue
            seconds = time.perf_counter() - began
            if watch.whole:
                times.first.append(watch.first)
                times.whole.append(watch.whole)
                times.ratio.append(seconds / watch.whole)
    if not times.whole:
        raise RagError(f"No question of {settings.home.name} reached the model.")
    return times


if __name__ == "__main__":
    sys.exit(main())
