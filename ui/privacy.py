"""Where text goes: nowhere, to another program of this machine, or away."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from rag.serve import is_loopback
from rag.settings import Settings

Where = Literal["here", "near", "away"]


def goes_to(address: str) -> Where:
    """Where text goes that is sent to an address; an empty one is this process."""
    if not address:
        return "here"
    return "near" if is_loopback(urlsplit(address).hostname or "elsewhere") else "away"


def farthest(settings: Settings) -> Where:
    """The farthest that questions, passages and documents go."""
    places = {goes_to(settings.llm.base_url), goes_to(settings.embedding.base_url)}
    return "away" if "away" in places else "near" if "near" in places else "here"
