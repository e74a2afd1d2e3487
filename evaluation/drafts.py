"""Drafts that a model has written before: a run that was cut off, or one that tries another check, asks only what is new.

What is kept is the draft alone, one file each, never a timing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.fence import blanked

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from rag.llm import LanguageModel


class RememberedModel:
    """A language model that keeps its drafts in a folder; ``reused`` tells whether the last one came from there."""

    def __init__(self, model: LanguageModel, folder: Path) -> None:
        self._model = model
        self._folder = folder
        self.reused = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def stream(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """The draft that was kept, in one piece, or the model's own, which is kept once it is whole."""
        kept = self._folder / f"{self._key(messages)}.txt"
        self.reused = kept.exists()
        if self.reused:
            yield kept.read_text(encoding="utf-8")
            return
        pieces = []
        for piece in self._model.stream(messages):
            pieces.append(piece)
            yield piece
        self._folder.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_text("".join(pieces), encoding="utf-8")
        part.replace(kept)

    def _key(self, messages: Sequence[BaseMessage]) -> str:
        """A hash of all that decides the draft, engine included, in whatever home; settings are written without their key."""
        said = [[message.type, blanked(str(message.content))] for message in messages]
        model = [self._model.name, repr(self._model.settings)]
        return hashlib.sha256(json.dumps([*model, *said], ensure_ascii=False).encode()).hexdigest()
