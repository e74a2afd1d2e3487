"""How fast a folder becomes searchable: this project's ingest beside LangChain's usual lines.

    pip install -r bench/requirements.txt
    python -m bench.throughput FOLDER

Each run is a process of its own with a cold knowledge base; the two sides take turns. Both read the same .pdf, .txt and
.md files with pypdf or as text, cut them to the same size (350 characters in Chinese, 1,000 in English; no overlap on
either side), embed with the same weights folder on the same number of threads and end with an index that can be asked.
Importing libraries and loading weights is left out of the seconds on both sides, and shown.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import RagError

if TYPE_CHECKING:
    from langchain_core.documents import Document

SIDES = ("footnote", "langchain")
SUFFIXES = (".pdf", ".txt", ".md")


@dataclass(frozen=True, slots=True)
class Run:
    """One side's run: files and their characters taken in, chunks made, seconds of work and of loading before it."""

    side: str
    files: int
    characters: int
    chunks: int
    seconds: float
    loading: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both sides in turn and print each pair and the medians."""
    options = _parser().parse_args(arguments)
    try:
        if options.side:
            print(json.dumps(asdict(_side(options.side, options.folder, options.threads))))
            return 0
        return _compare(options)
    except RagError as error:
        print(error, file=sys.stderr)
        return 1


def _compare(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = _staged(options.folder, Path(scratch) / "documents")
        pairs = []
        for number in range(1, options.pairs + 1):
            # Who goes first changes, so that a machine that warms up or slows down favours neither.
            order = SIDES if number % 2 else SIDES[::-1]
            runs = {side: _child(side, folder, options.threads) for side in order}
            pairs.append((runs["footnote"], runs["langchain"]))
            print(f"pair {number} of {options.pairs}, {options.threads} threads")
            for run in pairs[-1]:
                print(_row(run))
            print(
                f"  ratio      {_ratio(*pairs[-1], 'chunks'):.2f} in chunks/s, "
                f"{_ratio(*pairs[-1], 'characters'):.2f} in characters/s",
                flush=True,
            )
    for unit in ("chunks", "characters"):
        print(f"median ratio in {unit}/s: {statistics.median(_ratio(*pair, unit) for pair in pairs):.2f}")
    return 0


def _staged(folder: Path, copy: Path) -> Path:
    """A copy of the folder with only the files that both sides can be given."""
    if not folder.is_dir():
        raise RagError(f"{folder} is not a folder. Name one with .pdf, .txt or .md files.")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    taken = [path for path in files if path.suffix.lower() in SUFFIXES and path.stat().st_size]
    if not taken:
        raise RagError(f"{folder} holds no .pdf, .txt or .md files.")
    for path in taken:
        place = copy / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    print(f"{len(taken)} files, {len(files) - len(taken)} of other kinds or empty left out")
    return copy


def _child(side: str, folder: Path, threads: int) -> Run:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "bench.throughput", str(folder), "--side", side, "--threads", str(threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode:
        raise RagError(f"The {side} side ended with exit code {done.returncode}; what it said stands above.")
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def _side(side: str, folder: Path, threads: int) -> Run:
    import torch

    torch.set_num_threads(threads)
    return _footnote(folder) if side == "footnote" else _langchain(folder)


def _footnote(folder: Path) -> Run:
    started = time.perf_counter()
    from ingest.sync import synchronise
    from rag.embedder import load_embedder
    from rag.settings import Settings
    from rag.store import Store

    with tempfile.TemporaryDirectory() as home:
        settings = Settings(Path(home))
        embedder = load_embedder(settings.embedding)
        loaded = time.perf_counter()
        with Store(settings.home) as store:
            report = synchronise(settings, [folder], store=store, embedder=embedder)
            ended = time.perf_counter()
            characters = sum(len(store.document_text(document.name)) for document in store.documents())
            documents, chunks = store.counts()
    for verdict in report.verdicts:
        if verdict.state != "indexed":
            print(f"footnote: {verdict.file}: {verdict.state}, {verdict.reason}", file=sys.stderr)
    return Run("footnote", documents, characters, chunks, ended - loaded, loaded - started)


def _langchain(folder: Path) -> Run:
    logging.disable(logging.WARNING)  # pypdf's remarks on every damaged file
    started = time.perf_counter()
    try:
        from langchain_community.vectorstores import FAISS  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise RagError("langchain-community is missing. Type `pip install -r bench/requirements.txt`.") from None
    from langchain_huggingface import HuggingFaceEmbeddings

    from rag.models import E5, require

    embeddings = HuggingFaceEmbeddings(model_name=str(require(E5.name)), encode_kwargs={"normalize_embeddings": True})
    loaded = time.perf_counter()
    files = [(path, pages) for path in sorted(folder.rglob("*")) if path.is_file() and (pages := _load(path, folder))]
    chunks = [chunk for _, pages in files for chunk in _split(pages)]
    FAISS.from_documents(chunks, embeddings)
    ended = time.perf_counter()
    characters = sum(len(page.page_content) for _, pages in files for page in pages)
    return Run("langchain", len(files), characters, len(chunks), ended - loaded, loaded - started)


def _load(path: Path, folder: Path) -> list[Document]:
    from langchain_community.document_loaders import (  # type: ignore[import-not-found, unused-ignore]
        PyPDFLoader,
        TextLoader,
    )

    loader = PyPDFLoader(path) if path.suffix.lower() == ".pdf" else TextLoader(path, encoding="utf-8")
    try:
        return list(loader.load())
    except Exception as error:  # whatever a loader that is not ours may raise: the file is left out, and named
        print(f"langchain: {path.relative_to(folder)}: {type(error).__name__}: {error}", file=sys.stderr)
        return []


def _split(pages: list[Document]) -> list[Document]:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    from rag.settings import IngestSettings
    from rag.text import language

    size = IngestSettings()
    chinese = language("".join(page.page_content for page in pages)) == "zh"
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=size.chinese_size if chinese else size.english_size, chunk_overlap=0
    )
    return splitter.split_documents(pages)


def _row(run: Run) -> str:
    return (
        f"  {run.side:<10} {run.seconds:7.1f} s (and {run.loading:.1f} s loading), {run.files} files, "
        f"{run.chunks} chunks of {run.characters / max(1, run.chunks):.0f} characters: "
        f"{run.chunks / run.seconds:.1f} chunks/s, {run.characters / run.seconds:.0f} characters/s"
    )


def _ratio(ours: Run, theirs: Run, unit: str) -> float:
    return float((getattr(ours, unit) / ours.seconds) / (getattr(theirs, unit) / theirs.seconds))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.throughput", description="Measure ingest throughput beside LangChain's usual lines."
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder with .pdf, .txt or .md files")
    parser.add_argument("--pairs", type=int, default=2, metavar="N", help="how often each side runs (default 2)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, metavar="N", help="threads of each side")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
