"""A reasoning model's thoughts are no part of its answer."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.thoughts import Thoughts


def shown(*pieces: str) -> str:
    thoughts = Thoughts()
    return "".join(thoughts.without(piece) for piece in pieces) + thoughts.rest()


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("<think>\n嗯，十五还是十？\n</think>\n\n十五天。", "十五天。"),
        ("<think></think>Fifteen days.", "Fifteen days."),
        ("Fifteen<think>or ten?</think> days.", "Fifteen days."),
        ("<think>and so it goes on", ""),
        ("<think>", ""),
        ("a < b and <thin air>", "a < b and <thin air>"),
        ("ends with <thi", "ends with <thi"),
        ("", ""),
    ],
)
def test_thoughts_are_taken_out(said: str, answer: str) -> None:
    """A block goes with the blanks after it, one that never ends goes to the end, and what only looks like one stays."""
    assert shown(said) == answer


@given(
    said=st.lists(st.sampled_from(["<think>", "</think>", "<", "think", ">", "年", "a", " "])).map("".join),
    cuts=st.lists(st.integers(0, 60)),
)
def test_pieces_make_no_difference(said: str, cuts: list[int]) -> None:
    """However an answer is cut into pieces, the same of it is shown."""
    ends = sorted({0, len(said), *(cut % (len(said) + 1) for cut in cuts)})
    pieces = [said[start:end] for start, end in pairwise(ends)]
    assert shown(*pieces) == shown(said)
