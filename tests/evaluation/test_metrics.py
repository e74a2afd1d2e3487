"""The metrics against arithmetic done by hand, and against plain implementations written here."""

from __future__ import annotations

import math
import random
import string
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from evaluation import metrics
from evaluation.metrics import Place, Score
from rag.types import Answer, Chunk, Citation, Claim, Passage


def passage(document: str, *also: str, text: str = "text") -> Passage:
    return Passage(Chunk(1, document, 0, "", None, text, 0, len(text)), 1.0, 1, 1, also)


def answer(text: str = "yes", *, refused: bool = False, cited: tuple[Passage, ...] = (), claims: str = "") -> Answer:
    citations = tuple(Citation(n, where, "text", 0, 4, 1.0) for n, where in enumerate(cited, start=1))
    made = tuple(Claim("c", 0, 1, (), mark == "+") for mark in claims)
    return Answer("q", text, made, citations, cited, refused, "", "en")


# Rankings


def test_ranking_by_hand() -> None:
    """Each retrieval metric gives the value worked out on paper."""
    ranked, relevant = ["a", "b", "c", "d", "e", "f"], {"c", "f", "z"}
    assert metrics.hit(ranked, relevant, 1) == 0
    assert metrics.hit(ranked, relevant, 5) == 1
    assert metrics.reciprocal_rank(ranked, relevant) == pytest.approx(1 / 3)
    assert metrics.recall(ranked, relevant) == pytest.approx(2 / 3)  # c and f of c, f and z
    # DCG: c on place 3, 1/log2(4) = .5; f on place 6, 1/log2(7) = .3562; ideal: 1 + 1/log2(3) + 1/log2(4) = 2.1309
    assert metrics.ndcg(ranked, relevant) == pytest.approx(0.8562 / 2.1309, abs=1e-4)


def test_the_eleventh_place_counts_for_nothing() -> None:
    """A relevant document after the tenth place is not found."""
    ranked = [f"d{i}" for i in range(10)] + ["x"]
    assert {name: score.right for name, score in metrics.retrieval_scores(ranked, {"x"}).items()} == dict.fromkeys(
        ["hit@1", "hit@5", "hit@10", "mrr", "ndcg@10", "recall@5", "recall@10"], 0.0
    )


def test_rankings_agree_with_a_second_implementation() -> None:
    """On random rankings the metrics equal ones computed by the textbook's matrix form."""
    dice = random.Random(4)
    for _ in range(200):
        ranked = dice.sample(string.ascii_lowercase, 15)
        relevant = set(dice.sample(string.ascii_lowercase, dice.randint(1, 12)))
        gains = np.array([name in relevant for name in ranked[:10]], float)
        discounts = 1 / np.log2(np.arange(10) + 2)
        ideal = np.sort(np.r_[np.ones(len(relevant)), np.zeros(10)])[::-1][:10]
        assert metrics.ndcg(ranked, relevant) == pytest.approx(gains @ discounts / (ideal @ discounts))
        assert metrics.recall(ranked, relevant) == pytest.approx(gains.sum() / len(relevant))
        first = np.flatnonzero(gains)
        assert metrics.reciprocal_rank(ranked, relevant) == pytest.approx(1 / (first[0] + 1) if len(first) else 0)


def test_a_document_is_ranked_by_its_best_passage() -> None:
    """Several passages of one document take one place, the first's."""
    found = [passage("a"), passage("b"), passage("a"), passage("c")]
    assert metrics.rank_documents(found, {"c"}) == ["a", "b", "c"]


def test_a_passage_counts_for_every_document_with_its_text() -> None:
    """The relevant document is found where its text was listed under another's name, and copies push nobody down."""
    found = [passage("a", "b", "c"), passage("d")]
    assert metrics.rank_documents(found, {"c"}) == ["c", "d"]
    assert metrics.rank_documents(found, {"d"}) == ["a", "d"]
    assert metrics.rank_documents(found, {"b", "c"}) == ["b", "c", "d"]


# Answer texts


@pytest.mark.parametrize(
    ("text", "gold", "contained"),
    [
        ("It was １９９８ [1].", "1998", True),  # width
        ("THE RHINE flows", "the rhine", True),  # case
        ("共有288 条生产线。", "288条", True),  # spaces
        ("共有“二百八十八”条", "二百八十八条", True),  # punctuation
        ("in the U.S. today", "US", True),
        ("a twenty-first century", "twenty first", True),
        ("1,117,320,768 bytes", "1117320768", True),  # digit groups
        ("It costs 5 GB.", "5GB", True),
        ("in 2010", "10", False),  # part of a longer number
        ("about 3.5 times", "3", False),
        ("about 3.5 times", "5", False),
        ("35 times", "3.5", False),
        ("the party", "art", False),  # part of a longer word
        ("two tokens", "token", True),  # a plural
        ("tokenisation", "token", False),
        ("使用GPT模型", "gpt", True),  # no spaces around a word in Chinese
        ("Rhine", "The Rhine", True),
        ("written in C++", "++", True),
        ("written in C", "++", False),
        ("", "x", False),
        ("北京大学", "东京大学", False),
    ],
)
def test_gold_contained(text: str, gold: str, contained: bool) -> None:
    """A gold answer is recognised whatever its width, case, punctuation and spaces, but never inside another word."""
    assert metrics.gold_contained(text, [gold]) is contained


def test_footnote_marks_are_no_part_of_the_answer() -> None:
    """Taking the marks away leaves the sentence as it was written."""
    assert metrics.without_markers("共288条[1]。Yes [12].") == "共288条。Yes."


def test_exact_match_needs_the_whole_answer() -> None:
    """Exact match folds like gold_contained and ignores English articles, but allows no word more."""
    assert metrics.exact_match("The Scotland Act, 1998.", ["scotland act 1998"])
    assert not metrics.exact_match("It is the Scotland Act 1998", ["scotland act 1998"])
    assert metrics.exact_match("东西伯利亚。", ["x", "东西伯利亚"])


def test_english_f1_by_hand() -> None:
    """Words in any order, articles apart: 2 common of 3 said and 4 wanted is 2·2/(3+4)."""
    assert metrics.f1("the quick brown dog", ["a brown fox was quick"]) == pytest.approx(4 / 7)


def test_chinese_f1_by_hand() -> None:
    """Characters, their longest common run: 东西伯利亚 is 5 of 9 said and of 5 wanted, 2·5/(9+5)."""
    assert metrics.f1("他们住在东西伯利亚", ["东西伯利亚"]) == pytest.approx(10 / 14)
    # 生产 and 线 both occur, yet only the run of two counts: 2·2/(3+4)
    assert metrics.f1("生产线", ["生产的线"]) == pytest.approx(4 / 7)


def test_f1_takes_the_best_alternative_and_nothing_is_worth_nothing() -> None:
    """The nearest gold answer counts; an empty answer gets 0."""
    assert metrics.f1("tuition", ["学费", "tuition"]) == 1
    assert metrics.f1("", ["x"]) == metrics.f1("。", ["学费"]) == 0


def test_english_f1_agrees_with_squads_own_rules() -> None:
    """On random word lists F1 equals the rules of the SQuAD script, written out here."""

    def normal(text: str) -> list[str]:
        kept = "".join(c for c in text.lower() if c not in string.punctuation)
        return [word for word in kept.split() if word not in {"a", "an", "the"}]

    dice, words = random.Random(5), ["the", "Cat", "sat,", "on", "a", "mid-day", "U.S.", "mat", "3.5", "$5"]
    for _ in range(300):
        left, right = (" ".join(dice.choices(words, k=dice.randint(1, 6))) for _ in range(2))
        got, gold = normal(left), normal(right)
        common = sum((Counter(got) & Counter(gold)).values())
        precision, recall = (common / max(1, len(side)) for side in (got, gold))
        wanted = 2 * precision * recall / (precision + recall) if common else 0
        assert metrics.f1(left, [right]) == pytest.approx(wanted)


def test_a_refusal_is_a_wrong_answer() -> None:
    """What has no text scores nothing in any way."""
    scores = metrics.answer_scores(None, ["yes"], [["yes"]])
    assert {name: score.right for name, score in scores.items()} == {
        "gold_contained": 0, "exact_match": 0, "f1": 0, "all_parts": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "right"), [("2019年和2021年", 1), ("In 2019 and twenty-one", 1), ("仅2019年", 0), ("2021 was warm", 0)]
)
def test_every_part_must_be_said(text: str, right: float) -> None:
    """Where an answer has parts, each must stand in it, in one of its spellings."""
    assert metrics.answer_scores(text, (), [["2019"], ["2021", "twenty-one"]]) == {"all_parts": Score(right)}


# Citations and refusals


def cite(document: str, quote: str = "text", page: int | None = None, text: str = "text") -> Citation:
    found = passage(document, text=text)
    return Citation(1, replace(found, chunk=replace(found.chunk, page=page)), quote, 0, len(quote), 1.0)


def test_a_citation_is_right_only_where_the_answer_stands() -> None:
    """The right document at a wrong place is no footnote; where the gold is nowhere literal, the document decides."""
    holds, other = passage("d", text="it was 1998"), passage("d", text="elsewhere")
    literal, told = {"d": Place(literal=True)}, {"d": Place()}
    assert [metrics.holds_answer(found, literal, ["1998"]) for found in (holds, other)] == [True, False]
    assert metrics.holds_answer(other, told, ["1998"])
    assert not metrics.holds_answer(other, {"x": Place()}, ["1998"])
    assert not metrics.holds_answer(other, {}, [])


def test_citation_scores_by_hand() -> None:
    """Two of three right; they lead to one of two relevant documents; there is a right one."""
    scores = metrics.citation_scores(
        [cite("a"), cite("b"), cite("a")], [True, False, True], {"a": Place(), "z": Place()}, []
    )
    assert scores == {
        "citation_precision": Score(2, 3), "citation_recall": Score(0.5), "cited_right": Score(1),
        "citation_precision_document": Score(2, 3), "citation_recall_document": Score(0.5),
    }  # fmt: skip


def test_citations_at_page_and_span_by_hand() -> None:
    """Document, page and words are three questions: each citation is right at some of the levels."""
    places = {"a": Place(frozenset({3, 4}), literal=True), "z": Place(frozenset({1}), literal=True)}
    given = [
        cite("a", "it was 1998", 3),  # all three
        cite("a", "elsewhere", 4),  # the page, not the words
        cite("a", "it was 1998", 9),  # the words, on another page
        cite("b", "it was 1998", 3),  # another document
    ]
    scores = metrics.citation_scores(given, [True] * 3 + [False], places, ["1998"])
    shares = {name: tuple(score) for name, score in scores.items() if name.endswith(("document", "page", "span"))}
    assert shares == {
        "citation_precision_document": (3, 4), "citation_recall_document": (0.5, 1),
        "citation_precision_page": (2, 4), "citation_recall_page": (0.5, 1),
        "citation_precision_span": (2, 4), "citation_recall_span": (0.5, 1),
    }  # fmt: skip


def test_citations_of_a_question_without_answer_are_all_wrong() -> None:
    """They count in the precision of documents and nowhere else: there is no place that they could have named."""
    scores = metrics.citation_scores([cite("a", page=2)], [False], {}, [])
    assert scores == {name: Score(0, 1) for name in ("citation_precision", "citation_precision_document")}


def test_a_refusal_has_no_claims_to_judge() -> None:
    """Nothing of a refusal is supported or flagged."""
    assert metrics.claim_scores(answer(refused=True, claims="+")) == {}


def test_claims_by_hand() -> None:
    """Two supported claims of three."""
    assert metrics.claim_scores(answer(claims="++-")) == {
        "claims_supported": Score(2, 3),
        "claims_flagged": Score(1, 3),
    }


def test_refusal_metrics_by_hand() -> None:
    """6 refused unanswerable, 2 answered unanswerable, 3 refused answerable, 9 answered answerable questions."""
    outcomes = [(True, False)] * 6 + [(False, False)] * 2 + [(True, True)] * 3 + [(False, True)] * 9
    scores = [metrics.refusal_scores(refused, answerable) for refused, answerable in outcomes]

    def value(name: str) -> tuple[float, int]:
        measure = metrics.ratio([score[name] for score in scores if name in score])
        assert measure
        return pytest.approx(measure.value), measure.n

    assert value("refusal_recall") == (6 / 8, 8)
    assert value("false_refusal_rate") == (3 / 12, 12)
    assert value("refusal_precision") == (6 / 9, 9)
    assert value("refusal_f1") == (2 * 6 / (2 * 6 + 3 + 2), 11)  # 2·P·R/(P+R) = 12/17


# Intervals


def test_a_ratio_is_of_sums_not_of_means() -> None:
    """1 of 1 and 1 of 3 are 2 of 4, over 4 cases."""
    measure = metrics.ratio([Score(1, 1), Score(1, 3)])
    assert measure and (measure.value, measure.n) == (0.5, 4)


def test_without_cases_there_is_no_metric() -> None:
    """Nothing is reported where nothing was measured."""
    assert metrics.ratio([]) is None
    assert metrics.percentile([], 50) is None


def test_the_interval_is_the_binomials() -> None:
    """For 300 of 400 the bootstrap's interval is the normal one, .75 ± 1.96·sqrt(.75·.25/400), within .01."""
    measure = metrics.ratio([Score(1)] * 300 + [Score(0)] * 100)
    assert measure
    half = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    assert (measure.low, measure.high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.01)


def test_intervals_are_the_same_in_every_run() -> None:
    """The draws have a fixed seed."""
    scores = [Score(float(i % 3 == 0)) for i in range(50)]
    assert metrics.ratio(scores) == metrics.ratio(scores)


def test_percentiles_by_hand() -> None:
    """The median of 1 … 5 is 3, its 95th percentile 4.8, both inside their intervals."""
    median, late = metrics.percentile([5, 3, 1, 2, 4], 50), metrics.percentile([5, 3, 1, 2, 4], 95)
    assert median and late and median.value == 3 and late.value == pytest.approx(4.8)
    assert 1 <= median.low <= 3 <= median.high <= 5
