"""Reports that are kept: HOME/reports/KB/TIME-SET.json, as ``--json`` writes them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from evaluation.report import Evaluation, as_json, write
from rag.errors import DatasetError


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
