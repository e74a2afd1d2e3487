"""The probability that a question can be answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.answerable import DRAFT_FEATURES, FEATURES, draft_features, features, load_calibration
from rag.errors import SettingsError
from rag.types import Claim
from tests.rag.stored import passage


def test_without_passages_nothing_can_be_answered() -> None:
    """No passage, no answer: the probability is 0."""
    assert load_calibration().before("anything", []) == 0.0


@pytest.mark.parametrize("score", [-1.0, 0.0, 0.5, 1.6])
def test_it_is_a_probability(score: float) -> None:
    """Whatever the scores, it lies between 0 and 1."""
    found = [replace(passage(f"p{i}", identity=i, score=score), dense=score, lexical=0.0) for i in range(3)]
    assert 0 <= load_calibration().before("年假?", found) <= 1


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


def test_a_draft_s_features_by_hand() -> None:
    """What retrieval thought as log odds, and the share of supported claims."""
    claims = (Claim("年假有十五天", 0, 6, (1,), True), Claim("病假不限", 7, 11, (), False))
    values = draft_features(0.5, claims)
    assert values == pytest.approx((0.0, 0.5)) and len(values) == len(DRAFT_FEATURES)
    assert draft_features(0.5, ())[1:] == (0.0,)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"found": {"weights": {}, "bias": 0}}', "\0"])
def test_a_file_that_is_no_calibration_is_one_sentence(tmp_path: Path, text: str) -> None:
    """It is named, with the command that writes a right one."""
    (tmp_path / "own.json").write_text(text)
    with pytest.raises(SettingsError, match=r"own\.json .*calibrate"):
        load_calibration(tmp_path / "own.json")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_calibration(tmp_path / "none.json")
