"""Addresses of web pages: which may be fetched at all, how they are spelled, and which hosts everybody reaches."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlsplit

from rag.errors import IngestError

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|\d+)")
_ESCAPED = re.compile(r"(?:%[89A-F][0-9A-F])+", re.IGNORECASE)
_LONGEST = 2000
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_CLOUD = ipaddress.ip_address("168.63.129.16")  # Azure's own services answer its machines at this public address
_PORTS = {"http": 80, "https": 443}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """What an address asks for, checked as far as it can be without a name server."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The host, with its port where that is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def is_public(address: str) -> bool:
    """Whether an IP address is one that everybody reaches, also looked at as what IPv6 addresses carry inside."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # one with a zone, for instance
        return False
    return all(_is_public(part) for part in _unpacked(ip))


def clean_url(url: str) -> str:
    """The address by which a page is known: in lower case where that makes no difference, without its fragment.

    Letters beyond ASCII stand for themselves. Raises IngestError for an address that is not to be fetched at all.
    """
    target = parse(url)
    return f"{target.scheme}://{target.authority}{_ESCAPED.sub(_readable, target.path)}"


def parse(url: str) -> Target:
    """An address taken apart; raises IngestError for one that is not to be fetched, whatever its host is."""
    if len(url) > _LONGEST:
        raise IngestError(f"its address is longer than {_LONGEST:,} characters")
    if any(c <= "\x1f" or c in "\x7f\\" or "\ud800" <= c <= "\udfff" for c in url):
        raise IngestError("its address holds a control character, a backslash or bytes that are no text")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise IngestError(f"its address is no valid URL ({error})") from None
    if parts.scheme not in _PORTS:
        raise IngestError(f"only http and https are fetched, not {parts.scheme or 'an address without a scheme'}")
    if "@" in parts.netloc:
        raise IngestError("its address holds a user name or password; those are never sent")
    if port is None:
        port = _PORTS[parts.scheme]
    if port not in _PORTS.values():
        raise IngestError(f"only the ports 80 and 443 are fetched from, not {port}")
    path = quote(parts.path or "/", safe="/%:=&~+!$,;'@()*")
    query = quote(parts.query, safe="/?%:=&~+!$,;'@()*[]")
    if query:
        path += f"?{query}"
    return Target(parts.scheme, _host(parts.hostname or ""), port, path)


def _readable(escaped: re.Match[str]) -> str:
    try:
        letters = unquote_to_bytes(escaped[0]).decode()
    except UnicodeDecodeError:
        return escaped[0]
    return letters if letters.isprintable() and " " not in letters else escaped[0]


def _host(host: str) -> str:
    """A host's name as the network knows it; raises IngestError for numbers that only pass for an address."""
    if "%" in host:
        raise IngestError("its address names a network interface")
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise IngestError(f"{host} is no IPv6 address") from None
    name = (host if host.isascii() else _idna(host)).lower().removesuffix(".")
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise IngestError(f"{host!r} is no name of a host")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise IngestError(f"{host} is no IPv4 address of four decimal numbers") from None
    return name


def _idna(host: str) -> str:
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise IngestError(f"{host!r} is no name of a host ({error})") from None


def _unpacked(ip: Address) -> Iterator[Address]:
    """An address, and the IPv4 addresses to which an IPv6 one is only a way."""
    if isinstance(ip, ipaddress.IPv4Address):
        yield ip
    elif ip.ipv4_mapped:
        yield ip.ipv4_mapped
    elif ip in _NAT64:
        yield ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    else:
        yield ip
        if ip.sixtofour:
            yield ip.sixtofour
        if ip.teredo:
            yield from ip.teredo


def _is_public(ip: Address) -> bool:
    if isinstance(ip, ipaddress.IPv6Address):
        return ip in _GLOBAL_V6 and ip.is_global
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and ip != _CLOUD
