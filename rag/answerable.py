"""The probability that a question can be answered from what was found, by retrieval alone.

A logistic model of a few retrieval scores; ``python -m bench.answerable`` fits it and writes the weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from math import exp
from pathlib import Path

from rag.fusion import meaning
from rag.grounding import share_covered
from rag.text import language
from rag.types import Passage

WEIGHTS = Path(__file__).parent / "builtin" / "answerable.json"
FEATURES = ("dense", "lexical", "covered", "dense_gap", "score_gap", "agree", "cross", "cross_dense")
_CLOSEST = 4  # passages whose words are looked at


def features(question: str, passages: Sequence[Passage]) -> tuple[float, ...]:
    """The numbers of ``FEATURES`` for a question's passages, best first; there must be at least one."""
    dense = sorted((meaning(p.dense, p.window) for p in passages), reverse=True)
    ranked = sorted(passages, key=lambda p: -p.score)  # by fusion, which the weights were fitted to, not a reranker
    scores = [p.score for p in ranked]
    best = ranked[0]
    cross = float(language(question) != language(best.chunk.text))
    return (
        dense[0],
        max(p.lexical for p in passages),
        max(share_covered(question, p.chunk.indexed_text) for p in passages[:_CLOSEST]),
        dense[0] - dense[min(4, len(dense) - 1)],
        scores[0] - scores[min(1, len(scores) - 1)],
        float(best.dense_rank == 1 and best.lexical_rank == 1),
        cross,
        cross * dense[0],
    )


def probability(question: str, passages: Sequence[Passage]) -> float:
    """The probability, 0 to 1, that the passages hold the answer; 0 where there are none."""
    if not passages:
        return 0.0
    weights, bias = _weights()
    return 1 / (1 + exp(-(bias + sum(w * x for w, x in zip(weights, features(question, passages), strict=True)))))


@cache
def _weights() -> tuple[tuple[float, ...], float]:
    fitted = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return tuple(fitted["weights"][name] for name in FEATURES), fitted["bias"]
