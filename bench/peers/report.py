"""What the runs say: medians, ratios to this project, the bars; as tables, JSON and a plot."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.peers.measure import Run
from bench.peers.sides import SIDES
from rag.errors import RagError

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
FASTER = 4.0  # the bar: so many times a peer's ingest, at equal or better MRR and no worse query p95
_OURS = "footnote"
_SHARED = ("torch", "transformers", "sentence-transformers", "numpy")
# What is worth knowing of a processor: what bfloat16 and float32 products run on.
_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_tile")


@dataclass(frozen=True, slots=True)
class Result:
    """All runs, the machine they were made on, and the sides in their order."""

    runs: tuple[Run, ...]
    machine: dict[str, str]
    sides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """This project against one peer on one set: ``ingest`` and ``p95`` are peer's seconds over ours, above 1 is faster."""

    peer: str
    set: str
    ingest: float
    mrr: float
    p95: float

    @property
    def reached(self) -> bool:
        """Whether all three hold."""
        return self.ingest >= FASTER and self.mrr >= 0 and self.p95 >= 1


def machine(threads: int) -> dict[str, str]:
    """Processor, cores, instruction sets, system, Python, libraries and date."""
    model, flags = _processor()
    packages = [*_SHARED, *(name for entry in SIDES.values() for name in entry.packages)]
    return {
        "processor": model,
        "cores": f"{os.cpu_count()}, {threads} threads for each side",
        "instructions": ", ".join(flag for flag in _FLAGS if flag in flags) or "unknown",
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": ", ".join(f"{name} {_version(name)}" for name in packages),
        "date": datetime.now(UTC).date().isoformat(),
    }


def median(runs: Sequence[Run], side: str, name: str, value: Callable[[Run], float]) -> float:
    """The median over a side's runs on a set."""
    return statistics.median(value(run) for run in runs if (run.side, run.set) == (side, name))


def bars(result: Result) -> list[Bar]:
    """Each peer on each set; empty where this project was not measured."""
    if _OURS not in result.sides:
        return []
    found = []
    for name in _sets(result):
        for peer in (side for side in result.sides if side != _OURS):

            def both(value: Callable[[Run], float], peer: str = peer, name: str = name) -> tuple[float, float]:
                return median(result.runs, _OURS, name, value), median(result.runs, peer, name, value)

            ingest, p95 = both(lambda run: run.ingest), both(lambda run: run.query_p95)
            mrr = both(lambda run: run.metrics["mrr"])
            found.append(Bar(peer, name, ingest[1] / ingest[0], mrr[0] - mrr[1], p95[1] / p95[0]))
    return found


def line(run: Run) -> str:
    """One run in one line."""
    return (
        f"{run.set} {SIDES[run.side].title}: {run.chunks} chunks in {run.ingest:.1f} s "
        f"({run.characters / run.ingest:.0f} characters/s), query p95 {run.query_p95 * 1000:.1f} ms, "
        f"MRR {run.metrics['mrr']:.3f}"
    )


def tables(result: Result) -> str:
    """The figures of each set, the bars, and the machine, in Markdown."""
    parts = [_table(result, name) for name in _sets(result)]
    if found := bars(result):
        head = (
            "### Against each peer\n\nPeer's seconds over this project's, so that more is faster here; MRR is this "
            f"project's less the peer's. The bar: ingest at least {FASTER:g} ×, MRR at least 0, query p95 at least 1 ×.\n"
        )
        rows = [
            [bar.set, SIDES[bar.peer].title, f"{bar.ingest:.2f} ×", f"{bar.mrr:+.3f}", f"{bar.p95:.2f} ×",
             "yes" if bar.reached else "no"]
            for bar in found
        ]  # fmt: skip
        parts.append(head + "\n" + _markdown(["set", "peer", "ingest", "MRR", "query p95", "bar reached"], rows))
    facts = "\n".join(f"- {name}: {value}" for name, value in result.machine.items())
    return "\n\n".join([*parts, f"### Machine\n\n{facts}"])


def as_json(result: Result) -> dict[str, Any]:
    """Every run as it is, the machine, the bars."""
    return {
        "machine": result.machine,
        "runs": [asdict(run) for run in result.runs],
        "bars": [asdict(bar) | {"reached": bar.reached} for bar in _complete(result)],
    }


def write_markdown(result: Result, path: Path) -> None:
    """Put the tables between the marks in a file, which is made where it is not there; raises RagError."""
    old = path.read_text(encoding="utf-8") if path.exists() else f"{BEGIN}\n{END}\n"
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise RagError(f"{path} has no line {BEGIN} with {END} after it; add both where the tables are to stand.")
    path.write_text(f"{before}{BEGIN}\n\n{tables(result)}\n\n{END}{after}", encoding="utf-8")


def plot(result: Result, path: Path) -> None:
    """Characters a second, query p95 and MRR of every side on every set."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels: list[tuple[str, Callable[[Run], float]]] = [
        ("ingest, characters/s (more is better)", lambda run: run.characters / run.ingest),
        ("query p95, ms (less is better)", lambda run: run.query_p95 * 1000),
        ("MRR (more is better)", lambda run: run.metrics["mrr"]),
    ]
    names = _sets(result)
    width = 0.8 / len(result.sides)
    figure, axes = pyplot.subplots(1, len(panels), figsize=(13, 4), layout="constrained")
    for axis, (title, value) in zip(axes, panels, strict=True):
        for number, side in enumerate(result.sides):
            places = [place + (number - (len(result.sides) - 1) / 2) * width for place in range(len(names))]
            heights = [median(result.runs, side, name, value) for name in names]
            axis.bar(places, heights, width, label=SIDES[side].title)
        axis.set_title(title, fontsize=10)
        axis.set_xticks(range(len(names)), names, fontsize=9)
    axes[0].legend(fontsize=8, frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)


def _table(result: Result, name: str) -> str:
    first = next(run for run in result.runs if run.set == name)
    head = (
        f"### {name}\n\n{first.documents:,} documents, {first.characters:,} characters, {first.questions:,} questions, "
        f"median of {sum((r.set, r.side) == (name, first.side) for r in result.runs)} turn(s)\n"
    )
    columns = ["", "chunks", "ingest s", "chunks/s", "characters/s", "loading s", "query p50 ms", "query p95 ms",
               "hit@1", "hit@5", "hit@10", "MRR", "peak MB", "on disk MB"]  # fmt: skip
    rows = [_row(result, side, name) for side in result.sides]
    text = head + "\n" + _markdown(columns, rows)
    ours = [run for run in result.runs if (run.side, run.set) == (_OURS, name) and run.bare_p95 is not None]
    if ours:
        p50, p95 = (statistics.median(getattr(run, key) for run in ours) * 1000 for key in ("bare_p50", "bare_p95"))
        text += f"\n\nFootnote's query without the embedder: p50 {p50:.1f} ms, p95 {p95:.1f} ms."
    return text


def _row(result: Result, side: str, name: str) -> list[str]:
    def of(value: Callable[[Run], float]) -> float:
        return median(result.runs, side, name, value)

    return [
        SIDES[side].title,
        f"{of(lambda r: r.chunks):,.0f}",
        f"{of(lambda r: r.ingest):.1f}",
        f"{of(lambda r: r.chunks / r.ingest):.1f}",
        f"{of(lambda r: r.characters / r.ingest):,.0f}",
        f"{of(lambda r: r.loading):.1f}",
        f"{of(lambda r: r.query_p50 * 1000):.1f}",
        f"{of(lambda r: r.query_p95 * 1000):.1f}",
        *(f"{of(lambda r, key=key: r.metrics[key]):.3f}" for key in ("hit@1", "hit@5", "hit@10", "mrr")),  # type: ignore[misc]
        f"{of(lambda r: r.memory / 1e6):,.0f}",
        f"{of(lambda r: r.disk / 1e6):.1f}",
    ]


def _complete(result: Result) -> list[Bar]:
    """The bars, once every side has run on every set."""
    there = {(run.side, run.set) for run in result.runs}
    whole = all((side, name) in there for side in result.sides for name in _sets(result))
    return bars(result) if whole else []


def _sets(result: Result) -> list[str]:
    return list(dict.fromkeys(run.set for run in result.runs))


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, rule, *rows))


def _processor() -> tuple[str, set[str]]:
    with suppress(OSError):
        facts = {}
        for entry in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = entry.partition(":")
            facts.setdefault(key.strip(), value.strip())
        return facts.get("model name", platform.machine()), set(facts.get("flags", "").split())
    return platform.processor() or platform.machine(), set()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
