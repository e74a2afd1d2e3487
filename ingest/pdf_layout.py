"""The layout of a PDF page: columns in their order, tables as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Layout:
    """The page's ``text`` in reading order, None where it is one plain column."""

    text: str | None = None


def layout(page: Any) -> Layout:
    """No layout yet."""
    return Layout()
