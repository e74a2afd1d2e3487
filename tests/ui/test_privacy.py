"""Where the page says that text goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.settings import Settings
from ui.privacy import farthest, goes_to


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("", "here"),
        ("http://127.0.0.1:11434/v1", "near"),
        ("http://localhost:8000", "near"),
        ("http://[::1]:8000/v1", "near"),
        ("https://api.example.com/v1", "away"),
        ("http://192.168.1.5/v1", "away"),
        ("http://127.0.0.1.evil.example/v1", "away"),
        ("nonsense", "away"),
    ],
)
def test_an_address_is_here_near_or_away(address: str, where: str) -> None:
    """Only addresses that this machine alone answers are near; what is unclear counts as away."""
    assert goes_to(address) == where


def test_the_farther_of_two_models_counts() -> None:
    """One model that sends text away is enough for the page to say so."""
    settings = Settings(Path("."))
    away = replace(settings, embedding=replace(settings.embedding, base_url="https://api.example.com/v1"))
    assert (farthest(settings), farthest(away)) == ("here", "away")
