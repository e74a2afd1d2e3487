"""The lexical half of the score: BM25 as the share of the question's weight that a chunk explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log

from rag.store import TermStatistics

_K1 = 1.2
_B = 0.75


def inverse_frequency(term: str, statistics: TermStatistics) -> float:
    """idf(t) = ln(1 + (N - df + 0.5) / (df + 0.5)), never negative (Robertson and Zaragoza 2009, with Lucene's 1 +)."""
    df = statistics.frequency.get(term, 0)
    return log(1 + (statistics.chunks - df + 0.5) / (df + 0.5))


def explained_shares(
    terms: Sequence[str], candidates: Mapping[int, Sequence[str]], statistics: TermStatistics
) -> dict[int, float]:
    """For each candidate, its BM25 over the most that the question could score, Σ idf(t)·(k1 + 1): between 0 and 1.

    ``terms`` are the question's tokens, those that no chunk holds included; ``candidates`` map ids to chunk tokens.
    """
    weights = {term: inverse_frequency(term, statistics) for term in set(terms)}
    most = sum(weights.values()) * (_K1 + 1)
    if most <= 0:
        return dict.fromkeys(candidates, 0.0)
    return {
        identity: sum(
            _saturated(counts[term], length, statistics) * weight for term, weight in weights.items() if term in counts
        )
        / most
        for identity, words in candidates.items()
        for counts, length in [(Counter(words), len(words))]
    }


def contributions(
    terms: Sequence[str], words: Sequence[str], statistics: TermStatistics
) -> tuple[tuple[str, float], ...]:
    """The terms that a chunk of these tokens holds, each with its part of ``explained_shares``, the largest first."""
    weights = {term: inverse_frequency(term, statistics) for term in set(terms)}
    most = sum(weights.values()) * (_K1 + 1)
    counts = Counter(words)
    parts = [
        (term, weight * _saturated(counts[term], len(words), statistics) / most)
        for term, weight in weights.items()
        if term in counts and most > 0
    ]
    return tuple(sorted(parts, key=lambda part: (-part[1], part[0])))


def _saturated(count: int, length: int, statistics: TermStatistics) -> float:
    norm = _K1 * (1 - _B + _B * length / max(statistics.mean_length, 1e-9))
    return count * (_K1 + 1) / (count + norm)
