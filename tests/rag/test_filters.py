"""Where a search looks: filters, tags, several knowledge bases, and the account of what was found and cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.errors import StoreError
from rag.fusion import fused
from rag.retriever import Retriever, merge_neighbours
from rag.settings import RetrievalSettings
from rag.store import Store
from rag.types import Filter
from tests.rag.stored import ROOT, file, put

SETTINGS = RetrievalSettings(candidates=10)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Thirty documents about leave that score alike, in folders, of several types and days."""
    with Store(tmp_path) as opened:
        yield opened


@pytest.fixture
def library(store: Store, embedder: Any) -> Store:
    """Twenty-five notes that fit the question better than five reports in another folder."""
    for i in range(25):
        put(store, embedder, f"notes/{i}.md", f"paid leave n{i}")
    for i in range(5):
        put(store, embedder, f"reports/{2020 + i}.PDF", f"the yearly report number {i} with a word about leave r{i}")
    days = {f"reports/{2020 + i}.PDF": datetime(2020 + i, 3, 1, 23, 59) for i in range(5)}
    store.write_dates([replace(file(name), modified=day.timestamp()) for name, day in days.items()])
    return store


def names(store: Store, embedder: Any, filter: Filter, k: int = 5, **other: Any) -> set[str]:
    return {
        p.chunk.document for p in Retriever(store, embedder, SETTINGS).find("paid leave", k, filter, **other).passages
    }


@pytest.mark.parametrize(
    "filter",
    [
        Filter(documents=("reports/*",)),
        Filter(folders=("reports",)),
        Filter(folders=("./reports/",)),
        Filter(types=("pdf",)),
        Filter(types=(".PDF",)),
        Filter(since=date(2020, 3, 1)),
        Filter(until=date(2024, 3, 1)),
    ],
    ids=str,
)
def test_a_filter_comes_before_the_cut(library: Store, embedder: Any, filter: Filter) -> None:
    """Five passages come where five pass the filter, though ten others fit better and both halves list only ten."""
    assert names(library, embedder, filter) == {f"reports/{2020 + i}.PDF" for i in range(5)}


def test_dates_include_both_days_and_fields_restrict_each_other(library: Store, embedder: Any) -> None:
    """since and until count by day, both included; two fields must both hold, two values of one are alternatives."""
    between = Filter(since=date(2021, 3, 1), until=date(2022, 3, 1))
    assert names(library, embedder, between) == {"reports/2021.PDF", "reports/2022.PDF"}
    assert names(library, embedder, replace(between, types=("md",))) == set()
    either = Filter(documents=("notes/3.md", "reports/2020.PDF"))
    assert names(library, embedder, either) == {"notes/3.md", "reports/2020.PDF"}
    assert names(library, embedder, either, withhold=["notes/3.md"]) == {"reports/2020.PDF"}


def test_a_folder_is_no_mere_beginning_of_a_name(store: Store, embedder: Any) -> None:
    """The folder "a" holds a/x.md and not ab/x.md; signs in names are mere signs."""
    for name in ("a/x.md", "ab/y.md", "a%_/z.md", "制度/年假.md"):
        put(store, embedder, name, f"paid leave {name}")
    assert names(store, embedder, Filter(folders=("a",))) == {"a/x.md"}
    assert names(store, embedder, Filter(folders=("a%_", "制度"))) == {"a%_/z.md", "制度/年假.md"}


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        (Filter(folders=("nowhere",)), "folders: nowhere"),
        (Filter(types=("xls",)), "types: xls"),
        (Filter(tags=("年度",)), "tags: 年度"),
        (Filter(since=date(2030, 1, 1)), "since: 2030-01-01"),
        (Filter(documents=("*.doc",)), "documents: *.doc"),
    ],
)
def test_a_filter_that_nothing_passes_finds_nothing_and_says_so(
    library: Store, embedder: Any, filter: Filter, said: str
) -> None:
    """An empty list with the filter as the reason, and all chunks counted as kept out."""
    found = Retriever(library, embedder, SETTINGS).find("paid leave", 5, filter)
    assert found.passages == () and found.trace.reason == f"filtered: {said}"
    assert (found.trace.searched, found.trace.hidden) == (0, 30)


@pytest.mark.parametrize(
    ("filter", "near"),
    [(Filter(documents=("reports/2020.pdf",)), r"reports/2020\.PDF"), (Filter(kbs=("defalt",)), "default")],
)
def test_an_unknown_document_or_knowledge_base_gets_near_matches(
    library: Store, embedder: Any, filter: Filter, near: str
) -> None:
    """A misspelt name in a filter is an error that shows what comes close, not an empty list."""
    with pytest.raises(StoreError, match=near):
        names(library, embedder, filter)


def test_tags_stay_with_the_document(store: Store, embedder: Any) -> None:
    """Tags are found in any case and width, outlive a new version and a renaming, and go with a deletion."""
    put(store, embedder, "a.md", "paid leave", content="x")
    put(store, embedder, "b.md", "paid leave of others")
    assert store.tag("a.md", ["Finance", " 年度  报告 "]) == ("finance", "年度 报告")
    assert names(store, embedder, Filter(tags=("ＦＩＮＡＮＣＥ",))) == {"a.md"}
    put(store, embedder, "a.md", "paid leave, second version", content="y")
    put(store, embedder, "new name.md", "paid leave, second version", content="y")
    store.remove_file(ROOT, "a.md")
    assert {d.name: d.tags for d in store.documents()} == {"new name.md": ("finance", "年度 报告"), "b.md": ()}
    assert store.tag("new name.md", ["FINANCE"], remove=True) == ("年度 报告",)
    store.delete("new name.md")
    store.include("new name.md")
    put(store, embedder, "new name.md", "paid leave, second version", content="y")
    assert store.document("new name.md").tags == () and store.verify() == []


@pytest.mark.parametrize("tag", ["", "  ", "x" * 51, "a\0b"])
def test_what_is_no_tag_is_refused(store: Store, embedder: Any, tag: str) -> None:
    """An empty, endless or unprintable tag is one sentence, and no tag is put on."""
    put(store, embedder, "a.md", "paid leave")
    with pytest.raises(StoreError, match="no tag"):
        store.tag("a.md", ["good", tag])
    with pytest.raises(StoreError, match=r"Near matches: a\.md"):
        store.tag("b.md", ["good"])
    assert store.document("a.md").tags == ()


def test_a_record_has_tags_of_its_own(store: Store, embedder: Any) -> None:
    """Of two records of one file only the tagged one passes the filter."""
    for key in "ab":
        put(store, embedder, "r.jsonl", f"paid leave {key}", key=key)
    store.tag("r.jsonl#a", ["t"])
    assert names(store, embedder, Filter(tags=("t",))) == {"r.jsonl#a"}


def test_several_knowledge_bases_are_one_collection(store: Store, embedder: Any) -> None:
    """Two knowledge bases give the passages and scores of one that holds both, and say where each lies."""
    texts = {
        "leave.md": "paid leave is fifteen days",
        "rent.md": "the rent is paid monthly",
        "年假.txt": "年假有十五天",
    }
    with Store(store.home, "二") as second, Store(store.home, "both") as both:
        put(second, embedder, "rent.md", texts["rent.md"])
        for name in ("leave.md", "年假.txt"):
            put(store, embedder, name, texts[name])
        for name, text in texts.items():
            put(both, embedder, name, text)
        for question in ("paid leave", "年假几天"):
            found = Retriever(store, embedder, SETTINGS).find(question, 5, Filter(kbs=("default", "二"))).passages
            one = Retriever(both, embedder, SETTINGS).find(question, 5).passages
            assert {p.chunk.document: pytest.approx(p.score, abs=1e-6) for p in one} == {
                p.chunk.document: p.score for p in found
            }
            assert {p.chunk.document: p.kb for p in found} == {
                "leave.md": "default", "年假.txt": "default", "rent.md": "二"
            }  # fmt: skip


def test_equal_names_of_two_knowledge_bases_are_no_neighbours(store: Store, embedder: Any) -> None:
    """Chunks 0 and 1 of a.md in different knowledge bases are not shown as one run."""
    with Store(store.home, "second") as second:
        put(store, embedder, "a.md", "paid leave here", "something")
        put(second, embedder, "a.md", "other", "paid leave there and more of it")
    found = Retriever(store, embedder, SETTINGS).find("paid leave", 2, Filter(kbs=("default", "second"))).passages
    assert [p.chunk.document for p in found] == ["a.md", "a.md"] and len(merge_neighbours(found)) == 2


def test_another_embedder_in_one_of_several_is_refused(store: Store, embedder: Any, exact_embedder: Any) -> None:
    """Knowledge bases of different embedders are not mixed."""
    put(store, embedder, "a.md", "paid leave")
    with Store(store.home, "second") as second:
        put(second, exact_embedder(fingerprint="other"), "b.md", "paid leave")
    with pytest.raises(StoreError, match="second"):
        names(store, embedder, Filter(kbs=("default", "second")))


def test_every_passage_says_why_it_is_there(library: Store, embedder: Any) -> None:
    """The terms' parts add up to the lexical share, the sum to the score, and k best and cut are the whole list."""
    put(library, embedder, "copy.md", "paid leave n3")
    found = Retriever(library, embedder, SETTINGS).find("paid annual leave n3", 2)
    for p in [*found.passages, *(cut.passage for cut in found.trace.cut)]:
        assert sum(share for _, share in p.terms) == pytest.approx(p.lexical)
        assert p.score == pytest.approx(fused(p.dense, p.window, p.lexical, p.lexical_weight))
        assert p.kb == "default"
    best = found.passages[0]
    assert {term for term, _ in best.terms} == {"n3", "paid", "leave"} and best.terms[0][0] == "n3"
    repeated = [cut for cut in found.trace.cut if cut.why == "duplicate"]
    assert [(cut.passage.chunk.document, cut.repeats) for cut in repeated] == [("copy.md", best.chunk.id)]
    assert best.also == ("copy.md",) and len(found.passages) == 2
    assert {cut.why for cut in found.trace.cut} == {"duplicate", "beyond k"}
    assert (found.trace.searched, found.trace.hidden) == (31, 0)


@pytest.mark.parametrize("question", ["", " \n", "???", "。！", '"', "(*", "\u200b"])
def test_mere_punctuation_finds_nothing(library: Store, embedder: Any, question: str) -> None:
    """Where there is no word, digit or symbol, there is an empty list and its reason."""
    found = Retriever(library, embedder, SETTINGS).find(question)
    assert (found.passages, found.trace.reason) == ((), "wordless")


@pytest.mark.parametrize(
    "question",
    ["a", "税", "the of and", "的了是", "Сколько дней отпуска?", "有給休暇は何日ですか", "كم يوما من الإجازة؟",
     'leave AND OR NEAR( "x" * ^ a:b', "paid leave n7 " * 800, "带薪年假" * 2500 + "n7",
     " ".join(f"w{i}" for i in range(9000))],
    ids=lambda question: question[:20],
)  # fmt: skip
def test_odd_questions_are_searched(library: Store, embedder: Any, question: str) -> None:
    """One character, stop words, other languages, operators and 10,000 characters give k passages, filtered or not."""
    for filter in (Filter(), Filter(folders=("notes",))):
        found = Retriever(library, embedder, SETTINGS).find(question, 5, filter).passages
        assert len(found) == 5
        assert all(np.isfinite(p.score) and 0 <= p.lexical <= 1 for p in found)


def test_a_long_text_is_found_by_its_rarest_terms(library: Store, embedder: Any) -> None:
    """A word that one chunk holds, behind 9,000 characters that all share, still brings that chunk to the top."""
    found = Retriever(library, embedder, SETTINGS).find("paid leave " * 850 + "n7", 1).passages
    assert [p.chunk.document for p in found] == ["notes/7.md"]


def test_a_filter_on_an_empty_knowledge_base(store: Store, embedder: Any) -> None:
    """Without documents the reason is that there are none, whatever the filter."""
    found = Retriever(store, embedder, SETTINGS).find("x", 5, Filter(types=("pdf",)))
    assert (found.passages, found.trace.reason) == ((), "empty")


def test_the_first_of_several_names_is_checked_too(tmp_path: Path, embedder: Any) -> None:
    """A knowledge base that does not exist is an error wherever it stands among those asked for."""
    with Store(tmp_path, "work") as store:
        put(store, embedder, "a.md", "Fifteen days of paid leave.")
    with Store(tmp_path, "wrok") as mistyped, pytest.raises(StoreError, match="'wrok'"):
        Retriever(mistyped, embedder, RetrievalSettings()).find("leave", filter=Filter(kbs=("wrok", "work")))


def test_k_may_be_more_than_the_candidates(tmp_path: Path, embedder: Any) -> None:
    """So many passages come back as are asked for, where there are so many."""
    with Store(tmp_path) as store:
        put(store, embedder, "a.md", *(f"Leave number{i} of word{i * 7} and other{i * 13}." for i in range(300)))
        assert len(Retriever(store, embedder, RetrievalSettings(candidates=10)).search("leave", 250)) == 250
