"""Grounding: which words of which passage carry a claim, and whether any do. Pure functions; no model is asked.

A claim is supported by a passage that states its numbers and names literally and whose words hold what the claim adds
to the question: by words where the languages are the same, by meaning where they differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.claims import Draft, Sentence, drafts, sentences
from rag.literals import evidence_numbers, names, squeeze, stated_numbers
from rag.text import CJK_CHARACTER, language, tokens
from rag.types import Citation, Claim, Passage

# (claim, sentences) → one similarity each, 0 to 1, for pairs in different languages.
Meaning = Callable[[str, Sequence[str]], Sequence[float]]

SUPPORTED_WORDS = 0.6  # share of a claim's new words that its passage must hold
# Centred cosine across languages: 95 of 100 translations are above it, 99 of 100 other sentences below.
SUPPORTED_MEANING = 0.4
_NUMBER_WORDS = 3
_ABOUT = 0.25  # of the words asked
_SHARED_NUMBER = 0.15
_WINDOW = 3  # sentences that a claim may be drawn from
_NO_INFORMATION = re.compile(
    r"(?:资料|文档|文中|文本|上文|段落|文章|信息)[^。]{0,12}(?:没有|并未|未|无法|不能|不足|没)"
    r"|(?:没有|并未|未|无)(?:明确|直接|具体)?(?:提及|提到|给出|说明)|无法(?:回答|确定)|没有(?:找到|足够|相关)\S{0,4}(?:信息|资料|内容)"
    r"|\b(?:passages?|documents?|texts?|context|sources?|information)\b[^.]{0,40}(?:\bnot\b|n't\b|\bno\b)"
    r"|(?:\bnot|n't) (?:explicitly |directly |specifically )?(?:mention|provide|specif|state)(?:ed|d|ied|y)?\b"
    r"|\b(?:no|not enough) (?:relevant )?information\b|\bcannot (?:be )?(?:determined?|answer(?:ed)?)\b"
    r"|\bi (?:don't|do not) know\b|不知道",
    re.IGNORECASE,
)
# Numbers are looked for literally, with their scale; as words they would ask for one spelling of it.
_QUANTITY = re.compile(r"\d+[kmbt]?|thousand|million|billion|trillion|bn|percent")
_HAN_SCALES = set("〇零一二两三四五六七八九十百千万亿")
_ROW = re.compile(r"(?:[^:;\n]{1,120}; )*[^:;\n]{1,120}: [^;\n]*; [^:;\n]{1,120}: |\|.*\|")
_STOP_HAN = set("的了是在和与及为对有中个这那其也而并等被把将于以由从到向就都又或很更最之所地得着过们此该")
_STOP_HAN |= set("什么多少几哪怎谁吗呢啊请问")
_STOP_WORDS = frozenset(
    "a an the of to in on at by for from with and or is are was were be been being it its this that these those as which who "
    "what when where how why has have had do does did not no can could will would may might should than then there their "
    "his her he she they them we you i also such so if but about into over under between during after before more most".split()
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well one passage carries one claim: ``support`` 0 to 1, the best words for it, what is missing."""

    passage: Passage
    support: float
    start: int
    end: int
    missing: str
    affinity: float

    @property
    def holds(self) -> bool:
        """Whether this is enough to cite the passage for the claim."""
        return not self.missing


def ground(
    question: str, answer: str, passages: Sequence[Passage], numbered: Sequence[Sequence[Passage]], meaning: Meaning
) -> tuple[str, tuple[Claim, ...], tuple[Citation, ...]]:
    """The answer without markers, its claims, and the citations that carry them, numbered in order of appearance.

    ``numbered[n - 1]`` are the passages that the prompt showed under number n. A marker counts only where its passage
    carries the claim; a claim without one gets the passage that carries it best, or is marked as unsupported.
    """
    clean, pieces = drafts(answer)
    claims: list[Claim] = []
    citations: list[Citation] = []
    for piece in pieces:
        marked = [p for n in piece.markers if 1 <= n <= len(numbered) for p in numbered[n - 1]]
        best, reason = _best(question, piece, passages, marked, meaning)
        number = _footnote(best, citations) if best else None
        claims.append(Claim(piece.text, piece.start, piece.end, (number,) if number else (), best is not None, reason))
    return clean, tuple(claims), tuple(citations)


def says_nothing(answer: str) -> bool:
    """Whether the answer itself says that the passages do not tell, and adds no more than a short sentence to that."""
    return bool(_NO_INFORMATION.search(answer)) and len(tokens(answer)) < 60


def share_covered(question: str, source: str) -> float:
    """The share of a question's words that a source holds, 0 to 1, function words and particles left out."""
    return _coverage(content_words(question), content_words(source))


def evidence(question: str, claim: str, passage: Passage, meaning: Meaning) -> Evidence:
    """How well a passage carries a claim."""
    same = language(claim) == language(passage.chunk.text)
    missing = _missing_literals(claim, passage, same)
    pieces = sentences(passage.chunk.text) or [Sentence(passage.chunk.text, 0, len(passage.chunk.text))]
    support, first, last = _by_words(question, claim, pieces, passage.chunk.heading)
    enough = SUPPORTED_WORDS
    # A claim of names alone ("OpenAI") has no language of its own: words that are there need no translation.
    if not same and support < enough:
        support, first, last = _by_meaning(question, claim, pieces, meaning)
        enough = SUPPORTED_MEANING
    if not missing and support < enough:
        missing = "words"
    quote = " ".join(piece.text for piece in pieces[first : last + 1])
    affinity = share_covered(question, f"{passage.chunk.heading} {quote}")
    return Evidence(passage, support, pieces[first].start, pieces[last].end, missing, affinity)


def _best(
    question: str, piece: Draft, passages: Sequence[Passage], marked: Sequence[Passage], meaning: Meaning
) -> tuple[Evidence | None, str]:
    """The evidence to cite for a claim, or None and the reason; a marked passage wins over an equally good other one."""
    found = [evidence(question, piece.text, passage, meaning) for passage in passages]
    holding = [e for e in found if e.holds]
    if not holding:
        return None, _why(piece.text, found)
    chunk_ids = {p.chunk.id for p in marked}
    rank = {p.chunk.id: i for i, p in enumerate(passages)}

    def merit(e: Evidence) -> float:
        bonus = 0.1 if e.passage.chunk.id in chunk_ids else 0.0
        return e.support + 0.5 * e.affinity + bonus - 0.02 * rank[e.passage.chunk.id]

    return max(holding, key=merit), ""


def _footnote(best: Evidence, citations: list[Citation]) -> int:
    """The number of the footnote with these words, a new one where there is none yet."""
    chunk = best.passage.chunk
    start, end = chunk.start + best.start, chunk.start + best.end
    for i, known in enumerate(citations):
        if known.passage.chunk.id == chunk.id and known.start < end and start < known.end:
            start, end = min(start, known.start), max(end, known.end)
            quote = chunk.text[start - chunk.start : end - chunk.start]
            citations[i] = replace(known, start=start, end=end, quote=quote, support=min(known.support, best.support))
            return known.n
    quote = chunk.text[best.start : best.end]
    citations.append(Citation(len(citations) + 1, best.passage, quote, start, end, round(best.support, 3)))
    return len(citations)


def _why(claim: str, found: Sequence[Evidence]) -> str:
    """A machine-readable reason: ``numbers: 15``, ``names: gpt4`` or ``words``; of the passage that comes closest."""
    if not found:
        return "words"
    literal = [e for e in found if e.missing != "words"]
    best = max(found, key=lambda e: e.support)
    return best.missing if best in literal or not literal else "words"


def _missing_literals(claim: str, passage: Passage, same_language: bool) -> str:
    """What the claim states literally and the passage, heading included, does not: ``numbers: …`` or ``names: …``."""
    source = f"{passage.chunk.heading}\n{passage.chunk.text}"
    if numbers := _unstated(stated_numbers(claim), source):
        return "numbers: " + ", ".join(f"{n:g}" for n in numbers)
    wanted = names(claim)
    if not same_language and not CJK_CHARACTER.search(claim):
        # A person's name is written otherwise in Chinese; only identifiers such as GPT-4 stay as they are.
        wanted = {name for name in wanted if any(c.isdigit() for c in name)}
    squeezed = squeeze(source)
    absent = sorted(name for name in wanted if name not in squeezed and name.rstrip("s") not in squeezed)
    return "names: " + ", ".join(absent) if absent else ""


def _unstated(numbers: Collection[float], source: str) -> list[float]:
    """Those of the numbers that a text does not state, in order."""
    there = evidence_numbers(source) if numbers else ()
    return sorted(n for n in numbers if not any(abs(n - m) <= 1e-9 * max(1.0, abs(n)) for m in there))


def _by_words(question: str, claim: str, pieces: Sequence[Sentence], heading: str) -> tuple[float, int, int]:
    """The share of the claim's new words that the best window of sentences holds, and the first and last of them.

    A window counts only where it states all of the claim's numbers.
    """
    words, asked, title = (content_words(text) for text in (claim, question, heading))
    numbers = stated_numbers(claim)
    # A number that the question did not hold is what the answer is about: found literally, it weighs as several words,
    # and alone it is answer enough.
    fresh = len(numbers - stated_numbers(question))
    new = words - asked or (set() if fresh else words)
    if not new and not fresh:
        return 0.0, 0, 0
    held = [content_words(piece.text) for piece in pieces]
    best = (0.0, 0.0, 0, 0)
    for first, last in windows(pieces):
        text = " ".join([heading, *(piece.text for piece in pieces[first : last + 1])])
        if _unstated(numbers, text):
            continue
        window = title.union(*held[first : last + 1])
        # A number alone says nothing unless its sentence is about what was asked.
        weight = _NUMBER_WORDS * fresh if _coverage(asked, window) >= _ABOUT else 0
        share = (len(new & window) + weight) / max(len(new) + weight, 1)
        # A longer quote has to earn its length; words shared with the question break ties.
        value = (share - 0.04 * (last - first) + 0.1 * _coverage(asked, window), share, first, last)
        best = max(best, value, key=lambda v: v[0])
    return best[1], best[2], best[3]


def windows(pieces: Sequence[Sentence]) -> Iterator[tuple[int, int]]:
    """First and last of each run of up to three sentences; a table row stands alone, its neighbours tell of other things."""
    for first, piece in enumerate(pieces):
        yield first, first
        for last in range(first + 1, min(first + _WINDOW, len(pieces))):
            if _ROW.match(piece.text) or _ROW.match(pieces[last].text):
                break
            yield first, last


def _by_meaning(question: str, claim: str, pieces: Sequence[Sentence], meaning: Meaning) -> tuple[float, int, int]:
    """The similarity of the sentence nearest in meaning among those that state the claim's numbers, and its place."""
    numbers = stated_numbers(claim)
    # Sharing a number that the question did not hold makes a translation likelier than its words alone tell.
    bonus = _SHARED_NUMBER if numbers - stated_numbers(question) else 0.0
    similarities = list(meaning(claim, [piece.text for piece in pieces]))
    stating = [i for i in range(len(pieces)) if not _unstated(numbers, pieces[i].text)]
    if not stating:
        return 0.0, 0, 0
    place = max(stating, key=lambda i: similarities[i])
    return min(1.0, float(similarities[place]) + bonus), place, place


def content_words(text: str) -> set[str]:
    """The words that carry meaning: CJK bigrams without particles and light stems of words that are no stop words."""
    found = set()
    for token in tokens(text):
        if CJK_CHARACTER.match(token):
            if not set(token) & _STOP_HAN and not set(token) <= _HAN_SCALES:
                found.add(token)
        elif token not in _STOP_WORDS and not _QUANTITY.fullmatch(token):
            found.add(_stem(token))
    return found


def _coverage(wanted: set[str], there: set[str]) -> float:
    return len(wanted & there) / len(wanted) if wanted else 0.0


def _stem(word: str) -> str:
    """A word without its commonest English endings, so that "trained" finds "training"."""
    for ending in ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word[:-1] if len(word) == 4 and word.endswith("s") else word
