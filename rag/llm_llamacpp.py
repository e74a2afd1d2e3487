"""A GGUF by llama.cpp in this process: every architecture, every quantisation."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import httpx2

from rag.errors import ModelError
from rag.llm_address import Address
from rag.settings import LLMSettings


class LlamaCpp(Address):
    """llama.cpp's own server, on loopback only and behind a random key, asked like any other address."""

    def __init__(self, path: Path, settings: LLMSettings) -> None:
        import xllamacpp

        self.settings = settings
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
        key = secrets.token_urlsafe(24)
        parameters.api_keys = [key]
        try:
            self._server = xllamacpp.Server(parameters)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise ModelError(
                f"{path} could not be loaded as a GGUF model ({error}). Set llm.model to another file."
            ) from None
        address = self._server.listening_address
        self.chat = self._connect("local", f"{address}/v1", key, _options(settings))
        self._client = httpx2.Client(
            base_url=address, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=None
        )

    def count(self, text: str) -> int:
        """Tokens of a text by the model's own tokeniser."""
        return len(self._client.post("/tokenize", json={"content": text}).json()["tokens"])


def _options(settings: LLMSettings) -> dict[str, Any]:
    """The decoding, whole: llama.cpp's own defaults would sample from the 40 likeliest."""
    extra: dict[str, Any] = {
        "max_tokens": settings.max_tokens,
        "top_k": settings.top_k,
        "repeat_penalty": settings.repetition_penalty,
        "min_p": 0.0,
    }
    if settings.thinking != "auto":
        extra["chat_template_kwargs"] = {"enable_thinking": settings.thinking == "on"}
    return {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "seed": settings.seed,
        "extra_body": extra,
    }
