"""Questions that are proposed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.suggestions import follow_ups, questions, section_name
from rag.types import Chunk, Cut, Passage, Trace
from tests.rag.test_export import ANSWER


def passage(heading: str) -> Passage:
    """A passage under a heading."""
    return Passage(Chunk(9, "a.md", 0, heading, None, "text", 0, 4), 0.5, 1, 1)


@pytest.mark.parametrize(
    ("heading", "spoken", "name"),
    [
        ("提示工程 › 二、思维链 › 2. 零样本思维链", "zh", "零样本思维链"),
        ("Manual › 3.2 Paid leave", "en", "Paid leave"),
        ("合同 › 第三条 违约责任", "zh", "违约责任"),
        ("合同 › （一）付款方式", "zh", "付款方式"),
        ("Manual › Paid leave", "zh", ""),
        ("report › 2024", "en", ""),
        ("files › a/b/c.pdf", "en", ""),
        ("", "en", ""),
    ],
)
def test_a_section_is_named_without_its_number(heading: str, spoken: str, name: str) -> None:
    """What is asked about is the section's name in the language of the answer; paths and mere numbers are no names."""
    assert section_name(heading, spoken) == name  # type: ignore[arg-type]


def test_what_was_found_and_not_quoted_is_proposed() -> None:
    """Sections that the search came by and the answer did not use, once each, and none that was asked about before."""
    near = (*ANSWER.passages, passage("Adapters › Prefix tuning"), passage("Adapters › Paid leave"))
    cut = tuple(Cut(passage(name), "beyond k") for name in ("A › Prefix tuning", "A › Costs of training", "A › Data"))
    answer = replace(ANSWER, passages=near, trace=Trace(cut=cut))
    proposed = follow_ups(answer, asked=["Tell me about paid leave"])
    assert proposed == [
        "What do the documents say about “Prefix tuning”?",
        "What do the documents say about “Costs of training”?",
        "What do the documents say about “Data”?",
    ]


def test_nothing_is_proposed_after_a_refusal() -> None:
    """An answer without footnotes says nothing of what the documents hold."""
    assert follow_ups(replace(ANSWER, refused=True)) == []
    assert follow_ups(replace(ANSWER, citations=())) == []


def test_a_heading_that_asks_is_the_question() -> None:
    """A heading with a question mark is proposed as it stands."""
    assert questions(["FAQ › 如何申请年假？"], "zh") == ["如何申请年假？"]
