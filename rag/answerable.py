"""The probability that a question can be answered from the documents, before a model is asked and after.

Two logistic models of a few numbers; ``python -m evaluation calibrate`` fits them and writes the weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, log
from pathlib import Path
from typing import Any

from rag.errors import SettingsError
from rag.fusion import meaning
from rag.grounding import share_covered
from rag.text import language
from rag.types import Claim, Passage

WEIGHTS = Path(__file__).parent / "builtin" / "answerable.json"
FEATURES = ("dense", "lexical", "covered", "dense_gap", "score_gap", "agree", "cross", "cross_dense")
DRAFT_FEATURES = ("retrieval", "supported")
_LEAST = 1e-3  # a probability is never quite 0 or 1
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


def draft_features(answerable: float, claims: Sequence[Claim]) -> tuple[float, ...]:
    """The numbers of ``DRAFT_FEATURES``: what retrieval thought, as log odds, and the share of supported claims in a draft.

    More was tried and told nothing new: how much of the question the quotes hold, how near they and the draft are to it
    in meaning, the tokens' probabilities. A model that says itself that it is not there is believed, whatever the odds.
    """
    return (
        log(answerable + _LEAST) - log(1 - answerable + _LEAST),
        sum(claim.supported for claim in claims) / len(claims) if claims else 0.0,
    )


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model of named numbers."""

    names: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float

    def __call__(self, values: Sequence[float]) -> float:
        """The probability, 0 to 1."""
        return 1 / (1 + exp(-(self.bias + sum(w * x for w, x in zip(self.weights, values, strict=True)))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The probability that the documents hold the answer: by what was ``found``, and with what a model ``drafted`` from it."""

    found: Logistic
    drafted: Logistic

    def before(self, question: str, passages: Sequence[Passage]) -> float:
        """The probability by the passages found, best first; 0 where there are none."""
        return self.found(features(question, passages)) if passages else 0.0


@cache
def load_calibration(path: Path = WEIGHTS) -> Calibration:
    """The calibration of a file that ``python -m evaluation calibrate`` wrote; raises SettingsError where it is none."""
    try:
        fitted = json.loads(path.read_text(encoding="utf-8"))
        return Calibration(_logistic(fitted["found"], FEATURES), _logistic(fitted["drafted"], DRAFT_FEATURES))
    except OSError as error:
        raise SettingsError(f"answers.calibration {path} cannot be read ({error.strerror}).") from None
    except (ValueError, KeyError, TypeError):
        raise SettingsError(
            f"answers.calibration {path} holds no calibration of this version. `python -m evaluation calibrate` writes one."
        ) from None


def _logistic(fitted: dict[str, Any], names: tuple[str, ...]) -> Logistic:
    return Logistic(names, tuple(float(fitted["weights"][name]) for name in names), float(fitted["bias"]))
