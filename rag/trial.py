"""Trying a language model before it is set: does it answer, and how fast."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rag.errors import LLMError
from rag.settings import LLMSettings

_PROMPT = "Reply with one word: ready"
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Trial:
    """What a model said, and after how many seconds its first word and its last; None where it was not asked."""

    said: str
    first: float | None
    seconds: float


def try_model(settings: LLMSettings) -> Trial:
    """Ask a model at an address for a word; of one on this machine, only whether its file can be run.

    A local model is not loaded beside the present one, which may not fit. Raises ModelError or LLMError with what is wrong.
    """
    from langchain_core.messages import HumanMessage

    from rag.llm import choose, load_llm

    began = time.monotonic()
    if not settings.remote:
        return Trial(choose(settings).shown, None, time.monotonic() - began)
    first, pieces = None, []
    for piece in load_llm(settings).stream([HumanMessage(_PROMPT)]):
        if piece and first is None:
            first = time.monotonic() - began
        pieces.append(piece)
    if not (said := "".join(pieces).strip()):
        raise LLMError(f"{settings.model} answered with nothing. Check the model's name.")
    return Trial(said[:_SHOWN], first, time.monotonic() - began)
