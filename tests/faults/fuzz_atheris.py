"""Coverage-guided fuzzing of one loader: ``python fuzz_atheris.py SUFFIX SECONDS CORPUS``, a JSON line a failure."""

from __future__ import annotations

import base64
import importlib
import json
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
suffix, seconds, corpus = sys.argv[1:4]

with atheris.instrument_imports(
    include=["ingest", "pypdf", "docx", "pptx", "docutils", "olefile", "email", "msoffcrypto"]
):
    from ingest.formats import LOADERS
    from tests.faults.fuzz_child import HANG, Observer
    from tests.faults.seeds import SEEDS

    importlib.import_module(f"ingest.loaders.{LOADERS[suffix]}")

observer = Observer(suffix)


def one(data: bytes) -> None:
    """Try an input and tell of a failure that is new."""
    if kind := observer.try_on(data):
        print(json.dumps({"failure": kind, "data": base64.b64encode(data).decode()}), flush=True)


if __name__ == "__main__":
    folder = Path(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "seed").write_bytes(SEEDS[suffix]())
    limits = [f"-max_total_time={seconds}", f"-timeout={HANG:.0f}", "-rss_limit_mb=2500", "-max_len=200000"]
    atheris.Setup([sys.argv[0], *limits, "-print_final_stats=1", f"-artifact_prefix={folder}-", corpus], one)
    atheris.Fuzz()
