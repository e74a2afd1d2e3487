"""The library page: what there is, found and sorted; several documents changed at once; what was left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import streamlit as st

from rag.erasure import Erasure, erase
from rag.store import Store
from rag.types import PageMark, StoredDocument, StoredFile, Verdict
from ui import adding, document, kbs
from ui.markup import inline
from ui.resources import errors_shown
from ui.session import Session
from ui.text import Say

T = TypeVar("T")
ROWS = 25  # documents on a page of the list
LEFT_OUT = 50  # files left out that are listed
DOUBTFUL = 0.8  # a page's quality below which its document is marked
_CHOSEN = "chosen-documents"  # in the session
SORTED: dict[str, tuple[Callable[[StoredDocument], Any], bool]] = {
    "by_name": (lambda d: d.name.casefold(), False),
    "by_date": (lambda d: d.modified or 0.0, True),
    "by_size": (lambda d: d.chunks, True),
}


def page(session: Session) -> None:
    """Draw the list, or the one document that the address names."""
    name = st.query_params.get(document.PARAMETER)
    if name is not None:
        document.page(session, name)
        return
    say = session.say
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(say("library"), anchor=False, width="content")
        kbs.menu(session)
    if done := st.session_state.pop("deleted", None):
        _tell_deleted(done, say)
    with session.store() as store:
        documents = store.documents()
        files = store.all_files()
        weak = _weak(store, files)
    adding.panel(session, empty=not documents)
    if documents:
        _list(session, documents, weak)
    _left_out(session, files)


def _weak(store: Store, files: Sequence[StoredFile]) -> dict[str, str]:
    """What there is to say of how a file was read, by its name: by recognition, or badly; nothing for most."""
    marks: dict[str, list[PageMark]] = {}
    for (_, relative), pages in store.page_marks().items():
        marks.setdefault(relative, []).extend(pages)
    return {
        name: "weak_pages" if any(page.quality < DOUBTFUL for page in pages) else "ocr_pages"
        for name, pages in marks.items()
        if any(page.kind == "ocr" or page.quality < DOUBTFUL for page in pages)
    }


def _list(session: Session, documents: Sequence[StoredDocument], weak: dict[str, str]) -> None:
    say = session.say
    st.markdown(f"### {say('documents_title', count=len(documents))}", anchors=False)
    found = _sought(documents, say) if len(documents) > 5 else list(documents)
    if not found:
        st.caption(say("no_match"))
    shown = page_of(found, ROWS, key="documents-page")
    may_change = session.user.may_change(session.kb)
    chosen = st.session_state.setdefault(_CHOSEN, set())
    chosen &= {document.name for document in documents}
    if may_change and chosen:
        _together(session, sorted(chosen))
    with st.container(border=True, gap="xsmall", key="documents"):
        for each in shown:
            _row(each, say, weak, selectable=may_change)


def _sought(documents: Sequence[StoredDocument], say: Say) -> list[StoredDocument]:
    """The documents that fit what was typed and chosen, in the order chosen."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="seek"):
        hint = say("find_document")
        words = st.text_input(
            hint, key="find", placeholder=hint, label_visibility="collapsed", icon=":material/search:"
        )
        order = st.selectbox(
            say("sort"),
            list(SORTED),
            format_func=lambda key: say(key),
            key="sort",
            label_visibility="collapsed",
            width=170,
        )
        kinds = sorted({_type(d.name) for d in documents} - {""})
        tags = sorted({tag for d in documents for tag in d.tags})
        with st.popover(say("narrow"), icon=":material/filter_alt:", key="narrow"):
            types = st.multiselect(say("scope_types"), kinds, key="narrow-types")
            wanted = st.multiselect(say("scope_tags"), tags, key="narrow-tags")
    found = sought(documents, words, types, wanted)
    key, down = SORTED[order or "by_name"]
    return sorted(found, key=key, reverse=down)


def sought(
    documents: Sequence[StoredDocument], words: str, types: Collection[str], tags: Collection[str]
) -> list[StoredDocument]:
    """The documents whose name or title holds the words, of one of these types and with one of these tags, if any."""
    wanted = words.strip().casefold()
    return [
        each
        for each in documents
        if (wanted in each.name.casefold() or wanted in each.title.casefold())
        and (not types or _type(each.name) in types)
        and (not tags or set(tags) & set(each.tags))
    ]


def _type(name: str) -> str:
    last = name.split("#")[0].rsplit("/", 1)[-1]
    return last.rsplit(".", 1)[-1].lower() if "." in last else ""


def page_of(items: Sequence[T], size: int, *, key: str) -> Sequence[T]:
    """The items of the page that is turned to, with the means to turn it where there are several."""
    pages = -(-len(items) // size)
    if pages <= 1:
        return items
    number = st.pagination(pages, key=f"{key}-{pages}")
    return items[(number - 1) * size : number * size]


def _row(each: StoredDocument, say: Say, weak: dict[str, str], *, selectable: bool) -> None:
    with st.container(
        horizontal=True, vertical_alignment="center", wrap=False, gap="small", key=f"document-{each.name}"
    ):
        if selectable:
            chosen: set[str] = st.session_state[_CHOSEN]
            key = f"choose-{each.name}"
            st.session_state[key] = each.name in chosen
            label = say("choose", name=inline(each.name, 80))
            st.checkbox(label, key=key, label_visibility="collapsed", on_change=_toggle, args=(each.name,))
        with st.container(gap=None):
            if st.button(f"**{inline(each.name, 90)}**", key=f"open-{each.name}", type="tertiary"):
                document.open_document(each.name)
                st.rerun()
            st.caption(_about(each, say, weak))


def _toggle(name: str) -> None:
    st.session_state[_CHOSEN] ^= {name}


def _about(each: StoredDocument, say: Say, weak: dict[str, str]) -> str:
    parts = [] if each.title in ("", each.name) else [inline(each.title, 60)]
    parts.append(adding.size(each.pages, each.chunks, say))
    if each.modified:
        parts.append(datetime.fromtimestamp(each.modified).strftime("%Y-%m-%d"))
    if mark := weak.get(each.name):
        parts.append(f":orange[:material/visibility: {say(mark)}]")
    if each.state != "indexed":
        parts.append(f":orange[{say.state(each.state)}]")
    return " · ".join([*parts, *(f":gray-badge[{inline(tag, 24)}]" for tag in each.tags)])


def _together(session: Session, names: Sequence[str]) -> None:
    """What can be done with the chosen documents at once."""
    say = session.say
    with st.container(horizontal=True, vertical_alignment="center", key="together"):
        st.markdown(say("chosen", count=len(names)), width="content")
        with st.popover(say("tag"), icon=":material/sell:", key="tag-chosen"), st.form("tag-form", border=False):
            tag = st.text_input(say("tag_name"), max_chars=50)
            if st.form_submit_button(say("tag_add")) and tag.strip():
                with session.store() as store:
                    for name in names:
                        store.tag(name, [tag])
                st.rerun()
        if st.button(
            say("read_again"), key="reread-chosen", icon=":material/refresh:", disabled=adding.running(session)
        ):
            adding.start_reindex(session, names)
            st.rerun()
        if st.button(say("delete"), key="delete-chosen", icon=":material/delete:"):
            _delete(session, names)
        if st.button(say("choose_none"), key="choose-none", type="tertiary"):
            st.session_state[_CHOSEN] = set()
            st.rerun()


def _delete(session: Session, names: Sequence[str]) -> None:
    say = session.say

    @st.dialog(say("delete_documents", count=len(names)))
    def ask() -> None:
        with errors_shown():
            st.markdown(say("delete_documents_sure", names=inline(", ".join(names), 300)))
            if st.button(say("delete"), key="sure"):
                st.session_state["deleted"] = delete(session, names)
                st.session_state[_CHOSEN] = set()
                st.rerun()

    ask()


def _tell_deleted(done: Erasure, say: Say) -> None:
    """That documents are gone, and whether the search for what they held found any of it."""
    names = inline(", ".join(done.names))
    if done.left:
        left = inline(", ".join(map(str, done.left)), 400)
        st.warning(say("deleted_left", names=names, files=left), icon=":material/delete:")
    else:
        st.toast(say("deleted", names=names, files=done.files), icon=":material/delete:")


def delete(session: Session, names: Sequence[str]) -> Erasure:
    """Delete documents; those that are gone already, in another tab say, are as good as deleted."""
    with session.store() as store:
        unknown = set(store.unknown_names(names))
        done = erase(store, [name for name in names if name not in unknown])
    return replace(done, names=tuple(dict.fromkeys([*done.names, *names])))


def _left_out(session: Session, files: Sequence[StoredFile]) -> None:
    """Files that are no documents, and deleted documents whose files are still there."""
    say = session.say
    left_out = [file for file in files if file.state in ("empty", "set aside")]
    if left_out:
        with st.expander(say("left_out", count=len(left_out)), icon=":material/error_outline:", key="left-out"):
            for file in left_out[:LEFT_OUT]:
                adding.problem(session, Verdict(file.relative, file.state, file.reason), "left-out")
            if len(left_out) > LEFT_OUT:
                st.caption(say("more_problems", count=len(left_out) - LEFT_OUT))
    with session.store() as store:
        excluded = store.excluded_names()
    if not excluded:
        return
    with st.expander(say("excluded", count=len(excluded)), icon=":material/block:", key="excluded"):
        st.caption(say("excluded_about"))
        for name in excluded[:LEFT_OUT]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(inline(name), width="stretch")
                if session.user.may_change(session.kb) and st.button(say("include"), key=f"include-{name}"):
                    include(session, name)
                    st.rerun()


def include(session: Session, name: str) -> None:
    """Take a deleted document in again."""
    with session.store() as store:
        store.include(name)
        roots = [root.path for root in store.root_states()]
    adding.start(session, roots, only=[name])
