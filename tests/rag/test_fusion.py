"""What a chunk's meaning and words add up to."""

import pytest

from rag.fusion import fused, meaning, wording


def test_the_formula_by_hand() -> None:
    """0.3 of the whole, 0.7 of the best window, and λ times the share that is more than chance."""
    assert meaning(0.4, 0.6) == pytest.approx(0.54)
    assert fused(0.4, 0.6, 0.35, 0.8) == pytest.approx(0.54 + 0.8 * 0.25)


def test_a_few_common_words_are_worth_nothing() -> None:
    """A share that any text of the question's language has by chance lifts no passage over one in the other language."""
    assert wording(0.08) == 0 and fused(0.4, 0.4, 0.08, 0.8) < fused(0.41, 0.41, 0.0, 0.8)


@pytest.mark.parametrize("better", [(0.5, 0.6, 0.3), (0.4, 0.7, 0.3), (0.4, 0.6, 0.4)])
def test_more_of_anything_is_never_worse(better: tuple[float, float, float]) -> None:
    """The score grows with each of its parts."""
    assert fused(*better, 0.8) > fused(0.4, 0.6, 0.3, 0.8)
