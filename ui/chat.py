"""The chat page: questions, streamed answers, footnotes that open the quoted words beside the answer."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from rag.conversations import Message, history
from rag.explain import notes
from rag.suggestions import follow_ups, questions
from rag.types import Answer, Language, Passage
from ui import adding, feedback, scope
from ui import conversations as kept
from ui.answering import Draft, start_answer
from ui.jobs import Job
from ui.markup import answer_markdown, inline, plain, unsupported
from ui.privacy import farthest
from ui.session import Session
from ui.text import EXAMPLES, Say
from ui.viewer import citation_card, passage_text, source_line

BOOK, PERSON = ":material/menu_book:", ":material/person:"
POLL = 0.4  # seconds between two looks at an answer being written
LATEST = 30  # messages drawn at once
_OPENED, _EDITED, _EARLIER = "opened-source", "edited-message", "earlier-messages"  # in the session


def page(session: Session) -> None:
    """Draw the chat page for the conversation in the address, or an inviting empty one."""
    conversation = kept.sidebar(session)
    job = session.services.answers.get(conversation) if conversation else None
    # Asked once, before the messages are read: an answer that comes while the page is drawn is then fetched by the
    # fragment, instead of being in neither.
    busy = job is not None and not job.done
    messages = session.conversations().messages(conversation) if conversation else []
    if _opened(messages) is not None:
        st.set_page_config(layout="wide")
    if conversation and messages:
        chosen = _conversation(session, conversation, messages, job, busy=busy)
    else:
        chosen = _welcome(session)
    with st.bottom:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="in-play"):
            scope.control(session, conversation)
            _privacy(session)
        typed = st.chat_input(session.say("ask_placeholder"), key="question", disabled=busy)
    question = typed or chosen
    if question and question.strip() and not busy:
        _ask(session, conversation, messages, question.strip())


def _conversation(
    session: Session, conversation: int, messages: list[Message], job: Job[Draft] | None, *, busy: bool
) -> str | None:
    """Draw the messages and what follows them; a question that was clicked on."""
    opened, say = _opened(messages), session.say
    hidden = 0 if st.session_state.get(_EARLIER) == conversation else max(0, len(messages) - LATEST)
    if hidden and st.button(
        say("show_earlier", count=hidden), key="earlier", type="tertiary", icon=":material/expand_less:"
    ):
        st.session_state[_EARLIER] = conversation
        st.rerun()
    chosen = None
    for number, message in enumerate(messages[hidden:], start=hidden):
        last = number >= len(messages) - 2 and not busy
        left, right = st.columns([6, 5], gap="medium") if opened is not None else (st.container(), None)
        with left:
            chosen = _message(session, conversation, messages, number, last=last) or chosen
        if right is not None and opened is not None and opened[0] == message.id:
            with right:
                _source(session, message, opened[1])
    if job is not None and busy:
        _streaming(job, say)
    else:
        _unanswered(session, conversation, messages, job)
    return chosen


def _ask(
    session: Session, conversation: int | None, messages: list[Message], question: str, wider: bool = False
) -> None:
    asked = scope.present(session, conversation)
    running = session.services.answers.get(conversation) if conversation is not None else None
    if running is not None and not running.done:  # in another tab, say
        st.rerun()
    if conversation is None:
        conversation = session.conversations().create(question, asked)
        kept.open_conversation(conversation)
        scope.forget()
    session.conversations().add(conversation, "user", question)
    start_answer(session, conversation, question, history(messages), scope=asked, wider=wider)
    st.rerun()


def _again(
    session: Session, conversation: int, messages: list[Message], number: int, question: str, wider: bool = False
) -> None:
    """Take the message of this number and all behind it away, and ask this in its place."""
    session.conversations().cut(conversation, messages[number].id)
    _ask(session, conversation, messages[:number], question, wider)


def _privacy(session: Session) -> None:
    say, settings = session.say, session.services.settings
    where = {
        "here": f":green-badge[:material/lock: {say('local')}]",
        "near": f":green-badge[:material/computer: {say('near')}]",
        "away": f":orange-badge[:material/cloud_upload: {say('remote')}]",
    }[farthest(settings)]
    st.markdown(f"{where} :gray-badge[{inline(settings.llm.model.removeprefix('builtin:'), 40)}]", width="content")


def _welcome(session: Session) -> str | None:
    say = session.say
    with session.store() as store:
        documents, chunks = store.counts()
        examples = _examples(say.language, {d.name for d in store.documents()} if documents < 200 else set())
        examples = examples or questions(reversed(store.headings()), say.language, most=4)
    with st.container(key="welcome", horizontal_alignment="center"):
        st.markdown(f"# {say('app_name')}", text_alignment="center", anchors=False)
        st.markdown(say("tagline"), text_alignment="center")
        if documents:
            st.caption(say("collection", documents=documents, chunks=chunks), text_alignment="center")
    if not documents:
        adding.panel(session, empty=True)
        return None
    if not examples:
        return None
    st.space("small")
    st.caption(say("examples"))
    return _choice(examples, key="example")


def _examples(spoken: Language, names: set[str]) -> list[str]:
    """The questions about the sample documents, as far as these are here."""
    return [question for question, document in EXAMPLES[spoken].items() if document in names]


def _choice(offered: Sequence[str], *, key: str) -> str | None:
    """Questions as buttons, two in a row; the one that was clicked on."""
    chosen = None
    for row in range(0, len(offered), 2):
        for column, question in zip(st.columns(2), offered[row : row + 2], strict=False):
            if column.button(inline(question, 120), key=f"{key}-{question}", width="stretch"):
                chosen = question
    return chosen


def _message(session: Session, conversation: int, messages: list[Message], number: int, *, last: bool) -> str | None:
    """One message with what can be done about it; a follow-up that was clicked on."""
    message, say = messages[number], session.say
    with st.chat_message(message.role, avatar=PERSON if message.role == "user" else BOOK):
        if message.role == "user":
            _question(session, conversation, messages, number, last=last)
            return None
        if message.gone:
            st.caption(f":material/delete: {say('answer_gone')}")
        elif message.answer is None:
            st.markdown(plain(message.content))
            st.caption(f":material/stop_circle: {say('stopped')}")
        else:
            with st.container(key=f"checked-{message.id}"):
                _answer(session, message, message.answer)
        asked = number - 1
        if message.answer is not None and message.answer.refused and last and messages[asked].role == "user":
            hint = say("search_wider_hint")
            if st.button(say("search_wider"), key="wider", icon=":material/travel_explore:", help=hint):
                _again(session, conversation, messages, asked, messages[asked].content, wider=True)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"actions-{message.id}"):
            feedback.row(session, messages, number)
            if last and messages[asked].role == "user":
                if st.button(say("answer_again"), key="retry", icon=":material/refresh:", type="tertiary"):
                    _again(session, conversation, messages, asked, messages[asked].content)
        feedback.correction(session, messages, number)
        if last and message.answer is not None:
            proposed = follow_ups(message.answer, [m.content for m in messages if m.role == "user"])
            return _proposed(proposed)
    return None


def _proposed(follow: Sequence[str]) -> str | None:
    """Questions worth asking next, one below the other; the one that was clicked on."""
    clicked = None
    with st.container(gap="xsmall", key="follow-ups"):
        for question in follow:
            if st.button(
                inline(question, 120), key=f"follow-{question}", icon=":material/subdirectory_arrow_right:", wrap=True
            ):
                clicked = question
    return clicked


def _question(session: Session, conversation: int, messages: list[Message], number: int, *, last: bool) -> None:
    message, say = messages[number], session.say
    if st.session_state.get(_EDITED) != message.id:
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.markdown(plain(message.content), width="stretch")
            if last and st.button(say("edit"), key="edit", icon=":material/edit:", type="tertiary"):
                st.session_state[_EDITED] = message.id
                st.rerun()
        return
    text = st.text_area(
        say("edit_question"), message.content, key="edited", max_chars=4000, label_visibility="collapsed"
    )
    with st.container(horizontal=True):
        if st.button(say("ask_edited"), key="ask-edited") and text.strip():
            st.session_state.pop(_EDITED)
            _again(session, conversation, messages, number, text.strip())
        if st.button(say("cancel"), key="cancel-edit"):
            st.session_state.pop(_EDITED)
            st.rerun()


def _answer(session: Session, message: Message, answer: Answer) -> None:
    say = session.say
    if answer.refused:
        _refusal(answer, say, key=str(message.id))
        return
    st.markdown(answer_markdown(answer))
    for note in notes(answer):
        st.caption(f":material/info: {inline(note, 400)}")
    if answer.thoughts:
        with st.expander(say("thoughts")):
            st.markdown(plain(answer.thoughts))
    for line in unsupported(answer, say):
        st.caption(f":orange[:material/warning:] {line}")
    if answer.citations:
        _footnotes(answer, say, message.id)
    if answer.passages:
        _looked_at(answer, say, key=str(message.id))


def _footnotes(answer: Answer, say: Say, identity: int) -> None:
    by_number = {citation.n: citation for citation in answer.citations}

    def label(number: int) -> str:
        citation = by_number[number]
        page = "" if citation.page is None else " · " + say("page", page=citation.page)
        return f"**{number}** {inline(citation.passage.chunk.document.rsplit('/', 1)[-1], 28)}{page}"

    key = f"notes-{identity}"
    opened = st.session_state.get(_OPENED)
    st.session_state[key] = opened[1] if opened and opened[0] == identity else None
    st.pills(
        say("footnotes"), list(by_number), format_func=label, key=key, label_visibility="collapsed",
        on_change=lambda: _open(identity, st.session_state[key]),
    )  # fmt: skip


def _open(message: int, number: int | None) -> None:
    """Open a footnote's source, and close the one that was open; None closes it."""
    st.session_state[_OPENED] = None if number is None else (message, number)


def _opened(messages: Sequence[Message]) -> tuple[int, int] | None:
    """The message and number of the footnote whose source is open, if it is one of these messages'."""
    opened: tuple[int, int] | None = st.session_state.get(_OPENED)
    answers = {message.id: message.answer for message in messages}
    answer = answers.get(opened[0]) if opened else None
    return opened if opened and answer and any(c.n == opened[1] for c in answer.citations) else None


def _source(session: Session, message: Message, number: int) -> None:
    assert message.answer is not None
    citation = next(c for c in message.answer.citations if c.n == number)
    st.button(
        session.say("close_source"), key="close-source", icon=":material/close:", type="tertiary",
        on_click=_open, args=(message.id, None),
    )  # fmt: skip
    citation_card(citation, session, key=f"{message.id}-{number}")


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
    """What follows the last message where its answer failed or never came."""
    say = session.say
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
            _again(session, conversation, messages, asked, messages[asked].content)


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
            stage = say("stopping") if job.stopping else say(draft.stage, count=draft.passages, ahead=draft.ahead)
            seconds = time.monotonic() - job.started
            st.caption(f"{stage} {seconds:.0f} s", width="content")
