"""Plain text: kept as it is; form feeds are page breaks."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.encoding import read_text
from ingest.source import Source
from rag.types import PAGE_BREAK, Page, ParsedDocument


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a text file, its title the file's name; pages are numbered where form feeds part them."""
    parts = read_text(source).split(PAGE_BREAK)
    numbered = len(parts) > 1
    yield ParsedDocument(
        title=source.stem,
        pages=tuple(Page(number if numbered else None, part) for number, part in enumerate(parts, start=1)),
    )
