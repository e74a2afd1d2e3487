"""The gate in front of every page: who is there, how they sign in and out, or why nothing is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import streamlit as st

from rag.access import OWNER, Role, User
from rag.errors import AccessError, RagError
from rag.serve import came_from_outside, is_loopback
from rag.settings import Settings
from rag.users import LONGEST_NAME, LONGEST_PASSWORD, Throttle, TooManyTriesError, Users
from ui import frame, web
from ui.markup import inline, plain
from ui.resources import services
from ui.text import Say

ROLE_WORDS: dict[Role, str] = {"reader": "role_reader", "curator": "role_curator", "admin": "role_admin"}
_PAGES = ("chat", "library", "evaluation", "settings")  # as app.py names them
_TOKEN, _TICKET = "token", "ticket"
_LOOK_AGAIN = 10  # seconds
# Fetches the cookie once a ticket; nothing is drawn, and the token itself never comes to a script.
_FETCH = """
let used = "";
export default function ({ data }) {
  if (data.ticket && data.ticket !== used) {
    used = data.ticket;
    fetch(data.path, { method: "POST", body: used, credentials: "same-origin" }).catch(() => {});
  }
}
"""


def enter(say: Say) -> User:
    """Whoever is at the page; draws the sign-in page or a refusal and ends the run where nobody may go on."""
    address = st.get_option("server.address") or ""
    try:
        settings = services().settings
        if is_loopback(address) and settings.access.sign_in == "auto":
            if came_from_outside(st.context.headers):
                _refuse(say, "refused_forwarded")
            return OWNER
        return _signed_in(settings, address, say)
    except RagError as error:
        # Whoever runs the machine reads it on the page, others could be anybody.
        text = plain(str(error)) if is_loopback(address) else say("unexpected")
        st.error(text, icon=":material/error:")
        st.stop()


def person(user: User, say: Say) -> None:
    """Who is signed in and the way out; nothing where nobody has to sign in."""
    if user == OWNER:
        return
    _keep_signed_in()
    _look_again(user)
    with st.container(horizontal=True, vertical_alignment="center", key="person"):
        st.caption(f":material/person: {inline(user.name, 24)} · {say(ROLE_WORDS[user.role])}")
        if st.button(say("sign_out"), key="sign-out", type="tertiary", icon=":material/logout:"):
            _sign_out()


def _signed_in(settings: Settings, address: str, say: Say) -> User:
    with Users(settings.home) as users:
        providers = _providers()
        if not providers and not users.exist():
            _refuse(say, "refused_address", address=f"`{address}`" if address else say("every_address"))
        if user := _present(users, bool(providers)):
            return user
        if providers and st.user.get("is_logged_in"):
            _unknown(say)
        _sign_in_page(users, providers, say)


def _present(users: Users, oidc: bool) -> User | None:
    """Whoever the session's token, the browser's cookie or the identity provider names, as they are on the list now."""
    token = _token()
    if token and (user := users.signed_in(token)):
        return user
    email = _verified_email() if oidc else ""
    return users.find(email) if email else None


def _token() -> str | None:
    return st.session_state.get(_TOKEN) or st.context.cookies.get(web.cookie_name())


def _verified_email() -> str:
    """The e-mail address that the identity provider vouches for, else an empty text."""
    verified = st.user.get("is_logged_in") is True and st.user.get("email_verified") in (True, "true")
    return str(st.user.get("email") or "") if verified else ""


def _providers() -> list[str]:
    """The identity providers in secrets.toml; ``default`` is the unnamed one."""
    try:
        auth = st.secrets.get("auth", {})
    except FileNotFoundError:
        return []
    if "client_id" in auth:
        return ["default"]
    return [name for name, value in auth.items() if isinstance(value, Mapping)]


def _refuse(say: Say, key: str, **values: str) -> NoReturn:
    st.error(say(key, **values), icon=":material/lock:")
    st.stop()


def _sign_in_page(users: Users, providers: list[str], say: Say) -> NoReturn:
    # The address stands as it is, so that whoever signs in is on the page that they came for.
    st.navigation([st.Page(lambda: None, title=say("sign_in"), url_path=name) for name in _PAGES], position="hidden")
    with st.container(horizontal_alignment="center"), st.container(width=380, key="sign-in"):
        st.title(say("app_name"), anchor=False)
        st.caption(say("tagline"))
        if users.with_passwords():
            _password_form(users, say)
        for provider in providers:
            label = say("sign_in_with", provider=say("sign_in_provider") if provider == "default" else inline(provider))
            if st.button(label, key=f"provider-{provider}", icon=":material/key:", width="stretch"):
                st.login(None if provider == "default" else provider)
        frame.language_switch(say, key="language-sign-in")
    st.stop()


def _password_form(users: Users, say: Say) -> None:
    with st.form("sign-in-form", enter_to_submit=True):
        name = st.text_input(say("person_name"), key="sign-in-name", max_chars=LONGEST_NAME, autocomplete="username")
        password = st.text_input(
            say("person_password"),
            key="sign-in-password",
            type="password",
            max_chars=LONGEST_PASSWORD,
            autocomplete="current-password",
        )
        if not st.form_submit_button(say("sign_in"), width="stretch"):
            return
    try:
        token = users.sign_in(name, password, _throttle())
    except TooManyTriesError as error:
        st.error(say("too_many_tries", seconds=error.seconds), icon=":material/hourglass:")
    except AccessError:
        st.error(say("wrong_password"), icon=":material/error:")
    else:
        _forget()
        st.session_state[_TOKEN], st.session_state[_TICKET] = token, web.TICKETS.give(token)
        st.rerun()


def _unknown(say: Say) -> NoReturn:
    """Known to the identity provider, but not on the list here."""
    email = str(st.user.get("email") or "")
    key = "not_on_list" if _verified_email() else "email_not_verified"
    st.warning(say(key, email=inline(email)), icon=":material/lock:")
    if st.button(say("sign_out"), key="sign-out", icon=":material/logout:"):
        st.logout()
    st.stop()


def _keep_signed_in() -> None:
    """Let the browser fetch its cookie, so that a reload or another tab needs no password again."""
    if ticket := st.session_state.get(_TICKET):
        fetch = st.components.v2.component("footnote_signed_in", js=_FETCH)
        fetch(key="signed-in", data={"ticket": ticket, "path": web.KEEP}, height=1)


@st.fragment(run_every=_LOOK_AGAIN)
def _look_again(user: User) -> None:
    """Draw the page anew once somebody's rights were changed or they were signed out, though they click nothing."""
    with Users(services().settings.home) as users:
        if _present(users, bool(_providers())) != user:
            st.rerun(scope="app")


def _sign_out() -> NoReturn:
    if token := _token():
        with Users(services().settings.home) as users:
            users.sign_out(token)
    _forget()
    st.query_params.clear()
    if _providers() and st.user.get("is_logged_in"):
        st.logout()
        st.stop()
    st.rerun()


def _forget() -> None:
    """Whoever signs in next in this tab finds nothing of the one before, but the language."""
    language = st.session_state.get("language")
    st.session_state.clear()
    st.session_state["language"] = language


@st.cache_resource(show_spinner=False)
def _throttle() -> Throttle:
    """The one count of wrong passwords of this server."""
    return Throttle()
