"""The reranker: whose order it is, what its time buys, and what is said where it is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rag.answerable import features
from rag.errors import ModelError
from rag.pipeline import load_pipeline
from rag.reranker import Reranker, load_reranker
from rag.settings import RetrievalSettings, Settings
from rag.store import Store
from rag.types import Passage
from tests.rag.stored import passage, put
from tests.rag.tiny_cross_encoder import save


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CrossEncoder that likes the word "good"."""
    return save(tmp_path_factory.mktemp("reranker"))


def load(folder: Path, seconds: float = 60.0) -> Reranker:
    reranker = load_reranker(RetrievalSettings(reranker=str(folder), rerank_seconds=seconds))
    assert reranker is not None
    return reranker


def found(*goods: int) -> list[Passage]:
    """Passages of ten words, ``goods`` of them good, best first by fusion."""
    return [
        passage("good " * n + "poor " * (10 - n), f"{i}.md", identity=i, score=1 - i / 100)
        for i, n in enumerate(goods, 1)
    ]


def ids(passages: list[Passage]) -> list[int]:
    return [p.chunk.id for p in passages]


def test_none_is_set_by_default() -> None:
    """Without a setting there is no reranker."""
    assert load_reranker(RetrievalSettings()) is None


def test_its_scores_decide_the_order(folder: Path) -> None:
    """All passages are scored, over several batches, best first, and carry a score from 0 to 1; the rest of them stays."""
    goods = [3, 9, 0, 6, 1, 8, 2, 5, 7, 4, 10]
    passages = found(*goods)
    reranked = load(folder).rerank("which one", passages)
    assert [goods[i - 1] for i in ids(reranked)] == sorted(goods, reverse=True)
    scores = [p.rerank for p in reranked]
    assert all(s is not None and 0 < s < 1 for s in scores) and scores == sorted(scores, reverse=True)  # type: ignore[type-var]
    assert {p.chunk.id: p.score for p in reranked} == {p.chunk.id: p.score for p in passages}


def test_equal_scores_keep_their_order(folder: Path) -> None:
    """Passages that the model finds equally good stay as the search had them."""
    assert ids(load(folder).rerank("q", found(2, 2, 2, 2))) == [1, 2, 3, 4]


def test_the_heading_counts(folder: Path) -> None:
    """What the model reads is what is indexed: the heading and the text."""
    passages = [passage("poor", identity=1), passage("poor", identity=2, heading="good good")]
    assert ids(load(folder).rerank("q", passages)) == [2, 1]


def test_without_time_the_rest_keeps_its_order(folder: Path) -> None:
    """With no time at all the first eight are reordered; the others follow as they were and say that they were not read."""
    reranked = load(folder, seconds=0.0).rerank("q", found(0, 1, 2, 3, 4, 5, 6, 7, 10, 9, 10))
    assert ids(reranked) == [8, 7, 6, 5, 4, 3, 2, 1, 9, 10, 11]
    assert [p.rerank is not None for p in reranked] == [True] * 8 + [False] * 3


def test_no_passages_and_long_ones(folder: Path) -> None:
    """Nothing gives nothing; a passage over the model's length is cut, not an error."""
    reranker = load(folder)
    assert reranker.rerank("q", []) == []
    assert len(reranker.rerank("q " * 500, [passage("good " * 5000)])) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [("/no/such/folder", "is no folder"), ("someone/no-such-reranker", "hf download someone/no-such-reranker")],
)
def test_missing_weights_are_an_error(name: str, said: str) -> None:
    """A reranker that is not there is one sentence with the setting and what to type, never a search without it."""
    with pytest.raises(ModelError, match=r"retrieval\.reranker") as error:
        load_reranker(RetrievalSettings(reranker=name))
    assert said in str(error.value) and name in str(error.value) and "\n" not in str(error.value)


def test_what_is_no_cross_encoder_is_refused(tmp_path: Path) -> None:
    """An empty folder, an encoder without a head and a classifier of several labels are refused, each by name."""
    (tmp_path / "empty").mkdir()
    for folder in (
        tmp_path / "empty", save(tmp_path / "encoder", head=False), save(tmp_path / "classifier", labels=3),
    ):  # fmt: skip
        with pytest.raises(ModelError, match=str(folder)):
            load(folder)


def test_damaged_and_unsafe_weights_are_refused(tmp_path: Path) -> None:
    """Broken safetensors, and weights that only a pickle holds, are refused with one sentence."""
    import torch

    weights = save(tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ModelError, match="could not be loaded"):
        load(tmp_path)
    weights.unlink()
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="could not be loaded"):
        load(tmp_path)


def test_the_pipeline_reranks(tmp_path: Path, folder: Path, embedder: Any) -> None:
    """Set in the settings, the reranker moves its choice to the top before the cut to k."""
    with Store(tmp_path) as store:
        for i in range(6):
            put(store, embedder, f"{i}.md", f"Paid leave, case {i}: fifteen days for everybody {i}.")
        put(store, embedder, "good.md", "good good good leave")
    plain = load_pipeline(Settings(tmp_path), answers=False, embedder=embedder)
    assert plain.retrieve("paid leave days", k=1).passages[0].chunk.document != "good.md"
    settings = Settings(tmp_path, retrieval=RetrievalSettings(reranker=str(folder), rerank_seconds=60))
    (best,) = load_pipeline(settings, answers=False, embedder=embedder).retrieve("paid leave days", k=1).passages
    assert best.chunk.document == "good.md" and best.rerank is not None


def test_the_probability_of_an_answer_reads_the_fused_order() -> None:
    """Reordering the same passages does not change what the refusal rule sees of their scores."""
    passages = found(1, 1, 1)
    assert features("good", passages[::-1]) == features("good", passages)
