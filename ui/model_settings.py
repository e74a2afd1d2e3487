"""The models: which one answers and which one finds, tried before they are set, with what a change costs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from rag.errors import StoreError
from rag.settings import EmbeddingSettings, LLMSettings
from rag.trial import Trial, try_model
from ui import saving as page
from ui.jobs import Job
from ui.markup import inline, plain
from ui.privacy import goes_to
from ui.session import Session
from ui.text import Say

BUILTIN_LLM, BUILTIN_EMBEDDER = "builtin:qwen2.5-1.5b", "builtin:multilingual-e5-small"
POLL = 0.5
SPEED = 20.0  # passages a second that a laptop embeds with the built-in model, for the estimate
_TURN = "key-turn"  # in the session
_KINDS = ("builtin", "file", "address")


def answering(session: Session) -> None:
    """Choose the model that answers, try it, save it."""
    say, now, decided = session.say, session.services.settings.llm, page.overridden()
    kind = _kind(say, now.remote, now.model == BUILTIN_LLM, key="llm-kind")
    wanted = _wanted(session, now, kind, decided)
    st.caption(_where(wanted.base_url, say))
    with st.container(horizontal=True):
        if st.button(say("try_model"), icon=":material/network_check:", key="try-model"):
            session.services.trial = Job(_tried(wanted), None)
            st.rerun()
        if st.button(say("save"), key="save-model"):
            _forget_keys()
            page.save(session, _changes(wanted, now))
    if (job := session.services.trial) is not None:
        _told(job, say) if job.done else _trying(job, say)


def _kind(say: Say, remote: bool, builtin: bool, *, key: str) -> str:
    present = "address" if remote else "builtin" if builtin else "file"
    chosen = st.segmented_control(
        say("model_kind"), _KINDS, default=present, format_func=lambda kind: say(f"kind_{kind}"), key=key, required=True
    )
    return str(chosen or present)


def _wanted(session: Session, now: LLMSettings, kind: str, decided: set[str]) -> LLMSettings:
    """The model that the form describes; a stored key is part of it only where the address is the stored one."""
    say = session.say
    if kind == "builtin":
        return replace(now, model=BUILTIN_LLM, base_url="", api_key="")
    here = now.model if now.remote == (kind == "address") and now.model != BUILTIN_LLM else ""
    if kind == "file":
        model = st.text_input(
            say("model_file"), here, help=say("model_file_help"), disabled="llm.model" in decided, key="llm-file"
        )
        return replace(now, model=model.strip() or now.model, base_url="", api_key="")
    address = st.text_input(
        say("model_address"), now.base_url, placeholder="http://127.0.0.1:11434/v1", disabled="llm.base_url" in decided,
        key="llm-address",
    )  # fmt: skip
    model = st.text_input(
        say("model_name"), here, placeholder="qwen3:8b", disabled="llm.model" in decided, key="llm-name"
    )
    same = address.strip() == now.base_url
    key = _key(say, stored=bool(now.api_key) and same, fixed="llm.api_key" in decided, name="llm-key")
    return replace(
        now, base_url=address.strip(), model=model.strip() or now.model, api_key=key or (now.api_key if same else "")
    )


def _key(say: Say, *, stored: bool, fixed: bool, name: str) -> str:
    """A key that is typed; one that is stored never comes back to the page."""
    if fixed:
        st.caption(f":material/key: {say('key_from_environment')}")
        return ""
    hint = say("key_stored") if stored else say("key_none")
    name = f"{name}-{st.session_state.setdefault(_TURN, 0)}"
    return st.text_input(
        say("key"), type="password", placeholder=hint, help=say("key_help"), key=name, autocomplete="off"
    )


def _forget_keys() -> None:
    """Empty boxes for keys: what was typed is saved, and goes back to no page."""
    st.session_state[_TURN] += 1


def _changes(wanted: LLMSettings, now: LLMSettings) -> page.Changes:
    """What is to be written; a changed address takes the stored key with it."""
    changes: page.Changes = {
        "llm.model": wanted.model,
        "llm.base_url": wanted.base_url or None,
    }
    if wanted.api_key != now.api_key or wanted.base_url != now.base_url:
        changes["llm.api_key"] = wanted.api_key or None
    return changes


def _where(address: str, say: Say) -> str:
    return {
        "here": f":green[:material/lock:] {say('where_here')}",
        "near": f":green[:material/computer:] {say('where_near')}",
        "away": f":orange[:material/cloud_upload:] {say('where_away')}",
    }[goes_to(address)]


def _tried(wanted: LLMSettings) -> Callable[[Callable[[Trial | None], None], threading.Event], None]:
    return lambda report, stop: report(try_model(wanted))


@st.fragment(run_every=POLL)
def _trying(job: Job[Trial | None], say: Say) -> None:
    if job.done:
        st.rerun()
    st.caption(f":material/hourglass_top: {say('trying')}")


def _told(job: Job[Trial | None], say: Say) -> None:
    if job.error or job.failed:
        st.error(plain(job.error or say("unexpected")), icon=":material/error:")
    elif job.progress is not None:
        found = job.progress
        key = "tried_here" if found.first is None else "tried"
        first = "" if found.first is None else f"{found.first:.1f}"
        st.success(
            say(key, said=inline(found.said, 120), first=first, seconds=f"{found.seconds:.1f}"), icon=":material/check:"
        )


def embedding(session: Session) -> None:
    """Choose the model that finds passages; what is stored has to be embedded anew for another one."""
    say, now, decided = session.say, session.services.settings.embedding, page.overridden()
    with st.form("embedding-form"):
        model = st.text_input(
            say("embedding_name"), now.model, help=say("embedding_help"), disabled="embedding.model" in decided
        )
        address = st.text_input(
            say("embedding_address"), now.base_url, placeholder="http://127.0.0.1:11434/v1",
            disabled="embedding.base_url" in decided,
        )  # fmt: skip
        key = _key(say, stored=bool(now.api_key), fixed="embedding.api_key" in decided, name="embedding-key")
        st.caption(_cost(session))
        if st.form_submit_button(say("save")):
            _forget_keys()
            page.save(session, _embedding_changes(model.strip(), address.strip(), key, now))
    _reembed(session)


def _embedding_changes(model: str, address: str, key: str, now: EmbeddingSettings) -> page.Changes:
    changes: page.Changes = {
        "embedding.model": model or BUILTIN_EMBEDDER,
        "embedding.base_url": address or None,
    }
    if key or address != now.base_url:
        changes["embedding.api_key"] = key or None
    return changes


def _cost(session: Session) -> str:
    """How much has to be embedded anew for another model, and about how long that takes."""
    with session.store() as store:
        passages = sum(store.beside(kb).counts()[1] for kb in store.kbs())
    return session.say("embedding_cost", passages=passages, minutes=max(1, round(passages / SPEED / 60)))


def _reembed(session: Session) -> None:
    """Embed the present knowledge base for the embedder that is set, where it was made with another."""
    say, job = session.say, session.services.reembed
    if job is not None and not job.done:
        _reembedding(job, say)
        return
    if job is not None and job.error and not job.stopping:
        st.error(plain(job.error), icon=":material/error:")
    if st.button(say("reembed"), icon=":material/autorenew:", key="reembed", help=say("reembed_help")):
        session.services.reembed = Job(_reembedded(session), (0, 0, None))
        st.rerun()


def _reembedded(
    session: Session,
) -> Callable[[Callable[[tuple[int, int, float | None]], None], threading.Event], None]:
    from rag.reembed import Progress, reembed

    def work(report: Callable[[tuple[int, int, float | None]], None], stop: threading.Event) -> None:
        def tell(progress: Progress) -> None:
            report((progress.done, progress.total, progress.left))
            if stop.is_set():
                raise StoreError(session.say("reembed_stopped"))

        with session.store() as store:
            reembed(store, session.services.embedder(), tell)

    return work


@st.fragment(run_every=POLL)
def _reembedding(job: Job[tuple[int, int, float | None]], say: Say) -> None:
    if job.done:
        st.rerun()
    done, total, left = job.progress
    minutes = "" if left is None else f" · {int(left) // 60}:{int(left) % 60:02d}"
    st.progress(done / total if total else 0.0, text=f"{say('reembedding')} {done} / {total}{minutes}")
    st.button(say("stop"), key="stop-reembed", on_click=job.stop, disabled=job.stopping, icon=":material/stop:")
