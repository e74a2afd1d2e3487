"""The settings page: language and theme for everybody; models, search and documents for admins."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from rag.llm import shown_address
from rag.settings import CONFIG_NAME
from ui import frame, model_settings, people, search_settings, theme
from ui.markup import inline
from ui.saving import overridden, save, tell_saved
from ui.session import Session


def page(session: Session) -> None:
    """Draw the settings page, as much of it as the user may see."""
    say = session.say
    st.title(say("settings"), anchor=False)
    tell_saved(session)
    if not session.user.admin:
        _appearance(session)
        _privacy(session)
        return
    names = ("appearance", "answering_model", "embedding_model", "finding", "adding_documents", "people")
    tabs = st.tabs([say(name) for name in names])
    with tabs[0]:
        _appearance(session)
        _privacy(session)
        _places(session)
    with tabs[1]:
        model_settings.answering(session)
    with tabs[2]:
        model_settings.embedding(session)
    with tabs[3]:
        search_settings.panel(session)
    with tabs[4]:
        _documents(session)
    with tabs[5]:
        people.panel(session)


def _appearance(session: Session) -> None:
    with st.container(border=True):
        frame.language_switch(session.say, key="language-settings", visible=True)
        theme.control(session.say)


def _privacy(session: Session) -> None:
    say, settings = session.say, session.services.settings
    with st.container(border=True):
        st.caption(say("privacy"))
        where = {
            say("privacy_remote"): settings.llm.base_url,
            say("privacy_embedding"): settings.embedding.base_url,
        }
        for sentence, address in where.items():
            if address:
                st.markdown(f":orange[:material/cloud_upload:] {sentence} **{_host(address)}**")
        if not any(where.values()):
            st.markdown(f":green[:material/lock:] {say('privacy_local')}")


def _host(address: str) -> str:
    shown = shown_address(address)
    return inline(urlsplit(shown).netloc or shown)


def _places(session: Session) -> None:
    say, settings = session.say, session.services.settings
    with st.container(border=True):
        for label, value in (
            (say("home"), settings.home.resolve()),
            (say("config"), settings.home.resolve() / CONFIG_NAME),
        ):
            st.caption(label)
            st.markdown(inline(str(value), 400))
        if decided := sorted(overridden()):
            st.caption(say("from_environment"))
            st.markdown(inline(", ".join(decided), 800))


def _documents(session: Session) -> None:
    say, now, decided = session.say, session.services.settings.ingest, overridden()

    def fixed(key: str) -> bool:
        return f"ingest.{key}" in decided

    with st.form("documents-form"):
        size = st.number_input(
            say("max_file_mb"),
            1,
            200,
            min(now.max_file_mb, 200),
            help=say("max_file_mb_help"),
            disabled=fixed("max_file_mb"),
        )
        chinese = st.number_input(
            say("chinese_size"), 50, 4000, now.chinese_size, help=say("size_help"), disabled=fixed("chinese_size")
        )
        english = st.number_input(
            say("english_size"), 100, 8000, now.english_size, help=say("size_help"), disabled=fixed("english_size")
        )
        encoding = st.text_input(
            say("encoding"), now.encoding, help=say("encoding_help"), placeholder="gb18030", disabled=fixed("encoding")
        )
        urls = st.toggle(say("allow_urls"), now.allow_urls, help=say("allow_urls_help"), disabled=fixed("allow_urls"))
        if st.form_submit_button(say("save")):
            save(
                session,
                {
                    "ingest.max_file_mb": size,
                    "ingest.chinese_size": chinese,
                    "ingest.english_size": english,
                    "ingest.encoding": encoding.strip(),
                    "ingest.allow_urls": urls,
                },
            )
