"""Reads files and commits them: parsed in children, split, embedded in a thread, written one transaction a document."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from ingest.comparing import Reading
from ingest.discovery import stamp
from ingest.embedding import Vectors
from ingest.passwords import Passwords
from ingest.pool import Parsed, Pool
from ingest.quality import GARBAGE
from ingest.sandbox import Request
from ingest.splitter import HEADING_JOINT, LONGEST_HEADING, MOST_CHUNKS, split
from rag.settings import Settings
from rag.store import Store, content_hash, record_hash
from rag.types import Chunk, Embedder, Page, ParsedDocument, State

READER = 2  # one more whenever the loaders make another text of the same bytes: the files are read again then
DELETED = "deleted by the user; --include NAME takes it in again"
_PATIENCE = 0.05  # seconds without anything parsed, after which the embedder is looked after
_DOCUMENTS_WAITING = 1000
Conclude = Callable[[Reading, State, str], None]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A document that waits for its vectors, or (``document`` None) the end of its file."""

    reading: Reading
    document: ParsedDocument | None = None
    chunks: tuple[Chunk, ...] = ()
    failure: str = ""


class Reader:
    """Takes files in; ``conclude`` is told of each what became of it, ``tell`` the name of the one in hand.

    ``again`` names the roots whose files are written anew though their text is as it was. Close it at the end.
    """

    def __init__(
        self, settings: Settings, store: Store, embedder: Embedder, passwords: Passwords, *,
        conclude: Conclude, tell: Callable[[str], None], again: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._settings = settings
        self._store = store
        self._embedder = embedder
        self._passwords = passwords
        self._conclude = conclude
        self._tell = tell
        self._again = again
        self._vectors = Vectors(embedder, store, self._count)
        self._waiting: deque[_Waiting] = deque()
        self._current = ""
        self._pages = self._pages_told = 0
        self._pool: Pool | None = None
        self.documents = self.embedded = self.bytes_read = 0

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._vectors.close()

    @property
    def pages(self) -> int:
        """The pages read so far, of files that are being read, too; it never falls."""
        under_way = self._pool.pages if self._pool else 0
        self._pages_told = max(self._pages_told, self._pages + under_way)
        return self._pages_told

    def read(self, readings: Sequence[Reading]) -> None:
        """Read files and commit them."""
        if not readings:
            return
        by_path = {reading.file.path: reading for reading in readings}
        with Pool([self._request(reading) for reading in readings], self._settings.ingest) as self._pool:
            while not self._pool.exhausted:
                self._look_after_vectors()
                if self._is_full():
                    self._vectors.collect(_PATIENCE)
                elif said := self._pool.take(_PATIENCE if self._vectors.busy or self._vectors.full else 1.0):
                    self._hear(by_path[said.path], said)
                else:
                    self._tell(self._current)
        self._pool = None
        self.finish()

    def retitle(self, reading: Reading, old_name: str) -> bool:
        """Whether a moved file's document was titled by its name: then it gets its new name, and passages that say so."""
        if any(key is not None for key in self._store.record_hashes(*reading.file.place)):
            return False  # a mail: its attachments go by the file's name, not by the title
        stored = self._store.whole_document(*reading.file.place)
        old, new = (" ".join(PurePosixPath(name).stem.split()) for name in (old_name, reading.file.relative))
        if stored is None or old == new or stored[0].title != old:
            return False
        document, chunks = replace(stored[0], title=new), tuple(_retitled(chunk, old, new) for chunk in stored[1])
        reading.keys.add(None)
        reading.pages, reading.chunks = _numbered(document), len(chunks)
        self._wait(reading, document, chunks)
        self._waiting.append(_Waiting(reading))
        return True

    def finish(self) -> None:
        """Wait for the vectors of all that waits, and commit it."""
        self._look_after_vectors()
        while self._waiting:
            self._vectors.collect(1.0)
            self._look_after_vectors()

    # Parsed

    def _request(self, reading: Reading) -> Request:
        passwords = self._passwords.of(*reading.file.place)
        return Request(reading.file.path, self._settings.ingest.encoding, passwords)

    def _hear(self, reading: Reading, said: Parsed) -> None:
        self._current = reading.file.relative
        self._tell(self._current)
        if said.document:
            self._take(reading, said.document)
        else:
            reading.seconds = said.seconds
            self._waiting.append(_Waiting(reading, failure=said.failure))

    def _take(self, reading: Reading, parsed: ParsedDocument) -> None:
        """Split a document and let it wait for its vectors, unless it is blank, garbage, excluded or already there."""
        document = _readable(parsed)
        key = document.key
        name = reading.file.relative if key is None else f"{reading.file.relative}#{key}"
        chunks = split(document, name, self._settings.ingest)
        reading.warnings += document.warnings if key is None else (f"record {key}: {w}" for w in document.warnings)
        self._pages += _numbered(document)
        if not chunks:
            reading.blank += 1
            reading.garbled += document is not parsed
            return
        if key is not None and self._is_deleted(reading, document):
            reading.warnings.append(f"record {key} left out: {DELETED}")
            return
        if len(chunks) == MOST_CHUNKS:
            reading.warnings.append(f"only its first {MOST_CHUNKS:,} passages were taken in")
        fresh = key is None or reading.file.root.name in self._again
        if fresh or self._hashes(reading).get(key) != content_hash(document):
            self._wait(reading, document, tuple(chunks))
        reading.keys.add(key)
        reading.pages += _numbered(document)
        reading.chunks += len(chunks)

    def _wait(self, reading: Reading, document: ParsedDocument, chunks: tuple[Chunk, ...]) -> None:
        self._vectors.want(chunks)
        self._waiting.append(_Waiting(reading, document, chunks))

    def _is_deleted(self, reading: Reading, document: ParsedDocument) -> bool:
        """Whether the user deleted a record: its words, or what these very bytes hold under its key."""
        return self._store.excluded(content_hash(document)) or self._store.excluded(
            record_hash(reading.sha256, document.key or "")
        )

    def _hashes(self, reading: Reading) -> dict[str | None, str]:
        """The stored records of a file, looked up once a file; those that a copy goes on with are no longer its own."""
        if reading.hashes is None:
            self._store.hand_over(*reading.file.place, reading.sha256)
            reading.hashes = self._store.record_hashes(*reading.file.place)
        return reading.hashes

    # Embedded

    def _is_full(self) -> bool:
        return self._vectors.full or (len(self._waiting) >= _DOCUMENTS_WAITING and self._vectors.busy)

    def _look_after_vectors(self) -> None:
        """Keep the embedder at work, and commit what has all its vectors."""
        self._vectors.feed()
        self._commit()
        while self._vectors.collect():
            self._vectors.feed()
            self._commit()

    def _commit(self) -> None:
        """Write what waits, in its order, as far as the vectors are there."""
        while self._waiting and self._vectors.have(self._waiting[0].chunks):
            item = self._waiting.popleft()
            if item.document:
                self._put(item, item.document)
            else:
                self._end(item)
            if self._vectors.busy:
                self._vectors.feed()

    def _put(self, item: _Waiting, document: ParsedDocument) -> None:
        theirs = self._vectors.of(item.chunks)
        self._vectors.release(item.chunks)
        if stamp(item.reading.file.path) is None:  # deleted while it was being read, on the page perhaps
            return
        more = self._has_records(item.reading, document)
        file, fingerprint = item.reading.stored("indexed"), self._embedder.fingerprint
        if self._store.put_document(file, document, item.chunks, theirs, fingerprint, more=more):
            self.documents += 1
        else:
            item.reading.take_back(document.key, pages=_numbered(document), chunks=len(item.chunks))

    def _has_records(self, reading: Reading, document: ParsedDocument) -> bool:
        stored = self._hashes(reading) if document.key is not None else self._store.record_hashes(*reading.file.place)
        return any(key is not None for key in (document.key, *reading.keys, *stored))

    def _end(self, item: _Waiting) -> None:
        reading = item.reading
        self.bytes_read += reading.file.size
        if stamp(reading.file.path) is None:
            self._store.remove_file(*reading.file.place)
            self._conclude(reading, "removed", "it went while it was read")
        elif item.failure:
            self._conclude(reading, "set aside", item.failure)
        elif reading.keys:
            self._conclude(reading, "indexed", "")
        elif reading.deleted:
            self._conclude(reading, "removed", DELETED)
        elif reading.garbled:
            self._conclude(reading, "set aside", "what is in it is no readable text")
        else:
            self._conclude(reading, "empty", "there is no text in it")

    def _count(self, chunks: int) -> None:
        self.embedded += chunks
        self._tell(self._current)


def _numbered(document: ParsedDocument) -> int:
    return sum(page.number is not None for page in document.pages)


def _readable(document: ParsedDocument) -> ParsedDocument:
    """The document without the text of pages that are garbage, which the warnings name; itself where there are none."""
    garbage = [place for place, page in enumerate(document.pages) if page.quality < GARBAGE and page.text.strip()]
    if not garbage:
        return document
    pages: list[Page] = list(document.pages)
    for place in garbage:
        pages[place] = replace(pages[place], text="")
    numbers = ", ".join(str(document.pages[place].number or place + 1) for place in garbage[:10])
    more = " …" if len(garbage) > 10 else ""
    told = f"page{'s' if len(garbage) > 1 else ''} {numbers}{more}: left out: what is there is no readable text"
    return replace(document, pages=tuple(pages), warnings=(*document.warnings, told))


def _retitled(chunk: Chunk, old: str, new: str) -> Chunk:
    first, joint, rest = chunk.heading.partition(HEADING_JOINT)
    return replace(chunk, heading=f"{new[:LONGEST_HEADING]}{joint}{rest}") if first == old[:LONGEST_HEADING] else chunk
