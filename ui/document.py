"""One document: what is known of it, its pages and passages, a search inside it, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from ingest.originals import find_original
from rag.errors import IngestError, StoreError
from rag.find import occurrences
from rag.types import Page, StoredDocument
from ui import adding, library
from ui.markup import inline, plain
from ui.resources import errors_shown
from ui.session import Session
from ui.text import Say
from ui.viewer import excerpt

PARAMETER = "d"  # in the page's address
CHUNKS = 10  # passages on a page
HITS = 20  # places shown of a search
AROUND = 120  # characters on either side of a hit


def open_document(name: str | None) -> None:
    """Show a document instead of the list; None goes back."""
    if name is None:
        st.query_params.pop(PARAMETER, None)
    else:
        st.query_params[PARAMETER] = name


def page(session: Session, name: str) -> None:
    """Draw the document of a name, or say that it is gone."""
    say = session.say
    if st.button(say("back_to_list"), key="back", icon=":material/arrow_back:", type="tertiary"):
        open_document(None)
        st.rerun()
    with session.store() as store:
        try:
            found = store.document(name)
        except StoreError as error:
            st.info(plain(f"{say('document_gone')} {error}"), icon=":material/info:")
            return
        pages, text = store.document_pages(name), store.document_text(name)
    st.title(inline(name, 120), anchor=False)
    st.caption(_facts(found, pages, say))
    _actions(session, found)
    _tags(session, found)
    tabs = st.tabs([say("passages_tab"), say("pages_tab"), say("inside_tab")])
    with tabs[0]:
        _passages(session, name)
    with tabs[1]:
        _pages(pages, say)
    with tabs[2]:
        _inside(text, say)


def _facts(found: StoredDocument, pages: Sequence[Page], say: Say) -> str:
    parts = [] if found.title in ("", found.name) else [inline(found.title, 100)]
    parts.append(adding.size(found.pages, found.chunks, say))
    if found.modified:
        parts.append(say("changed", when=datetime.fromtimestamp(found.modified).strftime("%Y-%m-%d %H:%M")))
    if by_ocr := sum(page.kind == "ocr" for page in pages):
        parts.append(say("ocr_count", count=by_ocr))
    if poor := sum(page.quality < library.DOUBTFUL for page in pages):
        parts.append(f":orange[{say('poor_count', count=poor)}]")
    return " · ".join(parts)


def _actions(session: Session, found: StoredDocument) -> None:
    say, name = session.say, found.name
    with st.container(horizontal=True, vertical_alignment="center", key="document-actions"):
        _original(session, name)
        if not session.user.may_change(session.kb):
            return
        if st.button(say("read_again"), key="reread", icon=":material/refresh:", disabled=adding.running(session)):
            adding.start_reindex(session, [name])
            open_document(None)
            st.rerun()
        if st.button(say("delete_document"), key="delete-document", icon=":material/delete:"):
            _delete(session, name)


def _original(session: Session, name: str) -> None:
    """The file that the document came from, to be downloaded as it was taken in."""
    say = session.say
    try:
        with session.store() as store:
            original = find_original(store, name)
    except IngestError as error:
        st.caption(f":material/info: {plain(str(error))}")
        return
    st.download_button(
        say("download_original"),
        original.read,
        original.path.name,
        key="original",
        icon=":material/download:",
        on_click="ignore",
    )


def _delete(session: Session, name: str) -> None:
    say = session.say

    @st.dialog(say("delete_document"))
    def ask() -> None:
        with errors_shown():
            st.markdown(say("delete_document_sure", name=inline(name)))
            if st.button(say("delete"), key="sure"):
                st.session_state["deleted"] = library.delete(session, [name])
                open_document(None)
                st.rerun()

    ask()


def _tags(session: Session, found: StoredDocument) -> None:
    say = session.say
    if not session.user.may_change(session.kb):
        if found.tags:
            st.markdown(" ".join(f":gray-badge[{inline(tag, 24)}]" for tag in found.tags))
        return
    with session.store() as store:
        known = sorted({tag for document in store.documents() for tag in document.tags})
        chosen = st.multiselect(
            say("tags"),
            known,
            found.tags,
            key=f"tags-{found.name}",
            accept_new_options=True,
            placeholder=say("tags_hint"),
        )
        new, old = set(chosen) - set(found.tags), set(found.tags) - set(chosen)
        if new:
            store.tag(found.name, sorted(new))
        if old:
            store.tag(found.name, sorted(old), remove=True)


def _passages(session: Session, name: str) -> None:
    say = session.say
    with session.store() as store:
        chunks = store.chunks(name)
    for chunk in library.page_of(chunks, CHUNKS, key="chunks-page"):
        with st.container(border=True):
            place = [] if chunk.page is None else [say("page", page=chunk.page)]
            st.caption(" · ".join([f"{chunk.ordinal + 1}", *place, inline(chunk.heading, 120)]))
            st.markdown(plain(chunk.text))


def _pages(pages: Sequence[Page], say: Say) -> None:
    for page in library.page_of(pages, CHUNKS, key="pages-page"):
        number = say("whole_document") if page.number is None else say("page", page=page.number)
        marks = [f":gray-badge[{say(f'kind_of_{page.kind}')}]"]
        if page.quality < library.DOUBTFUL:
            marks.append(f":orange-badge[:material/warning: {say('quality', share=f'{page.quality:.0%}')}]")
        with st.expander(f"{number} {' '.join(marks)}", key=f"page-{page.number}"):
            excerpt(page.text, 0, 0, label=number, key=f"page-text-{page.number}")


def _inside(text: str, say: Say) -> None:
    hint = say("find_inside")
    words = st.text_input(hint, key="inside", placeholder=hint, label_visibility="collapsed", icon=":material/search:")
    if not words.strip():
        return
    found = occurrences(text, words)
    st.caption(say("hits", count=len(found)) if found else say("no_hit", words=inline(words, 60)))
    for number, (start, end) in enumerate(found[:HITS]):
        first, last = max(0, start - AROUND), min(len(text), end + AROUND)
        excerpt(text[first:last], start - first, end - first, label=words, key=f"hit-{number}")
    if len(found) > HITS:
        st.caption(say("more_hits", count=len(found) - HITS))
