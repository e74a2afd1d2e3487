"""Notebooks: text cells as Markdown, code in fences, what it printed cut short; pictures stay behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ingest.encoding import read_text
from ingest.loaders.html import page_text
from ingest.loaders.md import readable
from ingest.markdown import heading_line, headings
from ingest.source import Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

_LONGEST_OUTPUT = 30  # lines
_LONGEST_LINE = 500  # characters


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a notebook (nbformat 3 and 4), titled by its metadata, its first heading, else its name."""
    try:
        notebook = json.loads(read_text(source))
    except (ValueError, RecursionError) as error:
        raise IngestError(f"the notebook is damaged: {error}") from None
    if not isinstance(notebook, dict):
        raise IngestError("not a notebook: there are no cells in it")
    cells = _cells(notebook)
    language = _language(notebook)
    text = "\n\n".join(part for cell in cells for part in _parts(cell, language))
    metadata = notebook.get("metadata")
    named = metadata.get("title") if isinstance(metadata, dict) else None
    first = next(headings(text), None)
    title = named if isinstance(named, str) and named.strip() else first.text if first and first.level == 1 else ""
    yield ParsedDocument(title or source.stem, (Page(None, text),), marked_up=True)


def _cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    sheets = notebook.get("worksheets")
    holders = [notebook, *sheets] if isinstance(sheets, list) else [notebook]
    found = [
        holder["cells"] for holder in holders if isinstance(holder, dict) and isinstance(holder.get("cells"), list)
    ]
    if not found:
        raise IngestError("not a notebook: there are no cells in it")
    return [cell for cells in found for cell in cells if isinstance(cell, dict)]


def _language(notebook: dict[str, Any]) -> str:
    metadata = notebook.get("metadata")
    info = metadata.get("language_info") or metadata.get("kernelspec") if isinstance(metadata, dict) else None
    name = (info.get("name") or info.get("language")) if isinstance(info, dict) else ""
    return name if isinstance(name, str) and name.isalnum() else ""


def _parts(cell: dict[str, Any], language: str) -> Iterator[str]:
    written = _joined(cell.get("source", cell.get("input"))).strip("\n")
    kind = cell.get("cell_type")
    if kind == "code":
        if written.strip():
            yield f"```{language}\n{written}\n```"
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else []:
            if isinstance(output, dict) and (said := _output(output).strip()):
                yield _short(said)
    elif kind == "heading" and written:
        level = cell.get("level")
        yield heading_line(level if isinstance(level, int) else 1, written)
    elif written.strip():
        yield readable(written) if kind == "markdown" else written


def _output(output: dict[str, Any]) -> str:
    """What a cell printed or showed, as text; nothing where it showed a picture."""
    kind = output.get("output_type")
    if kind == "stream":
        return _joined(output.get("text"))
    if kind in ("error", "pyerr"):
        return f"{output.get('ename')}: {output.get('evalue')}"
    shown = output.get("data", output)
    if not isinstance(shown, dict) or any(key.startswith("image/") or key in ("png", "jpeg", "svg") for key in shown):
        return ""
    table = _joined(shown.get("text/html", shown.get("html")))
    if "<table" in table.lower():
        return page_text(table)[1]
    return _joined(shown.get("text/markdown") or shown.get("text/plain") or shown.get("text"))


def _joined(text: Any) -> str:
    """The text of a field, which is one string or a list of lines."""
    if isinstance(text, list):
        return "".join(part for part in text if isinstance(part, str))
    return text if isinstance(text, str) else ""


def _short(text: str) -> str:
    lines = [line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} …" for line in text.split("\n")]
    return "\n".join(lines if len(lines) <= _LONGEST_OUTPUT else [*lines[:_LONGEST_OUTPUT], "…"])
