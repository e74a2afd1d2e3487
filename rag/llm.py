"""The language model that the settings name, whichever engine runs it: stream, count, and the room for a prompt."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import models
from rag.engine import Engine, Until
from rag.errors import Incomplete, LLMError, ModelError, RagError
from rag.llm_address import place
from rag.llm_address import shown_address as shown_address
from rag.settings import LLMSettings
from rag.thoughts import Thoughts
from rag.turns import Turns

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_HEARTBEAT = 0.2  # seconds
_END = object()
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_SHOWN = {"openvino": "OpenVINO", "llama.cpp": "llama.cpp", "transformers": "transformers", "address": "OpenAI API"}
# Why an answer ended, where it is whole; the first is everybody's word, the others those of some servers.
_WHOLE = {"stop", "eos_token", "eos", "end_turn", "stop_sequence"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which engine runs the model; ``why`` tells why it is not the faster one, where it is not."""

    engine: str
    path: Path | None = None
    why: str = ""

    @property
    def shown(self) -> str:
        """The engine's name, with the reason for it."""
        return f"{_SHOWN[self.engine]}, because {self.why}" if self.why else _SHOWN[self.engine]


class LanguageModel:
    """A LangChain chat model with what the pipeline needs beside it: its name, context and token count."""

    def __init__(self, settings: LLMSettings) -> None:
        self.settings = settings
        self.remote = settings.remote
        self.choice = choose(settings)
        self.name = f"{settings.model.removeprefix(models.PREFIX)} ({_SHOWN[self.choice.engine]})"
        self._engine = _load(settings, self.choice)
        self.turns = Turns()  # the model's own, whichever pipelines ask it

    @property
    def chat(self) -> Any:
        """The LangChain chat model itself; what it says may hold a reasoning model's thoughts."""
        return self._engine.chat

    @property
    def room(self) -> int:
        """Tokens that a prompt may have."""
        return self.settings.context - self.settings.max_tokens

    def count(self, text: str) -> int:
        """Tokens of a text: counted by a local model's own tokeniser, estimated on the safe side for an address."""
        return self._engine.count(text)

    def stream(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """The answer piece by piece; an empty piece says that the model is still at work, so that a reader can stop it.

        Raises Incomplete after the pieces of an answer that is not whole, LLMError where nothing came.
        """
        # A model on this machine always gets on, however slowly; an address may never answer.
        until = Until(time.monotonic() + self.settings.timeout if self.remote else inf)
        thoughts, begun, reason = Thoughts(), False, ""
        with closing(_pumped(self._engine, messages, until)) as chunks:
            for chunk in chunks:
                if isinstance(chunk, Exception):
                    raise self._failure(chunk, begun)
                if until.left <= 0:
                    raise self._ended(too_slow(self.settings, begun), begun)
                reason = chunk.response_metadata.get("finish_reason") or reason if chunk is not None else reason
                piece = thoughts.without(str(chunk.text)) if chunk is not None else ""
                begun = begun or bool(piece)
                yield piece
        if piece := thoughts.rest():
            begun = True
            yield piece
        if reason not in _WHOLE or not begun:
            raise self._ended(_why(reason, begun, self.settings), begun)

    def _failure(self, error: Exception, begun: bool) -> Exception:
        """The error as the reader is told it; one of the program itself stays what it is."""
        if isinstance(error, RagError):
            return error
        explained = self._engine.explain(error)
        return self._ended(explained, begun) if explained else error

    def _ended(self, what_happened: str, begun: bool) -> LLMError:
        return (Incomplete if begun else LLMError)(f"{place(self.settings)} {what_happened}")


def too_slow(settings: LLMSettings, begun: bool) -> str:
    """What to say where an address took longer than it may."""
    limit = f"{settings.timeout:g} s"
    if begun:
        return f"took longer than {limit}; what came is incomplete. Set llm.timeout higher."
    return f"did not answer within {limit}. Try again or set llm.timeout higher."


def _why(reason: str, begun: bool, settings: LLMSettings) -> str:
    came = "what came is incomplete" if begun else "nothing came"
    match reason:
        case "length":
            return f"reached llm.max_tokens ({settings.max_tokens}); {came}. Set it higher."
        case "content_filter" | "sensitive":
            return f"was stopped by its provider's content filter; {came}. Ask otherwise or set another llm.model."
        case "":
            return f"broke off; {came}. Ask again."
    if reason in _WHOLE:
        return "gave an empty answer. Ask again or set another llm.model."
    return f"ended with {reason[:40]!r}; {came}. Ask again."


def _pumped(engine: Engine, messages: Sequence[BaseMessage], until: Until) -> Generator[Any]:
    """What the engine streams, None whenever nothing came for a moment, and its error; closing it stops the engine."""
    pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def pump() -> None:
        try:
            for chunk in engine.stream(messages, until):
                pieces.put(chunk)
                if until.over:
                    return
            pieces.put(_END)
        except Exception as error:  # told in the reader's thread
            pieces.put(error)

    threading.Thread(target=pump, daemon=True).start()
    try:
        while True:
            try:
                piece = pieces.get(timeout=min(_HEARTBEAT, max(until.left, 0)))
            except queue.Empty:
                yield None
                continue
            if piece is _END:
                return
            yield piece
    finally:
        until.stopped.set()


def choose(settings: LLMSettings) -> Choice:
    """Which engine runs the settings' model; raises ModelError where the model is not there or none can run it."""
    if settings.remote:
        if settings.engine != "auto":
            raise ModelError(
                f"llm.engine is {settings.engine}, but llm.base_url is set, too. Set llm.engine to auto, or no address."
            )
        return Choice("address")
    model, wanted = settings.model, settings.engine
    if not model.startswith(models.PREFIX) and not model.endswith(".gguf"):
        return _choose_folder(model, wanted)
    path = gguf_path(model)
    if wanted in ("llama.cpp", "transformers"):
        return Choice(wanted, path)
    from rag.llm_openvino import hindrance

    why = hindrance(path)
    if why and wanted == "openvino":
        raise ModelError(f"llm.engine is openvino, but {why}. Set it to auto, or llm.model to another file.")
    return Choice("llama.cpp" if why else "openvino", path, why)


def _choose_folder(model: str, wanted: str) -> Choice:
    path = Path(model).expanduser()
    if not path.is_dir() and not _HUB_NAME.fullmatch(model):
        raise _missing(model)
    if wanted in ("openvino", "llama.cpp"):
        raise ModelError(
            f"llm.engine {wanted} runs .gguf files, not {model!r}. Set it to auto, or llm.model to a file."
        )
    return Choice("transformers", path if path.is_dir() else None)


def gguf_path(model: str) -> Path:
    """The GGUF file that a model setting names; raises ModelError with what to type where it is missing."""
    if model.startswith(models.PREFIX):
        return models.require(model)
    path = Path(model).expanduser()
    if path.is_file():
        return path
    raise _missing(model)


def _missing(model: str) -> ModelError:
    return ModelError(
        f"llm.model is {model!r}, which is not here. Name a .gguf file, a folder, a Hugging Face name, "
        "builtin:qwen2.5-1.5b, or set llm.base_url too."
    )


def load_llm(settings: LLMSettings) -> LanguageModel:
    """The language model that the settings name."""
    return LanguageModel(settings)


def _load(settings: LLMSettings, choice: Choice) -> Engine:
    if choice.engine == "address":
        from rag.llm_address import Address

        return Address(settings)
    if choice.engine == "llama.cpp":
        from rag.llm_llamacpp import LlamaCpp

        assert choice.path
        return LlamaCpp(choice.path, settings)
    from rag.local_chat import InProcess

    if choice.engine == "openvino":
        from rag.llm_openvino import OpenVINOChat

        assert choice.path
        return InProcess(OpenVINOChat(choice.path, settings))
    from rag.llm_transformers import TransformersChat

    return InProcess(TransformersChat(choice.path or settings.model, settings))
