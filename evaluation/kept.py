"""Reports that are kept: HOME/reports/KB/TIME-SET.json, as ``--json`` writes them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from evaluation.report import Evaluation, as_json, write
from rag.errors import DatasetError

_OF_A_QUESTION = {
    "id",
    "question",
    "answerable",
    "answers",
    "relevant",
    "found",
    "refused",
    "failed",
    "scores",
    "citations",
}


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
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not _is_report(report):
            raise ValueError
    except (OSError, ValueError, RecursionError):
        raise DatasetError(f"{path} is no report of `python -m evaluation --json`. Choose another file.") from None
    return report


def _is_report(value: Any) -> bool:
    """Whether this is what ``--json`` writes, as far as pages and comparisons lean on it."""
    if not isinstance(value, dict) or not all(
        isinstance(value.get(name), dict) for name in ("metrics", "settings", "slices")
    ):
        return False
    questions = value.get("questions")
    return isinstance(questions, list) and all(isinstance(q, dict) and q.keys() >= _OF_A_QUESTION for q in questions)
