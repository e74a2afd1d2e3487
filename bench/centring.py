"""Compute the fixed language means of the built-in embedder from the texts in bench/centring.

    python -m bench.centring            writes rag/builtin/e5_means.npz

The texts are broad, in neither language translations of each other, and in no evaluation set.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rag.embedder import SentenceEmbedder
from rag.models import require
from rag.settings import EmbeddingSettings
from rag.text import normalise

_FOLDER = Path(__file__).parent / "centring"
_TARGET = Path(__file__).parent.parent / "rag" / "builtin" / "e5_means.npz"


def main() -> None:
    """Write the mean unit vector of passages and of questions for each language."""
    settings = EmbeddingSettings()
    embedder = SentenceEmbedder(str(require(settings.model)), settings, "", {})
    means = {}
    for language in ("zh", "en"):
        passages = [p.strip() for p in (_FOLDER / f"passages.{language}.txt").read_text(encoding="utf-8").split("\n\n")]
        questions = (_FOLDER / f"questions.{language}.txt").read_text(encoding="utf-8").split("\n")
        means[f"passage_{language}"] = embedder.embed_passages([p for p in passages if normalise(p)]).mean(axis=0)
        means[f"query_{language}"] = np.mean([embedder.embed_query(q.strip()) for q in questions if q.strip()], axis=0)
    np.savez(_TARGET, **means)
    for name, mean in means.items():
        print(f"{name}: length {np.linalg.norm(mean):.4f}")


if __name__ == "__main__":
    main()
