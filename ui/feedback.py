"""What can be done with an answer: say whether it was right and what would be, copy it, keep its question for measuring."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from evaluation.collected import collect
from rag.conversations import Message, history
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
    asked = number > 0 and messages[number - 1].role == "user"
    if asked and session.user.may_change(session.kb) and _is_known(message):
        label = say("collect")
        if st.button(label, key=f"collect-{message.id}", icon=":material/playlist_add:", type="tertiary"):
            _collect(session, messages, number)


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


def _is_known(message: Message) -> bool:
    """Whether anything is known to be right of an answer: its sources, its refusal, or what the reader says."""
    answer = message.answer
    trusted = answer is not None and message.rating != -1 and (answer.refused or bool(answer.citations))
    return trusted or bool(message.correction)


def _collect(session: Session, messages: Sequence[Message], number: int) -> None:
    """Keep the question with what is known to be right: a correction, else the words that were quoted."""
    message, say = messages[number], session.say
    answer = message.answer
    assert answer is not None
    trusted = () if message.rating == -1 else answer.citations
    added = collect(
        session.services.settings.home,
        session.kb,
        messages[number - 1].content,
        answers=[message.correction] if message.correction else [" ".join(c.quote.split()) for c in trusted],
        relevant=list(dict.fromkeys(citation.passage.chunk.document for citation in trusted)),
        answerable=bool(message.correction) or not answer.refused,
        history=history(list(messages[: number - 1])),
    )
    st.toast(say("collected" if added else "collected_before"), icon=":material/check:")
