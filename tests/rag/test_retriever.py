"""Passages for a question: both halves, their sum, duplicates, and odd questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.errors import StoreError
from rag.fusion import fused
from rag.lexical import explained_shares
from rag.retriever import Retriever, collapse, merge_neighbours
from rag.settings import RetrievalSettings
from rag.store import Store
from rag.text import tokens
from rag.types import Passage
from tests.rag.stored import passage, put

SETTINGS = RetrievalSettings()
DOCUMENTS = {
    "leave.md": "Every employee has fifteen days of paid leave.",
    "rent.md": "The office rent is high this summer.",
    "年假.txt": "每位员工每年享有十五天带薪年假。",
    "显存.txt": "全量微调需要很多显存。",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with Store(tmp_path) as opened:
        yield opened


@pytest.fixture
def retriever(store: Store, embedder: Any) -> Retriever:
    """A retriever over four small documents."""
    for name, text in DOCUMENTS.items():
        put(store, embedder, name, text)
    return Retriever(store, embedder, SETTINGS)


def collapsed(*passages: Passage) -> list[Passage]:
    return collapse(passages, {p.chunk.id: tokens(p.chunk.text) for p in passages})[0]


def names(found: Any) -> list[str]:
    return [p.chunk.document for p in found]


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("How many days of paid leave?", "leave.md"),
        ("What is the office rent?", "rent.md"),
        ("年假有几天？", "年假.txt"),
        ("微调要多少显存", "显存.txt"),
        ("ＰＡＩＤ　ＬＥＡＶＥ", "leave.md"),
    ],
)
def test_the_right_document_comes_first(retriever: Retriever, question: str, document: str) -> None:
    """A question finds the document that shares its words, in both languages and any width or case."""
    found = retriever.search(question)
    assert names(found)[0] == document
    assert (found[0].dense_rank, found[0].lexical_rank) == (1, 1)


def test_the_score_is_the_sum_of_both_halves(retriever: Retriever, store: Store, embedder: Any) -> None:
    """A passage's score is the fusion of its cosine and its lexical share, each as worked out from its text alone; best first."""
    question = "paid leave days"
    terms = tokens(question)
    found = retriever.search(question, k=10)
    assert len(found) == len(DOCUMENTS)
    statistics = store.term_statistics(terms)
    for p in found:
        cosine = float(embedder.embed_query(question) @ embedder.embed_query(p.chunk.text))
        share = explained_shares(dict.fromkeys(terms, 1.0), {1: tokens(p.chunk.text)}, statistics)[1]
        assert (p.dense, p.lexical) == (pytest.approx(cosine, abs=1e-6), pytest.approx(share))
        assert p.score == pytest.approx(fused(cosine, cosine, share, SETTINGS.lexical_weight), abs=1e-6)
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


def test_ranks_count_from_one_in_each_half(retriever: Retriever) -> None:
    """Ranks of each half are 1, 2, …; a passage that shares no word has no lexical rank."""
    found = retriever.search("paid leave", k=10)
    assert sorted(p.dense_rank or 0 for p in found) == [1, 2, 3, 4]
    assert [p.lexical_rank for p in found if p.chunk.document == "leave.md"] == [1]
    assert {p.lexical_rank for p in found if p.chunk.document != "leave.md"} == {None}


def test_a_chunk_that_only_one_half_lists_has_both_scores(store: Store, embedder: Any) -> None:
    """A passage listed by its words alone still counts its cosine."""
    put(store, embedder, "a.md", "apple " * 3)
    put(store, embedder, "b.md", "apple banana cherry")
    found = Retriever(store, embedder, replace(SETTINGS, candidates=1)).search("apple", k=5)
    assert names(found)[0] == "a.md"
    for p in found:
        assert p.dense == pytest.approx(
            float(embedder.embed_query("apple") @ embedder.embed_query(p.chunk.text)), abs=1e-6
        )


@pytest.mark.parametrize("k", [1, 2, 3])
def test_k_limits_the_passages(retriever: Retriever, k: int) -> None:
    """At most k passages come, the best ones."""
    assert retriever.search("paid leave", k=k) == retriever.search("paid leave", k=10)[:k]
    assert len(retriever.search("paid leave", k=k)) == k


def test_equal_texts_are_one_passage(store: Store, embedder: Any) -> None:
    """The same text in three documents is one passage that names the others, and no place in the list is wasted."""
    for name in ("a.md", "b.md", "c.md"):
        put(store, embedder, name, DOCUMENTS["leave.md"])
    put(store, embedder, "d.md", "Unpaid leave is another matter.")
    found = Retriever(store, embedder, SETTINGS).search("paid leave", k=2)
    assert [p.documents for p in found] == [("a.md", "b.md", "c.md"), ("d.md",)]


def test_nearly_equal_texts_are_one_passage_and_others_are_not() -> None:
    """Nine of ten shared words make a repetition; a changed half does not."""
    words = [f"word{i}" for i in range(30)]
    first = passage(" ".join(words), "a.md", identity=1)
    close = passage(" ".join([*words[1:], "other"]), "b.md", identity=2)
    far = passage(" ".join(words[:15]), "c.md", identity=3)
    assert [p.documents for p in collapsed(first, close, far)] == [("a.md", "b.md"), ("c.md",)]


def test_a_repetition_in_the_same_document_names_no_other() -> None:
    """A document is not listed as another document of itself."""
    same = [passage("年假有十五天", identity=i) for i in (1, 2)]
    assert [p.documents for p in collapsed(*same)] == [("a.md",)]


def test_texts_without_words_are_not_all_the_same() -> None:
    """Two passages of mere punctuation are only one where they are equal."""
    assert len(collapsed(passage("***"), passage("---", "b.md", identity=2), passage("***", "c.md", identity=3))) == 2


def test_a_hidden_document_is_never_found(retriever: Retriever) -> None:
    """A withheld document is absent, whatever the question; withholding all leaves nothing."""
    assert "leave.md" not in names(retriever.search("paid leave", k=10, withhold=["leave.md"]))
    assert len(retriever.search("paid leave", k=10, withhold=["leave.md"])) == 3
    assert retriever.search("paid leave", withhold=list(DOCUMENTS)) == []
    assert names(retriever.search("paid leave", withhold=["no such document"]))[0] == "leave.md"


def test_an_empty_store_finds_nothing(store: Store, embedder: Any) -> None:
    """Without documents there are no passages, and no error."""
    assert Retriever(store, embedder, SETTINGS).search("anything") == []


def test_a_store_of_one_chunk(store: Store, embedder: Any) -> None:
    """A knowledge base of a single chunk finds it for any question."""
    put(store, embedder, "only.md", DOCUMENTS["leave.md"])
    retriever = Retriever(store, embedder, SETTINGS)
    assert names(retriever.search("leave")) == names(retriever.search("没有关系的问题")) == ["only.md"]


@pytest.mark.parametrize(
    "question",
    [
        "税",
        "a",
        "7",
        "the of and",
        "的了是",
        "🙂",
        "* OR -",
        "paid " * 800,
        "带薪年假" * 1000,
        "x" * 4000,
        "Сколько дней отпуска?",
        "有給休暇は何日ですか",
        "휴가는 며칠입니까",
        "\n\t leave \f",
    ],
)
def test_odd_questions_are_searched_without_error(retriever: Retriever, question: str) -> None:
    """One character, stop words, a symbol, 4,000 characters and other languages give passages with finite scores."""
    found = retriever.search(question)
    assert 0 < len(found) <= SETTINGS.k
    assert all(-1.001 <= p.dense <= 1.001 and 0 <= p.lexical <= 1 for p in found)


def test_new_and_deleted_documents_are_noticed(retriever: Retriever, store: Store, embedder: Any) -> None:
    """The next question after a change sees it, without anything being reopened."""
    assert names(retriever.search("giraffe"))[0] != "new.md"
    put(store, embedder, "new.md", "A giraffe eats leaves.")
    assert names(retriever.search("giraffe"))[0] == "new.md"
    store.delete("new.md")
    assert "new.md" not in names(retriever.search("giraffe", k=10))


def test_another_embedder_is_refused(retriever: Retriever, store: Store, exact_embedder: Callable[..., Any]) -> None:
    """A knowledge base is not searched with another embedder's vectors."""
    with pytest.raises(StoreError, match="--kb"):
        Retriever(store, exact_embedder(fingerprint="other"), SETTINGS)


def test_neighbouring_chunks_are_one_run(store: Store) -> None:
    """Chunks that follow one another are shown as one piece in document order; others stay apart."""
    second, first, other, far = (
        passage(str(i), identity=i, ordinal=n, document=d)
        for i, (n, d) in enumerate([(1, "a.md"), (0, "a.md"), (2, "b.md"), (5, "a.md")])
    )
    runs = merge_neighbours([second, other, first, far])
    assert [[chunk.ordinal for chunk in run] for run in runs] == [[0, 1], [2], [5]]


def test_langchain_finds_the_same(retriever: Retriever) -> None:
    """As a LangChain retriever it returns the same passages, with document, place and score as metadata."""
    documents = retriever.as_langchain(k=2).invoke("paid leave")
    found = retriever.search("paid leave", k=2)
    assert [d.page_content for d in documents] == [p.chunk.text for p in found]
    assert [(d.metadata["source"], d.metadata["score"]) for d in documents] == [
        (p.chunk.document, p.score) for p in found
    ]
