"""The reranker, optional: a sentence-transformers CrossEncoder reads question and passage together and reorders the best."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import tanh
from pathlib import Path
from typing import Any

from rag.embedder import fast_dtype
from rag.errors import ModelError
from rag.settings import RetrievalSettings
from rag.types import Passage

_BATCH = 8  # pairs between two looks at the clock; sorted by length inside, so that padding is small
_log = logging.getLogger(__name__)


class Reranker:
    """A loaded CrossEncoder with a time budget; safe to use from several threads, one question at a time."""

    def __init__(self, folder: Path, settings: RetrievalSettings) -> None:
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging as progress

        progress.disable_progress_bar()  # type: ignore[no-untyped-call]
        self._seconds = settings.rerank_seconds
        self._scoring = threading.Lock()  # a tokenizer keeps its padding and truncation as state
        try:
            self._model: Any = CrossEncoder(
                str(folder), local_files_only=True, model_kwargs={"dtype": fast_dtype(), "use_safetensors": True}
            )
            scores = self._model.predict([("one", "pair")], show_progress_bar=False)
        except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0]
            raise _unusable(settings.reranker, f"could not be loaded ({why})") from None
        if scores.shape != (1,):
            raise _unusable(settings.reranker, f"gives {scores.size} scores for a pair, not one")

    def rerank(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """The passages, best first by the model, each scored one with its ``rerank``.

        They come in best first and are scored from the top until the time budget is spent, eight at the least; those
        without a score follow behind in the order they had, with ``rerank`` None.
        """
        logits: list[float] = []
        with self._scoring:
            began = time.perf_counter()
            while len(logits) < len(passages) and self._has_time(time.perf_counter() - began, len(logits)):
                logits += self._score(question, passages[len(logits) : len(logits) + _BATCH])
            _log.info(
                "reranked %d of %d passages in %.2f s", len(logits), len(passages), time.perf_counter() - began
            )  # fmt: skip
        order = sorted(range(len(logits)), key=lambda i: -logits[i])
        scored = [replace(passages[i], rerank=(1 + tanh(logits[i] / 2)) / 2) for i in order]
        return [*scored, *passages[len(scored) :]]

    def _has_time(self, spent: float, scored: int) -> bool:
        """Whether another batch as slow as those so far ends within the budget; the first one is always read."""
        return not scored or spent * (1 + _BATCH / scored) <= self._seconds

    def _score(self, question: str, passages: Sequence[Passage]) -> list[float]:
        from torch.nn import Identity

        pairs = [(question, passage.chunk.indexed_text) for passage in passages]
        scores = self._model.predict(pairs, batch_size=_BATCH, activation_fn=Identity(), show_progress_bar=False)
        return [float(score) for score in scores]


def load_reranker(settings: RetrievalSettings) -> Reranker | None:
    """The reranker that the settings name, None where they name none.

    Raises ModelError with what to type where its weights are not on this machine or are not a CrossEncoder's.
    """
    if not settings.reranker:
        return None
    folder = cross_encoder_folder(settings.reranker, _unusable)
    if not _is_cross_encoder(folder):
        # The library would put an untrained head on any encoder and call the result a reranker.
        raise _unusable(settings.reranker, "is no CrossEncoder: it has no trained head that scores a pair")
    return Reranker(folder, settings)


def cross_encoder_folder(model: str, unusable: Callable[[str, str], ModelError]) -> Path:
    """The folder of a model: itself, or where the hub's cache on this machine keeps it.

    Raises ``unusable(model, why)`` where it is neither.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    try:
        return Path(snapshot_download(model, local_files_only=True))
    except HFValidationError:
        raise unusable(model, "is no folder") from None
    except OSError:
        raise unusable(
            model, f"is not on this machine; where there is a network, `hf download {model}` fetches it"
        ) from None  # fmt: skip


def _is_cross_encoder(folder: Path) -> bool:
    if (folder / "modules.json").is_file():
        return bool(_read(folder / "config_sentence_transformers.json").get("model_type") == "CrossEncoder")
    architectures = _read(folder / "config.json").get("architectures") or [""]
    return str(architectures[0]).endswith("ForSequenceClassification")


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _unusable(model: str, why: str) -> ModelError:
    return ModelError(
        f"The reranker {model!r} {why}. Set retrieval.reranker to a CrossEncoder's folder with safetensors weights, "
        'or to "" to go without.'
    )
