"""The first page of a new installation: what will be downloaded, how large it is, from where, and how far it is."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import ModelError
from rag.settings import cache
from ui.jobs import Job
from ui.markup import inline, plain
from ui.session import Session
from ui.text import Say

if TYPE_CHECKING:
    from rag.models import Builtin, PullProgress

POLL = 0.5  # seconds between two looks at a download


def page(session: Session) -> None:
    """Draw the page that fetches the built-in models; once they are here, the page asked for is drawn instead."""
    say = session.say
    from rag.models import builtin, is_present

    st.title(say("welcome"), anchor=False)
    st.markdown(say("models_needed"))
    models = [builtin(name) for name in session.services.builtin_models()]
    wanted = [model for model in models if not is_present(model.name)]
    job = session.services.pull
    if job is not None and not job.done:
        _downloading(job, models, say)
        return
    if not session.user.admin:
        st.info(say("models_by_admin"), icon=":material/info:")
        return
    for model in models:
        with st.container(border=True):
            _model(model, say, have=model not in wanted)
    st.caption(f":material/deployed_code: {say('from_index')}")
    st.caption(f":material/hard_drive: {say('free_space', size=_size(_free(), say))}")
    failed = job is not None and bool(job.error or job.failed) and not job.stopping
    if job is not None and job.stopping:
        st.info(say("download_stopped"), icon=":material/info:")
    elif job is not None and failed:
        st.error(plain(job.error or say("unexpected")), icon=":material/error:")
    size = _size(sum(model.download for model in wanted), say)
    label = say("try_again") if failed else say("download", size=size)
    if st.button(label, icon=":material/download:", key="download"):
        session.services.pull = start_pull([model.name for model in wanted])
        st.rerun()
    st.caption(say("other_ways"))


def _free() -> int:
    """Bytes free where the models will lie."""
    place = cache()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def start_pull(names: list[str]) -> Job[Mapping[str, PullProgress]]:
    """Fetch models one after the other in the background; a model that broke off goes on where it was."""
    from rag.models import pull

    def work(report: Callable[[Mapping[str, PullProgress]], None], stop: threading.Event) -> None:
        seen: dict[str, PullProgress] = {}

        def note(progress: PullProgress) -> None:
            seen[progress.name] = progress
            report(dict(seen))
            if stop.is_set():
                raise ModelError("The download was stopped.")

        for name in names:
            pull(name, note)

    return Job(work, {})


@st.fragment(run_every=POLL)
def _downloading(job: Job[Mapping[str, PullProgress]], models: list[Builtin], say: Say) -> None:
    if job.done:
        st.rerun()
    for model in models:
        with st.container(border=True):
            progress = job.progress.get(model.name)
            _model(model, say, have=False, badge=progress is None)
            if progress is not None:
                share = progress.done / progress.total if progress.total else 0.0
                st.progress(min(share, 1.0), text=_detail(progress, job.started, say))
    st.button(
        say("stopping" if job.stopping else "stop"), key="stop-download", on_click=job.stop, disabled=job.stopping,
        icon=":material/stop:",
    )  # fmt: skip


def _detail(progress: PullProgress, started: float, say: Say) -> str:
    """How much is here, and about how long the rest takes at the speed so far."""
    told = f"{_size(progress.done, say)} / {_size(progress.total, say)}"
    seconds = time.monotonic() - started
    if not 0 < progress.done < progress.total or seconds < 5:
        return told
    left = seconds / progress.done * (progress.total - progress.done)
    return f"{told} · {say('adding_left', left=f'{int(left) // 60}:{int(left) % 60:02d}')}"


def _model(model: Builtin, say: Say, *, have: bool, badge: bool = True) -> None:
    role = "role_llm" if str(model.path).endswith(".gguf") else "role_embedder"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{inline(model.name)}** · {say(role)}", width="stretch")
        if badge:
            st.badge(say("have") if have else say("missing"), color="green" if have else "gray", width="content")
    st.caption(f"{inline(model.title)} · {_size(model.download, say)} · {inline(model.licence)}")


def _size(size: int, say: Say) -> str:
    if size >= 1_000_000_000:
        return say("gigabytes", size=f"{size / 1e9:.1f}")
    return say("megabytes", size=f"{size / 1e6:.0f}")
