"""Search inside a document."""

from __future__ import annotations

import pytest

from rag.find import occurrences


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("Paid leave. LEAVE it.", "leave", ["leave", "LEAVE"]),
        ("ＬｏＲＡ 训练矩阵", "lora", ["ＬｏＲＡ"]),
        ("the ﬁrst file", "first", ["ﬁrst"]),
        ("Straße und strasse", "STRASSE", ["Straße", "strasse"]),
        ("年假十五天，年假另计", "年假", ["年假", "年假"]),
        ("aaaa", "aa", ["aa", "aa"]),
        ("anything", "  ", []),
        ("a", "ab", []),
    ],
)
def test_words_are_found_as_they_stand(text: str, words: str, found: list[str]) -> None:
    """Case, full width, ligatures and sharp s make no difference; what is marked is the text's own."""
    assert [text[start:end] for start, end in occurrences(text, words)] == found
