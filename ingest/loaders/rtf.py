"""Rich text (RTF): its words and tables, in the code page or the Unicode that the file names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from ingest.source import Source
from ingest.tables import rows_as_lines
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

_BINARY = re.compile(rb"\\bin(\d{1,9}) ?")
_RAW = re.compile(r"[\x80-\xff]")


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of the file, named after it; raises IngestError where its characters are not what it says."""
    from striprtf.striprtf import rtf_to_text

    # A byte beyond ASCII is one of the file's code page, like those that are written as \'xx.
    escaped = _RAW.sub(lambda byte: f"\\'{ord(byte[0]):02x}", _without_binary(source.read()).decode("latin-1"))
    try:
        text = rtf_to_text(escaped)  # type: ignore[no-untyped-call]
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")  # halves of one character put together
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        raise IngestError(f"the RTF file is damaged, or in another encoding than it says: {str(error)[:120]}") from None
    yield ParsedDocument(source.stem, (Page(None, "\n".join(_lines(text))),))


def _without_binary(content: bytes) -> bytes:
    """The content less the raw bytes of pictures, which could look like anything."""
    kept, last = bytearray(), 0
    for match in _BINARY.finditer(content):
        if match.start() >= last:
            kept += content[last : match.start()]
            last = match.end() + int(match[1])
    return bytes(kept + content[last:])


def _lines(text: str) -> Iterator[str]:
    """Lines as they are, runs of lines that end with a cell's mark as tables."""
    for table, lines in groupby(text.split("\n"), key=lambda line: line.endswith("|")):
        if table:
            rows = [line[:-1].split("|") for line in lines]
            yield from rows_as_lines(rows, header=max(map(len, rows)) > 1)
        else:
            yield from (line.strip() for line in lines)
