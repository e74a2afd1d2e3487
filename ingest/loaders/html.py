"""Web pages: titles, headings, paragraphs, lists and tables; menus, scripts, footers and banners stay behind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.encoding import decode
from ingest.html_table import table_lines
from ingest.markdown import heading_line
from ingest.source import Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

_CHARSET = re.compile(
    rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)|\A\s*<\?xml[^>]+encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_DROPPED = (
    "script, style, noscript, template, nav, footer, button, select, textarea, svg, canvas, iframe, object, dialog, "
    "audio, video, datalist, [hidden], [aria-hidden=true], [role=navigation], [role=search], [role=dialog], "
    "[role=alertdialog], [role=contentinfo], [role=alert], [role=menu], [role=menubar], "
    '[style*="display:none"], [style*="display: none"], [style*="visibility:hidden"], [style*="visibility: hidden"], '
    "sup.reference, .mw-editsection, .noprint, .visually-hidden, .sr-only, .screen-reader-text"
)
_BANNER = re.compile(
    r"(?:^|[-_ ])(?:cookies?|consent|gdpr|advert\w*|ads?|popup|newsletter|subscribe|paywall|onetrust)(?:$|[-_ ])"
    r"|cookie(?:consent|notice|banner|bar|law|dialog)"
)
_MENU = re.compile(
    r"(?:^|[-_ ])(?:nav\w*|menu\w*|breadcrumbs?|sidebar|toc|footer|header|share|social|related|recommend\w*|pagination"
    r"|pager|tags|login|toolbar|catlinks|language\w*)(?:$|[-_ ])"
)
_ASKS_CONSENT = re.compile(
    r"\b(?:accept|agree|allow|got it|decline|reject)\b|akzeptieren|ablehnen|accepter|aceptar|接受|同意|拒绝|拒絕", re.I
)
_LONGEST_BANNER = 1200
_BLOCKS = frozenset(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure form header hr li main"
    " ol p section summary ul".split()
)
# What stands for a picture only by its file's name, or says no more than that it is one.
_NO_ALTERNATIVE = re.compile(
    r"[\w%() -]*\.(?:png|jpe?g|gif|webp|svg|bmp|tiff?)|(?:IMG|DSC|DSCN|image|img|photo|picture|icon|logo|图片|圖片)[-_ \d]*",
    re.I,
)
_ICON = 32  # pixels
_DEEPEST = 300
_TOO_DEEP = "the page is nested too deeply to be read"


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a web page; its title is the only main heading, else the page's title, else the name."""
    data = source.read()
    title, text = page_text(decode(data, charset(data), source.encoding))
    yield ParsedDocument(title or source.stem, (Page(None, text),), marked_up=True)


def charset(data: bytes) -> str | None:
    """The encoding that a page names at its beginning."""
    named = _CHARSET.search(data[:4096])
    return (named[1] or named[2]).decode("ascii") if named else None


def page_text(html: str) -> tuple[str, str]:
    """Title (or "") and text of a page or of a piece of one; headings are ``#`` lines. Raises IngestError."""
    tree = LexborHTMLParser(html)
    body = tree.body
    if body is None:
        return "", ""
    _check_depth(body)
    title = tree.css_first("title")
    try:
        _drop_furniture(body)
        main = _main(body)
        text = "\n".join(_lines(main))
        heads = main.css("h1")
        named_by = heads[0] if len(heads) == 1 and _inline(heads[0]) else title
        return _inline(named_by) if named_by else "", re.sub(r"\n{3,}", "\n\n", text).strip()
    except RecursionError:
        raise IngestError(_TOO_DEEP) from None


def _check_depth(body: LexborNode) -> None:
    """Raises IngestError before anything is asked of a page whose nesting would make every question slow."""
    level, depth = [body], 0
    while level:
        level, depth = [child for node in level for child in node.iter()], depth + 1
        if depth > _DEEPEST:
            raise IngestError(_TOO_DEEP)


def _drop_furniture(body: LexborNode) -> None:
    most = len(body.text()) / 2
    for node in body.css("div, section, aside, form"):
        if _asks_consent(node, most):
            node.decompose()
    for node in body.css(_DROPPED):
        node.decompose()
    most = len(body.text()) / 2
    for node in body.css("form, [role=banner]"):
        if node.css_first("h1, main, article") is None and len(node.text()) < most:
            node.decompose()
    for node in body.css("[class], [id]"):
        label = f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}".lower()
        furniture = _BANNER.search(label) or (_MENU.search(label) and _link_share(node) > 0.5)
        if furniture and node.css_first("h1, main, article") is None and len(node.text()) < most:
            node.decompose()


def _asks_consent(node: LexborNode, most: float) -> bool:
    """Whether a node is a cookie banner by what it says: a short text on cookies with a button to agree."""
    text = node.text(separator=" ")
    if len(text) > min(_LONGEST_BANNER, most) or "cookie" not in text.lower():
        return False
    return any(_ASKS_CONSENT.search(button.text()) for button in node.css("button, a, [role=button]"))


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
        elif child.css_first("p, div, ul, ol, dl, table, h1, h2, h3, h4, pre, figure") is not None:
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
        yield from ["", *table_lines(node, _lines), ""]
    elif tag == "li":
        lines = [line for line in _lines(node) if line]
        more = (line if line.startswith("- ") else f"  {line}" for line in lines[1:])
        yield from [f"- {lines[0]}", *more] if lines else []
    elif tag == "dl":
        yield from ["", *_definitions(node), ""]
    else:
        yield from ["", *_lines(node), ""]


def _definitions(node: LexborNode) -> Iterator[str]:
    """A definition list: a term and what follows it on one line where that is one line."""
    term = ""
    for entry in node.css("dt, dd"):
        lines = [line for line in _lines(entry) if line]
        if entry.tag == "dt":
            yield from [term] if term else []
            term = " ".join(lines)
        elif term and len(lines) == 1:
            yield f"{term}: {lines[0]}"
            term = ""
        else:
            yield from ([term] if term else []) + lines
            term = ""
    yield from [term] if term else []


def _flushed(running: list[str]) -> Iterator[str]:
    """The inline text gathered so far, then forgotten."""
    text = "".join(running)
    running.clear()
    yield from (line for part in text.split("\0") if (line := _spaces(part)))


def _inline_parts(node: LexborNode) -> Iterator[str]:
    if node.tag == "img":
        yield _alternative(node)
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            yield child.text(deep=False)
        elif child.tag == "br":
            yield "\0"
        else:
            yield from _inline_parts(child)


def _alternative(picture: LexborNode) -> str:
    """What a picture shows, in the page's words; nothing for ornaments."""
    words = " ".join((picture.attributes.get("alt") or "").split())
    sizes = [value for name in ("width", "height") if (value := picture.attributes.get(name) or "").isdecimal()]
    if any(int(value) <= _ICON for value in sizes):
        return ""
    return f" {words} " if words and not _NO_ALTERNATIVE.fullmatch(words) else ""


def _inline(node: LexborNode) -> str:
    return _spaces("".join(_inline_parts(node)).replace("\0", " "))


def _spaces(text: str) -> str:
    text = re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])[ \t]*\n\s*(?=[\u3000-\u9fff\uff00-\uffef])", "", text)
    return " ".join(text.split())
