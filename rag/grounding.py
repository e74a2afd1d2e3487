"""Grounding: which words of which passage carry a claim, and whether any do. Pure functions; no model is asked.

A claim is supported by a passage that states its numbers, units, dates and names literally, denies nothing of it, and
holds, near the words that were asked, what the claim adds to the question: by words where the languages are the same,
by meaning where they differ. docs/grounding.md tells the rules and what they reach.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from rag.claims import Sentence, drafts, sentences
from rag.literals import (
    NUMBER_WORDS,
    Date,
    bounds,
    dates,
    decades,
    decimals,
    evidence_numbers,
    names,
    pairs,
    quantities,
    signs,
    squeeze,
    stated_numbers,
    versions,
)
from rag.negation import denies, hedged, negative, permits_otherwise
from rag.nli import SecondOpinion
from rag.text import CJK_CHARACTER, language, normalise, simplified, tokens
from rag.types import Citation, Claim, Language, Passage

# (claim, sentences) → one similarity each, 0 to 1, for pairs in different languages.
Meaning = Callable[[str, Sequence[str]], Sequence[float]]

SUPPORTED_WORDS = 0.75  # share of a claim's new words that one window of its passage must hold
SUPPORTED_MEANING = 0.35  # across languages: of the centred cosine and what the claim adds to it
_NUMBER_WORDS = 3  # as many words as a number weighs
# Share of all its words, those of the question included, for one sentence and more for each further one: the words of a
# wrong answer lie scattered.
SUPPORTED_WHOLE, _WIDER_WHOLE = 0.8, 0.15
# Of the words asked, the least that a window must hold, likewise, and that of what the nearest window holds of them.
_ABOUT, _WIDER_ABOUT = 0.25, 0.1
_AS_NEAR = 0.5
_BESIDE = 0.35  # of what the nearest sentence of a window holds of them, the one with the answer must hold
_VERBATIM = 3  # so many new words stand where they are copied to the letter
_ALONE = 8  # so many new words stand without the question
_GAIN = 4  # how much more the cosine weighs that the claim adds to the question's
_SHARED_NUMBER = 0.1
_LEAST_MEANING = 0.3  # of the cosine alone
_SAME_FRAME = 0.8  # share of words that two sentences need to speak of the same thing
_CERTAIN = 0.5  # of a second opinion, either way
_WINDOW = 3  # sentences that a claim may be drawn from
# Who is silent and about what: a document that is said to tell nothing, not one that must not be shared.
_DOCUMENT_ZH = r"(?:资料|文档|文中|文本|上文|原文|下文|段落|片段|文章|材料)"
_TELL_ZH = (
    r"(?:明确|直接|具体|详细)*(?:提及|提到|提供|说明|给出|包含|涉及|指出|记载|描述|回答|写明|列出|介绍|显示|表明|讨论)"
)
_DOCUMENT = r"\b(?:passages?|documents?|texts?|contexts?|sources?|excerpts?|materials?|information)\b"
_TELL = r"(?:mention|provid|specif|stat|sa[yi]|giv|contain|includ|discuss|describ|explain|address|indicat|answer|tell|list)\w*"
_NO_INFORMATION = re.compile(
    rf"{_DOCUMENT_ZH}[^。！？\n]{{0,20}}(?:没有?|未曾?|不曾?|无法|不能){_TELL_ZH}"
    rf"|{_DOCUMENT_ZH}[^。！？\n]{{0,8}}(?:没有|并无|无)[^，。]{{0,20}}(?:信息|内容|答案|说明)"
    rf"|(?:^|[，,。；：]\s*|我|因此|所以|目前|{_DOCUMENT_ZH}[^。]{{0,12}})(?:无法|不能)(?:从[^。]{{0,12}})?(?:回答|确定|判断|得知|得出)"
    r"|^\W*并?(?:没有|未)(?:提及|提到|说明|给出|提供)|(?:没有|未)被?(?:明确|具体)*(?:提及|提到|说明|给出)\W*$"
    r"|没有(?:找到|足够|相关)[^，。]{0,6}(?:信息|资料|内容)|(?:信息|资料)不足(?:以|\W|$)|(?:^\W*|我)不(?:知道|清楚)"
    rf"|{_DOCUMENT}[^.]{{0,30}}\b(?:do|does|did)(?: not|n't)(?: \w+ly){{0,2}} {_TELL}"
    rf"|{_DOCUMENT}[^.]{{0,30}}\b{_TELL} (?:no\b|nothing\b)"
    rf"|(?:\bnot|n't)(?: \w+ly)? {_TELL} [^.]{{0,30}}\b(?:in|by|from)\b[^.]{{0,25}}{_DOCUMENT}"
    rf"|^\W*(?:it|this|that|the answer) (?:is|was)(?: not|n't)(?: \w+ly)? {_TELL}"
    r"|(?:\bnot|n't)(?: \w+ly)? (?:mentioned|specified|stated)\W*$|^\W*not (?:mentioned|specified|stated|provided|given)\b"
    r"|(?:^\W*|there (?:is|was) |\bha(?:ve|s) )(?:no|not enough|insufficient) (?:\w+ ){0,2}information\b"
    r"(?! (?:is|was|may|must|can)\b)"
    r"|\bi(?: am|'m)? (?:cannot|can't|can not|could not|unable to|not able to) (?:determine|answer|tell|find|say)\b"
    r"|^\W*(?:it|this|that|(?:the|this) (?:answer|question)) (?:cannot|can't|can not) be (?:determined|answered)"
    rf"|\b(?:cannot|can't|can not) be (?:determined|answered|found)\b[^.]{{0,40}}{_DOCUMENT}"
    r"|^\W*(?:cannot|can't|unable to) (?:be )?(?:determined?|answer(?:ed)?)|\bi (?:don't|do not) know\b",
    re.IGNORECASE,
)
# What says of a bare number that it is a loss.
_FALL = re.compile(r"decreas|declin|loss|lost|\bfell|\bfall|\bdown\b|drop|下降|减少|亏|跌|降低", re.IGNORECASE)
# Numbers are looked for literally, with their scale; as words they would ask for one spelling of it.
_QUANTITY = re.compile(r"\d+[kmbt]?|hundred|thousand|million|billion|trillion|bn|percent|" + "|".join(NUMBER_WORDS))
_HAN_SCALES = set("〇零一二两三四五六七八九十百千万亿")
_GLUE = re.compile(
    r"位于|属于|称为|称作|叫做|名为|包括|包含|分别|主要|以及|根据|资料|文档|显示|提到|指出|因为|由于|因此|所以|其中|目前|现在|一个|一种"
    r"|一位|一名|成为|作为|进行|可以|能够|通过|具有|拥有|即为|答案|问题|是的"
)
_RUN = re.compile(f"{CJK_CHARACTER.pattern}+|(?:(?!{CJK_CHARACTER.pattern})[^\\W_])+")
_ROW = re.compile(r"(?:[^:;\n]{1,120}; )*[^:;\n]{1,120}: [^;\n]*; [^:;\n]{1,120}: |\|.*\|")
_STOP_HAN = set("的了是在和与及为对有中个这那其也而并等被把将于以由从到向就都又或很更最之所地得着过们此该")
_STOP_HAN |= set("什么多少几哪怎谁吗呢啊请问")
_STOP_WORDS = frozenset(
    "a an the of to in on at by for from with and or is are was were be been being it its this that these those as which who "
    "what when where how why has have had do does did not no can could will would may might should than then there their "
    "yes his her he she they them we you i also such so if but about into over under between during after before more "
    "most".split()
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


@dataclass(frozen=True, slots=True)
class _Match:
    """A run of a passage's sentences, how well it carries a claim, and what is missing there."""

    support: float
    first: int
    last: int
    missing: str
    about: float = 0.0


@dataclass(frozen=True, slots=True)
class _Unit:
    """A word or Chinese character of a claim, the terms by which a text may hold it, and whether the question had it not."""

    text: str
    start: int
    end: int
    terms: frozenset[str]
    weight: float
    chinese: bool = False
    new: bool = True


@dataclass(frozen=True, slots=True)
class _Text:
    """What a text holds, worked out once."""

    text: str
    terms: frozenset[str]  # stems, and all pairs of neighbouring Chinese characters
    characters: frozenset[str]
    numbers: frozenset[float]
    quantities: frozenset[tuple[float, str]]
    dates: tuple[Date, ...]
    decades: frozenset[int]
    squeezed: str
    words: frozenset[str]

    @classmethod
    def of(cls, text: str) -> _Text:
        folded = normalise(text)
        return cls(
            text, frozenset(_terms(text)), frozenset(folded), frozenset(evidence_numbers(text)),
            frozenset(quantities(text)), tuple(dates(text)), frozenset(decades(text)), squeeze(text),
            frozenset(token for token in tokens(text) if not CJK_CHARACTER.match(token)),
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: Sequence[_Text]) -> _Text:
        def union(name: str) -> frozenset[Any]:
            return frozenset().union(*(getattr(part, name) for part in parts))

        return cls(
            "\n".join(part.text for part in parts), union("terms"), union("characters"), union("numbers"),
            union("quantities"), tuple(d for part in parts for d in part.dates), union("decades"),
            "\n".join(part.squeezed for part in parts), union("words"),
        )  # fmt: skip


class Source:
    """A passage read for checking: its sentences, its windows of up to three of them, and what each states.

    All in simplified characters, like a ``Statement``; the offsets are those of the passage's own text.
    """

    def __init__(self, passage: Passage) -> None:
        chunk = passage.chunk
        text = simplified(chunk.text)
        self.passage = passage
        self.pieces = sentences(text) or [Sentence(text, 0, len(text))]
        self.language = language(text)
        self.heading = _Text.of(simplified(chunk.heading))
        self.parts = parts = [_Text.of(piece.text) for piece in self.pieces]
        self.whole = _Text.joined([self.heading, *parts])
        self.windows = [
            (first, last, _Text.joined([self.heading, *parts[first : last + 1]]))
            for first, last in windows(self.pieces)
        ]


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim taken apart: what it states, and which of that the question did not hold already."""

    claim: str
    question: str
    language: Language
    asked: tuple[_Unit, ...]
    units: tuple[_Unit, ...]
    numbers: frozenset[float]
    quantities: frozenset[tuple[float, str]]
    dates: tuple[Date, ...]
    decades: frozenset[int]
    names: frozenset[str]
    old: frozenset[Any]  # numbers, dates, decades and names that the question holds

    @classmethod
    def of(cls, question: str, claim: str) -> Statement:
        """The statement that an answer to the question makes with this claim."""
        question, claim = simplified(question), simplified(claim)
        known = set(_terms(question))
        units = (replace(unit, new=not known.intersection(unit.terms)) for unit in _units(claim))
        old = frozenset().union(evidence_numbers(question), dates(question), decades(question), names(question))
        return cls(
            claim, question, language(claim), tuple(_units(question)), tuple(units), frozenset(stated_numbers(claim)),
            frozenset(quantities(claim)), tuple(dates(claim)), frozenset(decades(claim)), frozenset(names(claim)), old,
        )  # fmt: skip

    @property
    def fresh(self) -> int:
        """How many numbers and dates the question did not hold."""
        return len((self.numbers | set(self.dates) | self.decades) - self.old)


def ground(
    question: str,
    answer: str,
    passages: Sequence[Passage],
    numbered: Sequence[Sequence[Passage]],
    meaning: Meaning,
    second: SecondOpinion | None = None,
) -> tuple[str, tuple[Claim, ...], tuple[Citation, ...]]:
    """The answer without markers, its claims, and the citations that carry them, numbered in order of appearance.

    ``numbered[n - 1]`` are the passages that the prompt showed under number n. A marker counts only where its passage
    carries the claim; a claim without one gets the passage that carries it best, or is marked as unsupported. A
    ``second`` opinion can take support away, or give it where only words were missing.
    """
    clean, pieces = drafts(answer, len(numbered))
    sources = [Source(passage) for passage in passages] if pieces else []
    nearest = _nearest(question, sources)
    claims: list[Claim] = []
    citations: list[Citation] = []
    for piece in pieces:
        marked = [p for n in piece.markers if 1 <= n <= len(numbered) for p in numbered[n - 1]]
        statement = Statement.of(question, piece.text)
        best, reason = _best(statement, sources, nearest, marked, meaning, second)
        if best is None:
            claims.append(Claim(piece.text, piece.start, piece.end, (), False, reason))
            continue
        number = _footnote(best, citations)
        against = tuple(_footnote(other, citations) for other in conflicts(statement, best.passage, sources))
        reason = "disputed: " + " ".join(f"[{n}]" for n in against) if against else ""
        claims.append(Claim(piece.text, piece.start, piece.end, (number,), True, reason, against))
    return clean, tuple(claims), tuple(citations)


def says_nothing(answer: str) -> bool:
    """Whether the answer itself says that the passages do not tell, and adds no more than a short sentence to that."""
    return bool(_NO_INFORMATION.search(simplified(answer).replace("’", "'"))) and len(tokens(answer)) < 60


def share_covered(question: str, source: str) -> float:
    """The share of a question's words that a source holds, 0 to 1, function words and particles left out."""
    return _coverage(content_words(question), content_words(source))


def evidence(statement: Statement, source: Source, nearest: float, meaning: Meaning) -> Evidence:
    """How well a passage carries a claim; ``nearest`` is the most of the question that a window of any passage holds."""
    same = statement.language == source.language
    found = _by_words(statement, source, nearest)
    # A claim of names alone ("OpenAI") has no language of its own: words that are there need no translation.
    if not same and found.missing:
        found = _by_meaning(statement, source, meaning)
    missing = _unstated(statement, source.whole, same, old=True) or found.missing
    quote = " ".join(piece.text for piece in source.pieces[found.first : found.last + 1])
    affinity = share_covered(statement.question, f"{source.passage.chunk.heading} {quote}")
    start, end = source.pieces[found.first].start, source.pieces[found.last].end
    return Evidence(source.passage, found.support, start, end, missing, affinity)


def conflicts(statement: Statement, cited: Passage, sources: Sequence[Source]) -> list[Evidence]:
    """The sentences of other documents that say the same as a claim but for one number, date or negation, one a document.

    Both must share most of their words, state as many numbers, and lie under headings with the same numbers: figures of
    another year contradict nothing.
    """
    own = evidence_numbers(cited.chunk.heading)
    found: dict[str, Evidence] = {}
    for source in sources:
        document = source.passage.chunk.document
        if document in (*cited.documents, *found) or source.language != statement.language:
            continue
        if evidence_numbers(source.passage.chunk.heading) != own:
            continue
        for first, last, window in source.windows:
            piece = source.pieces[first]
            if first == last and _disputes(statement, piece.text, window):
                found[document] = Evidence(source.passage, 0.0, piece.start, piece.end, "", 0.0)
                break
    return list(found.values())


def _disputes(statement: Statement, sentence: str, window: _Text) -> bool:
    other = list(_units(sentence))
    if sum(unit.weight for unit in statement.units) < 2 or _held(statement.units, window) < _SAME_FRAME:
        return False
    mine = set(_terms(statement.claim)) | set(_terms(statement.question))
    if sum(unit.weight for unit in other if mine.isdisjoint(unit.terms)) > 0.4 * sum(unit.weight for unit in other):
        return False
    if denies(statement.claim, [sentence]):
        return True
    theirs = dates(sentence)
    if statement.dates and theirs and stated_numbers(sentence) == statement.numbers:
        return not any(_has_date(day, window) for day in statement.dates)
    here, there = (
        {(value, unit) for value, unit in quantities(text) if value in stated_numbers(text)}
        for text in (statement.claim, sentence)
    )
    missing, instead = here - there, there - here
    if len(missing) != 1 or len(instead) != 1:
        return False
    ((value, unit),), ((_, their_unit),) = missing, instead
    return unit == their_unit and not any(_has(value, (n,)) for n in window.numbers)


def _best(
    statement: Statement,
    sources: Sequence[Source],
    nearest: float,
    marked: Sequence[Passage],
    meaning: Meaning,
    second: SecondOpinion | None,
) -> tuple[Evidence | None, str]:
    """The evidence to cite for a claim, or None and the reason; a marked passage wins over an equally good other one."""
    found = [evidence(statement, source, nearest, meaning) for source in sources]
    chunk_ids = {p.chunk.id for p in marked}
    rank = {source.passage.chunk.id: i for i, source in enumerate(sources)}

    def merit(e: Evidence) -> float:
        bonus = 0.1 if e.passage.chunk.id in chunk_ids else 0.0
        return e.support + 0.5 * e.affinity + bonus - 0.02 * rank[e.passage.chunk.id]

    if holding := [e for e in found if e.holds]:
        best = max(holding, key=merit)
        if second and second(statement.claim, _quote(best)) < -_CERTAIN:
            return None, "contradicted"
        return best, ""
    if not found:
        return None, "words"
    nearly = max(found, key=lambda e: (e.support, e.missing != "words"))
    if second and nearly.missing == "words" and second(statement.claim, _quote(nearly)) > _CERTAIN:
        return nearly, ""
    return None, nearly.missing


def _quote(found: Evidence) -> str:
    return found.passage.chunk.text[found.start : found.end]


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


def _nearest(question: str, sources: Sequence[Source]) -> float:
    """The most of the question's words that one window of any passage holds."""
    asked = tuple(_units(question))
    return max((_held(asked, text) for source in sources for _, _, text in source.windows), default=0.0)


def _by_words(statement: Statement, source: Source, nearest: float) -> _Match:
    """The window that holds most of what the claim adds to the question, near what was asked."""
    best, best_value = _Match(0.0, 0, 0, "words"), -9.0
    for first, last, window in source.windows:
        share = _share(statement, window)
        about = _held(statement.asked, window)
        missing = _unstated(statement, window, True, old=False)
        # Where next to nothing is there, it is no matter of a denial or a name.
        if not missing and share < 0.5:
            missing = "words"
        if not missing and denies(
            statement.claim, [p.text for p in source.pieces[first : last + 1]], statement.question
        ):
            missing = "negation"
        if not missing and (lost := _invented(statement, window)):
            missing = "names: " + ", ".join(lost)
        if not missing and not (
            share >= SUPPORTED_WORDS
            and _fits(statement, window, about, nearest, last - first)
            and _together(statement, source.parts[first : last + 1])
        ):
            missing = "words"
        # A longer quote has to earn its length; words shared with the question break ties.
        value = share - 0.04 * (last - first) + 0.1 * about - (1.0 if missing == "words" else 2.0 if missing else 0.0)
        if value > best_value:
            best, best_value = _Match(share, first, last, missing, about), value
    return best


def _share(statement: Statement, window: _Text) -> float:
    """The share of the claim's new words that a window holds; of all its words where none is new."""
    new = [unit for unit in statement.units if unit.new]
    if not new and not statement.fresh:
        new = list(statement.units)
    return _held(new, window, _NUMBER_WORDS * statement.fresh)


def _fits(statement: Statement, window: _Text, about: float, nearest: float, wider: int) -> bool:
    """Whether a window, ``wider`` sentences longer than one, holds the claim's other words and is about what was asked.

    A few new words are an answer only where the question's are.
    """
    if not all(unit.new for unit in statement.units):
        if _held(statement.units, window) < min(1.0, SUPPORTED_WHOLE + _WIDER_WHOLE * wider):
            return False
    new = sum(unit.weight for unit in statement.units if unit.new) + statement.fresh
    if new >= _VERBATIM and squeeze(statement.claim.rstrip(" .。")) in window.squeezed:
        return True
    if new >= _ALONE or not statement.asked or language(statement.question) != statement.language:
        return True
    return about >= max(_ABOUT + _WIDER_ABOUT * wider, _AS_NEAR * nearest)


def _together(statement: Statement, parts: Sequence[_Text]) -> bool:
    """Whether the sentence with the answer is, of some sentences, among those that speak of what was asked."""
    new = [unit for unit in statement.units if unit.new]
    if len(parts) == 1 or not statement.asked or not (new or statement.fresh):
        return True

    def answers(part: _Text) -> tuple[float, int]:
        return _held(new, part), sum(_has(n, part.numbers) for n in statement.numbers - statement.old)

    about = [_held(statement.asked, part) for part in parts]
    return about[max(range(len(parts)), key=lambda i: answers(parts[i]))] >= _BESIDE * max(about)


def _held(units: Sequence[_Unit], window: _Text, literals: float = 0.0) -> float:
    """The share of the weight of some words that a window holds, of which ``literals`` were found before."""
    held = sum(unit.weight for unit in units if not window.terms.isdisjoint(unit.terms)) + literals
    whole = sum(unit.weight for unit in units) + literals
    return held / whole if whole else 0.0


def _invented(statement: Statement, window: _Text) -> list[str]:
    """The runs of new Chinese characters of which a window holds neither the pairs nor, by half, the single ones."""
    runs: list[list[_Unit]] = [[]]
    for unit in statement.units:
        if unit.chinese and unit.new and window.terms.isdisjoint(unit.terms):
            if runs[-1] and runs[-1][-1].end != unit.start:
                runs.append([])
            runs[-1].append(unit)
        elif runs[-1]:
            runs.append([])
    found = ["".join(unit.text for unit in run) for run in runs]
    return [run for run in found if len(run) > 1 and sum(c in window.characters for c in run) < len(run) / 2]


def _by_meaning(statement: Statement, source: Source, meaning: Meaning) -> _Match:
    """The sentence nearest in meaning to question and claim together, of those that state what the claim states.

    What counts is how much nearer the claim brings the question to it: the question alone is near to the right sentence
    with any answer.
    """
    texts = [piece.text for piece in source.pieces]
    joined = f"{statement.question} {statement.claim}"
    alone, both, asked = (list(meaning(text, texts)) for text in (statement.claim, joined, statement.question))
    singles = [(first, text) for first, last, text in source.windows if first == last]
    best = _Match(0.0, 0, 0, "words")
    for place, window in singles:
        near = (alone[place] + both[place]) / 2 + _GAIN * (both[place] - asked[place])
        support = min(1.0, max(0.0, near + (_SHARED_NUMBER if statement.fresh else 0.0)))
        missing = _unstated(statement, window, False, old=False)
        if not missing and negative(statement.claim) and not hedged(f"{texts[place]}\n{statement.question}"):
            missing = "negation"
        if not missing and permits_otherwise(statement.claim, texts[place]):
            missing = "negation"
        if not missing and (support < SUPPORTED_MEANING or alone[place] + both[place] < 2 * _LEAST_MEANING):
            missing = "words"
        if (not missing, support) > (not best.missing, best.support):
            best = _Match(support, place, place, missing)
    return best


def _unstated(statement: Statement, there: _Text, same_language: bool, *, old: bool) -> str:
    """What the claim states literally and a text does not, as a reason; of the question's own (``old``) or of the rest."""

    def mine(values: Collection[Any]) -> list[Any]:
        return sorted((v for v in values if (v in statement.old) == old), key=str)

    if absent := [n for n in mine(statement.numbers) if not _has(n, there.numbers)]:
        return "numbers: " + ", ".join(f"{round(n, 4):.15g}" for n in sorted(absent))
    if not old and (misread := _misread(statement.claim, there.text)):
        return misread
    if days := [d for d in mine(statement.dates) if not _has_date(d, there)]:
        return "dates: " + ", ".join(_date_text(day) for day in days)
    if spans := [
        d for d in mine(statement.decades) if not any(d <= n < d + 10 for n in (*there.decades, *there.numbers))
    ]:
        return "dates: " + ", ".join(f"{decade}s" for decade in spans)
    if measures := [
        f"{n:.15g} {unit}"
        for n, unit in sorted(statement.quantities)
        if (n in statement.old) == old and _other_unit(n, unit, there)
    ]:
        return "units: " + ", ".join(measures)
    wanted = mine(statement.names)
    if not same_language and statement.language == "en":
        # A person's name is written otherwise in Chinese; only identifiers such as GPT-4 stay as they are.
        wanted = [name for name in wanted if any(c.isdigit() for c in name)]
    strangers = [name for name in wanted if not _has_name(name, there)]
    return "names: " + ", ".join(strangers) if strangers else ""


def _misread(claim: str, text: str) -> str:
    """What the claim writes with the same digits and the text in another order, with another sign or as another version."""
    mine, there = _forms(claim), _forms(text)
    turned = [f"{a}:{b}" for a, b in mine.pairs - there.pairs if (b, a) in there.pairs]
    if turned or (turned := sorted(mine.versions - there.decimals)):
        return "numbers: " + ", ".join(turned)
    wrong = sorted((n, sign) for n, sign in mine.signs - there.signs if (n, -sign) in there.signs)
    if wrong and not _FALL.search(f"{claim} {text}"):
        return "numbers: " + ", ".join(f"{sign * n:.15g}" for n, sign in wrong)
    return "negation" if any((n, -d) in there.bounds for n, d in mine.bounds - there.bounds) else ""


@dataclass(frozen=True, slots=True)
class _Forms:
    """What tells numbers of the same digits apart."""

    pairs: set[tuple[int, int]]
    versions: set[str]
    decimals: set[str]
    signs: set[tuple[float, int]]
    bounds: set[tuple[float, int]]


@lru_cache(maxsize=1024)  # a window is looked at for several claims, a claim in many windows
def _forms(text: str) -> _Forms:
    return _Forms(pairs(text), versions(text), decimals(text), signs(text), bounds(text))


def _has(number: float, there: Collection[float]) -> bool:
    return number in there or any(abs(number - m) <= 1e-9 * max(1.0, abs(number)) for m in there)


def _has_date(wanted: Date, there: _Text) -> bool:
    """Whether a text states a date, as one; the year may stand beside it."""
    year, month, day = wanted
    return any(
        m == month and day in (None, d) and (year in (None, y) or (y is None and year in there.numbers))
        for y, m, d in there.dates
    )


def _date_text(day: Date) -> str:
    return "-".join(f"{part:02d}" for part in day if part is not None)


def _other_unit(number: float, unit: str, there: _Text) -> bool:
    """Whether a text states a number with other units than the claim's alone; a bare number may have any but per cent."""
    units = {u for n, u in there.quantities if _has(number, (n,))}
    if "¥" in units | {unit}:
        units |= {"¥"} if units & {"cny", "jpy"} else {"cny", "jpy"} if "¥" in units else set()
    if not unit or not units or unit in units:
        return False
    return "" not in units or (unit == "%" and "%" not in there.text and "％" not in there.text)


def _has_name(name: str, there: _Text) -> bool:
    if name in there.words or name.rstrip("s") in there.words or f"{name}s" in there.words:
        return True
    if any(name[:-1].startswith(word) or word.startswith(name) for word in there.words if len(word) > 4 < len(name)):
        return True  # Californian, California
    # Inside a longer word only what is long enough not to be there by chance.
    return (len(name) > 4 or any(c.isdigit() for c in name)) and name.rstrip("s") in there.squeezed


def windows(pieces: Sequence[Sentence]) -> Iterator[tuple[int, int]]:
    """First and last of each run of up to three sentences; a table row stands alone, its neighbours tell of other things."""
    for first, piece in enumerate(pieces):
        yield first, first
        for last in range(first + 1, min(first + _WINDOW, len(pieces))):
            if _ROW.match(piece.text) or _ROW.match(pieces[last].text):
                break
            yield first, last


def _terms(text: str) -> Iterator[str]:
    """All pairs of neighbouring Chinese characters, and the stems of words."""
    for token in tokens(text):
        yield token if CJK_CHARACTER.match(token) else _root(token)


def _units(text: str) -> Iterator[_Unit]:
    """The characters and words of a text that carry meaning, with the terms by which each may be found."""
    folded = normalise(text)
    for match in _RUN.finditer(folded):
        run = match.group()
        if not CJK_CHARACTER.match(run):
            if run not in _STOP_WORDS and not _QUANTITY.fullmatch(run):
                yield _Unit(run, match.start(), match.end(), frozenset({_root(run)}), 1.0)
            continue
        glue = {i for m in _GLUE.finditer(run) for i in range(*m.span())}
        for i, character in enumerate(run):
            if i in glue or character in _STOP_HAN or character in _HAN_SCALES:
                continue
            pairs = {run[j : j + 2] for j in (i - 1, i) if 0 <= j < len(run) - 1} or {character}
            at = match.start() + i
            yield _Unit(character, at, at + 1, frozenset(pairs), 0.5, chinese=True)


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


def _coverage(wanted: Collection[str], there: Collection[str]) -> float:
    return sum(word in there for word in wanted) / len(wanted) if wanted else 0.0


def _stem(word: str) -> str:
    """A word without its commonest English endings, so that "trained" finds "training"."""
    for ending in ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word[:-1] if len(word) == 4 and word.endswith("s") else word


def _root(word: str) -> str:
    """A word without its endings, its last letter single and y as i: "monopolies" finds "monopoly"."""
    for ending in ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            root = word[: -len(ending)]
            root = root[:-1] if len(root) > 4 and root[-1] == root[-2] else root
            return f"{root}i" if ending in ("ies", "ied", "ly", "y") else root
    return word
