"""A run's verdicts for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ingest.sync import STATES, Report
from rag.terminal import columns, cut, padded, printable
from rag.types import Verdict

_WIDEST_NAME = 48


def as_json(report: Report) -> dict[str, Any]:
    """``{"verdicts": [...], "totals": {...}}``."""
    return {"verdicts": [asdict(verdict) for verdict in report.verdicts], "totals": report.totals}


def table(report: Report) -> str:
    """A line a verdict, its warnings below it, and the totals."""
    rows = [("file", "verdict", "pages", "chunks", "reason")]
    below: list[tuple[str, ...]] = [()]
    for verdict in report.verdicts:
        rows.append(_row(verdict))
        below.append(verdict.warnings)
    widths = [max(columns(row[place]) for row in rows) for place in range(4)]
    lines: list[str] = []
    for row, warnings in zip(rows, below, strict=True):
        lines.append("  ".join(_cells(row, widths)).rstrip())
        lines += [f"    ! {printable(warning)}" for warning in warnings]
    return "\n".join([*lines, "", _summary(report)])


def _row(verdict: Verdict) -> tuple[str, str, str, str, str]:
    name = cut(printable(verdict.file), _WIDEST_NAME)
    return name, verdict.state, str(verdict.pages or ""), str(verdict.chunks or ""), printable(verdict.reason)


def _cells(row: tuple[str, ...], widths: list[int]) -> Iterator[str]:
    name, state, pages, chunks, reason = row
    yield padded(name, widths[0])
    yield padded(state, widths[1])
    yield pages.rjust(widths[2])
    yield chunks.rjust(widths[3])
    yield reason


def _summary(report: Report) -> str:
    totals = report.totals
    states = ", ".join(f"{totals[state]:.0f} {state}" for state in STATES if totals[state])
    return (
        f"{totals['files']:.0f} files in {totals['seconds']:.1f} s: {states or 'nothing found'}. "
        f"New: {totals['documents']:.0f} documents, {totals['chunks']:.0f} chunks."
    )
