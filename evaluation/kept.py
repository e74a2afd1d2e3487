"""Reports that are kept: HOME/reports/KB/TIME-SET.json, as ``--json`` writes them, and what became better or worse."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.metrics import paired_difference
from evaluation.report import Evaluation, as_json, write
from evaluation.runner import LESS_IS_BETTER, METRICS
from rag.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Difference:
    """How much a metric differs on the questions of both reports, with its paired 95 % interval."""

    metric: str
    before: float
    after: float
    low: float
    high: float
    n: int

    @property
    def verdict(self) -> int:
        """1 where it is better, -1 where it is worse, 0 where the interval holds no difference."""
        if self.low <= 0 <= self.high:
            return 0
        return 1 if (self.after > self.before) != (self.metric in LESS_IS_BETTER) else -1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports side by side: differences, the questions that got better and worse, and what was set otherwise.

    ``alone`` counts the questions that only one of the two has.
    """

    differences: tuple[Difference, ...]
    better: tuple[str, ...]
    worse: tuple[str, ...]
    settings: tuple[tuple[str, object, object], ...]
    alone: int


def reports_folder(home: Path, kb: str) -> Path:
    """Where the reports of a knowledge base lie."""
    return home / "reports" / kb


def keep(home: Path, kb: str, set_name: str, run: Evaluation, *, partial: bool = False) -> Path:
    """Write a report among the others; ``partial`` marks a run that was stopped."""
    name = f"{time.strftime('%Y-%m-%d %H.%M.%S')} {set_name}.json"
    path = reports_folder(home, kb) / name
    told = {**as_json(run), "set": set_name, "partial": partial}
    write(path, json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    return path


def kept(home: Path, kb: str) -> list[Path]:
    """The reports of a knowledge base, the latest first."""
    return sorted(reports_folder(home, kb).glob("*.json"), reverse=True)


def read(path: Path) -> dict[str, Any]:
    """A report; raises DatasetError where it is none."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(report, dict) or not {"metrics", "questions", "settings"} <= report.keys():
            raise ValueError
    except (OSError, ValueError):
        raise DatasetError(f"{path} is no report of `python -m evaluation --json`. Choose another file.") from None
    return report


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """What changed from one report to another, on the questions that both asked."""
    old, new = ({q["id"]: q for q in report["questions"]} for report in (before, after))
    common = [name for name in old if name in new and old[name]["question"] == new[name]["question"]]
    differences = []
    for metric in METRICS:
        pairs = [
            (old[name]["scores"][metric], new[name]["scores"][metric])
            for name in common
            if metric in old[name]["scores"] and metric in new[name]["scores"]
        ]
        if pairs:
            low, high = paired_difference(pairs)
            was, now = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
            differences.append(Difference(metric, was, now, low, high, len(pairs)))
    better = tuple(old[name]["question"] for name in common if old[name]["failed"] and not new[name]["failed"])
    worse = tuple(old[name]["question"] for name in common if new[name]["failed"] and not old[name]["failed"])
    return Comparison(
        tuple(differences), better, worse, tuple(_settings(before, after)), len(old) + len(new) - 2 * len(common)
    )


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, object, object]]:
    """The settings and models that differ."""
    old, new = (_flat({**report["settings"], "models": report.get("models", {})}) for report in (before, after))
    return [(name, old.get(name), new.get(name)) for name in sorted({*old, *new}) if old.get(name) != new.get(name)]


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{above}{name}.") if isinstance(value, Mapping) else {f"{above}{name}": value}
    return flat
