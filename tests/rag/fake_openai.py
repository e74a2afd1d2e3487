"""An OpenAI-compatible server on loopback that behaves as it is told, and twenty ways to behave badly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-do-not-show-4711"
Behaviour = Callable[[BaseHTTPRequestHandler], None]


class Fake(ThreadingHTTPServer):
    """An OpenAI-compatible server that behaves as it is told; ``requests`` are the bodies it got."""

    daemon_threads = True

    def __init__(self) -> None:
        self.behave: Behaviour = normal
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.release = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        length = int(self.headers["Content-Length"] or 0)
        server.requests.append(json.loads(self.rfile.read(length) or b"{}"))
        server.keys.append(self.headers["Authorization"])
        server.behave(self)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: Any) -> None:
        """Nothing: the test's output is not the place."""


def begin(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.end_headers()


def piece(text: str | None, reason: str | None = None) -> bytes:
    delta = {"role": "assistant", "content": text} if text is not None else {}
    value = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
             "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}  # fmt: skip
    return f"data: {json.dumps(value)}\n\n".encode()


def send(*parts: bytes, hold: bool = False) -> Behaviour:
    def behave(handler: Any) -> None:
        begin(handler)
        for part in parts:
            handler.wfile.write(part)
            handler.wfile.flush()
        if hold:
            handler.server.release.wait(30)

    return behave


def status(code: int, **headers: str) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        body = json.dumps({"error": {"message": f"bad key {KEY}", "type": "x", "code": "x"}}).encode()
        handler.send_response(code)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def hang(handler: Any) -> None:
    handler.server.release.wait(30)


normal = send(piece("十五"), piece(" days"), piece(None, "stop"), b"data: [DONE]\n\n")


def then(*behaviours: Behaviour) -> Behaviour:
    """One behaviour a request, the last one for good."""
    left = list(behaviours)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def late(seconds: float) -> Behaviour:
    """The usual answer, whose first byte takes its time."""

    def behave(handler: Any) -> None:
        if not handler.server.release.wait(seconds):
            normal(handler)

    return behave


def drip(handler: Any) -> None:
    """A byte now and then, of an event that never ends."""
    begin(handler)
    handler.wfile.write(b"data: ")
    while not handler.server.release.wait(0.05):
        handler.wfile.write(b" ")


def endless(handler: Any) -> None:
    """Piece after piece, whatever length was asked for."""
    begin(handler)
    while not handler.server.release.wait(0.05):
        handler.wfile.write(piece("x "))


def split(handler: Any) -> None:
    """The usual answer, byte by byte, its characters as UTF-8 and not escaped."""
    begin(handler)
    raw = (
        piece("十五天").decode().encode().decode("unicode_escape").encode() + piece(None, "stop") + b"data: [DONE]\n\n"
    )
    for at in range(len(raw)):
        handler.wfile.write(raw[at : at + 1])
        handler.wfile.flush()
        if at % 40 == 0:
            time.sleep(0.001)


def page(handler: Any) -> None:
    """A web page where an answer should be."""
    body = f"<html><title>Sign in</title>{KEY}</html>".encode()
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def no_choices() -> bytes:
    """A chunk without a choice in it."""
    value = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
    return f"data: {json.dumps(value)}\n\n".encode()


def redirect(to: str) -> Behaviour:
    """Off to another address."""

    def behave(handler: Any) -> None:
        handler.send_response(307)
        handler.send_header("Location", f"{to}/chat/completions?key={KEY}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return behave


def faults(elsewhere: str) -> dict[str, Behaviour | None]:
    """The twenty faults by name; None is an address where nobody listens, ``elsewhere`` that of another server."""
    return {
        "401": status(401),
        "404": status(404),
        "429, Retry-After in seconds": then(status(429, Retry_After="1"), normal),
        "429, Retry-After as a date": status(429, Retry_After=formatdate(time.time() + 3600, usegmt=True)),
        "500": then(status(500), normal),
        "503": status(503),
        "connection refused": None,
        "hang before headers": hang,
        "slow first byte": late(0.7),
        "drip": drip,
        "drop mid-stream": send(piece("half an")),
        "bad JSON": send(piece("half an"), b'data: {"id": broken\n\n'),
        "split UTF-8": split,
        "empty choices": send(no_choices(), no_choices(), b"data: [DONE]\n\n"),
        "finish_reason length": send(piece("half an"), piece(None, "length"), b"data: [DONE]\n\n"),
        "content_filter": send(piece("half an"), piece(None, "content_filter"), b"data: [DONE]\n\n"),
        "endless stream": endless,
        "200 with a web page": page,
        "empty answer": send(piece(""), piece(None, "stop"), b"data: [DONE]\n\n"),
        "redirect with the key": redirect(elsewhere),
    }


@contextmanager
def serving() -> Iterator[Fake]:
    """A fake server that runs."""
    fake = Fake()
    thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield fake
    finally:
        fake.release.set()
        fake.shutdown()
        thread.join()
        fake.server_close()


def closed() -> str:
    """An address where nobody listens any more."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        return f"http://127.0.0.1:{server.server_port}/v1"
