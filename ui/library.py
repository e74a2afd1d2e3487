"""The library page: add documents, see what became of them, look into them, delete them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from rag.types import StoredDocument, StoredFile, Verdict
from ui import adding
from ui.markup import inline, plain
from ui.resources import errors_shown
from ui.session import Session
from ui.text import Say

T = TypeVar("T")
ROWS = 20  # documents on a page of the list
CHUNKS = 10  # chunks on a page of the dialog


def page(session: Session) -> None:
    """Draw the library page."""
    say = session.say
    st.title(say("library"), anchor=False)
    if gone := st.session_state.pop("deleted", None):
        st.toast(say("deleted", names=inline(", ".join(gone))), icon=":material/delete:")
    with session.store() as store:
        documents = store.documents()
        left_out = [file for file in store.all_files() if file.state in ("empty", "set aside")]
    adding.panel(session, empty=not documents)
    _left_out(left_out, say)
    if documents:
        _list(session, documents)


def _left_out(files: Sequence[StoredFile], say: Say) -> None:
    if files:
        with st.expander(say("left_out", count=len(files)), icon=":material/error_outline:", key="left-out"):
            for file in files:
                adding.verdict_line(Verdict(file.relative, file.state, file.reason), say)


def _list(session: Session, documents: Sequence[StoredDocument]) -> None:
    say = session.say
    st.markdown(f"### {say('documents_title', count=len(documents))}", anchors=False)
    words = (
        st.text_input(
            say("find_document"),
            key="find",
            placeholder=say("find_document"),
            label_visibility="collapsed",
            icon=":material/search:",
        )
        if len(documents) > 5
        else ""
    )
    found = [document for document in documents if words.strip().casefold() in document.name.casefold()]
    if not found:
        st.caption(say("no_match", words=inline(words)))
    for document in _page_of(found, ROWS, key="documents-page"):
        _row(session, document)


def _page_of(items: Sequence[T], size: int, *, key: str) -> Sequence[T]:
    pages = -(-len(items) // size)
    if pages <= 1:
        return items
    number = st.pagination(pages, key=f"{key}-{pages}")
    return items[(number - 1) * size : number * size]


def _row(session: Session, document: StoredDocument) -> None:
    say = session.say
    with st.container(border=True, gap=None, key=f"document-{document.name}"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.markdown(f"**{inline(document.name)}**", width="stretch")
            hint = say("show_chunks")
            if st.button("", key=f"chunks-{document.name}", icon=":material/segment:", type="tertiary", help=hint):
                _show_chunks(session, document.name)
            hint = say("delete_document")
            if st.button("", key=f"delete-{document.name}", icon=":material/delete:", type="tertiary", help=hint):
                _delete(session, document.name)
        st.caption(_about(document, say))


def _about(document: StoredDocument, say: Say) -> str:
    parts = [] if document.title in ("", document.name) else [inline(document.title, 80)]
    parts.append(adding.size(document.pages, document.chunks, say))
    if document.state != "indexed":
        parts.append(f":orange[{say.state(document.state)}] {inline(document.reason)}")
    return " · ".join(parts)


def _show_chunks(session: Session, name: str) -> None:
    say = session.say

    @st.dialog(inline(name, 60), width="large")
    def show() -> None:
        with errors_shown():
            with session.store() as store:
                chunks = store.chunks(name)
            st.caption(say("chunks", count=len(chunks)))
            for chunk in _page_of(chunks, CHUNKS, key="chunks-page"):
                with st.container(border=True):
                    place = [] if chunk.page is None else [say("page", page=chunk.page)]
                    st.caption(" · ".join([f"{chunk.ordinal + 1}", *place, inline(chunk.heading, 120)]))
                    st.markdown(plain(chunk.text))

    show()


def _delete(session: Session, name: str) -> None:
    say = session.say

    @st.dialog(say("delete_document"))
    def ask() -> None:
        with errors_shown():
            st.markdown(say("delete_document_sure", name=inline(name)))
            if st.button(say("delete"), type="primary", key="sure"):
                with session.store() as store:
                    gone = store.delete(name)
                st.session_state["deleted"] = gone  # said after the rerun that closes the dialog
                st.rerun()

    ask()
