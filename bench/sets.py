"""Reports of question sets side by side, as Markdown tables for docs/benchmarks.md.

python -m evaluation FOLDER --answers --json FOLDER.json        for each set
python -m bench.sets FOLDER.json …
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.kept import read
from evaluation.runner import METRICS
from evaluation.steps import STEPS
from evaluation.words import number, step_names

_NAMES = step_names("en")
_LEAST = 10  # cases; fewer tell nothing


def main() -> None:
    """Print a table of metrics with their intervals, of ten cases or more, and one of where questions went wrong."""
    reports = {Path(name).stem: read(Path(name)) for name in sys.argv[1:]}
    print(_table("metric", reports, {name: name for name in METRICS}, _metric))
    print()
    print(_table("went wrong", reports, {step: _NAMES[step] for step in STEPS}, _step))


def _table(title: str, reports: Mapping[str, Any], rows: Mapping[str, str], cell: Any) -> str:
    lines = [f"| {title} | {' | '.join(reports)} |", f"| --- |{' ---: |' * len(reports)}"]
    for name, shown in rows.items():
        cells = [cell(report, name) for report in reports.values()]
        if any(cells):
            lines.append(f"| {shown} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _metric(report: Mapping[str, Any], name: str) -> str:
    measure = report["metrics"].get(name)
    if measure is None or measure["n"] < _LEAST:
        return ""
    value, low, high = (number(name, measure[key]) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _step(report: Mapping[str, Any], step: str) -> str:
    count = report["steps"].get(step, 0)
    return f"{count} of {len(report['questions'])}" if count else ""


if __name__ == "__main__":
    main()
