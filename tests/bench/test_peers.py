"""The side-by-side measurement: what is sampled, how rankings are read, what the tables say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.peers.material import Material, Record, read, sample, write
from bench.peers.measure import Run, quality, ranking
from bench.peers.report import BEGIN, END, Result, as_json, bars, tables, write_markdown
from evaluation.dataset import Question
from rag.errors import RagError

RUN = Run("footnote", "set", 0, 2, 1000, 3, 4, 1.0, 2.0, 0.01, 0.02, 0.001, 0.002, 1, 1,
          {"hit@1": 0.5, "hit@5": 1.0, "hit@10": 1.0, "mrr": 0.75})  # fmt: skip
PEER = replace(RUN, side="chroma", ingest=8.0, query_p95=0.02, bare_p50=None, bare_p95=None)
RESULT = Result((RUN, PEER), {"processor": "P"}, ("footnote", "chroma"))


def material(documents: int) -> Material:
    records = tuple(Record(f"d{i}", "", f"text {i}") for i in range(documents))
    questions = tuple(Question(f"q{i}", f"which {i}?", relevant=(f"d{i}",)) for i in range(0, documents, 2))
    return Material("set", records, questions)


def test_a_sample_keeps_what_its_questions_need() -> None:
    """A sample has as many documents as asked for, all relevant ones among them, and is the same every time."""
    once, twice = (sample(material(40), 10, 5) for _ in range(2))
    assert once == twice
    assert (len(once.records), len(once.questions)) == (10, 5)
    assert {name for q in once.questions for name in q.relevant} <= {record.id for record in once.records}


def test_zero_means_all_and_needed_documents_outweigh_the_limit() -> None:
    """0 takes the whole set; a limit below what the questions need leaves exactly those documents."""
    assert sample(material(40), 0, 0) == material(40)
    assert len(sample(material(40), 3, 5).records) == 5


def test_a_set_survives_writing(tmp_path: Path) -> None:
    """What a measuring process reads is what was sampled."""
    write(material(4), tmp_path / "set")
    got = read(tmp_path / "set")
    assert got.records == material(4).records
    assert [q.question for q in got.questions] == ["which 0?", "which 2?"]


def test_conversations_are_left_out_and_a_lost_document_is_named(tmp_path: Path) -> None:
    """Multi-turn questions are skipped; a relevant document that is not there is an error with its line."""
    write(material(2), tmp_path)
    turn = {"question": "and it?", "relevant": ["d1"], "history": [{"role": "user", "content": "d0?"}]}
    with (tmp_path / "qa.jsonl").open("a") as out:
        out.write(json.dumps(turn) + "\n")
    assert len(read(tmp_path).questions) == 1
    with (tmp_path / "qa.jsonl").open("a") as out:
        out.write(json.dumps({"question": "lost?", "relevant": ["nowhere"]}) + "\n")
    with pytest.raises(RagError, match=r"line 3: 'nowhere'"):
        read(tmp_path)


def test_rankings_count_documents_once() -> None:
    """Several passages of a document take one place, and a passage of twins counts for the relevant one."""
    assert ranking([("a",), ("a",), ("b", "c"), ("d",)], ["c"]) == ["a", "c", "d"]
    assert quality([["a", "c"]], [Question("q", "?", relevant=("c",))])["mrr"] == 0.5


@pytest.mark.parametrize(("change", "reached"), [({}, True), ({"ingest": 7.9}, False), ({"query_p95": 0.019}, False),
    ({"metrics": RUN.metrics | {"mrr": 0.76}}, False)])  # fmt: skip
def test_a_bar_needs_all_three(change: dict[str, object], reached: bool) -> None:
    """Four times the ingest, no worse MRR, no worse p95: one missed is the bar missed."""
    (bar,) = bars(replace(RESULT, runs=(RUN, replace(PEER, **change))))  # type: ignore[arg-type]
    assert bar.reached is reached


def test_tables_say_what_was_measured() -> None:
    """Each side has a row with chunks and characters a second, and the ratio to it stands below."""
    text = tables(RESULT)
    assert "| Footnote | 4 | 2.0 | 2.0 | 500 |" in text
    assert "| set | Chroma | 4.00 × | +0.000 | 1.00 × | yes |" in text


def test_a_run_that_broke_off_can_be_written() -> None:
    """With a side still missing the JSON holds the runs and no bars."""
    assert as_json(replace(RESULT, runs=(RUN,)))["bars"] == []


def test_tables_go_between_the_marks(tmp_path: Path) -> None:
    """Text around the marks stays, what stood between them goes; a file without marks is left alone."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_markdown(RESULT, page)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text and "Footnote" in text
    page.write_text("no marks")
    with pytest.raises(RagError, match="has no line"):
        write_markdown(RESULT, page)
    assert page.read_text() == "no marks"
