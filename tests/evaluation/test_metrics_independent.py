"""Every metric against an implementation that is not ours: trec_eval, torchmetrics' SQuAD, scikit-learn, SciPy."""

from __future__ import annotations

import random
import re
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import pytest
import pytrec_eval
from scipy import stats
from sklearn.metrics import cohen_kappa_score, precision_recall_fscore_support
from torchmetrics.functional.text import squad

from evaluation import metrics
from evaluation.judge import agreement
from evaluation.metrics import Score
from evaluation.record import Record, Said
from evaluation.runner import risk_coverage

WORDS = ["the", "a", "Cat", "sat,", "on", "mid-day", "U.S.", "mat", "3.5", "$5", "Paris", "of", "an", "(old)"]
SIGNS = "长江全长六千三百公里，流入东海。的是在有和"


def test_rankings_are_trec_evals() -> None:
    """hit, recall, reciprocal rank and nDCG of 200 random rankings are what NIST's trec_eval says of them."""
    dice, documents = random.Random(11), [f"d{n:02}" for n in range(40)]
    ours, runs, judged = {}, {}, {}
    for query in map(str, range(200)):
        ranked = dice.sample(documents, dice.randint(1, 10))
        relevant = dice.sample(documents, dice.randint(1, 14))
        ours[query] = metrics.retrieval_scores(ranked, relevant)
        runs[query] = {name: 1.0 / place for place, name in enumerate(ranked, start=1)}
        judged[query] = dict.fromkeys(relevant, 1)
    named = {
        "hit@1": "success_1", "hit@5": "success_5", "hit@10": "success_10", "recall@5": "recall_5",
        "recall@10": "recall_10", "mrr": "recip_rank", "ndcg@10": "ndcg_cut_10",
    }  # fmt: skip
    asked = {"success.1,5,10", "recall.5,10", "recip_rank", "ndcg_cut.10"}
    theirs = pytrec_eval.RelevanceEvaluator(judged, asked).evaluate(runs)
    for query, scores in ours.items():
        assert {theirs_name: scores[name].right for name, theirs_name in named.items()} == pytest.approx(
            {name: theirs[query][name] for name in named.values()}
        )


def squads(said: str, gold: list[str]) -> tuple[float, float]:
    """Exact match and F1, 0 to 1, of torchmetrics' SQuAD."""
    target: Any = [{"answers": {"answer_start": [0] * len(gold), "text": gold}, "id": "1"}]
    found = squad([{"prediction_text": said, "id": "1"}], target)
    return float(found["exact_match"]) / 100, float(found["f1"]) / 100


def test_english_answers_are_scored_as_in_squad() -> None:
    """On 300 random pairs F1 is SQuAD's to the last digit; exact match is, too, but where only punctuation is between words."""
    dice = random.Random(5)
    for _ in range(300):
        said = " ".join(dice.choices(WORDS, k=dice.randint(1, 5)))
        gold = [" ".join(dice.choices(WORDS, k=dice.randint(1, 5))) for _ in range(dice.randint(1, 3))]
        if {word.lower() for word in said.split()} <= {"a", "an", "the"}:
            continue  # nothing but articles: equal for SQuAD, nothing said for us
        exact, f1 = squads(said, gold)
        assert metrics.f1(said, gold) == pytest.approx(f1), (said, gold)
        assert metrics.exact_match(said, gold) >= exact, (said, gold)


@pytest.mark.parametrize(("said", "gold"), [("mid-day", "mid day"), ("３０", "30"), ("50 %", "５０％")])
def test_where_an_exact_match_is_kinder_than_squads(said: str, gold: str) -> None:
    """Hyphens and full-width signs are ways of writing: SQuAD's rule calls them wrong, ours does not."""
    assert metrics.exact_match(said, [gold]) and not squads(said, [gold])[0]


def cmrcs(said: str, gold: str) -> float:
    """F1 by the rules of CMRC 2018's own script: characters and whole Latin words, punctuation out, longest common substring."""

    def segments(text: str) -> list[str]:
        kept = re.sub(r"[^\w\s]", "", text.lower())
        return re.findall(r"[\u4e00-\u9fa5]|[^\W\u4e00-\u9fa5]+", kept)

    left, right = segments(said), segments(gold)
    common = SequenceMatcher(None, left, right, autojunk=False).find_longest_match().size
    if not common:
        return 0.0
    precision, recall = common / len(left), common / len(right)
    return 2 * precision * recall / (precision + recall)


def test_chinese_answers_are_scored_as_in_cmrc() -> None:
    """On 300 random pairs, mixed with Latin words and numbers, F1 is CMRC 2018's; the best of several answers counts."""
    dice = random.Random(6)
    parts = [*SIGNS, " LoRA ", " GPT ", "2018", "北京"]
    for _ in range(300):
        said, *gold = ("".join(dice.choices(parts, k=dice.randint(2, 9))) + dice.choice("江海") for _ in range(3))
        assert metrics.f1(said, gold) == pytest.approx(max(cmrcs(said, text) for text in gold)), (said, gold)


def test_refusals_are_scikit_learns() -> None:
    """Precision, recall and F1 of "refused" as the prediction of "unanswerable", over 500 random outcomes."""
    dice = random.Random(7)
    refused, answerable = ([dice.random() < share for _ in range(500)] for share in (0.4, 0.6))
    scores = [metrics.refusal_scores(r, a) for r, a in zip(refused, answerable, strict=True)]

    def value(name: str) -> float:
        measure = metrics.ratio([score[name] for score in scores if name in score])
        assert measure
        return measure.value

    unanswerable = [not a for a in answerable]
    precision, recall, f1, _ = precision_recall_fscore_support(unanswerable, refused, average="binary")
    found = [value(name) for name in ("refusal_precision", "refusal_recall", "refusal_f1")]
    assert found == pytest.approx([precision, recall, f1])
    assert value("false_refusal_rate") == pytest.approx(np.mean(np.array(refused)[np.array(answerable)]))


def test_intervals_are_scipys() -> None:
    """The percentile bootstrap of a mean, a median and a paired difference is SciPy's, but for the luck of the draw."""
    dice = np.random.default_rng(8)
    hits, seconds = (dice.random(300) < 0.7).astype(float), dice.gamma(2, 2, 300)
    after = np.clip(hits + (dice.random(300) < 0.1), 0, 1)

    def theirs(values: np.ndarray, statistic: Any) -> tuple[float, float]:
        found = stats.bootstrap((values,), statistic, n_resamples=2000, method="percentile", rng=dice)
        return found.confidence_interval.low, found.confidence_interval.high

    share, median = metrics.ratio([Score(h) for h in hits]), metrics.percentile(list(seconds), 50)
    assert share and median
    assert (share.low, share.high) == pytest.approx(theirs(hits, np.mean), abs=0.015)
    assert (median.low, median.high) == pytest.approx(theirs(seconds, np.median), abs=0.15)
    paired = metrics.paired_difference(list(zip(hits, after, strict=True)))
    assert paired == pytest.approx(theirs(after - hits, np.mean), abs=0.015)


def test_the_chance_of_luck_is_scipys() -> None:
    """The paired randomisation test over random pairs gives SciPy's two-sided permutation p, but for the luck of the draw."""
    dice = np.random.default_rng(9)
    for shift in (0.0, 0.1, 0.3):
        before, after = dice.random(60), dice.random(60) + shift
        found = stats.permutation_test(
            (before, after), lambda a, b, axis: np.mean(b - a, axis=axis), permutation_type="samples",
            vectorized=True, n_resamples=9999, rng=dice,
        )  # fmt: skip
        assert metrics.paired_p(list(zip(before, after, strict=True))) == pytest.approx(found.pvalue, abs=0.02)


def test_the_chance_among_several_metrics_is_between_its_bounds() -> None:
    """Westfall and Young's p are never below SciPy's for each metric alone, nor much above Bonferroni's."""
    dice = np.random.default_rng(10)
    differences = dice.normal(0.1, 1, size=(80, 6)) + dice.normal(0, 1, size=(80, 1))
    found = metrics.paired_ps(differences)
    for column, p in zip(differences.T, found, strict=True):
        alone = stats.permutation_test(
            (column,), np.mean, permutation_type="samples", vectorized=True, n_resamples=9999, rng=dice
        ).pvalue
        assert alone - 0.02 <= p <= min(1.0, 6 * alone) + 0.02


def test_kappa_is_scikit_learns() -> None:
    """Agreement with a judge beyond chance, on random verdicts."""
    dice = random.Random(12)
    pairs = [(dice.random() < 0.7, dice.random() < 0.6) for _ in range(200)]
    same, kappa = agreement(pairs)
    assert same == pytest.approx(np.mean([a == b for a, b in pairs]))
    assert kappa == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))


def test_the_risk_curve_is_the_roc_curve_told_otherwise() -> None:
    """What each strictness refuses of either kind, counted with NumPy over random probabilities."""
    dice = np.random.default_rng(13)
    p, answerable = dice.random(300).round(3), dice.random(300) < 0.7
    from evaluation.dataset import Question

    records = [
        Record(Question(str(n), "?", answerable=bool(a)), "en", said=Said("", "", "answer", float(c)))
        for n, (c, a) in enumerate(zip(p, answerable, strict=True))
    ]
    for point in risk_coverage(records):
        kept = p >= point.strictness
        assert point.coverage == pytest.approx(kept.mean())
        assert point.risk == pytest.approx((~answerable)[kept].mean() if kept.any() else 0)
        assert point.refusal_recall == pytest.approx((~kept)[~answerable].mean())
        assert point.false_refusal_rate == pytest.approx((~kept)[answerable].mean())
