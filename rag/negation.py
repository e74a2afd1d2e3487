"""Negation: whether a claim denies what a sentence says, or says what it denies, in the same words. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.text import CJK_CHARACTER

# "No less than" is no denial but a bound on a number, which rag/literals.py reads.
_ENGLISH = re.compile(
    r"\b(?:not(?! only\b| just\b| merely\b| (?:less|fewer|lower|more) than\b|[^.,;]*\buntil\b)|cannot|never|neither|nor|without"
    r"|except(?:ing)?|fail(?:s|ed|ing)? to|unable to|lack(?:s|ed|ing)?"
    r"|no(?!\.| doubt\b| matter\b| (?:less|fewer|lower|more) than\b))\b|n['’]t\b",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"(?:并?不(?![仅但同断久过少管论只止丹已满惜料良锈列]|一样|可分|得[已不了]|[低少小高多大]于|超过)|没有?(?![收落])|(?<!在)未(?![来婚必央名发]|知数)|并非|决非|绝非"
    r"|(?<![南东西北中])非(?![常洲盟遗法])(?=[是为\u4e00-\u9fff])|毫?无(?![论数线锡双限人])|除了?(?=[^，。]{1,20}(?:外|以外|之外))|拒绝|禁止|严禁|谢绝|勿(?!论)|否认)"
)
# What a source may say instead of "not".
_INSTEAD = re.compile(
    r"\b(?:only|instead|rather|rarely|hardly|barely|seldom|un\w{4,}|in\w{2,}ble|dis\w{4,}|non-?\w+|prohibit\w*|forbid\w*|refus\w*"
    r"|den(?:y|ied|ies)|reject\w*|avoid\w*|prevent\w*|exclud\w*|ban(?:s|ned)|refrain\w*|absen\w+|miss\w+|less|few|false|stop\w*|end(?:ed|s)?|outside)\b"
    r"|非法|违|封|取缔|只|仅|唯|缺|拒|禁|免|避|否|止|除|别|莫|勿|失|反|假|停|难|少|误",
    re.IGNORECASE,
)
_OPPOSITES = tuple(
    (re.compile(one, re.IGNORECASE), re.compile(other, re.IGNORECASE))
    for one, other in (
        (r"\bmost\b|最多", r"\bleast\b|\bfewest\b|最少"),
        (r"\b(?:larg|bigg|great)est\b|最大", r"\bsmallest\b|最小"),
        (r"\bhighest\b|最高", r"\blowest\b|最低"),
        (
            r"\bincreas(?:e|es|ed|ing)\b|增加|增长|上升|提高",
            r"\bdecreas(?:e|es|ed|ing)\b|\bdeclin(?:e|es|ed|ing)\b|减少|下降|降低",
        ),
        (r"\bbest\b|最好", r"\bworst\b|最差"),
        (r"\boldest\b|最早", r"\bnewest\b|\byoungest\b|最晚"),
    )
)
_FORBIDS = re.compile(
    r"(?<![舍巴恨])不得(?![已不了])|不(?:能|可以?|准|许|允许)(?![不能]|或缺|分|避免|思议)|禁止|严禁|谢绝|勿(?!论)"
    r"|\b(?:may|must|can|could|shall) not\b|\bcannot\b|\b(?:ca|must)n['’]t\b"
    r"|(?:\bnot|n['’]t) (?:be )?(?:allowed|permitted|legal)\b"
    r"|\b(?:forbid\w*|prohibit\w*|bans|banned|illegal(?:ly)?|unlawful(?:ly)?)\b",
    re.IGNORECASE,
)
_PERMITS = re.compile(
    r"可以|允许|准许|有权|(?<![不可功性智才只技机职效未动万])能(?![力源量耗级])|(?<![不许认])可(?![能是爱怕靠见观比口惜以])"
    r"|\b(?:may(?! \d)|can|could|allow\w*|permit\w*|legal(?:ly)?)\b",
    re.IGNORECASE,
)
_UNLESS = re.compile(r"未经|除非|除了?[^，。]{1,20}外|\b(?:without|unless|until|except)\b", re.IGNORECASE)
# What stands on either side of the same word.
_SIDES = tuple(
    (re.compile(one, re.IGNORECASE), re.compile(other, re.IGNORECASE))
    for one, other in (
        (r"(\w{2})[之以]?前", r"(\w{2})[之以]?后"),
        (r"(\w{2})[之以]?内", r"(\w{2})[之以]?外"),
        (r"(\w{2})[之以]上", r"(\w{2})[之以]下"),
        *(
            (rf"\b{one} (?:the |an? |its |their |your )?(\w+)", rf"\b{other} (?:the |an? |its |their |your )?(\w+)")
            for one, other in (("before", "after"), ("above", "below"), ("inside", "outside"))
        ),
    )
)
_CLAUSE = re.compile(r"[,，;；:：。.!?！？()（）\n]|\b(?:but|although|whereas)\b|但是?|然而")
_WORD = re.compile(r"[a-z0-9]+")
_EMPTY = frozenset(
    "a an the of to in on at by for with and or is are was were be been it its this that do does did has have had".split()
)
_EMPTY_HAN = frozenset("的了是在和与及为有着过被把")
_REACH = 3  # words behind a negation that it is taken to deny
_NEAR = 0.6  # of a clause's words that another one must share to speak of the same


@dataclass(frozen=True, slots=True)
class _Clause:
    words: frozenset[str]
    denied: tuple[frozenset[str], ...]  # for each negation, the words behind it
    permission: int  # 1 where it permits, -1 where it forbids
    bare: frozenset[str]  # without the words that permit or forbid


def denies(claim: str, sentences: Sequence[str], question: str = "") -> bool:
    """Whether the claim negates and the sentence nearest to it in words has nothing of the kind, or whether a clause of it
    and the clause nearest to that differ by a negation alone."""
    if negative(claim):
        words = set(_words(claim))
        nearest = max(sentences, key=lambda sentence: len(words.intersection(_words(sentence))), default="")
        if not hedged(nearest):
            return True
    there = [clause for sentence in sentences for clause in _clauses(sentence)]
    if any(_permitted(clause, there) for clause in _clauses(claim)) or _other_side(claim, "\n".join(sentences)):
        return True
    if (
        not negative(claim)
        and not negative(question)
        and _only_denied(set(_words(claim)) - set(_words(question)), there)
    ):
        return True
    if any(_turned(claim, sentence) for sentence in sentences[:1]) and len(sentences) == 1:
        return True
    return any(_denied(clause, there) for clause in _clauses(claim))


def negative(text: str) -> bool:
    """Whether a text holds a negation at all."""
    return bool(_CHINESE.search(text) or _ENGLISH.search(text) or _FORBIDS.search(text))


def hedged(text: str) -> bool:
    """Whether a text holds a negation or a word that may stand for one."""
    return negative(text) or bool(_INSTEAD.search(text))


def permits_otherwise(claim: str, sentence: str) -> bool:
    """Whether of the two one permits and the other forbids, in whatever language; a condition in the sentence is neither."""
    return _permission(claim) * _permission(sentence) < 0


def _permission(text: str) -> int:
    """1 for a text that permits, -1 for one that forbids, 0 for both, neither, or a condition."""
    if _UNLESS.search(text):
        return 0
    return bool(_PERMITS.search(_FORBIDS.sub("·", text))) - bool(_FORBIDS.search(text))


def _permitted(clause: _Clause, there: Sequence[_Clause]) -> bool:
    """Whether the clauses nearest to one that permits all forbid, or the other way round."""
    if not clause.permission or not clause.bare:
        return False
    shares = [(len(clause.bare & other.bare) / len(clause.bare), other.permission) for other in there]
    best = max((share for share, _ in shares), default=0.0)
    return best >= _NEAR and all(other == -clause.permission for share, other in shares if share >= best - 0.1)


def _other_side(claim: str, text: str) -> bool:
    """Whether the claim puts something before, above or inside what the text puts it after, below or outside of."""
    for pair in _SIDES:
        for mine, theirs in (pair, pair[::-1]):
            said = set(mine.findall(claim)) - set(theirs.findall(claim))
            if said & (set(theirs.findall(text)) - set(mine.findall(text))):
                return True
    return False


def _only_denied(new: set[str], there: Sequence[_Clause]) -> bool:
    """Whether of the words that a claim adds to its question one stands in the sentences only behind a negation."""
    for word in new:
        holding = [clause for clause in there if word in clause.words]
        if holding and all(any(word in denied for denied in clause.denied) for clause in holding):
            return True
    return False


def _turned(claim: str, sentence: str) -> bool:
    """Whether the claim has a word, and the sentence only its opposite."""
    for one, other in _OPPOSITES:
        for mine, theirs in ((one, other), (other, one)):
            if (
                mine.search(claim)
                and not theirs.search(claim)
                and theirs.search(sentence)
                and not mine.search(sentence)
            ):
                return True
    return False


def _denied(clause: _Clause, there: Sequence[_Clause]) -> bool:
    shares = [(len(clause.words & other.words) / max(len(clause.words), 1), other) for other in there]
    best = max((share for share, _ in shares), default=0.0)
    if best < _NEAR:
        return False
    nearest = [other for share, other in shares if share >= best - 0.1]
    return all(_differ(clause, other) for other in nearest)


def _differ(one: _Clause, other: _Clause) -> bool:
    """Whether what one of the two denies stands in the other without a denial."""
    if one.permission == other.permission == -1:
        return False
    return _said(one, other) or _said(other, one)


def _said(denying: _Clause, saying: _Clause) -> bool:
    return any(
        len(denied & saying.words) >= 0.6 * len(denied) and not any(denied & also for also in saying.denied)
        for denied in denying.denied
        if denied
    )


@lru_cache(maxsize=1024)  # a sentence is looked at in several windows, for several claims
def _clauses(text: str) -> tuple[_Clause, ...]:
    found = []
    for piece in _CLAUSE.split(text):
        chinese = bool(CJK_CHARACTER.search(piece))
        pattern = _CHINESE if chinese else _ENGLISH
        denied = tuple(frozenset(_words(piece[m.end() :])[:_REACH]) for m in pattern.finditer(piece))
        if words := frozenset(_words(pattern.sub(" ", piece))):
            bare = frozenset(_words(_PERMITS.sub("", _FORBIDS.sub("", piece))))
            found.append(_Clause(words, denied, _permission(piece), bare))
    return tuple(found)


def _words(text: str) -> list[str]:
    """Words in order; of Chinese overlapping pairs of characters, particles aside."""
    folded = text.casefold()
    found: list[str] = []
    for run in re.findall(r"[\u3400-\u9fff]+|[a-z0-9]+", folded):
        if CJK_CHARACTER.match(run):
            kept = [c for c in run if c not in _EMPTY_HAN]
            found += ["".join(pair) for pair in pairwise(kept)] or kept
        elif run not in _EMPTY:
            found.append(_stem(run))
    return found


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
