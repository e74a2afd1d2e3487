"""What the page's web server does beside Streamlit: headers that shut other sites out, and the cookie of who signed in."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Final
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.users import SIGNED_IN_SECONDS

KEEP: Final = "/signed-in"
_TICKET_SECONDS = 60
_HEADERS: Final = {
    # Nothing may come from another host, and no text becomes a script. A component of our own is loaded as a blob; the hash
    # is that of the one script inside Streamlit's index.html.
    "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' blob: "
    "'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; frame-src 'self' blob:; frame-ancestors 'none'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Tickets:
    """A token waits here for the browser to fetch it as a cookie, which no script can read; each ticket is good once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[str, float]] = {}

    def give(self, token: str) -> str:
        """A ticket for a token, good for a minute."""
        ticket, now = secrets.token_urlsafe(32), time.monotonic()
        with self._lock:
            self._waiting = {key: entry for key, entry in self._waiting.items() if entry[1] > now}
            self._waiting[ticket] = (token, now + _TICKET_SECONDS)
        return ticket

    def take(self, ticket: str) -> str | None:
        """The token of a ticket, if it is good."""
        with self._lock:
            token, until = self._waiting.pop(ticket, ("", 0.0))
        return token if until > time.monotonic() else None


TICKETS: Final = Tickets()


def cookie_name() -> str:
    """The name of the cookie, its own for each server: cookies know hosts, not ports."""
    return f"footnote-{st.get_option('server.port')}"


async def _keep(request: Request) -> Response:
    """Answer a ticket with its token as a cookie."""
    token = TICKETS.take((await request.body())[:200].decode("ascii", "replace"))
    if token is None or not _same_origin(request.headers):
        return Response(status_code=403)
    response = Response(status_code=204)
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
    response.set_cookie(
        cookie_name(), token, max_age=SIGNED_IN_SECONDS, path="/", secure=secure, httponly=True, samesite="strict"
    )
    return response


class Guard:
    """Refuses what other sites' pages ask for and adds the headers to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or close a foreign page's connection."""
        if scope["type"] == "websocket" and not _same_origin(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": 1008})
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        await self._app(scope, receive, with_headers)


def _same_origin(headers: Headers) -> bool:
    """Whether the page that asks is ours: Streamlit alone takes any page on localhost for that."""
    origin = headers.get("origin")
    allowed = st.get_option("server.corsAllowedOrigins") or []
    return origin is None or urlsplit(origin).netloc == headers.get("host") or origin in allowed


ROUTES: Final = (Route(KEEP, _keep, methods=["POST"]),)
MIDDLEWARE: Final = (Middleware(Guard),)
