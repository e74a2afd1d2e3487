"""The sidebar's list of conversations, and which of them is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import streamlit as st

from rag.export import conversation_markdown
from ui.markup import inline
from ui.resources import errors_shown
from ui.session import Session
from ui.text import Say

if TYPE_CHECKING:
    from rag.conversations import Conversation

PARAMETER = "c"
SHOWN = 40  # conversations listed in the sidebar, newest first
SEARCHED = 5  # conversations before there is something to search


def sidebar(session: Session) -> int | None:
    """Draw the list and return the open conversation's id; None stands for a new one."""
    say = session.say
    everything = session.conversations().all()
    current = _current(everything, say)
    with st.sidebar:
        if st.button(say("new_conversation"), icon=":material/add:", width="stretch", key="new-conversation"):
            open_conversation(None)
            st.rerun()
        listed = _found(session, everything) if len(everything) > SEARCHED else everything
        if everything:
            st.caption(say("conversations"))
        with st.container(gap="xxsmall", key="conversation-list"):
            for conversation in listed[:SHOWN]:
                _row(session, conversation, conversation.id == current)
        if len(listed) > SHOWN:
            st.caption(say("more_conversations", count=len(listed) - SHOWN))
        elif not listed and everything:
            st.caption(say("no_conversation"))
    return current


def _found(session: Session, everything: list[Conversation]) -> list[Conversation]:
    """The conversations that hold the words that are searched for, all where there are none."""
    hint = session.say("search_conversations")
    words = st.text_input(
        hint, key="find-conversation", placeholder=hint, label_visibility="collapsed", icon=":material/search:"
    )
    return session.conversations().search(words.strip()) if words.strip() else everything


def open_conversation(identity: int | None) -> None:
    """Make a conversation the open one, in this session and in the page's address; None opens a new one."""
    st.session_state["conversation"] = identity
    if identity is None:
        st.query_params.pop(PARAMETER, None)
    else:
        st.query_params[PARAMETER] = str(identity)


def _current(everything: list[Conversation], say: Say) -> int | None:
    wanted = st.query_params.get(PARAMETER) or st.session_state.get("conversation")
    if wanted is None:
        return None
    found = next((conversation.id for conversation in everything if str(conversation.id) == str(wanted)), None)
    open_conversation(found)
    if found is None:
        st.toast(say("conversation_gone"), icon=":material/info:")
    return found


def _row(session: Session, conversation: Conversation, is_open: bool) -> None:
    say = session.say
    identity = conversation.id
    with st.container(horizontal=True, gap="xxsmall", wrap=False, vertical_alignment="center", key=f"row-{identity}"):
        title = inline(conversation.title, 40)
        label = f"**{title}**" if is_open else title
        # Stretched, the open one leaves room for its menu however long its title is.
        width: Literal["stretch", "content"] = "stretch" if is_open else "content"
        if st.button(label, key=f"conversation-{identity}", type="tertiary", wrap=False, width=width):
            open_conversation(identity)
            st.rerun()
        if is_open:
            with st.popover(
                "", icon=":material/more_horiz:", type="tertiary", help=say("about_conversation"), key="menu"
            ):
                _menu(session, conversation)


def _menu(session: Session, conversation: Conversation) -> None:
    say = session.say
    if st.button(say("rename"), key="rename", icon=":material/edit:", type="tertiary"):
        _rename(session, conversation)
    st.download_button(
        say("export"), lambda: _exported(session, conversation), f"{_file_name(conversation.title)}.md", "text/markdown",
        key="export", icon=":material/download:", type="tertiary", on_click="ignore",
    )  # fmt: skip
    if st.button(say("delete_conversation"), key="delete", icon=":material/delete:", type="tertiary"):
        _delete(session, conversation)


def _exported(session: Session, conversation: Conversation) -> str:
    messages = session.conversations().messages(conversation.id)
    return conversation_markdown(conversation.title, messages, session.say.language)


def _file_name(title: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else " " for c in title).strip()[:60] or "conversation"


def _rename(session: Session, conversation: Conversation) -> None:
    say = session.say

    @st.dialog(say("rename"))
    def ask() -> None:
        with errors_shown():
            title = st.text_input(say("title"), conversation.title, max_chars=100, key="new-title")
            if st.button(say("save"), key="save-title") and title.strip():
                session.conversations().rename(conversation.id, title.strip())
                st.rerun()

    ask()


def _delete(session: Session, conversation: Conversation) -> None:
    say = session.say

    @st.dialog(say("delete_conversation"))
    def ask() -> None:
        with errors_shown():
            st.markdown(say("delete_conversation_sure", title=inline(conversation.title)))
            if st.button(say("delete"), key="sure"):
                if job := session.services.answers.pop(conversation.id, None):
                    job.stop()
                session.conversations().delete(conversation.id)
                open_conversation(None)
                st.rerun()

    ask()
