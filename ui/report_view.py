"""A report inside the page: metrics with their intervals, plots, questions, and what changed since another one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair
import streamlit as st

from evaluation.compare import Comparison, compare
from evaluation.kept import read
from evaluation.page import as_html
from evaluation.words import METRICS, number
from ui.markup import inline, plain
from ui.session import Session
from ui.text import Say

alt: Any = altair  # its own types say too little
ROWS = 10  # questions on a page of the list
HEIGHT = 26  # pixels a bar
GREEN, AMBER = "#3c9a7d", "#d9912b"  # seen on a light and on a dark ground
_NO_SHARE = ("seconds", "first_token", "tokens")


def draw(session: Session, path: Path, others: Sequence[Path]) -> None:
    """One report, and beside it whichever other one is chosen."""
    say, report = session.say, read(path)
    if report.get("partial"):
        st.warning(say("partial_report"), icon=":material/info:")
    tabs = st.tabs([say(name) for name in ("metrics", "plots", "questions", "compare")])
    with tabs[0]:
        _metrics(report["metrics"], say)
        st.caption(inline(_made_with(report, say), 400))
        _downloads(session, path, say)
    with tabs[1]:
        _plots(report, session)
    with tabs[2]:
        _questions(report, say)
    with tabs[3]:
        _compare(report, others, say)


def _metrics(metrics: Mapping[str, Any], say: Say) -> None:
    rows = [
        {
            say("metric"): name,
            say("value"): number(name, measure["value"]),
            "95 %": f"{number(name, measure['low'])} – {number(name, measure['high'])}",
            "n": measure["n"],
            say("meaning"): say(f"metric_{name}") if name in METRICS else "",
        }
        for name, measure in metrics.items()
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height="content", key="metrics-table")


def _made_with(report: Mapping[str, Any], say: Say) -> str:
    models = ", ".join(f"{kind} {name}" for kind, name in report.get("models", {}).items())
    return say("made_with", count=len(report["questions"]), models=models)


def _downloads(session: Session, path: Path, say: Say) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "JSON", lambda: path.read_bytes(), path.name, "application/json", key="report-json",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "HTML", lambda: as_html(read(path), say.language), f"{path.stem}.html", "text/html", key="report-html",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        if st.button(say("delete_report"), key="delete-report", icon=":material/delete:", type="tertiary"):
            path.unlink(missing_ok=True)
            st.rerun()


# Plots


def _plots(report: Mapping[str, Any], session: Session) -> None:
    say = session.say
    shares = {name: m for name, m in report["metrics"].items() if not name.startswith(_NO_SHARE)}
    st.markdown(f"**{say('plot_intervals')}**")
    st.altair_chart(intervals(shares, say), key="plot-intervals")
    if curve := report.get("risk_coverage"):
        st.markdown(f"**{say('plot_risk')}**")
        st.caption(say("plot_risk_about"))
        st.altair_chart(risk(curve, float(report["settings"]["answers"]["strictness"]), say), key="plot-risk")
    sliced = {name: parts for name, parts in report.get("slices", {}).items() if len(parts) > 1}
    if sliced:
        st.markdown(f"**{say('plot_slices')}**")
        field = st.selectbox(say("slice"), list(sliced), key="slice") if len(sliced) > 1 else next(iter(sliced))
        st.altair_chart(by_slice(sliced[field], say), key="plot-slices")
    seconds = [question["seconds"] for question in report["questions"] if question.get("seconds")]
    if seconds:
        st.markdown(f"**{say('plot_seconds')}**")
        st.altair_chart(latency(seconds, say), key="plot-seconds")


def intervals(metrics: Mapping[str, Any], say: Say) -> Any:
    """A bar a metric with its 95 % interval."""
    rows = [{"name": name, **{key: m[key] for key in ("value", "low", "high")}} for name, m in metrics.items()]
    share = alt.Scale(domain=[0, 1])
    names = alt.Y("name:N", sort=list(metrics), title=None, axis=alt.Axis(labelLimit=200, labelOverlap=False))
    base = alt.Chart(alt.Data(values=rows)).encode(y=names)
    bars = base.mark_bar(opacity=0.6, color=GREEN).encode(x=alt.X("value:Q", scale=share, title=say("value")))
    lines = base.mark_rule(strokeWidth=2.5, color=AMBER).encode(x=alt.X("low:Q", scale=share), x2="high:Q")
    return (bars + lines).properties(height=HEIGHT * max(1, len(rows)))


def risk(curve: Sequence[Mapping[str, float]], strictness: float, say: Say) -> Any:
    """What each strictness would have refused rightly and wrongly; the present one is marked."""
    kinds = {"refusal_recall": say("refused_rightly"), "false_refusal_rate": say("refused_wrongly")}
    rows = [
        {"strictness": point["strictness"], "share": point[name], "kind": kind}
        for point in curve
        for name, kind in kinds.items()
    ]
    lines = (
        alt.Chart(alt.Data(values=rows))
        .mark_line()
        .encode(
            x=alt.X("strictness:Q", title=say("strictness")),
            y=alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("kind:N", title=None, legend=alt.Legend(orient="bottom", labelLimit=300)),
        )
    )
    now = (
        alt.Chart(alt.Data(values=[{"strictness": strictness}]))
        .mark_rule(strokeDash=[4, 4], color=AMBER)
        .encode(x="strictness:Q")
    )
    return (lines + now).properties(height=280)


def by_slice(parts: Mapping[str, Mapping[str, Any]], say: Say) -> Any:
    """The headline metrics of each part of the set."""
    wanted = ("hit@1", "hit@5", "gold_contained", "cited_right", "refusal_recall")
    rows = [
        {"part": part, "metric": name, "value": measures[name]["value"]}
        for part, measures in parts.items()
        for name in wanted
        if name in measures
    ]
    chart = alt.Chart(alt.Data(values=rows)).mark_bar(color=GREEN)
    return chart.encode(
        y=alt.Y("part:N", title=None, axis=alt.Axis(labelLimit=200)),
        x=alt.X("value:Q", title=say("value"), scale=alt.Scale(domain=[0, 1])),
        row=alt.Row("metric:N", title=None, header=alt.Header(labelAngle=0, labelAlign="left"), sort=list(wanted)),
    ).properties(height=HEIGHT * max(1, len(parts)))


def latency(seconds: Sequence[float], say: Say) -> Any:
    """How many questions took how long."""
    chart = alt.Chart(alt.Data(values=[{"seconds": value} for value in seconds])).mark_bar(color=GREEN)
    return chart.encode(
        x=alt.X("seconds:Q", bin=alt.Bin(maxbins=30), title=say("seconds")), y=alt.Y("count()", title=say("questions"))
    ).properties(height=200)


# Questions


def _questions(report: Mapping[str, Any], say: Say) -> None:
    """The questions of one kind: all that failed, those that went wrong at one step, or all."""
    steps, questions = report.get("steps", {}), report["questions"]
    kinds = ["failed", *(steps if len(steps) > 1 else ()), "all"]
    counts = {"failed": sum(question["failed"] for question in questions), "all": len(questions), **steps}
    kind = st.pills(
        say("show"), kinds, default="failed", key="show-questions", label_visibility="collapsed", required=True,
        format_func=lambda kind: f"{say(f'step_{kind}' if kind in steps else f'show_{kind}')} {counts[kind]}",
    )  # fmt: skip
    if kind in steps:
        st.caption(say(f"about_step_{kind}"))
    found = [q for q in questions if kind == "all" or (q["failed"] if kind == "failed" else q.get("step") == kind)]
    if not found:
        st.caption(say("no_such_question"))
    pages = -(-len(found) // ROWS)
    number = st.pagination(pages, key=f"questions-page-{kind}-{pages}") if pages > 1 else 1
    for question in found[(number - 1) * ROWS : number * ROWS]:
        _question(question, say)


def _question(question: Mapping[str, Any], say: Say) -> None:
    with st.container(border=True, gap="xxsmall"):
        step = f" :orange-badge[{say('step_' + question['step'])}]" if question.get("step") else ""
        st.markdown(f"**{inline(question['question'], 300)}**{step}")
        wanted = " | ".join(question["answers"][:3]) or ", ".join(question["relevant"])
        st.caption(f"{say('wanted')}: {inline(wanted, 200) if question['answerable'] else say('unanswerable')}")
        if question["answer"] is not None:
            st.markdown(plain(question["answer"]))
        if question["reason"] or question["error"]:
            st.caption(inline(question["reason"] or question["error"], 300))
        st.caption(f"{say('found')}: {inline(', '.join(question['found'][:3]) or '–', 300)}")


# Another report


def _compare(report: Mapping[str, Any], others: Sequence[Path], say: Say) -> None:
    if not others:
        st.caption(say("no_other_report"))
        return
    other = st.selectbox(say("compare_with"), others, format_func=lambda path: path.stem, key="compare-with")
    found = compare(read(other), report)
    if not found.differences:
        st.info(say("not_comparable"), icon=":material/info:")
        return
    if found.alone:
        st.caption(say("alone", count=found.alone))
    st.dataframe(differences(found, say), hide_index=True, width="stretch", height="content", key="differences")
    if found.blamed and "" not in found.blamed:
        counted = (f"{say(f'step_{step}')} {count}" for step, count in found.blamed.items())
        st.caption(say("lost_at", steps=" · ".join(counted)))
    for heading, changes in ((say("got_worse"), found.lost), (say("got_better"), found.won)):
        if changes:
            with st.expander(f"{heading} ({len(changes)})"):
                for change in changes[:100]:
                    st.markdown(f"- {inline(change.question, 300)}")
    if found.settings:
        st.markdown(f"**{say('set_otherwise')}**")
        for name, before, after in found.settings:
            st.caption(
                inline(
                    f"{name}: {json.dumps(before, ensure_ascii=False)} → {json.dumps(after, ensure_ascii=False)}", 300
                )
            )


def differences(found: Comparison, say: Say) -> list[dict[str, object]]:
    """A row a metric: before, after, the difference with its interval, and what that means."""
    verdicts = {1: say("better"), -1: say("worse"), 0: say("level")}
    return [
        {
            say("metric"): d.metric,
            say("before"): f"{d.before:.3f}",
            say("after"): f"{d.after:.3f}",
            say("difference"): f"{d.after - d.before:+.3f} [{d.low:+.3f}, {d.high:+.3f}]",
            say("luck"): f"{d.p:.3f}",
            "n": d.n,
            say("verdict"): verdicts[d.verdict],
        }
        for d in found.differences
    ]
