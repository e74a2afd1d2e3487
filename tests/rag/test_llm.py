"""The language model behind an address: whatever the server does, one sentence, in time, without the key."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from rag.errors import LLMError, ModelError
from rag.llm import gguf_path, load_llm
from rag.llm_address import options
from rag.settings import LLMSettings
from tests.rag.fake_openai import KEY, Behaviour, Fake, begin, closed, hang, piece, send, serving, status

TIMEOUT = 2.0


@pytest.fixture
def server() -> Iterator[Fake]:
    """A fake server on loopback."""
    with serving() as fake:
        yield fake


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the machine is not what these tests are about."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def settings(url: str) -> LLMSettings:
    return LLMSettings(model="m", base_url=url, api_key=KEY, timeout=TIMEOUT, max_tokens=50)


def failure(url: str) -> tuple[str, list[str], float]:
    """The sentence of a failed answer, what came before it, and the seconds that it took."""
    model = load_llm(settings(url))
    pieces: list[str] = []
    began = time.monotonic()
    with pytest.raises(LLMError) as error:
        for text in model.stream([HumanMessage("question")]):
            pieces.append(text)
    return str(error.value), pieces, time.monotonic() - began


def test_an_answer_comes_piece_by_piece(server: Fake) -> None:
    """The pieces come in order, and the server is asked with the key, the model's name and the limits set."""
    model = load_llm(settings(server.url))
    assert [piece for piece in model.stream([HumanMessage("年假几天？")]) if piece] == ["十五", " days"]
    (request,) = server.requests
    assert (request["model"], request["temperature"], request["stream"]) == ("m", 0.0, True)
    assert request["max_tokens"] == 50 and "max_completion_tokens" not in request
    assert request.keys() == {"model", "messages", "stream", "temperature", "max_tokens"}
    assert request["messages"] == [{"role": "user", "content": "年假几天？"}]
    assert server.keys == [f"Bearer {KEY}"]
    assert model.remote


@pytest.mark.parametrize(
    ("behaviour", "words", "came"),
    [
        (status(400), "400", []),
        (status(401), "refused the key", []),
        (status(403), "refused the key", []),
        (status(404), "knows no model 'm'", []),
        (status(429), "429", []),
        (status(500), "500", []),
        (status(503), "503", []),
        (hang, "did not answer within 2 s", []),
        (send(piece("half an"), hold=True), "2 s", ["half an"]),
        (send(piece("half an")), "broke off", ["half an"]),
        (send(piece("half an"), b"data: {\"id\": broken\n\n"), "broke off", ["half an"]),
        (send(b"<html>not what was asked for</html>"), "broke off", []),
        (send(b"data: [1, 2]\n\n"), "broke off", []),
        (send(), "broke off", []),
        (send(b"data: [DONE]\n\n"), "broke off", []),
    ],
    ids=["400", "401", "403", "404", "429", "500", "503", "hangs", "hangs in the middle", "ends in the middle",
         "bad JSON in the middle", "no stream", "other JSON", "nothing", "done at once"],
)  # fmt: skip
def test_a_failing_server_is_one_sentence_in_time(
    server: Fake, behaviour: Behaviour, words: str, came: list[str]
) -> None:
    """Refused, too slow or broken off: a sentence with the address, within the time limit and 2 s, without the key."""
    server.behave = behaviour
    message, pieces, seconds = failure(server.url)
    assert words in message and server.url in message
    assert "\n" not in message and KEY not in message
    assert [piece for piece in pieces if piece] == came
    assert seconds < TIMEOUT + 2


def test_an_address_where_nobody_listens_is_one_sentence() -> None:
    """A refused connection says which address cannot be reached."""
    url = closed()
    message, _, seconds = failure(url)
    assert "cannot be reached" in message and url in message and KEY not in message
    assert seconds < TIMEOUT + 2


def test_a_stream_that_never_ends_is_ended(server: Fake) -> None:
    """A server that dribbles on for ever is cut off at the time limit."""

    def dribble(handler: Any) -> None:
        begin(handler)
        while not handler.server.release.wait(0.1):
            handler.wfile.write(piece("x"))

    server.behave = dribble
    message, pieces, seconds = failure(server.url)
    assert "2 s" in message and "incomplete" in message and len(pieces) > 3
    assert seconds < TIMEOUT + 2


def test_closing_the_answer_hangs_up(server: Fake) -> None:
    """Whoever stops reading is not an error, and the server notices that nobody listens any more."""
    noticed = threading.Event()

    def talk(handler: Any) -> None:
        begin(handler)
        try:
            while not handler.server.release.wait(0.02):
                handler.wfile.write(piece("word "))
        except OSError:
            noticed.set()

    server.behave = talk
    stream = load_llm(settings(server.url)).stream([HumanMessage("q")])
    assert next(piece for piece in stream if piece) == "word "
    stream.close()  # type: ignore[attr-defined]
    assert noticed.wait(10)


def test_an_address_hears_only_what_was_set(server: Fake) -> None:
    """Settings off their defaults are sent, each by the name that servers know; many refuse a field they don't know."""
    chosen = replace(
        settings(server.url), temperature=0.5, top_k=20, top_p=0.9, repetition_penalty=1.1, seed=7, thinking="off"
    )
    list(load_llm(chosen).stream([HumanMessage("q")]))
    (request,) = server.requests
    assert request.keys() - {"model", "messages", "stream"} == {
        "temperature", "max_tokens", "top_k", "top_p", "repetition_penalty", "seed", "chat_template_kwargs",
    }  # fmt: skip
    assert (request["temperature"], request["top_k"], request["top_p"], request["seed"]) == (0.5, 20, 0.9, 7)
    assert request["chat_template_kwargs"] == {"enable_thinking": False}


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("https://dashscope.aliyuncs.com/compatible-mode/v1", {"enable_thinking": True}),
        ("https://open.bigmodel.cn/api/paas/v4", {"thinking": {"type": "enabled"}}),
        ("https://api.deepseek.com/v1", {"thinking": {"type": "enabled"}}),
    ],
)
def test_thinking_is_asked_for_in_the_hosts_own_words(host: str, told: dict[str, Any]) -> None:
    """What the others read from the chat template's arguments has another name at some services."""
    extra = options(LLMSettings(model="m", base_url=host, thinking="on"))["extra_body"]
    assert extra == {"max_tokens": 320} | told


def test_the_length_goes_to_openai_by_its_newer_name() -> None:
    """OpenAI's newer models refuse max_tokens; the client library renames it there."""
    told = options(LLMSettings(model="gpt-4.1-mini", base_url="https://api.openai.com/v1"))
    assert told == {"temperature": 0.0, "max_tokens": 320}


def test_thoughts_are_no_part_of_the_answer(server: Fake) -> None:
    """What a reasoning model thinks is left out as it streams, and an answer of thoughts alone is none."""
    server.behave = send(piece("<thi"), piece("nk>ten?</think>\n\n"), piece("十五"), piece(None, "stop"))
    model = load_llm(settings(server.url))
    assert "".join(model.stream([HumanMessage("q")])) == "十五"
    server.behave = send(piece("<think>ten or fifteen"), piece(None, "length"))
    message, pieces, _ = failure(server.url)
    assert "llm.max_tokens" in message and not "".join(pieces)


def test_the_key_is_in_no_text_of_the_model(server: Fake) -> None:
    """Neither the model nor its client shows the key when it is printed."""
    model = load_llm(settings(server.url))
    assert KEY not in repr(model) + repr(model.chat) + str(model.chat)


def test_counting_is_on_the_safe_side(server: Fake) -> None:
    """For an address a Chinese character counts as a token, English at a third of its letters, and never as none."""
    model = load_llm(settings(server.url))
    assert model.count("年假有十五天") >= 6
    assert 30 <= model.count("x" * 90) <= 90
    assert model.count("") >= 1
    assert model.room == model.settings.context - 50


def test_a_missing_model_file_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is neither there nor an address names the ways out; a built-in one names the command."""
    with pytest.raises(ModelError, match=r"llm\.base_url"):
        gguf_path(str(tmp_path / "none.gguf"))
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="models pull"):
        gguf_path("builtin:qwen2.5-1.5b")


@pytest.mark.parametrize("address", ["http://localhost:abc/v1", "http://model.example:99999999/v1"])
def test_an_address_that_is_none_is_one_sentence(address: str) -> None:
    """A mistyped address is said to be one, at once and without a traceback."""
    with pytest.raises(LLMError, match=r"llm\.base_url"):
        list(load_llm(settings(address)).stream([HumanMessage("hello")]))
