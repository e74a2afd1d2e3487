"""Lines of a printed page put back together into the paragraphs that they were broken from."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from ingest.tables import is_row

_CJK = "\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60\uffe0-\uffe6"
_WIDE = re.compile(f"[{_CJK}]")
_SINGLES = re.compile(f"(?:(?<=[{_CJK}])|(?<=^)) *[{_CJK}](?: [{_CJK}]){{2,}}(?![^ \n])", re.MULTILINE)
_BETWEEN_SCRIPTS = re.compile(f"(?<=[{_CJK}]) +(?=[0-9A-Za-z])|(?<=[0-9A-Za-z%]) +(?=[{_CJK}])")
_ITEM = re.compile(
    r"[•●○■□▪◆◇►▶➢❖✓·∙‣–—*-]\s|[(（]?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[)）.、](?!\d)|[(（]?[一二三四五六七八九十]{1,3}[)）、.]"
    r"|第[一二三四五六七八九十百零〇\d]+[章节条编篇]\s|[A-Za-z]{1,3}--"
)
_NUMBERED = re.compile(r"\d+(?:\.\d+)+\s")  # "1.4.2 Scope", but within a sentence "about\n6.66 million"
_ENDS = re.compile(r"[。！？；：…!?:][”’」』）)\"']*$|[.;][”’)\"'\]]*$")
_HYPHENATED = re.compile(r"([^\W\d_]+)-$")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_PREFIXES = frozenset("all cross end high large long low non open real self short single state two well".split())
_FULL = 0.72  # of the usual line width: a line this long was broken by the margin, not by its writer


def unwrap(text: str, words: Collection[str] = ()) -> str:
    """A page's text with wrapped lines joined; ``words`` are the compounds that the document writes with a hyphen."""
    lines = [" ".join(re.sub("\u00ad$", "-", line.rstrip()).replace("\u00ad", "").split()) for line in text.split("\n")]
    full = _usual_width(lines) * _FULL
    paragraphs: list[str] = []
    last = ""
    for line in lines:
        if last and line and _goes_on(last, line, full):
            paragraphs[-1] = _joined(paragraphs[-1], line, words)
        else:
            paragraphs.append(line)
        last = line
    return _tidy("\n".join(paragraphs))


def words_of(text: str) -> frozenset[str]:
    """The hyphenated words that a document writes within its lines, in lower case."""
    return frozenset(word.lower() for word in re.findall(r"[^\W\d_]+-[^\W\d_]+", text))


def width(text: str) -> int:
    """The room that a text takes, a Chinese character counting two."""
    return len(text) + len(_WIDE.findall(text))


def _usual_width(lines: Sequence[str]) -> float:
    """The width that nine of ten lines of running text stay within."""
    widths = sorted(width(line) for line in lines if line and not is_row(line))
    return widths[int(len(widths) * 0.9)] if len(widths) > 2 else 0.0


def _goes_on(line: str, following: str, full: float) -> bool:
    if (
        not full
        or is_row(line)
        or is_row(following)
        or _ITEM.match(following)
        or (_NUMBERED.match(following) and _ENDS.search(line))
    ):
        return False
    if width(line) >= full:
        return True
    continues = following[0].islower() and not _ENDS.search(line)
    return (continues and width(line) >= full / 2) or (_HYPHENATED.search(line) is not None and following[0].islower())


def _joined(start: str, line: str, words: Collection[str]) -> str:
    if (broken := _HYPHENATED.search(start)) and (first := _FIRST_WORD.match(line)) and line[0].islower():
        kept = broken[1].lower() in _PREFIXES or f"{broken[1]}-{first[0]}".lower() in words
        return start + line if kept else start[:-1] + line
    if broken and line[0].isalpha():
        return start + line
    if _WIDE.match(start[-1]) and _WIDE.match(line[0]):
        return start + line
    return f"{start} {line}"


def _tidy(text: str) -> str:
    """Blanks that only the setting of the page put between characters taken out."""
    text = _SINGLES.sub(lambda match: match[0].replace(" ", ""), text)
    text = _BETWEEN_SCRIPTS.sub("", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")
