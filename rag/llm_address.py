"""The language model behind an OpenAI-compatible address: one deadline, two more tries, and the key in no message."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import httpx2

from rag.engine import Until
from rag.errors import LLMError
from rag.serve import is_loopback
from rag.settings import LLMSettings

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_CONNECT_SECONDS = 10.0
_TRIES = 3
_FIRST_PAUSE = 0.5  # seconds; the second is twice as long
_UNTIL: ContextVar[Until | None] = ContextVar("until", default=None)
# How these hosts call what vLLM, llama.cpp and SGLang read from the chat template's arguments.
_THINKING: dict[str, Any] = {
    "dashscope.aliyuncs.com": lambda on: {"enable_thinking": on},
    "dashscope-intl.aliyuncs.com": lambda on: {"enable_thinking": on},
    "open.bigmodel.cn": lambda on: {"thinking": {"type": "enabled" if on else "disabled"}},
    "api.z.ai": lambda on: {"thinking": {"type": "enabled" if on else "disabled"}},
    "api.deepseek.com": lambda on: {"thinking": {"type": "enabled" if on else "disabled"}},
}


class Address:
    """A model at an address, by LangChain's ChatOpenAI."""

    def __init__(self, settings: LLMSettings) -> None:
        self.settings = settings
        self.chat = self._connect(settings.model, settings.base_url, settings.api_key or "none", options(settings))

    def count(self, text: str) -> int:
        """Tokens of a text, estimated: a Chinese character is one, three letters are."""
        wide = sum(1 for c in text if ord(c) > 0x2E7F)
        return wide + (len(text) - wide) // 3 + 1

    def stream(self, messages: Sequence[BaseMessage], until: Until) -> Iterator[Any]:
        """The chunks; a refused or broken connection is tried again, as long as nothing came and there is time."""
        _UNTIL.set(until)
        for attempt in range(_TRIES):
            begun = False
            try:
                for chunk in self.chat.stream(list(messages)):
                    begun = begun or bool(chunk.text)
                    yield chunk
                return
            except Exception as error:  # raised again, but for the few that another try may mend
                failure = error
            # Outside of the except block, so that what is raised here does not carry the request with its key.
            wait = None if begun or attempt == _TRIES - 1 else self._pause(failure, attempt, until)
            if wait is None:
                raise failure
            if until.stopped.wait(wait):
                return

    def explain(self, error: Exception) -> str:
        """What a failure of the client library means; empty for one that is not the server's."""
        import openai

        match error:
            case openai.APITimeoutError() | httpx2.TimeoutException():
                return f"did not answer within {self.settings.timeout:g} s. Try again or set llm.timeout higher."
            case openai.APIStatusError():
                return self._refused(error.status_code)
            case httpx2.InvalidURL():
                return f"has an address that is none ({error}). Check llm.base_url."
            case openai.APIConnectionError() | httpx2.ConnectError():
                return "cannot be reached. Check llm.base_url and that the server runs."
            case openai.OpenAIError() | httpx2.HTTPError() | ValueError() | KeyError() | TypeError() | AttributeError():
                # The last four are what the client library raises where a server sends what is no answer.
                return f"broke off or sent what is no answer ({type(error).__name__}). Check llm.base_url or ask again."
        return ""

    def _refused(self, status: int) -> str:
        if status in (401, 403):
            return f"refused the key (status {status}). Check FOOTNOTE_LLM_API_KEY."
        if status == 404:
            return f"knows no model {self.settings.model!r} (status 404). Check llm.model and llm.base_url."
        if 300 <= status < 400:
            return f"sends requests elsewhere (status {status}), where the key must not go. Set llm.base_url to it."
        if status == 429:
            return "has too many requests or no credit left (status 429). Try again later."
        if status < 500:
            return f"did not take the request (status {status}). Check llm.model and what else is set under llm."
        return f"answered with status {status}. Try again later."

    def _pause(self, error: Exception, attempt: int, until: Until) -> float | None:
        """Seconds to wait before another try, or None where none is worth it; raises LLMError where it would be too late."""
        import openai

        asked = 0.0
        if isinstance(error, openai.APIStatusError):
            if error.status_code != 429 and error.status_code < 500:
                return None
            asked = retry_after(error.response.headers.get("retry-after", ""))
        elif isinstance(error, openai.APITimeoutError) or not isinstance(
            error, openai.APIConnectionError | httpx2.NetworkError | httpx2.RemoteProtocolError
        ):
            return None
        wait = max(asked, _FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.0))
        if asked > until.left:
            status = getattr(error, "status_code", "")
            raise LLMError(
                f"{place(self.settings)} asks to wait {asked:.0f} s (status {status}), longer than llm.timeout "
                f"({self.settings.timeout:g} s) allows. Ask again then."
            )
        return wait if wait < until.left else None

    def _connect(self, model: str, address: str, key: str, options: dict[str, Any]) -> Any:
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        _hush()
        timeout = httpx2.Timeout(self.settings.timeout if self.settings.remote else None, connect=_CONNECT_SECONDS)
        # A proxy set for the outside world must not see what stays on this machine.
        stays = is_loopback(host(address, self.settings))
        client = httpx2.Client(
            trust_env=not stays,
            timeout=timeout,
            follow_redirects=False,  # the key goes where the settings say and nowhere else
            event_hooks={"response": [_watch]},
        )
        return ChatOpenAI(
            model=model,
            base_url=address,
            api_key=SecretStr(key),
            timeout=timeout,
            max_retries=0,  # the library's own tries know no deadline
            use_responses_api=False,
            stream_usage=False,
            http_client=client,
            **(options | ({"openai_proxy": None} if stays else {})),
        )


def _hush() -> None:
    """Quiets the loggers that tell whole requests and answers at DEBUG: keys and documents have no place in a log."""
    for name in ("openai", "httpx2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("httpcore2")]:
        logging.getLogger(name).disabled = True


def host(address: str, settings: LLMSettings) -> str:
    """The host of an address; raises LLMError where it is none."""
    try:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts.hostname
    except ValueError:  # a port that is no number, or too large a one
        pass
    raise LLMError(f"{place(settings)} has an address that is none. Set llm.base_url to one like https://host/v1.")


def options(settings: LLMSettings) -> dict[str, Any]:
    """What an address is told: the temperature and the length always, the rest only where it was set."""
    name = host(settings.base_url, settings)
    told: dict[str, Any] = {"temperature": settings.temperature}
    extra: dict[str, Any] = {}
    # The client library renames the length to a word that OpenAI's newer models want and many servers don't know.
    if name == "api.openai.com" or name.endswith(".azure.com"):
        told["max_tokens"] = settings.max_tokens
    else:
        extra["max_tokens"] = settings.max_tokens
    if settings.top_p < 1:
        told["top_p"] = settings.top_p
    if settings.seed:
        told["seed"] = settings.seed
    if settings.top_k:
        extra["top_k"] = settings.top_k
    if settings.repetition_penalty != 1:
        extra["repetition_penalty"] = settings.repetition_penalty
    if settings.thinking != "auto":
        extra |= _THINKING.get(name, lambda on: {"chat_template_kwargs": {"enable_thinking": on}})(
            settings.thinking == "on"
        )
    return told | ({"extra_body": extra} if extra else {})


def retry_after(value: str) -> float:
    """Seconds that a Retry-After header asks for, given as a number or as an HTTP date; 0 where it is neither."""
    try:
        return max(0.0, float(value) if isfinite(float(value)) else 0.0)
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0


def place(settings: LLMSettings) -> str:
    """What to call the model in a sentence: its address without anything secret in it, or its name."""
    return f"The model at {shown_address(settings.base_url)}" if settings.remote else f"The model {settings.model}"


def shown_address(address: str) -> str:
    """An address without user, password and query, which may hold keys; without anything where it is none."""
    try:
        parts = urlsplit(address)
    except ValueError:  # a bracket that opens an IPv6 address and is not closed, say
        return "(no address)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class _Watched(httpx2.SyncByteStream):
    """A response's bytes as long as somebody waits for them; a server that dribbles would keep its thread for ever."""

    def __init__(self, stream: Any, until: Until) -> None:
        self._stream, self._until = stream, until

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            if self._until.over:
                raise httpx2.ReadTimeout("nobody waits any more")
            yield part

    def close(self) -> None:
        """Hang up."""
        self._stream.close()


def _watch(response: httpx2.Response) -> None:
    if until := _UNTIL.get():
        response.stream = _Watched(response.stream, until)
