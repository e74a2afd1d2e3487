"""Whether a question leans on its conversation, and what to search for then."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text import language, tokens
from rag.types import Turn

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


def search_text(question: str, history: Sequence[Turn]) -> str:
    """What to search for where a question leans on its conversation: the last exchange, then the question itself.

    The thing that "it" stands for is as often in the last answer as in the last question.
    """
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
