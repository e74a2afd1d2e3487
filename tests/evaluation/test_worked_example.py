"""The example that docs/evaluation.md works out by hand, in both languages: the program says the same."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from evaluation import runner
from evaluation.dataset import Question
from evaluation.runner import Run
from rag.settings import Settings
from rag.types import Answer, Chunk, Citation, Page, Passage, Retrieval, Turn
from tests.scripted_llm import ScriptedLLM

DOCS = Path(__file__).resolve().parents[2] / "docs"
# document: its text; question: right answer, relevant, found, said, cited
EXAMPLES: dict[str, tuple[dict[str, str], list[tuple[str, str, str, list[str], str, str]]]] = {
    "evaluation.md": (
        {
            "handbook.pdf": "Leave is 15 days. Probation is three months.",
            "finance.md": "A refund takes ten days.",
            "hours.md": "Work begins at eleven.",
        },
        [
            ("How many days of leave are there?", "15 days", "handbook.pdf", ["handbook.pdf", "hours.md"],
             "Leave is 15 days [1].", "handbook.pdf"),
            ("How long does a refund take?", "ten days", "finance.md", ["handbook.pdf", "finance.md"],
             "A refund takes ten days [1].", "finance.md"),
            ("How long is probation?", "three months", "handbook.pdf", ["hours.md", "finance.md"], "", ""),
            ("When does the canteen open?", "", "", ["hours.md", "handbook.pdf"], "It opens at eleven [1].", "hours.md"),
        ],
    ),
    "evaluation.zh-CN.md": (
        {"员工手册.pdf": "年假为十五天。试用期三个月。", "财务.md": "报销十天到账。", "考勤.md": "十一点上班。"},
        [
            ("年假有几天？", "十五天", "员工手册.pdf", ["员工手册.pdf", "考勤.md"], "年假为十五天[1]。", "员工手册.pdf"),
            ("报销要多久？", "十天", "财务.md", ["员工手册.pdf", "财务.md"], "报销十天到账[1]。", "财务.md"),
            ("试用期多长？", "三个月", "员工手册.pdf", ["考勤.md", "财务.md"], "", ""),
            ("食堂几点开门？", "", "", ["考勤.md", "员工手册.pdf"], "十一点开门[1]。", "考勤.md"),
        ],
    ),
}  # fmt: skip


@dataclass
class Told:
    """A pipeline that finds and says what the example tells."""

    texts: dict[str, str]
    rows: dict[str, tuple[list[str], str, str]]
    llm = cast(Any, ScriptedLLM())
    settings = Settings(Path())

    def passage(self, name: str) -> Passage:
        text = self.texts[name]
        return Passage(Chunk(hash(name), name, 0, "", None, text, 0, len(text)), 1.0, 1, 1)

    def retrieve(
        self, question: str, history: Sequence[Turn] = (), *, withhold: Collection[str] = (), k: int = 10
    ) -> Retrieval:
        found = tuple(self.passage(name) for name in self.rows[question][0])
        return Retrieval(question, question, (), "en", found, 1.0, "", 0.1)

    def read(self, retrieval: Retrieval) -> list[Chunk]:
        return [passage.chunk for passage in retrieval.passages]

    def answered(self, retrieval: Retrieval) -> Answer:
        _, said, cited = self.rows[retrieval.question]
        notes = (Citation(1, self.passage(cited), self.texts[cited], 0, 0, 1.0),) if cited else ()
        return Answer(retrieval.question, said, (), notes, retrieval.passages, not said, "", "en")


@pytest.mark.parametrize("page", EXAMPLES)
def test_the_program_says_what_the_page_works_out(page: str) -> None:
    """Each of the ten values stands in the page as the program computes it, and the failed questions have its steps."""
    texts, rows = EXAMPLES[page]
    pipeline = Told(texts, {q: (found, said, cited) for q, _, _, found, said, cited in rows})
    asked = [
        Question(q, q, (gold,) if gold else (), (where,) if where else (), answerable=bool(gold))
        for q, gold, where, *_ in rows
    ]
    asking = Run(cast(Any, pipeline), lambda name: (Page(None, texts[name]),), answers=True)
    records = [asking.ask(question) for question in asked]
    measures = runner.summarise(records)
    told = dict(
        re.findall(r"^\| ([a-z0-9_@]+) \| (\d\.\d{3}) \|", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert len(told) == 10
    assert {name: f"{measures[name].value:.3f}" for name in told} == told
    assert [record.step for record in records] == ["", "", "not_retrieved", "wrongly_answered"]
