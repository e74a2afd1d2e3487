"""Web pages: titles, headings, paragraphs, lists and tables; menus, scripts, footers and banners stay behind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.encoding import decode
from ingest.markdown import heading_line
from ingest.source import Source
from ingest.tables import rows_as_lines
from rag.types import Page, ParsedDocument

_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?\s*([\w-]+)", re.IGNORECASE)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_DROPPED = (
    "script, style, noscript, template, nav, footer, form, button, select, textarea, svg, canvas, iframe, object, "
    "dialog, audio, video, [hidden], [aria-hidden=true], [role=navigation], [role=search], [role=dialog], "
    "[role=contentinfo], [role=alert], [role=banner], sup.reference, .mw-editsection, .noprint, .visually-hidden"
)
_BANNER = re.compile(
    r"(?:^|[-_ ])(?:cookies?|consent|gdpr|advert\w*|ads?|popup|newsletter|subscribe|paywall)(?:$|[-_ ])"
)
_MENU = re.compile(
    r"(?:^|[-_ ])(?:nav\w*|menu\w*|breadcrumbs?|sidebar|toc|footer|header|share|social|related|recommend\w*|pagination"
    r"|pager|tags|login|toolbar|catlinks|language\w*)(?:$|[-_ ])"
)
_BLOCKS = frozenset(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure header hr li main ol"
    " p section summary ul".split()
)
_LAYOUT = "table, h1, h2, h3, h4, p + p"


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a web page; its title is the only main heading, else the page's title, else the name."""
    data = source.read()
    named = _CHARSET.search(data[:4096])
    declared = named[1].decode("ascii").lower() if named else None
    tree = LexborHTMLParser(decode(data, declared, source.encoding))
    title = tree.css_first("title")
    body = tree.body
    if body is None:
        yield ParsedDocument(source.stem, (Page(None, ""),), marked_up=True)
        return
    _drop_furniture(body)
    main = _main(body)
    text = "\n".join(_lines(main))
    heads = main.css("h1")
    named_by = heads[0] if len(heads) == 1 else title
    yield ParsedDocument(_inline(named_by) if named_by else source.stem, (Page(None, _tidy(text)),), marked_up=True)


def _drop_furniture(body: LexborNode) -> None:
    for node in body.css(_DROPPED):
        node.decompose()
    most = len(body.text()) / 2
    for node in body.css("[class], [id]"):
        label = f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}".lower()
        furniture = _BANNER.search(label) or (_MENU.search(label) and _link_share(node) > 0.5)
        if furniture and node.css_first("h1, main, article") is None and len(node.text()) < most:
            node.decompose()


def _link_share(node: LexborNode) -> float:
    """The share of a node's text that is links."""
    total = len(node.text(strip=True))
    return sum(len(link.text(strip=True)) for link in node.css("a")) / total if total else 1.0


def _main(body: LexborNode) -> LexborNode:
    """The element that holds the page's own text, where the page marks one that holds most of it."""
    for selector in ("main", "[role=main]", "article"):
        found = body.css(selector)
        if len(found) == 1 and len(found[0].text()) > len(body.text()) * 0.4:
            return found[0]
    return body


def _lines(node: LexborNode) -> Iterator[str]:
    """The text under a node, one line a block, blocks parted by empty lines."""
    running: list[str] = []
    for child in node.iter(include_text=True):
        tag = child.tag
        if tag == "-text":
            running.append(child.text(deep=False))
        elif tag == "br":
            running.append("\0")
        elif tag in _HEADINGS or tag in _BLOCKS or tag in ("table", "pre"):
            yield from _flushed(running)
            yield from _block(child)
        elif child.css_first("p, div, ul, ol, table, h1, h2, h3, h4, pre") is not None:
            yield from _flushed(running)
            yield from _lines(child)
        elif tag is not None and not tag.startswith(("-", "!", "_")):
            running += _inline_parts(child)
    yield from _flushed(running)


def _block(node: LexborNode) -> Iterator[str]:
    tag = node.tag or ""
    if tag in _HEADINGS:
        text = _inline(node)
        yield from ["", heading_line(_HEADINGS[tag], text), ""] if text else []
    elif tag == "pre":
        yield from ["", "```", node.text().strip("\n"), "```", ""]
    elif tag == "table":
        yield from ["", *_table(node), ""]
    elif tag == "li":
        lines = [line for line in _lines(node) if line]
        more = (line if line.startswith("- ") else f"  {line}" for line in lines[1:])
        yield from [f"- {lines[0]}", *more] if lines else []
    else:
        yield from ["", *_lines(node), ""]


def _flushed(running: list[str]) -> Iterator[str]:
    """The inline text gathered so far, then forgotten."""
    text = "".join(running)
    running.clear()
    yield from (line for part in text.split("\0") if (line := _spaces(part)))


def _inline_parts(node: LexborNode) -> Iterator[str]:
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            yield child.text(deep=False)
        elif child.tag == "br":
            yield "\0"
        else:
            yield from _inline_parts(child)


def _inline(node: LexborNode) -> str:
    return _spaces("".join(_inline_parts(node)).replace("\0", " "))


def _spaces(text: str) -> str:
    text = re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])[ \t]*\n\s*(?=[\u3000-\u9fff\uff00-\uffef])", "", text)
    return " ".join(text.split())


def _table(table: LexborNode) -> Iterator[str]:
    if table.attributes.get("role") == "presentation" or table.css_first(f":is({_LAYOUT})") not in (None, table):
        if any(inner != table for inner in table.css("table, h1, h2, h3, h4")):
            for cell in table.css("caption, td, th"):
                if _owner(cell) == table:
                    yield from ["", *_lines(cell), ""]
            return
    rows = [row for row in table.css("tr") if _owner(row) == table]
    if caption := table.css_first("caption"):
        yield _inline(caption)
    cells = [[cell for cell in row.iter() if cell.tag in ("td", "th")] for row in rows]
    kinds = [[cell.tag for cell in row] for row in cells if row]
    if kinds and sum(kind[:2] == ["th", "td"] for kind in kinds) > len(kinds) / 2 and "td" in kinds[0]:
        yield from (_labelled([_cell(cell) for cell in row]) for row in cells if row)
        return
    several = max(map(len, kinds), default=0) > 1
    yield from rows_as_lines(_grid(cells), header=several)


def _owner(node: LexborNode) -> LexborNode | None:
    """The table that a row or cell belongs to."""
    parent = node.parent
    while parent is not None and parent.tag != "table":
        parent = parent.parent
    return parent


def _labelled(cells: list[str]) -> str:
    """A row that begins with its own name, as in a fact sheet."""
    name, values = cells[0], "; ".join(cell for cell in cells[1:] if cell)
    return f"{name}: {values}" if name and values else name or values


def _grid(rows: list[list[LexborNode]]) -> list[list[str]]:
    """The cells' texts, those that span rows or columns set into each place that they cover."""
    grid: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}
    for row in rows:
        line: list[str] = []
        for cell in row:
            _take_hanging(line, hanging)
            text, down = _cell(cell), _span(cell, "rowspan")
            for offset in range(_span(cell, "colspan")):
                if down > 1:
                    hanging[len(line)] = (down - 1, text)
                line.append(text if not offset or all(c.tag == "th" for c in row) else "")
        _take_hanging(line, hanging)
        grid.append(line)
    return grid


def _take_hanging(line: list[str], hanging: dict[int, tuple[int, str]]) -> None:
    while (column := len(line)) in hanging:
        left, text = hanging.pop(column)
        line.append(text)
        if left > 1:
            hanging[column] = (left - 1, text)


def _span(cell: LexborNode, name: str) -> int:
    value = cell.attributes.get(name) or "1"
    return max(1, min(int(value), 100)) if value.isdecimal() else 1


def _cell(cell: LexborNode) -> str:
    return " ".join(line.strip() for line in _lines(cell) if line).replace(" - ", ", ").removeprefix("- ")


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip()
