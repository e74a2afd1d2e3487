"""The report: a table for the terminal, JSON for programs, one self-contained page for readers."""

from __future__ import annotations

import html
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evaluation.metrics import Measure
from evaluation.runner import Record, RiskCoverage, risk_coverage, slices, summarise
from rag.errors import RagError
from rag.settings import Settings

_PROJECT = Path(__file__).resolve().parent.parent
_SHOWN = 300
_HEADLINES = (
    "hit@1", "hit@5", "mrr", "gold_contained", "f1", "citation_precision", "refusal_recall", "false_refusal_rate",
)  # fmt: skip
_CURVE_HEAD = "strictness   refused rightly   refused wrongly  answered    risk"
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0}td,th{border-bottom:1px solid #ddd;padding:.3rem .8rem;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}h2{margin-top:2.5rem}pre{white-space:pre-wrap}"""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A finished run: every question's record, and under what it was made."""

    records: tuple[Record, ...]
    metrics: Mapping[str, Measure]
    slices: Mapping[str, Mapping[str, Mapping[str, Measure]]]
    settings: Mapping[str, Any]
    models: Mapping[str, str]
    machine: Mapping[str, Any]
    commit: str | None


def evaluation(records: Sequence[Record], settings: Settings, models: Mapping[str, str]) -> Evaluation:
    """Sum a run up, with the settings (without the key), models, machine and commit that it was made with."""
    shown = asdict(settings) | {"home": str(settings.home)}
    for section in (settings.llm, settings.embedding):
        name = "llm" if section is settings.llm else "embedding"
        shown[name]["api_key"] = "set" if section.api_key else ""
    return Evaluation(tuple(records), summarise(records), slices(records), shown, models, _machine(), _commit())


def as_json(run: Evaluation) -> dict[str, Any]:
    """The report as ``--json`` writes it."""
    return {
        "metrics": _measures(run.metrics),
        "slices": {
            name: {value: _measures(part) for value, part in parts.items()} for name, parts in run.slices.items()
        },
        "questions": [_question(record) for record in run.records],
        "settings": run.settings,
        "models": run.models,
        "machine": run.machine,
        "commit": run.commit,
        "risk_coverage": [asdict(point) for point in risk_coverage(run.records)],
    }


def as_text(run: Evaluation) -> str:
    """The report for a terminal: the metrics, then each slice, then the questions that failed."""
    blocks = [_table(f"{len(run.records)} questions", run.metrics)]
    blocks += [_slice(name, parts) for name, parts in run.slices.items() if len(parts) > 1]
    if curve := risk_coverage(run.records):
        blocks.append("\n".join([_CURVE_HEAD, *map(_curve_line, curve)]))
    failed = [record for record in run.records if record.failed]
    blocks.append("\n".join([f"Failed: {len(failed)}", *(_failure(record) for record in failed)]))
    blocks.append(_made_with(run))
    return "\n\n".join(blocks)


def as_html(run: Evaluation) -> str:
    """The report as one page that loads nothing from elsewhere."""
    body = ["<h1>Evaluation</h1>", _html_table(f"{len(run.records)} questions", run.metrics)]
    for name, parts in run.slices.items():
        body += [_html_table(f"{name} = {value}", part) for value, part in parts.items()]
    failed = [record for record in run.records if record.failed]
    body.append(f"<h2>Failed: {len(failed)}</h2><pre>{html.escape(chr(10).join(map(_failure, failed)))}</pre>")
    body.append(f"<p>{html.escape(_made_with(run))}</p>")
    return (
        f"<!doctype html><html><head><meta charset='utf-8'><title>Evaluation</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>\n"
    )


def check_place(path: Path | None) -> None:
    """Raise RagError where a report could not be written, before a long run has been made for it."""
    if path is None:
        return
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if path.is_dir() or not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise RagError(f"The report {path} could not be written there. Name a file in a folder of yours.")


def write(path: Path, text: str) -> None:
    """Write a report whole or not at all; raises RagError where the place cannot be written."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise RagError(f"The report {path} could not be written ({error.strerror}). Name another place.") from None
    finally:
        with suppress(OSError):
            part.unlink()


def dumps(run: Evaluation) -> str:
    """The JSON report as text."""
    return json.dumps(as_json(run), ensure_ascii=False, indent=1) + "\n"


def _curve_line(point: RiskCoverage) -> str:
    return (
        f"{point.strictness:>10.2f}{point.refusal_recall:>17.3f}{point.false_refusal_rate:>19.3f}"
        f"{point.coverage:>10.3f}{point.risk:>8.3f}"
    )


def _measures(measures: Mapping[str, Measure]) -> dict[str, dict[str, float | int]]:
    return {name: asdict(measure) for name, measure in measures.items()}


def _question(record: Record) -> dict[str, Any]:
    question, answer = record.question, record.answer
    return {
        "id": question.id,
        "question": question.question,
        "history": [asdict(turn) for turn in question.history],
        "answers": list(question.answers),
        "relevant": list(question.relevant),
        "withheld": list(question.withhold),
        "answerable": question.answerable,
        "found": list(record.found),
        "answer": answer.text if answer else None,
        "refused": record.refused,
        "confidence": answer.confidence if answer else None,
        "reason": answer.reason if answer else "",
        "citations": [
            {"n": c.n, "document": c.passage.chunk.document, "page": c.page, "quote": c.quote, "right": right}
            for c, right in zip(answer.citations if answer else (), record.right, strict=True)
        ],
        "failed": record.failed,
        "error": record.error,
        "scores": {name: score.right / score.of for name, score in record.scores.items() if score.of},
        "slices": dict(record.slices),
        "seconds": round(record.seconds, 4),
        "first_token": record.first_token,
    }


def _table(title: str, measures: Mapping[str, Measure]) -> str:
    width = max((len(name) for name in measures), default=0)
    rows = [
        f"  {name:<{width}}  {_number(name, m.value):>7}  [{_number(name, m.low)}, {_number(name, m.high)}]  n = {m.n}"
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


def _html_table(title: str, measures: Mapping[str, Measure]) -> str:
    rows = "".join(
        f"<tr><td>{name}</td><td class='n'>{_number(name, m.value)}</td>"
        f"<td class='n'>{_number(name, m.low)} – {_number(name, m.high)}</td><td class='n'>{m.n}</td></tr>"
        for name, m in measures.items()
    )
    head = "<tr><th>metric</th><th>value</th><th>95 %</th><th>n</th></tr>"
    return f"<h2>{html.escape(title)}</h2><table>{head}{rows}</table>"


def _number(name: str, value: float) -> str:
    return f"{value:.2f} s" if name.startswith(("seconds", "first_token")) else f"{value:.3f}"


def _failure(record: Record) -> str:
    question, answer = record.question, record.answer
    lines = [f"  {question.id}: {question.question}"]
    if question.answerable:
        lines.append(f"    wanted: {' | '.join(question.answers[:3]) or ', '.join(question.relevant)}")
    else:
        lines.append("    wanted: a refusal")
    if answer:
        said = f"refused: {answer.reason}" if answer.refused else f"answered: {answer.text}"
        lines.append(f"    {_line(said)}")
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
    return f"Made with {models}; commit {run.commit or 'unknown'}; {machine}."


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
