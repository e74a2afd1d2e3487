"""Whether a question leans on its conversation, and what of that it is searched with."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text import language, tokens
from rag.types import Remembered, Turn

_LEANS_ZH = re.compile(
    "它|他们|她|他的|他在|他是|其中|其|这(?!样)|那|该|上述|前者|后者|呢[？?]?$|还有(?:吗|呢)|^(?:为什么|怎么做|多少|什么时候|在哪)[？?]?$"
)
_LEANS_EN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|he|him|his|she|her|hers|ones?|former|latter|same|there|then)\b"
    r"|^(?:and|but|so|or|also|what about|how about|what else|anything else|why|when|where|who|how)\b[^?]{0,24}\??$",
    re.IGNORECASE,
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
    """Whether a question points back: by a pronoun, by its form, or by being very short."""
    pattern = _LEANS_ZH if language(question) == "zh" else _LEANS_EN
    return bool(pattern.search(question.strip())) or len(tokens(question)) < _FEW_TOKENS
