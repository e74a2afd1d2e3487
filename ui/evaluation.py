"""The evaluation page: question sets, runs, reports with their plots, and what became better or worse."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from evaluation import report as reports
from evaluation.collected import sets_folder
from evaluation.dataset import Question, drawn, known_names, load, resolve, withheld
from evaluation.kept import keep, kept
from rag.access import User
from rag.errors import AccessError, DatasetError, RagError
from rag.record import versions
from rag.settings import TraceSettings
from ui import question_sets, report_view
from ui.jobs import Job
from ui.markup import inline, plain
from ui.resources import SAMPLES
from ui.session import Session

POLL = 0.5
SAMPLE_SET = SAMPLES.parent / "qa.jsonl"


@dataclass(frozen=True, slots=True)
class Running:
    """How far a run is: ``path`` is its report once it has ended, ``by`` whoever began it."""

    done: int = 0
    total: int = 0
    left: float | None = None
    by: str = ""
    set_name: str = ""
    path: Path | None = None


def page(session: Session) -> None:
    """Draw the evaluation page, for those who may change the knowledge base."""
    say = session.say
    if not session.user.may_change(session.kb):
        raise AccessError("Only curators and admins of this knowledge base measure it.")
    st.title(say("evaluation"), anchor=False)
    st.markdown(say("evaluation_about"))
    chosen = question_sets.choose(session, question_sets_of(session))
    if chosen is not None:
        _run_controls(session, chosen)
    _reports(session)


def question_sets_of(session: Session) -> list[Path]:
    """The sets of the present knowledge base, and the samples' own where those are its documents."""
    own = sorted(sets_folder(session.services.settings.home, session.kb).glob("*.jsonl"))
    with session.store() as store:
        has_samples = str(SAMPLES) in store.roots()
    return [*own, *([SAMPLE_SET] if has_samples else [])]


def _run_controls(session: Session, path: Path) -> None:
    say, job = session.say, session.services.evaluation
    if job is not None and not job.done:
        _progress(job, session)
        return
    if job is not None and (job.error or job.failed):
        st.error(plain(job.error or say("unexpected")), icon=":material/error:")
    try:
        count = len(load(path))
    except DatasetError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    with st.form("run", border=True), st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.number_input(
            say("first_questions"), 1, count, count, help=say("first_questions_help"), key="run-first"
        )
        hidden = st.number_input(say("withhold"), 0, count, 0, help=say("withhold_help"), key="run-withhold")
        answers = st.toggle(say("with_answers"), help=say("with_answers_help"), key="run-answers")
        if st.form_submit_button(say("run"), icon=":material/play_arrow:"):
            start(session, path, int(first), int(hidden), answers)
            st.rerun()


def start(session: Session, path: Path, first: int, hidden: int, answers: bool) -> None:
    """Measure the present knowledge base in the background; raises DatasetError for a set that does not fit it."""
    with session.store() as store:
        names = known_names(store)
    questions = resolve(drawn(load(path), first), names, path)
    questions += withheld(questions, hidden, path)
    said = Running(total=len(questions), by=session.user.name, set_name=path.stem)
    session.services.evaluation = Job(_work(session, questions, said, answers), said)


def _work(
    session: Session, questions: list[Question], said: Running, answers: bool
) -> Callable[[Callable[[Running], None], threading.Event], None]:
    from evaluation.record import Record
    from evaluation.results import Results
    from evaluation.runner import Run, stored_pages

    # One person of its own in the queue at the model, so that people's questions go between.
    measuring = User("evaluation of " + session.user.name, session.user.role, session.user.kbs)

    def work(tell: Callable[[Running], None], stop: threading.Event) -> None:
        services, began = session.services, time.monotonic()
        settings = replace(services.settings, kb=session.kb, trace=TraceSettings(keep=0))
        loaded = services.pipeline() if answers else services.searcher()
        pipeline = loaded.seen_by(measuring, session.kb).under(settings)
        records: list[Record] = []
        with session.store() as store:
            asking = Run(pipeline, stored_pages(store), answers=answers, results=Results(store))
            for done, question in enumerate(questions):
                if stop.is_set():
                    break
                left = (time.monotonic() - began) / done * (len(questions) - done) if done else None
                tell(replace(said, done=done, left=left))
                records.append(asking.ask(question))
        if not records:
            return
        made = reports.evaluation(records, settings, versions(pipeline), asking.reused)
        path = keep(settings.home, session.kb, said.set_name, made, partial=len(records) < len(questions))
        tell(replace(said, done=len(records), path=path))

    return work


@st.fragment(run_every=POLL)
def _progress(job: Job[Running], session: Session) -> None:
    if job.done:
        st.rerun()
    say, step = session.say, job.progress
    parts = [say("running", done=step.done, total=step.total, name=inline(step.set_name, 60))]
    parts += [say("adding_left", left=f"{int(step.left) // 60}:{int(step.left) % 60:02d}")] if step.left else []
    parts += [say("run_by", name=inline(step.by, 40))] if step.by and step.by != session.user.name else []
    st.progress(step.done / step.total if step.total else 0.0, text=" · ".join(parts))
    if session.user.admin or step.by == session.user.name:
        st.button(
            say("stopping" if job.stopping else "stop"), key="stop-run", on_click=job.stop, disabled=job.stopping,
            icon=":material/stop:",
        )  # fmt: skip


def _reports(session: Session) -> None:
    say, found = session.say, kept(session.services.settings.home, session.kb)
    if not found:
        return
    st.markdown(f"### {say('reports')}", anchors=False)
    path = st.selectbox(
        say("report"), found, format_func=lambda path: path.stem, key="report", label_visibility="collapsed"
    )
    try:
        report_view.draw(session, path, [other for other in found if other != path])
    except RagError as error:
        st.error(plain(str(error)), icon=":material/error:")
