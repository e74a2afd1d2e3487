"""Questions kept for measuring."""

from __future__ import annotations

from pathlib import Path

from evaluation.collected import COLLECTED, collect, sets_folder
from evaluation.dataset import load
from rag.types import Turn


def test_a_collected_question_is_part_of_a_set(tmp_path: Path) -> None:
    """What was collected loads as a question set, each question once, with its conversation."""
    before = (Turn("user", "什么是 LoRA？"), Turn("assistant", "低秩适配。"))
    assert collect(tmp_path, "default", "它省多少显存？", answers=["三分之二"], relevant=["a.md"], history=before)
    assert collect(tmp_path, "default", "Who won the cup?", answerable=False)
    assert not collect(tmp_path, "default", "Who won the cup?")
    first, second = load(sets_folder(tmp_path, "default") / COLLECTED)
    assert (first.question, first.answers, first.relevant, first.history) == (
        "它省多少显存？", ("三分之二",), ("a.md",), before,
    )  # fmt: skip
    assert (second.answerable, second.relevant) == (False, ())
