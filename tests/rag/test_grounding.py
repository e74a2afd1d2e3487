"""Claims checked against passages: what is cited, what is flagged, what counts as a refusal."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.grounding import ground, says_nothing
from rag.types import Citation, Claim, Passage
from tests.rag.stored import passage

LEAVE = "Every employee has 15 days of paid leave a year. Unused leave expires in March. Requests go to the team lead."
RENT = "The office rent is 9,000 euros a month. The lease ends in 2031."
MODEL = "OpenAI trained GPT-4 on text and images. The training took several months."
YEAR_LEAVE = "每位员工每年享有十五天带薪年假。未休完的年假在次年三月底失效。申请须交给组长。"


def no_meaning(claim: str, sentences: Sequence[str]) -> list[float]:
    raise AssertionError("both texts are in one language: words decide")


def check(
    answer: str, *passages: Passage, question: str = "What is it?", meaning: object = no_meaning
) -> tuple[str, tuple[Claim, ...], tuple[Citation, ...]]:
    return ground(question, answer, passages, [[p] for p in passages], meaning)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "answer", "quote"),
    [
        (RENT, "The office rent is 9,000 euros a month [1].", "The office rent is 9,000 euros a month."),
        (YEAR_LEAVE, "每位员工每年享有十五天带薪年假[1]。", "每位员工每年享有十五天带薪年假。"),
        (LEAVE, "Unused leave expires in March. [1]", "Unused leave expires in March."),
        (YEAR_LEAVE, "未休完的年假在次年三月底失效。", "未休完的年假在次年三月底失效。"),
    ],
)  # fmt: skip
def test_a_true_claim_is_cited_with_its_words(source: str, answer: str, quote: str) -> None:
    """A claim that the document states gets a footnote on exactly the words that state it."""
    page = "An earlier page.\f"
    text, claims, citations = check(answer, passage(source, start=len(page), page=2))
    assert [(claim.supported, claim.citations, claim.why) for claim in claims] == [(True, (1,), "")]
    assert [(c.n, c.quote, c.page) for c in citations] == [(1, quote, 2)]
    assert (page + source)[citations[0].start : citations[0].end] == quote
    assert "[" not in text


@pytest.mark.parametrize(
    ("source", "answer", "why"),
    [
        (LEAVE, "Every employee has 25 days of paid leave a year [1].", "numbers: 25"),
        (YEAR_LEAVE, "每位员工每年享有二十五天带薪年假[1]。", "numbers: 25"),
        (YEAR_LEAVE, "每位员工每年享有 20 天带薪年假[1]。", "numbers: 20"),
        ("公司员工共 3.5万 人。", "公司员工共 3.5亿 人。", "numbers: 350000000"),
        (MODEL, "OpenAI trained GPT-5 on text and images [1].", "numbers: 5"),
        (MODEL, "The company DeepMind trained it on text and images [1].", "names: deepmind"),
        ("模型由 OpenAI 训练。", "模型由 DeepMind 训练[1]。", "names: deepmind"),
        (LEAVE, "The cafeteria serves vegetarian lunch daily [1].", "words"),
        (YEAR_LEAVE, "食堂每天供应素食午餐[1]。", "words"),
    ],
)
def test_a_false_claim_is_flagged_with_why(source: str, answer: str, why: str) -> None:
    """A changed number, a changed name or an invented sentence is flagged, says why and gets no footnote."""
    _, claims, citations = check(answer, passage(source))
    assert [(claim.supported, claim.citations, claim.why) for claim in claims] == [(False, (), why)]
    assert citations == ()


@pytest.mark.parametrize(
    ("source", "answer"),
    [("每年享有十五天带薪年假。", "每年享有 15 天带薪年假。"), ("用户超过 3.5 亿。", "用户超过 3.5亿。"),
     ("There are three steps in the process.", "There are 3 steps in the process.")],
)  # fmt: skip
def test_a_number_written_otherwise_is_the_same_number(source: str, answer: str) -> None:
    """十五 vouches for 15, and "three" for 3."""
    _, claims, _ = check(answer, passage(source))
    assert claims[0].supported, claims[0].why


def test_a_missing_marker_is_added() -> None:
    """A true claim that the model did not mark gets its footnote from the passage that carries it."""
    _, claims, citations = check(
        "The lease ends in 2031.", passage(LEAVE, identity=1), passage(RENT, "b.md", identity=2)
    )
    assert claims[0].citations == (1,)
    assert citations[0].passage.chunk.document == "b.md"


def test_a_wrong_marker_is_corrected() -> None:
    """A marker on a passage that does not carry the claim is replaced by the one that does."""
    _, _, citations = check(
        "The lease ends in 2031 [1].", passage(LEAVE, identity=1), passage(RENT, "b.md", identity=2)
    )
    assert [c.passage.chunk.document for c in citations] == ["b.md"]


@pytest.mark.parametrize("marker", ["[99]", "[0]", "[2]", "【99】"])
def test_a_marker_of_no_passage_is_dropped(marker: str) -> None:
    """A number that no passage has is neither shown nor cited."""
    text, claims, citations = check(f"The lease ends in 2031 {marker}.", passage(RENT))
    assert text == "The lease ends in 2031."
    assert claims[0].citations == (1,) and [c.n for c in citations] == [1]


def test_of_two_equal_passages_the_marked_one_is_cited() -> None:
    """Where two documents say the same, the model's choice stands."""
    twins = passage(RENT, "a.md", identity=1), passage(RENT, "b.md", identity=2)
    for number, name in ((1, "a.md"), (2, "b.md")):
        _, _, citations = check(f"The lease ends in 2031 [{number}].", *twins)
        assert [c.passage.chunk.document for c in citations] == [name]


@pytest.mark.parametrize(
    ("claim", "source"),
    [("Every employee has 15 days of leave.", YEAR_LEAVE), ("每位员工有十五天年假。", LEAVE)],
)
@pytest.mark.parametrize(("similarity", "supported"), [(0.8, True), (0.1, False)])
def test_a_claim_in_the_other_language_is_judged_by_meaning(
    claim: str, source: str, similarity: float, supported: bool
) -> None:
    """Across languages the sentence nearest in meaning carries the claim, if it is near enough."""
    _, claims, citations = check(claim, passage(source), meaning=lambda c, s: [similarity] + [0.0] * (len(s) - 1))
    assert claims[0].supported is supported
    assert [c.support for c in citations] == ([pytest.approx(similarity + 0.1)] if supported else [])
    assert all(source.startswith(c.quote) for c in citations)


def test_meaning_does_not_excuse_a_wrong_number() -> None:
    """A translated claim with another number is flagged, however near in meaning it is."""
    _, claims, _ = check("Every employee has 20 days.", passage(YEAR_LEAVE), meaning=lambda c, s: [0.99] * len(s))
    assert (claims[0].supported, claims[0].why) == (False, "numbers: 20")


def test_only_the_unsupported_sentence_is_flagged() -> None:
    """In an answer of several sentences each stands for itself, and a claim's offsets are those of the answer shown."""
    text, claims, _ = check("The lease ends in 2031 [1]. Elephants own the building [1].", passage(RENT))
    assert [claim.supported for claim in claims] == [True, False]
    assert [text[claim.start : claim.end] for claim in claims] == [
        "The lease ends in 2031.",
        "Elephants own the building.",
    ]


def test_claims_on_the_same_words_share_a_footnote() -> None:
    """Two claims that one sentence carries point at one footnote, whose words hold both."""
    _, claims, citations = check("The lease ends in 2031. It is 2031 that the lease ends.", passage(RENT))
    assert [claim.citations for claim in claims] == [(1,), (1,)]
    assert [c.quote for c in citations] == ["The lease ends in 2031."]


def test_footnotes_are_numbered_as_they_appear() -> None:
    """Footnotes count 1, 2, … in the order of the answer, whatever numbers the passages had."""
    first, second = passage(LEAVE, identity=1), passage(RENT, "b.md", identity=2)
    _, claims, citations = check("The lease ends in 2031 [2]. Unused leave expires in March [1].", first, second)
    assert [claim.citations for claim in claims] == [(1,), (2,)]
    assert [c.passage.chunk.document for c in citations] == ["b.md", "a.md"]


def test_no_passages_support_nothing() -> None:
    """Without passages every claim is flagged, and nothing fails."""
    _, claims, citations = check("It is so. 的确如此。")
    assert [claim.supported for claim in claims] == [False, False] and citations == ()


@pytest.mark.parametrize(
    "answer",
    ["文档中没有提到这个问题。", "资料未提供相关信息。", "无法回答该问题。", "我不知道。",
     "The passages do not mention this.", "There is no information about it.", "I don't know.",
     "I cannot answer this from the text.", "It isn't specified."],
)  # fmt: skip
def test_a_model_that_gives_up_is_heard(answer: str) -> None:
    """An answer that only says the documents do not tell counts as none, in either language."""
    assert says_nothing(answer)


@pytest.mark.parametrize("answer", ["年假有十五天。", "The lease ends in 2031.", "Yes.", "是的。"])
def test_a_plain_answer_is_no_refusal(answer: str) -> None:
    """An answer that says something is not taken for a refusal."""
    assert not says_nothing(answer)
