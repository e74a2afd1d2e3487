"""The probability that a question can be answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answerable import FEATURES, features, probability
from tests.rag.stored import passage


def test_without_passages_nothing_can_be_answered() -> None:
    """No passage, no answer: the probability is 0."""
    assert probability("anything", []) == 0.0


@pytest.mark.parametrize("score", [-1.0, 0.0, 0.5, 1.6])
def test_it_is_a_probability(score: float) -> None:
    """Whatever the scores, it lies between 0 and 1."""
    found = [replace(passage(f"p{i}", identity=i, score=score), dense=score, lexical=0.0) for i in range(3)]
    assert 0 <= probability("年假?", found) <= 1


def test_the_features_by_hand() -> None:
    """Best cosine, best share, words covered, gaps to the fifth cosine and the second score, agreement, other language."""
    scores = [(0.9, 0.5), (0.7, 0.6), (0.5, 0.0), (0.4, 0.0), (0.3, 0.0), (0.1, 0.0)]
    found = [
        replace(passage("年假有十五天", identity=i, score=d + lex), dense=d, window=d, lexical=lex)
        for i, (d, lex) in enumerate(scores)
    ]
    expected = (0.9, 0.6, 0.0, 0.6, 0.1, 1.0, 1.0, 0.9)
    assert features("How many days?", found) == pytest.approx(expected) and len(FEATURES) == len(expected)
    assert features("年假有几天", found)[-2:] == (0.0, 0.0)
    assert features("年假有几天", found)[2] == 1.0
