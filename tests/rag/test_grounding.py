"""Claims checked against passages: what is cited, what is flagged, what counts as a refusal."""

from __future__ import annotations

import time
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
    [
        "文档中没有提到这个问题。",
        "资料未提供相关信息。",
        "无法回答该问题。",
        "我不知道。",
        "The passages do not mention this.",
        "There is no information about it.",
        "I don't know.",
        "I cannot answer this from the text.",
        "It isn't specified.",
        "The passages do not mention it.",
        "资料中没有提到。",
        "文中未说明。",
        "There is no information about parking in the passages.",
        "无法确定。",
        "根据资料无法回答。",
        "The text doesn’t specify the price.",
        "The price is not mentioned in the provided context.",
        "文档未涉及停车费。",
        "资料中没有关于停车的信息。",
        "The passages contain no information about it.",
        "It cannot be determined.",
        "The price cannot be determined from the text.",
        "根据现有资料，无法确定价格。",
        "信息不足，无法回答。",
        "价格未提及。",
    ],
)
def test_a_model_that_gives_up_is_heard(answer: str) -> None:
    """An answer that only says the documents do not tell counts as none, in either language."""
    assert says_nothing(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "年假有十五天。",
        "The lease ends in 2031.",
        "Yes.",
        "是的。",
        "Documents must not be shared without approval.",
        "文档未经批准不得外传。",
        "个人信息未经同意不得公开。",
        "The source code is not public.",
        "The text field is not required.",
        "信息不足时，应联系客服。",
        "员工不知道密码时应联系IT部门。",
        "The document must not contain personal data.",
        "Free parking is not provided.",
        "No information is shared with third parties.",
        "公司未提供班车。",
        "病因无法确定。",
        "The cause cannot be determined.",
    ],
)
def test_a_plain_answer_is_no_refusal(answer: str) -> None:
    """An answer that says something is not taken for a refusal."""
    assert not says_nothing(answer)


@pytest.mark.parametrize(
    ("question", "answer", "source", "why"),
    [
        ("北京大学的校长是谁？", "北京大学的校长是张文宏。", "张文宏是华山医院的医生。北京大学在北京，校长是龚旗煌。", "words"),
        ("北京大学的校长是谁？", "北京大学的校长是张文宏。", "北京大学的校长是龚旗煌。", "words"),
        ("Who runs the harbour office?", "Dr. Weber runs the harbour office.", "It is run by Ms Lang.", "names: weber"),
        ("What is the lease for?", "The lease is for the garage.", "The lease is for the office on Main Street.", "words"),
    ],
)  # fmt: skip
def test_the_frame_of_the_question_supports_no_answer(question: str, answer: str, source: str, why: str) -> None:
    """Where all but the answer itself comes from the question, the answer has to be there, beside what was asked."""
    _, claims, _ = check(answer, passage(source), question=question)
    assert (claims[0].supported, claims[0].why) == (False, why)


@pytest.mark.parametrize(
    ("question", "answer", "source"),
    [("北京大学的校长是谁？", "北京大学的校长是龚旗煌。", "北京大学在北京。北京大学的校长是龚旗煌。"),
     ("北京大学的校长是谁？", "龚旗煌", "北京大学在北京。北京大学的校长是龚旗煌。"),
     ("Who runs the harbour office?", "Ms Lang runs the harbour office.", "Ms Lang runs the harbour office."),
     ("Who runs the harbour office?", "Lang.", "The harbour office has six rooms and is run by Ms Lang.")],
)  # fmt: skip
def test_the_right_answer_is_enough(question: str, answer: str, source: str) -> None:
    """The right answer is supported, as a sentence and alone."""
    _, claims, citations = check(answer, passage(source), question=question)
    assert claims[0].supported and citations, claims[0].why


@pytest.mark.parametrize(
    ("source", "answer", "why"),
    [
        ("The road is 5 km long.", "The road is 5 kg long.", "units: 5 kg"),
        ("这条路长5公里。", "这条路长5公斤。", "units: 5 kg"),
        ("The share of women is 40%.", "The share of women is 40 km.", "units: 40 km"),
        ("The fee is 300 dollars a year.", "The fee is 300 euros a year.", "units: 300 eur"),
        ("合同于2021年3月5日签订。", "合同于2021年5月3日签订。", "dates: 2021-05-03"),
        ("The contract of March 5, 2021 ends in April.", "The contract of April 5, 2021 ends.", "dates: 2021-04-05"),
        ("In 2021 rule 5 has 3 parts.", "Rule 5 of March 5, 2021 has parts.", "dates: 2021-03-05"),
        ("The firm grew in the 1980s.", "The firm grew in the 1990s.", "dates: 1990s"),
        ("Guests may park in the yard.", "Guests may not park in the yard.", "negation"),
        ("The lease does not include parking.", "The lease does include parking.", "negation"),
        ("员工可以在家办公。", "员工不可以在家办公。", "negation"),
        ("合同并不包括停车位。", "合同包括停车位。", "negation"),
        ("All rooms have windows.", "No rooms have windows.", "negation"),
        ("「唐」并非指朝代，而是泛称。", "「唐」指朝代。", "negation"),
        ("These are the most powerful drugs.", "These are the least powerful drugs.", "negation"),
    ],
)
def test_a_contradiction_says_what_is_wrong(source: str, answer: str, why: str) -> None:
    """Another unit, another date or a denial is unsupported however many words agree, and the reason names it."""
    _, claims, _ = check(answer, passage(source))
    assert (claims[0].supported, claims[0].why) == (False, why)


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("合同于2021年3月5日签订。", "合同于 2021-03-05 签订。"),
        ("The contract was signed on 5 March 2021.", "The contract was signed on March 5, 2021."),
        (
            "The two contracts of 2021 were signed on March 5 and May 7.",
            "One of the contracts was signed on March 5, 2021.",
        ),
        ("The road is 5 kilometres long.", "The road is 5 km long."),
        ("The road is 5 to 10 km long.", "The road is 5 km to 10 km long."),
        ("比例为百分之四十。", "比例为 40%。"),
        ("The firm grew in 1985.", "The firm grew in the 1980s."),
        ("The region has five million people.", "The region has 5 million people."),
        ("Guests may not park in the yard.", "Guests may not park in the yard."),
        ("合同不仅包括停车位，还包括车库。", "合同包括停车位。"),
        ("Dogs are prohibited in the yard.", "Dogs are not allowed, they are prohibited in the yard."),
        ("The bridge was taken in September 1760.", "The bridge was not taken until September 1760."),
    ],
)
def test_the_same_said_otherwise_is_no_contradiction(source: str, answer: str) -> None:
    """Units, dates and numbers in another spelling, and a negation on both sides, agree."""
    _, claims, _ = check(answer, passage(source))
    assert claims[0].supported, claims[0].why


@pytest.mark.parametrize(
    ("ours", "theirs", "answer"),
    [
        (LEAVE, "Every employee has 20 days of paid leave a year.", "Every employee has 15 days of paid leave a year."),
        (YEAR_LEAVE, "每位员工每年享有二十天带薪年假。", "每位员工每年享有十五天带薪年假。"),
        ("合同于2021年3月5日签订。", "合同于2021年4月5日签订。", "合同于2021年3月5日签订。"),
        ("Guests may park in the yard.", "Guests may not park in the yard.", "Guests may park in the yard."),
    ],
)
def test_another_document_that_says_otherwise_is_shown(ours: str, theirs: str, answer: str) -> None:
    """Two documents that differ in one number, date or denial are both footnotes, and the claim tells which disputes it."""
    _, claims, citations = check(answer, passage(ours, "a.md", identity=1), passage(theirs, "b.md", identity=2))
    assert (claims[0].supported, claims[0].citations, claims[0].disputed) == (True, (1,), (2,))
    assert claims[0].why == "disputed: [2]"
    assert [(c.n, c.passage.chunk.document) for c in citations] == [(1, "a.md"), (2, "b.md")]
    assert citations[1].quote == theirs


@pytest.mark.parametrize(
    "theirs",
    [
        "Every employee has 15 days of paid leave a year.",
        "Every trainee in Lisbon gets 20 days of unpaid holiday there.",
        "In 2024 every employee had 20 days of paid leave a year.",
        "Every employee has 20 desks of paid leave a year, 3 chairs and 4 lamps in the hall downstairs.",
        "每位员工每年享有二十天带薪年假。",
    ],
)
def test_what_speaks_of_something_else_disputes_nothing(theirs: str) -> None:
    """The same number, another subject, another year or another language is no dispute."""
    _, claims, _ = check(
        "Every employee has 15 days of paid leave a year.",
        passage(LEAVE, "a.md", identity=1),
        passage(theirs, "b.md", identity=2),
        meaning=lambda c, s: [0.0] * len(s),
    )
    assert claims[0].supported and claims[0].disputed == ()


def test_one_document_does_not_dispute_itself() -> None:
    """Two sentences of one document are two things, and so are figures under headings of different years."""
    twice = "Every employee has 15 days of paid leave a year. Every employee has 20 days of paid leave a year."
    answer = "Every employee has 15 days of paid leave a year."
    assert check(answer, passage(twice))[1][0].disputed == ()
    other = passage("Every employee has 20 days of paid leave a year.", "b.md", identity=2, heading="Rules 2024")
    assert check(answer, passage(LEAVE, "a.md", identity=1, heading="Rules 2023"), other)[1][0].disputed == ()


@pytest.mark.parametrize(
    ("opinion", "supported", "why"), [(-0.9, False, "contradicted"), (0.0, True, ""), (0.9, True, "")]
)
def test_a_second_opinion_can_take_support_away(opinion: float, supported: bool, why: str) -> None:
    """A claim that the rules support falls where the second reader is sure of a contradiction."""
    heard = []

    def second(claim: str, quote: str) -> float:
        heard.append((claim, quote))
        return opinion

    _, claims, _ = ground("What is it?", "The lease ends in 2031.", [passage(RENT)], [], no_meaning, second)
    assert (claims[0].supported, claims[0].why) == (supported, why)
    assert heard == [("The lease ends in 2031.", "The lease ends in 2031.")]


@pytest.mark.parametrize(
    ("answer", "supported"), [("The contract runs out in 2031.", True), ("The contract runs out in 2032.", False)]
)
def test_a_second_opinion_gives_only_words(answer: str, supported: bool) -> None:
    """It may support what is said in other words, never a number that is not there."""
    _, claims, _ = ground("What is it?", answer, [passage(RENT)], [], no_meaning, lambda claim, quote: 0.9)
    assert claims[0].supported is supported


@pytest.mark.parametrize("answer", ["", " \n", "[1]", "【编号1】", "**", "|---|---|", "……"])
def test_an_answer_without_words_has_no_claims(answer: str) -> None:
    """Markers, rules and punctuation alone are no claim, and nothing fails."""
    _, claims, citations = check(answer, passage(RENT))
    assert claims == () and citations == ()


def test_tables_lists_and_bold_are_checked_row_by_row() -> None:
    """Each row and item stands for itself; bold marks change nothing."""
    answer = "**The lease ends in 2031.**\n- The office rent is **9,000 euros** a month [1]\n- The office rent is 8,000 euros\n"
    _, claims, _ = check(answer, passage(RENT))
    assert [claim.supported for claim in claims] == [True, True, False]
    table = "| year | lease ends |\n|---|---|\n| 2031 | office lease |\n| 2041 | office lease |"
    _, claims, _ = check(table, passage(RENT))
    assert [claim.supported for claim in claims][1:] == [True, False]


def test_the_check_is_quick() -> None:
    """Three sentences over four full passages take far less than a reader notices."""
    text = " ".join(
        f"Room {i} of the office on floor {i % 7} has {i + 3} desks and a view of the river." for i in range(14)
    )
    passages = [passage(text, f"{n}.md", identity=n) for n in range(1, 5)]
    answer = " ".join(f"Room {i} of the office has {i + 3} desks [1]." for i in (2, 5, 9))
    check(answer, *passages)
    began = time.perf_counter()
    check(answer, *passages)
    assert time.perf_counter() - began < 0.5  # ten times what it takes on an idle core


@pytest.mark.parametrize(
    ("question", "source", "answer"),
    [
        ("公司有几个部门？", "公司有五个部门。", "公司有三个部门。"),
        ("试用期多长？", "试用期为六个月。", "试用期为三个月。"),
        ("何时开会？", "每周五开会。", "每周三开会。"),
        ("何时开会？", "星期四开会。", "星期二开会。"),
        ("多少人同意？", "三分之一的员工同意。", "三分之二的员工同意。"),
        ("How many agree?", "One third agrees.", "Two thirds agree."),
        ("How long is the probation?", "The probation lasts six months.", "The probation lasts three months."),
        ("How long is the probation?", "试用期为六个月。", "The probation lasts three months."),
        ("试用期多长？", "The probation lasts six months.", "试用期为三个月。"),
    ],
)
def test_a_small_number_counts_as_well(question: str, source: str, answer: str) -> None:
    """Numbers written as one numeral or one word are looked for, in either language and across them."""
    _, claims, _ = check(answer, passage(source), question=question, meaning=lambda c, s: [0.9] * len(s))
    assert not claims[0].supported and claims[0].why.startswith("numbers: ")


@pytest.mark.parametrize(
    ("question", "source", "answer"),
    [
        ("试用期多长？", "The probation lasts three months.", "试用期为三个月。"),
        ("How long is the probation?", "试用期为三个月。", "The probation lasts three months."),
        ("How long is the probation?", "The probation lasts 3 months.", "The probation lasts three months."),
        ("公司有几个部门？", "公司有5个部门。", "公司有五个部门。"),
        ("何时开会？", "公司在每周三开会。", "每周三开会。"),
    ],
)
def test_a_right_small_number_is_supported(question: str, source: str, answer: str) -> None:
    """The same small number in digits, words or the other language supports the claim."""
    _, claims, _ = check(answer, passage(source), question=question, meaning=lambda c, s: [0.9] * len(s))
    assert claims[0].supported, claims[0].why


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("员工不得在外兼职。", "员工可以在外兼职。"),
        ("严禁员工在外兼职。", "员工可以在外兼职。"),
        ("员工可以兼职。", "员工不能兼职。"),
        ("办公室内请勿吸烟。", "办公室内允许吸烟。"),
        ("访客谢绝入内。", "访客可以入内。"),
        ("Smoking is prohibited in the office.", "Smoking is allowed in the office."),
        ("Parking in the yard is forbidden.", "Parking in the yard is allowed."),
        ("It is illegal to fish in the lake.", "It is legal to fish in the lake."),
        ("Guests may park in the yard.", "Guests are banned from parking in the yard."),
        ("员工不得在外兼职。", "Employees may work elsewhere."),
        ("Employees must not work elsewhere.", "员工可以在外兼职。"),
        ("订金在付款前3天退还。", "订金在付款后3天退还。"),
        ("The deposit is returned 3 days before payment.", "The deposit is returned 3 days after payment."),
        ("仓库位于园区内。", "仓库位于园区外。"),
    ],
)
def test_what_is_forbidden_is_not_permitted(source: str, answer: str) -> None:
    """A ban contradicts a permission, in one language and across both, and so do the two sides of the same event."""
    _, claims, _ = check(answer, passage(source), meaning=lambda c, s: [0.9] * len(s))
    assert (claims[0].supported, claims[0].why) == (False, "negation")


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("员工不得在外兼职。", "员工不得在外兼职。"),
        ("员工不得擅自泄露商业秘密。", "员工不得泄露商业秘密。"),
        ("船长不得不返航。", "船长不得不返航。"),
        ("员工不得在外兼职，但可以在外授课。", "员工可以在外授课。"),
        ("Smoking is prohibited in the office.", "Smoking is not allowed in the office."),
        ("Smoking is forbidden in the office.", "In the office smoking is prohibited in the office."),
        ("The sale of alcohol is prohibited by law.", "The law prohibits the sale of alcohol."),
        ("员工不得在外兼职。", "Employees must not work elsewhere."),
        ("订金在付款前3天退还，余款在付款后3天退还。", "订金在付款前3天退还。"),
    ],
)
def test_a_ban_in_other_words_is_no_contradiction(source: str, answer: str) -> None:
    """The same ban said otherwise, a forced act and a permission beside a ban stay supported."""
    _, claims, _ = check(answer, passage(source), meaning=lambda c, s: [0.9] * len(s))
    assert claims[0].why != "negation"


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("The train leaves at 18:15.", "The train leaves at 15:18."),
        ("列车18:15出发。", "列车15:18出发。"),
        ("客队以3比2获胜。", "客队以2比3获胜。"),
        ("It needs Python 3.10 to run.", "It needs Python 3.1 to run."),
        ("运行需要 Python 3.10。", "运行需要 Python 3.1。"),
        ("The cold store is kept at -5 °C.", "The cold store is kept at 5 °C."),
        ("冷库温度为零下5摄氏度。", "冷库温度为5摄氏度。"),
        ("冷库温度为5℃。", "冷库温度为-5℃。"),
        ("A majority of 1/3 is needed.", "A majority of 2/3 is needed."),
        ("The fee is $100.", "The fee is ¥100."),
        ("费用为￥100。", "费用为$100。"),
        ("每周开会至少5次。", "每周开会至多5次。"),
        ("押金不低于500元。", "押金不超过500元。"),
        ("18岁以上的访客须登记。", "18岁以下的访客须登记。"),
        ("须在3天以内付款。", "须在3天以外付款。"),
        ("Guests must stay at least 5 days.", "Guests must stay at most 5 days."),
        ("The fee is more than 500 euros.", "The fee is less than 500 euros."),
        ("The temperature stays above 20 degrees.", "The temperature stays below 20 degrees."),
    ],
)
def test_order_sign_form_and_bound_of_a_number_matter(source: str, answer: str) -> None:
    """The same digits in another order, with another sign or currency, as another version or another bound are wrong."""
    _, claims, _ = check(answer, passage(source))
    assert not claims[0].supported and claims[0].why.split(":")[0] in {"numbers", "units", "negation"}


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("The train leaves at 18:15.", "The train leaves at 18:15."),
        ("It needs Python 3.10 to run.", "It needs Python 3.10 to run."),
        ("The cold store is kept at -5 °C.", "The cold store is kept at minus 5 °C."),
        ("冷库温度为零下5摄氏度。", "冷库温度为-5℃。"),
        ("The shift lasts 5-10 hours.", "The shift lasts 5 to 10 hours."),
        ("费用为100元。", "费用为￥100。"),
        ("The fee is 2.50 euros.", "The fee is 2.5 euros."),
        ("押金不低于500元。", "押金至少500元。"),
        ("Guests must stay no less than 5 days.", "Guests must stay at least 5 days."),
        ("须在3天以内付款。", "须在3天之内付款。"),
    ],
)
def test_the_same_number_in_another_form_is_supported(source: str, answer: str) -> None:
    """A sign, a range, a currency and a bound said otherwise agree."""
    _, claims, _ = check(answer, passage(source))
    assert claims[0].supported, claims[0].why


@pytest.mark.parametrize(
    ("question", "source", "answer", "quote"),
    [
        (
            "员工有几天年假？",
            "員工手冊。正式員工每年享有帶薪年假十五天。產假另有規定。",
            "正式员工每年享有带薪年假15天。",
            "正式員工每年享有帶薪年假十五天。",
        ),
        (
            "員工有幾天年假？",
            "员工手册。正式员工每年享有带薪年假十五天。产假另有规定。",
            "正式員工每年享有帶薪年假十五天。",
            "正式员工每年享有带薪年假十五天。",
        ),
        (
            "可以带宠物吗？",
            "本樓規定：沒有書面許可，租戶不得飼養寵物。",
            "没有书面许可，租户不得饲养宠物。",
            "本樓規定：沒有書面許可，租戶不得飼養寵物。",
        ),
        ("去年的销售额？", "去年的銷售額為三萬五千元。", "去年的销售额为35000元。", "去年的銷售額為三萬五千元。"),
    ],
)
def test_the_other_script_carries_a_claim(question: str, source: str, answer: str, quote: str) -> None:
    """Simplified and traditional Chinese are one language: the quote is what stands in the passage, at its place."""
    found = passage(source, start=100)
    _, claims, citations = ground(question, answer, [found], [[found]], no_meaning)
    assert [claim.supported for claim in claims] == [True] and claims[0].text == answer
    assert citations[0].quote == quote
    assert source[citations[0].start - 100 : citations[0].end - 100] == quote


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("租戶不得飼養寵物。", "租户可以饲养宠物。"),
        ("去年的銷售額為三萬五千元。", "去年的销售额为36000元。"),
        ("員工沒有加班費。", "员工有加班费。"),
    ],
)
def test_the_other_script_excuses_no_false_claim(source: str, answer: str) -> None:
    """A number, a ban or a denial in traditional characters speaks against a simplified claim as in one script."""
    found = passage(source)
    _, claims, _ = ground("", answer, [found], [[found]], no_meaning)
    assert not any(claim.supported for claim in claims)


def test_giving_up_is_heard_in_traditional_characters() -> None:
    """An answer that says that the passages tell nothing is a refusal in either script."""
    assert says_nothing("資料中沒有提到這個問題。") and not says_nothing("資料顯示租金為九千元。")
