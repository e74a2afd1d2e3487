"""reStructuredText: read by docutils, with nothing included, run or fetched; sections, lists, tables and code as text."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

from docutils import nodes
from docutils.core import publish_doctree

from ingest.encoding import read_text
from ingest.markdown import heading_line
from ingest.source import Source
from ingest.tables import rows_as_lines
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

_SETTINGS: dict[str, Any] = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "doctitle_xform": False,
    "docinfo_xform": False,
    "report_level": 5,
    "halt_level": 5,
    "input_encoding": "unicode",
    "syntax_highlight": "none",
    "line_length_limit": 1_000_000,
}
# What documentation tools add to the language: a role's text is what is read, a directive's content likewise.
_ROLE = re.compile(r":[A-Za-z][\w:+.-]*:`([^`<]*?)\s*(?:<([^`]*)>)?`", re.DOTALL)
_DIRECTIVE = re.compile(r"\.\.\s+(?:\|[^|]*\|\s+)?([\w:+.-]+)::[ \t]*(.*)")
_OPTION = re.compile(r":[\w-]+:(?: .*)?")
# Directives whose content is no text: lists of files, of names to import, of settings.
_UNREAD = re.compile(
    r"toctree|auto\w+|index|contents|include|literalinclude|csv-table|raw|highlight|currentmodule|meta|tabularcolumns"
)
_SKIPPED = (
    nodes.comment, nodes.substitution_definition, nodes.target, nodes.raw, nodes.pending, nodes.decoration, nodes.meta,
    nodes.docinfo, nodes.label, nodes.colspec,
)  # fmt: skip
_DEEPEST = 4  # of content that stands in directives of other tools


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a reStructuredText file, titled by its first heading, else its name."""
    tree = _parsed(read_text(source), source)
    try:
        lines = list(_Writer(source).lines(tree, 0))
    except RecursionError:
        raise IngestError("the file is nested too deeply to be read") from None
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    first = next((" ".join(title.astext().split()) for title in tree.findall(nodes.title)), "")
    yield ParsedDocument(first or source.stem, (Page(None, text),), marked_up=True)


def _parsed(text: str, source: Source) -> nodes.document:
    try:
        return publish_doctree(
            text, source_path=source.name, settings_overrides={**_SETTINGS, "warning_stream": io.StringIO()}
        )
    except RecursionError:
        raise IngestError("the file is nested too deeply to be read") from None
    except Exception as error:  # docutils has no one kind of error for what it trips over
        raise IngestError(
            f"the file cannot be read as reStructuredText: {' '.join(str(error).split())[:200]}"
        ) from None


class _Writer:
    """Turns a document tree into lines of text."""

    def __init__(self, source: Source, depth: int = 0) -> None:
        self._source = source
        self._depth = depth
        self._by_kind: dict[type[nodes.Node], Callable[[Any, int], Iterator[str]]] = {
            nodes.title: self._heading, nodes.rubric: self._paragraph, nodes.paragraph: self._paragraph,
            nodes.literal_block: self._code, nodes.doctest_block: self._code, nodes.math_block: self._paragraph,
            nodes.bullet_list: self._list, nodes.enumerated_list: self._list, nodes.table: self._table,
            nodes.definition_list_item: self._pair, nodes.field: self._pair, nodes.option_list_item: self._pair,
            nodes.image: self._image, nodes.line: self._line, nodes.system_message: self._other_tools,
            nodes.topic: self._topic, nodes.footnote: self._note, nodes.citation: self._note, nodes.line_block: self._poem,
        }  # fmt: skip

    def lines(self, node: nodes.Element, level: int) -> Iterator[str]:
        """The lines under a node, ``level`` sections deep."""
        for child in node.children:
            if isinstance(child, _SKIPPED):
                continue
            if isinstance(child, nodes.section):
                self._source.tick()
                yield from self.lines(child, level + 1)
            elif write := self._by_kind.get(type(child)):
                yield from write(child, level)
            elif isinstance(child, nodes.Admonition) and not isinstance(child, nodes.admonition):
                yield from ("", f"{type(child).__name__.capitalize()}:")
                yield from self.lines(child, level)
            elif isinstance(child, nodes.Element):
                yield from self.lines(child, level)

    def _heading(self, node: nodes.Element, level: int) -> Iterator[str]:
        if isinstance(node.parent, nodes.section):
            yield from ("", heading_line(level, _inline(node)), "")
        else:
            yield from ("", _inline(node))

    def _paragraph(self, node: nodes.Element, level: int) -> Iterator[str]:
        yield from ("", _inline(node))

    def _line(self, node: nodes.Element, level: int) -> Iterator[str]:
        yield _inline(node)

    def _poem(self, node: nodes.Element, level: int) -> Iterator[str]:
        yield ""
        yield from self.lines(node, level)

    def _code(self, node: nodes.Element, level: int) -> Iterator[str]:
        yield from ("", "```", node.astext().strip("\n"), "```", "")

    def _list(self, node: nodes.Element, level: int) -> Iterator[str]:
        yield ""
        first = int(node.get("start", 1))
        for number, item in enumerate(node.children, start=first):
            mark = f"{number}. " if isinstance(node, nodes.enumerated_list) else "- "
            lines = [line for line in self.lines(item, level) if line]
            if lines:
                yield f"{mark}{lines[0]}"
                yield from (f"  {line}" for line in lines[1:])
        yield ""

    def _pair(self, node: nodes.Element, level: int) -> Iterator[str]:
        """A term and what is said of it, on one line where that is one line."""
        *terms, body = node.children
        name = " ".join(_inline(term) for term in terms)
        lines = [line for line in self.lines(body, level) if line]
        if len(lines) == 1:
            yield f"{name}: {lines[0]}"
        else:
            yield from ("", name, *lines)

    def _note(self, node: nodes.Element, level: int) -> Iterator[str]:
        label = next((f"[{label.astext()}] " for label in node.findall(nodes.label)), "")
        yield from ("", label + " ".join(line for line in self.lines(node, level) if line))

    def _topic(self, node: nodes.Element, level: int) -> Iterator[str]:
        if "contents" not in node.get("classes", []):
            yield from self.lines(node, level)

    def _image(self, node: nodes.Element, level: int) -> Iterator[str]:
        yield from ("", node["alt"]) if node.get("alt") else ()

    def _table(self, node: nodes.Element, level: int) -> Iterator[str]:
        yield ""
        yield from (_inline(title) for title in node.children if isinstance(title, nodes.title))
        heads = sum(len(head.children) for head in node.findall(nodes.thead))
        grid = self._grid(list(node.findall(nodes.row)), level)
        yield from rows_as_lines(grid, header=heads or False)
        yield ""

    def _grid(self, rows: list[nodes.row], level: int) -> list[list[str]]:
        """The cells' texts, those that span rows or columns in each place that they cover."""
        grid: list[list[str]] = []
        hanging: dict[int, tuple[int, str]] = {}
        for row in rows:
            line: list[str] = []
            entries = iter(row.children)
            while True:
                if len(line) in hanging:
                    left, text = hanging.pop(len(line))
                    entry: Any = None
                else:
                    entry = next(entries, None)
                    if entry is None:
                        break
                    left, text = entry.get("morerows", 0), " ".join(part for part in self.lines(entry, level) if part)
                for _ in range(1 + (entry.get("morecols", 0) if entry is not None else 0)):
                    if left:
                        hanging[len(line)] = (left - 1, text)
                    line.append(text)
            grid.append(line)
        return grid

    def _other_tools(self, node: nodes.Element, level: int) -> Iterator[str]:
        """What stands in a directive that only another tool knows."""
        for block in node.findall(nodes.literal_block):
            head, _, content = block.astext().partition("\n")
            match = _DIRECTIVE.match(head)
            if not match or _UNREAD.fullmatch(match[1].split(":")[-1]) or self._depth >= _DEEPEST:
                continue
            body = [line for line in _dedented(content) if not _OPTION.fullmatch(line)]
            inner = f"{match[2]}\n\n" + "\n".join(body)
            if "code" in match[1] or match[1] in ("prompt", "graphviz", "mermaid"):
                yield from ("", "```", "\n".join(body).strip("\n"), "```", "")
            else:
                yield from _Writer(self._source, self._depth + 1).lines(_parsed(inner, self._source), level)


def _dedented(text: str) -> list[str]:
    lines = text.split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[indent:] for line in lines]


def _inline(node: nodes.Node) -> str:
    """The text of a node on one line, the roles of other tools as their texts."""
    text = "".join(_pieces(node))
    return " ".join(_ROLE.sub(lambda role: role[1] or (role[2] or "").rsplit("/")[-1], text).split())


def _pieces(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Text):
        yield node.astext()
    elif isinstance(node, nodes.image):
        yield node.get("alt", "")
    elif isinstance(node, (nodes.footnote_reference, nodes.citation_reference)):
        yield f"[{node.astext()}]"
    elif not isinstance(node, (*_SKIPPED, nodes.system_message)):
        for child in node.children:
            yield from _pieces(child)
