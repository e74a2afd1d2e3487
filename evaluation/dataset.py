"""Question sets, read strictly; every error names its place, and all are told at once."""

from __future__ import annotations

import difflib
import json
import random
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evaluation.formats import entries
from rag.errors import DatasetError
from rag.types import Turn
from rag.whole_file import write_whole

if TYPE_CHECKING:
    from rag.store import Store

_KEYS = ("question", "answers", "relevant", "answerable", "history", "id", "rewrite", "meta")
_CONTAINED = re.compile(r"^.*?\.(?:jsonl|eml)#(.+)$", re.IGNORECASE | re.DOTALL)
_WITHHOLD_SEED = 20
_DRAW_SEED = 7
_MOST_TOLD = 20  # faults


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what counts as right: alternative ``answers`` and the names of its ``relevant`` documents.

    ``withhold`` names documents that the search must not see; such a question is asked as an unanswerable one. ``place`` is
    where it stands in its file.
    """

    id: str
    question: str
    answers: tuple[str, ...] = ()
    relevant: tuple[str, ...] = ()
    answerable: bool = True
    history: tuple[Turn, ...] = ()
    rewrite: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""
    withhold: tuple[str, ...] = ()


class Faults:
    """What is wrong with a set, gathered so that all of it is told at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[str] = []

    def add(self, place: str, what: str) -> None:
        """Note that something is wrong at a place."""
        self._found.append(f"{place}: {what}" if place else what)

    @property
    def many(self) -> bool:
        """Whether no more will be told one by one."""
        return len(self._found) >= _MOST_TOLD

    def check(self) -> None:
        """Raise DatasetError where something was wrong."""
        if len(self._found) == 1:
            [fault] = self._found
            raise DatasetError(f"{self._path}, {fault}" + ("" if fault.endswith("?") else "."))
        if self._found:
            shown = self._found[:_MOST_TOLD]
            more = [f"and {len(self._found) - len(shown)} more"] if len(self._found) > len(shown) else []
            lines = "".join(f"\n  {fault}" for fault in [*shown, *more])
            raise DatasetError(f"{self._path} has {len(self._found)} faults:{lines}")


def load(path: Path) -> list[Question]:
    """The questions of a set in its order; raises DatasetError naming every place where something is wrong.

    JSONL; SQuAD's or CMRC's .json; a BEIR folder, or one with qa.jsonl; a .csv or .tsv table (evaluation/formats.py).
    """
    faults, questions = Faults(path), []
    first: dict[object, str] = {}
    for entry in entries(path):
        try:
            if entry.fault:
                raise ValueError(entry.fault)
            question = _question(entry.value, entry.place)
        except ValueError as error:
            faults.add(entry.place, str(error))
            continue
        same = (question.question, question.history, question.answers, question.relevant, question.answerable)
        if (before := first.setdefault(("id", question.id), entry.place)) != entry.place:
            faults.add(entry.place, f"id {question.id!r} is already that of {before}")
        elif (before := first.setdefault(same, entry.place)) != entry.place:
            faults.add(entry.place, f"the same question as {before}; remove one of the two")
        questions.append(question)
    faults.check()
    if not questions:
        raise DatasetError(f'{path} holds no questions. Write one JSON object a line, each with a "question".')
    return questions


def as_entry(question: Question) -> dict[str, Any]:
    """The question as a line of a set holds it: only what it has."""
    entry: dict[str, Any] = {"id": question.id, "question": question.question}
    entry |= {"answers": list(question.answers)} if question.answers else {}
    entry |= {"relevant": list(question.relevant)} if question.relevant else {}
    entry |= {} if question.answerable else {"answerable": False}
    entry |= {"history": [asdict(turn) for turn in question.history]} if question.history else {}
    entry |= {"rewrite": question.rewrite} if question.rewrite else {}
    return entry | ({"meta": dict(question.meta)} if question.meta else {})


def save(path: Path, questions: Sequence[Question]) -> None:
    """Write a set anew, whole or not at all; without questions the file goes. Raises DatasetError."""
    try:
        if not questions:
            path.unlink(missing_ok=True)
            return
        lines = [json.dumps(as_entry(question), ensure_ascii=False) for question in questions]
        write_whole(path, "\n".join(lines) + "\n")
    except OSError as error:
        raise DatasetError(f"{path} cannot be written ({error.strerror}). Check its folder and the space.") from None


def resolve(questions: Iterable[Question], documents: Collection[str], path: Path) -> list[Question]:
    """The questions with ``relevant`` as the documents are called; raises DatasetError naming all that fit none.

    A name in ``relevant`` matches a document's name or the bare ID of a record (what follows ``file.jsonl#``; an ID
    may hold ``#`` itself). One that matches nothing, or more than one document, is an error.
    """
    called: dict[str, list[str]] = {}
    for name in sorted(set(documents)):
        called.setdefault(name, []).append(name)
        if contained := _CONTAINED.match(name):
            called.setdefault(contained[1], []).append(name)
    faults, resolved = Faults(path), []
    for question in questions:
        for name in question.relevant:
            if len(called.get(name, ())) != 1:
                # Near matches take their time, so only those that will be read are looked for.
                faults.add(question.place, "" if faults.many else _unknown(name, called))
        resolved.append(replace(question, relevant=tuple(called.get(name, [name])[0] for name in question.relevant)))
    faults.check()
    return resolved


def known_names(store: Store) -> list[str]:
    """What ``relevant`` may name: every document, and every file that is known and of which nothing could be indexed."""
    unread = [file.relative for file in store.all_files() if file.state in ("empty", "set aside")]
    return [*(document.name for document in store.documents()), *unread]


def drawn(questions: Sequence[Question], count: int | None) -> Sequence[Question]:
    """``count`` of the questions in their order, drawn at random but always the same ones; all where it is None."""
    if count is None or count >= len(questions):
        return questions
    return [questions[index] for index in sorted(random.Random(_DRAW_SEED).sample(range(len(questions)), count))]


def withheld(questions: Sequence[Question], count: int, path: Path) -> list[Question]:
    """``count`` answerable questions again, always the same ones, as unanswerable: their documents are withheld."""
    candidates = [question for question in questions if question.answerable and question.relevant]
    if count > len(candidates):
        raise DatasetError(
            f"--withhold {count}: {path} holds only {len(candidates)} answerable questions with relevant documents. "
            f"Type --withhold {len(candidates)} or less."
        )
    chosen = sorted(random.Random(_WITHHOLD_SEED).sample(range(len(candidates)), count))
    return [withheld_question(candidates[index]) for index in chosen]


def withheld_question(question: Question) -> Question:
    """The question again, as unanswerable: its documents are to be withheld."""
    return replace(
        question, id=f"{question.id} (withheld)", answers=(), relevant=(), answerable=False, withhold=question.relevant
    )


def _unknown(name: str, called: Mapping[str, Sequence[str]]) -> str:
    if matches := called.get(name, ()):
        listed = ", ".join(map(repr, matches[:3]))
        return f"relevant {name!r} may be any of {listed}; write one of these names"
    near = difflib.get_close_matches(name, called, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(map(repr, near))}?" if near else "`python -m rag list` shows the names"
    return f"relevant {name!r} is not in the knowledge base; {hint}"


def _question(entry: Mapping[str, Any], place: str) -> Question:
    _no_misspelt_key(entry)
    answers, relevant = _texts(entry, "answers"), _texts(entry, "relevant")
    answerable = entry.get("answerable", True)
    if not isinstance(answerable, bool):
        raise ValueError(f'"answerable" must be true or false, not {answerable!r}')
    if answerable and not answers and not relevant:
        raise ValueError('neither "answers" nor "relevant"; add one of them, or "answerable": false')
    if not answerable and answers:
        raise ValueError('"answerable" is false, and yet there are "answers"; remove one of the two')
    return Question(
        id=_identifier(entry, place),
        question=_text(entry, "question"),
        answers=answers,
        relevant=relevant,
        answerable=answerable,
        history=_history(entry),
        rewrite=_text(entry, "rewrite") if entry.get("rewrite") is not None else "",
        meta=_meta(entry),
        place=place,
    )


def _no_misspelt_key(entry: Mapping[str, Any]) -> None:
    # A key that nothing here reads is the set's own affair, unless it looks like one of ours.
    for key in entry:
        if key not in _KEYS and (near := difflib.get_close_matches(key.lower(), _KEYS, n=1, cutoff=0.8)):
            raise ValueError(f"unknown key {key!r}; did you mean {near[0]!r}?")


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if value is None:
        raise ValueError(f"no {key!r}")
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key!r} must be text, not {value!r}")
    return value


def _identifier(entry: Mapping[str, Any], place: str) -> str:
    value = entry.get("id")
    if value is None:
        return place
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise ValueError(f"'id' must be text, not {value!r}")
    return str(value)


def _texts(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = entry.get(key)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
        raise ValueError(f"{key!r} must be a list of texts, not {values!r}")
    return tuple(dict.fromkeys(values))


def _history(entry: Mapping[str, Any]) -> tuple[Turn, ...]:
    turns = entry.get("history")
    if turns is None:
        return ()
    if not isinstance(turns, list):
        raise ValueError('\'history\' must be a list of {"role", "content"}')
    return tuple(_turn(turn) for turn in turns)


def _turn(turn: object) -> Turn:
    if not isinstance(turn, dict) or not isinstance(turn.get("content"), str):
        raise ValueError(f'a turn of \'history\' needs a "role" and a "content", not {turn!r}')
    roles: dict[object, Literal["user", "assistant"]] = {"user": "user", "assistant": "assistant"}
    role = turn.get("role")
    if not isinstance(role, str) or role not in roles:
        raise ValueError(f"the role of a turn is 'user' or 'assistant', not {role!r}")
    return Turn(roles[role], turn["content"])


def _meta(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = entry.get("meta")
    if meta is None:
        return {}
    if not isinstance(meta, dict):
        raise ValueError(f"'meta' must be an object, not {meta!r}")
    return meta
