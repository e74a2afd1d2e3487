"""Records, one JSON object a line with ``id``, ``title`` and ``text``: each is a document of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ingest.encoding import read_text
from ingest.source import Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

_EXPECTED = 'each line must be like {"id": "1", "title": "…", "text": "…"}'
_TICK = 10_000


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
        if number % _TICK == 0:
            source.tick()
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
        raise IngestError(f"line {number} is not an object; {_EXPECTED}")
    if missing := [name for name in ("id", "text") if name not in record]:
        raise IngestError(f'line {number} has no "{missing[0]}"{_there(record)}; {_EXPECTED}')
    key, title, text = record["id"], record.get("title") or "", record["text"]
    if isinstance(key, bool) or not isinstance(key, (str, int)) or not str(key).strip():
        raise IngestError(f'line {number}: "id" must be text or a whole number')
    if not isinstance(text, str) or not isinstance(title, str):
        raise IngestError(f'line {number}: "text" must be text, and "title" too where there is one')
    return str(key).strip(), title, text


def _there(record: dict[str, Any]) -> str:
    names = ", ".join(f'"{name[:30]}"' for name in list(record)[:8])
    return f", only {names}" if names else ""
