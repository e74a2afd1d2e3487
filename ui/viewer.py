"""The opened source: a passage or a whole document with the quoted words marked, set as text and never as markup."""

from __future__ import annotations

import streamlit as st

from rag.types import Citation, Passage
from ui.markup import inline
from ui.resources import errors_shown
from ui.session import Session
from ui.text import Say

REACH = 20_000  # characters shown on either side of the quoted words

_CSS = """
.source { color: var(--st-text-color); font-family: var(--st-font); font-size: .95rem; line-height: 1.75;
  white-space: pre-wrap; overflow-wrap: anywhere; max-height: var(--limit, 22rem); overflow-y: auto;
  padding-right: .25rem; }
.source:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 4px; }
mark { color: inherit; background: var(--st-yellow-background-color); border-bottom: 2px solid var(--st-yellow-color);
  border-radius: 2px; padding: .1em 0; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
"""

_JS = """
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


def citation_card(citation: Citation, session: Session, *, key: str) -> None:
    """Footnote, opened: where it is from, the passage with the quoted words marked, and a way to the document."""
    say = session.say
    with st.container(border=True, key=f"source-{key}"):
        st.markdown(f":gray-badge[{citation.n}] {source_line(citation.passage, say)}")
        passage_text(citation.passage, say, key=f"text-{key}", quote=(citation.start, citation.end))
        if st.button(say("show_in_document"), key=f"open-{key}", type="tertiary", icon=":material/article:"):
            _document(session, citation)


def _document(session: Session, citation: Citation) -> None:
    say = session.say
    name = citation.passage.chunk.document

    @st.dialog(inline(name, 60), width="large")
    def show() -> None:
        with errors_shown():
            with session.store() as store:
                text = store.document_text(name)
            first, last = max(0, citation.start - REACH), min(len(text), citation.end + REACH)
            if (first, last) != (0, len(text)):
                st.caption(say("cut"))
            _show(text[first:last], citation.start - first, citation.end - first, label=name, key="document", tall=True)

    show()


def excerpt(text: str, start: int, end: int, *, label: str, key: str) -> None:
    """A piece of a document's text, set as text, with the words from ``start`` to ``end`` marked."""
    _show(text, start, end, label=label, key=key)


def _show(text: str, start: int, end: int, *, label: str, key: str, tall: bool = False) -> None:
    start, end = max(0, start), min(len(text), end)
    data = {"before": text[:start], "quote": text[start:end], "after": text[max(start, end) :], "label": label}
    _source(key=key, data={**data, "tall": tall})
