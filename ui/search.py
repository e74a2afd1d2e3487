"""The search tester: what each half of the search finds, how the two are put together, and why each passage is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from rag import fusion
from rag.types import Cut, Passage, Retrieval
from ui.markup import inline
from ui.session import Session
from ui.text import Say
from ui.viewer import passage_text, source_line

TERMS = 8  # of a question, shown with their share


def page(session: Session) -> None:
    """Draw the search tester over the present knowledge base."""
    say = session.say
    st.title(say("search"), anchor=False)
    st.markdown(say("search_about"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        hint = say("search_question")
        question = st.text_input(
            hint, key="tester-question", placeholder=hint, label_visibility="collapsed", max_chars=4000
        )
        k = st.number_input(say("search_k"), 1, 30, 8, key="tester-k", width=140)
    if not question.strip():
        return
    with session.store() as store:
        if not store.counts()[0]:
            st.info(say("empty_library"), icon=":material/info:")
            return
    with st.spinner(say("searching")):
        found = session.searcher().retrieve(question.strip(), k=int(k))
    if found.reply:
        st.info(inline(found.reply, 500), icon=":material/chat:")
        return
    _verdict(found, session)
    tabs = st.tabs([say("fused"), say("two_halves"), say("passed_over")])
    with tabs[0]:
        for number, passage in enumerate(found.passages, 1):
            _explained(number, passage, say)
    with tabs[1]:
        everything = [*found.passages, *(cut.passage for cut in found.trace.cut)]
        meaning, words = st.columns(2)
        with meaning:
            _ranking(say("ranked_by_meaning"), everything, lambda p: p.dense_rank, lambda p: p.dense, say)
        with words:
            _ranking(say("ranked_by_words"), everything, lambda p: p.lexical_rank, lambda p: p.lexical, say)
    with tabs[2]:
        _cut(found.trace.cut, found.passages, say)


def _verdict(found: Retrieval, session: Session) -> None:
    """Whether the question would be answered, and how much was searched."""
    say, strictness = session.say, session.services.settings.answers.strictness
    share = f"{found.answerable:.0%}"
    key = "would_refuse" if found.refusal else "would_answer" if found.answerable >= strictness else "draft_decides"
    colour = {"would_refuse": "orange", "would_answer": "green", "draft_decides": "gray"}[key]
    st.markdown(f":{colour}-badge[{say(key, share=share)}] :gray-badge[{say('strictness')} {strictness:.2f}]")
    parts = [say("searched", count=found.trace.searched)]
    parts += [say("hidden", count=found.trace.hidden)] if found.trace.hidden else []
    parts += [say("asked_as", query=inline(found.query, 200))] if found.query != found.question else []
    st.caption(" · ".join(parts))


def _explained(number: int, passage: Passage, say: Say) -> None:
    with st.container(border=True, gap="xsmall", key=f"found-{number}"):
        st.markdown(f"**{number}.** {source_line(passage, say)}")
        st.caption(_why(passage, say))
        if passage.terms:
            terms = [f"{inline(term, 20)} {share:.2f}" for term, share in passage.terms[:TERMS]]
            st.caption(f"{say('matched')}: {' · '.join(terms)}")
        passage_text(passage, say, key=f"tester-{number}")


def _why(passage: Passage, say: Say) -> str:
    """The score and what it is made of."""
    return say(
        "made_of",
        score=f"{passage.score:.3f}",
        meaning=f"{fusion.meaning(passage.dense, passage.window):.3f}",
        weight=f"{passage.lexical_weight:.2f}",
        words=f"{fusion.wording(passage.lexical):.3f}",
    )


def _ranking(
    heading: str,
    passages: Sequence[Passage],
    rank: Callable[[Passage], int | None],
    value: Callable[[Passage], float],
    say: Say,
) -> None:
    """The passages of one half in its own order, as far as they came into the mixture."""
    st.markdown(f"**{heading}**")
    listed = sorted((p for p in passages if rank(p) is not None), key=lambda p: rank(p) or 0)
    if not listed:
        st.caption(say("nothing_ranked"))
    for passage in listed:
        st.markdown(f"{rank(passage)}. {source_line(passage, say)}")
        st.caption(f"{value(passage):.3f} · {inline(passage.chunk.text, 90)}")


def _cut(cut: Sequence[Cut], shown: Sequence[Passage], say: Say) -> None:
    if not cut:
        st.caption(say("nothing_cut"))
    for each in cut:
        st.markdown(f"- {source_line(each.passage, say)}")
        st.caption(f"{each.passage.score:.3f} · {_cut_reason(each, shown, say)}")


def _cut_reason(cut: Cut, shown: Sequence[Passage], say: Say) -> str:
    if cut.why != "duplicate":
        return say("cut_beyond", count=len(shown))
    rank = next((n for n, p in enumerate(shown, 1) if p.chunk.id == cut.repeats), None)
    return say("cut_repeats", rank=rank) if rank else say("cut_repeats_cut")
