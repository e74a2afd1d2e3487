"""A file's documents: the format is told from its content, then its loader reads it, then its text is cleaned.

A loader is a module of this package with ``load(source) -> Iterator[ParsedDocument]`` that raises IngestError. A new
format is one file here and its rows in `ingest/formats.py`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace

from ingest.clean import clean
from ingest.encrypted import MAY_BE_LOCKED, unlocked
from ingest.formats import LOADERS, SUFFIXES, identify, misnamed
from ingest.pictures import HOLDERS, with_pictures
from ingest.source import Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

__all__ = ["SUFFIXES", "load"]


def load(source: Source) -> Iterator[ParsedDocument]:
    """The documents of a file, their text cleaned; raises IngestError where the file cannot be read."""
    found = identify(source)
    if found in MAY_BE_LOCKED:
        source = unlocked(source)
        found = identify(source)
    if found == ".encrypted":
        raise IngestError("the file is damaged: it is locked, and its encryption cannot be read")
    if found not in LOADERS:
        raise IngestError(f"{found[1:]} files are not supported")
    module = importlib.import_module(f"ingest.loaders.{LOADERS[found]}")
    for document in module.load(source):
        if LOADERS[found] in HOLDERS:
            document = with_pictures(source, document)
        if misnamed(source, found):
            told = f"read as {found[1:]}: that is what is in it, though its name ends in {source.suffix}"
            document = replace(document, warnings=(told, *document.warnings))
        yield _cleaned(document)


def _cleaned(document: ParsedDocument) -> ParsedDocument:
    pages: list[Page] = []
    removed = 0
    for page in document.pages:
        text, count = clean(page.text)
        removed += count
        pages.append(replace(page, text=text))
    title = " ".join(clean(document.title)[0].split())
    warnings = document.warnings
    if removed:
        warnings += (f"{removed} invisible or control characters removed",)
    return replace(document, title=title, pages=tuple(pages), warnings=warnings)
