"""Whether a question leans on its conversation, and what of that it is searched with."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer_form import asks_only_for_form
from rag.text import CJK_CHARACTER, language, normalise, simplified, tokens
from rag.types import Remembered, Turn

_LEANS_ZH = re.compile(
    "它|他们|她|他的|他在|他是|其中|其|这(?!样)|那|该|上述|前者|后者|呢[？?]?$|还有(?:吗|呢)|^(?:为什么|怎么做|多少|什么时候|在哪)[？?]?$"
)
_LEANS_EN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|he|him|his|she|her|hers|ones?|former|latter|same|there|then)\b"
    r"|^(?:and|but|so|or|also|what about|how about|what else|anything else|why|when|where|who|how)\b[^?]{0,24}\??$",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W_]+")
_SHORTENED = re.compile(r"['’](?:s|re|d|ll)\b", re.IGNORECASE)
_NAME_IN_CAPITALS = re.compile(r"\b[A-Z]{2,}\b")
_NAMED = re.compile(
    r"(?<=\S )[A-Z](?!['’ ]|$)\w+|[\"“'‘「《][^\"”'’」》]+[\"”'’」》]|\b(?:is|are) (?:work|will|mean)\b"
)
_BARE_EN = frozenset(
    "it its this that these those they them their he him his she her one ones what when where who whom why how which whose "
    "is are was were be been do does did will would can could has have had much many long old big large far often "
    "about of for to on in at from by with and or so but then the cost mean happen happened happens work works say says "
    "said please tell me exactly".split()
)
_BARE_ZH = re.compile(
    "为什么|什么时候|什么意思|是什么|什么|怎么样|怎么办|怎么回事|怎么|怎样|如何|多少钱|多少|几个|几|谁|哪里|哪儿|哪个|哪些|哪|何时|多久|多大|多长"
    "|多高|多远|它们|他们|她们|它|他|她|这个|那个|这些|那些|这|那|其中|其|请问|那么|关于|呢|吗|呀|啊|吧|嘛|的|是|在|要|了|会|又"
)
# One of two things; "they" may well be both.
_ONE_EN = re.compile(r"\b(?:it|its)\b|\b(?:that|this) one\b", re.IGNORECASE)
_ONE_ZH = re.compile("它(?!们)|这个(?!问题)|那个(?!问题)")
_JOINING = (
    "the|a|an|of|in|for|to|is|are|was|does|do|did|has|have|with|or|and|either|between|compare|than|what|which|how|who"
)
_WORD = rf"(?!(?:{_JOINING})\b)[A-Za-z][\w-]*"
_NAME = rf"{_WORD}(?:\s+{_WORD}){{0,2}}"
_PAIR_EN = re.compile(
    rf"(?:^|\b(?:{_JOINING})\s+)({_NAME}),?\s+(?:and|or|vs\.?|versus)\s+(?:the |a |an |of |in |for )?({_NAME})\s*(?:[?,.]|$)",
    re.IGNORECASE,
)
_PAIR_ZH = re.compile(
    "(?:^|[，。？：]|比较|对于|关于|在)(?:请问|请)?(?:比较|对比)?(?:一下)?([^，。？：、的是]{2,12}?)(?:和|与|跟|或者|或|还是)([^，。？：、的是有在哪谁都更最]{2,12})"
)
_FEW_TOKENS = 4
_ANSWER_CHARACTERS = 200
# What "it" stands for is as often in the last answer as in the last question. Words are looked up literally, so those of
# an earlier question only help one that names nothing itself; docs/retrieval.md has what else was tried.
_MEANING_ASKED = 0.2
_MEANING_SAID = 0.4
_WORDS_ASKED = 0.3
_MOST_CHARACTERS = 600


def remembered(question: str, history: Sequence[Turn]) -> tuple[Remembered, ...]:
    """The last exchange, as far as a follow-up is searched with it; nothing for the first question."""
    spoken = [Turn(turn.role, turn.content[:_MOST_CHARACTERS]) for turn in history if turn.content.strip()]
    places = [place for place, turn in enumerate(spoken) if turn.role == "user"][-1:]
    asked = [spoken[place] for place in places]
    said = spoken[places[0] + 1 :][-1:] if places else []  # an answer that never came leaves the one before it out
    words = _WORDS_ASKED if leans(question) else 0.0
    return (
        *(Remembered(turn, _MEANING_ASKED, words) for turn in asked),
        *(Remembered(turn, _MEANING_SAID, 0.0) for turn in said),
    )


def search_text(question: str, history: Sequence[Turn]) -> str:
    """The question with what it leans on in front, as one text: whether that can be answered is what is to be known."""
    asked = [turn.content for turn in history if turn.role == "user"]
    said = [turn.content for turn in history if turn.role == "assistant"]
    if not asked:
        return question
    if leans(asked[-1]) and len(asked) > 1:
        asked[-1] = f"{asked[-2]} {asked[-1]}"
    return " ".join([*asked[-1:], *(text[:_ANSWER_CHARACTERS] for text in said[-1:]), question])


def leans(question: str) -> bool:
    """Whether a question points back: by a pronoun, by its form, by being very short or by asking for a form alone."""
    pattern = _LEANS_ZH if language(question) == "zh" else _LEANS_EN
    short = len(tokens(question)) < _FEW_TOKENS
    return bool(pattern.search(simplified(question).strip())) or short or asks_only_for_form(question)


def bare(question: str) -> bool:
    """Whether a question has no word of its own for what it is about: it is made of pronouns and question words alone."""
    if _NAME_IN_CAPITALS.search(question) and not question.isupper():
        return False  # "What is IT?"
    if _NAMED.search(question):
        return False  # "Who is Will?", "What is 'mean'?"
    words = _LETTERS.findall(normalise(_SHORTENED.sub("", question)))
    if CJK_CHARACTER.search(question):
        return not _BARE_ZH.sub("", "".join(words))
    return _BARE_EN.issuperset(words)


def alternatives(question: str, history: Sequence[Turn]) -> tuple[str, str] | None:
    """The two things, of which a question's "it" may be either; None where it is clear or there are not two.

    The last question named both ("A or B"), and the answer to it does not speak of one of them alone.
    """
    pronoun = _ONE_ZH if language(question) == "zh" else _ONE_EN
    asked = [place for place, turn in enumerate(history) if turn.role == "user"]
    if not asked or not pronoun.search(simplified(question)):
        return None
    before = history[asked[-1]].content
    match = (_PAIR_ZH if language(before) == "zh" else _PAIR_EN).search(before)
    if match is None:
        return None
    first, second = match[1].strip(), match[2].strip()
    said = normalise(" ".join(turn.content for turn in history[asked[-1] + 1 :]))
    named = [normalise(name) in said for name in (first, second)]
    both_open = named[0] == named[1] and (named[0] or not said)
    there = normalise(question)
    return (first, second) if both_open and not any(normalise(name) in there for name in (first, second)) else None
