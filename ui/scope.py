"""What a conversation asks: knowledge bases and restrictions, in one line and to be changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import streamlit as st

from rag.types import EVERYTHING, Filter, StoredDocument
from ui.markup import inline
from ui.session import Session

_LISTED = 500  # documents offered by name; others are typed
_NEW = "scope-new"  # in the session: what the next new conversation will ask


def present(session: Session, conversation: int | None) -> Filter:
    """What the open conversation asks, or what a new one would: the present knowledge base where nothing was chosen."""
    if conversation is None:
        kept: Filter = st.session_state.get(_NEW, EVERYTHING)
    else:
        kept = session.conversations().scope(conversation)
    granted = tuple(kb for kb in kept.kbs if session.user.may_read(kb))
    return replace(kept, kbs=granted or (session.kb,))


def control(session: Session, conversation: int | None) -> None:
    """The scope in a line; opened, what can be asked and how it can be narrowed."""
    scope = present(session, conversation)
    box = st.popover(summary(scope), icon=":material/filter_alt:", type="tertiary", key="scope", on_change="rerun")
    if not box.open:
        return
    with box:
        chosen = _form(session, scope, key=f"scope-{conversation}")
    if chosen != scope:
        if conversation is None:
            st.session_state[_NEW] = chosen
        else:
            session.conversations().set_scope(conversation, chosen)
        st.rerun()


def forget() -> None:
    """A new conversation asks the present knowledge base again."""
    st.session_state.pop(_NEW, None)


def summary(scope: Filter) -> str:
    """The knowledge bases and restrictions as Markdown on one line."""
    days = [
        f"≥ {scope.since.isoformat()}" if scope.since else "",
        f"≤ {scope.until.isoformat()}" if scope.until else "",
    ]
    named = [*scope.folders, *scope.types, *(f"#{tag}" for tag in scope.tags), *scope.documents]
    return inline(" · ".join(filter(None, [", ".join(scope.kbs), *named, *days])), 70)


def _form(session: Session, scope: Filter, *, key: str) -> Filter:
    say, known = session.say, session.kbs()
    kbs = scope.kbs
    if len(known) > 1:
        kbs = tuple(st.multiselect(say("scope_kbs"), known, [kb for kb in kbs if kb in known], key=f"{key}-kbs")) or kbs
    documents = _documents(session, kbs)
    names = {document.name for document in documents}
    st.caption(say("scope_help"))
    return Filter(
        kbs,
        _several(say("scope_documents"), sorted(names)[:_LISTED], scope.documents, f"{key}-documents"),
        _several(
            say("scope_folders"), {n.rsplit("/", 1)[0] for n in names if "/" in n}, scope.folders, f"{key}-folders"
        ),
        _several(say("scope_types"), set(map(_type, names)) - {""}, scope.types, f"{key}-types"),
        _several(say("scope_tags"), {tag for d in documents for tag in d.tags}, scope.tags, f"{key}-tags"),
        st.date_input(say("scope_since"), scope.since, key=f"{key}-since"),
        st.date_input(say("scope_until"), scope.until, key=f"{key}-until"),
    )


def _several(label: str, options: Collection[str], chosen: tuple[str, ...], key: str) -> tuple[str, ...]:
    """What is chosen of these, or typed: a name or a pattern such as ``reports/*``."""
    listed = sorted({*options, *chosen})
    return tuple(st.multiselect(label, listed, chosen, key=key, accept_new_options=True)) if listed else ()


def _documents(session: Session, kbs: Collection[str]) -> list[StoredDocument]:
    with session.store() as store:
        return [document for kb in kbs if kb in store.kbs() for document in store.beside(kb).documents()]


def _type(name: str) -> str:
    last = name.split("#")[0].rsplit("/", 1)[-1]
    return last.rsplit(".", 1)[-1].lower() if "." in last else ""
