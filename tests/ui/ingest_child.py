"""The page's ingest process with the embedder of exact cosines in the place of a model."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import rag.embedder
from ingest import worker
from tests.conftest import ExactEmbedder

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rag.embedder.load_embedder = lambda settings: ExactEmbedder()  # type: ignore[assignment,return-value]
    sys.exit(worker.main())
