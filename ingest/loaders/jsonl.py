"""Records, one JSON object a line with ``id``, ``title`` and ``text``: each is a document of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ingest.encoding import read_text
from ingest.source import Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument


def load(source: Source) -> Iterator[ParsedDocument]:
    """A document a record; every line is checked before the first one is given, so a broken file gives none."""
    lines = read_text(source).split("\n")
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            key = _record(line, number)[0]
            if key in seen:
                raise IngestError(f"line {number}: the id {key!r} is already that of line {seen[key]}")
            seen[key] = number
    for number, line in enumerate(lines, start=1):
        if line.strip():
            key, title, text = _record(line, number)
            yield ParsedDocument(title=title, pages=(Page(None, text),), key=key)


def _record(line: str, number: int) -> tuple[str, str, str]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise IngestError(f"line {number} is not valid JSON: {error}") from None
    if not isinstance(record, dict):
        raise IngestError(f'line {number} is not an object with "id", "title" and "text"')
    key, title, text = record.get("id"), record.get("title") or "", record.get("text")
    if isinstance(key, bool) or not isinstance(key, (str, int)) or not str(key).strip():
        raise IngestError(f'line {number}: "id" must be text or a whole number')
    if not isinstance(text, str) or not isinstance(title, str):
        raise IngestError(f'line {number}: "text" must be text, and "title" too where there is one')
    return str(key).strip(), title, text
