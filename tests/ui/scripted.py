"""A pipeline that follows a script: what a page's tests pass in where the models would be."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rag.access import User
from rag.errors import RagError
from rag.settings import Settings
from rag.types import EVERYTHING, Answer, Chunk, Citation, Claim, Filter, Passage, Retrieval, Timings, Turn

LORA = "LoRA freezes the weights and trains two small matrices.\nIt needs a third of the memory of full fine-tuning."
COST = "全量微调需要为每个参数保存梯度和优化器状态。低秩适配只训练少量新增参数，因此显存占用大幅下降。"


def passage(text: str, document: str, *, page: int | None = None, score: float = 0.8, start: int = 0) -> Passage:
    """A passage of a document, found by both halves."""
    chunk = Chunk(1, document, 0, f"{document} › Memory", page, text, start, start + len(text))
    return Passage(chunk, score, 1, 2, dense=0.6, lexical=0.4)


PASSAGES = (passage(LORA, "en/adapters <b>.md", page=3), passage(COST, "zh/高效微调.txt", score=0.71))


class ScriptedPipeline:
    """Answers with the pieces it was given; ``hold`` lets a test stop it in the middle of an answer."""

    remote = False
    model_name = "scripted"

    def __init__(
        self,
        pieces: Sequence[str] = ("LoRA needs ", "a third of the memory [1]. ", "It was invented on the moon."),
        *,
        refuse: bool = False,
        error: RagError | None = None,
        passages: Sequence[Passage] = PASSAGES,
    ) -> None:
        self.pieces, self.refuse, self.error, self.passages = tuple(pieces), refuse, error, tuple(passages)
        self.hold: threading.Event | None = None
        self.closed = False
        self.histories: list[tuple[Turn, ...]] = []
        self.filters: list[Filter] = []
        self.settings = Settings(Path("."))
        self.tried: list[Settings] = []
        self.llm = None
        self.before, self.read = 0, 0
        self.turn: threading.Event | None = None

    def seen_by(self, user: User, kb: str) -> ScriptedPipeline:
        """The same script, whoever asks."""
        return self

    def reading(self, k: int) -> ScriptedPipeline:
        """The same script; ``read`` tells how many passages were wanted."""
        self.read = k
        return self

    def under(self, settings: Settings) -> ScriptedPipeline:
        """The same script under other settings, which are noted."""
        self.tried.append(settings)
        return self

    def ahead(self, retrieval: Retrieval) -> int:
        """How many answers come before this one."""
        return self.before

    def retrieve(
        self, question: str, history: Sequence[Turn] = (), *, filter: Filter = EVERYTHING, k: int | None = None
    ) -> Retrieval:
        """The scripted passages."""
        self.histories.append(tuple(history))
        self.filters.append(filter)
        return Retrieval(question, question, tuple(history), "en", self.passages, 0.9, "", 0.01)

    def generate(self, retrieval: Retrieval) -> Iterator[str]:
        """The scripted pieces, once it is this answer's ``turn``; after the first it waits for ``hold``."""
        try:
            while self.turn is not None and not self.turn.wait(0.05):
                yield ""
            for number, piece in enumerate(self.pieces):
                if number == 1 and self.hold is not None:
                    self.hold.wait(30)
                if number == 1 and self.error is not None:
                    raise self.error
                yield piece
        finally:
            self.closed = True

    def finish(
        self,
        retrieval: Retrieval,
        draft: str,
        *,
        first_token: float | None = None,
        seconds: float = 0.0,
        incomplete: str = "",
    ) -> Answer:
        """The first sentence carries footnotes 1 and 2, the others are unsupported."""
        if self.refuse:
            return Answer(
                retrieval.question,
                "The documents don't say.",
                (),
                (),
                retrieval.passages,
                True,
                "no passage fits",
                "en",
                Timings(0.1, first_token, seconds),
            )
        end = draft.find(". ") + 1 or len(draft)
        first = Claim(draft[:end], 0, end, (1, 2), True)
        rest = Claim(draft[end:].strip(), end + 1, len(draft), (), False, "no passage says this")
        citations = tuple(_citation(n, found) for n, found in enumerate(retrieval.passages, 1))
        answer = Answer(
            retrieval.question,
            draft,
            (first,),
            citations,
            retrieval.passages,
            False,
            "",
            "en",
            Timings(0.1, first_token, seconds),
            incomplete=incomplete,
        )
        return replace(answer, claims=(first, rest)) if rest.text else answer


def _citation(number: int, found: Passage) -> Citation:
    quote = found.chunk.text.split("\n")[-1] if "\n" in found.chunk.text else found.chunk.text.split("。")[1]
    start = found.chunk.start + found.chunk.text.index(quote)
    return Citation(number, found, quote, start, start + len(quote), 0.9)
