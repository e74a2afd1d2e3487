"""A run's verdicts for people and for programs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ingest import ocr
from ingest.quality import DOUBTFUL
from ingest.sync import STATES, Report
from rag.terminal import columns, cut, padded, printable
from rag.types import Verdict

_WIDEST_NAME = 48
_KINDS = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (re.escape(ocr.MISSING), "ocr"),
        (r"\blocked\b|--password", "locked"),
        (r"\bencoding\b", "encoding"),
        (r"ingest\.max_file_mb", "size"),
        (r"ingest\.(?:parse|file)_seconds", "time"),
    )
)
_OTHER = "other"
_ADVICE = {
    "ocr": "with pictures of text: type `pip install -r requirements-ocr.txt`, then the same command again.",
    "locked": "behind a password: add --password FILE=PASSWORD, or --passwords LIST, a text file of such lines.",
    "encoding": "in an encoding that cannot be told: save as UTF-8, or add --encoding NAME (gb18030, big5, cp1252 …).",
    "size": "too large: set ingest.max_file_mb in footnote.toml, or cut in parts.",
    "time": "took too long: set ingest.parse_seconds (a page) or ingest.file_seconds (a file) in footnote.toml.",
    _OTHER: "cannot be read: the reason stands beside each; mend, replace or move away.",
}


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


def advice(report: Report) -> list[str]:
    """What to type for what was set aside or left out, one sentence for each kind of reason."""
    counts: Counter[str] = Counter()
    for verdict in report.verdicts:
        told = [verdict.reason] if verdict.state == "set aside" else verdict.warnings
        kinds = {found for text in told for found in [kind(text)] if found}
        counts.update(kinds or ({_OTHER} if verdict.state == "set aside" else set()))
    order = [*(name for _, name in _KINDS), _OTHER]
    return [f"{counts[name]} file{'s' if counts[name] > 1 else ''} {_ADVICE[name]}" for name in order if counts[name]]


def kind(text: str) -> str:
    """The kind of reason that a sentence gives; empty where it names none that can be helped."""
    return next((name for pattern, name in _KINDS if pattern.search(text)), "")


def _row(verdict: Verdict) -> tuple[str, str, str, str, str]:
    name = cut(printable(verdict.file), _WIDEST_NAME)
    return name, verdict.state, _pages(verdict), str(verdict.chunks or ""), printable(verdict.reason)


def _pages(verdict: Verdict) -> str:
    """How many pages there are, and how many of them were read by OCR or read badly, as "8 (3 OCR, 1 poor)"."""
    by_ocr = sum(mark.kind == "ocr" for mark in verdict.read)
    poor = sum(mark.quality < DOUBTFUL for mark in verdict.read)
    marks = ", ".join(f"{count} {what}" for count, what in ((by_ocr, "OCR"), (poor, "poor")) if count)
    return f"{verdict.pages or ''}{f' ({marks})' if marks else ''}".strip()


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
