"""Language means: what is taken away from the vectors of a language, so that two languages share one space."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from zipfile import BadZipFile

import numpy as np

from rag.settings import cache
from rag.types import Chunk, Language, Side
from rag.whole_file import whole_file
from rag.windows import windows

Means = dict[str, np.ndarray]  # "passage_zh", "window_en", "query_zh" … → the mean vector
_TEXTS = Path(__file__).parent / "builtin" / "centring"
_LANGUAGES: tuple[Language, ...] = ("zh", "en")


class LanguageMeans:
    """Means that are there, or are computed when first needed."""

    def __init__(self, make: Callable[[], Means]) -> None:
        self._make = make
        self._lock = Lock()
        self._means: Means | None = None

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, side: Side = "passage") -> np.ndarray:
        """The vectors less their language's mean, at unit length; unchanged where there are no means."""
        if not len(vectors):
            return vectors
        with self._lock:
            if self._means is None:
                self._means = self._make()
        if not self._means:
            return vectors
        means = np.stack([self._means[f"{side}_{language}"] for language in _LANGUAGES])
        centred = vectors - means[np.array([_LANGUAGES.index(language) for language in languages])]
        unit: np.ndarray = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
        return unit


def passages(language: Language) -> list[str]:
    """The fixed passages of a language, in no evaluation set and no translations of those of the other."""
    return [p.strip() for p in _read("passages", language).split("\n\n") if p.strip()]


def questions(language: Language) -> list[str]:
    """The fixed questions of a language."""
    return [q.strip() for q in _read("questions", language).split("\n") if q.strip()]


def texts_hash() -> str:
    """SHA-256 over all fixed texts, in hexadecimal."""
    texts = [text for language in _LANGUAGES for text in (*passages(language), "", *questions(language), "")]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def compute(
    embed_passages: Callable[[list[str]], np.ndarray], embed_queries: Callable[[list[str]], np.ndarray]
) -> Means:
    """The mean unit vector of the fixed passages, their windows and the questions of each language."""
    means = {}
    for language in _LANGUAGES:
        texts = passages(language)
        pieces = [piece for text in texts for piece in windows(Chunk(0, "", 0, "", None, text, 0, len(text))) or [text]]
        means[f"passage_{language}"] = embed_passages(texts).mean(axis=0)
        means[f"window_{language}"] = embed_passages(pieces).mean(axis=0)
        means[f"query_{language}"] = embed_queries(questions(language)).mean(axis=0)
    return means


def kept(fingerprint: str, make: Callable[[], Means]) -> Means:
    """The means of an embedder from the cache folder, computed and kept there where they are missing."""
    path = cache() / "means" / f"{hashlib.sha256(fingerprint.encode()).hexdigest()[:16]}.npz"
    try:
        with np.load(path) as found:
            return dict(found.items())
    except (OSError, ValueError, EOFError, KeyError, BadZipFile, zlib.error):
        pass  # missing or damaged: made anew
    sys.stderr.write(f"Finding the language means of {fingerprint}, once.\n")
    means = make()
    # A folder that cannot be written to costs this again next time.
    with contextlib.suppress(OSError), whole_file(path) as file:
        np.savez(file, allow_pickle=False, **means)
    return means


def _read(kind: str, language: Language) -> str:
    return (_TEXTS / f"{kind}.{language}.txt").read_text(encoding="utf-8")
