"""Compute the fixed language means of the built-in embedder from the texts in rag/builtin/centring.

    python -m bench.centring            writes rag/builtin/e5_means.npz

The texts are broad, in neither language translations of each other, and in no evaluation set.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rag.centring import compute
from rag.embedder import SentenceEmbedder
from rag.models import require
from rag.settings import EmbeddingSettings

_TARGET = Path(__file__).parent.parent / "rag" / "builtin" / "e5_means.npz"


def main() -> None:
    """Write the mean unit vector of passages and of questions for each language."""
    settings = EmbeddingSettings()
    embedder = SentenceEmbedder(str(require(settings.model)), settings, "", {})
    means = compute(embedder.embed_passages, lambda texts: np.stack([embedder.embed_query(text) for text in texts]))
    np.savez(_TARGET, **means)
    for name, mean in means.items():
        print(f"{name}: length {np.linalg.norm(mean):.4f}")


if __name__ == "__main__":
    main()
