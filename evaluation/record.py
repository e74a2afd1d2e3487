"""What became of one question, as a report keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from evaluation.dataset import Question
from evaluation.metrics import Score
from evaluation.steps import Step
from rag.types import Language


@dataclass(frozen=True, slots=True)
class Footnote:
    """A citation of an answer; ``right`` where its passage leads to where the answer is."""

    n: int
    document: str
    page: int | None
    quote: str
    right: bool


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: its text or refusal, why it is none, its kind, the probability behind it and its footnotes."""

    text: str
    reason: str
    kind: str
    confidence: float
    citations: tuple[Footnote, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage that the model was to read, by the beginning of its text."""

    document: str
    page: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one question; ``found`` is the ranking of documents, ``said`` is None without an answer.

    ``shown`` are the passages for the model, of a question that went wrong.
    ``step`` is where it went wrong, empty where it didn't (evaluation/steps.py); ``slices`` gives its value in each slice.
    A record is not ``timed`` where its draft was written in an earlier run. ``seconds`` are of the whole answer, of the
    search where there is none.
    """

    question: Question
    language: Language
    found: tuple[str, ...] = ()
    said: Said | None = None
    shown: tuple[Shown, ...] = ()
    refused: bool = False
    scores: Mapping[str, Score] = field(default_factory=dict)
    slices: Mapping[str, str] = field(default_factory=dict)
    step: Step = ""
    seconds: float = 0.0
    first_token: float | None = None
    timed: bool = True
    error: str = ""

    @property
    def failed(self) -> bool:
        """Whether a reader should look at it."""
        return bool(self.step)

    def as_json(self) -> dict[str, Any]:
        """The record as reports hold it; a score is a share, with what it is out of where that is not 1."""
        question, said = self.question, self.said
        return {
            "id": question.id,
            "question": question.question,
            "history": [asdict(turn) for turn in question.history],
            "answers": list(question.answers),
            "relevant": list(question.relevant),
            "withheld": list(question.withhold),
            "answerable": question.answerable,
            "language": self.language,
            "found": list(self.found),
            "answer": said.text if said else None,
            "kind": said.kind if said else None,
            "refused": self.refused,
            "confidence": said.confidence if said else None,
            "reason": said.reason if said else "",
            "citations": [asdict(note) for note in said.citations] if said else [],
            "shown": [asdict(passage) for passage in self.shown],
            "failed": self.failed,
            "step": self.step,
            "error": self.error,
            "scores": {name: score.right / score.of for name, score in self.scores.items() if score.of},
            "out_of": {name: score.of for name, score in self.scores.items() if score.of not in (0, 1)},
            "slices": dict(self.slices),
            "seconds": round(self.seconds, 4),
            "first_token": self.first_token,
            "timed": self.timed,
        }

    @classmethod
    def from_json(cls, question: Question, value: Mapping[str, Any]) -> Record:
        """The record of a question that ``as_json`` made the value from."""
        said = None
        if value["answer"] is not None:
            notes = tuple(Footnote(**note) for note in value["citations"])
            said = Said(value["answer"], value["reason"], value["kind"], value["confidence"], notes)
        out_of = {name: value["out_of"].get(name, 1.0) for name in value["scores"]}
        return cls(
            question=question,
            language=value["language"],
            found=tuple(value["found"]),
            said=said,
            shown=tuple(Shown(**passage) for passage in value["shown"]),
            refused=value["refused"],
            scores={name: Score(share * out_of[name], out_of[name]) for name, share in value["scores"].items()},
            slices=value["slices"],
            step=value["step"],
            seconds=value["seconds"],
            first_token=value["first_token"],
            timed=value["timed"],
            error=value["error"],
        )
