"""A report as one page, in Chinese or English, that loads nothing from anywhere: made of what ``--json`` writes."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.compare import Comparison
from evaluation.words import METRICS, STEPS, WORDS, number
from rag.types import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TEMPLATE = "page.html.j2"
_GREEN, _AMBER, _GREY = "#1f7a5c", "#b36b00", "#767676"
_TIMES, _COUNTS = ("seconds", "first_token"), ("tokens",)
_ID = re.compile(r'(id="|url\(#|href="#)')


def as_html(report: Mapping[str, Any], language: Language, found: Comparison | None = None) -> str:
    """The page of a report; ``found`` is what changed since a baseline. What an older report lacks is left out."""
    from jinja2 import ChainableUndefined, Environment, FileSystemLoader
    from markupsafe import Markup

    def say(key: str, **values: object) -> str:
        return WORDS[key][language].format(**values)

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=ChainableUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    failed = [question for question in report["questions"] if question["failed"]]
    steps = [(*STEPS[step][language], count) for step, count in report.get("steps", {}).items()]
    return environment.get_template(_TEMPLATE).render(
        language=language,
        report=report,
        failed=failed,
        steps=steps,
        step_name={step: texts[language][0] for step, texts in STEPS.items()},
        meaning={name: texts[language] for name, texts in METRICS.items()},
        plots=[(title, about, Markup(svg)) for title, about, svg in _plots(report, say)],
        found=found,
        say=say,
        number=number,
        slices={name: parts for name, parts in report["slices"].items() if len(parts) > 1},
        headlines=_headlines(report),
        settings=_settings(report["settings"]),
    )


def _headlines(report: Mapping[str, Any]) -> list[str]:
    wanted = (
        "hit@1",
        "hit@5",
        "mrr",
        "evidence",
        "gold_contained",
        "cited_right",
        "refusal_recall",
        "false_refusal_rate",
    )
    return [name for name in wanted if name in report["metrics"]]


def _settings(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    sections = [(name, values) for name, values in settings.items() if isinstance(values, Mapping)]
    return [(f"{name}.{key}", str(value)) for name, values in sections for key, value in values.items() if value != ""]


# Plots


def _plots(report: Mapping[str, Any], say: Callable[..., str]) -> list[tuple[str, str, str]]:
    """Title, explanation and drawing of each plot that there is something to draw for."""
    shares = {name: m for name, m in report["metrics"].items() if not name.startswith((*_TIMES, *_COUNTS))}
    found = [(say("plot_metrics"), "", _drawn(lambda axes: _intervals(axes, shares), 0.5 + 0.24 * len(shares)))]
    if curve := report.get("risk_coverage"):
        now = float(report["settings"]["answers"]["strictness"])
        found.append((say("plot_risk"), say("plot_risk_about"), _drawn(lambda axes: _risk(axes, curve, now, say))))
    if parts := report.get("reliability"):
        title, about = say("plot_reliability"), say("plot_reliability_about")
        found.append((title, about, _drawn(lambda axes: _reliability(axes, parts, say))))
    seconds = [question["seconds"] for question in report["questions"] if question.get("timed", True)]
    if seconds:
        found.append((say("plot_seconds"), "", _drawn(lambda axes: _seconds(axes, seconds, say), 2.4)))
    return [(title, about, _own_ids(svg, n)) for n, (title, about, svg) in enumerate(found)]


def _drawn(draw: Callable[[Axes], None], height: float = 3.6) -> str:
    """The drawing as SVG; its letters stay letters, in the page's own font, so that Chinese needs none of ours."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    looks: Any = {"svg.fonttype": "none", "svg.hashsalt": "footnote", "font.family": "sans-serif", "font.size": 9.0,
             "axes.spines.top": False, "axes.spines.right": False}  # fmt: skip
    with mpl.rc_context(looks), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the browser's font has it
        figure = Figure(figsize=(7.2, height), layout="constrained")
        draw(figure.subplots())
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = out.getvalue()
    return svg[svg.index("<svg") :]


def _own_ids(svg: str, n: int) -> str:
    """The drawing with ids of its own: several stand on one page."""
    return _ID.sub(rf"\g<1>p{n}-", svg)


def _intervals(axes: Axes, shares: Mapping[str, Mapping[str, float]]) -> None:
    names = list(shares)[::-1]
    values = [shares[name]["value"] for name in names]
    reach = [
        [max(0.0, v - shares[name]["low"]) for name, v in zip(names, values, strict=True)],
        [max(0.0, shares[name]["high"] - v) for name, v in zip(names, values, strict=True)],
    ]
    axes.barh(names, values, color=_GREEN, alpha=0.45, height=0.7)
    axes.errorbar(values, range(len(names)), xerr=reach, fmt="none", ecolor=_AMBER, elinewidth=2.2)
    axes.set_xlim(0, 1)
    axes.margins(y=0.01)


def _risk(axes: Axes, curve: Sequence[Mapping[str, float]], now: float, say: Callable[..., str]) -> None:
    axes.plot([p["coverage"] for p in curve], [p["risk"] for p in curve], color=_GREEN, marker=".", linewidth=1.5)
    present = min(curve, key=lambda point: abs(point["strictness"] - now))
    axes.plot([present["coverage"]], [present["risk"]], marker="o", markersize=12, fillstyle="none", color=_AMBER)
    for point in curve[1::3]:
        axes.annotate(f"{point['strictness']:.2f}", (point["coverage"], point["risk"]), (-4, 7),
                      textcoords="offset points", fontsize=7, color=_GREY)  # fmt: skip
    axes.set(xlim=(0, 1.03), ylim=(0, None), xlabel=say("coverage"), ylabel=say("risk"))


def _reliability(axes: Axes, parts: Sequence[Mapping[str, float]], say: Callable[..., str]) -> None:
    most = max(part["n"] for part in parts)
    axes.plot([0, 1], [0, 1], linestyle="--", color=_GREY, linewidth=1)
    sizes = [20 + 180 * part["n"] / most for part in parts]
    axes.scatter([part["told"] for part in parts], [part["true"] for part in parts], s=sizes, color=_GREEN, alpha=0.7)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.05, 1.05), xlabel=say("probability"), ylabel=say("share"))


def _seconds(axes: Axes, seconds: Sequence[float], say: Callable[..., str]) -> None:
    axes.hist(seconds, bins=min(30, max(5, len(seconds) // 5)), color=_GREEN, alpha=0.7)
    axes.set(xlabel=say("seconds"), ylabel=say("questions"))
