"""Web pages as roots: each is fetched, kept as a file under HOME/workspace, and called by its address."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from ingest.addresses import clean_url
from ingest.discovery import Root
from ingest.fetcher import Fetched, Fetcher
from ingest.formats import LOADERS
from ingest.sync import Report
from ingest.uploads import clean_name
from rag.errors import IngestError, SettingsError
from rag.settings import CONFIG_NAME, Settings
from rag.store import page_folder, remove_page
from rag.types import Verdict
from rag.whole_file import write_whole

_STAYS = "what was taken in of it before stays"
_VAGUE = frozenset({"", "text/plain", "application/octet-stream", "binary/octet-stream", "application/x-download"})
_RECODED = frozenset({".html", ".htm", ".txt", ".md", ".csv", ".tsv", ".rst"})
_OFFICE = "application/vnd.openxmlformats-officedocument."
_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".xhtml",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/x-rst": ".rst",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/xml": ".xml",
    "application/xml": ".xml",
    "application/rss+xml": ".xml",
    "application/atom+xml": ".xml",
    "application/pdf": ".pdf",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    f"{_OFFICE}wordprocessingml.document": ".docx",
    f"{_OFFICE}presentationml.presentation": ".pptx",
    f"{_OFFICE}spreadsheetml.sheet": ".xlsx",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/epub+zip": ".epub",
    "application/x-ipynb+json": ".ipynb",
    "application/jsonl": ".jsonl",
    "message/rfc822": ".eml",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/tiff": ".tiff",
    "image/webp": ".webp",
}


@dataclass(frozen=True, slots=True)
class Pages:
    """Web pages that were fetched, as roots, and a verdict on each that could not be."""

    roots: tuple[Root, ...] = ()
    failures: tuple[Verdict, ...] = ()


def fetch_pages(settings: Settings, urls: Sequence[str], fetcher: Fetcher | None = None) -> Pages:
    """Fetch pages and keep them; raises SettingsError where that is off, or IngestError where they cannot be kept."""
    if urls and not settings.ingest.allow_urls:
        raise SettingsError(
            "Web pages are not fetched: that is off. Put `allow_urls = true` under [ingest] in "
            f"{settings.home / CONFIG_NAME}, or set FOOTNOTE_INGEST_ALLOW_URLS=true. Nothing was changed."
        )
    roots: dict[str, Root] = {}
    failures: dict[str, Verdict] = {}
    for url in urls:
        name = re.sub(r"(?<=//)[^/?#]*@", "", url)  # a password is not repeated
        try:
            name = clean_url(url)
            fetched = (fetcher or Fetcher()).fetch(url)
            roots[name] = Root(name, _keep(settings, name, fetched))
        except IngestError as error:
            failures[name] = Verdict(name, "set aside", f"{error}; {_STAYS}")
    return Pages(tuple(roots.values()), tuple(failures.values()))


def _keep(settings: Settings, name: str, fetched: Fetched) -> Path:
    """Write a page's bytes to its place, whole or not at all; an earlier version under another suffix goes."""
    suffix = suffix_of(fetched)
    folder = page_folder(settings.home, settings.kb, name)
    target = folder / file_name(name, suffix)
    try:
        write_whole(target, _with_its_charset(fetched, suffix))
        if fetched.modified is not None:
            os.utime(target, (fetched.modified, fetched.modified))
        remove_page(settings.home, settings.kb, name, but=target)
    except OSError as error:
        raise IngestError(f"{target} cannot be written ({error.strerror}). Check its folder and the space") from None
    return target


def with_failures(report: Report, failures: Sequence[Verdict]) -> Report:
    """A run's report with the pages that could not be fetched in it."""
    totals = dict(report.totals)
    for total in ("files", "set aside"):
        totals[total] += len(failures)
    return replace(report, verdicts=(*report.verdicts, *failures), totals=totals)


def file_name(url: str, suffix: str) -> str:
    """What a page's file is called, which titles it where nothing in it does: the end of its path, else its host."""
    parts = urlsplit(url)
    return clean_name(f"{PurePosixPath(unquote(parts.path)).stem or parts.hostname}{suffix}")


def suffix_of(fetched: Fetched) -> str:
    """The suffix of a page's format, from the type that its server names, else from its address; raises IngestError."""
    named = PurePosixPath(urlsplit(fetched.url).path).suffix.lower()
    suffix = _SUFFIXES.get(fetched.content_type, "")
    if named in LOADERS and (fetched.content_type in _VAGUE or suffix not in LOADERS):
        return named
    if suffix in LOADERS:
        return suffix
    raise IngestError(f"it is of the type {fetched.content_type or '(none named)'}, which cannot be read")


def _with_its_charset(fetched: Fetched, suffix: str) -> bytes:
    """The bytes, in UTF-8 with its mark where only the server says in what other encoding they are."""
    if suffix not in _RECODED or not fetched.charset:
        return fetched.content
    try:
        fetched.content.decode()
    except UnicodeDecodeError:
        try:
            return codecs.BOM_UTF8 + fetched.content.decode(fetched.charset).encode()
        except (UnicodeError, LookupError):  # the server is wrong: the loader decides
            pass
    return fetched.content
