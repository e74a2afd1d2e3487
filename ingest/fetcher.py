"""The one way from ingest to the network: single web pages that the user names, from public addresses only.

Each address of a host is checked before anything connects, and the connection goes to an address that was checked: a
name that answers otherwise a moment later (DNS rebinding) changes nothing. Redirects are checked anew. Proxies and
cookies play no part, and one deadline and one size hold for everything together.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

from ingest.addresses import Target, is_public, parse
from rag.errors import IngestError

SECONDS = 20.0
MOST_BYTES = 20 << 20
_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({404, 410})
_BLOCK = 1 << 16
_HEADERS = {
    "User-Agent": "Footnote (document search; fetches single pages that its user asks for)",
    "Accept": "text/html, application/xhtml+xml, application/pdf, */*;q=0.5",
    "Accept-Encoding": "identity",
    "Connection": "close",
}

Resolver = Callable[[str, int], list[str]]
Connector = Callable[[str, int, float], socket.socket]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page as it came: the address that it came from at last, its type and charset as named, and its date."""

    url: str
    content: bytes = field(repr=False)
    content_type: str
    charset: str | None
    modified: float | None


class Fetcher:
    """Fetches pages; ``resolve`` gives a host's addresses, ``connect`` a socket to an address within some seconds."""

    def __init__(
        self,
        *,
        resolve: Resolver | None = None,
        connect: Connector | None = None,
        tls: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._resolve = resolve or _resolve
        self._connect = connect or _connect
        self._tls = tls
        self._seconds = seconds
        self._most = most_bytes

    def fetch(self, url: str) -> Fetched:
        """A page, redirects followed; raises IngestError with what is wrong, the address left out."""
        deadline = time.monotonic() + self._seconds
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                outcome = self._get(url, deadline)
            except TimeoutError:
                raise IngestError(f"it did not come within {self._seconds:g} seconds") from None
            except ssl.SSLCertVerificationError as error:
                raise IngestError(f"its certificate is not valid: {error.verify_message}") from None
            except (http.client.HTTPException, OSError, zlib.error) as error:
                raise IngestError(f"it cannot be fetched ({_words(error)})") from None
            if isinstance(outcome, Fetched):
                return outcome
            url = outcome
        raise IngestError(f"it was redirected more than {_MOST_REDIRECTS} times")

    def _get(self, url: str, deadline: float) -> Fetched | str:
        """The page at an address, or the address to which it redirects."""
        target = parse(url)
        with closing(self._open(target, deadline)) as sock:
            connection = http.client.HTTPConnection(target.host, target.port)
            connection.sock = _Wire(sock, deadline)
            connection.request("GET", target.path, headers=_HEADERS | {"Host": target.authority})
            response = connection.getresponse()
            if response.status in _REDIRECTS:
                return _location(url, response)
            if response.status in _GONE:
                raise IngestError(f"there is no page any more (status {response.status})")
            if response.status != 200:
                raise IngestError(f"its server answers with status {response.status} {_printable(response.reason)}")
            return Fetched(
                url,
                self._body(response),
                response.headers.get_content_type() if response.headers.get("Content-Type") else "",
                response.headers.get_content_charset(),
                _date(response.headers.get("Last-Modified")),
            )

    def _open(self, target: Target, deadline: float) -> socket.socket:
        """A connection to an address of the host, every one of which has been found public."""
        addresses = self._addresses(target, deadline)
        if not addresses:
            raise IngestError(f"{target.host} has no address")
        for address in addresses:
            if not is_public(address):
                raise IngestError(
                    f"{target.host} is at {address}, which is no public address: "
                    "pages of this machine and its network are not fetched"
                )
        failure: OSError = OSError("no address")
        for tried, address in enumerate(addresses):
            try:
                plain = self._connect(address, target.port, _left(deadline) / (len(addresses) - tried))
            except OSError as error:
                failure = error
                continue
            return self._secured(plain, target, deadline)
        raise failure

    def _addresses(self, target: Target, deadline: float) -> list[str]:
        try:
            return [str(ipaddress.ip_address(target.host))]
        except ValueError:
            return _within(lambda: self._resolve(target.host, target.port), deadline)

    def _secured(self, plain: socket.socket, target: Target, deadline: float) -> socket.socket:
        if target.scheme == "http":
            return plain
        context = self._tls or ssl.create_default_context()
        plain.settimeout(_left(deadline))
        try:
            return context.wrap_socket(plain, server_hostname=target.host)
        except BaseException:
            plain.close()
            raise

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        """The whole content, unpacked."""
        if response.length is not None and response.length > self._most:
            raise self._too_large()
        content = bytearray()
        for piece in _unpacked_pieces(response, self._most + 1):
            content += piece
            if len(content) > self._most:
                raise self._too_large()
        return bytes(content)

    def _too_large(self) -> IngestError:
        return IngestError(f"it is larger than {self._most / (1 << 20):g} MB")


class _Wire:
    """A socket as http.client uses it, whose every wait ends at one deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        """The bytes that come."""
        return io.BufferedReader(_Incoming(self._sock, self._deadline))

    def sendall(self, data: Any) -> None:
        """Send the request."""
        self._sock.settimeout(_left(self._deadline))
        self._sock.sendall(data)

    def close(self) -> None:
        """Nothing yet: http.client says this as soon as the head is there, and the content is still to come."""


class _Incoming(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        return self._sock.recv_into(buffer)


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise IngestError(f"{host} is not found ({getattr(error, 'strerror', None) or error})") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


# Time


def _left(deadline: float) -> float:
    """The seconds until the deadline; raises TimeoutError where there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _within(work: Callable[[], list[str]], deadline: float) -> list[str]:
    """What some work gives, which cannot be told to stop: it is left alone at the deadline."""
    outcome: list[list[str] | BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # raised again by the thread that waits
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(_left(deadline))
    if not outcome:
        raise TimeoutError
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


# Content


def _location(url: str, response: http.client.HTTPResponse) -> str:
    """Where a redirect leads, not checked yet."""
    location = response.headers.get("Location")
    if not location:
        raise IngestError(f"it redirects (status {response.status}) without saying where")
    try:  # http.client reads headers as Latin-1; an address in them is UTF-8
        location = location.encode("latin-1").decode()
    except UnicodeError:
        pass
    try:
        return urljoin(url, location)
    except ValueError:
        raise IngestError(f"it redirects to no valid URL ({_printable(location)})") from None


def _unpacked_pieces(response: http.client.HTTPResponse, most: int) -> Iterator[bytes]:
    """The content piece by piece, none larger than ``most`` bytes, however small it was packed."""
    packing = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    if packing not in ("identity", "gzip", "x-gzip", "deflate"):
        raise IngestError(f"it is packed in a way that was not asked for ({_printable(packing)})")
    unpacker = zlib.decompressobj(wbits=47) if packing != "identity" else None  # 47: told from the header
    while piece := response.read(_BLOCK):
        yield unpacker.decompress(piece, most) if unpacker else piece
        if unpacker and unpacker.unconsumed_tail:
            yield unpacker.decompress(unpacker.unconsumed_tail, most)
    if response.length or (unpacker and not unpacker.eof):
        raise IngestError("it broke off before its end")
    if unpacker and unpacker.unused_data:
        raise IngestError("its packed content goes on after its end")


def _date(header: str | None) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except (ValueError, OverflowError):
        return None


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:80]


def _words(error: BaseException) -> str:
    return _printable(getattr(error, "strerror", None) or str(error) or type(error).__name__)
