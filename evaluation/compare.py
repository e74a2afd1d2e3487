"""Two reports side by side: what became better or worse, and at which step questions were lost."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.metrics import paired_difference, paired_ps
from evaluation.runner import LESS_IS_BETTER, METRICS
from evaluation.steps import STEPS

CERTAIN = 0.05  # the chance of one false alarm among all metrics
_COMPARED = [
    metric for metric in METRICS if not metric.startswith("tokens")
]  # more tokens are neither better nor worse


@dataclass(frozen=True, slots=True)
class Difference:
    """How much a metric differs on the questions of both reports, with its paired 95 % interval.

    ``p`` is the chance of such a difference by luck in any of the metrics (``metrics.paired_ps``).
    """

    metric: str
    before: float
    after: float
    low: float
    high: float
    p: float
    n: int

    @property
    def verdict(self) -> int:
        """1 where it is better, -1 where it is worse, 0 where it may be luck."""
        if self.p >= CERTAIN or self.before == self.after:
            return 0
        return 1 if (self.after > self.before) != (self.metric in LESS_IS_BETTER) else -1


@dataclass(frozen=True, slots=True)
class Change:
    """A question that went right in one report and wrong, at a ``step``, in the other."""

    id: str
    question: str
    step: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Differences of metrics, the questions ``won`` and ``lost``, and what was set otherwise.

    ``alone`` counts the questions that only one of the two has.
    """

    differences: tuple[Difference, ...]
    won: tuple[Change, ...]
    lost: tuple[Change, ...]
    settings: tuple[tuple[str, object, object], ...]
    alone: int

    @property
    def worse(self) -> list[Difference]:
        """The metrics that are worse, and not by luck."""
        return [difference for difference in self.differences if difference.verdict < 0]

    @property
    def blamed(self) -> dict[str, int]:
        """The steps at which questions were lost, the most frequent first."""
        counted = Counter(change.step for change in self.lost)
        return dict(sorted(counted.items(), key=lambda pair: (-pair[1], _place(pair[0]))))


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """What changed from one report to another, on the questions that both asked."""
    old, new = ({q["id"]: q for q in report["questions"]} for report in (before, after))
    common = [name for name in old if name in new and old[name]["question"] == new[name]["question"]]
    return Comparison(
        tuple(_differences([old[name]["scores"] for name in common], [new[name]["scores"] for name in common])),
        tuple(_change(old[name]) for name in common if old[name]["failed"] and not new[name]["failed"]),
        tuple(_change(new[name]) for name in common if new[name]["failed"] and not old[name]["failed"]),
        tuple(_settings(before, after)),
        len(old) + len(new) - 2 * len(common),
    )


def _differences(old: Sequence[Mapping[str, float]], new: Sequence[Mapping[str, float]]) -> list[Difference]:
    pairs = {metric: [(a.get(metric), b.get(metric)) for a, b in zip(old, new, strict=True)] for metric in _COMPARED}
    both = {metric: [(a, b) for a, b in side if a is not None and b is not None] for metric, side in pairs.items()}
    both = {metric: side for metric, side in both.items() if side}
    if not both:
        return []
    table = [[math.nan if a is None or b is None else b - a for a, b in pairs[metric]] for metric in both]
    chances = paired_ps(np.array(table).T)
    found = []
    for (metric, side), p in zip(both.items(), chances, strict=True):
        was, now = (sum(values) / len(side) for values in zip(*side, strict=True))
        found.append(Difference(metric, was, now, *paired_difference(side), p, len(side)))
    return found


def _change(question: Mapping[str, Any]) -> Change:
    return Change(question["id"], question["question"], question.get("step", ""))


def _place(step: str) -> int:
    return STEPS.index(step) if step in STEPS else len(STEPS)


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, object, object]]:
    """The settings, models and versions that differ; where the documents lie is none of them."""
    old, new = (
        _flat({name: value for name, value in report["settings"].items() if name not in ("home", "kb")})
        | _flat({name: report.get(name, {}) for name in ("models", "versions")})
        for report in (before, after)
    )
    return [(name, old.get(name), new.get(name)) for name in sorted({*old, *new}) if old.get(name) != new.get(name)]


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{above}{name}.") if isinstance(value, Mapping) else {f"{above}{name}": value}
    return flat
