"""Question sets of a knowledge base's own: uploaded ones, and those that grow out of people's real questions."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from evaluation.dataset import Question, as_entry, load
from rag.access import User
from rag.conversations import Conversations, Message, history, owners
from rag.errors import DatasetError

COLLECTED, DRAFTED, FEEDBACK = "collected.jsonl", "drafted.jsonl", "feedback.jsonl"


def sets_folder(home: Path, kb: str) -> Path:
    """Where the question sets of a knowledge base lie."""
    return home / "workspace" / "questions" / kb


def learned(messages: Sequence[Message], number: int) -> Question | None:
    """The question of an answer with what is known to be right of it; None where nothing is.

    That is the reader's correction, else the words that were quoted and their documents, or that it was refused, unless the
    reader called it wrong.
    """
    message = messages[number]
    answer = message.answer
    if answer is None or number == 0 or messages[number - 1].role != "user":
        return None
    trusted = () if message.rating == -1 else answer.citations
    if not (message.correction or trusted or (answer.refused and message.rating != -1)):
        return None
    return Question(
        id=f"c{time.time_ns():x}",
        question=messages[number - 1].content,
        answers=(message.correction,) if message.correction else tuple(" ".join(c.quote.split()) for c in trusted),
        relevant=tuple(dict.fromkeys(citation.passage.chunk.document for citation in trusted)),
        answerable=bool(message.correction) or not answer.refused,
        history=history(list(messages[: number - 1])),
    )


def collect(home: Path, kb: str, question: Question) -> bool:
    """Add a question to the collected set; False where it is there already. Raises DatasetError."""
    path = sets_folder(home, kb) / COLLECTED
    if path.exists() and any(q.question == question.question and q.history == question.history for q in load(path)):
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(as_entry(question), ensure_ascii=False) + "\n")
    except OSError as error:
        raise DatasetError(f"{path} cannot be written ({error.strerror}). Check its folder and the space.") from None
    return True


def from_feedback(home: Path, kb: str) -> tuple[list[Question], int]:
    """The questions whose answers people judged, each once, with what is right; and how many were only called wrong.

    Everybody's conversations are looked at, as far as they asked this knowledge base.
    """
    found: dict[object, Question] = {}
    unknown = 0
    for owner in owners(home):
        conversations = Conversations(home, User(owner, "admin"))
        for conversation in conversations.all():
            scope = conversations.scope(conversation.id)
            messages = conversations.messages(conversation.id) if not scope.kbs or kb in scope.kbs else []
            for number, message in enumerate(messages):
                if message.rating == 0 or not _from(kb, message):
                    continue
                question = learned(messages, number)
                if question is None:
                    unknown += 1
                else:
                    found.setdefault((question.question, question.history), question)
    return list(found.values()), unknown


def _from(kb: str, message: Message) -> bool:
    """Whether what an answer shows is from this knowledge base; one that shows nothing may be."""
    shown = message.answer.passages if message.answer else ()
    return not shown or any(passage.kb in ("", kb) for passage in shown)
