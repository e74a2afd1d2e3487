"""The lexical half of the score: BM25 as the share of the question's weight that a chunk explains."""

from __future__ import annotations

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
    terms: Mapping[str, float], candidates: Mapping[int, Sequence[str]], statistics: TermStatistics
) -> dict[int, float]:
    """For each candidate, its BM25 over the most that the question could score, Σ idf(t)·(k1 + 1): between 0 and 1.

    ``terms`` are the question's tokens, those that no chunk holds included, and how much each counts (1 for one of its
    own, less for one of the conversation before it); ``candidates`` map ids to chunk tokens.
    """
    weights, most = _weights(terms, statistics)
    return {i: sum(_parts(weights, words, statistics).values()) / most for i, words in candidates.items()}


def contributions(
    terms: Mapping[str, float], words: Sequence[str], statistics: TermStatistics
) -> tuple[tuple[str, float], ...]:
    """The terms that a chunk of these tokens holds, each with its part of ``explained_shares``, the largest first."""
    weights, most = _weights(terms, statistics)
    parts = [(term, part / most) for term, part in _parts(weights, words, statistics).items()]
    return tuple(sorted(parts, key=lambda part: (-part[1], part[0])))


def _weights(terms: Mapping[str, float], statistics: TermStatistics) -> tuple[dict[str, float], float]:
    """Each term's idf times what it counts, and the most that all could score; never 0, so that it can be divided by."""
    weights = {term: share * inverse_frequency(term, statistics) for term, share in terms.items()}
    return weights, sum(weights.values()) * (_K1 + 1) or 1.0


def _parts(weights: Mapping[str, float], words: Sequence[str], statistics: TermStatistics) -> dict[str, float]:
    """What each of the question's terms adds to a chunk's BM25."""
    # Few of a chunk's words are the question's: only these are counted.
    held = list(filter(weights.__contains__, words))
    norm = _K1 * (1 - _B + _B * len(words) / max(statistics.mean_length, 1e-9))
    counts = {term: held.count(term) for term in held}
    return {term: weights[term] * count * (_K1 + 1) / (count + norm) for term, count in counts.items()}
