"""A second opinion on a claim, optional: an NLI CrossEncoder or the language model itself reads claim and quote together.

Both are off by default: the rules of `rag/grounding.py` need no model. Setting ``grounding.nli`` to a CrossEncoder with
the labels entailment, neutral and contradiction (a folder, or a Hugging Face name that is on this machine), or
``grounding.second_look`` to true, which asks the language model once for each claim, turns one on.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from rag.errors import ModelError
from rag.prompt import inert_marks
from rag.reranker import cross_encoder_folder

_FIRST_WORD = re.compile(r"[\W_]*(?:(?P<yes>yes|是的?)|no|否|不是的?)(?!\w)", re.IGNORECASE)


class SecondOpinion(Protocol):
    """Reads a claim beside the words that are to carry it."""

    def __call__(self, claim: str, quote: str) -> float:
        """From -1, the quote contradicts the claim, over 0, it does not tell, to 1, the claim follows from it."""
        ...


class Entailment:
    """A loaded NLI CrossEncoder; safe to use from several threads."""

    def __init__(self, model: str) -> None:
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging as progress

        folder = cross_encoder_folder(model, _unusable)
        self._labels = _labels(model, folder)
        self._reading = threading.Lock()  # a tokenizer keeps its padding and truncation as state
        progress.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self._model: Any = CrossEncoder(
                str(folder), local_files_only=True, trust_remote_code=False, model_kwargs={"use_safetensors": True}
            )
            self("one", "pair")
        except (OSError, ValueError, KeyError, RuntimeError, ImportError, IndexError, SafetensorError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0]
            raise _unusable(model, f"could not be loaded ({why})") from None

    def __call__(self, claim: str, quote: str) -> float:
        """The probability that the quote entails the claim less that of a contradiction, -1 to 1."""
        with self._reading:
            (odds,) = self._model.predict([(quote, claim)], apply_softmax=True, show_progress_bar=False)
        return float(odds[self._labels["entailment"]] - odds[self._labels["contradiction"]])


def second_look(answer: Callable[[str], str]) -> SecondOpinion:
    """The opinion of a language model, given what answers a prompt: yes as its first word is 1, no -1, all else 0."""

    def ask(claim: str, quote: str) -> float:
        said = answer(inert_marks(f"Text: {quote}\n\nStatement: {claim}\n\nDoes the text say this? Answer yes or no."))
        first = _FIRST_WORD.match(said)
        return 0.0 if first is None else 1.0 if first["yes"] else -1.0

    return ask


def _labels(model: str, folder: Path) -> dict[str, int]:
    """The place of each label in the model's output."""
    try:
        names = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
        labels = {str(name).lower(): int(place) for place, name in names.items()}
    except (OSError, ValueError, KeyError, AttributeError):
        labels = {}
    if not {"entailment", "contradiction"} <= labels.keys():
        raise _unusable(model, "has no labels called entailment and contradiction")
    return labels


def _unusable(model: str, why: str) -> ModelError:
    return ModelError(
        f"The NLI model {model!r} {why}. Set grounding.nli to the folder of an NLI CrossEncoder with safetensors weights, "
        'or to "" to go without.'
    )
