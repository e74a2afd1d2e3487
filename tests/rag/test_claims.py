"""Answers cut into claims with their markers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.claims import drafts, sentences


def texts(answer: str) -> list[str]:
    return [draft.text for draft in drafts(answer)[1]]


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ("It is new. It is fast! Is it? Yes.", ["It is new.", "It is fast!", "Is it?", "Yes."]),
        ("它很新。它很快！是吗？是的；对。", ["它很新。", "它很快！", "是吗？", "是的；", "对。"]),
        ("他说：“好。”然后走了。", ["他说：“好。”", "然后走了。"]),
        (
            "Dr. Smith paid 3.5 dollars, e.g. in the U.S. market. Done.",
            ["Dr. Smith paid 3.5 dollars, e.g. in the U.S. market.", "Done."],
        ),
        ("J. R. Lee et al. wrote it. See Fig. 3 vs. Fig. 4.", ["J. R. Lee et al. wrote it.", "See Fig. 3 vs. Fig. 4."]),
        ("准确率为 98.5%。版本是 2.0。", ["准确率为 98.5%。", "版本是 2.0。"]),
        ("Open https://example.org/a.b now. Go.", ["Open https://example.org/a.b now.", "Go."]),
        ("no full stop", ["no full stop"]),
        ("", []),
        ("。！\n ...", []),
    ],
)
def test_sentences_of_both_languages(answer: str, claims: list[str]) -> None:
    """Every sentence is a claim of its own; abbreviations, initials and decimals do not end one."""
    assert texts(answer) == claims


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ("- red\n* green\n• blue", ["red", "green", "blue"]),
        ("1. Install it.\n2. Run it.", ["Install it.", "Run it."]),
        ("1) Install\n12) Run", ["Install", "Run"]),
        ("1. 安装软件。\n2. 运行软件。", ["安装软件。", "运行软件。"]),
        ("1、安装软件\n2．运行软件", ["安装软件", "运行软件"]),
    ],
)
def test_a_list_item_is_a_claim_without_its_bullet(answer: str, claims: list[str]) -> None:
    """Each list item is a claim, and neither its bullet nor its number belongs to it."""
    assert texts(answer) == claims


def test_a_table_row_is_a_claim() -> None:
    """Each row of a table is a claim; the line under its head is none."""
    assert texts("| model | size |\n|---|:--|\n| A | 7B |") == ["| model | size |", "| A | 7B |"]


@pytest.mark.parametrize(
    ("marker", "numbers"),
    [
        ("[1]", (1,)),
        ("[1, 2]", (1, 2)),
        ("[1，2]", (1, 2)),
        ("【1】", (1,)),
        ("[^1]", (1,)),
        ("[编号1]", (1,)),
        ("[来源 2]", (2,)),
        ("[passage 3]", (3,)),
        ("[Source: 4]", (4,)),
        ("[99]", (99,)),
        ("[1][3]", (1, 3)),
        ("[2][2]", (2,)),
    ],
)
@pytest.mark.parametrize(
    "sentence", ["It is blue{}.", "It is blue.{}", "It is blue. {}", "它是蓝色的{}。", "它是蓝色的。{}"]
)
def test_markers_are_taken_out(sentence: str, marker: str, numbers: tuple[int, ...]) -> None:
    """However a model writes a marker, before or behind the full stop, the answer is clean and the number kept."""
    clean, claims = drafts(sentence.format(marker))
    assert clean == sentence.format("").strip()
    assert [claim.markers for claim in claims] == [numbers]


def test_each_marker_stays_with_its_sentence() -> None:
    """A marker behind a full stop belongs to the sentence before it, not to the next one."""
    _, claims = drafts("Red is warm. [1] Blue is cold [2]. Grey is neither.")
    assert [claim.markers for claim in claims] == [(1,), (2,), ()]
    _, claims = drafts("红色是暖色。[1]蓝色是冷色[2]。灰色都不是。")
    assert [claim.markers for claim in claims] == [(1,), (2,), ()]


@pytest.mark.parametrize("answer", ["See [RFC 2119].", "In [2023] it rained.", "x[i] is set.", "[注] 见下文。"])
def test_other_brackets_stay(answer: str) -> None:
    """Brackets that hold no passage number are part of the answer."""
    assert drafts(answer)[0] == answer


@pytest.mark.parametrize(
    "answer",
    [
        "The allowed range is [0, 100].",
        "An interval [5, 10] minutes long.",
        "见第[5]条和第[2]条的规定。",
        "Set arr[7] = 3 and arr[2] = 4.",
        "Read `arr[2]` first.",
        "取值范围为[0，100]。",
        "[99] of them came.",
        "It is x[2]y.",
    ],
)
def test_numbers_in_brackets_that_name_no_passage_stay(answer: str) -> None:
    """An interval, an index and a paragraph's number are part of the answer, where three passages were shown."""
    assert drafts(answer, 3)[0] == answer


@pytest.mark.parametrize(
    "answer", ["It is blue{}.", "It is blue. {}", "它是蓝色的{}，天也是。", "它是蓝色的。{}", "It is {} blue"]
)
def test_a_marker_of_few_passages(answer: str) -> None:
    """With three passages known, [2] is a marker wherever it stands by itself; [99] is none, and gone where a part ends."""
    assert drafts(answer.format("[2]"), 3)[1][0].markers == (2,)
    assert "[99]" not in drafts(answer.format("[99]"), 3)[0] or answer == "It is {} blue"


PIECES = st.sampled_from(
    [
        "Red is warm. ",
        "3.5 ",
        "它很新。",
        "[1]",
        " [2, 3]",
        "【4】",
        "\n",
        "\n- ",
        "1. ",
        "| a | b |\n",
        "|---|\n",
        "Dr. ",
        "“好。”",
        "...",
        "…",
        "[^9]",
        "x",
        " ",
        "(",
        "?!",
        "\f",
    ]
)


@given(st.lists(PIECES, max_size=15).map("".join) | st.text(max_size=60))
def test_claims_are_where_they_say(answer: str) -> None:
    """A claim's text is exactly what stands at its place in the answer shown, and claims follow one another."""
    clean, claims = drafts(answer)
    end = 0
    for claim in claims:
        assert claim.text == clean[claim.start : claim.end]
        assert claim.text == claim.text.strip() != ""
        assert claim.start >= end
        end = claim.end


@given(st.lists(PIECES, max_size=15).map("".join) | st.text(max_size=60))
def test_no_word_is_lost_between_sentences(text: str) -> None:
    """Every letter of a text is in one of its sentences, except where a line's number or bullet was."""
    pieces = sentences(text)
    outside = text
    for piece in reversed(pieces):
        outside = outside[: piece.start] + outside[piece.end :]
    assert not any(c.isalpha() for c in outside)
