"""Twenty ways for a model's server to fail: in time, in a sentence, without the key, and no part shown as a whole."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator

import pytest
from langchain_core.messages import HumanMessage

from rag.errors import Incomplete, LLMError
from rag.llm import LanguageModel, load_llm
from rag.llm_address import retry_after
from rag.settings import LLMSettings
from tests.rag.fake_openai import KEY, Fake, closed, faults, send, serving, status, then
from tests.rag.fake_openai import piece as chunk

DEADLINE = 2.0
# What comes, and how it ends: whole, incomplete (told after what came) or failed (nothing came); words of the sentence.
EXPECTED = {
    "401": ("", "failed", "refused the key"),
    "404": ("", "failed", "knows no model"),
    "429, Retry-After in seconds": ("十五 days", "whole", ""),
    "429, Retry-After as a date": ("", "failed", "asks to wait"),
    "500": ("十五 days", "whole", ""),
    "503": ("", "failed", "503"),
    "connection refused": ("", "failed", "cannot be reached"),
    "hang before headers": ("", "failed", "did not answer within 2 s"),
    "slow first byte": ("十五 days", "whole", ""),
    "drip": ("", "failed", "did not answer within 2 s"),
    "drop mid-stream": ("half an", "incomplete", "broke off"),
    "bad JSON": ("half an", "incomplete", "no answer"),
    "split UTF-8": ("十五天", "whole", ""),
    "empty choices": ("", "failed", "nothing came"),
    "finish_reason length": ("half an", "incomplete", "llm.max_tokens"),
    "content_filter": ("half an", "incomplete", "content filter"),
    "endless stream": ("x x x", "incomplete", "took longer than 2 s"),
    "200 with a web page": ("", "failed", "llm.base_url"),
    "empty answer": ("", "failed", "empty answer"),
    "redirect with the key": ("", "failed", "elsewhere"),
}
_proofs: dict[str, tuple[str, float, str]] = {}


@pytest.fixture(scope="module", autouse=True)
def _table(figure: Callable[[str, str], None]) -> Iterator[None]:
    """Prints what each fault led to, and how many of them ended as they should."""
    yield
    print()
    for name, (ended, seconds, said) in _proofs.items():
        print(f"{name:30} {ended:10} {seconds:4.1f} s  {said}")
    if _proofs:
        figure(
            "faults of a model at an address", f"{len(_proofs)}/{len(EXPECTED)} in time, in a sentence, without the key"
        )


@pytest.fixture(scope="module")
def server() -> Iterator[Fake]:
    """The server that fails."""
    with serving() as fake:
        yield fake


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Fake]:
    """Another server, which must never hear of the key."""
    with serving() as fake:
        yield fake


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the machine is not what these tests are about."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def load(url: str) -> LanguageModel:
    return load_llm(LLMSettings(model="m", base_url=url, api_key=KEY, timeout=DEADLINE, max_tokens=50))


def answer(model: LanguageModel) -> tuple[str, LLMError | None, float]:
    """What came, the error that ended it, and the seconds that it took."""
    came, began = "", time.monotonic()
    try:
        for text in model.stream([HumanMessage("年假几天？")]):
            came += text
    except LLMError as error:
        return came, error, time.monotonic() - began
    return came, None, time.monotonic() - began


def told(error: BaseException) -> str:
    """Everything that an error can be made to say, with all that led to it."""
    texts = [repr(error), str(error), *traceback.format_exception(error)]
    seen: BaseException | None = error
    while seen := seen.__cause__ or seen.__context__:
        texts += [repr(seen), str(seen)]
    return "".join(texts)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_fault_ends_in_time_and_in_a_sentence(
    name: str, server: Fake, elsewhere: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    """Whole, marked as incomplete or failed: by the deadline and 2 s, and the key is in nothing that anybody sees."""
    fault = faults(elsewhere.url)[name]
    server.requests.clear()
    if fault:
        server.behave = fault
    model = load(server.url if fault else closed())
    for logger in [logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict))]:
        caplog.set_level(logging.DEBUG, logger.name if logger is not logging.getLogger() else None)
    came, error, seconds = answer(model)
    kind = "whole" if error is None else "incomplete" if isinstance(error, Incomplete) else "failed"
    expected, ended, words = EXPECTED[name]
    assert (kind, came[:5]) == (ended, expected[:5])
    assert seconds <= DEADLINE + 2
    said = str(error or "")
    assert words in said and "\n" not in said and "Traceback" not in said
    logged = "".join(f"{record.getMessage()}{record.exc_text}{record.args}" for record in caplog.records)
    assert KEY not in (told(error) if error else "") + logged + repr(model) + repr(model.chat)
    assert elsewhere.requests == []
    _proofs[name] = (ended, seconds, said)


def test_there_are_twenty() -> None:
    """Every fault has its expectation, and there are twenty."""
    assert faults("x").keys() == EXPECTED.keys() and len(EXPECTED) == 20


@pytest.mark.parametrize(("code", "tries"), [(401, 1), (404, 1), (400, 1), (429, 3), (500, 3), (503, 3)])
def test_only_what_may_mend_is_tried_again(server: Fake, code: int, tries: int) -> None:
    """Too many requests and the server's own faults are asked three times, a wrong key or name once."""
    server.requests.clear()
    server.behave = status(code)
    answer(load(server.url))
    assert len(server.requests) == tries


def test_a_begun_answer_is_not_asked_for_again(server: Fake) -> None:
    """What the reader has seen is never followed by another beginning."""
    server.requests.clear()
    server.behave = then(send(chunk("half an")), send(chunk("other"), chunk(None, "stop")))
    came, error, _ = answer(load(server.url))
    assert came == "half an" and isinstance(error, Incomplete) and len(server.requests) == 1


def test_the_server_says_how_long_to_wait() -> None:
    """Retry-After is a number of seconds or an HTTP date; anything else, and a date gone by, is no wait."""
    assert retry_after("7") == 7
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("soon") == retry_after("") == retry_after("-3") == retry_after("nan") == 0


def test_no_thread_is_left_behind(server: Fake) -> None:
    """A server that dribbles for ever keeps nothing busy after the deadline."""
    server.behave = faults("x")["drip"] or status(500)
    before = {thread.ident for thread in threading.enumerate()}
    answer(load(server.url))
    until = time.monotonic() + 5
    while time.monotonic() < until and (left := _pumps(before)):
        left[0].join(0.1)
    assert not _pumps(before)


def _pumps(before: set[int | None]) -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.ident not in before and "pump" in t.name]
