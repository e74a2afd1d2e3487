"""The report: a table for the terminal, JSON for programs; evaluation/page.py makes a page of the latter."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evaluation.compare import Comparison
from evaluation.metrics import Measure
from evaluation.record import Record
from evaluation.runner import RiskCoverage, reliability, risk_coverage, slices, summarise
from evaluation.steps import STEPS
from evaluation.words import number, step_names
from rag.errors import RagError
from rag.record import settings_to_json
from rag.settings import Settings
from rag.whole_file import write_whole

_PROJECT = Path(__file__).resolve().parent.parent
_SHOWN = 300
NAMES = step_names("en")
_MOST_FAILED = 30  # shown on a terminal; the written reports have them all
_HEADLINES = (
    "hit@1", "hit@5", "mrr", "evidence", "gold_contained", "f1", "citation_precision", "refusal_recall",
    "false_refusal_rate",
)  # fmt: skip
_CURVE_HEAD = "strictness   refused rightly   refused wrongly  answered    risk"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A finished run: every question's record, and under what it was made.

    ``versions`` are those of code, prompt, weights and documents, ``reused`` counts the questions whose result is an earlier
    run's.
    """

    records: tuple[Record, ...]
    metrics: Mapping[str, Measure]
    slices: Mapping[str, Mapping[str, Mapping[str, Measure]]]
    settings: Mapping[str, Any]
    models: Mapping[str, str]
    versions: Mapping[str, Any]
    machine: Mapping[str, Any]
    commit: str | None
    reused: int = 0


def evaluation(
    records: Sequence[Record], settings: Settings, versions: Mapping[str, Any] | None = None, reused: int = 0
) -> Evaluation:
    """Sum a run up, with the settings (without a key), models, versions, machine and commit that it was made with."""
    models = {"embedding": settings.embedding.model}
    models |= {"llm": settings.llm.model} if any(record.said or record.error for record in records) else {}
    return Evaluation(
        tuple(records), summarise(records), slices(records), settings_to_json(settings), models, versions or {},
        _machine(), _commit(), reused,
    )  # fmt: skip


def as_json(run: Evaluation) -> dict[str, Any]:
    """The report as ``--json`` writes it."""
    return {
        "metrics": _measures(run.metrics),
        "slices": {
            name: {value: _measures(part) for value, part in parts.items()} for name, parts in run.slices.items()
        },
        "questions": [record.as_json() for record in run.records],
        "steps": steps(run.records),
        "settings": run.settings,
        "models": run.models,
        "versions": run.versions,
        "machine": run.machine,
        "commit": run.commit,
        "risk_coverage": [asdict(point) for point in risk_coverage(run.records)],
        "reliability": [asdict(part) for part in reliability(run.records)],
    }


def steps(records: Sequence[Record]) -> dict[str, int]:
    """How many questions went wrong at each step, in the order of the steps."""
    counted = Counter(record.step for record in records)
    return {step: counted[step] for step in STEPS if counted[step]}


def as_text(run: Evaluation) -> str:
    """The report for a terminal: the metrics, then each slice, then where questions went wrong and which."""
    count = len(run.records)
    blocks = [_table(f"{count} question{'s' if count != 1 else ''}", run.metrics)]
    blocks += [_slice(name, parts) for name, parts in run.slices.items() if len(parts) > 1]
    if curve := risk_coverage(run.records):
        blocks.append("\n".join([_CURVE_HEAD, *map(_curve_line, curve)]))
    failed = [record for record in run.records if record.failed]
    lines = [f"Went wrong: {len(failed)}" + (f" ({told})" if (told := _counted(steps(run.records))) else "")]
    lines += [_failure(record) for record in failed[:_MOST_FAILED]]
    if len(failed) > _MOST_FAILED:
        lines.append(f"  and {len(failed) - _MOST_FAILED} more; --json FILE and --html FILE have them all.")
    blocks += ["\n".join(lines), _made_with(run)]
    return "\n\n".join(blocks)


def comparison_text(found: Comparison) -> str:
    """What changed since another report, for a terminal."""
    if not found.differences:
        return "Since the baseline: it has no question in common with this run."
    lines = ["Since the baseline (paired; p is that of luck, for all metrics together)"]
    width = max(len(d.metric) for d in found.differences)
    verdicts = {1: "better", -1: "WORSE", 0: ""}
    lines += [
        f"  {d.metric:<{width}}  {number(d.metric, d.before):>7} → {number(d.metric, d.after):>7}  "
        f"{d.after - d.before:+.3f} [{d.low:+.3f}, {d.high:+.3f}]  p = {d.p:.3f}  n = {d.n}  {verdicts[d.verdict]}".rstrip()
        for d in found.differences
    ]
    lines.append(f"  questions won: {len(found.won)}, lost: {len(found.lost)}")
    if found.lost:
        lines.append(f"  lost at: {_counted(found.blamed)}")
        lines += [f"    {change.id}: {_line(change.question)} ({NAMES[change.step]})" for change in found.lost[:10]]
    lines += [f"  {name}: {_line(json.dumps(a))} → {_line(json.dumps(b))}" for name, a, b in found.settings]
    if found.alone:
        lines.append(f"  {found.alone} questions are in one of the two only and left out.")
    return "\n".join(lines)


def _counted(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {NAMES.get(step, step)}" for step, count in counted.items())


def check_place(path: Path | None) -> None:
    """Raise RagError where a report could not be written, before a long run has been made for it."""
    if path is None:
        return
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if path.is_dir() or not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise RagError(f"The report {path} could not be written there. Name a file in a folder of yours.")


def write(path: Path, text: str) -> None:
    """Write a report whole or not at all; raises RagError where the place cannot be written."""
    try:
        write_whole(path, text)
    except OSError as error:
        raise RagError(f"The report {path} could not be written ({error.strerror}). Name another place.") from None


def dumps(report: Mapping[str, Any]) -> str:
    """The JSON report as text."""
    return json.dumps(report, ensure_ascii=False, indent=1) + "\n"


def _curve_line(point: RiskCoverage) -> str:
    return (
        f"{point.strictness:>10.2f}{point.refusal_recall:>17.3f}{point.false_refusal_rate:>19.3f}"
        f"{point.coverage:>10.3f}{point.risk:>8.3f}"
    )


def _measures(measures: Mapping[str, Measure]) -> dict[str, dict[str, float | int]]:
    return {name: asdict(measure) for name, measure in measures.items()}


def _table(title: str, measures: Mapping[str, Measure]) -> str:
    width = max((len(name) for name in measures), default=0)
    rows = [
        f"  {name:<{width}}  {number(name, m.value):>7}  [{number(name, m.low)}, {number(name, m.high)}]  n = {m.n}"
        for name, m in measures.items()
    ]
    return "\n".join([title, *rows])


def _slice(name: str, parts: Mapping[str, Mapping[str, Measure]]) -> str:
    """A line a value, with the metrics that one looks at first; --json has them all."""
    lines = [
        f"  {_line(value)}: " + ", ".join(f"{m} {part[m].value:.3f}" for m in _HEADLINES if m in part)
        for value, part in parts.items()
    ]
    return "\n".join([f"by {name}", *lines])


def _failure(record: Record) -> str:
    question, said = record.question, record.said
    lines = [f"  {question.id}: {question.question} ({NAMES[record.step]})"]
    if question.answerable:
        lines.append(f"    wanted: {_line(' | '.join(question.answers[:3]) or ', '.join(question.relevant))}")
    else:
        lines.append("    wanted: a refusal")
    if said:
        lines.append(f"    {_line(f'refused: {said.reason}' if record.refused else f'answered: {said.text}')}")
    if record.error:
        lines.append(f"    failed: {_line(record.error)}")
    relevant, found = ", ".join(question.relevant) or "none", ", ".join(record.found[:3]) or "nothing"
    lines.append(f"    relevant: {relevant}; found: {found}")
    return "\n".join(lines)


def _line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN else flat[:_SHOWN] + " …"


def _made_with(run: Evaluation) -> str:
    models = ", ".join(f"{kind} {name}" for kind, name in run.models.items())
    machine = f"{run.machine['cpus']} CPUs, {run.machine['processor']}"
    alone = "" if "llm" in run.models else " Without --answers, only what the search alone refuses is refused."
    reused = f" {run.reused} of {len(run.records)} results are those of an earlier run." if run.reused else ""
    return f"Made with {models}; commit {run.commit or 'unknown'}; {machine}.{reused}{alone}"


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _commit() -> str | None:
    """The commit of the code, with ``+`` where files differ from it; None outside a clone."""
    commit = _git("rev-parse", "HEAD")
    return f"{commit}+" if commit and _git("status", "--porcelain", "--untracked-files=no") else commit


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(_PROJECT), *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
