"""What stands around every page: the knowledge base and the language, which stay in the page's address."""

from __future__ import annotations

import streamlit as st

from rag.access import User
from rag.errors import AccessError
from rag.types import Language
from ui.resources import Services
from ui.session import Session
from ui.text import NAMES, Say, language_of

LANGUAGE, KB = "lang", "kb"  # in the page's address


def chosen_language() -> Language:
    """The language of the address or of this session, else the browser's."""
    wanted = st.query_params.get(LANGUAGE) or st.session_state.get("language")
    chosen = next((language for language in NAMES if language == wanted), None)
    if chosen is None:
        return language_of(st.context.locale)
    choose_language(chosen)
    return chosen


def choose_language(language: Language) -> None:
    """Use a language from now on, whatever the browser's is."""
    st.session_state["language"] = language
    st.query_params[LANGUAGE] = language


def language_switch(say: Say, *, key: str, visible: bool = False) -> None:
    """Let the reader choose the page's language; the choice stays in the address, so that a reload keeps it."""
    st.session_state[key] = say.language
    st.segmented_control(
        say("language"),
        list(NAMES),
        format_func=lambda language: NAMES[language],
        key=key,
        required=True,
        on_change=lambda: choose_language(st.session_state[key]),
        label_visibility="visible" if visible else "collapsed",
    )


def enter_kb(services: Services, user: User, say: Say) -> Session:
    """The session in the knowledge base of the address or of this session, else the first that the user may ask."""
    known = Session(services, user, say, services.settings.kb).kbs() if user.admin else sorted(user.kbs)
    if not known:
        raise AccessError(say("nothing_shared"))
    wanted = st.query_params.get(KB) or st.session_state.get("kb")
    if wanted not in known:
        wanted = services.settings.kb if services.settings.kb in known else known[0]
    return Session(services, user, say, wanted)


def choose_kb(kb: str) -> None:
    """Go to a knowledge base, on every page of this session."""
    st.session_state["kb"] = kb
    st.query_params[KB] = kb
