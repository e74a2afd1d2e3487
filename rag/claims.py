"""An answer's text → claims (sentences, list items, table rows) with their citation markers, as offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# [1]  [1, 2]  [^1]  【1】  [编号1]  [来源 2]  [passage 3]
MARKER = re.compile(
    r"\s*[\[【]\s*\^?(?:编号|来源|资料|文档|段落|passages?|sources?|no\.?)?\s*[:：]?\s*(\d{1,3}(?:\s*[,，、;；]\s*\d{1,3})*)\s*[\]】]",
    re.IGNORECASE,
)
_BARE = re.compile(r"\s*\[[\s\d,，、;；]*\]")
_GLUED_BEFORE, _GLUED_BEHIND = re.compile(r"[A-Za-z\d第]"), re.compile(r"[A-Za-z\d]")
_PART_ENDS = re.compile(r"\s*(?:[;!?…。，、；：！？)\]）】」』”’\"'|]|[.,:](?![A-Za-z\d])|[*_](?!\s)|\Z)|[^\S\n]*\n")
# No plain semicolon: in a table row it stands between two cells, and a row is one statement.
_END = re.compile(r"[。！？；!?…]+[”’」』）)\"'\]】]*|\.(?=[\s\"'”’)\]]|$)[\"'”’)]*|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|etc|al|fig|figs|eq|no|vol|pp|dr|mr|mrs|ms|prof|st|inc|ltd|co|corp|jr|sr|u\.s|u\.k|ph\.d|approx)"
    r"|\b(?-i:[A-Z]))\.$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:(?:[-*+•]|\d{1,2}[.)])\s+|\d{1,2}[、．]\s*)")
_ITEM_NUMBER = re.compile(r"\s*\d{1,2}")
_RULE = re.compile(r"^[\s|:\-—=_*#]*$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of a text, ``text == source[start:end]``."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A claim before it is checked: its span in the clean answer and the passage numbers that its markers name."""

    text: str
    start: int
    end: int
    markers: tuple[int, ...]


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text in either language, without the white space around them; a line end ends one, too."""
    return [piece for piece in (_trimmed(text, start, end) for start, end in _spans(text)) if piece]


def drafts(answer: str, most: int | None = None) -> tuple[str, list[Draft]]:
    """The answer without its markers, and its claims, each with the passage numbers that stood in it or right behind it.

    ``most`` is the number of passages that there are, None where it is not known.
    """
    clean, markers = _strip_markers(answer, most)
    pieces = [piece for piece in sentences(clean) if not _RULE.match(piece.text)]
    found: list[Draft] = []
    for i, piece in enumerate(pieces):
        following = pieces[i + 1].start if i + 1 < len(pieces) else len(clean) + 1
        # A marker behind the full stop still belongs to the sentence before it.
        own = [
            n
            for at, numbers in markers
            if piece.start < at <= max(piece.end, min(following, piece.end + 1))
            for n in numbers
        ]
        found.append(Draft(piece.text, piece.start, piece.end, tuple(dict.fromkeys(own))))
    return clean, found


def cited(text: str, most: int | None = None) -> list[tuple[re.Match[str], tuple[int, ...]]]:
    """The markers in a text, in order, each with the numbers that it names, also such as ``most`` passages don't have.

    A bare bracket, which may be an interval, an index or a word's part, is a marker where all its numbers are passages' and
    no letter or digit touches it; with a mark of punctuation or the text's end behind it, a single number always is.
    """
    found = []
    start, part_ends = -1, False
    for match in reversed(list(MARKER.finditer(text))):  # markers in a row stand where the last of them does
        part_ends = bool(_PART_ENDS.match(text, match.end())) or (match.end() == start and part_ends)
        start = match.start()
        named = tuple(int(n) for n in re.findall(r"\d+", match.group(1)))
        if not _BARE.fullmatch(match.group()) or _is_marker(match, named, most, part_ends):
            found.append((match, named))
    return found[::-1]


def _is_marker(match: re.Match[str], named: tuple[int, ...], most: int | None, part_ends: bool) -> bool:
    """Whether a bare bracket names passages."""
    if part_ends and len(named) == 1:
        return True
    before, behind = match.string[: match.start()][-1:], match.string[match.end() : match.end() + 1]
    glued = (match.group().startswith("[") and _GLUED_BEFORE.match(before)) or _GLUED_BEHIND.match(behind)
    return all(n and (most is None or n <= most) for n in named) and (part_ends or not glued)


def _strip_markers(answer: str, most: int | None) -> tuple[str, list[tuple[int, tuple[int, ...]]]]:
    clean: list[str] = []
    markers: list[tuple[int, tuple[int, ...]]] = []
    length = last = 0
    for match, named in cited(answer, most):
        clean.append(answer[last : match.start()])
        length += match.start() - last
        markers.append((length, named))
        last = match.end()
    clean.append(answer[last:])
    return "".join(clean), markers


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _END.finditer(text):
        if match.group().startswith(".") and _goes_on(text, start, match.start()):
            continue
        yield start, match.end()
        start = match.end()
    if start < len(text):
        yield start, len(text)


def _goes_on(text: str, start: int, full_stop: int) -> bool:
    """Whether a full stop ends no sentence: behind an abbreviation, or behind a list item's number."""
    if _ABBREVIATION.search(text[max(0, full_stop - 12) : full_stop + 1]):
        return True
    return text[max(0, start - 1) : start] in ("", "\n") and bool(_ITEM_NUMBER.fullmatch(text, start, full_stop))


def _trimmed(text: str, start: int, end: int) -> Sentence | None:
    piece = text[start:end]
    if bullet := _BULLET.match(piece):
        start += bullet.end()
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Sentence(text[start:end], start, end) if any(c.isalnum() for c in text[start:end]) else None
