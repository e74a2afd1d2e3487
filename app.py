"""The Streamlit entry: page set-up, the address check, language and navigation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from rag.errors import RagError
from rag.serve import is_loopback
from rag.types import Language
from ui import chat, first_run, library, settings
from ui.markup import plain
from ui.resources import Services, errors_shown, services
from ui.text import NAMES, Say, language_of

# A file of our own: a material symbol or emoji here would make the browser fetch it from another host.
ICON = Path(__file__).resolve().parent / "ui" / "icon.svg"


def main() -> None:
    """Draw the page that the address names."""
    say = Say(_language())
    st.set_page_config(page_title=say("app_name"), page_icon=str(ICON), menu_items={"About": say("about")})
    address = st.get_option("server.address")
    if not is_loopback(address or ""):
        st.error(say("refused_address", address=address or say("every_address")), icon=":material/lock:")
        st.stop()
    try:
        shared = services()
    except RagError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.stop()
    _navigate(shared, say)


def _language() -> Language:
    wanted = st.query_params.get(settings.PARAMETER) or st.session_state.get("language")
    chosen = next((language for language in NAMES if language == wanted), None)
    if chosen is None:
        return language_of(st.context.locale)
    settings.choose_language(chosen)
    return chosen


def _navigate(shared: Services, say: Say) -> None:
    def page(draw: Callable[[Services, Say], None], name: str, icon: str, default: bool = False) -> st.Page:
        def run() -> None:
            with errors_shown():
                draw(shared, say)

        return st.Page(run, title=say(name), icon=icon, url_path=name, default=default)

    ready = not shared.missing_models()
    st.navigation(
        [
            page(chat.page if ready else first_run.page, "chat", ":material/forum:", default=True),
            page(library.page if ready else first_run.page, "library", ":material/library_books:"),
            page(settings.page, "settings", ":material/tune:"),
        ]
    ).run()
    with st.sidebar.container(key="foot"):
        settings.language_switch(say, key="language-switch")


if __name__ == "__main__":
    main()
