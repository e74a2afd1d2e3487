"""The gate in front of every page: who is there, or why nothing is shown."""

from __future__ import annotations

import streamlit as st

from rag.access import OWNER, User
from rag.serve import is_loopback
from ui.text import Say


def enter(say: Say) -> User:
    """Whoever is at the page; draws a refusal and ends the run where nobody may be."""
    address = st.get_option("server.address")
    if not is_loopback(address or ""):
        st.error(say("refused_address", address=address or say("every_address")), icon=":material/lock:")
        st.stop()
    return OWNER
