"""Plain text: kept as it is; form feeds are page breaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingest.encoding import decode
from rag.types import PAGE_BREAK, Page, ParsedDocument


def load(path: Path) -> Iterator[ParsedDocument]:
    """The one document of a text file, its title the file's name; pages are numbered where form feeds part them."""
    parts = decode(path.read_bytes()).split(PAGE_BREAK)
    numbered = len(parts) > 1
    yield ParsedDocument(
        title=path.stem,
        pages=tuple(Page(number if numbered else None, part) for number, part in enumerate(parts, start=1)),
    )
