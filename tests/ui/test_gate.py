"""Who gets to a page and what they find there: signing in and out, refusals, and whose data is whose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from streamlit import config
from streamlit.runtime import context
from streamlit.testing.v1 import AppTest

from rag import users as users_module
from rag.access import User
from rag.conversations import Conversations
from rag.store import Store
from rag.users import Users
from tests.rag.stored import put
from ui.resources import Services

Start = Callable[..., tuple[AppTest, Services]]
PASSWORD = "correct horse battery"
SECRET = "The safe opens with 4711."


class Browser:
    """What a browser sends along when it opens the page."""

    remote_ip = "192.168.1.33"

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = [("host", "localhost:8501")]
        self.cookies: dict[str, str] = {}


@pytest.fixture(autouse=True)
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    """The browser of the person at the page."""
    made = Browser()
    monkeypatch.setattr(context, "_get_client_context", lambda: made)
    return made


@pytest.fixture
def people(filled: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Users]:
    """An admin, and a reader of one of two knowledge bases, on a server that others can reach."""
    monkeypatch.setattr(users_module, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    with Store(filled, "secret") as store:
        store.remember_root("/secret")
    users = Users(filled)
    users.add("ada", "admin", (), PASSWORD)
    users.add("bo", "reader", ["default"], PASSWORD)
    yield users
    config.set_option("server.address", "127.0.0.1")


def reached(start: Start, query: dict[str, str] | None = None) -> AppTest:
    """The page as somebody on the network first sees it."""
    config.set_option("server.address", "192.168.1.20")
    app, _ = start()
    for name, value in (query or {}).items():
        app.query_params[name] = value
    return app.run()


def sign_in(app: AppTest, name: str = "bo", password: str = PASSWORD) -> AppTest:
    """Fill in the form and send it."""
    app.text_input(key="sign-in-name").set_value(name)
    app.text_input(key="sign-in-password").set_value(password)
    return app.button[0].click().run()


def words(app: AppTest) -> str:
    """All that the page says."""
    blocks = (app.markdown, app.caption, app.title, app.subheader, app.error, app.info, app.warning, app.code, app.text)
    said = [str(element.value) for kind in blocks for element in kind] + [button.label for button in app.button]
    return "\n".join(said).replace("\\", "").replace("\u2060", "")


def signed_out(app: AppTest) -> bool:
    """Whether the page shows the form and nothing of the data."""
    return [box.key for box in app.text_input] == ["sign-in-name", "sign-in-password"] and not app.chat_input


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.20", "::", ""])
def test_an_open_server_without_people_shows_only_the_refusal(start: Start, address: str) -> None:
    """Started on an address that others reach, with nobody to sign in, the page says what to do and nothing else."""
    config.set_option("server.address", address)
    app, _ = start()
    config.set_option("server.address", "127.0.0.1")
    assert len(app.error) == 1 and "rag users add" in app.error[0].value
    assert not (app.text_input or app.button or app.chat_input or app.markdown or app.sidebar.children)


def test_on_this_machine_nobody_signs_in(start: Start, people: Users) -> None:
    """On loopback the page opens at once, whoever is on the list."""
    app, _ = start()
    assert app.chat_input and not signed_out(app)


def test_always_asks_on_loopback_too(start: Start, people: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    """With sign_in = "always", for a server behind a proxy, loopback asks as well."""
    from dataclasses import replace

    from rag.settings import AccessSettings

    app, services = start()
    services.settings = replace(services.settings, access=AccessSettings("always"))
    assert signed_out(app.run())


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_signing_in_and_out(start: Start, people: Users, locale: str) -> None:
    """The form first; a wrong password says so; a right one opens the page; signing out shuts it and ends the token."""
    config.set_option("server.address", "192.168.1.20")
    app, _ = start(locale=locale)
    assert signed_out(app) and "LoRA" not in words(app)
    sign_in(app, password="wrong password")
    assert signed_out(app) and len(app.error) == 1
    sign_in(app, name="BO")
    assert not app.exception and app.chat_input and "bo · " in words(app)
    token = app.session_state["token"]
    assert people.signed_in(token)
    app.button(key="sign-out").click().run()
    assert signed_out(app) and people.signed_in(token) is None
    assert set(app.query_params) <= {"lang"}


def test_a_reload_or_another_tab_needs_no_password(start: Start, people: Users, browser: Browser) -> None:
    """The cookie that the browser fetched opens the page, until signing out in any tab ends it."""
    app = sign_in(reached(start))
    browser.cookies["footnote-8501"] = app.session_state["token"]
    again = reached(start)
    assert again.chat_input and not signed_out(again)
    app.button(key="sign-out").click().run()
    assert signed_out(again.run())


@pytest.mark.parametrize(
    "sent", [("x-forwarded-for", "10.0.0.9"), ("Forwarded", "for=10.0.0.9"), ("host", "kb.example.org")]
)
def test_a_proxy_in_front_of_an_open_server_shows_nothing(
    start: Start, browser: Browser, sent: tuple[str, str]
) -> None:
    """On loopback without sign-in, whoever comes through a proxy or under another name reads what to set, and no more."""
    browser.headers = [pair for pair in browser.headers if pair[0] != sent[0]] + [sent]
    app, _ = start()
    assert len(app.error) == 1 and 'sign_in = "always"' in app.error[0].value
    assert not (app.text_input or app.button or app.chat_input or app.markdown or app.sidebar.children)


def test_guessing_is_told_to_wait(start: Start, people: Users) -> None:
    """After five wrong passwords even the right one has to wait, and the page says how long."""
    app = reached(start)
    for _ in range(6):
        sign_in(app, password="wrong password")
    sign_in(app)
    assert signed_out(app) and "seconds" in app.error[0].value


def draw_library() -> None:
    """The library page in the hands of whoever the session names."""
    import streamlit as st

    from rag.access import OWNER
    from ui import frame, library, resources
    from ui.text import Say

    with resources.errors_shown():
        library.page(frame.enter_kb(resources.services(), st.session_state.get("acting", OWNER), Say("en")))


@pytest.mark.parametrize(("user", "sees"), [(User("bo", "reader", frozenset({"default"})), False),
                                            (User("bo", "reader"), False), (User("ada", "admin"), True)])  # fmt: skip
def test_the_address_opens_no_other_knowledge_base(start: Start, filled: Path, exact_embedder: type,
                                                   user: User, sees: bool) -> None:  # fmt: skip
    """An address that names a knowledge base shows its documents to those who have it, and nothing of it to a reader."""
    with Store(filled, "secret") as store:
        put(store, exact_embedder(), "safe.md", SECRET)
    app, _ = start(page=draw_library)
    app.session_state["acting"] = user
    app.query_params["kb"] = "secret"
    app.run()
    assert not app.exception and ("safe.md" in words(app)) is sees
    assert ("adapters.md" in words(app)) is ("default" in user.kbs)


def test_a_conversation_of_another_is_not_there(start: Start, people: Users, filled: Path) -> None:
    """An address that names another's conversation, by its number, shows nothing of it, nor can it be written to."""
    theirs = Conversations(filled, User("ada", "admin"))
    number = theirs.create("the safe")
    theirs.add(number, "user", SECRET)
    app = sign_in(reached(start))
    app.query_params["c"] = str(number)
    app.run()
    assert "4711" not in words(app) and "the safe" not in words(app)
    app.chat_input[0].set_value("What opens the safe?").run()
    assert [message.content for message in theirs.messages(number)] == [SECRET]
    assert "4711" not in words(app)


def test_a_removed_user_is_out_at_the_next_click(start: Start, people: Users) -> None:
    """Whoever is removed, or has a new role, finds the form the next time the page is drawn."""
    app = sign_in(reached(start))
    people.change("bo", role="curator")
    assert signed_out(app.run())
    sign_in(app)
    assert "curator" in words(app)
    people.remove("bo")
    assert signed_out(app.run())


def test_what_is_no_longer_shared_is_gone_at_the_next_click(start: Start, people: Users) -> None:
    """A reader from whom a knowledge base was taken reads that it is not theirs, and none of its documents."""
    app = sign_in(reached(start))
    people.change("bo", kbs=[])
    app.run()
    assert "is shared with you yet" in words(app) and "adapters" not in words(app)


def test_the_next_person_in_the_tab_finds_nothing_of_the_one_before(start: Start, people: Users) -> None:
    """Signing out forgets what the session held."""
    app = sign_in(reached(start))
    app.session_state["draft"] = SECRET
    app.button(key="sign-out").click().run()
    sign_in(app, name="ada")
    assert "draft" not in app.session_state


PROVIDER = {"auth": {"client_id": "x", "redirect_uri": "http://x/oauth2callback", "cookie_secret": "c" * 32}}


@pytest.mark.parametrize(
    ("claims", "inside"),
    [
        ({"email": "Cy@Example.org", "email_verified": True}, True),
        ({"email": "cy@example.org", "email_verified": False}, False),
        ({"email": "cy@example.org"}, False),
        ({"email": "eve@example.org", "email_verified": True}, False),
        ({"email": "", "email_verified": True}, False),
        ({"email_verified": True}, False),
        ({"email": "cy@example.org", "email_verified": True, "is_logged_in": False}, False),
        # A claim is never taken for a built-in name's password.
        ({"email": "ada", "email_verified": False}, False),
    ],
)
def test_an_identity_is_its_verified_address(
    start: Start, people: Users, claims: dict[str, object], inside: bool
) -> None:
    """Only a person on the list whose provider vouches for the e-mail address gets in; others read whom to ask."""
    people.add("cy@example.org", "reader", ["default"])
    config.set_option("server.address", "192.168.1.20")
    app, _ = start()
    app.secrets["auth"] = PROVIDER["auth"]
    app.user = {"is_logged_in": True, **claims}
    app.run()
    assert bool(app.chat_input) is inside and not app.exception
    if inside:
        assert "cy@example.org" in words(app)
    elif app.user["is_logged_in"]:
        assert "sk an admin" in app.warning[0].value and app.button(key="sign-out")
    else:
        assert app.button(key="provider-default")


def panel() -> None:
    """The panel in the hands of whoever the session names."""
    import streamlit as st

    from rag.access import OWNER
    from ui import people, resources
    from ui.session import Session
    from ui.text import Say

    user = st.session_state.get("acting", OWNER)
    people.panel(Session(resources.services(), user, Say("en"), "default"))


def in_dialog(app: AppTest, opened_by: str, key: str) -> None:
    """Press a button in a dialog: the whole page is drawn again here, so that what opens the dialog is pressed as well."""
    app.button(key=opened_by).click()
    app.button(key=key).click().run()


def test_an_admin_keeps_the_list_on_the_page(start: Start, people: Users) -> None:
    """Adding with a role and a knowledge base, changing, a new password, and removing, each as the list then says."""
    app, _ = start(page=panel)
    assert "bo" in words(app)
    app.button(key="person-add").click().run()
    app.text_input(key="person-name").set_value("Dee")
    app.multiselect(key="person-kbs").set_value(["secret"])
    app.text_input(key="person-password").set_value("short")
    in_dialog(app, "person-add", "person-add-now")
    assert "at least 10" in app.error[0].value and people.find("dee") is None
    app.text_input(key="person-password").set_value(PASSWORD)
    in_dialog(app, "person-add", "person-add-now")
    assert people.find("dee") == User("dee", "reader", frozenset({"secret"}))
    app.button(key="person-change-2").click().run()
    app.selectbox(key="person-role").set_value("curator")
    in_dialog(app, "person-change-2", "person-save")
    assert people.find("dee") == User("dee", "curator", frozenset({"secret"}))
    app.button(key="person-change-2").click().run()
    in_dialog(app, "person-change-2", "person-remove")
    assert people.find("dee") is None


def test_nobody_else_sees_the_list(start: Start, people: Users) -> None:
    """A curator's page holds nothing of the panel."""
    app, _ = start(page=panel)
    app.session_state["acting"] = User("bo", "curator", frozenset({"default"}))
    app.run()
    assert words(app) == ""


def test_an_admin_has_no_way_to_shut_themselves_out(start: Start, people: Users) -> None:
    """For one's own row there is a password to change, but no role and no removing."""
    app, _ = start(page=panel)
    app.session_state["acting"] = User("ada", "admin")
    app.run()
    app.button(key="person-change-0").click().run()
    assert app.text_input(key="person-password") and not app.selectbox
    assert not [button for button in app.button if button.key == "person-remove"]
