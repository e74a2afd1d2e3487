"""Reports side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evaluation.compare import compare
from evaluation.metrics import paired_difference, paired_p, paired_ps


def report(scores: dict[str, float], **settings: Any) -> dict[str, Any]:
    """A report in which each question has this hit@1."""
    questions = [
        {"id": name, "question": f"{name}?", "scores": {"hit@1": score}, "failed": score < 1, "step": ""}
        for name, score in scores.items()
    ]
    return {"metrics": {}, "questions": questions, "settings": settings, "models": {}}


def test_only_common_questions_are_compared() -> None:
    """Questions of one report alone are counted and left out; the others are paired."""
    found = compare(report({"a": 0, "b": 1, "c": 1}), report({"a": 1, "b": 1, "d": 0}))
    [difference] = found.differences
    assert (difference.before, difference.after, difference.n) == (0.5, 1.0, 2)
    assert ([change.id for change in found.won], found.lost, found.alone) == (["a"], (), 2)


def test_what_was_set_otherwise_is_told() -> None:
    """Settings that differ are named with both values."""
    found = compare(report({"a": 1}, retrieval={"k": 4}), report({"a": 1}, retrieval={"k": 8}))
    assert found.settings == (("retrieval.k", 4, 8),)


def test_pairing_makes_a_small_steady_gain_certain() -> None:
    """A gain on every question alike has an interval without width; one on a few questions may be chance."""
    assert paired_difference([(0.2, 0.3)] * 50) == pytest.approx((0.1, 0.1))
    low, high = paired_difference([(0.0, 1.0)] * 2 + [(1.0, 0.0)] + [(1.0, 1.0)] * 47)
    assert low < 0 < high


def test_less_may_be_better() -> None:
    """Fewer false refusals are better, not worse."""
    before, after = report({}), report({})
    for made, value in ((before, 1.0), (after, 0.0)):
        made["questions"] = [
            {"id": str(n), "question": str(n), "scores": {"false_refusal_rate": value}, "failed": False}
            for n in range(20)
        ]
    assert compare(before, after).differences[0].verdict == 1


def test_luck_is_told_from_a_difference() -> None:
    """One question more of twenty may be luck; ten that all got worse are not, and less than all metrics together say so."""
    level = compare(
        report(dict.fromkeys("abcdefghijklmnopqrst", 1.0)),
        report({**dict.fromkeys("abcdefghijklmnopqrst", 1.0), "a": 0}),
    )
    assert level.differences[0].verdict == 0 and level.worse == []
    lost = compare(
        report(dict.fromkeys("abcdefghijklmnopqrst", 1.0)),
        report(dict.fromkeys("abcdefghij", 0.0) | dict.fromkeys("klmnopqrst", 1.0)),
    )
    assert [difference.metric for difference in lost.worse] == ["hit@1"]


@pytest.mark.parametrize(("pairs", "p"), [([(0, 1)] * 3, 1 / 4), ([(0, 1)] * 10, 2 / 1024), ([(1, 1)] * 10, 1.0)])
def test_the_chance_by_hand(pairs: list[tuple[float, float]], p: float) -> None:
    """Of n equal differences only two of the 2^n signs give as large a sum."""
    assert paired_p(pairs) == pytest.approx(p, abs=0.01)


def test_more_metrics_need_more_certainty() -> None:
    """Looked at among many that are mere noise, the same difference is less certain; among copies of itself it is not."""
    dice = np.random.default_rng(3)
    lost = np.where(dice.random(60) < 0.2, -1.0, 0.0)[:, None]
    alone = paired_ps(lost)[0]
    noise = dice.choice([-1.0, 0.0, 1.0], size=(60, 20))
    assert paired_ps(np.hstack([lost, noise]))[0] > 3 * alone
    assert paired_ps(np.repeat(lost, 20, axis=1)) == [alone] * 20


def test_a_metric_that_few_questions_have_is_judged_by_these() -> None:
    """What is not measured for a question has no part in it."""
    half = np.array([[-1.0, -1.0]] * 10 + [[-1.0, np.nan]] * 10)
    assert paired_ps(half)[1] == pytest.approx(2 / 1024, abs=0.01)
    assert paired_ps(np.zeros((5, 2))) == [1.0, 1.0]
