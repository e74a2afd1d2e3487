"""An embedder behind an OpenAI-compatible address: batches, time limits, retries, and answers that are checked."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from rag import centring, models, windows
from rag.embedder import make_fingerprint
from rag.errors import ModelError
from rag.llm import shown_address
from rag.serve import is_loopback
from rag.settings import EmbeddingSettings
from rag.types import Language, Side

if TYPE_CHECKING:
    import httpx

_TEXTS_PER_REQUEST = 64
_CHARACTERS_PER_REQUEST = 60_000
_CONNECT_SECONDS = 10.0
_TRIES = 5
_LONGEST_PAUSE = 30.0  # seconds
_RETRIED = (408, 409, 429)


class AddressEmbedder:
    """Vectors from an embeddings address; texts leave this process. Its language means are found when first needed."""

    def __init__(self, settings: EmbeddingSettings) -> None:
        import httpx

        if settings.model.startswith(models.PREFIX):
            raise ModelError(
                f"embedding.base_url is set, but embedding.model is {settings.model!r}, which no address knows. "
                "Set embedding.model to a name that the address knows, or embedding.base_url to nothing."
            )
        for name in ("httpx", "httpcore"):  # they tell whole requests at DEBUG
            logging.getLogger(name).setLevel(logging.WARNING)
        self._settings = settings
        self._place = f"The embedder at {shown_address(settings.base_url)}"
        parts = [shown_address(settings.base_url).rstrip("/"), settings.model, settings.query_prefix,
                 settings.passage_prefix, centring.texts_hash(), windows.SIZE]  # fmt: skip
        self._fingerprint = make_fingerprint(settings.model, parts)
        self._means = centring.LanguageMeans(self._find_means)
        address = urlsplit(shown_address(settings.base_url))
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ModelError(
                f"embedding.base_url is {shown_address(settings.base_url)!r}, which is no http address. "
                "Write it like https://host/v1."
            )
        try:
            self._client = httpx.Client(
                headers={"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {},
                timeout=httpx.Timeout(settings.timeout, connect=_CONNECT_SECONDS),
                trust_env=not is_loopback(address.hostname),  # a proxy must not see what stays on this machine
            )
        except (ValueError, UnicodeError):
            raise ModelError("embedding.api_key holds characters that no key has. Check it.") from None

    @property
    def fingerprint(self) -> str:
        """Name and hash of address, model, prefixes and the recipe of the language means."""
        return self._fingerprint

    @cached_property
    def dimension(self) -> int:
        """The length of a vector, asked of the address once."""
        return int(self.embed_query("?").shape[0])

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 of shape (len(texts), dimension); raises ModelError where the address gives none."""
        return self._embed([self._settings.passage_prefix + text for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        """The unit vector of a question, float32 of shape (dimension,)."""
        vector: np.ndarray = self._embed([self._settings.query_prefix + text])[0]
        return vector

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, side: Side = "passage") -> np.ndarray:
        """The vectors less their language's mean, at unit length."""
        return self._means.centre(vectors, languages, side=side)

    def _find_means(self) -> centring.Means:
        def queries(texts: list[str]) -> np.ndarray:
            return self._embed([self._settings.query_prefix + text for text in texts])

        return centring.kept(self._fingerprint, lambda: centring.compute(self.embed_passages, queries))

    def _embed(self, texts: list[str]) -> np.ndarray:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        parts = [self._vectors(batch) for batch in _requests(texts)]
        lengths = {part.shape[1] for part in parts} | ({self.dimension} if "dimension" in self.__dict__ else set())
        if len(lengths) > 1:
            raise ModelError(f"{self._place} gave vectors of different lengths ({sorted(lengths)}). Nothing was kept.")
        return np.concatenate(parts)

    def _vectors(self, texts: list[str]) -> np.ndarray:
        """The unit vectors of one request's texts."""
        response = self._answer({"model": self._settings.model, "input": texts, "encoding_format": "float"})
        try:
            rows = sorted(response.json()["data"], key=lambda row: int(row["index"]))
            vectors = np.array([row["embedding"] for row in rows], np.float32)
        except (ValueError, KeyError, TypeError, OverflowError):
            raise ModelError(f"{self._place} sent what is no list of embeddings. Check embedding.base_url.") from None
        if [row["index"] for row in rows] != list(range(len(texts))):
            raise ModelError(f"{self._place} gave {len(rows)} vectors for {len(texts)} texts. Nothing was kept.")
        norms = np.linalg.norm(vectors, axis=1, keepdims=True) if vectors.ndim == 2 else np.zeros((1, 1))
        if not np.isfinite(norms).all() or not (norms > 0).all():
            raise ModelError(f"{self._place} gave a vector that has no direction (zeros, NaN or infinity).")
        unit: np.ndarray = vectors / norms
        return unit

    def _answer(self, body: dict[str, Any]) -> httpx.Response:
        """The address's answer of status 200, after some tries where it is busy or cannot be reached."""
        import httpx

        address = f"{self._settings.base_url.rstrip('/')}/embeddings"
        said = ""
        for attempt in range(_TRIES):
            pause = random.uniform(0.5, 1.0) * 2**attempt / 2
            try:
                response = self._client.post(address, json=body)
            except httpx.TimeoutException:
                said = f"did not answer within {self._settings.timeout:g} s. Try again or set embedding.timeout higher."
            except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
                said = f"cannot be reached ({type(error).__name__}). Check embedding.base_url and that the server runs."
            else:
                if response.status_code == 200:
                    return response
                said = self._refusal(response.status_code)
                if response.status_code < 500 and response.status_code not in _RETRIED:
                    break
                pause = max(pause, _seconds(response.headers.get("Retry-After", "")))
            if attempt < _TRIES - 1:
                time.sleep(min(pause, _LONGEST_PAUSE))
        raise ModelError(f"{self._place} {said}")

    def _refusal(self, status: int) -> str:
        match status:
            case 401 | 403:
                return f"refused the key (status {status}). Check FOOTNOTE_EMBEDDING_API_KEY."
            case 404:
                return f"knows no model {self._settings.model!r} (status 404). Check embedding.model and embedding.base_url."
            case 400 | 413 | 422:
                return f"refused the texts (status {status}); one may be longer than the model reads. Set ingest sizes lower."
        return f"answered with status {status}. Try again later."


def _requests(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in order, in lists that one request may hold."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        if batch and (len(batch) == _TEXTS_PER_REQUEST or characters + len(text) > _CHARACTERS_PER_REQUEST):
            yield batch
            batch, characters = [], 0
        batch.append(text)
        characters += len(text)
    if batch:
        yield batch


def _seconds(retry_after: str) -> float:
    """The pause that a server asks for; its other form, a date, is left to the usual pause."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
