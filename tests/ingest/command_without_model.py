"""``python -m ingest`` with an embedder that needs no weights: arguments as for the command itself."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import rag.embedder
from ingest.__main__ import main

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))
from crash_child import HashEmbedder

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background passes on that it is ignored
    rag.embedder.load_embedder = lambda settings: HashEmbedder()  # type: ignore[assignment,return-value]
    sys.exit(main())
