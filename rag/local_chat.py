"""A LangChain chat model that runs in this process: one answer at a time, piece by piece, to be stopped at any time."""

from __future__ import annotations

import queue
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from rag.engine import Until
from rag.errors import LLMError
from rag.settings import LLMSettings

_ROLES = {"human": "user", "ai": "assistant", "system": "system"}
_OPENING = "<think>"

Emit = Callable[[str], bool]


class LocalChat(BaseChatModel):
    """Streams what ``_generate_text`` emits; the last chunk's ``finish_reason`` is ``stop`` or ``length``."""

    settings: LLMSettings
    _busy: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @abstractmethod
    def count(self, text: str) -> int:
        """Tokens of a text by the model's own tokeniser."""

    @abstractmethod
    def render(self, messages: list[dict[str, str]], template: dict[str, Any]) -> str:
        """The prompt, by the model's own chat template; ``template`` holds what else the template is told."""

    @abstractmethod
    def _generate_text(self, prompt: str, emit: Emit, stop: list[str]) -> str:
        """Emit the answer's pieces until it ends or ``emit`` is false; why it ended, ``stop`` or ``length``."""

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> Iterator[ChatGenerationChunk]:
        prompt = self._prompt(messages)
        pieces: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
        stopped = threading.Event()
        reason = "stop"

        def emit(piece: str) -> bool:
            pieces.put(piece)
            return not stopped.is_set()

        def work() -> None:
            nonlocal reason
            try:
                with self._busy:
                    if not stopped.is_set():
                        reason = self._generate_text(prompt, emit, stop or [])
                pieces.put(None)
            except Exception as error:  # carried over to the reader's thread
                pieces.put(error)

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        try:
            # Where the template opens the model's thoughts itself, the answer must show that they began.
            if prompt.rstrip().endswith(_OPENING):
                yield _chunk(_OPENING)
            while (piece := pieces.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                if run_manager:
                    run_manager.on_llm_new_token(piece)
                yield _chunk(piece)
            yield _chunk("", reason)
        finally:
            stopped.set()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _prompt(self, messages: list[BaseMessage]) -> str:
        thinking = self.settings.thinking
        template = {} if thinking == "auto" else {"enable_thinking": thinking == "on"}
        prompt = self.render([{"role": _role(m), "content": str(m.content)} for m in messages], template)
        if (used := self.count(prompt)) + self.settings.max_tokens > self.settings.context:
            raise LLMError(
                f"The prompt of {used} tokens and an answer of {self.settings.max_tokens} do not fit into llm.context "
                f"({self.settings.context}). Ask a shorter question or set llm.context higher."
            )
        return prompt


class InProcess:
    """A LocalChat as one of the program's engines."""

    def __init__(self, chat: LocalChat) -> None:
        self.chat = chat

    def count(self, text: str) -> int:
        """Tokens of a text by the model's own tokeniser."""
        return self.chat.count(text)

    def stream(self, messages: Sequence[BaseMessage], until: Until) -> Iterator[Any]:
        """The message chunks."""
        return self.chat.stream(list(messages))

    def explain(self, error: Exception) -> str:
        """What a failure of the model's library means; empty for another one."""
        if isinstance(error, RuntimeError | MemoryError | ValueError | OSError):
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
            return f"failed ({reason}). Ask again or set another llm.model or llm.engine."
        return ""


def _role(message: BaseMessage) -> str:
    return _ROLES.get(message.type, "user")


def _chunk(text: str, reason: str = "") -> ChatGenerationChunk:
    information = {"finish_reason": reason} if reason else {}
    return ChatGenerationChunk(
        message=AIMessageChunk(content=text, response_metadata=information), generation_info=information or None
    )
