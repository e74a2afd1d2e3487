"""The Streamlit entry: page set-up, the gate, navigation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from rag.errors import RagError
from ui import chat, evaluation, first_run, frame, gate, kbs, library, search, settings, web
from ui.markup import plain
from ui.resources import errors_shown, services
from ui.session import Session
from ui.text import Say

# A file of our own: a material symbol or emoji here would make the browser fetch it from another host.
ICON = Path(__file__).resolve().parent / "ui" / "icon.svg"


def main() -> None:
    """Draw the page that the address names."""
    say = Say(frame.chosen_language())
    st.set_page_config(page_title=say("app_name"), page_icon=str(ICON), menu_items={"About": say("about")})
    st.logo(str(ICON), size="large")
    user = gate.enter(say)
    try:
        session = frame.enter_kb(services(), user, say)
    except RagError as error:
        st.error(plain(str(error)), icon=":material/error:")
        with st.sidebar:
            gate.person(user, say)
        st.stop()
    _navigate(session)


def _navigate(session: Session) -> None:
    def page(draw: Callable[[Session], None], name: str, icon: str, default: bool = False) -> st.Page:
        def run() -> None:
            with errors_shown():
                draw(session)

        return st.Page(run, title=session.say(name), icon=icon, url_path=name, default=default)

    ready = not session.services.missing_models()
    pages = [
        page(chat.page if ready else first_run.page, "chat", ":material/forum:", default=True),
        page(library.page if ready else first_run.page, "library", ":material/library_books:"),
        page(search.page if ready else first_run.page, "search", ":material/search:"),
    ]
    if session.user.may_change(session.kb):
        pages.append(page(evaluation.page if ready else first_run.page, "evaluation", ":material/monitoring:"))
    st.navigation([*pages, page(settings.page, "settings", ":material/tune:")]).run()
    with st.sidebar.container(key="foot"):
        kbs.chooser(session)
        gate.person(session.user, session.say)
        frame.language_switch(session.say, key="language-switch")


if __name__ == "__main__":
    main()
else:  # `streamlit run` finds this, imports the module as the server and runs the file as the page
    app = st.App(__file__, routes=web.ROUTES, middleware=web.MIDDLEWARE)
