"""How fast texts become vectors, as a share of what the processor multiplies in bfloat16 and beside sentence-transformers.

    python -m bench.embedding [FOLDER or FILE.jsonl]        without one: data/docs

Counted are the floating-point operations of the linear layers and of attention for the real tokens alone, two for each
multiplication with its addition; padding, normalisation and activation count nothing. The measure is the best of several
large bfloat16 matrix products (2,048 and 4,096 square) on the same threads, run before and after each round.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ingest.discovery import discover, root_of
from ingest.pool import read_all
from ingest.splitter import split
from rag.bert import real_cores
from rag.embedder import SentenceEmbedder, load_embedder
from rag.errors import RagError
from rag.models import require
from rag.settings import EmbeddingSettings, IngestSettings

_MOST = 300  # texts
_QUERIES = (
    "How many days of paid leave are there?",
    "每年有多少天带薪年假？",
    "What is instruction tuning?",
    "什么是检索增强？",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print one line each."""
    parser = argparse.ArgumentParser(prog="python -m bench.embedding", description="Measure the built-in embedder.")
    parser.add_argument("source", nargs="?", type=Path, default=Path("data/docs"), metavar="FOLDER or FILE.jsonl")
    parser.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="how often everything is measured (default 3)"
    )
    options = parser.parse_args(arguments)
    try:
        return _measure(options.source, options.rounds)
    except RagError as error:
        print(error, file=sys.stderr)
        return 1


def _measure(source: Path, rounds: int) -> int:
    import torch
    from sentence_transformers import SentenceTransformer

    settings = EmbeddingSettings()
    texts = _texts(source)
    embedder = load_embedder(settings)
    if not isinstance(embedder, SentenceEmbedder) or not texts:
        raise RagError(f"There is nothing to embed in {source}.")
    plain = SentenceTransformer(str(require(settings.model)), local_files_only=True)
    lengths = [len(ids) for ids in embedder.tokenise([settings.passage_prefix + text for text in texts])]
    work = _operations(lengths, plain[0].model.config)
    print(f"{_processor()}, {real_cores()} cores, torch {torch.__version__} on {torch.get_num_threads()} threads")
    print(f"{len(texts)} texts, {np.mean(lengths):.0f} tokens and {work / len(texts) / 1e9:.1f} GFLOP each")
    shares, ratios = [], []
    for number in range(1, rounds + 1):
        before = _peak()
        ours, vectors = _timed(lambda: embedder.embed_passages(texts))
        peak = max(before, _peak())
        prefixed = [settings.passage_prefix + text for text in texts]
        theirs, reference = _timed(lambda texts=prefixed: plain.encode(texts, normalize_embeddings=True))  # type: ignore[misc]
        cosines = (vectors * reference).sum(axis=1)
        shares.append(work / ours / peak)
        ratios.append(theirs / ours)
        print(
            f"round {number}: {len(texts) / ours:.1f} chunks/s, {sum(lengths) / ours:.0f} tokens/s, "
            f"{work / ours / 1e9:.0f} of {peak / 1e9:.0f} GFLOP/s = {shares[-1]:.2f}; sentence-transformers in float32 "
            f"{len(texts) / theirs:.1f} chunks/s, ratio {ratios[-1]:.2f}; least cosine {cosines.min():.5f}",
            flush=True,
        )
    seconds = sorted(_timed(lambda q=q: embedder.embed_query(q))[0] for q in _QUERIES * 25)  # type: ignore[misc]
    print(f"median share {statistics.median(shares):.2f}, median ratio {statistics.median(ratios):.2f}")
    print(f"one question: p50 {seconds[50] * 1e3:.1f} ms, p95 {seconds[95] * 1e3:.1f} ms")
    return 0


def _texts(source: Path) -> list[str]:
    files = [file.path for file in discover(root_of(source), Path("/nowhere"))]
    texts: list[str] = []
    for said in read_all(files, IngestSettings()):
        if said.document:
            texts += [chunk.indexed_text for chunk in split(said.document, said.path.name, IngestSettings())]
        if len(texts) >= _MOST:
            break
    return texts[:_MOST]


def _operations(lengths: Sequence[int], config: Any) -> float:
    wide, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    tokens, pairs = sum(lengths), sum(length**2 for length in lengths)
    return float(layers * (2 * tokens * (4 * wide**2 + 2 * wide * inner) + 4 * pairs * wide))


def _peak() -> float:
    import torch

    best = 0.0
    with torch.inference_mode():
        for size in (2048, 4096):
            a, b = (torch.randn(size, size).bfloat16() for _ in "ab")
            best = max(best, *(2 * size**3 / _timed(lambda a=a, b=b: a @ b)[0] for _ in range(8)))  # type: ignore[misc]
    return best


def _timed(work: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    made = work()
    return time.perf_counter() - began, made


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main())
