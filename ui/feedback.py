"""What can be done with an answer: say whether it was right and what would be, copy it, keep its question for measuring."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from evaluation.collected import collect, learned
from evaluation.dataset import Question
from rag.conversations import Message
from rag.export import answer_text
from ui.session import Session

_THUMBS = {-1: 0, 1: 1}  # how st.feedback counts them


def row(session: Session, messages: Sequence[Message], number: int) -> None:
    """Thumbs, a copy, and the question set, for the answer of this number."""
    message, say = messages[number], session.say
    if message.answer is None:
        return
    key = f"thumbs-{message.id}"
    st.session_state[key] = _THUMBS.get(message.rating)
    st.feedback("thumbs", key=key, on_change=partial(_rate, session, message, key))
    with st.popover(say("copy"), icon=":material/content_copy:", type="tertiary", key=f"copy-{message.id}"):
        st.code(answer_text(message.answer), language=None, wrap_lines=True)
    question = learned(messages, number) if session.user.may_change(session.kb) else None
    if question:
        label = say("collect")
        if st.button(label, key=f"collect-{message.id}", icon=":material/playlist_add:", type="tertiary"):
            _collect(session, question)


def correction(session: Session, messages: Sequence[Message], number: int) -> None:
    """What the answer should have been, asked of whoever put a thumb down."""
    message, say = messages[number], session.say
    if message.answer is None or message.rating != -1:
        return
    key = f"correction-{message.id}"
    st.text_area(
        say("correction"),
        message.correction,
        key=key,
        max_chars=4000,
        on_change=partial(_correct, session, message, key),
    )


def _rate(session: Session, message: Message, key: str) -> None:
    chosen = st.session_state[key]
    rating = 0 if chosen is None else (1 if chosen else -1)
    session.conversations().rate(message.id, rating, message.correction if rating == -1 else "")


def _correct(session: Session, message: Message, key: str) -> None:
    session.conversations().rate(message.id, -1, st.session_state[key])
    st.toast(session.say("correction_kept"), icon=":material/check:")


def _collect(session: Session, question: Question) -> None:
    """Keep the question with what is known to be right."""
    added = collect(session.services.settings.home, session.kb, question)
    st.toast(session.say("collected" if added else "collected_before"), icon=":material/check:")
