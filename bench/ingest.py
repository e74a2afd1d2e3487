"""How fast a folder of mixed files is taken in, and what it takes.

    python -m bench.ingest FOLDER [--json FILE]
    python -m bench.ingest --make 200 TARGET SOURCE…

The first makes a scratch home, ingests FOLDER with the embedder of the settings, and tells pages and chunks a second, the
largest memory of this process and its children together (their resident pages, sampled ten times a second; a page that two
share counts twice), the share of the wall time in which the embedder was busy, and a row a format. The second makes a
folder of so many files out of the documents in SOURCE, each cut, renumbered or renamed so that no two hold the same passage.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import RagError
from rag.types import Language, Side, Verdict

if TYPE_CHECKING:
    from rag.types import Embedder

_SEED = 7
_TEXT = frozenset(".txt .md .markdown .rst .html .htm .xml .csv .tsv .eml".split())
_ZIPPED = frozenset(".docx .pptx .xlsx .odt .epub".split())
_PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run came to; seconds of wall time, ``busy`` the embedder's share of them, with and without its loading."""

    files: int
    set_aside: int
    pages: int
    chunks: int
    seconds: float
    loading_seconds: float
    pages_per_second: float
    chunks_per_second: float
    busy: float
    busy_once_loaded: float
    peak_mb: int
    formats: dict[str, dict[str, float]]


class Timed:
    """An embedder that keeps account of the time that it takes to load and to embed."""

    def __init__(self, settings: object) -> None:
        from rag.embedder import load_embedder

        began = time.perf_counter()
        self._inner: Embedder = load_embedder(settings)  # type: ignore[arg-type]
        self.loading = time.perf_counter() - began
        self.busy = 0.0
        self.fingerprint = self._inner.fingerprint
        self.dimension = self._inner.dimension

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 of shape (len(texts), dimension)."""
        began = time.perf_counter()
        vectors = self._inner.embed_passages(texts)
        self.busy += time.perf_counter() - began
        return vectors

    def embed_query(self, text: str) -> np.ndarray:
        """A unit vector, float32 of shape (dimension,)."""
        return self._inner.embed_query(text)

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, side: Side = "passage") -> np.ndarray:
        """The vectors less their language's mean."""
        return self._inner.centre(vectors, languages, side=side)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.ingest", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--make", type=int, metavar="N", help="make a folder of N files: TARGET SOURCE…")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    if (len(options.paths) < 2) if options.make else (len(options.paths) > 1):
        parser.error("give one FOLDER, or --make N TARGET SOURCE…")
    try:
        if options.make:
            make(options.make, options.paths[0], options.paths[1:])
            return 0
        figures = measure(options.paths[0])
    except RagError as error:
        print(error, file=sys.stderr)
        return 1
    print(shown(figures))
    if options.json:
        options.json.write_text(json.dumps(asdict(figures), indent=1) + "\n", encoding="utf-8")
    return 0


def measure(folder: Path) -> Figures:
    """Ingest a folder into a scratch home."""
    from ingest.embedding import LazyEmbedder
    from ingest.progress import reporter
    from ingest.sync import synchronise
    from rag.settings import load_settings
    from rag.store import Store

    loaded: list[Timed] = []

    def load() -> Timed:
        loaded.append(Timed(settings.embedding))
        return loaded[0]

    settings = load_settings()
    with tempfile.TemporaryDirectory() as home, peak_memory() as peak, Store(Path(home)) as store:
        began = time.perf_counter()
        report = synchronise(
            replace(settings, home=Path(home)), [folder], store=store, embedder=LazyEmbedder(load), report=reporter()
        )
        seconds = time.perf_counter() - began
    busy, loading = (loaded[0].busy, loaded[0].loading) if loaded else (0.0, 0.0)
    pages = sum(len(verdict.read) for verdict in report.verdicts)
    chunks = int(report.totals["chunks"])
    return Figures(
        files=len(report.verdicts),
        set_aside=report.set_aside,
        pages=pages,
        chunks=chunks,
        seconds=round(seconds, 1),
        loading_seconds=round(loading, 1),
        pages_per_second=round(pages / seconds, 2),
        chunks_per_second=round(chunks / seconds, 2),
        busy=round(busy / seconds, 3),
        busy_once_loaded=round(busy / (seconds - loading), 3),
        peak_mb=max(peak) >> 20,
        formats=_by_format(report.verdicts),
    )


def shown(figures: Figures) -> str:
    """The figures in words, and a row a format."""
    lines = [
        f"{figures.files} files, {figures.set_aside} set aside; {figures.pages} pages, {figures.chunks} chunks "
        f"in {figures.seconds} s ({figures.loading_seconds} s of it the model's loading)",
        f"{figures.pages_per_second} pages/s, {figures.chunks_per_second} chunks/s",
        f"embedder busy for {figures.busy:.1%} of the time, {figures.busy_once_loaded:.1%} without its loading",
        f"largest memory of all processes: {figures.peak_mb} MB",
        "",
        f"{'format':10}{'files':>8}{'indexed':>9}{'pages':>8}{'chunks':>8}{'reading s':>11}",
    ]
    for suffix, row in figures.formats.items():
        counts = f"{row['files']:8.0f}{row['indexed']:9.0f}{row['pages']:8.0f}{row['chunks']:8.0f}"
        lines.append(f"{suffix:10}{counts}{row['seconds']:11.1f}")
    return "\n".join(lines)


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """While the block runs, the resident bytes of this process and its children are sampled."""
    peak, over = [0], threading.Event()

    def sample() -> None:
        while not over.wait(0.1):
            peak[0] = max(peak[0], _resident())

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield peak
    finally:
        over.set()
        sampler.join()


def _resident() -> int:
    """The resident bytes of this process and all below it; 0 where the system does not tell."""
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            pages[int(folder.name)] = int((folder / "statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):  # it has just ended
            continue
    own, before = {os.getpid()}, 0
    while len(own) > before:
        before = len(own)
        own |= {process for process, parent in parents.items() if parent in own}
    return sum(pages.get(process, 0) for process in own) * _PAGE_BYTES


def _by_format(verdicts: Sequence[Verdict]) -> dict[str, dict[str, float]]:
    formats: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        row = formats.setdefault(Path(verdict.file).suffix.lower() or "(none)", Counter())
        row.update(files=1, indexed=verdict.state == "indexed", pages=len(verdict.read), chunks=verdict.chunks)
        row["seconds"] += verdict.seconds  # type: ignore[assignment]
    return {suffix: dict(formats[suffix]) for suffix in sorted(formats)}


# Files to measure with


def make(count: int, target: Path, sources: Sequence[Path]) -> None:
    """Write ``count`` files made from those below ``sources``, formats in turn; a target that is there must be empty."""
    if target.exists() and any(target.iterdir()):
        raise RagError(f"{target} is not empty. Name a new folder.")
    found = [path for source in sources for path in sorted(source.rglob("*")) if path.is_file()]
    by_suffix: dict[str, list[Path]] = {}
    for path in found:
        by_suffix.setdefault(path.suffix.lower(), []).append(path)
    if not found:
        raise RagError(f"There is no file in {', '.join(map(str, sources))}.")
    chance = random.Random(_SEED)
    suffixes = sorted(by_suffix)
    for number in range(count):
        suffix = suffixes[number % len(suffixes)]
        paths = by_suffix[suffix]
        source = paths[number // len(suffixes) % len(paths)]
        folder = target / f"part {number % 7}"
        folder.mkdir(parents=True, exist_ok=True)
        _vary(source, folder / f"{source.stem} {number}{source.suffix}", number, chance)
    print(f"{count} files of {len(suffixes)} formats in {target}")


def _vary(source: Path, target: Path, number: int, chance: random.Random) -> None:
    """Write another file like this one; what cannot be taken apart is copied, and titled by its new name."""
    suffix = source.suffix.lower()
    try:
        if suffix in _TEXT:
            target.write_bytes(_vary_text(source.read_bytes(), number, chance))
        elif suffix == ".jsonl":
            lines = source.read_bytes().splitlines()
            start = chance.randrange(max(1, len(lines) - 40))
            target.write_bytes(b"\n".join(lines[start : start + 40]))
        elif suffix == ".pdf":
            _vary_pdf(source, target, number, chance)
        elif suffix == ".docx":
            _vary_docx(source, target, number)
        else:
            raise ValueError(suffix)
    except Exception:  # damaged on purpose, or of a kind that is only copied
        shutil.copyfile(source, target)
        if suffix in _ZIPPED and zipfile.is_zipfile(target):
            with zipfile.ZipFile(target, "a") as archive:
                archive.comment = f"copy {number}".encode()
        else:
            with target.open("ab") as file:
                file.write(b"\n" * (number % 97 + 1))


def _vary_text(content: bytes, number: int, chance: random.Random) -> bytes:
    """The beginning, the head of a table or page with it, and a part of the rest; titles get a number."""
    mark = f" {number}".encode()
    content = re.sub(rb"(<title[^>]*>[^<]*)", lambda title: title[1] + mark, content, count=1)
    content = re.sub(rb"(?m)^(#+ [^\r\n]+)", lambda title: title[1] + mark, content, count=1)
    if b"\0" in content or b"<html" in content[:2000].lower() or b"<?xml" in content[:100]:
        return content + b"\n" * (number % 97 + 1)
    lines = content.splitlines(keepends=True)
    start = chance.randrange(max(1, len(lines) // 3))
    return b"".join([*lines[:1], *lines[1 + start : len(lines) - chance.randrange(max(1, len(lines) // 5))]])


def _vary_pdf(source: Path, target: Path, number: int, chance: random.Random) -> None:
    from pypdf import PdfReader, PdfWriter

    reader = PdfReader(source)
    start = chance.randrange(max(1, len(reader.pages) // 2))
    writer = PdfWriter()
    for page in reader.pages[start : start + 12]:
        writer.add_page(page)
    writer.add_metadata({"/Title": f"{source.stem} number {number}"})
    writer.write(target)


def _vary_docx(source: Path, target: Path, number: int) -> None:
    from docx import Document

    document = Document(str(source))
    document.core_properties.title = f"{source.stem} {number}"
    document.save(str(target))


if __name__ == "__main__":
    sys.exit(main())
