"""Makes a knowledge base equal to its roots: discover, compare, read, report."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest import ocr
from ingest.comparing import TWIN, Place, Reading, is_twin, moves, part_twins
from ingest.discovery import FoundFile, Root, discover, root_of
from ingest.ignore import Reasons
from ingest.passwords import Passwords
from ingest.progress import Progress
from ingest.reading import DELETED, READER, Reader
from ingest.uploads import uploads_root
from rag.logs import note
from rag.settings import Settings
from rag.store import Store
from rag.types import Embedder, PageMark, State, StoredFile, Verdict
from rag.whole_file import sweep

STATES: tuple[State, ...] = ("indexed", "unchanged", "removed", "empty", "set aside")
_NOBODY = Passwords()


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
    passwords: Passwords = _NOBODY,
) -> Report:
    """Make the knowledge base equal to these folders and files; what lies under other roots is not touched.

    Raises IngestError for a path that is missing or unreadable, before anything is changed.
    """
    roots = list(dict.fromkeys(path if isinstance(path, Root) else root_of(path) for path in paths))
    return _Run(settings, store, embedder, report, passwords).sync(roots, include)


def ingest_uploads(
    settings: Settings, *, store: Store, embedder: Embedder, report: Callable[[Progress], None] = lambda progress: None
) -> Report:
    """Make the knowledge base equal to the folder of its uploads."""
    root = uploads_root(settings)
    root.path.mkdir(parents=True, exist_ok=True)
    return _Run(settings, store, embedder, report, _NOBODY).sync([root])


class _Run:
    """One run over some roots; what it has found out so far."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        embedder: Embedder,
        report: Callable[[Progress], None],
        passwords: Passwords,
    ) -> None:
        self._settings = settings
        self._store = store
        self._report = report
        self._passwords = passwords
        self._verdicts: dict[Place, Verdict] = {}
        self._outcomes: dict[Place, StoredFile] = {}
        self._known: dict[Place, StoredFile] = {}
        self._redated: list[StoredFile] = []
        self._found: list[FoundFile] = []
        # Files under a root that was read by other loaders, or cut into chunks of another size, are read again.
        self._manner = f"{settings.ingest.chinese_size}/{settings.ingest.english_size}/{READER}"
        self._again: set[str] = set()
        self._marks: dict[Place, tuple[PageMark, ...]] = {}
        self._bytes_to_read = 0
        self._started = time.monotonic()
        self._reader = Reader(
            settings, store, embedder, passwords, conclude=self._conclude, tell=self._tell, again=self._again
        )

    def sync(self, roots: Sequence[Root], include: Collection[str] = ()) -> Report:
        """Bring the store level with the roots; Ctrl-C ends it between two transactions."""
        interrupted = False
        with self._store.write_lock():
            try:
                with self._reader:
                    self._sync(roots, include)
            except KeyboardInterrupt:
                interrupted = True
            self._marks = self._store.page_marks([root.name for root in roots])
        sweep(self._settings.home / "workspace")
        self._store.settle()
        return self._result(interrupted)

    def _sync(self, roots: Sequence[Root], include: Collection[str]) -> None:
        workspace = (self._settings.home / "workspace").resolve()  # not even where a root lies around it
        self._found = [file for root in roots for file in discover(root, workspace)]
        for name in include:
            self._store.include(name)
        for root in roots:
            self._store.remember_root(root.name)
            files = {(root.name, known): file for known, file in self._store.files(root.name).items()}
            self._known |= files
            if not files:  # before anything is read: a run that breaks off must not forget how it began
                self._store.write_note(f"chunking {root.name}", self._manner)
            elif self._store.note(f"chunking {root.name}") != self._manner:
                self._again.add(root.name)
        excluded = self._store.exclusions()
        looked_at = [reading for file in self._found if (reading := self._look(file, excluded))]
        moved = self._move(looked_at)
        changed = [reading for reading in looked_at if self._must_be_read(reading, moved)]
        gone = self._known.keys() - {file.place for file in self._found}
        self._write_dates()
        self._read(changed, gone)
        reasons, paths = Reasons(), {root.name: root.path for root in roots}
        for place in sorted(gone):
            self._store.remove_file(*place)
            self._verdicts[place] = Verdict(place[1], "removed", reasons.of(paths[place[0]], place[1]))
        for root in roots:
            if self._store.note(f"chunking {root.name}") != self._manner:
                self._store.write_note(f"chunking {root.name}", self._manner)
        self._write_dates()
        self._store.note_look([root.name for root in roots])
        if changed or gone or moved:
            self._store.sweep_vectors()
        self._tell()

    # Compare

    def _look(self, file: FoundFile, excluded: Collection[str]) -> Reading | None:
        """The file with its hash, or None where that alone gives its verdict."""
        self._tell(file.relative)
        reading = Reading(file)
        most = self._settings.ingest.max_file_mb
        if file.size > most << 20:
            self._conclude(reading, "set aside", f"{file.size >> 20} MB; the most is {most} MB (ingest.max_file_mb)")
            return None
        try:
            reading.look(self._known.get(file.place))
        except OSError as error:
            self._cannot_be_read(reading, error.strerror)
            return None
        if reading.sha256 in excluded:
            self._conclude(reading, "removed", DELETED)
            return None
        return reading

    def _cannot_be_read(self, reading: Reading, why: str | None) -> None:
        """Set a file aside; what is stored of it stays, since a lock or a drive that is away passes."""
        place = reading.file.place
        known = self._known.get(place)
        if known is None or known.state != "indexed":
            self._conclude(reading, "set aside", f"it cannot be read ({why})")
            return
        self._outcomes[place] = known
        told = f"it cannot be read now ({why}); what was taken in of it before stays"
        self._verdicts[place] = replace(_verdict(known, "set aside"), reason=told)

    def _move(self, readings: Sequence[Reading]) -> dict[Place, str]:
        """Let the documents of renamed and moved files go along, unread; the files' new places, and their old names."""
        found = [pair for pair in moves(readings, self._known) if pair[1].file.root.name not in self._again]
        if not found:
            return {}
        for old, _ in found:
            del self._known[old.root, old.relative]
        new_ones: list[tuple[StoredFile, StoredFile]] = []
        for old, reading in found:
            root, relative = reading.file.place
            new = replace(old, root=root, relative=relative, modified=reading.file.modified, stamp=reading.stamp)
            new_ones.append((old, new))
            self._known[root, relative] = new
            if all((old.root, old.relative) != file.place for file in self._found):
                self._verdicts[old.root, old.relative] = Verdict(old.relative, "removed", f"it is {relative} now")
        self._store.move_files(new_ones)
        return {reading.file.place: old.relative for old, reading in found}

    def _must_be_read(self, reading: Reading, moved: dict[Place, str]) -> bool:
        """Whether a file's bytes are new or worth another look; else it gets its verdict here."""
        place = reading.file.place
        known = self._known.get(place)
        if known is None or reading.file.root.name in self._again:
            return True
        if known.sha256 != reading.sha256 or known.state not in ("indexed", "empty") or is_twin(known):
            return True
        if self._has_the_means_now(known):
            return True
        if (known.modified, known.stamp) != (reading.file.modified, reading.stamp):
            self._redated.append(replace(known, modified=reading.file.modified, stamp=reading.stamp))
        self._outcomes[place] = known
        if place in moved:
            reading.warnings, reading.seconds = list(known.warnings), known.seconds
            if not self._reader.retitle(reading, moved[place]):
                self._verdicts[place] = replace(_verdict(known, "indexed"), reason=f"it was {moved[place]}")
            return False
        self._verdicts[place] = _verdict(known, "unchanged" if known.state == "indexed" else "empty")
        return False

    def _has_the_means_now(self, known: StoredFile) -> bool:
        """Whether parts of an indexed file were left out for want of OCR or of a password that is there now."""
        told = " ".join(known.warnings)
        return (ocr.MISSING in told and ocr.available()) or (
            "--password" in told and bool(self._passwords.of(known.root, known.relative))
        )

    # Read

    def _read(self, changed: Sequence[Reading], gone: Collection[Place]) -> None:
        originals, twins = part_twins(changed, gone, self._store)
        self._bytes_to_read = sum(reading.file.size for reading in originals)
        self._reader.read(originals)
        retry = self._settle(twins)
        self._bytes_to_read += sum(reading.file.size for reading in retry)
        self._reader.read(retry)
        self._reader.finish()

    def _settle(self, twins: Sequence[tuple[Reading, StoredFile | Reading]]) -> list[Reading]:
        """Give second names the state of the first; those whose own name may read better are returned, to be read."""
        retry: list[Reading] = []
        for reading, first in twins:
            outcome = first if isinstance(first, StoredFile) else self._outcomes[first.file.place]
            other_format = Path(outcome.relative).suffix.lower() != reading.file.path.suffix.lower()
            if outcome.state == "set aside" and other_format:
                retry.append(reading)
                continue
            self._conclude(reading, outcome.state, f"{TWIN}{outcome.relative}")
        return retry

    def _conclude(self, reading: Reading, state: State, reason: str = "") -> None:
        """Write a file's row and give its verdict, after all its documents are in or out."""
        file = reading.stored(state, reason)
        keep = reading.keys if state == "indexed" and not is_twin(file) else ()
        known = self._known.get(reading.file.place)
        if file != known or reading.seconds:  # read anew, with the same outcome perhaps
            self._store.put_file(file, keep)
        elif file.stamp != known.stamp:
            self._redated.append(file)
        twin_as_before = is_twin(file) and file == known and state == "indexed"
        self._outcomes[reading.file.place] = file
        self._verdicts[reading.file.place] = _verdict(file, "unchanged" if twin_as_before else state)

    def _write_dates(self) -> None:
        if self._redated:
            self._store.write_dates(self._redated)
        self._redated = []

    # Report

    def _tell(self, current: str = "") -> None:
        reader = self._reader
        seconds = max(time.monotonic() - self._started, 1e-3)
        share = reader.bytes_read / self._bytes_to_read if self._bytes_to_read else 0.0
        left = seconds / share - seconds if share else None
        done = len(self._verdicts)
        total = max(len(self._found), done)
        self._report(Progress(done, total, reader.embedded, reader.embedded / seconds, left, current, reader.pages))

    def _result(self, interrupted: bool) -> Report:
        verdicts = tuple(self._named())
        states = Counter(verdict.state for verdict in verdicts)
        new = [verdict for verdict in verdicts if verdict.state == "indexed"]
        totals: dict[str, float] = {
            "files": len(verdicts),
            "documents": self._reader.documents,
            "pages": sum(verdict.pages for verdict in new),
            "chunks": sum(verdict.chunks for verdict in new),
            "seconds": round(time.monotonic() - self._started, 3),
        }
        facts: dict[str, Any] = {**totals, **{state.replace(" ", "_"): states[state] for state in STATES}}
        note("ingested", interrupted=interrupted, **facts)
        return Report(verdicts, totals | {state: states[state] for state in STATES}, interrupted)

    def _named(self) -> Iterator[Verdict]:
        """The verdicts by file; a name that two roots share gets its root's in front."""
        counts = Counter(relative for _, relative in self._verdicts)
        for (root, relative), verdict in sorted(self._verdicts.items(), key=lambda item: (item[0][1], item[0][0])):
            shared = counts[relative] > 1
            yield replace(
                verdict,
                file=f"{Path(root).name}/{relative}" if shared else verdict.file,
                read=self._marks.get((root, relative), ()),
            )


def _verdict(file: StoredFile, state: State) -> Verdict:
    return Verdict(file.relative, state, file.reason, file.pages, file.chunks, file.warnings, file.seconds)
