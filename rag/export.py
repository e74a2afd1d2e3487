"""A conversation as a Markdown file that keeps its sources, and an answer as text to paste elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from rag.conversations import Message
from rag.types import Answer, Citation, Language

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")
_RULE = re.compile(r"^(\s*)(?=[-=]{2,}\s*$)", re.MULTILINE)  # makes a heading of the line above it
_UNSUPPORTED = {"zh": "（文档中没有依据）", "en": " (not supported by the documents)"}
_PAGE = {"zh": "第 {page} 页", "en": "p. {page}"}
_UNCHECKED = {"zh": "已中断，出处未经核对", "en": "Cut short: its sources were not checked"}


def conversation_markdown(title: str, messages: Sequence[Message], spoken: Language) -> str:
    """The whole conversation: questions as headings, answers with their footnotes, what others wrote as mere text."""
    blocks = [f"# {_text(title)}"]
    for number, message in enumerate(messages):
        if message.role == "user":
            blocks.append(f"## {_text(message.content)}")
        elif message.answer is None:
            blocks += [_text(message.content), f"*{_UNCHECKED[spoken]}*"]
        else:
            blocks += _answer(message.answer, number)
    return "\n\n".join(blocks) + "\n"


def answer_text(answer: Answer) -> str:
    """The answer with numbers in brackets, then its sources, one a line: plain text for a letter or a report."""
    noted = _noted(answer, lambda n: f"[{n}]", lambda text: text)
    sources = [f"[{c.n}] {_place(c, answer.language)}: “{' '.join(c.quote.split())}”" for c in answer.citations]
    return "\n".join([noted, *([""] if sources else []), *sources])


def _answer(answer: Answer, number: int) -> list[str]:
    noted = _noted(answer, lambda n: f"[^{number}-{n}]", _text)
    reason = [_text(line) for line in (answer.reason, answer.incomplete) if line]
    notes = [
        f"[^{number}-{c.n}]: {_text(_place(c, answer.language))}: “{_text(' '.join(c.quote.split()))}”"
        for c in answer.citations
    ]
    return [noted, *reason, *notes]


def _noted(answer: Answer, mark: Callable[[int], str], shown: Callable[[str], str]) -> str:
    pieces, end = [], 0
    for claim in answer.claims:
        flag = "" if claim.supported else _UNSUPPORTED[answer.language]
        marks = "".join(mark(n) for n in _numbers(claim.citations, claim.disputed))
        pieces += [shown(answer.text[end : claim.start]), shown(claim.text), marks, flag]
        end = claim.end
    return "".join([*pieces, shown(answer.text[end:])]).strip()


def _numbers(*groups: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(n for group in groups for n in group))


def _place(citation: Citation, spoken: Language) -> str:
    page = "" if citation.page is None else ", " + _PAGE[spoken].format(page=citation.page)
    return citation.passage.chunk.document + page


def _text(text: str) -> str:
    """Text by others so that Markdown shows it as it is; lists keep their bullets."""
    return _RULE.sub(r"\1\\", _SPECIAL.sub(r"\\\1", text))
