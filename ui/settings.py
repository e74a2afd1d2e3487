"""The settings page: which models answer, where text goes, where the data lies."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from rag.llm import shown_address
from rag.settings import CONFIG_NAME
from rag.types import Language
from ui.markup import inline
from ui.resources import Services
from ui.text import NAMES, Say

PARAMETER = "lang"


def page(services: Services, say: Say) -> None:
    """Draw the settings page."""
    settings = services.settings
    st.title(say("settings"), anchor=False)
    with st.container(border=True):
        _fact(say("answering_model"), settings.llm.model)
        _fact(say("embedding_model"), settings.embedding.model)
    with st.container(border=True):
        remote = settings.llm.remote
        icon = ":orange[:material/cloud_upload:]" if remote else ":green[:material/lock:]"
        shown = shown_address(settings.llm.base_url)
        address = inline(urlsplit(shown).netloc or shown)
        st.caption(say("privacy"))
        st.markdown(f"{icon} " + (say("privacy_remote", address=f"**{address}**") if remote else say("privacy_local")))
    with st.container(border=True):
        _fact(say("home"), str(settings.home.resolve()))
        _fact(say("knowledge_base"), settings.kb)
        st.caption(say("change_settings", file=inline(str(settings.home.resolve() / CONFIG_NAME))))
    with st.container(border=True):
        language_switch(say, key="language-settings", visible=True)


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


def choose_language(language: Language) -> None:
    """Use a language from now on, whatever the browser's is."""
    st.session_state["language"] = language
    st.query_params[PARAMETER] = language


def _fact(label: str, value: str) -> None:
    st.caption(label)
    st.markdown(inline(value, 400))
