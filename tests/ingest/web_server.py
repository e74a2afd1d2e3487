"""A web on loopback for tests: names have the public addresses that a test gives them, connections end at a server here."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ingest.fetcher import Fetcher

PUBLIC = "93.184.215.14"


def answer(body: bytes = b"", content_type: str = "text/html", status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer of a server."""
    named = {"Content-Type": content_type, "Content-Length": str(len(body))}
    named |= {key.replace("_", "-"): value for key, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{key}: {value}" for key, value in named.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + body


@dataclass
class Web:
    """What names resolve to, in turn where there are several answers; what was asked and where connections went."""

    port: int
    names: dict[str, list[list[str]]] = field(default_factory=dict)
    answers: dict[str, bytes | list[bytes]] = field(default_factory=dict)
    pause: float = 0.0
    resolved: list[str] = field(default_factory=list)
    connected: list[tuple[str, int]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    def resolve(self, host: str, port: int) -> list[str]:
        """The next answer for a name; the last one is given again."""
        self.resolved.append(host)
        answers = self.names.get(host, [[PUBLIC]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        """A socket to the server here, noted as one to the address."""
        self.connected.append((address, port))
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    def fetcher(self, seconds: float = 5.0, most_bytes: int = 1 << 20) -> Fetcher:
        """A fetcher in this web."""
        return Fetcher(resolve=self.resolve, connect=self.connect, tls=self.tls, seconds=seconds, most_bytes=most_bytes)

    def serve(self, connection: socket.socket) -> None:
        """Answer one request by its path, piece by piece where the answer is a list."""
        with connection:
            request = b""
            while b"\r\n\r\n" not in request and (piece := connection.recv(65536)):
                request += piece
            self.requests.append(request.decode("latin-1"))
            path = request.split(b" ")[1].decode() if request else "/"
            pieces = self.answers.get(path, answer(b"nothing", status="404 Not Found"))
            for piece in pieces if isinstance(pieces, list) else [pieces]:
                connection.sendall(piece)
                time.sleep(self.pause)


@contextmanager
def running(certificate: Path | None = None) -> Iterator[Web]:
    """The web while a server runs for it; over TLS where there is a certificate, with its key in one PEM file."""
    listener = socket.create_server(("127.0.0.1", 0))
    web = Web(listener.getsockname()[1])
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        web.tls = ssl.create_default_context(cafile=str(certificate))
    threading.Thread(target=_accept, args=(listener, web, context), daemon=True).start()
    try:
        yield web
    finally:
        listener.close()


def _accept(listener: socket.socket, web: Web, context: ssl.SSLContext | None) -> None:
    def run(connection: socket.socket) -> None:
        try:
            web.serve(context.wrap_socket(connection, server_side=True) if context else connection)
        except OSError:  # the fetcher hung up, as it should
            pass

    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=run, args=(connection,), daemon=True).start()


def make_certificate(path: Path, name: str) -> Path:
    """A certificate that a name signs for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def is_forbidden(address: str) -> bool:
    """Whether nobody may connect to an address, told in another way than the fetcher does."""
    return address != PUBLIC and not ipaddress.ip_address(address).is_global
