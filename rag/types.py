"""The words of the domain: every value that passes between modules, and the Protocols behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Literal, Protocol

import numpy as np

Language = Literal["zh", "en"]
PageKind = Literal["text", "table", "ocr"]
Side = Literal["passage", "window", "query"]
State = Literal["indexed", "unchanged", "removed", "empty", "set aside"]
CutReason = Literal["duplicate", "beyond k"]
AnswerKind = Literal["answer", "quote", "talk", "question"]
PAGE_BREAK = "\f"
MOST_CUT = 10  # of the passages that were left out, the nearest are kept to be shown


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
class Filter:
    """What a search may look at: values of one field are alternatives, fields restrict each other, empty ones nothing.

    ``documents`` are names as citations show them, or globs; ``folders`` paths below a root; ``types`` file suffixes;
    ``since`` and ``until`` days of the file's last change, both included; ``tags`` what the user put on documents.
    ``kbs`` are the knowledge bases to search; where it is empty, the one that the settings name.
    """

    kbs: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    @property
    def restricts(self) -> bool:
        """Whether some documents of a searched knowledge base may be left out."""
        return bool(str(self))

    def __str__(self) -> str:
        """The restrictions as a person would list them."""
        named = ((f.name, getattr(self, f.name)) for f in fields(self) if f.name != "kbs")
        return "; ".join(
            f"{name}: {', '.join(value) if isinstance(value, tuple) else value}" for name, value in named if value
        )


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk found for a question; a higher ``score`` is better, ``also`` lists other documents with the same text.

    ``dense`` is the centred cosine of the whole chunk, ``window`` that of its best sentence window, ``lexical`` the share
    of the question's weight that the chunk explains (0 to 1); a rank counts from 1 and is None where that half did not
    list the chunk. ``terms`` are the question's terms that the chunk holds, each with its part of ``lexical``, and
    ``lexical_weight`` is λ of this question. ``kb`` is where the chunk lies. ``rerank`` is the reranker's score through a
    sigmoid (0 to 1), None where there is no reranker or its time was spent; passages with one are ordered by it.
    """

    chunk: Chunk
    score: float
    dense_rank: int | None
    lexical_rank: int | None
    also: tuple[str, ...] = ()
    dense: float = 0.0
    lexical: float = 0.0
    window: float = 0.0
    kb: str = ""
    terms: tuple[tuple[str, float], ...] = ()
    lexical_weight: float = 0.0
    rerank: float | None = None

    @property
    def documents(self) -> tuple[str, ...]:
        """Every document that this passage counts for."""
        return (self.chunk.document, *self.also)


@dataclass(frozen=True, slots=True)
class Cut:
    """A passage that was found and left out: it repeats the passage of chunk ``repeats``, or others were better."""

    passage: Passage
    why: CutReason
    repeats: int | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """What a search passed over: the nearest passages that were ``cut``, and how many chunks it saw and did not see.

    ``reason`` is one of the wording's keys and says why nothing was found; it is empty where something was. ``reranked``
    is how many passages a reranker read in its time, None without one.
    """

    query: str = ""
    cut: tuple[Cut, ...] = ()
    searched: int = 0
    hidden: int = 0
    reason: str = ""
    reranked: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Passages, best first, and how they came to be these."""

    passages: tuple[Passage, ...]
    trace: Trace

    def first(self, k: int) -> Found:
        """The ``k`` best; those behind them join what was cut."""
        beyond = [Cut(passage, "beyond k") for passage in self.passages[k:]]
        nearest = sorted([*self.trace.cut, *beyond], key=lambda cut: -cut.passage.score)
        return Found(self.passages[:k], replace(self.trace, cut=tuple(nearest[:MOST_CUT])))


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
    """A sentence, list item or table row of the answer, ``text == answer[start:end]``; ``citations`` are footnote numbers.

    ``disputed`` are those of other documents that say otherwise.
    """

    text: str
    start: int
    end: int
    citations: tuple[int, ...]
    supported: bool
    why: str = ""
    disputed: tuple[int, ...] = ()


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
    """A checked answer; where ``refused``, ``text`` says so, ``reason`` says why and there are no citations.

    ``confidence`` is the probability (0 to 1) that the documents hold the answer. ``open`` are the parts of the question that
    got none, ``incomplete`` says why the model broke off, if it did. Of ``kind`` "quote" the text is the documents' own, as
    nothing supported the model's.
    Of ``kind`` "talk" (small talk, or about the knowledge base itself) and "question" (asked back, since it was not
    clear what was meant) no documents and no model were asked. ``thoughts`` is what the model wrote before its answer,
    unchecked.
    ``id`` names its record for `python -m rag replay`; it is empty where none is kept.
    """

    question: str
    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    refused: bool
    reason: str
    language: Language
    timings: Timings = field(default_factory=Timings)
    trace: Trace = field(default_factory=Trace)
    kind: AnswerKind = "answer"
    thoughts: str = ""
    id: str = ""
    confidence: float = 0.0
    open: tuple[str, ...] = ()
    incomplete: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """An earlier text of the conversation that a question is searched with, and how much its meaning and words count.

    The question's own count 1.
    """

    turn: Turn
    meaning: float
    words: float


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What was found for a question, before any model is asked.

    ``query`` is what was searched for: the question, with its conversation where it needs one. ``answerable`` is the
    estimated probability (0 to 1) that the passages hold the answer; ``refusal`` says why no model is to be asked, or
    is empty. ``filter`` and ``withheld`` are what was looked at and hidden, ``id`` is what the answer will be called.
    ``language`` is that of the answer. Where ``kind`` is not "answer", ``reply`` is all that there is to say.
    """

    question: str
    query: str
    history: tuple[Turn, ...]
    language: Language
    passages: tuple[Passage, ...]
    answerable: float
    refusal: str
    seconds: float
    trace: Trace = field(default_factory=Trace)
    filter: Filter = field(default_factory=Filter)
    withheld: tuple[str, ...] = ()
    id: str = ""
    kind: AnswerKind = "answer"
    reply: str = ""


@dataclass(frozen=True, slots=True)
class PageMark:
    """How one page was read: ``kind`` "ocr" where from its picture; ``quality`` from 0 to 1; ``record`` as in names."""

    number: int | None
    kind: PageKind
    quality: float
    characters: int
    record: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one file, in how many ``seconds`` of reading, and how each of its pages was read.

    A locked file that was once indexed with a password stays so while its bytes are the same, without the password, which
    nothing keeps; a changed one is set aside until the password is given again.
    """

    file: str
    state: State
    reason: str = ""
    pages: int = 0
    chunks: int = 0
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    read: tuple[PageMark, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that the store knows: its place under a root and what became of it.

    ``relative`` is the path below the root with ``/`` between the parts; ``modified`` is the time of the file's last
    change in seconds since 1970, None where it is not known; ``seconds`` is how long it was read. ``stamp`` is what the
    system said of the file when its bytes were last looked at, empty where it may say the same of other bytes.
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
    modified: float | None = None
    seconds: float = field(default=0.0, compare=False)
    stamp: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document in the store, under the name that users and citations call it by; ``modified`` as its file's."""

    name: str
    title: str
    state: State
    reason: str
    pages: int
    chunks: int
    modified: float | None = None
    tags: tuple[str, ...] = ()


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

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, side: Side = "passage") -> np.ndarray:
        """The vectors less the mean of their language and side, at unit length again; same shape."""
        ...
