"""The theme of this browser: light, dark, or whatever the system says; kept by the browser itself."""

from __future__ import annotations

from typing import Final

import streamlit as st

from ui.text import Say

THEMES: Final = ("System", "Light", "Dark")  # as Streamlit's own menu keeps them
PATHS: Final = ("/", "/chat", "/library", "/search", "/evaluation", "/settings")  # each page keeps a theme of its own

# Streamlit reads its choice when a page is loaded, so the page is loaded anew.
_JS = """
export default function ({ data }) {
  const value = JSON.stringify(data.theme);
  const keys = data.paths.map((path) => `stActiveTheme-${path}-v2`);
  if (keys.every((key) => window.localStorage.getItem(key) === value)) return;
  for (const key of keys) window.localStorage.setItem(key, value);
  window.location.reload();
}
"""

_setter = st.components.v2.component("footnote_theme", js=_JS)
_CHOSEN = "chosen-theme"


def control(say: Say) -> None:
    """Three buttons, one a theme."""
    st.caption(say("theme"))
    with st.container(horizontal=True, gap="small", key="themes"):
        for theme, icon in zip(THEMES, ("contrast", "light_mode", "dark_mode"), strict=True):
            if st.button(say(f"theme_{theme.lower()}"), key=f"theme-{theme}", icon=f":material/{icon}:"):
                st.session_state[_CHOSEN] = theme
    if chosen := st.session_state.pop(_CHOSEN, ""):
        _setter(key="theme-setter", data={"theme": chosen, "paths": list(PATHS)}, height=1)
