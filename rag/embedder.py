"""The embedder: texts → unit float32 vectors, by weights on this machine or an embeddings address; prefixes, fingerprint."""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag import bert, centring, models, windows
from rag.errors import ModelError
from rag.settings import EmbeddingSettings
from rag.types import Embedder, Language, Side

# Few enough tokens that a layer's activations stay in the processor's cache, enough to keep its cores busy.
_TOKENS_PER_BATCH = 2048
_MEANS = Path(__file__).parent / "builtin" / "e5_means.npz"  # made by `python -m bench.centring`
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_PROBE = ["Every employee has fifteen days of paid leave a year.", "月亮离地球很远。"]
_SAME = 0.999  # cosine of two ways to compute the same vector


class SentenceEmbedder:
    """A sentence-transformers model on the CPU or GPU, in bfloat16 where the processor multiplies in it.

    ``means`` None stands for means that are computed from the fixed texts when first needed.
    """

    def __init__(
        self, folder: str, settings: EmbeddingSettings, identity: str, means: centring.Means | None = None
    ) -> None:
        self._settings = settings
        self._tokenising = threading.Lock()  # a tokenizer keeps its padding and truncation as state
        self._model = _load(folder, settings)
        self._model.eval()
        self._packed = self._pack()
        recipe: Any = {"texts": centring.texts_hash()}
        if means is not None:
            recipe = {name: hashlib.sha256(value.tobytes()).hexdigest() for name, value in sorted(means.items())}
        parts = [identity, self.dimension, self._model.max_seq_length, settings.query_prefix,
                 settings.passage_prefix, recipe, windows.SIZE]  # fmt: skip
        self._fingerprint = make_fingerprint(settings.model, parts)
        self._means = centring.LanguageMeans(lambda: self._find_means() if means is None else means)

    @property
    def fingerprint(self) -> str:
        """Name and hash of weights, prefixes, length limit and the recipe of the language means."""
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
        vector: np.ndarray = self._embed_queries([text])[0]
        return vector

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, side: Side = "passage") -> np.ndarray:
        """The vectors less their language's mean, at unit length."""
        return self._means.centre(vectors, languages, side=side)

    def tokenise(self, texts: list[str]) -> list[list[int]]:
        """The token ids of texts, special ones included, cut to the model's length."""
        with self._tokenising:
            encoded = self._model.tokenizer(texts, truncation=True, max_length=self._model.max_seq_length)
        ids: list[list[int]] = encoded["input_ids"]
        return ids

    def _embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._embed([self._settings.query_prefix + text for text in texts])

    def _find_means(self) -> centring.Means:
        return centring.kept(self._fingerprint, lambda: centring.compute(self.embed_passages, self._embed_queries))

    def _embed(self, texts: list[str]) -> np.ndarray:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        token_ids = self.tokenise(texts)
        return self._packed.embed(token_ids) if self._packed else self._embed_padded(texts, token_ids)

    def _embed_padded(self, texts: list[str], token_ids: list[list[int]]) -> np.ndarray:
        """Vectors by sentence-transformers itself, which any model of its kind has."""
        import torch

        vectors = np.zeros((len(texts), self.dimension), np.float32)
        with torch.inference_mode():
            for rows in bert.batches_of([len(ids) for ids in token_ids], _TOKENS_PER_BATCH):
                with self._tokenising:
                    features = self._model.preprocess([texts[row] for row in rows])
                features = {k: v.to(self._model.device) if hasattr(v, "to") else v for k, v in features.items()}
                embedded = self._model(features)["sentence_embedding"].float()
                vectors[rows] = torch.nn.functional.normalize(embedded, dim=1).cpu().numpy()
        return vectors

    def _pack(self) -> bert.PackedBert | None:
        """The faster forward pass, where the model is one that it fits and it gives the same vectors."""
        from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

        transformer, *rest = self._model
        if not isinstance(transformer, Transformer) or not rest or not isinstance(rest[0], Pooling):
            return None
        mean_only = rest[0].pooling_mode == "mean" and all(isinstance(m, Normalize) for m in rest[1:])
        if not mean_only or not bert.fits(transformer.model):
            return None
        packed = bert.PackedBert(transformer.model)
        token_ids = self.tokenise(_PROBE)
        cosines = (packed.embed(token_ids) * self._embed_padded(_PROBE, token_ids)).sum(axis=1)
        return packed if float(cosines.min()) > _SAME else None


def load_embedder(settings: EmbeddingSettings) -> Embedder:
    """The embedder that the settings name; raises ModelError with the command to type where it is missing."""
    if settings.base_url:
        from rag.embedding_address import AddressEmbedder

        return AddressEmbedder(settings)
    if settings.model.startswith(models.PREFIX):
        folder = models.require(settings.model)
        identity = json.loads((folder / "footnote.json").read_text(encoding="utf-8"))["weights_sha256"]
        return SentenceEmbedder(str(folder), settings, identity, dict(np.load(_MEANS).items()))
    folder = Path(settings.model).expanduser()
    name = str(folder) if folder.is_dir() else settings.model
    return SentenceEmbedder(name, settings, _weights_hash(folder) if folder.is_dir() else settings.model)


def make_fingerprint(model: str, parts: Sequence[Any]) -> str:
    """The model's short name and a hash of all that moves its vectors."""
    name = Path(model.removeprefix(models.PREFIX)).name
    return f"{name}@{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]}"


# oneDNN keeps a kernel for every shape that it multiplied; texts have hundreds of lengths, which came to a gigabyte in a few
# thousand passages. With these few they are made anew at no measurable cost.
_KERNELS_KEPT = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "32", "LRU_CACHE_CAPACITY": "16"}


def _load(folder: str, settings: EmbeddingSettings) -> Any:
    """The model from a folder or the hub's cache; nothing is fetched."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    for name, most in _KERNELS_KEPT.items():
        os.environ.setdefault(name, most)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {"dtype": fast_dtype(), "use_safetensors": True}
    try:
        return SentenceTransformer(folder, local_files_only=True, model_kwargs=options)
    except Exception as error:  # whatever the hub's client and the model's own files may raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    at_hub = not Path(folder).is_dir() and _HUB_NAME.fullmatch(folder)
    fetch = f" Fetch it where there is a network with `hf download {settings.model}`," if at_hub else ""
    raise ModelError(
        f"The embedder {settings.model!r} could not be loaded ({reason}).{fetch} "
        f"{'or set' if fetch else 'Set'} embedding.model to a sentence-transformers folder with safetensors "
        "or to builtin:multilingual-e5-small."
    )


def _weights_hash(folder: Path) -> str:
    """SHA-256 over the files of a local folder that make up its model."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".json", ".safetensors", ".model"}):
        with path.open("rb") as source:
            total.update(hashlib.file_digest(source, "sha256").digest())
    return total.hexdigest()


def fast_dtype() -> Any:
    """bfloat16 where the processor (or GPU) has instructions for it, float32 elsewhere: emulated, it is 6 times slower."""
    import torch

    if torch.cuda.is_available():
        return torch.bfloat16
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("amx_bf16") or able.get("avx512_bf16") else torch.float32
