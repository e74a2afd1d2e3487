"""The one formula of retrieval: what the meaning and the words of a chunk add up to. `docs/retrieval.md` has its ablation."""

from __future__ import annotations

# The best window finds the line, the whole chunk what it is about.
_WINDOW = 0.7
# In a text of the question's language a few common words always match; only what lies above tells anything. Without this
# a Chinese question finds Chinese text first, whatever it says.
_BY_CHANCE = 0.1


def meaning(dense: float, window: float) -> float:
    """The cosine of the whole chunk and that of its best window as one number."""
    return (1 - _WINDOW) * dense + _WINDOW * window


def wording(lexical: float) -> float:
    """The share of the question's weight that the chunk explains beyond what chance would."""
    return max(0.0, lexical - _BY_CHANCE)


def fused(dense: float, window: float, lexical: float, weight: float) -> float:
    """The score of a chunk: meaning + λ · wording."""
    return meaning(dense, window) + weight * wording(lexical)
