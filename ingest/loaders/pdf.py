"""PDF with pypdf, page by page; a text layer that is no language is left out, and said so."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pypdf import PageObject, PasswordType, PdfReader
from pypdf.errors import DependencyError, PyPdfError

from ingest.paragraphs import unwrap, words_of
from ingest.quality import DOUBTFUL, GARBAGE, quality
from ingest.source import Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

logging.getLogger("pypdf").setLevel(logging.CRITICAL)
_SYMBOL_BULLETS = re.compile(r"^(\s*)[\uf06c\uf0b7\uf06e\uf0a7\uf0d8\uf075\uf077\uf09f\uf0a8]\s*", re.MULTILINE)
_NUMBER = re.compile(r"[0-9]{1,9}")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_JUNK_TITLE = re.compile(
    r"untitled|microsoft word|\(?anonymous|无标题|文档\d*$|.*\.(docx?|pptx?|indd|dvi|tex|cdr)$", re.IGNORECASE
)
_UNREADABLE = (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError, OverflowError,
               RecursionError, NotImplementedError, UnicodeError, OSError)  # fmt: skip


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a PDF, a Page for each of its pages, blank ones included."""
    reader, pages = _open(source)
    raw: list[str] = []
    failed: list[int] = []
    for number, page in enumerate(pages, start=1):
        try:
            raw.append(_SYMBOL_BULLETS.sub(r"\1• ", page.extract_text()).translate(_LIGATURES))
        except _UNREADABLE:
            raw.append("")
            failed.append(number)
    if not any(text.strip() for text in raw):
        _explain_silence(pages, failed)
    scores = [quality(text) for text in raw]
    yield ParsedDocument(_title(reader, source), _pages(raw, scores), tuple(_warnings(raw, scores, failed)))


def _open(source: Source) -> tuple[PdfReader, list[PageObject]]:
    try:
        reader = PdfReader(source.open())
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            raise IngestError("locked: needs a password")
        pages = list(reader.pages)
    except DependencyError as error:
        raise IngestError(f"the PDF is encrypted in a way that cannot be opened: {error}") from None
    except _UNREADABLE as error:
        raise IngestError(f"the PDF is damaged or cut off: {_sentence(error)}") from None
    if not pages:
        raise IngestError("the PDF is damaged: it has no pages")
    return reader, pages


def _explain_silence(pages: Sequence[PageObject], failed: Sequence[int]) -> None:
    """Raises IngestError unless the pages are truly blank."""
    if failed:
        raise IngestError(f"the PDF is damaged: none of its {len(pages)} pages can be read")
    if any(_has_image(page) for page in pages):
        raise IngestError("no text layer: needs OCR (not supported yet)")


def _has_image(page: PageObject) -> bool:
    try:
        content = page.get_contents()
        if content is not None and re.search(rb"\bBI\b.*?\bID\b", content.get_data(), re.DOTALL):
            return True
        resources = page.get("/Resources")
        objects = resources.get_object().get("/XObject") if resources is not None else None
        return bool(objects is not None and objects.get_object())
    except _UNREADABLE:
        return True


def _pages(raw: Sequence[str], scores: Sequence[float]) -> tuple[Page, ...]:
    written = [score for text, score in zip(raw, scores, strict=True) if text.strip()]
    if written and max(written) < GARBAGE:
        raise IngestError("the text layer is no readable text: needs OCR (not supported yet)")
    heads = _running_heads(raw)
    known = words_of("\n".join(raw))
    return tuple(
        Page(number, "" if score < GARBAGE else unwrap(_without(heads, text, number), known), quality=round(score, 3))
        for number, (text, score) in enumerate(zip(raw, scores, strict=True), start=1)
    )


def _running_heads(raw: Sequence[str]) -> frozenset[str]:
    """First and last lines that stand on most pages, alike or alike but for a page number."""
    pages = list(enumerate(raw, start=1))
    counts = Counter(shape for n, text in pages for shape in {s for edge in _edges(text) for s in _shapes(edge, n)})
    return frozenset(shape for shape, count in counts.items() if count >= 4 and count > len(raw) * 0.5)


def _edges(text: str) -> list[str]:
    lines = [line for line in text.split("\n") if line.strip()]
    return lines[:2] + lines[-2:] if len(lines) > 4 else []


def _shapes(line: str, number: int) -> tuple[str, str]:
    """A line as it is, and with its numbers counted from the page's."""
    plain = " ".join(line.split())
    return plain, _NUMBER.sub(lambda match: f"\0{int(match[0]) - number}", plain)


def _without(heads: frozenset[str], text: str, number: int) -> str:
    edges = set(_edges(text)) if heads else set()
    return "\n".join(line for line in text.split("\n") if line not in edges or heads.isdisjoint(_shapes(line, number)))


def _title(reader: PdfReader, source: Source) -> str:
    try:
        title = str((reader.metadata and reader.metadata.title) or "").strip()
    except _UNREADABLE:
        title = ""
    good = 3 < len(title) <= 200 and not _JUNK_TITLE.match(title) and quality(title) > DOUBTFUL
    return re.sub(r"\.pdf$", "", title, flags=re.IGNORECASE) if good else source.stem


def _warnings(raw: Sequence[str], scores: Sequence[float], failed: Sequence[int]) -> Iterator[str]:
    numbered = [(n, text, score) for n, (text, score) in enumerate(zip(raw, scores, strict=True), start=1)]
    if failed:
        yield f"{_numbers(failed)} cannot be read"
    if garbage := [n for n, _, score in numbered if score < GARBAGE]:
        yield f"{_numbers(garbage)} left out: the text layer is no readable text"
    if doubtful := [n for n, _, score in numbered if GARBAGE <= score < DOUBTFUL]:
        yield f"{_numbers(doubtful)} poor text quality, perhaps bad OCR"
    silent = [n for n, text, _ in numbered if not text.strip() and n not in failed]
    if silent:
        yield f"{_numbers(silent)} without text"


def _numbers(pages: Sequence[int]) -> str:
    shown = ", ".join(map(str, pages[:10])) + (" …" if len(pages) > 10 else "")
    return f"page{'s' if len(pages) > 1 else ''} {shown}:"


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
