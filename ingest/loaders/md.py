"""Markdown as a reader sees it: text, headings, lists and code stay; front matter, HTML and pictures become their words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from ingest.encoding import read_text
from ingest.loaders.html import page_text
from ingest.markdown import headings
from ingest.source import Source
from ingest.tables import rows_as_lines
from rag.types import Page, ParsedDocument

_FRONT_MATTER = re.compile(r"\ufeff?(---|\+\+\+)[ \t]*\n(.*?\n)(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE)
_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`)[^\n]*?(?<!`)\1(?!`)")
_PICTURE = re.compile(r"!\[([^\]\n]*)\](?:\([^()\s]*(?:\([^()]*\)[^()\s]*)?(?:\s+\"[^\"\n]*\")?\)|\[[^\]\n]*\])")
_UNDERLINED = re.compile(r"(^|\n\n)([^\n#>|`~\-*\d\s][^\n|]*)\n(=+|-{3,})[ \t]*(?=\n|\Z)")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_HTML_TABLE = re.compile(r"<table\b.*?</table\s*>", re.IGNORECASE | re.DOTALL)
_UNSHOWN = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_HTML_PICTURE = re.compile(r"<img\b[^<>]*?\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')[^<>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[\da-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|hr)\s*/?>|</?(?:p|div|li|tr|center|summary|details|h[1-6])\b[^<>]*>", re.IGNORECASE)
_ROW = re.compile(r"^.*\|.*$", re.MULTILINE)
# Names of tags, so that List<String> and <https://example.org> stay what they are.
_TAG = re.compile(
    r"</?(?:a|abbr|article|b|big|blockquote|caption|cite|code|dd|del|dfn|dl|dt|em|figcaption|figure|font|i|img|ins|kbd|mark|ol"
    r"|picture|pre|q|s|samp|section|small|source|span|strike|strong|sub|sup|td|th|tbody|thead|table|tt|u|ul|var|video|wbr)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a Markdown file; its title is the front matter's, else the first heading's, else the name."""
    text = read_text(source).replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    title = ""
    if front := _FRONT_MATTER.match(text):
        text = text[front.end() :]
        if named := _TITLE.search(front[2]):
            title = named[1]
    text = readable(text)
    first = next(headings(text), None)
    title = title or (first.text if first and first.level == 1 else source.stem)
    yield ParsedDocument(title=title, pages=(Page(None, text),), marked_up=True)


def readable(text: str) -> str:
    """Markdown with each table row on a line that keeps its column names, and without HTML; code stays as it is."""
    parts, end = [], 0
    for fence in _FENCED.finditer(text):
        parts += [_prose(text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, _prose(text[end:])])


def _prose(text: str) -> str:
    text = _UNSHOWN.sub("", text)
    text = _HTML_TABLE.sub(lambda table: f"\n{page_text(table[0])[1]}\n", text)
    text = _ROW.sub(lambda row: _BREAK.sub(" ", row[0]), text)  # a table's row must stay one line
    text = _outside_code(text)
    text = _UNDERLINED.sub(lambda m: f"{m[1]}{'#' if m[3][0] == '=' else '##'} {m[2]}", text)
    return "\n".join(_with_rows(text.split("\n")))


def _outside_code(text: str) -> str:
    """The text with pictures, tags and entities as what is seen of them, but for what stands between backquotes."""
    parts, end = [], 0
    for code in _CODE.finditer(text):
        parts += [_seen(text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, _seen(text[end:])])


def _seen(text: str) -> str:
    text = _PICTURE.sub(r"\1", text)
    if "<" in text:
        text = _HTML_PICTURE.sub(lambda picture: picture[1] or picture[2] or "", text)
        text = _TAG.sub("", _BREAK.sub("\n", text))
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _with_rows(lines: list[str]) -> Iterator[str]:
    """The lines, those of tables as rows with their column names."""
    place = 0
    while place < len(lines):
        ruled = place + 1 < len(lines) and "|" in lines[place] and "-" in lines[place + 1]
        if not ruled or not _TABLE_RULE.fullmatch(lines[place + 1]) or "|" not in lines[place + 1] + lines[place]:
            yield lines[place]
            place += 1
            continue
        end = place + 2
        while end < len(lines) and "|" in lines[end] and lines[end].strip():
            end += 1
        rows = [_cells(line) for number, line in enumerate(lines[place:end]) if number != 1]
        yield from rows_as_lines(rows, header=1)
        place = end


def _cells(line: str) -> list[str]:
    line = line.strip().removeprefix("|")
    line = line[:-1] if line.endswith("|") and not line.endswith("\\|") else line
    cells, cell, code = [], "", False
    for before, character in zip(" " + line, line, strict=False):
        code ^= character == "`"
        if character == "|" and before != "\\" and not code:
            cells.append(cell)
            cell = ""
        else:
            cell += character
    return [part.replace("\\|", "|").strip() for part in [*cells, cell]]
