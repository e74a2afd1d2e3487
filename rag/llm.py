"""The language model: the built-in or another GGUF file in this process, or an OpenAI-compatible address; one interface."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import models
from rag.errors import LLMError, ModelError
from rag.settings import LLMSettings

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_CONNECT_SECONDS = 10.0


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
            return self._server.count(text)
        wide = sum(1 for c in text if ord(c) > 0x2E7F)
        return wide + (len(text) - wide) // 3 + 1

    def stream(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """The answer piece by piece; raises LLMError where the model cannot be reached, is too slow or breaks off."""
        deadline = time.monotonic() + self.settings.timeout
        finished = False
        with _explained(self.settings):
            for chunk in self._chat.stream(list(messages)):
                if time.monotonic() > deadline:
                    raise LLMError(
                        f"{_place(self.settings)} took longer than {self.settings.timeout:g} s; what came is incomplete."
                    )
                finished = finished or bool(chunk.response_metadata.get("finish_reason"))
                if chunk.content:
                    yield str(chunk.content)
        if not finished:
            raise LLMError(f"{_place(self.settings)} broke off; what came is incomplete. Ask again.")


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
            base_url=self._server.listening_address, headers={"Authorization": f"Bearer {self.key}"}, trust_env=False
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

    # A proxy set for the outside world must not see what stays on this machine.
    local: dict[str, Any] = {} if server is None else {"http_client": httpx.Client(trust_env=False)}
    return init_chat_model(
        settings.model if server is None else "local",
        model_provider="openai",
        base_url=settings.base_url if server is None else server.address,
        api_key=(settings.api_key or "none") if server is None else server.key,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        timeout=httpx.Timeout(settings.timeout, connect=_CONNECT_SECONDS),
        max_retries=0,  # each try may take the whole time limit, and the next one waits as long as the server likes
        use_responses_api=False,
        **local,
    )


def _place(settings: LLMSettings) -> str:
    return f"The model at {settings.base_url}" if settings.remote else f"The model {settings.model}"


@contextmanager
def _explained(settings: LLMSettings) -> Iterator[None]:
    """Turns what the client library raises into one sentence without the key."""
    import httpx
    import openai

    try:
        yield
    except (openai.OpenAIError, httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        # The last four are what the client library raises where a server sends what is no answer.
        raise LLMError(f"{_place(settings)} {_what_happened(error, settings)}") from None


def _what_happened(error: Exception, settings: LLMSettings) -> str:
    import httpx
    import openai

    match error:
        case openai.APITimeoutError() | httpx.TimeoutException():
            return f"did not answer within {settings.timeout:g} s. Try again or set llm.timeout higher."
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return f"refused the key (status {error.status_code}). Check FOOTNOTE_LLM_API_KEY."
        case openai.NotFoundError():
            return f"knows no model {settings.model!r} (status 404). Check llm.model and llm.base_url."
        case openai.APIStatusError():
            return f"answered with status {error.status_code}. Try again later."
        case openai.APIConnectionError():
            return "cannot be reached. Check llm.base_url and that the server runs."
    return f"broke off or sent what is no answer ({type(error).__name__}). Ask again."
