"""XML: feeds entry by entry; other documents by their titles and paragraphs; data as ``name: value``, a record a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.entities import html5
from typing import Any

from lxml import etree

from ingest.encoding import decode
from ingest.loaders.html import page_text
from ingest.markdown import heading_line
from ingest.source import Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_NAMED_ENCODING = re.compile(rb"<\?xml[^>]+?encoding\s*=\s*[\"']([\w.:-]+)")
_OWN_TYPE = re.compile(r"<!DOCTYPE[^>\[]*\[", re.IGNORECASE)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_BARE_AMPERSAND = re.compile(r"&(?!#?\w+;)")
_XML_ENTITIES = frozenset(("amp", "lt", "gt", "quot", "apos"))
_FEEDS = frozenset(("rss", "feed", "RDF"))
_PROSE = frozenset("p para simpara formalpara paragraph sect1 sect2 sect3 section chapter article div body".split())
_TITLES = frozenset("title head heading caption".split())
_CODE = frozenset("programlisting screen literallayout".split())
_ITEMS = frozenset("listitem item li".split())
_UNSHOWN = frozenset("script style template comment".split())
# Attributes for programs, not for readers.
_TECHNICAL = frozenset("id class style href src rel type lang xmlns version encoding".split())
_MOST_LEAVES = 60  # of a record on one line
_TICK = 1000


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of an XML file, titled by its feed or its first title, else its name. Raises IngestError."""
    root, warnings = _parsed(source)
    blocks = []
    for block in _feed(root) if _name(root) in _FEEDS else _prose(root, 1):
        blocks.append(block)
        if len(blocks) % _TICK == 0:
            source.tick()
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(blocks)).strip()
    yield ParsedDocument(_title(root) or source.stem, (Page(None, text),), warnings, marked_up=True)


def _title(root: Any) -> str:
    """The first title that is a document's or a feed's, and no field of a record."""
    for element in root.iter():
        if _name(element) in _TITLES and (parent := element.getparent()) is not None and (title := _flat(element)):
            if _name(root) in _FEEDS or not _is_record(parent, list(parent)):
                return title
    return ""


def _parsed(source: Source) -> tuple[Any, tuple[str, ...]]:
    """The root element; no entity of the file's own is expanded and nothing outside it is ever read."""
    data = source.read()
    if not data.strip():
        raise IngestError("the file is empty: there is no XML in it")
    named = _NAMED_ENCODING.search(data[:1024])
    text = decode(data, named[1].decode("ascii") if named else None, source.encoding)
    text = _DECLARATION.sub("", text).lstrip()
    if _OWN_TYPE.search(text[:100_000]):
        raise IngestError("its document type declares entities of its own, which could be a trap: not read")
    text = _ENTITY.sub(_known_entity, text)
    for recover in (False, True):
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True,
            remove_pis=True, recover=recover, encoding="utf-8",
        )  # fmt: skip
        try:
            root = etree.fromstring((_BARE_AMPERSAND.sub("&amp;", text) if recover else text).encode(), parser)
        except etree.XMLSyntaxError as error:
            if recover or "depth" in str(error).lower() or "huge" in str(error).lower():
                raise IngestError(f"the XML is damaged: {error.msg}") from None
            problem = error
            continue
        if root is None:
            raise IngestError(f"the XML is damaged: {problem.msg}")
        return root, (f"not well-formed, read as far as it makes sense: {problem.msg}",) if recover else ()
    raise AssertionError("the second parser gives a tree or raises")


def _known_entity(match: re.Match[str]) -> str:
    """The character of a name that web pages have and XML has not, such as &nbsp;."""
    name = match[1]
    return match[0] if name in _XML_ENTITIES else html5.get(f"{name};", match[0])


def _feed(root: Any) -> Iterator[str]:
    """RSS, RSS 1.0 and Atom: the feed's own words, then each entry under its title."""
    channel = _child(root, "channel")
    about = channel if channel is not None else root
    if title := _said(about, "title"):
        yield from (heading_line(1, title), "")
    if words := _said(about, "description", "subtitle", "tagline"):
        yield from (words, "")
    for entry in root.iter(*(f"{{*}}{name}" for name in ("item", "entry"))):
        when = _said(entry, "pubDate", "date", "published", "updated", "issued", "modified")
        line = " · ".join(filter(None, (when, _said(entry, "creator", "author"))))
        if title := _said(entry, "title") or line:
            yield from (heading_line(2, title), "")
        if line and line != title:
            yield from (line, "")
        yield from (_said(entry, "encoded", "content", "description", "summary"), "")


def _said(element: Any, *names: str) -> str:
    """The text of the first child of such a name that has one, out of HTML where that is what it holds."""
    for name in names:
        for child in element:
            if _name(child) == name and (text := _written(child)):
                return text
    return ""


def _written(element: Any) -> str:
    if _name(element) == "author" and len(element):
        return _said(element, "name") or _flat(element)
    if len(element):  # XHTML that stands in the feed as it is
        return page_text(etree.tostring(element, encoding="unicode", with_tail=False))[1]
    text = (element.text or "").strip()
    return page_text(text)[1] if "<" in text or "&" in text else " ".join(text.split())


def _prose(element: Any, depth: int) -> Iterator[str]:
    """The text under an element in order."""
    name = _name(element)
    if not name or name in _UNSHOWN:
        return
    children = [child for child in element if _name(child)]
    if name in _CODE:
        yield from ("", "```", "".join(element.itertext()).strip("\n"), "```", "")
    elif name in _TITLES and element.getparent() is not None:
        yield from ("", heading_line(depth - 1, _flat(element)), "") if _flat(element) else ()
    elif _is_paragraph(element, children):
        mark = "- " if element.getparent() is not None and _name(element.getparent()) in _ITEMS else ""
        yield from ("", f"{mark}{_flat(element)}") if not mark else (f"{mark}{_flat(element)}",)
    elif not children:
        yield from _leaf(element)
    elif _is_record(element, children):
        yield "; ".join(part for child in (element, *children) for part in _parts(child, own=child is not element))
    else:
        if attributes := list(_parts(element, own=False)):
            yield from ("", "; ".join(attributes))
        for child in children:
            yield from _prose(child, depth + 1)


def _leaf(element: Any) -> Iterator[str]:
    if parts := list(_parts(element, own=True)):
        yield "; ".join(parts)


def _parts(element: Any, *, own: bool) -> Iterator[str]:
    """An element's attributes and, with ``own``, its text, each behind its name."""
    for key, value in element.attrib.items():
        if "}" not in key and key.lower() not in _TECHNICAL and value.strip():
            yield f"{key}: {' '.join(value.split())}"
    if own and (text := _flat(element)):
        yield f"{_name(element)}: {text}"


def _is_paragraph(element: Any, children: list[Any]) -> bool:
    """Whether an element is running text: by its name, or because words stand between its parts."""
    mixed = bool((element.text or "").strip()) or any((child.tail or "").strip() for child in children)
    blocks = any(_name(part) in _PROSE for child in children for part in child.iter())
    if blocks:
        return False
    return (mixed and bool(children)) or (
        _name(element) in _PROSE and not any(len(child) for child in children) and mixed
    )


def _is_record(element: Any, children: list[Any]) -> bool:
    """Whether an element is a row of data: several named values and nothing deeper."""
    names = {_name(child) for child in children}
    return (
        not any(len(child) for child in children)
        and not names & _PROSE
        and 1 < len(children) <= _MOST_LEAVES
        and len(names) > 1
    )


def _child(element: Any, name: str) -> Any:
    return next((child for child in element if _name(child) == name), None)


def _flat(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _name(element: Any) -> str:
    """The local name of an element, "" for what is none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
