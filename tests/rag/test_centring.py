"""The language means that another embedder finds for itself."""

from pathlib import Path

import numpy as np
import pytest

from rag import centring


@pytest.mark.parametrize("keep", [0, 40, -30], ids=["empty", "torn", "cut short"])
def test_damaged_means_are_found_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: int) -> None:
    """A cache file that a power cut left half written costs the work again, never a traceback."""
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path))
    means = {"query_zh": np.ones(4, np.float32)}
    centring.kept("model@1", lambda: means)
    (path,) = (tmp_path / "means").iterdir()
    path.write_bytes(path.read_bytes()[:keep])
    assert np.array_equal(centring.kept("model@1", lambda: means)["query_zh"], means["query_zh"])


def test_means_are_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time they come from the cache."""
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path))
    centring.kept("model@1", lambda: {"query_zh": np.ones(4, np.float32)})
    assert np.array_equal(centring.kept("model@1", dict)["query_zh"], np.ones(4, np.float32))
