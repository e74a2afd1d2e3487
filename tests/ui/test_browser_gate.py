"""Signing in and out in a real browser, through the real server: the cookie, the headers, an identity provider."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from identity_provider import IdentityProvider
from playwright.sync_api import Browser, Page, expect
from served import Reader, chromium, served

from rag.users import Throttle, Users

PASSWORD = "correct horse battery"
# The page opens without the built-in models where the settings name addresses; nothing is asked of them here.
WITHOUT_MODELS = {
    "FOOTNOTE_LLM_BASE_URL": "http://127.0.0.1:9/v1", "FOOTNOTE_LLM_MODEL": "m",
    "FOOTNOTE_EMBEDDING_BASE_URL": "http://127.0.0.1:9/v1", "FOOTNOTE_EMBEDDING_MODEL": "m",
}  # fmt: skip
ASKED = {**WITHOUT_MODELS, "FOOTNOTE_ACCESS_SIGN_IN": "always"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an admin, who has a password, and a reader, who comes through the provider."""
    made = tmp_path_factory.mktemp("home")
    users = Users(made)
    users.add("ada", "admin", (), PASSWORD)
    users.add("bo@example.org", "reader", ["default"])
    return made


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    """A server that asks everybody to sign in."""
    with served(home, **ASKED) as place:
        yield place


def sign_in(page: Page) -> None:
    """Fill in the form and wait for the page behind it."""
    page.get_by_label("Name", exact=True).fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".st-key-person")).to_contain_text("ada")


def test_a_sign_in_outlives_a_reload_and_ends_everywhere(browser: Browser, address: str, home: Path) -> None:
    """Reload and another tab need no password; no script can read the cookie; signing out shuts both tabs."""
    reader = Reader(browser, address, "settings")
    with reader.page.expect_response("**/signed-in") as kept:
        sign_in(reader.page)
    assert kept.value.status == 204
    assert urlsplit(reader.page.url).path == "/settings"  # where they had wanted to go
    (cookie,) = [c for c in reader.context.cookies() if c["name"].startswith("footnote-")]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    assert "footnote-" not in reader.page.evaluate("document.cookie")
    assert cookie["value"] not in reader.page.content() + reader.page.url
    assert reader.page.evaluate("JSON.stringify([localStorage, sessionStorage])").count(cookie["value"]) == 0
    reader.page.reload()
    expect(reader.page.locator(".st-key-person")).to_contain_text("ada")
    other = reader.context.new_page()
    other.goto(f"{address}/settings")
    expect(other.locator(".st-key-person")).to_contain_text("ada")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_label("Password", exact=True)).to_be_visible()
    reader.page.reload()
    expect(reader.page.get_by_label("Password", exact=True)).to_be_visible()
    assert Users(home).signed_in(cookie["value"]) is None
    reader.leave()


def test_a_removed_user_is_shut_out_of_an_idle_page(browser: Browser, address: str, home: Path) -> None:
    """A page that nobody touches closes by itself once its user is removed."""
    Users(home).add("cy", "reader", ["default"], PASSWORD)
    reader = Reader(browser, address)
    token = Users(home).sign_in("cy", PASSWORD, Throttle())
    port = address.rpartition(":")[2]
    reader.context.add_cookies([{"name": f"footnote-{port}", "value": token, "url": address}])
    reader.go()
    expect(reader.page.locator(".st-key-person")).to_contain_text("cy")
    Users(home).remove("cy")
    expect(reader.page.get_by_label("Password", exact=True)).to_be_visible(timeout=60_000)
    reader.leave()


def test_a_ticket_is_good_once_and_for_this_page_only(address: str) -> None:
    """The cookie is given for no ticket, an unknown one, or to another site's page."""
    assert _asked(address, "POST", "/signed-in", "") == 403
    assert _asked(address, "POST", "/signed-in", "x" * 43) == 403
    assert _asked(address, "POST", "/signed-in", "x" * 43, Origin="http://evil.example") == 403


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 101),
        ({"Origin": "OWN"}, 101),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:9"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
    ],
)
def test_other_sites_cannot_connect(address: str, sent: dict[str, str], status: int) -> None:
    """Only a page of the server itself opens a connection: not another site's, nor one whose name points here."""
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    headers = {name: address if value == "OWN" else value for name, value in sent.items()}
    assert _asked(address, "GET", "/_stcore/stream", None, **upgrade, **headers) == status


def test_every_response_shuts_other_sites_out(address: str) -> None:
    """The page and its files may be framed by nobody and load from nowhere else."""
    for path in ("/", "/library", "/_stcore/health", "/static/none.js"):
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
        connection.request("GET", path)
        sent = connection.getresponse()
        policy = sent.getheader("Content-Security-Policy") or ""
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "http" not in policy, path
        assert sent.getheader("X-Content-Type-Options") == "nosniff"
        connection.close()


def test_an_identity_provider_signs_in(browser: Browser, home: Path, tmp_path: Path) -> None:
    """The whole way: to the provider and back, to one's own rights by the verified address, and out again."""
    (tmp_path / ".streamlit").mkdir()
    with IdentityProvider().running() as provider:
        (tmp_path / ".streamlit" / "secrets.toml").write_text(provider.secrets())
        with served(home, HOME=str(tmp_path), **ASKED) as address:
            for email, verified, said in (
                ("eve@example.org", True, "Ask an admin to put this address on the list"),
                ("bo@example.org", False, "does not vouch"),
                ("Bo@Example.org", True, "reader"),
            ):
                provider.claims = {"email": email, "email_verified": verified}
                reader = Reader(browser, address)
                reader.page.get_by_role("button", name="your organisation's account").click()
                expect(reader.page.get_by_text(said)).to_be_visible()
                reader.page.get_by_role("button", name="Sign out").click()
                expect(reader.page.get_by_role("button", name="your organisation's account")).to_be_visible()
                assert {urlsplit(url).netloc for url in reader.outside()} <= {urlsplit(provider.issuer).netloc}
                reader.context.close()


def _asked(address: str, method: str, path: str, body: str | None, **headers: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request(method, path, body, headers)
    status = connection.getresponse().status
    connection.close()
    return status
