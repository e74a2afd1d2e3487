"""The language model: the built-in or another GGUF file in this process, or an OpenAI-compatible address; one interface."""

from __future__ import annotations

import logging
import math
import os
import queue
import secrets
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from rag import models
from rag.errors import LLMError, ModelError
from rag.serve import is_loopback
from rag.settings import LLMSettings

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_CONNECT_SECONDS = 10.0
_HEARTBEAT = 0.2  # seconds
_END = object()


class LanguageModel:
    """A LangChain chat model with what the pipeline needs beside it: its name, context and token count."""

    def __init__(self, settings: LLMSettings) -> None:
        self.settings = settings
        self.remote = settings.remote
        self.name = settings.model.removeprefix(models.PREFIX)
        # The OpenAI and httpx loggers tell whole requests at DEBUG; keys and documents have no place in a log.
        for name in ("openai", "httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._server = None if settings.remote else _Llama(settings)
        with _explained(settings):
            self._chat = _chat(settings, self._server)

    @property
    def chat(self) -> Any:
        """The LangChain chat model itself."""
        return self._chat

    @property
    def room(self) -> int:
        """Tokens that a prompt may have."""
        return self.settings.context - self.settings.max_tokens

    def count(self, text: str) -> int:
        """Tokens of a text: counted by a local model's own tokeniser, estimated on the safe side for an address."""
        if self._server is not None:
            with _explained(self.settings):
                return self._server.count(text)
        wide = sum(1 for c in text if ord(c) > 0x2E7F)
        return wide + (len(text) - wide) // 3 + 1

    def stream(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """The answer piece by piece; an empty piece says that the model is still at work, so that a reader can stop it.

        Raises LLMError where the model cannot be reached, is too slow or breaks off.
        """
        # A model on this machine always gets on, however slowly; an address may never answer.
        deadline = time.monotonic() + (self.settings.timeout if self.remote else math.inf)
        with closing(_pumped(self._chat, messages)) as chunks, _explained(self.settings):
            begun = finished = False
            for chunk in chunks:
                if time.monotonic() > deadline:
                    raise LLMError(f"{place(self.settings)} {_too_slow(self.settings, begun)}")
                if chunk is not None:
                    begun = True
                    finished = finished or bool(chunk.response_metadata.get("finish_reason"))
                yield str(chunk.content) if chunk is not None else ""
            if not finished:
                raise LLMError(f"{place(self.settings)} broke off; what came is incomplete. Ask again.")


def _too_slow(settings: LLMSettings, begun: bool) -> str:
    limit = f"{settings.timeout:g} s"
    if begun:
        return f"took longer than {limit}; what came is incomplete. Set llm.timeout higher."
    return f"did not answer within {limit}. Try again or set llm.timeout higher."


def _pumped(chat: Any, messages: Sequence[BaseMessage]) -> Generator[Any]:
    """What the chat model streams, and None whenever nothing came for a moment; closing it lets go of the model."""
    pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stopped = threading.Event()

    def pump() -> None:
        try:
            for chunk in chat.stream(list(messages)):
                pieces.put(chunk)
                if stopped.is_set():
                    return
            pieces.put(_END)
        except Exception as error:  # carried over to the reader's thread, where it is explained
            pieces.put(error)

    threading.Thread(target=pump, daemon=True).start()
    try:
        while True:
            try:
                piece = pieces.get(timeout=_HEARTBEAT)
            except queue.Empty:
                yield None
                continue
            if piece is _END:
                return
            if isinstance(piece, Exception):
                raise piece
            yield piece
    finally:
        stopped.set()


class _Llama:
    """llama.cpp in this process; it listens on loopback only and behind a random key."""

    def __init__(self, settings: LLMSettings) -> None:
        import httpx
        import xllamacpp

        path = gguf_path(settings.model)
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_ctx = settings.context
        parameters.n_parallel = 1
        parameters.hostnames = ["127.0.0.1"]
        parameters.port = 0
        parameters.ui = False
        parameters.endpoint_slots = False
        parameters.verbosity = 0
        parameters.cpuparams.n_threads = os.cpu_count() or 1
        self.key = secrets.token_urlsafe(24)
        parameters.api_keys = [self.key]
        try:
            self._server = xllamacpp.Server(parameters)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise ModelError(
                f"{path} could not be loaded as a GGUF model ({error}). Set llm.model to another file."
            ) from None
        self.address = f"{self._server.listening_address}/v1"
        self._client = httpx.Client(
            base_url=self._server.listening_address,
            headers={"Authorization": f"Bearer {self.key}"},
            trust_env=False,
            timeout=None,
        )

    def count(self, text: str) -> int:
        """Tokens of a text by the model's own tokeniser."""
        return len(self._client.post("/tokenize", json={"content": text}).json()["tokens"])


def gguf_path(model: str) -> Path:
    """The GGUF file that a model setting names; raises ModelError with what to type where it is missing."""
    if model.startswith(models.PREFIX):
        return models.require(model)
    path = Path(model).expanduser()
    if path.is_file():
        return path
    raise ModelError(
        f"llm.model is {model!r}, which is no file. Name a .gguf file, builtin:qwen2.5-1.5b, or set llm.base_url too."
    )


def load_llm(settings: LLMSettings) -> LanguageModel:
    """The language model that the settings name."""
    return LanguageModel(settings)


def _chat(settings: LLMSettings, server: _Llama | None) -> Any:
    import httpx
    from langchain.chat_models import init_chat_model

    address = settings.base_url if server is None else server.address
    # A proxy set for the outside world must not see what stays on this machine.
    stays = is_loopback(urlsplit(address).hostname or "")
    local: dict[str, Any] = {"http_client": httpx.Client(trust_env=False), "openai_proxy": None} if stays else {}
    return init_chat_model(
        settings.model if server is None else "local",
        model_provider="openai",
        base_url=address,
        api_key=(settings.api_key or "none") if server is None else server.key,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        timeout=httpx.Timeout(settings.timeout if server is None else None, connect=_CONNECT_SECONDS),
        max_retries=0,  # each try may take the whole time limit, and the next one waits as long as the server likes
        use_responses_api=False,
        **local,
    )


def place(settings: LLMSettings) -> str:
    """What to call the model in a sentence: its address without anything secret in it, or its name."""
    return f"The model at {shown_address(settings.base_url)}" if settings.remote else f"The model {settings.model}"


def shown_address(address: str) -> str:
    """An address without user, password and query, which may hold keys."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@contextmanager
def _explained(settings: LLMSettings) -> Iterator[None]:
    """Turns what the client library raises into one sentence without the key."""
    import httpx
    import httpx2
    import openai

    # The client library speaks through httpx2; the client that ignores proxies is one of httpx.
    transport = (httpx.HTTPError, httpx.InvalidURL, httpx2.HTTPError, httpx2.InvalidURL)
    try:
        yield
    except (openai.OpenAIError, *transport, ValueError, KeyError, TypeError, AttributeError) as error:
        # The last four are what the client library raises where a server sends what is no answer.
        raise LLMError(f"{place(settings)} {_what_happened(error, settings)}") from None


def _what_happened(error: Exception, settings: LLMSettings) -> str:
    import httpx
    import httpx2
    import openai

    match error:
        case openai.APITimeoutError() | httpx.TimeoutException() | httpx2.TimeoutException():
            return _too_slow(settings, begun=False)
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return f"refused the key (status {error.status_code}). Check FOOTNOTE_LLM_API_KEY."
        case openai.NotFoundError():
            return f"knows no model {settings.model!r} (status 404). Check llm.model and llm.base_url."
        case openai.APIStatusError():
            return f"answered with status {error.status_code}. Try again later."
        case httpx.InvalidURL() | httpx2.InvalidURL():
            return f"has an address that is none ({error}). Check llm.base_url."
        case openai.APIConnectionError():
            return "cannot be reached. Check llm.base_url and that the server runs."
    return f"broke off or sent what is no answer ({type(error).__name__}). Ask again."
