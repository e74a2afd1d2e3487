"""PDF page by page: its text layer where that is language, its picture read by OCR where it is not."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pypdf import PageObject, PasswordType, PdfReader
from pypdf.errors import DependencyError

from ingest import ocr
from ingest.paragraphs import unwrap, words_of
from ingest.pdf_pages import UNREADABLE, ReadPage, filled_in, read_page
from ingest.quality import DOUBTFUL, GARBAGE, quality
from ingest.running_heads import without_running_heads
from ingest.source import LOCKED, WRONG_PASSWORD, Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

logging.getLogger("pypdf").setLevel(logging.CRITICAL)
_JUNK_TITLE = re.compile(
    r"untitled|microsoft word|\(?anonymous|无标题|文档\d*$|.*\.(docx?|pptx?|indd|dvi|tex|cdr)$", re.IGNORECASE
)


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a PDF, a Page for each of its pages, blank ones included."""
    reader, pages, seen, complaint = _open(source)
    read: list[ReadPage] = []
    written: list[str] = []
    for index in range(max(len(pages), len(seen) if seen else 0)):
        page = pages[index] if index < len(pages) else None
        read.append(read_page(page, _seen(seen, index)))
        written.append("\n".join(filled_in(page)))
        source.tick()
    _check(read, complaint)
    yield ParsedDocument(_title(reader, source), _pages(read, written), tuple(_warnings(read, complaint)))


def _open(source: Source) -> tuple[PdfReader | None, list[PageObject], PdfDocument | None, str]:
    """The file by both readers, and what is wrong with it where pypdf finds no page; IngestError where neither does."""
    reader, pages, password, complaint = _by_pypdf(source)
    seen = _by_pdfium(source, password)
    if not pages and not seen:
        raise IngestError(complaint)
    return reader, pages, seen, "" if pages else complaint


def _by_pypdf(source: Source) -> tuple[PdfReader | None, list[PageObject], str, str]:
    """The reader and its pages, the password that opens it, and what is wrong where it has no pages."""
    password = ""
    try:
        reader = PdfReader(source.open())
        if reader.is_encrypted:
            password = _password(reader, source)
        pages = list(reader.pages)
    except DependencyError as error:
        return None, [], password, f"the PDF is encrypted in a way that cannot be opened: {error}"
    except UNREADABLE as error:
        return None, [], password, f"the PDF is damaged or cut off: {_sentence(error)}"
    return reader, pages, password, "the PDF is damaged: it has no pages"


def _password(reader: PdfReader, source: Source) -> str:
    """The first password that opens the file: none at all, else one of those given. Raises IngestError."""
    for password in ("", *source.passwords):
        if reader.decrypt(password) != PasswordType.NOT_DECRYPTED:
            return password
    raise IngestError(WRONG_PASSWORD if source.passwords else LOCKED)


def _by_pdfium(source: Source, password: str) -> PdfDocument | None:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(source.read(), password=password or None)
    except pypdfium2.PdfiumError:
        return None


def _seen(document: PdfDocument | None, index: int) -> PdfPage | None:
    """A page as pdfium has it, None where it cannot open it."""
    import pypdfium2

    try:
        return document[index] if document is not None and index < len(document) else None
    except pypdfium2.PdfiumError:
        return None


def _check(read: Sequence[ReadPage], complaint: str) -> None:
    """Raises IngestError where there are pages with something on them and none could be read."""
    if any(page.text.strip() for page in read):
        return
    if complaint:
        raise IngestError(complaint)
    if any(page.wants_ocr for page in read):
        raise IngestError(ocr.MISSING)
    if any(page.failed for page in read):
        raise IngestError(f"the PDF is damaged: none of its {len(read)} pages can be read")
    if any(page.quality < GARBAGE for page in read):
        raise IngestError("neither its text layer nor its pictures can be read as any language")


def _pages(read: Sequence[ReadPage], written: Sequence[str]) -> tuple[Page, ...]:
    texts = without_running_heads([page.text for page in read])
    known = words_of("\n".join(texts))
    return tuple(
        Page(number, "\n\n".join(filter(None, (unwrap(text, known), notes))), page.kind, round(page.quality, 3))
        for number, (page, text, notes) in enumerate(zip(read, texts, written, strict=True), start=1)
    )


def _title(reader: PdfReader | None, source: Source) -> str:
    try:
        title = str((reader and reader.metadata and reader.metadata.title) or "").strip()
    except UNREADABLE:
        title = ""
    telling = sum(character.isalpha() for character in title) >= 3  # others are numbers of a producer's
    good = telling and len(title) <= 200 and not _JUNK_TITLE.match(title) and quality(title) > DOUBTFUL
    return re.sub(r"\.pdf$", "", title, flags=re.IGNORECASE) if good else source.stem


def _warnings(read: Sequence[ReadPage], complaint: str) -> Iterator[str]:
    pages = list(enumerate(read, start=1))
    if complaint:
        yield f"{complaint}; what could be recovered was read"
    for complaint, wrong in (
        ("cannot be read", [n for n, page in pages if page.failed]),
        (ocr.MISSING, [n for n, page in pages if page.wants_ocr]),
        ("left out: the text layer is no readable text", [n for n, page in pages if _rubbish(page)]),
        ("poor text quality, perhaps bad OCR", [n for n, page in pages if GARBAGE <= page.quality < DOUBTFUL]),
        ("without text", [n for n, page in pages if _blank(page)]),
    ):
        if wrong:
            yield f"{_numbers(wrong)} {complaint}"
    for number, page in pages:
        yield from (f"page {number}: {note}" for note in page.notes)


def _rubbish(page: ReadPage) -> bool:
    return page.quality < GARBAGE and page.kind == "text" and not page.failed and not page.wants_ocr


def _blank(page: ReadPage) -> bool:
    return not (page.text.strip() or page.failed or page.wants_ocr or page.notes or page.quality < GARBAGE)


def _numbers(pages: Sequence[int]) -> str:
    shown = ", ".join(map(str, pages[:10])) + (" …" if len(pages) > 10 else "")
    return f"page{'s' if len(pages) > 1 else ''} {shown}:"


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
