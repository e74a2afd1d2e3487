"""What a run has to do: which files are as they were, which were moved, which are copies, and which must be read."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ingest import ocr
from ingest.discovery import FoundFile, lasting, sha256, stamp
from rag.store import Store
from rag.types import State, StoredFile

Place = tuple[str, str]  # a root's name, and the path below it
TWIN = "same bytes as "
_MOST_WARNINGS = 20


@dataclass(slots=True)
class Reading:
    """A file on its way into the store, and what has been seen of it so far.

    ``stamp`` is what the store is to keep of the moment in which its bytes were looked at. ``garbled`` counts documents
    that are no readable text, ``deleted`` says that the user deleted the file's document while it was read.
    """

    file: FoundFile
    sha256: str = ""
    stamp: str = ""
    keys: set[str | None] = field(default_factory=set)
    pages: int = 0
    chunks: int = 0
    blank: int = 0
    garbled: int = 0
    deleted: bool = False
    seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)
    hashes: dict[str | None, str] | None = None

    def look(self, known: StoredFile | None) -> None:
        """Find out the hash: the known one where the stamp says that nothing has changed. Raises OSError."""
        if known and known.sha256 and known.stamp and known.stamp == " ".join(map(str, self.file.stamp)):
            self.sha256, self.stamp = known.sha256, known.stamp
            return
        self.stamp = lasting(self.file.stamp, time.time())
        self.sha256 = sha256(self.file.path)

    def take_back(self, key: str | None, *, pages: int, chunks: int) -> None:
        """Count a document out again that the user deleted meanwhile."""
        self.keys.discard(key)
        self.pages -= pages
        self.chunks -= chunks
        self.deleted |= key is None

    def stored(self, state: State, reason: str = "") -> StoredFile:
        """The file as the store is to know it; bytes that changed meanwhile get no hash, so they are read again."""
        # What there is a way out of comes first: the next run looks for it here.
        warnings = sorted(self.warnings, key=lambda told: ocr.MISSING not in told and "--password" not in told)
        warnings = warnings[:_MOST_WARNINGS]
        if more := len(self.warnings) - len(warnings):
            warnings.append(f"and {more} more warnings")
        if self.blank and self.keys:
            warnings.append(f"{self.blank} records without text")
        unchanged = stamp(self.file.path) == self.file.stamp
        pages, chunks = (self.pages, self.chunks) if state == "indexed" else (0, 0)
        return StoredFile(
            *self.file.place,
            sha256=self.sha256 if unchanged else "",
            size=self.file.size,
            state=state,
            reason=reason,
            pages=pages,
            chunks=chunks,
            warnings=tuple(warnings),
            modified=self.file.modified,
            seconds=self.seconds,
            stamp=self.stamp if unchanged else "",
        )


def is_twin(file: StoredFile) -> bool:
    """Whether a file is only a second name of another's bytes."""
    return file.reason.startswith(TWIN)


def moves(readings: Sequence[Reading], known: Mapping[Place, StoredFile]) -> list[tuple[StoredFile, Reading]]:
    """Known files whose bytes have left their place and are found at another one, with what is found there."""
    now = {reading.file.place: reading.sha256 for reading in readings}
    left: dict[str, list[StoredFile]] = {}
    for place, file in known.items():
        if file.sha256 and file.state == "indexed" and not is_twin(file) and now.get(place) != file.sha256:
            left.setdefault(file.sha256, []).append(file)
    found: list[tuple[StoredFile, Reading]] = []
    for reading in readings:
        there = known.get(reading.file.place)
        if (there is None or there.sha256 != reading.sha256) and (files := left.get(reading.sha256)):
            found.append((files.pop(), reading))
    return found


def part_twins(
    changed: Sequence[Reading], gone: Collection[Place], store: Store
) -> tuple[list[Reading], list[tuple[Reading, StoredFile | Reading]]]:
    """The files that must be read, and those whose bytes another file already brought, with that one."""
    stale = {reading.file.place for reading in changed} | set(gone)
    first: dict[str, Reading] = {}
    originals: list[Reading] = []
    twins: list[tuple[Reading, StoredFile | Reading]] = []
    for reading in changed:
        stored, before = store.file_with_bytes(reading.sha256), first.get(reading.sha256)
        if stored and (stored.root, stored.relative) not in stale:
            twins.append((reading, stored))
        elif before and (reading.file.size or before.file.path == reading.file.path):
            twins.append((reading, before))
        else:
            first[reading.sha256] = reading
            originals.append(reading)
    return originals, twins
