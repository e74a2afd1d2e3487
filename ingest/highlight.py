"""Where quoted words stand on a page, found by their letters whatever became of blanks, hyphens, ligatures and order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from ingest.tables import is_row
from rag.text import CJK_CHARACTER

Box = tuple[float, float, float, float]  # left, top, right, bottom; downwards
Range = tuple[int, int]
_ENOUGH = 0.5  # of the quoted letters; a page with fewer holds other words
_CONTEXT = 200  # characters before the quoted words that tell one place of them from another
_SHORT = 12  # letters, up to which a piece must be whole words; three for a Chinese one
_CJK_WEIGHT = 3
_RUN = 20  # letters in a row that are no chance: "are on the second" stands on many a page
_MOST_PLACES = 50  # of one piece that are compared
_NEAR = 3.0  # lines: a short piece farther from the others is another one
_SENTENCE_END = re.compile(r"\n|(?<=[.!?;])\s+|(?<=[。！？；])")
_CELL_END = re.compile(r"; |\|")


@dataclass(frozen=True, slots=True)
class Glyph:
    """A character of a page and its box, none where it is not seen."""

    text: str
    box: Box | None


@dataclass(frozen=True, slots=True)
class _Page:
    """The letters of a page, and for each the number of its glyph."""

    glyphs: Sequence[Glyph]
    letters: str
    places: Sequence[int]

    def box(self, place: Range) -> Box:
        """The box of the letters' first line."""
        return next(iter(self.boxes(place)), (0.0, 0.0, 0.0, 0.0))

    def boxes(self, place: Range) -> list[Box]:
        """A box for each line that the letters stand on."""
        first, last = self.places[place[0]], self.places[place[1] - 1]
        return _by_line(glyph.box for glyph in self.glyphs[first : last + 1] if glyph.box)


def find(glyphs: Sequence[Glyph], text: str, start: int, end: int) -> tuple[list[Box], float]:
    """The boxes of ``text[start:end]``, a line each, and the share of its letters found; none below half of them.

    The rest of ``text`` tells the right place from others with the same words.
    """
    page = _Page(glyphs, *_letters([glyph.text for glyph in glyphs]))
    quote = _letters(text[start:end])[0]
    if not quote or not page.letters:
        return [], 0.0
    before = _letters(text[max(0, start - _CONTEXT) : start])[0]
    if places := _places(page, quote):
        best = max(places, key=lambda place: _common_end(page.letters[: place[0]], before))
        return page.boxes(best), 1.0
    pieces = _pieces(text[start:end])
    found = _in_pieces(page, pieces)
    share = sum(last - first for first, last in found) / max(sum(map(len, pieces)), 1)
    return ([box for place in sorted(found) for box in page.boxes(place)] if share >= _ENOUGH else []), share


def _letters(characters: Sequence[str]) -> tuple[str, list[int]]:
    """Letters and digits without accents, width or case, each with its place; a mark between two digits is kept."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(characters):
        plain = unicodedata.normalize("NFKD", character).casefold()
        kept = [letter for letter in plain if letter.isalnum()]
        if character in (".", ",") and 0 < place < len(characters) - 1:
            kept = [character] * (characters[place - 1].isdigit() and characters[place + 1].isdigit())
        letters += kept
        places += [place] * len(kept)
    return "".join(letters), places


def _places(page: _Page, piece: str) -> list[Range]:
    """Where a piece stands on the page; a short one only as whole words."""
    found: list[Range] = []
    at = page.letters.find(piece)
    while at >= 0 and len(found) < _MOST_PLACES:
        end = at + len(piece)
        if _weight(piece) > _SHORT or not (_inside_a_word(page, at) or _inside_a_word(page, end)):
            found.append((at, end))
        at = page.letters.find(piece, at + 1)
    return found


def _inside_a_word(page: _Page, at: int) -> bool:
    """Whether a word or number goes on from the letter before ``at`` to the one there."""
    if not 0 < at < len(page.letters) or CJK_CHARACTER.match(page.letters[at - 1] + page.letters[at]):
        return False
    return page.places[at] - page.places[at - 1] <= 1


def _pieces(quote: str) -> list[str]:
    """The letters of each sentence of a quotation, or of each value where a line is a table's row."""
    parts: list[str] = []
    for line in quote.split("\n"):
        if is_row(line):
            parts += (cell.partition(": ")[2] or cell for cell in _CELL_END.split(line))
        else:
            parts += _SENTENCE_END.split(line)
    return [letters for part in parts if (letters := _letters(part)[0])]


def _in_pieces(page: _Page, pieces: Sequence[str]) -> list[Range]:
    """The places of the pieces that belong together: the longest first, the others where they are nearest to it."""
    places = {piece: _places(page, piece) for piece in pieces}
    found: list[Range] = []
    for piece in sorted(pieces, key=len, reverse=True):
        candidates = [place for place in places[piece] if place not in found]
        if not candidates:
            found += _runs(page, piece)
        elif not found:
            found.append(max(candidates, key=lambda place: _companions(page, place, list(places.values()))))
        else:
            apart, nearest = min((_distance(page, place, other), place) for place in candidates for other in found)
            if apart <= _NEAR or _weight(piece) > _SHORT:
                found.append(nearest)
    return found


def _companions(page: _Page, place: Range, others: Sequence[Sequence[Range]]) -> int:
    """How many of the pieces stand on the same line."""
    return sum(any(_distance(page, place, other) < 1 for other in candidates) for candidates in others)


def _distance(page: _Page, one: Range, other: Range) -> float:
    """How far apart two places are, in lines; on one line by a small part of one."""
    (left, top, right, bottom), (left_2, top_2, right_2, bottom_2) = page.box(one), page.box(other)
    height = max(bottom - top, bottom_2 - top_2, 1e-6)
    sideways = max(left_2 - right, left - right_2, 0.0)
    return abs(bottom + top - bottom_2 - top_2) / 2 / height + sideways / (1000 * height)


def _runs(page: _Page, piece: str) -> Iterator[Range]:
    """The longest stretches of a piece that the page does hold, of the weight of a few words."""
    same = SequenceMatcher(None, page.letters, piece, autojunk=False).find_longest_match()
    if _weight(piece[same.b : same.b + same.size]) < _RUN:
        return
    yield same.a, same.a + same.size
    yield from _runs(page, piece[: same.b])
    yield from _runs(page, piece[same.b + same.size :])


def _weight(letters: str) -> int:
    return len(letters) + (_CJK_WEIGHT - 1) * len(CJK_CHARACTER.findall(letters))


def _common_end(one: str, other: str) -> int:
    length = 0
    while length < min(len(one), len(other)) and one[-1 - length] == other[-1 - length]:
        length += 1
    return length


def _by_line(boxes: Iterator[Box]) -> list[Box]:
    """Boxes of letters in order, those that stand close together on one line as one."""
    lines: list[Box] = []
    for box in boxes:
        if lines and _goes_on(lines[-1], box):
            last = lines[-1]
            box = (min(last[0], box[0]), min(last[1], box[1]), max(last[2], box[2]), max(last[3], box[3]))
            lines.pop()
        lines.append(box)
    return lines


def _goes_on(last: Box, box: Box) -> bool:
    """Whether a letter stands beside the ones before it, or below them where the text runs down the page."""
    size = max(min(last[3] - last[1], last[2] - last[0]), box[3] - box[1], 1e-6)
    across = min(last[3], box[3]) - max(last[1], box[1])
    down = min(last[2], box[2]) - max(last[0], box[0])
    if across > 0.5 * min(last[3] - last[1], box[3] - box[1]):
        return max(box[0] - last[2], last[0] - box[2]) <= 2 * size
    return (
        down > 0.8 * min(last[2] - last[0], box[2] - box[0])
        and 0 <= max(box[1] - last[3], last[1] - box[3]) <= 0.3 * size
    )
