"""Documents into chunks: along headings, paragraphs, rows and sentences of both languages, evenly filled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from ingest.markdown import Heading, headings
from ingest.tables import is_row
from rag.settings import IngestSettings
from rag.text import CJK_CHARACTER
from rag.types import PAGE_BREAK, Chunk, ParsedDocument

MOST_CHUNKS = 20_000
HEADING_JOINT = " › "
_LONGEST_HEADING = 120
_CLOSING = "”’」』）】》〉)\\]\"'"
_PARAGRAPH = re.compile(r"\n[ \t\u3000]*\n\s*")
_LINE = re.compile(r"\n\s*")
_SENTENCE = re.compile(
    rf"[。！？；…][。！？；…{_CLOSING}]*\s*|[.!?]+[{_CLOSING}]*\s+(?=[\"'“‘(\[]?[A-Z0-9\u3400-\u9fff])"
)
_CLAUSE = re.compile(r"[，、：]|[,;:]\s+")
_SPACE = re.compile(r"\s+")
# Breaks from the strongest to the weakest, each with what it costs to break there; a break belongs to what precedes it.
_BREAKS = ((_PARAGRAPH, 0.0), (_LINE, 0.02), (_SENTENCE, 0.05), (_CLAUSE, 0.4), (_SPACE, 0.8))
_CELL = re.compile(r"; (?=[^:;\n]{1,120}: )")
_ROW_BREAKS = ((_CELL, 0.2), (_CLAUSE, 0.4), (_SPACE, 0.8))
_TABLE_BREAKS = ((_LINE, 0.0), *_ROW_BREAKS)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|etc|al|Mr|Mrs|Ms|Dr|Prof|St|Fig|Figs|Eq|Sec|Ch|No|Nos|Vol|pp?|Inc|Ltd|Co|Corp|Jr|Sr|approx"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|U\.S|U\.K)|\b[A-Z])\.\s*$"
)
_CHAPTER = re.compile(
    r"^[ \u3000]*(第[〇零一二三四五六七八九十百\d]{1,4}([编篇部章节]))(?:[ \u3000：:]+\S.{0,30})?$", re.MULTILINE
)
_CHAPTER_LEVELS = {"编": 1, "篇": 1, "部": 1, "章": 2, "节": 3}


@dataclass(frozen=True, slots=True)
class _Section:
    """A stretch of text under one heading path, on one page; in a table only lines and long rows, at their cells, are broken."""

    heading: str
    page: int | None
    table: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Unit:
    """A piece that is not split further; ``weight`` is its size, ``cost`` what it costs to break after it."""

    start: int
    end: int
    weight: float
    cost: float


def split(document: ParsedDocument, name: str, settings: IngestSettings) -> list[Chunk]:
    """The chunks of a document called ``name``, at most MOST_CHUNKS, their ids still 0.

    Each ``text`` is the slice ``[start:end]`` of the document's. They are in order, don't overlap, don't cross a page
    or a heading, and leave out only blanks and heading lines.
    """
    text = document.text
    chunks: list[Chunk] = []
    for section in _sections(document):
        for start, end in _spans(text, section, settings):
            if len(chunks) == MOST_CHUNKS:
                return chunks
            chunks.append(Chunk(0, name, len(chunks), section.heading, section.page, text[start:end], start, end))
    return chunks


def weight(text: str, settings: IngestSettings) -> float:
    """The size of a text in English characters, a Chinese one counting ``english_size / chinese_size``."""
    chinese = len(CJK_CHARACTER.findall(text))
    return len(text) - chinese + chinese * settings.english_size / settings.chinese_size


def _sections(document: ParsedDocument) -> Iterator[_Section]:
    path: list[Heading] = []
    start = 0
    for page in document.pages:
        marks = _bearing(page.text, list(headings(page.text) if document.marked_up else _chapters(page.text)))
        last = 0
        for mark in [*marks, None]:
            end = mark.start if mark else len(page.text)
            if page.text[last:end].strip():
                heading = _heading(document.title, path)
                yield _Section(heading, page.number, page.kind == "table", start + last, start + end)
            if mark:
                path = [*(above for above in path if above.level < mark.level), mark]
                last = mark.end
        start += len(page.text) + len(PAGE_BREAK)


def _chapters(text: str) -> Iterator[Heading]:
    """The lines of plain Chinese text that name a chapter (第三章 …) and nothing else."""
    for line in _CHAPTER.finditer(text):
        yield Heading(_CHAPTER_LEVELS[line[2]], line[0].strip(), line.start(), line.end())


def _bearing(text: str, marks: Sequence[Heading]) -> list[Heading]:
    """The headings that have something under them; one that has not is a line of the section it stands in."""
    bearing: list[Heading] = []
    for mark, following in zip_longest(marks, marks[1:]):
        below = text[mark.end : following.start if following else len(text)]
        if below.strip() or (following is not None and following.level > mark.level):
            bearing.append(mark)
    return bearing


def _heading(title: str, path: Sequence[Heading]) -> str:
    parts = [title, *(mark.text for mark in path)]
    if len(parts) > 1 and parts[0] == parts[1]:
        parts = parts[1:]
    return HEADING_JOINT.join(part[:_LONGEST_HEADING] for part in parts if part)


def _spans(text: str, section: _Section, settings: IngestSettings) -> Iterator[tuple[int, int]]:
    """The chunks of a section as offsets, blanks at their ends cut off."""
    budget = float(settings.english_size)
    start, end = _trimmed(text, section.start, section.end)
    total = weight(text[start:end], settings)
    if total <= budget:
        yield start, end
        return
    units = list(_units(text, start, end, settings, _TABLE_BREAKS if section.table else _BREAKS))
    for first, last in _packed(units, budget):
        yield _trimmed(text, units[first].start, units[last - 1].end)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _units(
    text: str, start: int, end: int, settings: IngestSettings, breaks: Sequence[tuple[re.Pattern[str], float]]
) -> Iterator[_Unit]:
    """The sentences of a stretch, or smaller pieces where a sentence is too long; table rows stay whole."""
    budget = settings.english_size
    size = weight(text[start:end], settings)
    row = is_row(text[start:end])
    smallest = not any(pattern in (_PARAGRAPH, _LINE, _SENTENCE) for pattern, _ in breaks)
    if (size <= budget and (smallest or row)) or not breaks:
        yield from _hard_pieces(text, start, end, settings)
        return
    if row and not smallest:  # too long for a chunk: broken between its cells
        breaks = _ROW_BREAKS
    (pattern, cost), *weaker = breaks
    pieces = list(_pieces(text, start, end, pattern))
    for number, (left, right) in enumerate(pieces, start=1):
        inner = list(_units(text, left, right, settings, weaker))
        yield from inner[:-1]
        final = inner[-1]
        yield _Unit(final.start, final.end, final.weight, cost if number < len(pieces) else final.cost)


def _pieces(text: str, start: int, end: int, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    last = start
    for match in pattern.finditer(text, start, end):
        if start < match.end() < end and not (
            pattern is _SENTENCE and _ABBREVIATION.search(text, max(last, match.end() - 12), match.end())
        ):
            yield last, match.end()
            last = match.end()
    yield last, end


def _hard_pieces(text: str, start: int, end: int, settings: IngestSettings) -> Iterator[_Unit]:
    """A stretch as one unit, or cut by the character where there is no other way."""
    size = weight(text[start:end], settings)
    if size <= settings.english_size:
        yield _Unit(start, end, size, 0.0)
        return
    step = max(1, int((end - start) * settings.english_size / size * 0.95))
    for left in range(start, end, step):
        yield from _fitting(text, left, min(left + step, end), settings)


def _fitting(text: str, start: int, end: int, settings: IngestSettings) -> Iterator[_Unit]:
    size = weight(text[start:end], settings)
    if size <= settings.english_size or end - start < 2:
        yield _Unit(start, end, size, 2.0)
        return
    middle = (start + end) // 2
    yield from _fitting(text, start, middle, settings)
    yield from _fitting(text, middle, end, settings)


def _packed(units: Sequence[_Unit], budget: float) -> list[tuple[int, int]]:
    """Runs of units within the budget, as ``[first, last)``, that are evenly filled and broken where breaking is cheap.

    The least sum over the runs of ((weight - target) / budget)² plus the cost of the break after it.
    """
    total = sum(unit.weight for unit in units)
    target = total / max(1, -(-total // budget))
    best = [0.0]
    came_from = [0]
    for last in range(1, len(units) + 1):
        size, least, origin = 0.0, float("inf"), last - 1
        for first in range(last - 1, -1, -1):
            size += units[first].weight
            if size > budget and first < last - 1:
                break
            cost = best[first] + ((size - target) / budget) ** 2
            if cost < least:
                least, origin = cost, first
        best.append(least + (units[last - 1].cost if last < len(units) else 0.0))
        came_from.append(origin)
    runs = []
    last = len(units)
    while last:
        runs.append((came_from[last], last))
        last = came_from[last]
    return runs[::-1]
