"""Where a question went wrong: one step is blamed, the first one that explains it."""

from __future__ import annotations

from typing import Any

import pytest

from evaluation.steps import STEPS, Course, blame
from evaluation.words import STEPS as TOLD


@pytest.mark.parametrize(
    ("course", "step"),
    [
        ({}, ""),
        ({"right": True, "cited": True}, ""),
        ({"asked": False}, "not_asked"),
        ({"found": False, "indexed": False, "right": False}, "not_indexed"),
        ({"found": False, "right": False}, "not_retrieved"),
        ({"found": False, "refused": True}, "not_retrieved"),  # it was right to refuse what was shown
        ({"read": False, "right": False}, "cut"),
        ({"refused": True}, "wrongly_refused"),
        ({"right": False, "cited": False}, "not_used"),
        ({"right": True, "cited": False}, "wrongly_cited"),
        ({"answerable": False}, "wrongly_answered"),
        ({"answerable": False, "refused": True}, ""),
    ],
)
def test_the_first_step_that_explains_it_is_blamed(course: dict[str, Any], step: str) -> None:
    """A refusal without the passage is the search's fault, with it the check's; and so on down the pipeline."""
    assert blame(Course(**course)) == step


def test_every_step_has_its_words() -> None:
    """In both languages, a name and what it means."""
    assert set(TOLD) == set(STEPS)
    assert all(texts.keys() == {"zh", "en"} and all(map(all, texts.values())) for texts in TOLD.values())
