"""An answer being written: the pipeline's three steps in a job that keeps what it wrote in the conversation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from rag.errors import Incomplete
from rag.types import Turn
from ui.jobs import Job
from ui.session import Session

Stage = Literal["loading", "searching", "reading", "writing", "checking"]


@dataclass(frozen=True, slots=True)
class Draft:
    """How far an answer is: its text so far, unchecked, and what is being done."""

    stage: Stage = "loading"
    text: str = ""
    passages: int = 0


def start_answer(session: Session, conversation: int, question: str, history: Sequence[Turn]) -> Job[Draft]:
    """Answer a question in the background; the answer, or the part before a stop, is added to the conversation."""

    def work(report: Callable[[Draft], None], stop: threading.Event) -> None:
        _answer(session, conversation, question, history, report, stop)

    job = Job(work, Draft("searching" if session.services.loaded else "loading"))
    session.services.answers[conversation] = job
    return job


def _answer(
    session: Session,
    conversation: int,
    question: str,
    history: Sequence[Turn],
    report: Callable[[Draft], None],
    stop: threading.Event,
) -> None:
    pipeline = session.pipeline()
    report(Draft("searching"))
    retrieval = pipeline.retrieve(question, history)
    draft = Draft("reading", passages=len(retrieval.passages))
    report(draft)
    began, first = time.monotonic(), None
    incomplete = ""
    # Closing the iterator is what stops the model; a draft that broke off is kept like one that was stopped.
    pieces = cast("Generator[str]", pipeline.generate(retrieval))
    try:
        for piece in pieces:
            if stop.is_set():
                break
            if piece:
                first = time.monotonic() - began if first is None else first
                draft = replace(draft, stage="writing", text=draft.text + piece)
                report(draft)
        whole = not stop.is_set()
    except Incomplete as broken:
        incomplete, whole = str(broken), True
    except BaseException:
        whole = False
        raise
    finally:
        pieces.close()
        if not whole and draft.text.strip():
            session.conversations().add(conversation, "assistant", draft.text)
    if whole:
        report(replace(draft, stage="checking"))
        seconds = time.monotonic() - began
        answer = pipeline.finish(retrieval, draft.text, first_token=first, seconds=seconds, incomplete=incomplete)
        session.conversations().add(conversation, "assistant", answer.text, answer)
