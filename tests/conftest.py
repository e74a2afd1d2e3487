"""What all tests share: an embedder with exact cosines, the folder of real documents, and the table of `make faults`."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from rag.text import tokens
from rag.types import Language

FULL = os.environ.get("FAULTS") == "1"  # `make faults`: every fault as often as docs/reliability.md says
_FIGURES: list[tuple[str, str]] = []
SHARED = Path(__file__).resolve().parents[2] / "shared"


class ExactEmbedder:
    """Bags of words and Chinese bigrams: the cosine of two texts is the shared share of their tokens.

    ``seen`` lists every text that was embedded, in order.
    """

    def __init__(self, dimension: int = 1024, fingerprint: str = "exact-1") -> None:
        self.dimension = dimension
        self.fingerprint = fingerprint
        self.seen: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 of shape (len(texts), dimension)."""
        self.seen += texts
        return np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, self.dimension), np.float32)

    def embed_query(self, text: str) -> np.ndarray:
        """A unit vector, float32 of shape (dimension,)."""
        return self._vector(text)

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, side: str = "passage") -> np.ndarray:
        """The vectors as they are: bags of words need no centring."""
        return vectors

    def _vector(self, text: str) -> np.ndarray:
        vector = np.zeros(self.dimension, np.float32)
        for token in tokens(text) or [text]:
            vector[zlib.crc32(token.encode()) % self.dimension] += 1
        return vector / np.linalg.norm(vector)


@pytest.fixture
def embedder() -> ExactEmbedder:
    """An embedder whose cosines can be worked out by hand."""
    return ExactEmbedder()


@pytest.fixture(scope="session")
def exact_embedder() -> type[ExactEmbedder]:
    """The class of ``embedder``, for fixtures that outlive a test or need several."""
    return ExactEmbedder


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real documents and question sets beside the repository; without it the test is skipped."""
    if not SHARED.is_dir():
        message = "needs the folder ../shared beside the repository"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    return SHARED


@pytest.fixture(scope="session")
def times() -> Callable[[int, int], int]:
    """``times(full, short)``: how often a fault is tried in `make faults`, and in the suite."""
    return lambda full, short: full if FULL else short


@pytest.fixture(scope="session")
def figure() -> Callable[[str, str], None]:
    """``figure(fault, found)`` puts a line into the table that `make faults` prints at its end."""
    return lambda fault, found: _FIGURES.append((fault, found))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if _FIGURES and FULL:
        terminalreporter.section("figures")
        for fault, found in _FIGURES:
            terminalreporter.write_line(f"{fault:<36} {found}")
