"""What is said to the program itself and needs no document: greetings, thanks, what it is, which documents there are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from rag.text import normalise
from rag.types import Language, StoredDocument
from rag.wording import say

PHRASES = Path(__file__).parent / "smalltalk.toml"
# Where a sentence is of several kinds, the reply is that of the first.
Talk = Literal["documents", "can", "who", "bye", "thanks", "greeting", "fine"]
_MOST_NAMES = 10
_MOST_CHARACTERS = 120  # nobody greets at such length
_LONGEST: dict[Language, int] = {"en": 13, "zh": 24}  # words, characters of one phrase
# In the midst of a conversation these may as well be about documents that were spoken of.
_OF_WHAT = re.compile(
    "(?:一共|总共)?(?:多少|几)(?:个|份|篇).{2}|有(?:哪些|什么|多少|几)(?:个|份|篇|种)?(?:文件|资料|文献)"
    "|how many (?:documents|files)"
)


def recognise(text: str, *, first: bool = True) -> Talk | None:
    """Of what kind of small talk a text is; None where any of it is more than that.

    ``first`` tells whether it begins a conversation: later on "how many files?" is about what was spoken of.
    """
    if len(text) > _MOST_CHARACTERS:
        return None
    words = re.sub(r"[^\w\s]|_", " ", re.sub(r"['’]", "", normalise(text))).split()
    han = "".join(words)
    if not first and (_OF_WHAT.fullmatch(" ".join(words)) or _OF_WHAT.fullmatch(han)):
        return None
    kinds = _kinds(words, "en", " ") or _kinds(han, "zh", "") or set()
    if kinds <= {"fine", "thanks", "bye", "filler"} and text.rstrip().endswith(("?", "？", "呢", "吗")):
        return None  # "ok, and then?"
    return next((kind for kind in get_args(Talk) if kind in kinds), None)


def _kinds(parts: Sequence[str], spoken: Language, between: str) -> set[str] | None:
    """The kinds of what is said one after the other in words or characters; None where not all of it is small talk."""
    said: dict[int, set[str]] = {0: set()}  # up to each place that can be reached
    for start in range(len(parts)):
        if start not in said:
            continue
        for end in range(min(len(parts), start + _LONGEST[spoken]), start, -1):
            match = _phrases()[spoken].fullmatch(between.join(parts[start:end]))
            if match and end not in said:
                said[end] = said[start] | {str(match.lastgroup)}
    return said.get(len(parts))


def reply(talk: Talk, language: Language, documents: Sequence[StoredDocument], restriction: str = "") -> str:
    """What the program says to it; ``restriction`` is the filter that the documents passed, as a person would list it."""
    if talk != "documents":
        return say(f"talk {talk}", language)
    if not documents:
        return say(f"filtered: {restriction}" if restriction else "empty", language)
    shown = [f"- {document.name}" for document in documents[:_MOST_NAMES]]
    key = f"documents filtered: {restriction}" if restriction else "documents"
    heading = say(key, language) + say(f"count: {len(documents)}", language)
    rest = len(documents) - len(shown)
    return "\n".join([heading, *shown, *([say(f"more documents: {rest}", language)] if rest else [])])


@cache
def _phrases() -> dict[Language, re.Pattern[str]]:
    """One thing that is said, by language; the name of the group that matches is its kind."""
    kinds = tomllib.loads(PHRASES.read_text(encoding="utf-8"))
    return {spoken: re.compile("|".join(f"(?P<{kind}>{'|'.join(phrases)})" for kind, phrases in kinds[spoken].items()))
            for spoken in _LONGEST}  # fmt: skip
