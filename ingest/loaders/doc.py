"""Word 97–2003 documents: headings, paragraphs and tables, then notes, comments and text boxes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from ingest.markdown import heading_line, headings
from ingest.ooxml import said_title
from ingest.source import Source
from ingest.tables import rows_as_lines
from ingest.word97 import Paragraph, paragraphs
from rag.errors import IngestError
from rag.types import Page, ParsedDocument


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of the file, titled by its properties, else its first main heading, else its name."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(source.read())) as container:

            def stream(name: str) -> bytes:
                return bytes(container.openstream(name).read())

            text = text_of(paragraphs(stream("WordDocument"), stream))
            title = _title(container.get_metadata()) if container.exists("\x05SummaryInformation") else ""
    except (OSError, ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise IngestError(f"the Word document is damaged: {' '.join(str(error).split())[:200]}") from None
    first = next((heading.text for heading in headings(text) if heading.level == 1), "")
    yield ParsedDocument(title or first or source.stem, (Page(None, text),), marked_up=True)


def text_of(found: Iterable[Paragraph]) -> str:
    """The paragraphs of a document as its stored text."""
    return "\n\n".join(_blocks(found))


def _blocks(found: Iterable[Paragraph]) -> Iterator[str]:
    """Paragraphs as they are, tables as lines."""
    rows: list[list[str]] = []
    cells: list[str] = []
    cell: list[str] = []
    for paragraph in found:
        if paragraph.row:
            rows.append(cells)
            cells, cell = [], []
        elif paragraph.cell:
            cells.append("\n".join([*cell, paragraph.text]))
            cell = []
        elif paragraph.inside:
            cell.append(paragraph.text)
        else:
            yield from _table([*rows, [*cells, *cell]])
            rows, cells, cell = [], [], []
            if paragraph.text:
                yield heading_line(paragraph.level, paragraph.text) if paragraph.level else paragraph.text
    yield from _table([*rows, [*cells, *cell]])


def _table(rows: list[list[str]]) -> Iterator[str]:
    if lines := "\n".join(rows_as_lines(rows, header=max(map(len, rows)) > 1)):
        yield lines


def _title(properties: object) -> str:
    """The title among the properties, where its encoding is known."""
    title, page = getattr(properties, "title", None), getattr(properties, "codepage", None)
    if isinstance(title, bytes):
        name = {65001: "utf-8", 936: "gb18030", 10000: "mac-roman"}.get(page or 1252, f"cp{page or 1252}")
        try:
            title = title.decode(name)
        except (UnicodeDecodeError, LookupError):
            return ""
    return said_title(title or "")
