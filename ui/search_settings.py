"""How passages are found and when an answer is given, with a preview on the last question before anything is saved."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from rag.settings import Settings
from rag.types import Retrieval
from ui import saving as page
from ui.markup import inline
from ui.session import Session
from ui.text import Say
from ui.viewer import source_line


def panel(session: Session) -> None:
    """Sliders for search and strictness, what they would change, and saving."""
    say, now, decided = session.say, session.services.settings, page.overridden()

    def fixed(name: str) -> bool:
        return name in decided

    k = st.slider(say("k"), 1, 12, now.retrieval.k, help=say("k_help"), disabled=fixed("retrieval.k"), key="set-k")
    weight = st.slider(
        say("lexical_weight"), 0.0, 2.0, now.retrieval.lexical_weight, 0.1, help=say("lexical_weight_help"),
        disabled=fixed("retrieval.lexical_weight"), key="set-weight",
    )  # fmt: skip
    strictness = st.slider(
        say("strictness"), 0.0, 1.0, now.answers.strictness, 0.05, help=say("strictness_help"),
        disabled=fixed("answers.strictness"), key="set-strictness",
    )  # fmt: skip
    styles = _styles()
    style = st.selectbox(
        say("style"), styles, styles.index(now.prompt.style) if now.prompt.style in styles else 0, help=say("style_help"),
        disabled=fixed("prompt.style") or bool(now.prompt.file), key="set-style",
    )  # fmt: skip
    wanted = replace(
        now,
        retrieval=replace(now.retrieval, k=k, lexical_weight=round(weight, 2)),
        answers=replace(now.answers, strictness=round(strictness, 2)),
        prompt=replace(now.prompt, style=style),
    )
    if st.button(say("save"), key="save-search", disabled=wanted == now):
        page.save(
            session,
            {
                "retrieval.k": k,
                "retrieval.lexical_weight": wanted.retrieval.lexical_weight,
                "answers.strictness": wanted.answers.strictness,
                "prompt.style": style,
            },
        )
    _preview(session, now, wanted)


def _styles() -> list[str]:
    from rag.styles import style_names

    return style_names()


def _preview(session: Session, now: Settings, wanted: Settings) -> None:
    say = session.say
    st.markdown(f"**{say('preview')}**")
    question = st.text_input(say("preview_question"), _last_question(session), key="preview-question", max_chars=4000)
    with session.store() as store:
        empty = not store.counts()[0]
    if not question.strip() or empty or session.services.missing_models():
        return
    # Loading the embedder takes seconds: not for everybody who only looks at the page.
    if not session.services.can_search and not st.button(say("preview_show"), key="preview-show"):
        return
    with st.spinner(say("searching")):
        pipeline = session.searcher()
        found = [(settings, pipeline.under(settings).retrieve(question.strip())) for settings in (now, wanted)]
    for column, heading, (settings, retrieval) in zip(
        st.columns(2), (say("as_now"), say("as_set")), found if wanted != now else found[:1], strict=False
    ):
        with column:
            st.caption(heading)
            _found(retrieval, settings, say)


def _found(retrieval: Retrieval, settings: Settings, say: Say) -> None:
    share = f"{retrieval.answerable:.0%}"
    if retrieval.refusal:
        st.markdown(f":orange-badge[:material/do_not_disturb_on: {say('would_refuse', share=share)}]")
    elif retrieval.answerable >= settings.answers.strictness:
        st.markdown(f":green-badge[:material/check: {say('would_answer', share=share)}]")
    else:
        st.markdown(f":gray-badge[:material/balance: {say('draft_decides', share=share)}]")
    for number, passage in enumerate(retrieval.passages, 1):
        st.markdown(f"{number}. {source_line(passage, say)}")
        st.caption(inline(passage.chunk.text, 110))


def _last_question(session: Session) -> str:
    """The last thing that this user asked, in whichever conversation."""
    conversations = session.conversations()
    for conversation in conversations.all()[:1]:
        asked = [message.content for message in conversations.messages(conversation.id) if message.role == "user"]
        return asked[-1] if asked else ""
    return ""
