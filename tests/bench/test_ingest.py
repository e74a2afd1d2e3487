"""The folder of mixed files that ingest is measured with, and the figures."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from bench.ingest import Figures, main, make, peak_memory, shown
from tests.ingest.conftest import _make_pdf

ROOT = Path(__file__).resolve().parents[2]


def test_made_files_are_all_different(tmp_path: Path) -> None:
    """As many files as asked for, of all formats in turn, no two of the same bytes, damaged ones among them."""
    source = tmp_path / "source"
    source.mkdir()
    _make_pdf(source / "a.pdf", [["one"], ["two"], ["three"]])
    (source / "b.md").write_text("# 标题\n一。\n\n二。\n", encoding="utf-8")
    (source / "c.txt").write_text("".join(f"line {n}\n" for n in range(50)))
    (source / "damaged.pdf").write_bytes(b"%PDF-1.4\n")
    make(24, tmp_path / "target", [source])
    files = [path for path in (tmp_path / "target").rglob("*") if path.is_file()]
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in files}) == len(files) == 24
    assert {path.suffix for path in files} == {".pdf", ".md", ".txt"}
    assert main(["--make", "1", str(tmp_path / "target"), str(source)]) == 1


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_memory_is_that_of_the_whole_tree() -> None:
    """What this process takes while it is watched is counted."""
    with peak_memory() as peak:
        held = os.urandom(1) * (200 << 20)
        while peak[0] < 200 << 20:
            pass
    assert len(held) == 200 << 20


def test_the_figures_are_told() -> None:
    """The share of time and the rows are there to be read."""
    row = {"files": 1.0, "indexed": 1.0, "pages": 2.0, "chunks": 3.0, "seconds": 0.5}
    text = shown(Figures(1, 0, 2, 3, 10.0, 2.0, 0.2, 0.3, 0.75, 0.9375, 900, {".pdf": row}))
    assert "75.0%" in text and "93.8%" in text and "900 MB" in text and ".pdf" in text
