from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.addresses import clean_url, is_public
from ingest.fetcher import Fetcher
from rag.errors import IngestError
from tests.ingest.web_server import PUBLIC, Web, answer, make_certificate, running

PRIVATE = "10.0.0.7"
NAMES = {
    "localhost": [["127.0.0.1", "::1"]],
    "inside.example.org": [[PRIVATE]],
    "metadata.example.org": [["169.254.169.254"]],
    "both.example.org": [[PUBLIC, PRIVATE]],
    "mapped.example.org": [["::ffff:127.0.0.1"]],
    "nat64.example.org": [["64:ff9b::a00:7"]],
    "zone.example.org": [["fe80::1%eth0"]],
    "xn--fsqu00a.xn--fiqs8s": [["192.168.0.1"]],  # 例子.中国
    "intranet": [["192.168.0.2"]],
}
# Every address here must be refused before anything connects.
FORBIDDEN = [
    "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/",
    "http://0177.0.0.1/", "http://017700000001/", "http://127.0.0.1./", "http://127.0.0.01/", "http://127.0.0.0x1/",
    "http://0/", "http://0.0.0.0/", "http://10.1.2.3/", "http://172.16.0.1/", "http://192.168.1.1/",
    "http://100.64.0.1/", "http://100.100.100.200/", "http://169.254.169.254/latest/meta-data/",
    "http://168.63.129.16/", "http://192.0.2.1/", "http://198.18.0.1/", "http://224.0.1.1/", "http://240.0.0.1/",
    "http://255.255.255.255/", "http://[::1]/", "http://[::]/", "http://[::127.0.0.1]/",
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::10.0.0.1]/", "http://[64:ff9b:1::a00:1]/", "http://[2002:7f00:1::1]/", "http://[2002:a00:1::1]/",
    "http://[2001:0:5db8:d70e::80ff:fffe]/", "http://[2001:db8::1]/", "http://[fd00:ec2::254]/",
    "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[ff02::1]/",
    "http://１２７.０.０.１/", "http://127。0。0。1/", "http://①②⑦.⓪.⓪.①/",
    "http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://intranet/",
    *(f"http://{name}/" for name in NAMES if name not in ("localhost", "intranet")), "http://例子.中国/",
    "http://user:secret@example.org/", "http://example.org@127.0.0.1/", "http://127.0.0.1\\@example.org/",
    "http://example.org:22/", "http://example.org:6379/", "http://example.org:8080/", "http://127.0.0.1:80/",
    "http://exa mple.org/", "http://example.org\r\nHost: 127.0.0.1/", "http:///etc/passwd", "http://[::1/", "http://-a.example.org/",
    "file:///etc/passwd", "ftp://example.org/", "gopher://127.0.0.1:6379/_INFO", "jar:http://127.0.0.1!/", "//127.0.0.1/",
    "http://example.org/\udce9", "http://example.org/" + "a" * 3000,
]  # fmt: skip


@pytest.fixture
def web() -> Iterator[Web]:
    with running() as there:
        there.names = {name: [list(a) for a in answers] for name, answers in NAMES.items()}
        yield there


def test_no_private_address_is_ever_connected_to(web: Web, figure: Callable[[str, str], None]) -> None:
    """However an address is spelled, and whatever a page redirects to, nothing but a public address is connected to."""
    for url in FORBIDDEN:
        with pytest.raises(IngestError):
            web.fetcher().fetch(url)
        assert web.connected == [], url
    for target in FORBIDDEN:
        if target.startswith(("//", "http://exa mple", "http://example.org\r", "http://example.org/\udce9")):
            continue  # no header can hold it, or it is another address by then
        web.answers["/away"] = answer(status="302 Found", Location=target)
        web.connected.clear()
        with pytest.raises(IngestError):
            web.fetcher().fetch("http://example.org/away")
        assert set(web.connected) == {(PUBLIC, 80)}, target
    figure(
        "address tricks",
        f"{len(FORBIDDEN)}/{len(FORBIDDEN)} refused, asked for and redirected to: 0 forbidden connects",
    )


def test_a_name_that_changes_its_answer_gains_nothing(web: Web) -> None:
    """The address that was checked is the one connected to; a name is looked up once, and anew after a redirect."""
    web.names["rebind.example.org"] = [[PUBLIC], ["127.0.0.1"]]
    web.answers["/"] = answer(b"<p>fine</p>")
    assert web.fetcher().fetch("http://rebind.example.org/").content == b"<p>fine</p>"
    assert web.connected == [(PUBLIC, 80)] and web.resolved == ["rebind.example.org"]
    web.names["rebind.example.org"] = [[PUBLIC], ["127.0.0.1"]]
    web.answers["/"] = answer(status="301 Moved", Location="http://rebind.example.org/again")
    with pytest.raises(IngestError, match=r"127\.0\.0\.1, which is no public address"):
        web.fetcher().fetch("http://rebind.example.org/")
    assert web.connected == [(PUBLIC, 80)] * 2


def test_proxies_of_the_environment_are_not_used(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy could be led to private addresses; connections go to the page's own address."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    web.answers["/a"] = answer(b"text", "text/plain")
    assert web.fetcher().fetch("http://example.org/a").content == b"text"
    assert web.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    ("address", "public"),
    [("8.8.8.8", True), ("2606:4700:4700::1111", True), ("::ffff:8.8.8.8", True), ("64:ff9b::808:808", True),
     ("2002:808:808::1", True), ("::ffff:10.0.0.1", False), ("2002:a00:1::", False), ("nonsense", False)],
)  # fmt: skip
def test_public_addresses(address: str, public: bool) -> None:
    """What everybody reaches is public, and an IPv6 address only if the IPv4 address in it is."""
    assert is_public(address) == public


def test_a_page_comes_with_its_type_charset_and_date(web: Web) -> None:
    """What the server says of a page is kept, and no cookie or credential is ever sent."""
    web.answers["/%E6%96%87?q=%E4%B8%80"] = answer(
        "脚注".encode("gbk"), "text/plain; charset=GBK", Last_Modified="Tue, 14 Nov 2023 22:13:20 GMT"
    )
    page = web.fetcher().fetch("http://example.org/文?q=一#fragment")
    assert (page.content, page.content_type, page.charset) == ("脚注".encode("gbk"), "text/plain", "gbk")
    assert page.modified == 1_700_000_000
    (request,) = web.requests
    assert request.startswith("GET /%E6%96%87?q=%E4%B8%80 HTTP/1.1\r\n") and "Host: example.org\r\n" in request
    assert "Cookie" not in request and "Authorization" not in request and "User-Agent: Footnote" in request


def test_redirects_are_followed_three_times(web: Web) -> None:
    """Three redirects are followed, relative ones too; a fourth is the end."""
    for n in range(9):
        web.answers[f"/{n}"] = answer(status="302 Found", Location=f"{n + 1}")
    web.answers["/9"] = answer(b"there")
    page = web.fetcher().fetch("http://example.org/6")
    assert page.content == b"there" and page.url == "http://example.org/9"
    with pytest.raises(IngestError, match="redirected more than 3 times"):
        web.fetcher().fetch("http://example.org/5")
    web.answers["/x"] = answer(status="302 Found")
    with pytest.raises(IngestError, match="without saying where"):
        web.fetcher().fetch("http://example.org/x")


def test_packed_pages_are_unpacked_but_no_bombs(web: Web) -> None:
    """Gzip is understood though not asked for; what unpacks to more than the limit is refused before it does."""
    web.answers["/gzip"] = answer(gzip.compress(b"packed"), Content_Encoding="gzip")
    web.answers["/deflate"] = answer(zlib.compress(b"packed"), Content_Encoding="deflate")
    assert web.fetcher().fetch("http://example.org/gzip").content == b"packed"
    assert web.fetcher().fetch("http://example.org/deflate").content == b"packed"
    web.answers["/bomb"] = answer(gzip.compress(bytes(300 << 20), 1), Content_Encoding="gzip")
    web.answers["/cut"] = answer(gzip.compress(b"packed")[:-9], Content_Encoding="gzip")
    web.answers["/br"] = answer(b"x", Content_Encoding="br")
    started = time.monotonic()
    for path, reason in (("bomb", "larger than"), ("cut", "broke off"), ("br", "not asked for")):
        with pytest.raises(IngestError, match=reason):
            web.fetcher().fetch(f"http://example.org/{path}")
    assert time.monotonic() - started < 3


def test_size_is_limited(web: Web) -> None:
    """A page that says, or turns out, to be too large is refused, and one that breaks off is no page."""
    web.answers["/said"] = answer(b"x", Content_Length=str(2 << 20))
    web.answers["/found"] = answer(bytes(2 << 20), Content_Length="")
    web.answers["/cut"] = answer(b"half", Content_Length="100")
    for path, reason in (("said", "larger than 1 MB"), ("found", "larger than 1 MB"), ("cut", "broke off")):
        with pytest.raises(IngestError, match=reason):
            web.fetcher().fetch(f"http://example.org/{path}")


@pytest.mark.parametrize(
    "pieces", [[b"H"] * 100, [answer(b"", Content_Length="99"), *[b"x"] * 99], [b"HTTP/1.1 100 C\r\n\r\n"] * 99]
)
def test_a_server_that_drips_is_left_at_the_deadline(web: Web, pieces: list[bytes]) -> None:
    """One deadline holds for head and body together, though something comes all the time."""
    web.pause, web.answers["/slow"] = 0.1, pieces
    started = time.monotonic()
    with pytest.raises(IngestError, match="did not come within 1 seconds"):
        web.fetcher(seconds=1).fetch("http://example.org/slow")
    assert time.monotonic() - started < 2.5


def test_a_name_server_that_says_nothing_is_left_at_the_deadline() -> None:
    """Looking up a name counts, too."""
    started = time.monotonic()
    with pytest.raises(IngestError, match="did not come within"):
        Fetcher(resolve=lambda host, port: time.sleep(5) or [], seconds=0.5).fetch("http://example.org/")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("404 Not Found", "no page any more"),
        ("410 Gone", "no page any more"),
        ("503 Busy", "503 Busy"),
        ("206 Partial", "206"),
    ],
)
def test_other_answers_are_told(web: Web, status: str, reason: str) -> None:
    """Anything but a whole page is an error in words."""
    web.answers["/a"] = answer(b"x", status=status)
    with pytest.raises(IngestError, match=reason):
        web.fetcher().fetch("http://example.org/a")


def test_no_sense_is_no_traceback(web: Web) -> None:
    """A server that speaks no HTTP, and one that hangs up, are errors in words."""
    for n, nonsense in enumerate((b"SSH-2.0-OpenSSH\r\n", b"", b"HTTP/1.1 200 OK\r\nA: " + b"x" * 99_999)):
        web.answers[f"/{n}"] = nonsense
        with pytest.raises(IngestError, match="cannot be fetched"):
            web.fetcher().fetch(f"http://example.org/{n}")


def test_certificates_are_checked_for_the_name(tmp_path: Path) -> None:
    """Over TLS the pinned address must prove to be the host that was asked for."""
    with running(make_certificate(tmp_path / "example.pem", "example.org")) as web:
        web.answers["/"] = answer(b"sealed")
        assert web.fetcher().fetch("https://example.org/").content == b"sealed"
        assert web.connected == [(PUBLIC, 443)]
        with pytest.raises(IngestError, match="certificate is not valid"):
            web.fetcher().fetch("https://other.example.org/")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("HTTP://Example.ORG:80/A?b=C#d", "http://example.org/A?b=C"),
        ("https://example.org", "https://example.org/"),
        ("https://example.org:80/x y", "https://example.org:80/x%20y"),
        ("https://zh.example.org/wiki/%E8%84%9A%E6%B3%A8", "https://zh.example.org/wiki/脚注"),
        ("https://zh.example.org/wiki/脚注", "https://zh.example.org/wiki/脚注"),
        ("http://例子.中国./%ff%E2%80%AE", "http://xn--fsqu00a.xn--fiqs8s/%ff%E2%80%AE"),
    ],
)
def test_spellings_of_an_address_are_one_name(url: str, name: str) -> None:
    """A page is called by its address in one spelling, readable in Chinese, and that spelling names it again."""
    assert clean_url(url) == name and clean_url(name) == name
