"""What every side is given: a question set, whole or as a sample that is the same every time."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluation.dataset import Question, load
from rag.errors import RagError


@dataclass(frozen=True, slots=True)
class Record:
    """A document of the corpus."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Material:
    """A set to be measured on: its name, its documents, and questions that one of them answers."""

    name: str
    records: tuple[Record, ...]
    questions: tuple[Question, ...]


def read(folder: Path) -> Material:
    """A folder's set, without questions that have no relevant document or need a conversation; raises RagError."""
    records = tuple(read_corpus(folder / "corpus.jsonl"))
    known = {record.id for record in records}
    questions = [q for q in load(folder / "qa.jsonl") if q.relevant and not q.history]
    for question in questions:
        if missing := [name for name in question.relevant if name not in known]:
            raise RagError(f"{folder / 'qa.jsonl'}, {question.place}: {missing[0]!r} is not in corpus.jsonl.")
    if not questions:
        raise RagError(f"{folder} has no question that stands alone and names its documents; name another folder.")
    return Material(folder.resolve().name, records, tuple(questions))


def read_corpus(path: Path) -> list[Record]:
    """The records of a corpus.jsonl; raises RagError naming the line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise RagError(f"{path} cannot be read ({error}). Name a folder with corpus.jsonl and qa.jsonl.") from None
    return [_record(line, path, number) for number, line in enumerate(lines, start=1) if line.strip()]


def sample(material: Material, documents: int, questions: int) -> Material:
    """At most so many questions, their relevant documents, and others up to ``documents``; 0 means all.

    Where the questions need more documents than that, all of those stay.
    """
    chance = random.Random(0)
    asked = _some(material.questions, questions, chance)
    needed = {name for question in asked for name in question.relevant}
    spare = len(material.records) if not documents else documents - len(needed)
    rest = [record.id for record in material.records if record.id not in needed]
    kept = needed | set(_some(rest, spare, chance) if spare > 0 else ())
    records = tuple(record for record in material.records if record.id in kept)
    return replace(material, records=records, questions=tuple(asked))


def write(material: Material, folder: Path) -> None:
    """The set as corpus.jsonl and qa.jsonl in a folder, for the processes that measure."""
    folder.mkdir(parents=True, exist_ok=True)
    _lines(folder / "corpus.jsonl", [{"id": r.id, "title": r.title, "text": r.text} for r in material.records])
    rows = [{"id": q.id, "question": q.question, "relevant": list(q.relevant)} for q in material.questions]
    _lines(folder / "qa.jsonl", rows)


def _record(line: str, path: Path, number: int) -> Record:
    try:
        entry = json.loads(line)
        return Record(str(entry["id"]), str(entry.get("title") or ""), str(entry["text"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RagError(f'{path}, line {number}: no {{"id", "title", "text"}} record ({error!r}).') from None


def _some(items: Sequence[Any], count: int, chance: random.Random) -> list[Any]:
    """``count`` of the items in their order, always the same ones; all of them for 0."""
    if not count or count >= len(items):
        return list(items)
    return [items[i] for i in sorted(chance.sample(range(len(items)), count))]


def _lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
