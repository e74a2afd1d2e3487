"""BM25 as the share of a question's weight."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.lexical import explained_shares, inverse_frequency
from rag.store import TermStatistics

THREE = TermStatistics(3, 4.0, {"leave": 1, "paid": 2, "the": 3})


def test_rare_words_weigh_more() -> None:
    """A word's weight is ln(1 + (N - df + ½) / (df + ½)): for 1 of 3 chunks ln(8/3), for an unknown word ln 8."""
    assert inverse_frequency("leave", THREE) == pytest.approx(log(8 / 3))
    assert inverse_frequency("unheard", THREE) == pytest.approx(log(8))
    assert inverse_frequency("the", THREE) > 0


def test_the_share_by_hand() -> None:
    """One word, once, in a chunk of mean length: tf·(k₁+1)/(tf+k₁) = 1, over the most, k₁+1 = 2.2."""
    assert explained_shares({"leave": 1.0}, {1: ["leave", "a", "b", "c"]}, THREE) == {1: pytest.approx(1 / 2.2)}


def test_a_long_chunk_counts_less() -> None:
    """Twice the mean length makes the share 1 / (1 + 1.2·1.75): k₁·(1 - b + b·2) = 2.1."""
    assert explained_shares({"leave": 1.0}, {1: ["leave", *"abcdefg"]}, THREE) == {1: pytest.approx(1 / 3.1)}


def test_a_word_that_no_chunk_holds_lowers_the_share() -> None:
    """A question about something unheard of is explained less, by just that word's weight."""
    chunk = {1: ["leave", "a", "b", "c"]}
    known, unknown = log(8 / 3), log(8)
    assert explained_shares({"leave": 1.0, "unheard": 1.0}, chunk, THREE)[1] == pytest.approx(
        known / (known + unknown) / 2.2
    )


def test_a_question_without_words_explains_nothing() -> None:
    """No terms and no chunks give shares of 0, not an error."""
    assert explained_shares({}, {1: ["a"]}, THREE) == {1: 0.0}
    assert explained_shares({"a": 1.0}, {1: []}, TermStatistics(0, 0.0, {})) == {1: 0.0}


WORD = st.sampled_from(["the", "leave", "paid", "税", "年假", "zzz"])


@given(st.lists(WORD, max_size=6), st.lists(WORD, max_size=40))
def test_the_share_lies_between_0_and_1(question: list[str], chunk: list[str]) -> None:
    """However long the chunk and however often a word is repeated, the share stays between 0 and 1."""
    share = explained_shares(dict.fromkeys(question, 1.0), {7: chunk}, THREE)[7]
    assert 0 <= share < 1
    assert (share > 0) == bool(set(question) & set(chunk))


def test_an_earlier_questions_word_counts_less() -> None:
    """A word of the conversation with weight 0.3 brings 0.3 of what it would bring in the question itself, of as much less."""
    chunk = {1: ["leave", "a", "b", "c"]}
    both = explained_shares({"leave": 0.3, "unheard": 1.0}, chunk, THREE)[1]
    known, unknown = 0.3 * inverse_frequency("leave", THREE), inverse_frequency("unheard", THREE)
    assert both == pytest.approx(known / (known + unknown) / 2.2)
