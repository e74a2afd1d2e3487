"""Knowledge bases on the page: which one is open, new ones, other names, deletion."""

from __future__ import annotations

import streamlit as st

from rag import kbs as whole
from rag.errors import RagError
from ui import following, frame
from ui.markup import inline
from ui.resources import errors_shown
from ui.session import Session


def chooser(session: Session) -> None:
    """The open knowledge base, in the sidebar, where there is a choice."""
    known = session.kbs()
    if len(known) < 2:
        return
    say = session.say
    st.session_state["kb-choice"] = session.kb
    st.selectbox(
        say("knowledge_base"), known, key="kb-choice", on_change=lambda: frame.choose_kb(st.session_state["kb-choice"])
    )


def menu(session: Session) -> None:
    """New, rename, delete: for admins."""
    if not session.user.admin:
        return
    say = session.say
    with st.popover(inline(session.kb, 30), icon=":material/database:", key="kb-menu", help=say("kb_manage")):
        if st.button(say("kb_new"), key="kb-new", icon=":material/add:", type="tertiary"):
            _create(session)
        if st.button(say("kb_rename"), key="kb-rename", icon=":material/edit:", type="tertiary"):
            _rename(session)
        if st.button(say("kb_delete"), key="kb-delete", icon=":material/delete:", type="tertiary"):
            _delete(session)


def _create(session: Session) -> None:
    say, home = session.say, session.services.settings.home

    @st.dialog(say("kb_new"))
    def ask() -> None:
        name = st.text_input(say("kb_name"), key="kb-new-name", max_chars=100)
        if st.button(say("kb_create"), key="kb-create") and name.strip():
            with errors_shown():
                whole.create_kb(home, name.strip(), session.user)
                frame.choose_kb(name.strip())
                st.rerun()

    ask()


def _rename(session: Session) -> None:
    say = session.say

    @st.dialog(say("kb_rename"))
    def ask() -> None:
        name = st.text_input(say("kb_name"), session.kb, key="kb-other-name", max_chars=100)
        if st.button(say("kb_rename"), key="kb-save-name") and name.strip() not in ("", session.kb):
            with errors_shown():
                rename(session, name.strip())
                st.rerun()

    ask()


def rename(session: Session, name: str) -> None:
    """Call the open knowledge base otherwise; folders that are followed are followed again afterwards."""
    services = session.services
    if follower := services.followers.pop(session.kb, None):
        follower.stop()
    try:
        whole.rename_kb(services.settings.home, session.kb, name, session.user)
    except RagError:
        following.follow(services, session.kb)
        raise
    frame.choose_kb(name)
    following.follow(services, name)


def _delete(session: Session) -> None:
    say, services = session.say, session.services

    @st.dialog(say("kb_delete"))
    def ask() -> None:
        with session.store() as store:
            documents = store.counts()[0]
        st.markdown(say("kb_delete_sure", name=f"**{inline(session.kb)}**", count=documents))
        typed = st.text_input(say("kb_type_name"), key="kb-typed")
        if st.button(say("kb_delete"), key="kb-sure", disabled=typed.strip() != session.kb):
            with errors_shown():
                if follower := services.followers.pop(session.kb, None):
                    follower.stop()
                whole.delete_kb(services.settings.home, session.kb, session.user)
                services.ingests.pop(session.kb, None)
                frame.choose_kb("")
                st.rerun()

    ask()
