"""Settings that the page changes: written to footnote.toml and taken on at once."""

from __future__ import annotations

import os

import streamlit as st

from rag.errors import AccessError
from rag.settings import overrides, save_settings
from ui.session import Session

Changes = dict[str, str | int | float | bool | None]


def overridden() -> set[str]:
    """The settings that the environment decides, as ``section.key``; the page cannot change them."""
    return overrides(os.environ)


def save(session: Session, changes: Changes) -> None:
    """Write settings and take them on; what the environment decides is left alone."""
    if not session.user.admin:
        raise AccessError("Only admins change settings.")
    decided = overridden()
    save_settings(session.services.settings.home, {k: v for k, v in changes.items() if k not in decided})
    session.services.renew()
    st.toast(session.say("saved"), icon=":material/check:")
