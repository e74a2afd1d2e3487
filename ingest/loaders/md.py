"""Markdown: kept as it is, but for front matter, embedded images and underlined headings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.encoding import read_text
from ingest.markdown import headings
from ingest.source import Source
from rag.types import Page, ParsedDocument

_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE)
_EMBEDDED_IMAGE = re.compile(r"!\[([^\]]*)\]\(data:[^)]*\)")
_UNDERLINED = re.compile(r"(^|\n\n)([^\n#>|`~\-*\d\s][^\n|]*)\n(=+|-{3,})[ \t]*(?=\n|\Z)")


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a Markdown file; its title is the front matter's, else the first heading's, else the name."""
    text = read_text(source).replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    title = ""
    if front := _FRONT_MATTER.match(text):
        text = text[front.end() :]
        if named := _TITLE.search(front[1]):
            title = named[1]
    text = _EMBEDDED_IMAGE.sub(r"\1", text)
    text = _UNDERLINED.sub(lambda m: f"{m[1]}{'#' if m[3][0] == '=' else '##'} {m[2]}", text)
    first = next(headings(text), None)
    title = title or (first.text if first and first.level == 1 else source.stem)
    yield ParsedDocument(title=title, pages=(Page(None, text),), marked_up=True)
