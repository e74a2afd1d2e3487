from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.__main__ import main
from ingest.sync import Report, synchronise
from ingest.web import fetch_pages, with_failures
from rag.errors import SettingsError
from rag.settings import IngestSettings, Settings
from rag.store import Store
from rag.types import Embedder
from tests.ingest.web_server import Web, answer, running

PAGE = "<html><body><h1>年假</h1><p>{}</p></body></html>"
URL = "http://example.org/假期?id=1"


class Site:
    """A knowledge base, a web and the command that takes pages of the one into the other."""

    def __init__(self, web: Web, store: Store, embedder: Embedder) -> None:
        self.web, self.store, self.embedder = web, store, embedder
        self.settings = Settings(home=store.home, ingest=IngestSettings(allow_urls=True, parse_seconds=20))
        self.say("每年十五天。")

    def say(self, text: str, **about: str) -> None:
        self.web.answers["/%E5%81%87%E6%9C%9F?id=1"] = answer(PAGE.format(text).encode(), **about)

    def take(self, *urls: str, folders: tuple[Path, ...] = ()) -> Report:
        pages = fetch_pages(self.settings, urls or (URL,), self.web.fetcher())
        roots = [*folders, *pages.roots]
        report = synchronise(self.settings, roots, store=self.store, embedder=self.embedder)
        assert self.store.verify() == []
        return with_failures(report, pages.failures)

    def texts(self) -> dict[str, str]:
        return {document.name: self.store.document_text(document.name) for document in self.store.documents()}


@pytest.fixture
def site(tmp_path: Path, embedder: Embedder) -> Iterator[Site]:
    with running() as web, Store(tmp_path / "home") as store:
        yield Site(web, store, embedder)


def states(report: Report) -> list[tuple[str, str]]:
    return [(verdict.file, verdict.state) for verdict in report.verdicts]


def test_a_page_is_a_document_called_by_its_address(site: Site) -> None:
    """A page is fetched, read and kept; its fragment and the spelling of its address make no second document."""
    assert states(site.take(URL, f"{URL}#top", "HTTP://EXAMPLE.ORG/%E5%81%87%E6%9C%9F?id=1")) == [(URL, "indexed")]
    assert site.texts() == {URL: "# 年假\n\n每年十五天。"}
    assert site.store.documents()[0].title == "年假"


def test_fetching_again_updates(site: Site) -> None:
    """The same page is unchanged, another text replaces the old one, and another format the old file."""
    site.take()
    assert states(site.take()) == [(URL, "unchanged")]
    site.say("每年二十天。", Last_Modified="Tue, 14 Nov 2023 22:13:20 GMT")
    assert states(site.take()) == [(URL, "indexed")]
    assert site.texts() == {URL: "# 年假\n\n每年二十天。"}
    assert site.store.document(URL).modified == 1_700_000_000
    site.say("", content_type="text/plain")
    site.take()
    assert sum(path.is_file() for path in (site.store.home / "workspace/pages").rglob("*")) == 1


def test_a_page_that_cannot_be_fetched_removes_nothing(site: Site, tmp_path: Path) -> None:
    """It is set aside with the reason, what was taken in before stays, and all else in the command goes on."""
    site.take()
    del site.web.answers["/%E5%81%87%E6%9C%9F?id=1"]
    site.web.answers["/other"] = answer(b"other", "text/plain")
    (tmp_path / "a.txt").write_text("a")
    report = site.take(URL, "http://example.org/other", folders=(tmp_path / "a.txt",))
    assert states(report) == [("a.txt", "indexed"), ("http://example.org/other", "indexed"), (URL, "set aside")]
    assert report.set_aside == 1 and report.totals["files"] == 3
    assert "no page any more (status 404); what was taken in of it before stays" in report.verdicts[-1].reason
    assert URL in site.texts()


def test_a_password_in_an_address_is_not_repeated(site: Site) -> None:
    """Reports and stores never hold the password of an address that was refused for it."""
    (verdict,) = site.take("http://me:sk-canary@example.org/").verdicts
    assert verdict.state == "set aside" and "sk-canary" not in repr(verdict)
    assert site.web.connected == []


def test_a_deleted_page_comes_back_only_when_it_is_named_again(site: Site) -> None:
    """Deleting works as for uploads: the kept file goes as well, and naming the address takes the page in anew."""
    site.take()
    assert site.store.delete(URL) == [URL]
    assert site.texts() == {} and site.store.all_files() == []
    assert not list((site.store.home / "workspace/pages/default").iterdir())
    assert states(site.take()) == [(URL, "indexed")]


@pytest.mark.parametrize(
    ("path", "title"), [("/", "example.org"), ("/a/%E5%B9%B4%E5%81%87.txt", "年假"), ("/..%2F..%2Fx", "x")]
)
def test_a_page_without_a_title_is_titled_by_its_address(site: Site, path: str, title: str) -> None:
    """Where nothing in a page names it, the end of its address does, else its host; no address is ever a path here."""
    site.web.answers[path] = answer(b"plain words", "text/plain")
    site.take(f"http://example.org{path}")
    assert [document.title for document in site.store.documents()] == [title]
    kept = [file for file in site.store.home.rglob("*.txt")]
    assert len(kept) == 1 and (site.store.home / "workspace/pages/default") in kept[0].parents


@pytest.mark.parametrize(
    ("path", "content", "content_type", "state"),
    [
        ("/a", "年假十五天，病假另算。" * 5, "text/html; charset=gb2312", "indexed"),
        ("/a.md", "# 年假", "text/plain; charset=utf-8", "indexed"),
        ("/a.csv", "a,b\n1,2", "application/octet-stream", "indexed"),
        ("/a", "text", "", "set aside"),
        ("/a.txt", "text", "", "indexed"),
        ("/a.mp4", "x", "video/mp4", "set aside"),
    ],
)
def test_the_type_decides_how_a_page_is_read(
    site: Site, path: str, content: str, content_type: str, state: str
) -> None:
    """The named type counts, a vague one gives way to the address, and the server's charset is heeded."""
    encoding = "gb2312" if "gb2312" in content_type else "utf-8"
    site.web.answers[path] = answer(content.encode(encoding), content_type)
    url = f"http://example.org{path}"
    assert states(site.take(url)) == [(url, state)]
    if state == "indexed" and not path.endswith(".csv"):
        assert site.texts()[url] == content


def test_pages_are_off_by_default(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the setting nothing is fetched, nothing is changed, and the error says what to type."""
    site.settings = replace(site.settings, ingest=IngestSettings())
    with pytest.raises(SettingsError, match=r"allow_urls = true.*FOOTNOTE_INGEST_ALLOW_URLS=true"):
        site.take()
    assert main(["https://example.org/", "--home", str(tmp_path / "new")]) == 1
    assert "allow_urls" in capsys.readouterr().err and not (tmp_path / "new").exists()


def test_the_command_refuses_private_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it ships, the command connects to no address of this machine, exits 1 and gives a verdict."""
    monkeypatch.setenv("FOOTNOTE_INGEST_ALLOW_URLS", "true")
    urls = ["http://127.0.0.1/", "http://[::1]/", "file:///etc/passwd"]
    with running() as web:
        web.answers["/"] = answer(b"secret")
        assert main([*urls, f"http://localhost:{web.port}/", "--json", "-", "--home", str(tmp_path / "home")]) == 1
        assert web.requests == []
    verdicts = json.loads(capsys.readouterr().out)["verdicts"]
    assert [v["state"] for v in verdicts] == ["set aside"] * 4 and verdicts[0]["file"] == urls[0]
