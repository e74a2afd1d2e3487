"""One side over one set in a process of its own: ``python -m bench.peers.measure SIDE FOLDER THREADS`` prints a Run."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from bench.peers.material import read
from bench.peers.sides import SIDES, Found
from evaluation.dataset import Question
from evaluation.metrics import DEPTH, retrieval_scores

PASSAGES = 50  # asked for, so that ten documents are among them
_WARM_UP = 5
_METRICS = ("hit@1", "hit@5", "hit@10", "mrr")


@dataclass(frozen=True, slots=True)
class Run:
    """One side's run over one set; times in seconds, sizes in bytes.

    ``loading`` is imports and weights, outside ``ingest``; ``bare_*`` is a query less its time in the embedder,
    None for peers; ``memory`` is the most that the process held (VmHWM).
    """

    side: str
    set: str
    turn: int
    documents: int
    characters: int
    questions: int
    chunks: int
    loading: float
    ingest: float
    query_p50: float
    query_p95: float
    bare_p50: float | None
    bare_p95: float | None
    memory: int
    disk: int
    metrics: dict[str, float]


def measure(name: str, folder: Path, turn: int, threads: int) -> Run:
    """Load, ingest, ask every question one at a time."""
    material = read(folder)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "index"
        began = perf_counter()
        side = _load(name, place, threads)
        loaded = perf_counter()
        chunks = side.ingest(folder / "corpus.jsonl", material.records)
        ingested = perf_counter()
        side.save()
        for question in material.questions[:_WARM_UP]:
            side.search(question.question, PASSAGES)
        rankings, seconds, bare = _ask(side, material.questions)
        disk = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
        return Run(
            side=name,
            set=material.name,
            turn=turn,
            documents=len(material.records),
            characters=sum(len(record.text) for record in material.records),
            questions=len(material.questions),
            chunks=chunks,
            loading=loaded - began,
            ingest=ingested - loaded,
            query_p50=_percentile(seconds, 50),
            query_p95=_percentile(seconds, 95),
            bare_p50=_percentile(bare, 50) if bare else None,
            bare_p95=_percentile(bare, 95) if bare else None,
            memory=_peak_memory(),
            disk=disk,
            metrics=quality(rankings, material.questions),
        )


def ranking(found: Found, relevant: Sequence[str]) -> list[str]:
    """Documents by their best passage, best first, at most ten.

    A passage that stands in several documents takes one place: that of a relevant one, else that of its first.
    """
    ranked: dict[str, None] = {}
    for documents in found:
        new = [name for name in documents if name not in ranked]
        ranked.update(dict.fromkeys([name for name in new if name in relevant] or new[:1]))
    return list(ranked)[:DEPTH]


def quality(rankings: Sequence[Sequence[str]], questions: Sequence[Question]) -> dict[str, float]:
    """hit@1, hit@5, hit@10 and MRR at document level."""
    scores = [retrieval_scores(ranked, q.relevant) for ranked, q in zip(rankings, questions, strict=True)]
    return {name: float(np.mean([score[name].right for score in scores])) for name in _METRICS}


def _load(name: str, place: Path, threads: int) -> Any:
    import torch

    from rag.models import E5, require

    torch.set_num_threads(threads)
    place.mkdir()
    try:
        return SIDES[name].make(require(E5.name), place)
    except ImportError as error:
        sys.exit(f"{SIDES[name].title} is not installed ({error}). Type `pip install -r bench/requirements.txt`.")


def _ask(side: Any, questions: Sequence[Question]) -> tuple[list[list[str]], list[float], list[float]]:
    """Rankings, seconds a question, and for this project the seconds outside the embedder."""
    rankings, seconds, bare = [], [], []
    for question in questions:
        if hasattr(side, "forward"):
            side.forward = 0.0
        began = perf_counter()
        found = side.search(question.question, PASSAGES)
        seconds.append(perf_counter() - began)
        if hasattr(side, "forward"):
            bare.append(seconds[-1] - side.forward)
        rankings.append(ranking(found, question.relevant))
    return rankings, seconds, bare


def _percentile(values: Sequence[float], q: int) -> float:
    return float(np.percentile(values, q))


def _peak_memory() -> int:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts in bytes
    return int(peak)


if __name__ == "__main__":
    _side, _folder, _turn, _threads = sys.argv[1:]
    with contextlib.redirect_stdout(sys.stderr):  # whatever a library says, standard output holds the Run alone
        _run = measure(_side, Path(_folder), int(_turn), int(_threads))
    sys.stdout.write(json.dumps(asdict(_run)) + "\n")
