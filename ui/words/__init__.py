"""Every word that the page shows, in Chinese and English: a table a page, so that neither language is forgotten."""

from __future__ import annotations

from rag.types import Language

Words = dict[str, dict[Language, str]]
