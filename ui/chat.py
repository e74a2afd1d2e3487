"""The chat page: questions, streamed answers, footnotes that open the quoted words."""

from __future__ import annotations

import time

import streamlit as st

from rag.conversations import Message, history
from rag.explain import notes
from rag.types import Answer, Passage
from ui import conversations as kept
from ui import library
from ui.answering import Draft, start_answer
from ui.jobs import Job
from ui.markup import answer_markdown, inline, plain, unsupported
from ui.session import Session
from ui.text import EXAMPLES, Say
from ui.viewer import citation_card, passage_text, source_line

BOOK, PERSON = ":material/menu_book:", ":material/person:"
POLL = 0.4  # seconds between two looks at an answer being written


def page(session: Session) -> None:
    """Draw the chat page for the conversation in the address, or an inviting empty one."""
    say = session.say
    conversation = kept.sidebar(session)
    messages = session.conversations().messages(conversation) if conversation else []
    job = session.services.answers.get(conversation) if conversation else None
    _privacy(session)
    for number, message in enumerate(messages):
        _message(session, message, key=f"{conversation}-{number}")
    if conversation and messages:
        _unanswered(session, conversation, messages, job)
    chosen = None if messages else _welcome(session)
    busy = job is not None and not job.done
    question = st.chat_input(say("ask_placeholder"), key="question", disabled=busy) or chosen
    if question and question.strip():
        _ask(session, conversation, messages, question.strip())


def _ask(session: Session, conversation: int | None, messages: list[Message], question: str) -> None:
    if conversation is None:
        conversation = session.conversations().create(question)
        kept.open_conversation(conversation)
    session.conversations().add(conversation, "user", question)
    start_answer(session, conversation, question, history(messages))
    st.rerun()


def _privacy(session: Session) -> None:
    say = session.say
    llm = session.services.settings.llm
    where = (
        f":orange-badge[:material/cloud_upload: {say('remote')}]"
        if llm.remote or session.services.settings.embedding.remote
        else (f":green-badge[:material/lock: {say('local')}]")
    )
    with st.container(horizontal=True, horizontal_alignment="right", key="privacy"):
        st.markdown(f"{where} :gray-badge[{inline(llm.model.removeprefix('builtin:'), 40)}]", width="content")


def _welcome(session: Session) -> str | None:
    say = session.say
    with session.store() as store:
        documents, chunks = store.counts()
    with st.container(key="welcome", horizontal_alignment="center"):
        st.markdown(f"# {say('app_name')}", text_alignment="center", anchors=False)
        st.markdown(say("tagline"), text_alignment="center")
        if documents:
            st.caption(say("collection", documents=documents, chunks=chunks), text_alignment="center")
    if not documents:
        library.invite(session)
        return None
    st.space("small")
    st.caption(say("examples"))
    chosen = None
    for pair in (EXAMPLES[say.language][:2], EXAMPLES[say.language][2:]):
        for column, example in zip(st.columns(2), pair, strict=True):
            if column.button(example, key=f"example-{example}", width="stretch"):
                chosen = example
    return chosen


def _message(session: Session, message: Message, *, key: str) -> None:
    say = session.say
    with st.chat_message(message.role, avatar=PERSON if message.role == "user" else BOOK):
        if message.role == "user":
            st.markdown(plain(message.content))
        elif message.answer is None:
            st.markdown(plain(message.content))
            st.caption(f":material/stop_circle: {say('stopped')}")
        elif message.answer.refused:
            _refusal(message.answer, say, key=key)
        else:
            _checked(session, message.answer, key=key)


def _checked(session: Session, answer: Answer, *, key: str) -> None:
    say = session.say
    st.markdown(answer_markdown(answer))
    for note in notes(answer):
        st.caption(f":material/info: {inline(note, 400)}")
    if answer.thoughts:
        with st.expander(say("thoughts")):
            st.markdown(plain(answer.thoughts))
    for line in unsupported(answer, say):
        st.caption(f":orange[:material/warning:] {line}")
    if answer.citations:
        _footnotes(session, answer, key=key)
    if answer.passages:
        _looked_at(answer, say, key=key)


def _footnotes(session: Session, answer: Answer, *, key: str) -> None:
    say = session.say
    by_number = {citation.n: citation for citation in answer.citations}

    def label(number: int) -> str:
        citation = by_number[number]
        page = "" if citation.page is None else " · " + say("page", page=citation.page)
        return f"**{number}** {inline(citation.passage.chunk.document.rsplit('/', 1)[-1], 28)}{page}"

    opened = st.pills(
        say("footnotes"), list(by_number), format_func=label, key=f"notes-{key}", label_visibility="collapsed"
    )
    if opened is not None:
        citation_card(by_number[opened], session, key=f"{key}-{opened}")


def _refusal(answer: Answer, say: Say, *, key: str) -> None:
    st.markdown(f":material/do_not_disturb_on: **{inline(answer.text, 400)}**")
    for note in notes(answer):
        st.caption(plain(note))
    if answer.passages:
        st.caption(say("nearest"))
    for number, passage in enumerate(answer.passages):
        with st.expander(source_line(passage, say)):
            passage_text(passage, say, key=f"near-{key}-{number}")
    _timing(answer, say)


def _looked_at(answer: Answer, say: Say, *, key: str) -> None:
    box = st.expander(
        say("looked_at", count=len(answer.passages)), key=f"looked-{key}", type="compact", on_change="rerun"
    )
    if box.open:
        with box:
            for number, passage in enumerate(answer.passages):
                st.markdown(source_line(passage, say))
                st.caption(_score(passage, say))
                passage_text(passage, say, key=f"passage-{key}-{number}")
            _timing(answer, say)


def _score(passage: Passage, say: Say) -> str:
    parts = [say("score", score=f"{passage.score:.2f}")]
    if passage.dense_rank is not None:
        parts.append(say("by_meaning", rank=passage.dense_rank))
    if passage.lexical_rank is not None:
        parts.append(say("by_words", rank=passage.lexical_rank))
    return " · ".join(parts)


def _timing(answer: Answer, say: Say) -> None:
    parts = [say("took", seconds=f"{answer.timings.total:.1f}")]
    if answer.timings.first_token is not None:
        parts.append(say("first_word", seconds=f"{answer.timings.first_token:.1f}"))
    if answer.id:
        parts.append(inline(answer.id))  # what `python -m rag replay` is told
    st.caption(" · ".join(parts))


def _unanswered(session: Session, conversation: int, messages: list[Message], job: Job[Draft] | None) -> None:
    """What follows the last message where its answer is being written, failed or never came."""
    say = session.say
    if job is not None and not job.done:
        _streaming(job, say)
        return
    failed = job is not None and bool(job.error or job.failed)
    if not failed and messages[-1].role == "assistant":
        return
    with st.chat_message("assistant", avatar=BOOK):
        if job is not None and failed:
            st.error(plain(job.error or say("unexpected")), icon=":material/error:")
        else:
            st.caption(say("stopped_empty" if job is not None and job.stopping else "unanswered"))
        if st.button(say("ask_again"), icon=":material/refresh:", key="ask-again"):
            asked = max(number for number, message in enumerate(messages) if message.role == "user")
            start_answer(session, conversation, messages[asked].content, history(messages[:asked]))
            st.rerun()


@st.fragment(run_every=POLL)
def _streaming(job: Job[Draft], say: Say) -> None:
    if job.done:
        st.rerun()
    draft = job.progress
    with st.chat_message("assistant", avatar=BOOK):
        if draft.text:
            st.markdown(plain(draft.text))
        with st.container(horizontal=True, vertical_alignment="center", key="streaming"):
            st.button(say("stop"), key="stop", on_click=job.stop, disabled=job.stopping, icon=":material/stop:")
            stage = say("stopping") if job.stopping else say(draft.stage, count=draft.passages)
            seconds = time.monotonic() - job.started
            st.caption(f"{stage} {seconds:.0f} s", width="content")
