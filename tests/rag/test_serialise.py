"""Answers as JSON and back."""

from __future__ import annotations

import json
from dataclasses import replace

from rag.serialise import answer_from_json, answer_to_json, passage_to_json
from rag.types import Answer, Citation, Claim, Cut, Timings, Trace
from tests.rag.stored import passage

FOUND = replace(
    passage("年假有十五天。It is so.", "手册.pdf", heading="手册 › 假期", page=3, start=40),
    also=("b.md",),
    lexical_rank=None,
    kb="人事",
    terms=(("年假", 0.3), ("so", 0.1)),
    lexical_weight=0.6,
    rerank=0.7,
)
ANSWER = Answer(
    "年假几天？",
    "十五天。月亮。",
    (Claim("十五天。", 0, 4, (1,), True), Claim("月亮。", 4, 7, (), False, "没有段落支持这句话")),
    (Citation(1, FOUND, "年假有十五天。", 40, 47, 0.9),),
    (FOUND, passage("x", identity=2)),
    False,
    "",
    "zh",
    Timings(0.1, None, 2.5, 0.01),
    Trace("年假几天？", (Cut(FOUND, "duplicate", 2), Cut(FOUND, "beyond k")), 9, 3),
)


def test_an_answer_survives_the_round_trip() -> None:
    """An answer written as JSON text and read again is the same answer, Chinese and missing values included."""
    assert answer_from_json(json.loads(json.dumps(answer_to_json(ANSWER), ensure_ascii=False))) == ANSWER


def test_a_refusal_survives_the_round_trip() -> None:
    """A refusal without claims comes back as one."""
    refused = replace(ANSWER, claims=(), citations=(), refused=True, reason="没有", timings=Timings())
    assert answer_from_json(json.loads(json.dumps(answer_to_json(refused)))) == refused


def test_the_shape_of_an_answer() -> None:
    """The keys that `ask --json` promises are there, with a citation's document, page, quote and offsets."""
    value = answer_to_json(ANSWER)
    assert value.keys() >= {"answer", "refused", "language", "reason", "claims", "citations", "passages", "timings"}
    assert value["claims"][0].keys() == {"text", "start", "end", "citations", "supported", "why"}
    citation = value["citations"][0]
    assert (citation["n"], citation["document"], citation["page"], citation["quote"]) == (
        1,
        "手册.pdf",
        3,
        "年假有十五天。",
    )
    assert (citation["start"], citation["end"], citation["support"]) == (40, 47, 0.9)


def test_the_shape_of_a_passage() -> None:
    """The keys that `search --json` promises are there; a rank that there is none of is null."""
    value = passage_to_json(FOUND)
    assert value.keys() >= {"document", "also", "page", "text", "score", "dense_rank", "lexical_rank"}
    assert (value["also"], value["lexical_rank"]) == (["b.md"], None)


def test_an_answer_saved_by_an_older_version_is_read() -> None:
    """An answer from before traces, terms and knowledge bases comes back without them."""
    value = answer_to_json(ANSWER)
    del value["trace"]
    for passage_value in [*value["passages"], value["citations"][0]["passage"]]:
        for key in ("kb", "terms", "lexical_weight", "rerank"):
            del passage_value[key]
    old = answer_from_json(value)
    assert (old.text, old.trace) == (ANSWER.text, Trace())
    assert (old.passages[0].kb, old.passages[0].terms, old.passages[0].rerank) == ("", (), None)
