"""How retrieval holds up at 10,000, 100,000 and 500,000 chunks on one machine.

    python -m bench.scale [--sizes 10000,100000,500000] [--questions 400] FOLDER…

Each FOLDER is a question set: corpus.jsonl and qa.jsonl. Their text is embedded once, as `python -m evaluation` does it;
what a size needs beyond that is made from it:

- a vector is that of a real chunk plus up to half the difference of two other real vectors of its language, at unit
  length, so that it stays among its neighbours and varies in the directions in which real vectors vary;
- its windows' vectors lie some way from it, one for each window of its text;
- a text is half the real chunk's sentences and half sentences of other chunks of its language, one word or character in
  fifty exchanged for a rare one, so that the vocabulary grows with the collection and common words stay as common.

Recall is that of the ten best against exact search, with the real questions of the sets. Seconds leave out the embedder's
forward pass: the questions' vectors are worked out before. Each size runs in a process of its own; what was built is kept
in the cache folder (`scale/`), so that a second run starts at once; remove it when done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import RagError

if TYPE_CHECKING:
    from rag.dense import DenseIndex
    from rag.retriever import Retriever
    from rag.settings import Settings
    from rag.store import Store
    from rag.types import Chunk, Embedder, Language, Side

_SEED = 7
_MOST_MOVED = 0.5  # of the difference of two real vectors
_RARE = 0.02
_CHUNKS_PER_DOCUMENT = 50
_PARTS = {
    "dense": ("search", "cosines", "meanings"),
    "lexical": ("lexical_candidates", "term_statistics"),
    "texts": ("chunk_tokens", "chunks_by_id"),
}
_SENTENCE = re.compile(r"[^。！？.!?\n]*[。！？.!?\n]+|[^。！？.!?\n]+$")


@dataclass(frozen=True, slots=True)
class Source:
    """Real chunks: headings, texts, languages, and their raw unit vectors (n, dim)."""

    headings: list[str]
    texts: list[str]
    languages: list[Language]
    vectors: np.ndarray

    @property
    def key(self) -> str:
        """A name for what is made from this."""
        return hashlib.sha256(json.dumps([self.texts, _SEED, _MOST_MOVED, _RARE]).encode()).hexdigest()[:12]


class Maker:
    """Makes new chunks out of real ones, always the same ones."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.chance = random.Random(_SEED)
        self._numbers = np.random.default_rng(_SEED)
        self._rows: dict[str, list[int]] = {}
        self._sentences: dict[str, list[str]] = {}
        self._characters = sorted({c for text in self.source.texts for c in text if "一" <= c <= "鿿"})
        for row, (text, spoken) in enumerate(zip(self.source.texts, self.source.languages, strict=True)):
            self._rows.setdefault(spoken, []).append(row)
            self._sentences.setdefault(spoken, []).extend(_SENTENCE.findall(text))

    def chunk(self, number: int) -> tuple[str, str, np.ndarray]:
        """Heading, text and unit vector of chunk ``number``; the first ones are the real ones."""
        row = number % len(self.source.texts)
        heading, text, vector = self.source.headings[row], self.source.texts[row], self.source.vectors[row]
        if number < len(self.source.texts):
            return heading, text, vector
        spoken = self.source.languages[row]
        one, other = self._numbers.choice(self._rows[spoken], 2)
        share = self._numbers.uniform(0.1, _MOST_MOVED)
        moved = vector + share * (self.source.vectors[one] - self.source.vectors[other])
        return heading, self._text(text, spoken), (moved / np.linalg.norm(moved)).astype(np.float32)

    def _text(self, text: str, spoken: Language) -> str:
        own = _SENTENCE.findall(text)
        kept = self.chance.sample(own, (len(own) + 1) // 2)
        while sum(map(len, kept)) < len(text):
            kept.append(self.chance.choice(self._sentences[spoken]))
        joined = "".join(kept)[: len(text)]
        return self._with_rare_characters(joined) if spoken == "zh" else self._with_rare_words(joined)

    def _with_rare_words(self, text: str) -> str:
        words = text.split(" ")
        for place in self._places(len(words)):
            words[place] += "".join(self.chance.choices("aeioulnrst", k=3))
        return " ".join(words)

    def _with_rare_characters(self, text: str) -> str:
        characters = list(text)
        for place in self._places(len(characters)):
            characters[place] = self.chance.choice(self._characters)
        return "".join(characters)

    def _places(self, length: int) -> list[int]:
        return [self.chance.randrange(length) for _ in range(round(length * _RARE))]


def grow(store: Store, source: Source, size: int, fingerprint: str) -> None:
    """Fill a store with ``size`` chunks, real ones first, by the calls that ingest uses."""
    maker = Maker(source)
    have = store.counts()[1]
    if have >= size:
        return
    for first in range(0, size, _CHUNKS_PER_DOCUMENT):
        made = [maker.chunk(number) for number in range(first, min(first + _CHUNKS_PER_DOCUMENT, size))]
        if first + len(made) <= have:
            continue
        _put(store, f"{first // _CHUNKS_PER_DOCUMENT:06}.txt", made, fingerprint)


def _put(store: Store, name: str, made: Sequence[tuple[str, str, np.ndarray]], fingerprint: str) -> None:
    from rag.types import Chunk, Page, ParsedDocument, StoredFile

    starts = np.cumsum([0, *(len(text) + 1 for _, text, _ in made)]).tolist()
    chunks = [
        Chunk(0, name, i, heading, None, text, starts[i], starts[i] + len(text))
        for i, (heading, text, _) in enumerate(made)
    ]
    text = "\n".join(chunk.text for chunk in chunks)
    sha = hashlib.sha256(text.encode()).hexdigest()
    file = StoredFile("/made", name, sha, len(text), "indexed", "", 1, len(chunks))
    document = ParsedDocument(name, (Page(None, text),))
    vectors = [_with_windows(chunk, vector) for chunk, (_, _, vector) in zip(chunks, made, strict=True)]
    store.put_document(file, document, chunks, vectors, fingerprint)


def _with_windows(chunk: Chunk, vector: np.ndarray) -> np.ndarray:
    """The chunk's vector and as many for windows as its text has, each some way from it."""
    from rag.windows import windows

    noise = np.random.default_rng(chunk.start).normal(size=(len(windows(chunk)), len(vector)))
    moved = vector + 0.6 * noise / np.sqrt(len(vector))
    return np.vstack([vector, moved / np.linalg.norm(moved, axis=1, keepdims=True)]).astype(np.float32)


class Asked:
    """The real embedder's centring, with the questions' vectors worked out before."""

    def __init__(self, embedder: Embedder, questions: Sequence[str]) -> None:
        self._embedder = embedder
        self._vectors = {question: embedder.embed_query(question) for question in questions}
        self.fingerprint = embedder.fingerprint
        self.dimension = embedder.dimension

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        """As the real one."""
        return self._embedder.embed_passages(texts)

    def embed_query(self, text: str) -> np.ndarray:
        """The vector that was worked out before."""
        return self._vectors[text]

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, side: Side = "passage") -> np.ndarray:
        """As the real one."""
        return self._embedder.centre(vectors, languages, side=side)


class Clock:
    """Seconds spent in the parts of one search, by wrapping the calls that a retriever makes."""

    def __init__(self, *owners: object) -> None:
        self.spent = dict.fromkeys(_PARTS, 0.0)
        self._inside = False  # an index asks itself for cosines: counted once
        for part, names in _PARTS.items():
            for owner, name in ((o, n) for o in owners for n in names if hasattr(o, n)):
                setattr(owner, name, self._timed(part, getattr(owner, name)))

    def _timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*values: Any, **named: Any) -> Any:
            if self._inside:
                return call(*values, **named)
            began, self._inside = time.perf_counter(), True
            try:
                return call(*values, **named)
            finally:
                self._inside = False
                self.spent[part] += time.perf_counter() - began

        return timed


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure each size in a process of its own and print its figures."""
    options = _parser().parse_args(arguments)
    try:
        if options.child:
            print(json.dumps(_measure(options.folders, options.sizes[0], options.questions)))
            return 0
        print((__doc__ or "").split("\n\n", 2)[2])
        for size in options.sizes:
            command = [sys.executable, "-m", "bench.scale", *map(str, options.folders), "--sizes", str(size)]
            command += ["--questions", str(options.questions), "--child"]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            if done.returncode:
                return done.returncode
            print(f"\n{size:,} chunks")
            for name, value in json.loads(done.stdout.splitlines()[-1]).items():
                print(f"  {name:<42} {value}", flush=True)
    except RagError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _measure(folders: Sequence[Path], size: int, count: int) -> dict[str, str]:
    from rag.dense import open_index
    from rag.embedder import load_embedder
    from rag.retriever import Retriever
    from rag.settings import RetrievalSettings, cache, load_settings
    from rag.store import Store

    settings = load_settings()
    questions = _questions(folders, count)
    embedder = Asked(load_embedder(settings.embedding), questions)
    source = _source(folders, settings)
    home = cache() / "scale" / f"{size}-{source.key}"
    figures: dict[str, str] = {}
    with Store(home) as store:
        grow(store, source, size, embedder.fingerprint)
        shutil.rmtree(home / "workspace" / "cache", ignore_errors=True)
        with store.snapshot():
            store.chunk_marks()  # so that the first reading of the disk is in nobody's seconds
        before = _memory()
        index, seconds = _timed(lambda: open_index(store, embedder))
        figures["index"] = index.kind
        figures["built and trained, s"] = f"{seconds:.2f}"
        figures["of it in memory afterwards, MB"] = f"{_memory() - before:.0f}"
        del index
        retriever = Retriever(store, embedder, RetrievalSettings())
        index, seconds = _timed(lambda: open_index(store, embedder))
        figures["opened from its cache, s"] = f"{seconds:.2f}"
        figures["cache file, MB"] = (
            f"{sum(p.stat().st_size for p in (home / 'workspace' / 'cache').iterdir()) / 1e6:.0f}"
        )
        figures["recall@10 against exact"] = f"{_recall(index, store, embedder, questions):.4f}"
        figures |= _queries(retriever, store, questions)
        figures |= _changes(retriever, store, source, embedder, questions[0])
        figures["process at its highest, MB"] = f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}"
    return figures


def _questions(folders: Sequence[Path], count: int) -> list[str]:
    from evaluation.dataset import load

    every = sorted({question.question for folder in folders for question in load(folder / "qa.jsonl")})
    return random.Random(_SEED).sample(every, min(count, len(every)))


def _source(folders: Sequence[Path], settings: Settings) -> Source:
    from evaluation.corpus import ingest_corpus, scratch_settings
    from ingest.progress import reporter
    from rag.store import Store

    headings: list[str] = []
    texts: list[str] = []
    languages: list[Language] = []
    vectors: list[np.ndarray] = []
    for folder in folders:
        scratch = scratch_settings(settings, folder / "corpus.jsonl")
        ingest_corpus(scratch, folder / "corpus.jsonl", reporter(sys.stderr))
        with Store(scratch.home, scratch.kb) as store:
            table = store.vector_table()
            chunks = store.chunks_by_id(table.ids.tolist())
        headings += [chunks[i].heading for i in table.ids.tolist()]
        texts += [chunks[i].text for i in table.ids.tolist()]
        languages += table.languages
        vectors.append(table.vectors)
    return Source(headings, texts, languages, np.concatenate(vectors))


def _recall(index: DenseIndex, store: Store, embedder: Asked, questions: Sequence[str]) -> float:
    from rag.retriever import question_vector

    asked = np.stack([question_vector(question, (), embedder) for question in questions])
    best = np.full((len(asked), 10), -2.0, np.float32)
    ids = np.zeros((len(asked), 10), np.int64)
    every, _ = store.chunk_marks()
    for start in range(0, len(every), 20_000):
        table = store.vector_table(every[start : start + 20_000])
        scores = np.hstack([best, asked @ embedder.centre(table.vectors, table.languages).T])
        names = np.hstack([ids, np.broadcast_to(table.ids, (len(asked), len(table.ids)))])
        places = np.argpartition(-scores, 9, axis=1)[:, :10]
        best, ids = np.take_along_axis(scores, places, 1), np.take_along_axis(names, places, 1)
    found = [{i for i, _ in index.search(vector, 100)[:10]} for vector in asked]
    return float(np.mean([len(a & set(b)) / 10 for a, b in zip(found, ids.tolist(), strict=True)]))


def _queries(retriever: Retriever, store: Store, questions: Sequence[str]) -> dict[str, str]:
    retriever.search(questions[0])
    clock = Clock(store, retriever._indexes[store.kb])
    totals: list[float] = []
    parts: dict[str, list[float]] = {name: [] for name in (*_PARTS, "scoring and the rest")}
    for question in questions:
        clock.spent = dict.fromkeys(_PARTS, 0.0)
        _, seconds = _timed(lambda question=question: retriever.search(question))  # type: ignore[misc]
        totals.append(seconds)
        for name, spent in clock.spent.items():
            parts[name].append(spent)
        parts["scoring and the rest"].append(seconds - sum(clock.spent.values()))
    rows = {"query without forward pass": totals} | {f"  of it {name}": spent for name, spent in parts.items()}
    return {f"{name}, p50 / p95 ms": _spread(values) for name, values in rows.items()}


def _changes(retriever: Retriever, store: Store, source: Source, embedder: Asked, question: str) -> dict[str, str]:
    """Seconds until a search over the changed collection has answered, the write included."""
    extra = Source(source.headings, [f"{text} " for text in source.texts[:100]], source.languages, source.vectors[:100])
    _, added = _timed(lambda: (put(store, extra, embedder.fingerprint), retriever.search(question)))
    _, deleted = _timed(lambda: (store.remove_file("/made", "added.txt"), retriever.search(question)))
    return {"100 chunks added and found, s": f"{added:.2f}", "100 chunks deleted and gone, s": f"{deleted:.2f}"}


def put(store: Store, extra: Source, fingerprint: str) -> None:
    """Add real chunks as one more document."""
    rows = list(zip(extra.headings, extra.texts, extra.vectors, strict=False))
    _put(store, "added.txt", rows, fingerprint)


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    result = call()
    return result, time.perf_counter() - began


def _spread(seconds: Sequence[float]) -> str:
    return f"{np.percentile(seconds, 50) * 1e3:.1f} / {np.percentile(seconds, 95) * 1e3:.1f}"


def _memory() -> float:
    """The process's resident memory, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description="Measure retrieval at several sizes.")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="question set: corpus.jsonl, qa.jsonl")
    parser.add_argument("--sizes", type=_sizes, default=[10_000, 100_000, 500_000], metavar="N,…", help="chunks")
    parser.add_argument("--questions", type=int, default=400, metavar="N", help="how many are asked (default 400)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser


def _sizes(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
