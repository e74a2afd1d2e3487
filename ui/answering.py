"""An answer being written: the pipeline's three steps in a job that keeps what it wrote in the conversation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

from rag.errors import Incomplete
from rag.types import EVERYTHING, Filter, Turn
from ui.jobs import Job
from ui.session import Session

if TYPE_CHECKING:
    from rag.pipeline import Pipeline

Stage = Literal["loading", "searching", "waiting", "reading", "writing", "checking"]
WIDER = 2  # times as many passages are read where somebody searches wider


@dataclass(frozen=True, slots=True)
class Draft:
    """How far an answer is: its text so far, unchecked, and what is being done; ``ahead`` answers come before it."""

    stage: Stage = "loading"
    text: str = ""
    passages: int = 0
    ahead: int = 0


def start_answer(
    session: Session,
    conversation: int,
    question: str,
    history: Sequence[Turn],
    *,
    scope: Filter = EVERYTHING,
    wider: bool = False,
) -> Job[Draft]:
    """Answer a question in the background; the answer, or the part before a stop, is added to the conversation.

    ``wider`` asks every knowledge base of the user without restrictions, and lets the model read twice as many passages.
    """
    job = Job(
        lambda report, stop: _answer(session, conversation, question, history, scope, wider, report, stop),
        Draft("searching" if session.services.loaded else "loading"),
    )
    session.services.answers[conversation] = job
    return job


def _asked(session: Session, scope: Filter, wider: bool) -> tuple[Pipeline, Filter]:
    """The pipeline over the first knowledge base of the scope, and the filter for it."""
    loaded = session.services.pipeline()
    if wider:
        kbs = tuple(session.kbs())
        return loaded.seen_by(session.user, session.kb).reading(loaded.settings.retrieval.k * WIDER), Filter(kbs=kbs)
    kbs = scope.kbs or (session.kb,)
    return loaded.seen_by(session.user, kbs[0]), replace(scope, kbs=kbs if len(kbs) > 1 else ())


def _answer(
    session: Session,
    conversation: int,
    question: str,
    history: Sequence[Turn],
    scope: Filter,
    wider: bool,
    report: Callable[[Draft], None],
    stop: threading.Event,
) -> None:
    pipeline, filter = _asked(session, scope, wider)
    report(Draft("searching"))
    retrieval = pipeline.retrieve(question, history, filter=filter)
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
                draft = replace(draft, stage="writing", text=draft.text + piece, ahead=0)
            elif not draft.text:
                ahead = pipeline.ahead(retrieval)
                draft = replace(draft, stage="waiting" if ahead else "reading", ahead=ahead)
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
            session.conversations().add(conversation, "assistant", draft.text, passages=retrieval.passages)
    if whole:
        report(replace(draft, stage="checking"))
        seconds = time.monotonic() - began
        answer = pipeline.finish(retrieval, draft.text, first_token=first, seconds=seconds, incomplete=incomplete)
        session.conversations().add(conversation, "assistant", answer.text, answer)
