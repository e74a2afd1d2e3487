"""Question sets on the page: chosen, uploaded, looked at, completed, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from evaluation.collected import COLLECTED, DRAFTED, FEEDBACK, sets_folder
from evaluation.dataset import Question, load, save
from rag.errors import DatasetError
from ui.markup import inline, plain
from ui.resources import errors_shown
from ui.session import Session

ROWS = 10  # questions on a page of the list
MOST_BYTES = 20 << 20


def choose(session: Session, sets: Sequence[Path]) -> Path | None:
    """Choose a set, or bring one; the chosen one, None where there is none yet."""
    say = session.say
    chosen = None
    if sets:
        named = st.session_state.pop("new-set", None)
        if named in sets:
            st.session_state["question-set"] = named
        chosen = st.selectbox(
            say("question_set"), sets, format_func=lambda path: _name(path, session), key="question-set"
        )
    else:
        st.info(say("no_set"), icon=":material/info:")
    with st.expander(say("bring_set"), icon=":material/upload_file:", key="bring-set"):
        _upload(session)
    if chosen is not None:
        with st.expander(say("look_at_set"), icon=":material/list:", key="look-at-set", on_change="rerun") as box:
            if box.open:
                _questions(session, chosen)
    return chosen


def _name(path: Path, session: Session) -> str:
    names = {COLLECTED: "collected_set", DRAFTED: "drafted_set", FEEDBACK: "feedback_set"}
    return session.say(names[path.name]) if path.name in names else path.stem


def _upload(session: Session) -> None:
    say = session.say
    st.caption(say("set_format"))
    turn = st.session_state.setdefault("set-turn", 0)
    file = st.file_uploader(
        say("bring_set"), type=["jsonl", "json", "csv", "tsv"], key=f"set-{turn}", label_visibility="collapsed"
    )
    if file is None:
        return
    st.session_state["set-turn"] = turn + 1
    with errors_shown():
        if file.size > MOST_BYTES:
            raise DatasetError(f"{file.name} has {file.size >> 20} MB; {MOST_BYTES >> 20} MB is the most.")
        st.session_state["new-set"] = bring(session.services.settings.home, session.kb, file.name, file.getvalue())
        st.rerun()


def bring(home: Path, kb: str, name: str, data: bytes) -> Path:
    """Keep an uploaded set as JSONL, once it can be read whole; raises DatasetError naming all that is wrong."""
    from ingest.uploads import clean_name

    folder, given = sets_folder(home, kb), Path(clean_name(name))
    target = folder / f"{given.stem}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder) as place:
            part = Path(place) / given.name
            part.write_bytes(data)
            questions = load(part)
            if given.suffix.lower() == ".jsonl":
                part.replace(target)  # with whatever else the set says of its questions
            else:
                save(target, questions)
    except OSError as error:
        raise DatasetError(f"{target} cannot be written ({error.strerror}). Check its folder and the space.") from None
    except DatasetError as error:
        raise DatasetError(str(error).replace(str(part), given.name)) from None
    return target


def _questions(session: Session, path: Path) -> None:
    say = session.say
    try:
        questions = load(path)
    except DatasetError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    own = path.parent == sets_folder(session.services.settings.home, session.kb)
    if drafts := sum(_is_draft(question) for question in questions):
        st.caption(say("drafts_left", count=drafts))
    pages = -(-len(questions) // ROWS)
    number = st.pagination(pages, key=f"set-page-{path.name}-{pages}") if pages > 1 else 1
    for index in range((number - 1) * ROWS, min(number * ROWS, len(questions))):
        _question(session, path, questions, index, own=own)
    with st.container(horizontal=True):
        st.download_button(
            say("download_set"), lambda: path.read_bytes(), path.name, "application/jsonl", key="download-set",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        if own and st.button(say("delete_set"), key="delete-set", icon=":material/delete:"):
            _delete(session, path)


def _question(session: Session, path: Path, questions: list[Question], index: int, *, own: bool) -> None:
    say, question = session.say, questions[index]
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        with st.container(gap=None):
            mark = f" :orange-badge[{say('draft')}]" if _is_draft(question) else ""
            st.markdown(f"**{inline(question.question, 300)}**{mark}")
            wanted = " | ".join(question.answers) or ", ".join(question.relevant)
            st.caption(inline(wanted, 200) if question.answerable else say("unanswerable"))
        if (
            own
            and _is_draft(question)
            and st.button(say("is_right"), key=f"right-{index}", icon=":material/check:", type="tertiary")
        ):
            save(path, [*questions[:index], reviewed(question), *questions[index + 1 :]])
            st.rerun()
        if own and st.button(say("edit"), key=f"edit-{index}", icon=":material/edit:", type="tertiary"):
            _edit(session, path, questions, index)


def _edit(session: Session, path: Path, questions: list[Question], index: int) -> None:
    say, question = session.say, questions[index]

    @st.dialog(say("edit_set_question"))
    def ask() -> None:
        with errors_shown():
            with session.store() as store:
                names = sorted({document.name for document in store.documents()} | set(question.relevant))
            st.markdown(plain(question.question))
            answerable = st.toggle(say("answerable"), question.answerable, key="edit-answerable")
            answers = st.text_area(
                say("right_answers"), "\n".join(question.answers), help=say("right_answers_help"), key="edit-answers"
            )
            relevant = st.multiselect(say("relevant"), names, question.relevant, key="edit-relevant")
            with st.container(horizontal=True):
                if st.button(say("save"), key="save-question"):
                    changed = edited(question, answers.split("\n"), relevant, answerable)
                    save(path, [*questions[:index], changed, *questions[index + 1 :]])
                    st.rerun()
                if st.button(say("delete"), key="delete-question", icon=":material/delete:"):
                    save(path, [*questions[:index], *questions[index + 1 :]])
                    st.rerun()

    ask()


def edited(question: Question, answers: Sequence[str], relevant: Sequence[str], answerable: bool) -> Question:
    """The question with what is right about it; an unanswerable one has neither answers nor documents.

    Raises DatasetError where an answerable one would have nothing to be measured by.
    """
    kept = tuple(text.strip() for text in answers if text.strip()) if answerable else ()
    if answerable and not kept and not relevant:
        raise DatasetError("Name a right answer or a document that holds it, or say that the documents hold none.")
    changed = replace(question, answers=kept, relevant=tuple(relevant) if answerable else (), answerable=answerable)
    return reviewed(changed)


def reviewed(question: Question) -> Question:
    """The question without the mark of a draft that nobody has looked at."""
    return replace(question, meta={name: value for name, value in question.meta.items() if name != "draft"})


def _is_draft(question: Question) -> bool:
    return bool(question.meta.get("draft"))


def _delete(session: Session, path: Path) -> None:
    say = session.say

    @st.dialog(say("delete_set"))
    def ask() -> None:
        st.markdown(say("delete_set_sure", name=inline(_name(path, session))))
        if st.button(say("delete"), key="sure"):
            path.unlink(missing_ok=True)
            st.rerun()

    ask()
