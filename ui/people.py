"""Who may come in and what is theirs to ask and change: the panel for admins."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from rag.access import Role
from rag.users import LONGEST_NAME, LONGEST_PASSWORD, ROLES, SHORTEST_PASSWORD, Person, Users
from ui.gate import ROLE_WORDS
from ui.markup import inline
from ui.resources import errors_shown
from ui.session import Session
from ui.text import Say


def panel(session: Session) -> None:
    """List everybody, with what an admin may change about them; nothing for anybody else."""
    if not session.user.admin:
        return
    say = session.say
    with _users(session) as users:
        people = users.all()
    st.subheader(say("people"), anchor=False)
    st.caption(say("people_about"))
    if not people:
        st.info(say("people_none"), icon=":material/group:")
    for index, person in enumerate(people):
        _row(session, index, person)
    if st.button(say("person_add"), key="person-add", icon=":material/person_add:"):
        st.dialog(say("person_add"))(_add)(session)


def _row(session: Session, index: int, person: Person) -> None:
    say, user = session.say, person.user
    row = st.container(border=True, horizontal=True, vertical_alignment="center", key=f"person-{index}")
    with row.container(gap=None):
        you = f" ({say('person_you')})" if user.name == session.user.name else ""
        st.markdown(f"**{inline(user.name)}**{you}")
        facts = [say(ROLE_WORDS[user.role]), _shared(person, say)]
        st.caption(" · ".join(facts if person.password else [*facts, say("no_password")]))
    if row.button(say("person_change"), key=f"person-change-{index}", icon=":material/edit:", type="tertiary"):
        st.dialog(inline(user.name, 60))(_change)(session, person)


def _shared(person: Person, say: Say) -> str:
    if person.user.admin:
        return say("shared_all")
    return inline(", ".join(sorted(person.user.kbs))) if person.user.kbs else say("shared_none")


def _add(session: Session) -> None:
    say = session.say
    name = st.text_input(
        say("person_name"), key="person-name", max_chars=LONGEST_NAME, help=say("person_name_help"), autocomplete="off"
    )
    role = _role(say, "reader", key="person-role")
    kbs = _kbs(session, (), role)
    password = _password(say, say("person_password"))
    if st.button(say("person_add"), key="person-add-now") and _long_enough(password, say):
        with errors_shown():
            with _users(session) as users:
                users.add(name, role, kbs, password)
            st.rerun()


def _change(session: Session, person: Person) -> None:
    say, user = session.say, person.user
    own = user.name == session.user.name
    role = user.role if own else _role(say, user.role, key="person-role")
    kbs = _kbs(session, user.kbs, role)
    password = _password(say, say("new_password"))
    if st.button(say("person_save"), key="person-save") and _long_enough(password, say):
        with errors_shown():
            with _users(session) as users:
                users.change(user.name, role=role, kbs=kbs, password=password or None)
            st.rerun()
    if not own:
        with st.expander(say("person_remove"), icon=":material/person_remove:"):
            st.markdown(say("person_remove_sure", name=f"**{inline(user.name)}**"))
            if st.button(say("person_remove_yes"), key="person-remove", icon=":material/delete:"):
                with errors_shown():
                    with _users(session) as users:
                        users.remove(user.name)
                    st.rerun()


def _role(say: Say, role: Role, *, key: str) -> Role:
    return st.selectbox(
        say("person_role"), ROLES, ROLES.index(role), format_func=lambda choice: say(ROLE_WORDS[choice]), key=key
    )


def _kbs(session: Session, granted: Iterable[str], role: Role) -> list[str]:
    """The knowledge bases to share; admins have them all, and keep what they had for the day they are none."""
    if role == "admin":
        return sorted(granted)
    return st.multiselect(
        session.say("shared_kbs"), sorted({*session.kbs(), *granted}), sorted(granted), key="person-kbs"
    )


def _password(say: Say, label: str) -> str:
    return st.text_input(
        label,
        key="person-password",
        type="password",
        max_chars=LONGEST_PASSWORD,
        help=say("password_help", least=SHORTEST_PASSWORD),
        autocomplete="new-password",
    )


def _long_enough(password: str, say: Say) -> bool:
    if not password or len(password) >= SHORTEST_PASSWORD:
        return True
    st.error(say("password_short", least=SHORTEST_PASSWORD), icon=":material/error:")
    return False


def _users(session: Session) -> Users:
    return Users(session.services.settings.home, session.user)
