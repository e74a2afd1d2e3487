"""Question sets of a knowledge base's own: uploaded ones, and the one that grows out of people's real questions."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from evaluation.dataset import Question, as_entry, load
from rag.errors import DatasetError
from rag.types import Turn

COLLECTED = "collected.jsonl"


def sets_folder(home: Path, kb: str) -> Path:
    """Where the question sets of a knowledge base lie."""
    return home / "workspace" / "questions" / kb


def collect(
    home: Path,
    kb: str,
    question: str,
    *,
    answers: Sequence[str] = (),
    relevant: Sequence[str] = (),
    answerable: bool = True,
    history: Sequence[Turn] = (),
) -> bool:
    """Add a question to the collected set; False where it is there already. Raises DatasetError."""
    path = sets_folder(home, kb) / COLLECTED
    identity = f"c{time.time_ns():x}"
    new = Question(identity, question, tuple(answers), tuple(relevant), answerable, tuple(history))
    if path.exists() and any(q.question == question and q.history == tuple(history) for q in load(path)):
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(as_entry(new), ensure_ascii=False) + "\n")
    except OSError as error:
        raise DatasetError(f"{path} cannot be written ({error.strerror}). Check its folder and the space.") from None
    return True
