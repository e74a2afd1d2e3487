"""Settings that the page changes: written to footnote.toml and taken on at once."""

from __future__ import annotations

import os

import streamlit as st

from rag.errors import AccessError
from rag.settings import overrides, save_settings
from ui.session import Session

_SAVED = "settings-saved"  # in the session
Changes = dict[str, str | int | float | bool | None]


def overridden() -> set[str]:
    """The settings that the environment decides, as ``section.key``; the page cannot change them."""
    return overrides(os.environ)


def save(session: Session, changes: Changes) -> None:
    """Write settings, take them on and draw the page anew; what the environment decides is left alone."""
    if not session.user.admin:
        raise AccessError("Only admins change settings.")
    decided = overridden()
    save_settings(session.services.settings.home, {k: v for k, v in changes.items() if k not in decided})
    session.services.renew()
    st.session_state[_SAVED] = True  # said after the rerun that shows the page as it is now
    st.rerun()


def tell_saved(session: Session) -> None:
    """Say that settings were saved, once."""
    if st.session_state.pop(_SAVED, False):
        st.toast(session.say("saved"), icon=":material/check:")
