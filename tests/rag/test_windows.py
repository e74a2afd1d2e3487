"""Chunks in sentence windows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.retriever import Retriever
from rag.settings import RetrievalSettings
from rag.store import Store
from rag.types import Chunk, Page, ParsedDocument
from rag.windows import SIZE, embed_chunks, windows
from tests.rag.stored import file

ENGLISH = " ".join(
    f"The {name} of the house was painted in a colour that nobody liked very much." for name in "abcdefgh"
)
CHINESE = "".join(f"第{name}间屋子的墙被漆成了没有人喜欢的颜色，后来又重新漆过一遍。" for name in "一二三四五六七八")
TABLE = "\n".join(f"city: town {n}; population: {n}000; mayor: somebody" for n in range(9))


def chunk(text: str, heading: str = "") -> Chunk:
    return Chunk(0, "a.md", 0, heading, None, text, 0, len(text))


@pytest.mark.parametrize("text", [ENGLISH, CHINESE, TABLE], ids=["English", "Chinese", "table"])
def test_windows_are_whole_sentences_and_cover_the_text(text: str) -> None:
    """Nothing is left out or said twice, each window starts and ends with a sentence or row, and none is much too long."""
    found = windows(chunk(text))
    assert len(found) > 2 and "".join("".join(found).split()) == "".join(text.split())
    assert all(window[-1] in ".。" or (text is TABLE and window.endswith("somebody")) for window in found)
    assert all(len(window) * (3 if text is CHINESE else 1) < 2 * SIZE for window in found)


def test_each_window_carries_the_heading() -> None:
    """A sentence is embedded with the name of what it belongs to."""
    assert all(window.startswith("Paint\n") for window in windows(chunk(ENGLISH, "Paint")))


@pytest.mark.parametrize("text", ["", "Short.", "短。", "x" * 1000, "字" * 300, "? ! ."])
def test_what_cannot_be_parted_has_no_windows(text: str) -> None:
    """A short text is its own window, and one without a sentence end is not cut through."""
    assert windows(chunk(text)) == []


def test_the_whole_comes_first(embedder: Any) -> None:
    """A chunk's matrix holds the vector of all of it, then one for each window; no chunk, no matrix."""
    short, long = chunk("Short."), chunk(ENGLISH, "Paint")
    first, second = embed_chunks([short, long], embedder)
    assert first.shape[0] == 1 and second.shape[0] == 1 + len(windows(long))
    assert np.array_equal(second[0], embedder.embed_query(long.indexed_text))
    assert embed_chunks([], embedder) == []


def test_a_passage_is_found_by_one_of_its_sentences(tmp_path: Path, embedder: Any) -> None:
    """Its ``window`` is the cosine of the sentence that was asked for, far above that of the whole."""
    row = "The meter in the cellar shows forty units."
    long = chunk(ENGLISH + " " + row)
    with Store(tmp_path) as store:
        document = ParsedDocument("a", (Page(None, long.text),))
        store.put_document(
            file("a.md", chunks=1), document, [long], embed_chunks([long], embedder), embedder.fingerprint
        )
        (found,) = Retriever(store, embedder, RetrievalSettings()).search(row)
    best = max(float(vector @ embedder.embed_query(row)) for vector in embed_chunks([long], embedder)[0][1:])
    assert found.window == pytest.approx(best, abs=1e-3) and found.window > found.dense + 0.2
