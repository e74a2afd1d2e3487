"""The settings page: which models answer, where text goes, where the data lies."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from rag.llm import shown_address
from rag.settings import CONFIG_NAME
from ui import frame
from ui.markup import inline
from ui.session import Session


def page(session: Session) -> None:
    """Draw the settings page."""
    say = session.say
    settings = session.services.settings
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
        frame.language_switch(say, key="language-settings", visible=True)


def _fact(label: str, value: str) -> None:
    st.caption(label)
    st.markdown(inline(value, 400))
