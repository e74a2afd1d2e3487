"""Makes a knowledge base equal to its roots: discover, compare, parse, embed, commit, report."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ingest.discovery import FoundFile, Root, discover, root_of, sha256, stamp
from ingest.embedding import BATCH, vectors_for
from ingest.ignore import Reasons
from ingest.progress import Progress
from ingest.sandbox import read_ahead
from ingest.splitter import MOST_CHUNKS, split
from ingest.uploads import uploads_root
from rag.settings import Settings
from rag.store import Store, content_hash
from rag.types import Chunk, Embedder, ParsedDocument, State, StoredFile, Verdict

STATES: tuple[State, ...] = ("indexed", "unchanged", "removed", "empty", "set aside")
_MOST_WARNINGS = 20
_TWIN = "same bytes as "
_DELETED = "deleted by the user; --include NAME takes it in again"


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did: a verdict a file, and totals of what is new; partial where Ctrl-C ``interrupted`` it."""

    verdicts: tuple[Verdict, ...]
    totals: dict[str, float]
    interrupted: bool = False

    @property
    def set_aside(self) -> int:
        """How many files could not be taken in."""
        return int(self.totals["set aside"])


def synchronise(
    settings: Settings,
    paths: Sequence[Path | Root],
    *,
    store: Store,
    embedder: Embedder,
    report: Callable[[Progress], None] = lambda progress: None,
    include: Collection[str] = (),
) -> Report:
    """Make the knowledge base equal to these folders and files; what lies under other roots is not touched.

    Raises IngestError for a path that is missing or unreadable, before anything is changed.
    """
    roots = list(dict.fromkeys(path if isinstance(path, Root) else root_of(path) for path in paths))
    return _Run(settings, store, embedder, report).sync(roots, include)


def ingest_uploads(
    settings: Settings, *, store: Store, embedder: Embedder, report: Callable[[Progress], None] = lambda progress: None
) -> Report:
    """Make the knowledge base equal to the folder of its uploads."""
    root = uploads_root(settings)
    root.path.mkdir(parents=True, exist_ok=True)
    return _Run(settings, store, embedder, report).sync([root])


@dataclass(slots=True)
class _Reading:
    """A file on its way into the store, and what has been seen of it so far."""

    file: FoundFile
    sha256: str
    keys: set[str | None] = field(default_factory=set)
    pages: int = 0
    chunks: int = 0
    blank: int = 0
    warnings: list[str] = field(default_factory=list)
    hashes: dict[str | None, str] | None = None

    def stored(self, state: State, reason: str = "") -> StoredFile:
        """The file as the store is to know it; bytes that changed meanwhile get no hash, so they are read again."""
        warnings = self.warnings[:_MOST_WARNINGS]
        if more := len(self.warnings) - len(warnings):
            warnings.append(f"and {more} more warnings")
        if self.blank and self.keys:
            warnings.append(f"{self.blank} records without text")
        unchanged = stamp(self.file.path) == self.file.stamp
        counted = (self.pages, self.chunks) if state == "indexed" else (0, 0)
        sha = self.sha256 if unchanged else ""
        return StoredFile(
            *self.file.place, sha, self.file.size, state, reason, *counted, tuple(warnings), self.file.modified
        )


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A document that waits for its vectors, or (``document`` None) the end of its file."""

    reading: _Reading
    document: ParsedDocument | None = None
    chunks: tuple[Chunk, ...] = ()
    failure: str = ""


class _Run:
    """One run over some roots; what it has found out so far."""

    def __init__(
        self, settings: Settings, store: Store, embedder: Embedder, report: Callable[[Progress], None]
    ) -> None:
        self._settings = settings
        self._store = store
        self._embedder = embedder
        self._report = report
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        self._outcomes: dict[tuple[str, str], StoredFile] = {}
        self._known: dict[tuple[str, str], StoredFile] = {}
        self._waiting: list[_Waiting] = []
        self._redated: list[StoredFile] = []
        self._found: list[FoundFile] = []
        # Files under a root that was cut into chunks of another size are read again, though their bytes are the same.
        self._chunking = f"{settings.ingest.chinese_size}/{settings.ingest.english_size}"
        self._rechunked: set[str] = set()
        self._current = ""
        self._documents = self._embedded = 0
        self._bytes_read = self._bytes_to_read = 0
        self._checked = False
        self._started = time.monotonic()

    def sync(self, roots: Sequence[Root], include: Collection[str] = ()) -> Report:
        """Bring the store level with the roots; Ctrl-C ends it between two transactions."""
        interrupted = False
        with self._store.write_lock():
            try:
                self._sync(roots, include)
            except KeyboardInterrupt:
                interrupted = True
        return self._result(interrupted)

    def _sync(self, roots: Sequence[Root], include: Collection[str]) -> None:
        workspace = (self._settings.home / "workspace").resolve()  # not even where a root lies around it
        self._found = [file for root in roots for file in discover(root, workspace)]
        for name in include:
            self._store.include(name)
        for root in roots:
            self._store.remember_root(root.name)
            self._known |= {(root.name, known): file for known, file in self._store.files(root.name).items()}
            if self._store.note(f"chunking {root.name}") not in ("", self._chunking):
                self._rechunked.add(root.name)
        changed = [reading for file in self._found if (reading := self._compare(file))]
        gone = self._known.keys() - {file.place for file in self._found}
        if self._redated:
            self._store.write_dates(self._redated)
        originals, twins = self._part_twins(changed, gone)
        self._read(originals)
        self._read(self._settle(twins))
        reasons, paths = Reasons(), {root.name: root.path for root in roots}
        for place in sorted(gone):
            self._store.remove_file(*place)
            self._verdicts[place] = Verdict(place[1], "removed", reasons.of(paths[place[0]], place[1]))
        for root in roots:
            if self._store.note(f"chunking {root.name}") != self._chunking:
                self._store.write_note(f"chunking {root.name}", self._chunking)
        self._store.sweep_vectors()
        self._tell()

    # Compare

    def _compare(self, file: FoundFile) -> _Reading | None:
        """The file as one to be read, or None where the hash alone gives its verdict."""
        self._tell(file.relative)
        reading = _Reading(file, "")
        most = self._settings.ingest.max_file_mb
        if file.size > most << 20:
            self._conclude(reading, "set aside", f"{file.size >> 20} MB; the most is {most} MB (ingest.max_file_mb)")
            return None
        try:
            reading.sha256 = sha256(file.path)
        except OSError as error:
            self._conclude(reading, "set aside", f"it cannot be read ({error.strerror})")
            return None
        if self._store.excluded(reading.sha256):
            self._conclude(reading, "removed", _DELETED)
            return None
        known = self._known.get(file.place)
        if file.root.name in self._rechunked:
            return reading
        if not known or known.sha256 != reading.sha256 or known.state not in ("indexed", "empty") or _is_twin(known):
            return reading
        if known.modified != file.modified:
            self._redated.append(replace(known, modified=file.modified))
        state: State = "unchanged" if known.state == "indexed" else "empty"
        self._verdicts[file.place] = _verdict(known, state)
        self._outcomes[file.place] = known
        return None

    def _part_twins(
        self, changed: Sequence[_Reading], gone: Collection[tuple[str, str]]
    ) -> tuple[list[_Reading], list[tuple[_Reading, StoredFile | _Reading]]]:
        """The files that must be read, and those whose bytes another file already brought, with that one."""
        stale = {reading.file.place for reading in changed} | set(gone)
        first: dict[str, _Reading] = {}
        twins: list[tuple[_Reading, StoredFile | _Reading]] = []
        for reading in changed:
            stored = self._store.file_with_bytes(reading.sha256)
            if stored and (stored.root, stored.relative) not in stale:
                twins.append((reading, stored))
            elif reading.sha256 in first and reading.file.size:
                twins.append((reading, first[reading.sha256]))
            else:
                first[reading.sha256] = reading
        originals = [r for r in changed if all(r is not twin for twin, _ in twins)]
        return originals, twins

    def _settle(self, twins: Sequence[tuple[_Reading, StoredFile | _Reading]]) -> list[_Reading]:
        """Give second names the state of the first; those whose own name may read better are returned, to be read."""
        retry: list[_Reading] = []
        for reading, first in twins:
            outcome = first if isinstance(first, StoredFile) else self._outcomes[first.file.place]
            other_format = Path(outcome.relative).suffix.lower() != reading.file.path.suffix.lower()
            if outcome.state == "set aside" and other_format:
                retry.append(reading)
                continue
            self._conclude(reading, outcome.state, f"{_TWIN}{outcome.relative}")
        return retry

    # Parse

    def _read(self, readings: Sequence[_Reading]) -> None:
        """Read files in the sandbox and commit them in batches."""
        self._bytes_to_read += sum(reading.file.size for reading in readings)
        by_path = {reading.file.path: reading for reading in readings}
        if not readings:
            return
        with closing(read_ahead(list(by_path), self._settings.ingest.parse_seconds)) as parsed:
            for said in parsed:
                reading = by_path[said.path]
                self._tell(reading.file.relative)
                if said.document:
                    self._take(reading, said.document)
                else:
                    self._waiting.append(_Waiting(reading, failure=said.failure))
                if len(self._waiting) >= BATCH or sum(len(w.chunks) for w in self._waiting) >= BATCH:
                    self._flush()
        self._flush()

    def _take(self, reading: _Reading, document: ParsedDocument) -> None:
        """Split a document and let it wait for its vectors, unless it is blank, excluded or already there."""
        key = document.key
        name = reading.file.relative if key is None else f"{reading.file.relative}#{key}"
        chunks = split(document, name, self._settings.ingest)
        reading.warnings += document.warnings if key is None else (f"record {key}: {w}" for w in document.warnings)
        if not chunks:
            reading.blank += 1
            return
        if key is not None and self._store.excluded(content_hash(document)):
            reading.warnings.append(f"record {key} left out: {_DELETED}")
            return
        if len(chunks) == MOST_CHUNKS:
            reading.warnings.append(f"only its first {MOST_CHUNKS:,} passages were taken in")
        fresh = key is None or reading.file.root.name in self._rechunked
        if fresh or self._hashes(reading).get(key) != content_hash(document):
            self._waiting.append(_Waiting(reading, document, tuple(chunks)))
        reading.keys.add(key)
        reading.pages += sum(page.number is not None for page in document.pages)
        reading.chunks += len(chunks)

    def _hashes(self, reading: _Reading) -> dict[str | None, str]:
        """The stored records of a file, looked up once a file."""
        if reading.hashes is None:
            reading.hashes = self._store.record_hashes(*reading.file.place)
        return reading.hashes

    # Embed and commit

    def _flush(self) -> None:
        """Embed what waits, then commit it document by document."""
        waiting, self._waiting = self._waiting, []
        chunks = [chunk for item in waiting for chunk in item.chunks]
        vectors: dict[str, np.ndarray] = {}
        if chunks:
            if not self._checked:
                self._store.check_embedding(self._embedder.fingerprint)
                self._checked = True
            vectors = vectors_for(chunks, self._embedder, self._store, self._count)
        for item in waiting:
            if item.document:
                self._put(item, item.document, vectors)
            else:
                self._end(item)

    def _put(self, item: _Waiting, document: ParsedDocument, vectors: dict[str, np.ndarray]) -> None:
        if stamp(item.reading.file.path) is None:  # deleted while it was being read, on the page perhaps
            return
        file = item.reading.stored("indexed")
        if document.key is not None:  # more may follow: until the end this file counts as unread
            file = replace(file, sha256="")
        theirs = [vectors[chunk.indexed_text] for chunk in item.chunks]
        self._store.put_document(file, document, item.chunks, theirs, self._embedder.fingerprint)
        self._documents += 1

    def _end(self, item: _Waiting) -> None:
        reading = item.reading
        self._bytes_read += reading.file.size
        if stamp(reading.file.path) is None:
            self._store.remove_file(*reading.file.place)
            self._verdicts[reading.file.place] = Verdict(reading.file.relative, "removed", "it went while it was read")
        elif item.failure:
            self._conclude(reading, "set aside", item.failure)
        elif not reading.keys:
            self._conclude(reading, "empty", "there is no text in it")
        else:
            self._conclude(reading, "indexed")

    def _conclude(self, reading: _Reading, state: State, reason: str = "") -> None:
        """Write a file's row and give its verdict, after all its documents are in or out."""
        file = reading.stored(state, reason)
        keep = reading.keys if state == "indexed" and not _is_twin(file) else ()
        known = self._known.get(reading.file.place)
        if file != known:
            self._store.put_file(file, keep)
        twin_as_before = _is_twin(file) and file == known and state == "indexed"
        self._outcomes[reading.file.place] = file
        self._verdicts[reading.file.place] = _verdict(file, "unchanged" if twin_as_before else state)

    # Report

    def _count(self, chunks: int) -> None:
        self._embedded += chunks
        self._tell(self._current)

    def _tell(self, current: str = "") -> None:
        self._current = current
        seconds = max(time.monotonic() - self._started, 1e-3)
        share = self._bytes_read / self._bytes_to_read if self._bytes_to_read else 0.0
        left = seconds / share - seconds if share else None
        done = len(self._verdicts)
        total = max(len(self._found), done)
        self._report(Progress(done, total, self._embedded, self._embedded / seconds, left, current))

    def _result(self, interrupted: bool) -> Report:
        verdicts = tuple(self._named())
        states = Counter(verdict.state for verdict in verdicts)
        new = [verdict for verdict in verdicts if verdict.state == "indexed"]
        totals: dict[str, float] = {
            "files": len(verdicts),
            "documents": self._documents,
            "pages": sum(verdict.pages for verdict in new),
            "chunks": sum(verdict.chunks for verdict in new),
            "seconds": round(time.monotonic() - self._started, 3),
        }
        return Report(verdicts, totals | {state: states[state] for state in STATES}, interrupted)

    def _named(self) -> Iterator[Verdict]:
        """The verdicts by file; a name that two roots share gets its root's in front."""
        counts = Counter(relative for _, relative in self._verdicts)
        for (root, relative), verdict in sorted(self._verdicts.items(), key=lambda item: (item[0][1], item[0][0])):
            shared = counts[relative] > 1
            yield replace(verdict, file=f"{Path(root).name}/{relative}") if shared else verdict


def _verdict(file: StoredFile, state: State) -> Verdict:
    return Verdict(file.relative, state, file.reason, file.pages, file.chunks, file.warnings)


def _is_twin(file: StoredFile) -> bool:
    return file.reason.startswith(_TWIN)
