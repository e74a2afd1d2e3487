"""The evaluation page: measure retrieval and answers over a question set."""

from __future__ import annotations

import streamlit as st

from ui.session import Session


def page(session: Session) -> None:
    """Draw the evaluation page."""
    st.title(session.say("evaluation"), anchor=False)
