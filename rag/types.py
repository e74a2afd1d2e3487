"""The words of the domain: every value that passes between modules, and the Protocols behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

Language = Literal["zh", "en"]
PageKind = Literal["text", "table", "ocr"]
State = Literal["indexed", "unchanged", "removed", "empty", "set aside"]
PAGE_BREAK = "\f"


@dataclass(frozen=True, slots=True)
class Page:
    """One page, sheet or other physical part of a document; ``number`` is None where there are no pages."""

    number: int | None
    text: str
    kind: PageKind = "text"
    quality: float = 1.0


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """What a loader read: pages in order; headings are Markdown ``#`` lines where ``marked_up``.

    ``key`` tells the documents of one file apart (a record's id); it is None for a file that is one document.
    """

    title: str
    pages: tuple[Page, ...]
    warnings: tuple[str, ...] = ()
    key: str | None = None
    marked_up: bool = False

    @property
    def text(self) -> str:
        """The stored text: the pages joined by a form feed; all offsets count its characters."""
        return PAGE_BREAK.join(page.text for page in self.pages)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document: ``text`` is the stored text's slice ``[start:end]``, ``heading`` is "title › section"."""

    id: int
    document: str
    ordinal: int
    heading: str
    page: int | None
    text: str
    start: int
    end: int

    @property
    def indexed_text(self) -> str:
        """What is embedded and indexed: the heading, then the text."""
        return f"{self.heading}\n{self.text}" if self.heading else self.text


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk found for a question; a higher ``score`` is better, ``also`` lists other documents with the same text.

    ``dense`` is the centred cosine, ``lexical`` the share of the question's weight that the chunk explains (0 to 1);
    a rank counts from 1 and is None where that half did not list the chunk.
    """

    chunk: Chunk
    score: float
    dense_rank: int | None
    lexical_rank: int | None
    also: tuple[str, ...] = ()
    dense: float = 0.0
    lexical: float = 0.0

    @property
    def documents(self) -> tuple[str, ...]:
        """Every document that this passage counts for."""
        return (self.chunk.document, *self.also)


@dataclass(frozen=True, slots=True)
class Citation:
    """Footnote ``n``: the words of a passage that carry a claim, as offsets into the document's stored text."""

    n: int
    passage: Passage
    quote: str
    start: int
    end: int
    support: float

    @property
    def page(self) -> int | None:
        """The page that the quoted words are on."""
        return self.passage.chunk.page


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, list item or table row of the answer, ``text == answer[start:end]``; ``citations`` are footnote numbers."""

    text: str
    start: int
    end: int
    citations: tuple[int, ...]
    supported: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds spent on each step of one question; ``first_token`` counts from the start of generation."""

    retrieve: float = 0.0
    first_token: float | None = None
    generate: float = 0.0
    check: float = 0.0

    @property
    def total(self) -> float:
        """Seconds from question to checked answer."""
        return self.retrieve + self.generate + self.check


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer; where ``refused``, ``text`` says so, ``reason`` says why and there are no citations."""

    question: str
    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    refused: bool
    reason: str
    language: Language
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What was found for a question, before any model is asked.

    ``query`` is what was searched for: the question, with its conversation where it needs one. ``answerable`` is the
    estimated probability (0 to 1) that the passages hold the answer; ``refusal`` says why no model is to be asked, or
    is empty.
    """

    question: str
    query: str
    history: tuple[Turn, ...]
    language: Language
    passages: tuple[Passage, ...]
    answerable: float
    refusal: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one file."""

    file: str
    state: State
    reason: str = ""
    pages: int = 0
    chunks: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that the store knows: its place under a root and what became of it.

    ``relative`` is the path below the root with ``/`` between the parts.
    """

    root: str
    relative: str
    sha256: str
    size: int
    state: State
    reason: str = ""
    pages: int = 0
    chunks: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document in the store, under the name that users and citations call it by."""

    name: str
    title: str
    state: State
    reason: str
    pages: int
    chunks: int


class Embedder(Protocol):
    """Turns texts into unit vectors and knows which weights it does that with."""

    @property
    def fingerprint(self) -> str:
        """A hash of everything that moves the vectors; an index made under another one is refused."""
        ...

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of the texts, float32 of shape (len(texts), dimension), in the given order."""
        ...

    def embed_query(self, text: str) -> np.ndarray:
        """The unit vector of a question, float32 of shape (dimension,)."""
        ...

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, query: bool = False) -> np.ndarray:
        """The vectors with their language's mean taken away, at unit length again; same shape."""
        ...
