"""The embedder: sentence-transformers weights → unit float32 vectors, and the centring of languages."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag import models
from rag.errors import ModelError
from rag.settings import EmbeddingSettings
from rag.types import Embedder, Language

# Few enough tokens that a layer's activations stay in the processor's cache, enough to keep its cores busy.
_TOKENS_PER_BATCH = 2048
_MEANS = Path(__file__).parent / "builtin" / "e5_means.npz"  # made by `python -m bench.centring`


class SentenceEmbedder:
    """A sentence-transformers model on the CPU or GPU, in bfloat16 where the processor multiplies in it."""

    def __init__(self, folder: str, settings: EmbeddingSettings, identity: str, means: dict[str, np.ndarray]) -> None:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self._settings = settings
        self._means = means
        self._tokenising = threading.Lock()  # a tokenizer keeps its padding and truncation as state
        try:
            self._model = SentenceTransformer(folder, local_files_only=True, model_kwargs={"dtype": _dtype()})
        except (OSError, ValueError) as error:
            raise ModelError(
                f"The embedder {settings.model!r} could not be loaded ({str(error).splitlines()[0]}). "
                "Set embedding.model to a sentence-transformers folder or to builtin:multilingual-e5-small."
            ) from None
        self._model.eval()
        self._fingerprint = self._make_fingerprint(identity)

    @property
    def fingerprint(self) -> str:
        """Name and hash of weights, prefixes, length limit and language means."""
        return self._fingerprint

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 of shape (len(texts), dimension)."""
        return self._embed([self._settings.passage_prefix + text for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        """The unit vector of a question, float32 of shape (dimension,)."""
        vector: np.ndarray = self._embed([self._settings.query_prefix + text])[0]
        return vector

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, query: bool = False) -> np.ndarray:
        """The vectors less their language's mean, at unit length; unchanged for an embedder without means."""
        if not self._means or not len(vectors):
            return vectors
        side = "query" if query else "passage"
        means = np.stack([self._means[f"{side}_{language}"] for language in ("zh", "en")])
        centred = vectors - means[np.array([0 if language == "zh" else 1 for language in languages])]
        unit: np.ndarray = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
        return unit

    def _embed(self, texts: list[str]) -> np.ndarray:
        import torch

        vectors = np.zeros((len(texts), self.dimension), np.float32)
        with self._tokenising:
            lengths = [len(ids) for ids in self._model.tokenizer(texts, truncation=True)["input_ids"]] if texts else []
        with torch.inference_mode():
            for rows in _batches(lengths):
                with self._tokenising:
                    features = self._model.preprocess([texts[row] for row in rows])
                features = {k: v.to(self._model.device) if hasattr(v, "to") else v for k, v in features.items()}
                embedded = self._model(features)["sentence_embedding"].float()
                vectors[rows] = torch.nn.functional.normalize(embedded, dim=1).cpu().numpy()
        return vectors

    def _make_fingerprint(self, identity: str) -> str:
        means = {name: hashlib.sha256(value.tobytes()).hexdigest() for name, value in sorted(self._means.items())}
        parts = [identity, self.dimension, self._model.max_seq_length, self._settings.query_prefix,
                 self._settings.passage_prefix, means]  # fmt: skip
        name = Path(self._settings.model.removeprefix(models.PREFIX)).name
        return f"{name}@{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]}"


def load_embedder(settings: EmbeddingSettings) -> Embedder:
    """The embedder that the settings name; raises ModelError with the command to type where it is missing."""
    if settings.model.startswith(models.PREFIX):
        folder = models.require(settings.model)
        identity = json.loads((folder / "footnote.json").read_text(encoding="utf-8"))["weights_sha256"]
        return SentenceEmbedder(str(folder), settings, identity, dict(np.load(_MEANS).items()))
    return SentenceEmbedder(settings.model, settings, _weights_hash(settings.model), {})


def _weights_hash(model: str) -> str:
    """SHA-256 over a local folder's files; a hub name stands for itself."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return model
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".json", ".safetensors", ".model"}):
        with path.open("rb") as source:
            total.update(hashlib.file_digest(source, "sha256").digest())
    return total.hexdigest()


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Row numbers grouped by similar length, longest first, so that padding is small and running out of memory shows early."""
    batch: list[int] = []
    longest = 0
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        longest = longest or lengths[row]
        if batch and (len(batch) + 1) * longest > _TOKENS_PER_BATCH:
            yield batch
            batch, longest = [], lengths[row]
        batch.append(row)
    if batch:
        yield batch


def _dtype() -> Any:
    """bfloat16 where the processor (or GPU) has instructions for it, float32 elsewhere: emulated, it is 6 times slower."""
    import torch

    if torch.cuda.is_available():
        return torch.bfloat16
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("amx_bf16") or able.get("avx512_bf16") else torch.float32
