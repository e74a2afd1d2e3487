"""Text by others as Markdown that shows it letter by letter: nothing in it can become a link, an image or HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.types import Answer, Claim
from ui.text import Say

_JOINER = "\u2060"  # a word joiner: invisible, no width, no line break
_LIST = re.compile(r"^([ \t]*)([-*+•]|\d{1,3}[.)])[ \t]+(?=\S)")
_SPECIAL = re.compile(r"([!-/:-@\[-`{-~])")
# Addresses, emoji names and arrows are looked for after backslashes have been resolved, so a backslash doesn't stop
# them: an invisible joiner does.
_LATE = re.compile(r"(?<=:)(?=[/a-z+_-]|\d+:)|(?<=@)(?=\w)|(?<=www)(?=\.)|(?<=[-<>=~])(?=[->=])", re.IGNORECASE)
_BOLD = re.compile(r"\\\*\\\*(?=[^\s\\])((?:(?!\\\*).)+?)(?<=\S)\\\*\\\*")
_OPEN, _CLOSE, _NOTE = "\ue000", "\ue001", "\ue002"  # ours, taken out of any text by others


def plain(text: str) -> str:
    """The text as Markdown that keeps its paragraphs, lines and lists and shows everything else as it is."""
    return _blocks(_without_ours(text))


def inline(text: str, limit: int = 200) -> str:
    """The text as Markdown on one line, for labels; longer ones end in an ellipsis after ``limit`` characters."""
    joined = " ".join(_without_ours(text).split())
    return _escape(joined if len(joined) <= limit else joined[: limit - 1] + "…")


def answer_markdown(answer: Answer) -> str:
    """A checked answer: each claim followed by the numbers of its footnotes, unsupported ones on a coloured ground."""
    pieces, end = [], 0
    for claim in answer.claims:
        pieces += [_without_ours(answer.text[end : claim.start]), _claim(claim)]
        end = claim.end
    marked = _blocks("".join([*pieces, _without_ours(answer.text[end:])]))
    marked = marked.replace(_OPEN, ":orange-background[").replace(_CLOSE, "]")
    return re.sub(f"{_NOTE}([0-9]+)", r" :gray-badge[\1]", marked)


def unsupported(answer: Answer, say: Say) -> list[str]:
    """One Markdown line for each claim that nothing supports or another document disputes: its words and why."""
    return [
        f"{'' if claim.supported else say('unsupported') + ': '}“{inline(claim.text, 80)}” {inline(claim.why)}".strip()
        for claim in answer.claims
        if not claim.supported or claim.disputed
    ]


def _claim(claim: Claim) -> str:
    text = _without_ours(claim.text)
    if not claim.supported:
        text = "\n".join(_grounded(line) for line in text.split("\n"))
    return text + "".join(f"{_NOTE}{number}" for number in (*claim.citations, *claim.disputed))


def _grounded(line: str) -> str:
    if not line.strip():
        return line
    start = found.end() if (found := _LIST.match(line)) else 0
    return f"{line[:start]}{_OPEN}{line[start:]}{_CLOSE}"


def _without_ours(text: str) -> str:
    return re.sub(f"[{_OPEN}{_CLOSE}{_NOTE}]", "", text)


def _blocks(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return _joined([_line(line) for line in lines])


def _joined(lines: Sequence[tuple[str, bool]]) -> str:
    """Lines of one paragraph keep their breaks; a list item or an empty line ends it by itself."""
    pieces: list[str] = []
    for index, (text, is_item) in enumerate(lines):
        if index:
            before, was_item = lines[index - 1]
            broken = bool(text and before) and not is_item
            pieces.append("\n\n" if is_item and before and not was_item else "\\\n" if broken else "\n")
        pieces.append(text)
    return "".join(pieces)


def _line(line: str) -> tuple[str, bool]:
    if item := _LIST.match(line):
        indent = "   " * min(len(item[1].expandtabs(4)) // 2, 3)
        bullet = "-" if item[2] in "-*+•" else item[2]
        return f"{indent}{bullet} {_bold(_escape(line[item.end() :].rstrip()))}", True
    body = line.strip()
    spaces = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
    return "\u00a0" * min(spaces, 24) * bool(body) + _bold(_escape(body)), False


def _bold(escaped: str) -> str:
    """Pairs of two asterisks work again: models like them, and what is between them is still escaped."""
    return _BOLD.sub(r"**\1**", escaped)


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", _LATE.sub(_JOINER, text))
