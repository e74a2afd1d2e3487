"""The opened source: the page as it looks, the table or the text with the quoted words marked; never read as markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import IngestError, StoreError
from rag.types import PAGE_BREAK, Citation, Page, Passage
from ui.markup import inline
from ui.resources import errors_shown
from ui.session import Session
from ui.table_rows import Rows, rows_around
from ui.text import Say
from ui.words.reasons import reason

if TYPE_CHECKING:
    from ingest.originals import Original
    from ingest.page_image import PageImage

REACH = 20_000  # characters shown on either side of the quoted words
DRAWN = frozenset(
    (".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif")
)  # what has pages to look at
AROUND = 600  # characters of it beside the answer
LARGE = 1440  # pixels of a page that is looked at closely; Streamlit would make a wider one smaller again

_CSS = """
.source { color: var(--st-text-color); font-family: var(--st-font); font-size: .95rem; line-height: 1.75;
  white-space: pre-wrap; overflow-wrap: anywhere; max-height: var(--limit, 22rem); overflow: auto;
  padding-right: .25rem; }
.source:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 4px; }
mark { color: inherit; background: var(--st-yellow-background-color); border-bottom: 2px solid var(--st-yellow-color);
  border-radius: 2px; padding: .1em 0; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
table { border-collapse: collapse; white-space: normal; font-size: .875rem; line-height: 1.5; width: max-content;
  overflow-wrap: break-word; }
th, td { border: 1px solid var(--st-border-color); padding: .3rem .6rem; text-align: left; vertical-align: top;
  max-width: 16em; }
tr.quoted td { background: var(--st-yellow-background-color); font-weight: 600; }
"""

_JS = """
function table(rows) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const name of rows.names) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    head.appendChild(cell);
  }
  const body = table.createTBody();
  rows.rows.forEach((row, index) => {
    const line = body.insertRow();
    if (rows.marked.includes(index)) line.className = "quoted";
    for (const value of row) line.insertCell().textContent = value;
  });
  return table;
}

export default function ({ data, parentElement }) {
  let box = parentElement.querySelector(".source");
  if (!box) {
    box = document.createElement("div");
    box.className = "source";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    parentElement.appendChild(box);
  }
  box.setAttribute("aria-label", data.label);
  if (data.tall) box.style.setProperty("--limit", "65vh");
  if (data.table) {
    box.replaceChildren(table(data.table));
    return;
  }
  const mark = document.createElement("mark");
  mark.textContent = data.quote;
  const parts = [document.createTextNode(data.before)];
  if (data.quote) parts.push(mark);
  parts.push(document.createTextNode(data.after));
  box.replaceChildren(...parts);
  if (data.quote) requestAnimationFrame(() => {
    box.scrollTop += mark.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 3;
  });
}
"""

_source = st.components.v2.component("footnote_source", css=_CSS, js=_JS)


def passage_text(passage: Passage, say: Say, *, key: str, quote: tuple[int, int] | None = None) -> None:
    """A passage's text; ``quote`` marks the words at these offsets of the document."""
    chunk = passage.chunk
    start, end = quote or (chunk.end, chunk.end)
    _show(chunk.text, start - chunk.start, end - chunk.start, label=say("quoted_passage"), key=key)


def source_line(passage: Passage, say: Say) -> str:
    """Where a passage comes from, as Markdown: document, page, section, other documents with the same text."""
    chunk = passage.chunk
    parts = [f"**{inline(chunk.document)}**"]
    if chunk.page is not None:
        parts.append(say("page", page=chunk.page))
    if section := chunk.heading.split(" › ", 1)[-1].strip():
        parts.append(inline(section, 80))
    if passage.also:
        parts.append(say("also_in", names=inline(", ".join(passage.also), 120)))
    return " · ".join(parts)


def excerpt(text: str, start: int, end: int, *, label: str, key: str) -> None:
    """A piece of a document's text, set as text, with the words from ``start`` to ``end`` marked."""
    _show(text, start, end, label=label, key=key)


def citation_card(citation: Citation, session: Session, *, key: str) -> None:
    """A footnote, opened: where it is from, the page or table as it looks, the quoted words in their passage."""
    say, kb = session.say, citation.passage.kb or session.kb
    with st.container(border=True, key=f"source-{key}"), errors_shown():
        other = f" :gray-badge[:material/database: {inline(kb, 40)}]" if kb != session.kb else ""
        st.markdown(f":gray-badge[{citation.n}] {source_line(citation.passage, say)}{other}")
        with session.store(kb) as store:
            try:
                text = store.document_text(citation.passage.chunk.document)
                pages = store.document_pages(citation.passage.chunk.document)
            except StoreError:
                st.caption(f":material/info: {say('source_gone')}")
                passage_text(citation.passage, say, key=f"text-{key}", quote=(citation.start, citation.end))
                return
        citation = _moved(citation, text)
        if text[citation.start : citation.end] != citation.quote:
            st.caption(f":material/info: {say('source_changed')}")
            passage_text(citation.passage, say, key=f"text-{key}", quote=(citation.start, citation.end))
            return
        _page_picture(citation, session, kb, pages, key=key)
        if (rows := rows_around(text, citation.start, citation.end)) is not None:
            _table(rows, say, key=key)
        _around(text, citation, say, key=key)
        if st.button(say("show_in_document"), key=f"open-{key}", type="tertiary", icon=":material/article:"):
            _document(session, citation, kb)


def _moved(citation: Citation, text: str) -> Citation:
    """The citation where its words stand now, should only what is around them have changed; else as it is."""
    start = text.find(citation.quote) if text[citation.start : citation.end] != citation.quote else citation.start
    return citation if start < 0 else replace(citation, start=start, end=start + len(citation.quote))


# The page as it looks


@st.fragment
def _page_picture(citation: Citation, session: Session, kb: str, pages: Sequence[Page], *, key: str) -> None:
    """The page of a PDF or picture with the quoted words marked, as long as the file is the one that was taken in."""
    from ingest.originals import find_original

    say, name = session.say, citation.passage.chunk.document
    if not pages or name.rsplit(".", 1)[-1].lower() not in {suffix.removeprefix(".") for suffix in DRAWN}:
        return
    try:
        with session.store(kb) as store:
            original = find_original(store, name)
        if original.record:
            st.caption(f":material/attach_file: {say('inside_a_mail')}")
            return
        at = _place(pages, citation.start)
        shown = st.session_state.setdefault(f"page-of-{key}", at)
        with st.spinner(say("drawing")):
            drawn = _drawn(session, original, pages, min(shown, len(pages) - 1), citation)
    except (IngestError, StoreError) as error:
        st.caption(f":material/info: {inline(reason(str(error), say.language), 300)}")
        return
    page = pages[min(shown, len(pages) - 1)].number or 1
    st.image(drawn.png, width="stretch", alt=say("page_of", page=page, name=name))
    if drawn.note:
        st.caption(reason(drawn.note, say.language))
    elif shown == at and not drawn.found:
        st.caption(say("not_located"))
    _turn(session, original, pages, citation, key=key, shown=shown)


def _turn(
    session: Session, original: Original, pages: Sequence[Page], citation: Citation, *, key: str, shown: int
) -> None:
    """Turn pages, and look at one closely."""
    say, state = session.say, f"page-of-{key}"

    def turn(by: int) -> None:
        st.session_state[state] = min(max(shown + by, 0), len(pages) - 1)

    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"turn-{key}"):
        if len(pages) > 1:
            st.button(
                say("page_before"), key=f"back-{key}", icon=":material/chevron_left:", type="tertiary",
                disabled=shown <= 0, on_click=turn, args=(-1,),
            )  # fmt: skip
            st.markdown(f"{pages[shown].number or shown + 1} / {len(pages)}", width="content")
            st.button(
                say("page_after"), key=f"on-{key}", icon=":material/chevron_right:", type="tertiary",
                disabled=shown >= len(pages) - 1, on_click=turn, args=(1,),
            )  # fmt: skip
        if st.button(say("larger"), key=f"larger-{key}", icon=":material/zoom_in:", type="tertiary"):
            _closely(session, original, pages, shown, citation)


def _closely(session: Session, original: Original, pages: Sequence[Page], shown: int, citation: Citation) -> None:
    name = citation.passage.chunk.document

    @st.dialog(inline(name, 60), width="large")
    def show() -> None:
        with errors_shown():
            drawn = _drawn(session, original, pages, shown, citation, width=LARGE)
            alt = session.say("page_of", page=pages[shown].number or 1, name=name)
            st.image(drawn.png, width="stretch", alt=alt)

    show()


def _place(pages: Sequence[Page], offset: int) -> int:
    """Which of the pages holds a character of the document's text."""
    end = 0
    for index, page in enumerate(pages):
        end += len(page.text) + len(PAGE_BREAK)
        if offset < end:
            return index
    return len(pages) - 1


def _drawn(
    session: Session, original: Original, pages: Sequence[Page], shown: int, citation: Citation, width: int = 0
) -> PageImage:
    """One page with as much of the quoted words as stands on it."""
    from ingest.page_image import WIDTH, PageRequest

    before = sum(len(page.text) + len(PAGE_BREAK) for page in pages[:shown])
    page = pages[shown]
    first, last = (min(max(place - before, 0), len(page.text)) for place in (citation.start, citation.end))
    request = PageRequest(
        original.file.sha256, page.number or 1, page.text, first, last, ocr=page.kind == "ocr", width=width or WIDTH
    )
    return session.services.draw(original.path, request)


# Tables and text


def _table(rows: Rows, say: Say, *, key: str) -> None:
    told = {**asdict(rows), "marked": sorted(rows.marked)}
    _source(key=f"table-{key}", data={"table": told, "label": say("quoted_rows"), "tall": False})


def _around(text: str, citation: Citation, say: Say, *, key: str) -> None:
    """The quoted words and the lines around them."""
    first, last = max(0, citation.start - AROUND), min(len(text), citation.end + AROUND)
    if first:
        first = max(first, text.find("\n", first, citation.start) + 1)
    if last < len(text) and (edge := text.rfind("\n", citation.end, last)) > 0:
        last = edge
    shown = text[first:last].replace(PAGE_BREAK, "\n")
    _show(shown, citation.start - first, citation.end - first, label=say("quoted_passage"), key=f"text-{key}")


def _document(session: Session, citation: Citation, kb: str) -> None:
    say, name = session.say, citation.passage.chunk.document

    @st.dialog(inline(name, 60), width="large")
    def show() -> None:
        with errors_shown():
            with session.store(kb) as store:
                text = store.document_text(name)
            first, last = max(0, citation.start - REACH), min(len(text), citation.end + REACH)
            if (first, last) != (0, len(text)):
                st.caption(say("cut"))
            _show(text[first:last], citation.start - first, citation.end - first, label=name, key="document", tall=True)

    show()


def _show(text: str, start: int, end: int, *, label: str, key: str, tall: bool = False) -> None:
    start, end = max(0, start), min(len(text), end)
    data = {"before": text[:start], "quote": text[start:end], "after": text[max(start, end) :], "label": label}
    _source(key=key, data={**data, "tall": tall})
