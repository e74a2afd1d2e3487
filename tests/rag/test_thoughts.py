"""A reasoning model's thoughts are no part of its answer."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import assume, given
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
        ("<think>one</think> <think>two</think> Fifteen.", "Fifteen."),
        ("Write <think> before it, and </think> behind.", "Write <think> before it, and </think> behind."),
        ("先写 <think> 再写。", "先写 <think> 再写。"),
        ("Fifteen or ten?</think>\n\nFifteen days.", "Fifteen days."),
        ("十五还是十？</think>十五天。", "十五天。"),
        ("<think>and so it goes on", ""),
        ("<think>", ""),
        ("a < b and <thin air>", "a < b and <thin air>"),
        ("ends with <thi", "ends with <thi"),
        ("", ""),
    ],
)
def test_thoughts_are_taken_out(said: str, answer: str) -> None:
    """What stands before the answer goes; marks behind its first word are words, and what only looks like a mark stays."""
    assert shown(said) == answer


def test_a_closing_mark_takes_nothing_back() -> None:
    """Where thoughts that nothing opened were shown before they ended, all that was said stays."""
    assert shown("Fifteen or ten?", "</think>", "Ten.") == "Fifteen or ten?</think>Ten."


@given(
    said=st.lists(st.sampled_from(["<think>", "</think>", "<", "think", ">", "年", "a", " "])).map("".join),
    cuts=st.lists(st.integers(0, 60)),
)
def test_pieces_make_no_difference(said: str, cuts: list[int]) -> None:
    """However an answer is cut into pieces, the same of it is shown, unless thoughts that nothing opened end in it."""
    assume("</think>" not in re.sub(r"^(\s*(<think>.*?)?</think>)*", "", said))
    ends = sorted({0, len(said), *(cut % (len(said) + 1) for cut in cuts)})
    pieces = [said[start:end] for start, end in pairwise(ends)]
    assert shown(*pieces) == shown(said)
