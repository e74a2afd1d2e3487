"""An embeddings address, played by a small server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag import embedding_address
from rag.embedder import load_embedder
from rag.errors import ModelError
from rag.settings import EmbeddingSettings

KEY = "sk-do-not-show"


def honest(texts: list[str]) -> list[list[float]]:
    return [[3.0, 4.0, float(len(text))] for text in texts]


@dataclass
class Server:
    """What the server was asked, and what it is to answer: statuses first, then vectors."""

    address: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    statuses: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    vectors: Callable[[list[str]], list[Any]] = honest
    raw: bytes | None = None


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that knows ``POST /v1/embeddings``; it sends the vectors in reverse order with their index."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.asked.append(body)
            state.keys.append(self.headers.get("Authorization", ""))
            status, headers = state.statuses.pop(0) if state.statuses else (200, {})
            rows = [{"index": i, "embedding": v} for i, v in enumerate(state.vectors(body["input"]))]
            self.send_response(status if self.path == "/v1/embeddings" else 404)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(state.raw or json.dumps({"data": rows[::-1]}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        state.address = f"http://127.0.0.1:{listening.server_port}/v1"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield state
        listening.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """The pauses between tries, which are noted and not taken; the cache is the test's own."""
    taken: list[float] = []
    monkeypatch.setattr(embedding_address.time, "sleep", taken.append)
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "cache"))
    return taken


def embedder(server: Server, **changed: Any) -> Any:
    return load_embedder(
        EmbeddingSettings(**({"model": "some/embedder", "base_url": server.address, "api_key": KEY} | changed))
    )


def test_texts_become_unit_vectors_in_order(server: Server) -> None:
    """Prefix, key and model are sent, 150 texts in three requests, and each text gets its own vector at length 1."""
    texts = ["x" * i for i in range(150)]
    vectors = embedder(server).embed_passages(texts)
    expected = np.array(honest([f"passage: {text}" for text in texts]))
    assert np.allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    assert vectors.dtype == np.float32 and [len(body["input"]) for body in server.asked] == [64, 64, 22]
    assert {body["model"] for body in server.asked} == {"some/embedder"} and set(server.keys) == {f"Bearer {KEY}"}


def test_a_proxy_does_not_see_loopback(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy for the outside world is not used for an address on this machine."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert embedder(server).dimension == 3


def test_a_busy_address_is_asked_again(server: Server, pauses: list[float]) -> None:
    """429 and 5xx are tried again, at least as late as the server says, and never later than half a minute."""
    server.statuses = [(429, {"Retry-After": "7"}), (503, {}), (500, {"Retry-After": "9999"})]
    assert embedder(server).embed_query("?").shape == (3,)
    assert len(server.asked) == 4 and pauses[0] == 7 and 0.5 <= pauses[1] <= 1 and pauses[2] == 30


@pytest.mark.parametrize(
    ("status", "asked", "said"),
    [(401, 1, "FOOTNOTE_EMBEDDING_API_KEY"), (404, 1, "some/embedder"), (400, 1, "400"), (503, 5, "503")],
)
def test_a_refusal_is_one_sentence_without_the_key(server: Server, status: int, asked: int, said: str) -> None:
    """What cannot get better is not tried again; the message says what to look at."""
    server.statuses = [(status, {})] * 9
    with pytest.raises(ModelError, match=said) as error:
        embedder(server).embed_query("?")
    assert len(server.asked) == asked and KEY not in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (lambda texts: honest(texts)[:-1], "1 vectors for 2"),
        (lambda texts: [[float("nan"), 1.0]] * len(texts), "NaN"),
        (lambda texts: [[0.0, 0.0]] * len(texts), "direction"),
        (lambda texts: [[1.0] * (i + 2) for i in range(len(texts))], "no list of embeddings"),
        (lambda texts: ["text"] * len(texts), "no list of embeddings"),
    ],
)
def test_wrong_vectors_are_an_error(server: Server, vectors: Callable[[list[str]], list[Any]], said: str) -> None:
    """A missing vector, one without a direction, lengths that differ, or no numbers: nothing of it is used."""
    server.vectors = vectors
    with pytest.raises(ModelError, match=said):
        embedder(server).embed_passages(["a", "b"])


def test_a_changed_dimension_is_an_error(server: Server) -> None:
    """An address that gives vectors of another length than before has another model."""
    asked = embedder(server)
    assert asked.dimension == 3
    server.vectors = lambda texts: [[1.0, 0.0]] * len(texts)
    with pytest.raises(ModelError, match="different lengths"):
        asked.embed_query("?")


def test_what_is_no_json_is_an_error(server: Server) -> None:
    """A web page in place of an answer is said to be none."""
    server.raw = b"<html>hello</html>"
    with pytest.raises(ModelError, match=r"embedding\.base_url"):
        embedder(server).embed_query("?")


@pytest.mark.parametrize("address", ["http://user:pass@127.0.0.1:9/v1", "ftp://host/v1", "host:80", "http://[::1"])
def test_an_address_that_is_not_there(address: str) -> None:
    """One sentence names the address without its password."""
    with pytest.raises(ModelError, match="embed") as error:
        load_embedder(EmbeddingSettings(model="m", base_url=address)).embed_query("?")
    assert "pass" not in str(error.value)


def test_a_builtin_name_and_an_address_do_not_go_together(server: Server) -> None:
    """Settings that contradict each other are said to."""
    with pytest.raises(ModelError, match=r"embedding\.model"):
        load_embedder(EmbeddingSettings(base_url=server.address))


def test_the_key_is_not_shown(server: Server) -> None:
    """Neither the settings nor the fingerprint tell the key, and the fingerprint does not depend on it."""
    settings = EmbeddingSettings(model="m", base_url=server.address, api_key=KEY)
    assert KEY not in repr(settings)
    assert embedder(server).fingerprint == embedder(server, api_key="other").fingerprint


def test_language_means_are_found_once(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """The fixed texts are embedded at the first centring, said on stderr, and kept for the next program."""
    vectors = embedder(server).embed_passages(["月亮", "moon"])
    first = embedder(server)
    before = len(server.asked)
    centred = first.centre(vectors, ["zh", "en"])
    asked = len(server.asked)
    assert asked > before and "language means" in capsys.readouterr().err
    assert np.allclose(np.linalg.norm(centred, axis=1), 1, atol=1e-5) and not np.allclose(centred, vectors, atol=1e-2)
    again = embedder(server)
    assert np.array_equal(again.centre(vectors, ["zh", "en"]), centred) and len(server.asked) == asked
    assert again.fingerprint == first.fingerprint and capsys.readouterr().err == ""
