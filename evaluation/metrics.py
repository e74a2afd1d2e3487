"""The metrics: pure functions over rankings, texts and counts.

A metric over a question set is a ratio of sums: every question brings a Score, what it got right and what there was
to get right. Its interval comes from drawing the questions again with replacement (Efron's percentile bootstrap).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rag.text import CJK_CHARACTER, normalise
from rag.types import Answer, Citation, Passage

DEPTH = 10
_RESAMPLES = 1000
_SIGNS, _SIGNS_AT_ONCE = 10_000, 1000
_SEED = 0

_MARKER = re.compile(r"\s?\[\d{1,3}\]")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# Letters of alphabets that put spaces between words; any other letter stands for itself, without a word's border.
_LETTER = "a-z\u00df-\u024f\u0370-\u052f\u1e00-\u1fff"
_WORD = re.compile(rf"\d+(?:[.,]\d+)*|[{_LETTER}]+|[^\W_]")
_ARTICLES = {"a", "an", "the"}
_SHORT = 20  # words, numbers and CJK characters


class Score(NamedTuple):
    """What one question got right, and out of how much."""

    right: float
    of: float = 1.0


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric over ``n`` cases with the 95 % interval from ``low`` to ``high``."""

    value: float
    low: float
    high: float
    n: int


# Rankings


def rank_documents(passages: Sequence[Passage], relevant: Collection[str]) -> list[str]:
    """Documents by their best passage, best first, none twice.

    A passage whose text stands in several documents counts for each of them but takes one place: that of the relevant
    ones among them, else that of its first.
    """
    ranked: dict[str, None] = {}
    seen: set[str] = set()
    for passage in passages:
        new = [name for name in passage.documents if name not in seen]
        seen.update(new)
        ranked.update(dict.fromkeys([name for name in new if name in relevant] or new[:1]))
    return list(ranked)


def hit(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """1 where a relevant document is among the first ``k``, else 0."""
    return float(any(name in relevant for name in ranked[:k]))


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str]) -> float:
    """1 / the place of the first relevant document among the first ten, 0 where there is none."""
    return next((1 / place for place, name in enumerate(ranked[:DEPTH], start=1) if name in relevant), 0.0)


def recall(ranked: Sequence[str], relevant: Collection[str], k: int = DEPTH) -> float:
    """The share of the relevant documents that is among the first ``k``."""
    return len(set(ranked[:k]) & set(relevant)) / len(set(relevant))


def ndcg(ranked: Sequence[str], relevant: Collection[str], k: int = DEPTH) -> float:
    """Normalised discounted cumulative gain with gain 1 for a relevant document (Järvelin and Kekäläinen 2002)."""
    gain = sum(1 / math.log2(place + 1) for place, name in enumerate(ranked[:k], start=1) if name in relevant)
    ideal = sum(1 / math.log2(place + 1) for place in range(1, min(k, len(set(relevant))) + 1))
    return gain / ideal


def retrieval_scores(ranked: Sequence[str], relevant: Collection[str]) -> dict[str, Score]:
    """Every retrieval metric of one question that has relevant documents."""
    return {
        "hit@1": Score(hit(ranked, relevant, 1)),
        "hit@5": Score(hit(ranked, relevant, 5)),
        "hit@10": Score(hit(ranked, relevant, 10)),
        "mrr": Score(reciprocal_rank(ranked, relevant)),
        "ndcg@10": Score(ndcg(ranked, relevant)),
        "recall@5": Score(recall(ranked, relevant, 5)),
        "recall@10": Score(recall(ranked, relevant)),
    }


# Answer texts


def without_markers(text: str) -> str:
    """The answer without its footnote marks ``[n]``."""
    return _MARKER.sub("", text)


def fold(text: str) -> list[str]:
    """Words, numbers and single CJK characters in order: width, case, punctuation, spaces, digit groups folded away."""
    return _WORD.findall(_folded(text))


def gold_contained(text: str, answers: Sequence[str]) -> bool:
    """Whether one of the gold answers stands in the text, both folded.

    A number must be the whole number (10 is not in 2010), a word a whole word or its plural (art is not in party);
    between characters that are written without spaces there are no such borders.
    """
    folded = _folded(text)
    return any(_stands_in(answer, folded) for answer in answers)


def exact_match(text: str, answers: Sequence[str]) -> bool:
    """Whether the text is one of the gold answers, both folded and without English articles."""
    return any(_no_articles(fold(text)) == _no_articles(fold(answer)) for answer in answers)


def f1(text: str, answers: Sequence[str]) -> float:
    """The best F1 against a gold answer, 0 to 1.

    A gold answer with CJK characters is scored as in CMRC 2018 (characters, and whole Latin words and numbers; the
    longest common run of them), any other as in SQuAD (words in any order, without articles).
    """
    return max((_f1(text, answer) for answer in answers), default=0.0)


def _f1(text: str, answer: str) -> float:
    if CJK_CHARACTER.search(answer):
        got, gold = fold(text), fold(answer)
        common = _longest_common_run(got, gold)
    else:
        got, gold = _squad_words(text), _squad_words(answer)
        common = sum((Counter(got) & Counter(gold)).values())
    return 2 * common / (len(got) + len(gold)) if common else 0.0


def _squad_words(text: str) -> list[str]:
    # SQuAD takes punctuation out without putting a space there: "U.S." is "us", "mid-week" is "midweek".
    return _no_articles(re.sub(r"[^\w\s]|_", "", normalise(text)).split())


def _longest_common_run(left: Sequence[str], right: Sequence[str]) -> int:
    longest, previous = 0, [0] * (len(right) + 1)
    for item in left:
        current = [0] * (len(right) + 1)
        for j, other in enumerate(right):
            if item == other:
                current[j + 1] = previous[j] + 1
        longest, previous = max(longest, *current), current
    return longest


def _folded(text: str) -> str:
    return _GROUPED.sub("", normalise(text))


def _no_articles(words: Sequence[str]) -> list[str]:
    return [word for word in words if word not in _ARTICLES]


def _stands_in(answer: str, folded: str) -> bool:
    words = fold(answer)
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    if not words:  # nothing but signs, such as "++"
        return normalise(answer).strip() in folded
    body = r"[\W_]*".join(map(_spelled, words))
    return re.search(_border_before(words[0]) + body + _border_after(words[-1]), folded) is not None


def _spelled(word: str) -> str:
    # "US" is also written "U.S."; a point between digits is part of the number.
    return re.escape(word) if word[0].isdecimal() else r"\.?".join(word)


def _border_before(word: str) -> str:
    if word[0].isdecimal():
        return r"(?<!\d)(?<!\d[.,])"
    return rf"(?<![{_LETTER}])" if re.match(f"[{_LETTER}]", word) else ""


def _border_after(word: str) -> str:
    if word[-1].isdecimal():
        return r"(?!\d|[.,]\d)"
    return rf"(?:e?s)?(?![{_LETTER}])" if re.match(f"[{_LETTER}]", word) else ""


def answer_scores(text: str | None, answers: Sequence[str], parts: Sequence[Sequence[str]] = ()) -> dict[str, Score]:
    """How near one answer comes to the gold answers; a refusal, which has no text, is wrong in every way.

    ``all_parts``: whether each of the ``parts`` stands in it, in one of its spellings; only where there are parts.
    """
    said = without_markers(text or "")
    scores = {
        "gold_contained": gold_contained(said, answers),
        "exact_match": exact_match(said, answers),
        "f1": f1(said, answers),
    }
    if parts:
        scores["all_parts"] = all(gold_contained(said, part) for part in parts)
    return {
        name: Score(float(value) if text else 0.0) for name, value in scores.items() if answers or name == "all_parts"
    }


def is_short(answers: Sequence[str]) -> bool:
    """Whether some gold answer is short enough to be looked for in another wording of it."""
    return any(len(fold(answer)) <= _SHORT for answer in answers)


# Citations and refusals


@dataclass(frozen=True, slots=True)
class Place:
    """Where the answer is in one relevant document: its ``pages`` that hold it, and whether it stands there word for word.

    ``pages`` is empty where that is not known, or where the document has none.
    """

    pages: frozenset[int] = frozenset()
    literal: bool = False


def holds_answer(passage: Passage, places: Mapping[str, Place], answers: Sequence[str]) -> bool:
    """Whether a passage, or a footnote on it, leads to where the answer is.

    It must be of a relevant document and, where a gold answer stands in some relevant document word for word, must itself
    hold a gold answer: naming the right document at a wrong place is no footnote.
    """
    if not places.keys() & set(passage.documents):
        return False
    literal = any(place.literal for place in places.values())
    return not literal or gold_contained(passage.chunk.text, answers)


def citation_scores(
    citations: Sequence[Citation], right: Sequence[bool], places: Mapping[str, Place], answers: Sequence[str]
) -> dict[str, Score]:
    """Citation metrics of one answer that is no refusal; ``right`` tells of each citation whether it is.

    ``citation_precision``: right citations of those given. ``cited_right``: whether there is a right one.
    ``citation_recall``: the share of the relevant documents that a right citation leads to. The same two at three levels:
    ``_document`` (the document is relevant), ``_page`` (its page holds the answer; where pages are known), ``_span`` (the
    quoted words hold it; where it stands in the document word for word). Recall only where there are relevant documents; what
    an unanswerable question cites is wrong, as far as that goes by documents.
    """
    scores = {"citation_precision": Score(sum(right), len(right))} if right else {}
    if places:
        scores["citation_recall"] = _led_to(citations, right, places)
        scores["cited_right"] = Score(float(any(right)))
    pages = {name: place for name, place in places.items() if place.pages}
    words = {name: place for name, place in places.items() if place.literal}
    levels: dict[str, tuple[Mapping[str, Place], Sequence[Citation], Callable[[Citation, str], bool]]] = {
        "document": (places, citations, lambda c, name: True),
        "page": (pages, [c for c in citations if c.page is not None], lambda c, name: c.page in pages[name].pages),
        "span": (words, citations, lambda c, name: gold_contained(c.quote, answers)),
    }
    for level, (known, given, fits) in levels.items():
        if not known and level != "document":
            continue  # where the answer is, is not known so exactly
        fitting = [any(name in known and fits(c, name) for name in c.passage.documents) for c in given]
        if given:
            scores[f"citation_precision_{level}"] = Score(sum(fitting), len(given))
        if known:
            scores[f"citation_recall_{level}"] = _led_to(given, fitting, known)
    return scores


def _led_to(citations: Sequence[Citation], right: Sequence[bool], wanted: Collection[str]) -> Score:
    led = {name for c, ok in zip(citations, right, strict=True) if ok for name in c.passage.documents}
    return Score(len(led & set(wanted)) / len(set(wanted)))


def claim_scores(answer: Answer) -> dict[str, Score]:
    """The share of an answer's claims that are supported, and that are flagged as not supported."""
    if answer.refused or not answer.claims:
        return {}
    supported, total = sum(claim.supported for claim in answer.claims), len(answer.claims)
    return {"claims_supported": Score(supported, total), "claims_flagged": Score(total - supported, total)}


def refusal_scores(refused: bool, answerable: bool) -> dict[str, Score]:
    """What one question adds to the refusal metrics; refusing an unanswerable question is the hit.

    F1 = hits / (hits + half of the false refusals and misses), so it is a ratio of sums like the others.
    """
    scores = {"refusal_precision": Score(float(not answerable))} if refused else {}
    scores["false_refusal_rate" if answerable else "refusal_recall"] = Score(float(refused))
    if refused or not answerable:
        scores["refusal_f1"] = Score(1.0, 1.0) if refused and not answerable else Score(0.0, 0.5)
    return scores


# Over a set


def ratio(scores: Sequence[Score]) -> Measure | None:
    """The sum of what is right over the sum of what there was, with its interval; None without cases."""
    right, of = np.array(scores, dtype=float).reshape(-1, 2).T
    if not of.sum():
        return None
    drawn = _resamples(len(scores))
    totals = of[drawn].sum(axis=1)
    values = right[drawn].sum(axis=1)[totals > 0] / totals[totals > 0]
    # A case of refusal_f1 may weigh a half; it is a case all the same.
    return _measure(right.sum() / of.sum(), values, int(np.maximum(of, 1).sum()))


def paired_difference(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The 95 % interval of a mean difference, after less before, drawing pairs of the same question together."""
    differences = np.array([after - before for before, after in pairs])
    drawn = differences[_resamples(len(pairs))].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def paired_p(pairs: Sequence[tuple[float, float]]) -> float:
    """The chance of a mean difference at least as large if it had no direction: the paired randomisation test, two-sided.

    Smucker, Allan and Carterette, A Comparison of Statistical Significance Tests for Information Retrieval Evaluation, 2007.
    """
    return paired_ps(np.array([[after - before] for before, after in pairs]))[0]


def paired_ps(differences: np.ndarray) -> list[float]:
    """That chance for each of several metrics, such that one false alarm among all of them is as rare.

    ``differences`` are of shape (questions, metrics), NaN where a question has no such metric. The signs of all of a
    question's are drawn together, 10,000 times and always the same ones, and each metric is compared with the largest of all,
    so that metrics which say the same are not counted twice (Westfall and Young, Resampling-Based Multiple Testing, 1993).
    """
    scaled = np.nan_to_num(np.asarray(differences, dtype=np.float64))
    scaled = scaled / np.maximum(np.sqrt((scaled**2).sum(axis=0)), 1e-12)
    observed = np.abs(scaled.sum(axis=0))
    dice, reached = np.random.default_rng(_SEED), np.zeros(len(observed))
    for _ in range(_SIGNS // _SIGNS_AT_ONCE):
        signs = dice.integers(0, 2, size=(_SIGNS_AT_ONCE, len(scaled)), dtype=np.int8) * 2.0 - 1
        largest = np.abs(signs @ scaled).max(axis=1, initial=0)
        reached += (largest[:, None] >= observed - 1e-9).sum(axis=0)
    return [float(p) for p in (reached + 1) / (_SIGNS + 1)]


def percentile(seconds: Sequence[float], share: float) -> Measure | None:
    """The value that ``share`` percent of the seconds stay under (linear between two), with its interval."""
    if not seconds:
        return None
    values = np.array(seconds, dtype=float)
    return _measure(
        np.percentile(values, share), np.percentile(values[_resamples(len(values))], share, axis=1), len(values)
    )


def _resamples(n: int) -> np.ndarray:
    """Indices of shape (1000, n), drawn with replacement and the same in every run."""
    return np.random.default_rng(_SEED).integers(0, n, size=(_RESAMPLES, n))


def _measure(value: float, drawn: np.ndarray, n: int) -> Measure:
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Measure(float(value), float(low), float(high), n)
