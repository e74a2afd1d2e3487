"""The store: documents, chunks, vectors and postings of a knowledge base, one transaction a document."""

from __future__ import annotations

import copy
import difflib
import hashlib
import json
import shlex
import time
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rag.access import OWNER, User
from rag.database import Database
from rag.errors import AccessError, StoreError
from rag.message_sources import forget_answers
from rag.postings import check_tokeniser, create_postings, follow_tokeniser
from rag.text import folded, language, tokens
from rag.types import Chunk, Filter, Language, Page, PageMark, ParsedDocument, StoredDocument, StoredFile

UPLOADS = "uploads"
RESTORING = "restore"  # below workspace, while a backup is being put back
_COUNTED_ONCE = 1000  # FTS5 walks a term's whole list to count it: 20 ms for one that 100,000 chunks hold
_SHOWN = """CASE WHEN EXISTS(SELECT 1 FROM document o WHERE o.kb_id = d.kb_id AND o.name = d.name AND o.id <> d.id)
    THEN r.label || '/' || d.name ELSE d.name END"""
_PLACES = "document d JOIN file f ON f.id = d.file_id JOIN root r ON r.id = f.root_id"
_DOCUMENT = f"""SELECT d.id, {_SHOWN} AS shown, d.title, f.state, f.reason, d.text, f.id AS file_id, d.record, f.modified
    FROM {_PLACES}"""
_IS_KEPT = (
    f"(path = '{UPLOADS}' OR path LIKE 'http://%' OR path LIKE 'https://%')"  # in HOME, not in a folder of the user's
)
# Of knowledge base ?1 the files of bytes ?2, where these are known, and file ?4 itself.
_SAME_BYTES = "kb_id = ?1 AND (id = ?4 OR sha256 = ?2 AND ?2 <> '')"
_GLOB = frozenset("*?[")
_LONGEST_TAG = 50
_DELETED = "deleted by the user"


@dataclass(frozen=True, slots=True)
class TermStatistics:
    """What BM25 needs of a collection: chunks, mean tokens a chunk, and in how many chunks each term occurs."""

    chunks: int
    mean_length: float
    frequency: dict[str, int]


@dataclass(frozen=True, slots=True)
class VectorTable:
    """All vectors of a knowledge base: chunk ids (n,), raw unit vectors (n, dim) and the chunks' languages."""

    ids: np.ndarray
    vectors: np.ndarray
    languages: tuple[Language, ...]


@dataclass(frozen=True, slots=True)
class _Collection:
    """What is counted once a generation: chunks, mean tokens a chunk, and the frequencies of common terms asked so far."""

    kb: int
    generation: int
    chunks: int
    mean_length: float
    common: dict[str, int]


@dataclass(frozen=True, slots=True)
class RootState:
    """A folder, file or page that is kept level: how many files it has, ``looked`` at last in seconds since 1970."""

    path: str
    watched: bool
    looked: float | None
    files: int
    indexed: int


class Store:
    """One knowledge base of the SQLite file in HOME/workspace; a missing one is made on the first write."""

    def __init__(self, home: Path, kb: str = "default", user: User = OWNER) -> None:
        user.check_read(kb)
        self.home = home
        self.kb = kb
        self.user = user
        self._database = Database(home)
        self._complete_what_broke_off()
        follow_tokeniser(self._database)
        self._kb_id: int | None = None
        self._counted = _Collection(-1, -1, 0, 0.0, {})

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close this thread's connection."""
        self._database.close()

    # Reading

    def snapshot(self) -> AbstractContextManager[Any]:
        """One read transaction for all that is read inside the block."""
        return self._database.snapshot()

    def write_lock(self) -> AbstractContextManager[None]:
        """The right to run an ingest; raises StoreLockedError, naming who holds it."""
        self.user.check_change(self.kb)
        return self._database.write_lock()

    def kbs(self) -> list[str]:
        """The names of the knowledge bases under this home that the user may ask."""
        return [name for (name,) in self._rows("SELECT name FROM kb ORDER BY name") if self.user.may_read(name)]

    def seen_by(self, user: User, kb: str) -> Store:
        """A knowledge base of the same file in the hands of a user; raises AccessError where it is not theirs to ask."""
        user.check_read(kb)
        other = copy.copy(self)
        other.user, other.kb, other._kb_id = user, kb, None
        return other

    def beside(self, kb: str) -> Store:
        """Another knowledge base of the same file, read in the same snapshots; raises StoreError with near matches."""
        self.user.check_read(kb)
        if kb not in (known := self.kbs()):
            near = difflib.get_close_matches(kb, known, n=3, cutoff=0.4) or known[:5]
            raise StoreError(f"There is no knowledge base named {kb!r}. {_near(near)}")
        return self.seen_by(self.user, kb)

    def identity(self) -> str:
        """A random name of this database file, so that no cache of another one passes for its own."""
        return "".join(value for (value,) in self._rows("SELECT value FROM meta WHERE key = 'identity'"))

    def secret(self) -> bytes:
        """32 random bytes of this database file, which nobody who writes documents for it knows."""
        return bytes.fromhex(self._rows("SELECT value FROM meta WHERE key = 'secret'")[0][0])

    def note(self, key: str) -> str:
        """What ``write_note`` last kept under a key for this knowledge base; empty where nothing was."""
        return "".join(v for (v,) in self._rows("SELECT value FROM meta WHERE key = ?", f"{key} {self._known_kb()}"))

    def write_note(self, key: str, value: str) -> None:
        """Keep a short text under a key."""
        with self._writing() as connection:
            row = (f"{key} {self._make_kb(connection)}", value)
            connection.execute("INSERT OR REPLACE INTO meta VALUES(?,?)", row)

    def generation(self) -> int:
        """A number that grows with every change of this knowledge base; 0 before the first."""
        rows = self._rows("SELECT generation FROM kb WHERE name = ?", self.kb)
        return int(rows[0][0]) if rows else 0

    def counts(self) -> tuple[int, int]:
        """How many documents and chunks there are."""
        kb = self._known_kb()
        documents = self._rows("SELECT count(*) FROM document WHERE kb_id = ?", kb)[0][0]
        chunks = self._rows("SELECT count(*) FROM chunk WHERE kb_id = ?", kb)[0][0]
        return int(documents), int(chunks)

    def roots(self) -> list[str]:
        """The paths that were ingested, and ``uploads`` where there are any."""
        return [path for (path,) in self._rows("SELECT path FROM root WHERE kb_id = ? ORDER BY path", self._known_kb())]

    def files(self, root: str) -> dict[str, StoredFile]:
        """The files known under a root, by relative path."""
        sql = _FILE + " WHERE f.kb_id = ? AND r.path = ?"
        return {file.relative: file for file in map(_file, self._rows(sql, self._known_kb(), root))}

    def all_files(self) -> list[StoredFile]:
        """Every file that this knowledge base knows, with what became of it."""
        return [_file(row) for row in self._rows(_FILE + " WHERE f.kb_id = ? ORDER BY f.relative", self._known_kb())]

    def file_of(self, name: str) -> tuple[StoredFile, str]:
        """The file that a document came from and its key in it, "" where it is the file; raises StoreError as ``document``."""
        row = self._document_row(name)
        return _file(self._rows(_FILE + " WHERE f.id = ?", row[6])[0]), row[7]

    def file_with_bytes(self, sha256: str) -> StoredFile | None:
        """An indexed file of exactly these bytes that is not itself a second name of another."""
        sql = _FILE + " WHERE f.kb_id = ? AND f.sha256 = ? AND EXISTS(SELECT 1 FROM document d WHERE d.file_id = f.id)"
        rows = self._rows(sql, self._known_kb(), sha256)
        return _file(rows[0]) if rows else None

    def record_hashes(self, root: str, relative: str) -> dict[str | None, str]:
        """The content hash of each stored document of a file, by record key (None for a file that is one document)."""
        sql = """SELECT d.record, d.sha256 FROM document d JOIN file f ON f.id = d.file_id JOIN root r ON r.id = f.root_id
                 WHERE f.kb_id = ? AND r.path = ? AND f.relative = ?"""
        return {key or None: sha for key, sha in self._rows(sql, self._known_kb(), root, relative)}

    def page_marks(self, roots: Collection[str] | None = None) -> dict[tuple[str, str], tuple[PageMark, ...]]:
        """How each page of each file was read, by root and relative path, in order; under all roots or some."""
        sql = """SELECT r.path, f.relative, p.number, p.kind, p.quality, p.length, d.record
                 FROM page p JOIN document d ON d.id = p.document_id JOIN file f ON f.id = d.file_id
                 JOIN root r ON r.id = f.root_id
                 WHERE d.kb_id = ? AND (? IS NULL OR r.path IN (SELECT value FROM json_each(?)))
                 ORDER BY d.id, p.ordinal"""
        among = None if roots is None else json.dumps(list(roots))
        marks: dict[tuple[str, str], list[PageMark]] = {}
        for root, relative, *mark in self._rows(sql, self._known_kb(), among, among):
            marks.setdefault((root, relative), []).append(PageMark(*mark))
        return {place: tuple(theirs) for place, theirs in marks.items()}

    def whole_document(self, root: str, relative: str) -> tuple[ParsedDocument, list[Chunk]] | None:
        """The document of a file that is one, and its chunks; None where it has none or is of records."""
        sql = """SELECT d.id, d.name, d.title, d.text FROM document d JOIN file f ON f.id = d.file_id
                 JOIN root r ON r.id = f.root_id WHERE f.kb_id = ? AND r.path = ? AND f.relative = ? AND d.record = ''"""
        rows = self._rows(sql, self._known_kb(), root, relative)
        if not rows:
            return None
        document_id, name, title, text = rows[0]
        chunks = [_chunk(r, name) for r in self._rows(_CHUNK + " WHERE document_id = ? ORDER BY ordinal", document_id)]
        return ParsedDocument(title, self._pages(document_id, text)), chunks

    def exclusions(self) -> frozenset[str]:
        """The SHA-256 of all contents that the user deleted."""
        return frozenset(sha for (sha,) in self._rows("SELECT sha256 FROM exclusion WHERE kb_id = ?", self._known_kb()))

    def excluded(self, sha256: str) -> bool:
        """Whether the user deleted this content while its file stayed in the folder."""
        sql = "SELECT 1 FROM exclusion WHERE kb_id = ? AND sha256 = ?"
        return bool(self._rows(sql, self._known_kb(), sha256))

    def documents(self, filter: Filter | None = None, withhold: Collection[str] = ()) -> list[StoredDocument]:
        """Every document that the filter lets through and that is not withheld, by name."""
        conditions, values = _conditions(filter or Filter(), withhold)
        sql = f"""SELECT q.shown, q.title, q.state, q.reason,
                (SELECT count(*) FROM page p WHERE p.document_id = q.id AND p.number IS NOT NULL),
                (SELECT count(*) FROM chunk c WHERE c.document_id = q.id), q.modified,
                (SELECT json_group_array(g.tag) FROM tag g WHERE g.file_id = q.file_id AND g.record = q.record)
            FROM ({_DOCUMENT} WHERE {" AND ".join(["d.kb_id = ?", *conditions])}) q ORDER BY q.shown"""
        rows = self._rows(sql, self._known_kb(), *values)
        return [replace(StoredDocument(*row), tags=tuple(sorted(json.loads(row[7])))) for row in rows]

    def document(self, name: str) -> StoredDocument:
        """A document by its name; raises StoreError with near matches."""
        self._document_row(name)
        return next(document for document in self.documents() if document.name == name)

    def document_text(self, name: str) -> str:
        """A document's stored text, which all offsets count in."""
        return str(self._document_row(name)[5])

    def document_pages(self, name: str) -> tuple[Page, ...]:
        """A document's pages as they were read."""
        row = self._document_row(name)
        return self._pages(row[0], row[5])

    def headings(self, documents: int = 30) -> list[str]:
        """The headings in the latest documents, in their order; what an empty page can propose to ask about."""
        sql = """SELECT DISTINCT c.heading FROM chunk c
                 JOIN (SELECT id FROM document WHERE kb_id = ? ORDER BY id DESC LIMIT ?) d ON c.document_id = d.id
                 ORDER BY c.id"""
        return [heading for (heading,) in self._rows(sql, self._known_kb(), documents)]

    def chunks(self, name: str) -> list[Chunk]:
        """A document's chunks in order."""
        row = self._document_row(name)
        return [_chunk(r, row[1]) for r in self._rows(_CHUNK + " WHERE document_id = ? ORDER BY ordinal", row[0])]

    def chunks_by_id(self, ids: Collection[int]) -> dict[int, Chunk]:
        """The chunks of these ids that (still) belong to this knowledge base and are undamaged."""
        if not ids:
            return {}
        sql = f"""SELECT c.id, c.ordinal, c.heading, c.page, c.text, c.start, c."end", c.crc, q.shown
                  FROM chunk c JOIN ({_DOCUMENT}) q ON q.id = c.document_id
                  WHERE c.kb_id = ? AND c.id IN ({_marks(ids)})"""
        rows = self._rows(sql, self._known_kb(), *ids)
        return {r[0]: _chunk(r, r[8]) for r in rows if r[7] == chunk_crc(r[2], r[4])}

    def chunk_ids(self, names: Collection[str]) -> set[int]:
        """The ids of all chunks of these documents."""
        if not names:
            return set()
        sql = f"""SELECT c.id FROM chunk c JOIN ({_DOCUMENT} WHERE d.kb_id = ?) q ON q.id = c.document_id
                  WHERE q.shown IN ({_marks(names)})"""
        return {row[0] for row in self._rows(sql, self._known_kb(), *names)}

    def unknown_names(self, names: Collection[str]) -> list[str]:
        """Those of the names that are no document's here, globs left out."""
        plain = [name for name in names if not _GLOB & set(name)]
        return [name for name in plain if not self._named(name)]

    def allowed_chunks(self, filter: Filter, withhold: Collection[str] = ()) -> np.ndarray:
        """The ids of the chunks that a filter lets through, without those of the documents withheld, ascending (n,)."""
        conditions, values = _conditions(filter, withhold)
        sql = f"""SELECT c.id FROM {_PLACES} JOIN chunk c ON c.document_id = d.id
                  WHERE {" AND ".join(["d.kb_id = ?", *conditions])} ORDER BY c.id"""
        return np.array([row[0] for row in self._rows(sql, self._known_kb(), *values)], np.int64)

    def chunk_marks(self) -> tuple[np.ndarray, np.ndarray]:
        """The ids of all chunks, sorted, and for each a number that changes with its text or vector; int64 of shape (n,)."""
        # Out of an index that covers it; a vector's row is never changed to another text's, nor its id used again.
        sql = "SELECT id, vector_id * 4294967296 + crc FROM chunk WHERE kb_id = ?"
        rows = self._rows(sql, self._known_kb())
        pairs = np.array(rows, np.int64).reshape(-1, 2)
        pairs = pairs[np.argsort(pairs[:, 0])]
        return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])

    def vector_table(self, ids: Collection[int] | np.ndarray | None = None) -> VectorTable:
        """Vectors of whole chunks, raw, all or those of given ids; damaged rows are left out."""
        return _whole(self._vector_rows(ids))

    def vector_tables(self, ids: Collection[int] | np.ndarray) -> tuple[VectorTable, VectorTable]:
        """The vectors of whole chunks, and those of their windows under the ids of their chunks; a short chunk is its own."""
        rows = self._vector_rows(ids)
        whole = _whole(rows)
        if not rows:
            return whole, whole
        dimension = whole.vectors.shape[1]
        pieces = [_windows(row[3], dimension) if row[3] else whole.vectors[n : n + 1] for n, row in enumerate(rows)]
        counts = [len(piece) for piece in pieces]
        languages = [row[1] for row, count in zip(rows, counts, strict=True) for _ in range(count)]
        return whole, VectorTable(np.repeat(whole.ids, counts), np.concatenate(pieces), tuple(languages))

    def _vector_rows(self, ids: Collection[int] | np.ndarray | None) -> list[tuple[Any, ...]]:
        """Id, language, value and windows of undamaged vectors, by chunk id."""
        sql = """SELECT c.id, c.language, v.value, v.windows, v.crc FROM chunk c JOIN vector v ON v.id = c.vector_id
                 WHERE +c.kb_id = ?"""  # the plus: by id, in the order in which the rows lie
        values: list[Any] = [self._known_kb()]
        if ids is not None:
            sql += " AND c.id IN (SELECT value FROM json_each(?))"
            values.append(json.dumps([int(i) for i in ids]))
        found = self._rows(sql + " ORDER BY c.id", *values)
        return [row for row in found if zlib.crc32(row[2] + row[3]) == row[4]]

    def lexical_candidates(self, terms: Sequence[str], limit: int, allowed: np.ndarray | None = None) -> list[int]:
        """Chunk ids that hold any of the terms, best first by FTS5's own ranking, at most ``limit``.

        Where ``allowed`` (ids) is given, none but these.
        """
        kb = self._known_kb()
        if not terms or kb < 0:
            return []
        match = " OR ".join(f'"{term}"' for term in terms)
        values: tuple[Any, ...] = (match, limit)
        among = ""
        if allowed is not None:
            # The + keeps FTS5 from being asked once for each id.
            among = "AND +rowid IN (SELECT value FROM json_each(?))"
            values = (match, json.dumps(allowed.tolist()), limit)
        sql = f"SELECT rowid FROM fts_{kb} WHERE fts_{kb} MATCH ? {among} ORDER BY rank LIMIT ?"
        return [row[0] for row in self._rows(sql, *values)]

    def term_statistics(self, terms: Collection[str]) -> TermStatistics:
        """The collection's size and the terms' document frequencies, counted in chunks."""
        kb = self._known_kb()
        if kb < 0:
            return TermStatistics(0, 0.0, {})
        known = self._collection(kb)
        asked = [term for term in terms if term not in known.common]
        frequency = dict(self._rows(f"SELECT term, doc FROM vocabulary_{kb} WHERE term IN ({_marks(asked)})", *asked))
        known.common.update({term: count for term, count in frequency.items() if count >= _COUNTED_ONCE})
        frequencies = {term: frequency.get(term) or known.common.get(term, 0) for term in terms}
        return TermStatistics(known.chunks, known.mean_length, frequencies)

    def chunk_tokens(self, ids: Collection[int]) -> dict[int, list[str]]:
        """The indexed tokens of chunks, by id."""
        kb = self._known_kb()
        if not ids or kb < 0:
            return {}
        sql = f"SELECT rowid, tokens FROM fts_{kb} WHERE rowid IN ({_marks(ids)})"
        return {row[0]: row[1].split() for row in self._rows(sql, *map(int, ids))}

    def known_vectors(self, texts: Sequence[str], fingerprint: str) -> dict[str, np.ndarray]:
        """What is already stored for exactly these texts: float32 of shape (1 + windows, dim), the whole first."""
        by_sha = {text_sha(text): text for text in texts}
        found: dict[str, np.ndarray] = {}
        shas = list(by_sha)
        for i in range(0, len(shas), 500):
            part = shas[i : i + 500]
            sql = f"SELECT text_sha, value, windows, crc FROM vector WHERE fingerprint = ? AND text_sha IN ({_marks(part)})"
            for sha, value, windows, crc in self._rows(sql, fingerprint, *part):
                if zlib.crc32(value + windows) == crc:
                    whole = np.frombuffer(value, np.float32)[None]
                    found[by_sha[bytes(sha)]] = np.vstack([whole, _windows(windows, whole.shape[1])])
        return found

    def check_embedding(self, fingerprint: str) -> None:
        """Raise StoreError where this knowledge base was made with another embedder."""
        rows = self._rows("SELECT fingerprint FROM kb WHERE name = ?", self.kb)
        if rows and rows[0][0] and rows[0][0] != fingerprint:
            same = rows[0][0].split("@")[0] == fingerprint.split("@")[0]
            back = "" if same else ", or set embedding.model and its prefixes back"
            why = " (other prefixes, or an earlier version of Footnote)" if same else ""
            raise StoreError(
                f"Knowledge base {self.kb!r} was made with the embedder {rows[0][0]}, the settings now name {fingerprint}"
                f"{why}. Type `python -m rag reembed --kb {shlex.quote(self.kb)}` to change over to it{back}."
            )

    def chunks_without_vector(self, fingerprint: str, limit: int) -> list[Chunk]:
        """Up to ``limit`` chunks, heading and text alone, of different texts that have no vector of this embedder yet."""
        return [
            Chunk(0, "", 0, heading, None, text, 0, len(text))
            for heading, text in self._rows(f"SELECT c.heading, c.text {_BEHIND} GROUP BY o.text_sha LIMIT ?",
                                            self._known_kb(), fingerprint, limit)
        ]  # fmt: skip

    def count_without_vector(self, fingerprint: str) -> int:
        """How many different texts have no vector of this embedder yet."""
        sql = f"SELECT count(DISTINCT o.text_sha) {_BEHIND}"
        return int(self._rows(sql, self._known_kb(), fingerprint)[0][0])

    def holds(self, piece: bytes) -> bool:
        """Whether a document or a posting of any knowledge base has these bytes inside, or they are a vector."""
        text = piece.decode("utf-8", errors="replace")
        if self._rows("SELECT 1 FROM document WHERE instr(text, ?) OR instr(title, ?) LIMIT 1", text, text):
            return True
        if self._rows("SELECT 1 FROM vector WHERE value = ? LIMIT 1", piece):
            return True
        kbs = [kb for (kb,) in self._rows("SELECT id FROM kb")]
        return any(self._rows(f"SELECT 1 FROM fts_{kb} WHERE instr(tokens, ?) LIMIT 1", text) for kb in kbs)

    # Writing

    def settle(self) -> bool:
        """Empty the write-ahead log into the database file, so that nothing old stays in it; False while somebody reads."""
        return self._database.settle()

    def keep_vectors_of(self, fingerprint: str) -> None:
        """Spare an embedder's vectors from the sweep until this knowledge base has changed over to it."""
        if self.note(_REEMBEDDING) != fingerprint:
            self.write_note(_REEMBEDDING, fingerprint)
            self.sweep_vectors()  # those of a change-over to yet another embedder that was given up

    def switch_embedding(self, fingerprint: str) -> None:
        """Give every chunk its vector of another embedder, in one transaction; raises StoreError where one is missing."""
        with self._writing() as connection:
            kb = self._make_kb(connection)
            if connection.execute(f"SELECT 1 {_BEHIND} LIMIT 1", (kb, fingerprint)).fetchone():
                raise StoreError(f"Knowledge base {self.kb!r} has changed meanwhile. Type the command again to go on.")
            sql = """UPDATE chunk SET vector_id = (SELECT n.id FROM vector o JOIN vector n
                     ON n.text_sha = o.text_sha AND n.fingerprint = ? WHERE o.id = chunk.vector_id) WHERE kb_id = ?"""
            connection.execute(sql, (fingerprint, kb))
            connection.execute("UPDATE kb SET fingerprint = ? WHERE id = ?", (fingerprint, kb))
            connection.execute("DELETE FROM meta WHERE key = ?", (f"{_REEMBEDDING} {kb}",))
            self._changed(connection)
        self.sweep_vectors()

    def root_states(self) -> list[RootState]:
        """Every folder, file, page and the uploads that this knowledge base is kept equal to."""
        sql = """SELECT r.path, r.watched, r.looked, count(f.id), coalesce(sum(f.state = 'indexed'), 0)
                 FROM root r LEFT JOIN file f ON f.root_id = r.id WHERE r.kb_id = ? GROUP BY r.id ORDER BY r.path"""
        rows = self._rows(sql, self._known_kb())
        return [
            RootState(path, bool(watched), looked, files, indexed) for path, watched, looked, files, indexed in rows
        ]

    def watch_root(self, root: str, watched: bool) -> None:
        """Say whether a folder is to be followed while it changes."""
        with self._writing() as connection:
            sql = "UPDATE root SET watched = ? WHERE kb_id = ? AND path = ?"
            connection.execute(sql, (watched, self._make_kb(connection), root))

    def note_look(self, roots: Collection[str]) -> None:
        """Keep that these roots were looked through just now."""
        with self._writing() as connection:
            sql = "UPDATE root SET looked = ? WHERE kb_id = ? AND path = ?"
            kb = self._make_kb(connection)
            connection.executemany(sql, [(time.time(), kb, root) for root in roots])

    def forget_root(self, root: str) -> None:
        """Forget a folder with all documents of it; its files stay where they are."""
        for relative in self.files(root):
            self.remove_file(root, relative)
        with self._writing() as connection:
            connection.execute("DELETE FROM root WHERE kb_id = ? AND path = ?", (self._make_kb(connection), root))

    def read_again(self, names: Collection[str]) -> list[str]:
        """Have these documents' files read anew by the next ingest of their roots, which are returned."""
        with self._writing() as connection:
            self._make_kb(connection)
            files = {self._document_row(name)[6] for name in names}
            connection.executemany("UPDATE file SET sha256 = '' WHERE id = ?", [(file,) for file in files])
            sql = f"SELECT DISTINCT r.path FROM root r JOIN file f ON f.root_id = r.id WHERE f.id IN ({_marks(files)})"
            return [path for (path,) in connection.execute(sql, tuple(files))]

    def remember_root(self, root: str) -> None:
        """Remember a path as one that ingest keeps this knowledge base equal to."""
        if root in self.roots():
            return
        with self._writing() as connection:
            self._root_id(connection, root)

    def put_document(
        self, file: StoredFile, document: ParsedDocument, chunks: Sequence[Chunk],
        vectors: Sequence[np.ndarray] | np.ndarray, fingerprint: str, *, more: bool = False,
    ) -> bool:  # fmt: skip
        """Replace a document, its chunks, postings and vectors, and its file's row, in one transaction.

        Nothing is stored and False returned where the user has deleted it, while it was read perhaps. ``vectors`` are for
        each chunk a vector (dim,), or a matrix of the whole's and its windows' (1 + windows, dim); raises StoreError where
        they are no finite unit vectors. Where ``more`` documents of the file may come, it counts as unread until then.
        """
        _check_vectors(chunks, vectors)
        self.check_embedding(fingerprint)
        with self._writing() as connection:
            check_tokeniser(connection)
            kb = self._make_kb(connection)
            if self._is_excluded(connection, _names_of(file, document)):
                self._exclude_bytes(connection, file, document)
                return False
            if more:
                file = replace(file, sha256="")
            connection.execute("UPDATE kb SET fingerprint = ? WHERE id = ?", (fingerprint, kb))
            if document.key is None:
                self._hand_over(connection, file)
            self._changed(connection)
            file_id = self._write_file(connection, file)
            self._drop(connection, "file_id = ? AND record = ?", file_id, document.key or "", replaced=True)
            name = f"{file.relative}#{document.key}" if document.key is not None else file.relative
            row = (kb, file_id, document.key or "", name, document.title, content_hash(document), document.text)
            document_id = connection.execute(
                "INSERT INTO document(kb_id, file_id, record, name, title, sha256, text) VALUES(?,?,?,?,?,?,?)", row
            ).lastrowid
            _insert_pages(connection, document_id, document)
            for chunk, vector in zip(chunks, vectors, strict=True):
                _insert_chunk(connection, kb, document_id, chunk, _vector_id(connection, chunk, vector, fingerprint))
        return True

    def hand_over(self, root: str, relative: str, sha256: str) -> None:
        """Leave a file's documents to a copy that still has the bytes it had, where its own are ``sha256`` now."""
        with self._writing() as connection:
            self._make_kb(connection)
            self._hand_over(connection, StoredFile(root, relative, sha256, 0, "indexed"))

    def put_file(self, file: StoredFile, keep: Collection[str | None] = ()) -> None:
        """Write a file's row and drop its documents whose record key is not in ``keep``, in one transaction.

        A file whose bytes the user has deleted meanwhile counts as removed.
        """
        with self._writing() as connection:
            self._make_kb(connection)
            if file.state == "indexed" and self._is_excluded(connection, [file.sha256]):
                file, keep = replace(file, state="removed", reason=_DELETED, pages=0, chunks=0), ()
            self._hand_over(connection, file)
            file_id = self._write_file(connection, file)
            kept = {key or "" for key in keep}
            for (record,) in connection.execute("SELECT record FROM document WHERE file_id = ?", (file_id,)).fetchall():
                if record not in kept:
                    self._drop(connection, "file_id = ? AND record = ?", file_id, record)

    def write_dates(self, files: Collection[StoredFile]) -> None:
        """Keep when these files were last changed, and their stamps, in one transaction; nothing else is written."""
        with self._writing() as connection:
            kb = self._make_kb(connection)
            connection.executemany(
                "UPDATE file SET modified = ?, stamp = ? WHERE relative = ? "
                "AND root_id = (SELECT id FROM root WHERE kb_id = ? AND path = ?)",
                [(file.modified, file.stamp, file.relative, kb, file.root) for file in files],
            )

    def move_files(self, moves: Collection[tuple[StoredFile, StoredFile]]) -> None:
        """Give files (old, new) another place, in one transaction; documents, tags and exclusions go along.

        Only ``root``, ``relative``, ``modified`` and ``stamp`` are taken from the new ones. A file that was in such a
        place and does not move itself goes, and leaves its tags there.
        """
        with self._writing() as connection:
            self._make_kb(connection)
            ids = [self._file_id(connection, old.root, old.relative) for old, _ in moves]
            for file_id in ids:  # out of each other's way: two files may change places
                connection.execute("UPDATE file SET relative = ? WHERE id = ?", (f"\0{file_id}", file_id))
            for file_id, (old, new) in zip(ids, moves, strict=True):
                if (other := self._file_id(connection, new.root, new.relative)) is not None:
                    sql = "INSERT OR IGNORE INTO tag SELECT ?, record, tag FROM tag WHERE file_id = ?"
                    connection.execute(sql, (file_id, other))
                    self._remove(connection, new.root, new.relative)
                root = self._root_id(connection, new.root)
                sql = "UPDATE file SET root_id = ?, relative = ?, modified = ?, stamp = ? WHERE id = ?"
                connection.execute(sql, (root, new.relative, new.modified, new.stamp, file_id))
                sql = "UPDATE document SET name = ? || substr(name, ?) WHERE file_id = ?"
                connection.execute(sql, (new.relative, len(old.relative) + 1, file_id))
            self._changed(connection)

    def tag(self, name: str, tags: Collection[str], *, remove: bool = False) -> tuple[str, ...]:
        """Put tags on a document, or take them off; returns those that it has then.

        They stay while the file is ingested anew, changed or renamed, and go when the document is deleted. Raises
        StoreError for a document that there is not, with near matches, and for a tag that is none.
        """
        wanted = [clean_tag(tag) for tag in tags]
        with self._writing() as connection:
            self._make_kb(connection)
            file_id, record = self._document_row(name)[6:8]
            change = (
                "DELETE FROM tag WHERE file_id = ? AND record = ? AND tag = ?"
                if remove
                else "INSERT OR IGNORE INTO tag(file_id, record, tag) VALUES(?,?,?)"
            )
            connection.executemany(change, [(file_id, record, tag) for tag in wanted])
            sql = "SELECT tag FROM tag WHERE file_id = ? AND record = ? ORDER BY tag"
            return tuple(tag for (tag,) in connection.execute(sql, (file_id, record)))

    def remove_file(self, root: str, relative: str) -> None:
        """Forget a file and everything of it, in one transaction."""
        with self._writing() as connection:
            self._make_kb(connection)
            self._remove(connection, root, relative)

    def save_vectors(self, texts: Sequence[str], vectors: Sequence[np.ndarray], fingerprint: str) -> None:
        """Keep vectors for texts whose documents are not committed yet, so that a broken-off run goes on from there.

        Raises StoreError where they are no finite unit vectors; nothing is kept then.
        """
        for text, matrix in zip(texts, vectors, strict=True):
            if not _are_unit(matrix):
                raise StoreError(f"The embedder gave no unit vector for the text {text[:60]!r}; it was not stored.")
        with self._writing() as connection:
            rows = [
                (text_sha(text), fingerprint, *vector_columns(matrix))
                for text, matrix in zip(texts, vectors, strict=True)
            ]
            connection.executemany(
                f"{_PUT_VECTOR} WHERE crc <> excluded.crc",
                rows,
            )

    def sweep_vectors(self) -> None:
        """Delete vectors that no chunk uses and no knowledge base is being changed over to: left of runs that broke off."""
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM vector WHERE NOT EXISTS(SELECT 1 FROM chunk c WHERE c.vector_id = vector.id) "
                "AND fingerprint NOT IN (SELECT value FROM meta WHERE key GLOB ?)",
                (f"{_REEMBEDDING} *",),
            )

    def delete(self, name: str) -> list[str]:
        """Delete a document, a mail with its attachments; it stays out until its bytes change or it is included again.

        Returns the names that are gone; raises StoreError with near matches where there is no such document.
        """
        with self._writing() as connection:
            kb = self._make_kb(connection)
            row = self._document_row(name)
            file_id, record = row[6], row[7]
            sql = "SELECT f.sha256, d.sha256 FROM document d JOIN file f ON f.id = d.file_id WHERE d.id = ?"
            sha, words = connection.execute(sql, (row[0],)).fetchone()
            if record:
                # Its words, wherever they stand; and its place in these bytes, should they be read otherwise one day.
                place = record_hash(sha, record)
                connection.execute("INSERT OR REPLACE INTO exclusion VALUES(?,?,?)", (kb, place, name))
                sha = words
            # Of a file that waits to be read anew the bytes are not known: then its words stand for them.
            connection.execute("INSERT OR REPLACE INTO exclusion VALUES(?,?,?)", (kb, sha or words, name))
            inside = "file_id = ? AND record <> '' ORDER BY id"
            gone = [name]
            if not record:
                rows = connection.execute(f"SELECT record FROM document WHERE {inside}", (file_id,))
                gone += [f"{name}#{key}" for (key,) in rows]
                self._drop(connection, inside, file_id)
            sql = """DELETE FROM tag WHERE record = ?1 AND file_id IN (
                     SELECT id FROM file WHERE id = ?3 OR kb_id = ?2 AND sha256 <> ''
                     AND sha256 = (SELECT sha256 FROM file WHERE id = ?3))"""
            connection.execute(sql, (record, kb, file_id))
            self._drop(connection, "id = ?", row[0])
            if record:
                sql = """UPDATE file SET state = 'empty', reason = ?, pages = 0, chunks = 0 WHERE id = ?
                         AND state = 'indexed' AND NOT EXISTS(SELECT 1 FROM document WHERE file_id = file.id)"""
                connection.execute(sql, (_DELETED, file_id))
            else:
                sql = f"UPDATE file SET state = 'removed', reason = ?3, pages = 0, chunks = 0 WHERE {_SAME_BYTES}"
                connection.execute(sql, (kb, sha, _DELETED, file_id))
        if not record:
            self._delete_kept(sha, words, file_id)
        self.forget_copies()
        return gone

    def forget_copies(self) -> None:
        """Remove what still holds what was deleted: the index's cache, made anew when needed, and an old schema's copy."""
        cache_path(self.home, self.kb).unlink(missing_ok=True)
        self._database.remove_old_copies()
        self.settle()

    def include(self, name: str) -> None:
        """Let a deleted document back in at the next ingest; raises StoreError where none of that name was deleted."""
        with self._writing() as connection:
            kb = self._make_kb(connection)
            sql = "DELETE FROM exclusion WHERE kb_id = ? AND name = ?"
            if connection.execute(sql, (kb, name)).rowcount == 0:
                raise StoreError(f"No document named {name!r} was deleted from knowledge base {self.kb!r}.")
            # Without a hash the file counts as changed and is read again; file names and record keys may hold a #.
            # One that holds another document by now is left alone.
            sql = """UPDATE file SET sha256 = '' WHERE kb_id = ? AND instr(? || '#', relative || '#')
                     AND (state <> 'indexed' OR EXISTS(SELECT 1 FROM document WHERE file_id = file.id AND record <> ''))"""
            connection.execute(sql, (kb, name))

    def create(self) -> None:
        """Make the knowledge base, empty as it is."""
        with self._writing() as connection:
            self._make_kb(connection)

    def excluded_names(self) -> list[str]:
        """The names of the documents that were deleted while their files are still there."""
        sql = """SELECT DISTINCT e.name FROM exclusion e JOIN file f ON f.kb_id = e.kb_id AND f.state = 'removed'
                 AND instr(e.name || '#', f.relative || '#') WHERE e.kb_id = ? ORDER BY e.name"""
        return [name for (name,) in self._rows(sql, self._known_kb())]

    def delete_kb(self) -> None:
        """Delete this knowledge base with all that is in it; raises AccessError for who is no admin."""
        if not self.user.admin:
            raise AccessError("Only admins delete a knowledge base.")
        with self._writing() as connection:
            kb = self._make_kb(connection)
            self._drop(connection, "kb_id = ?", kb)
            connection.execute("DELETE FROM record WHERE kb = ?", (self.kb,))
            # One of the same name is shared with nobody yet.
            unshared = "SELECT json_group_array(value) FROM json_each(user.kbs) WHERE value <> ?"
            connection.execute(f"UPDATE user SET kbs = ({unshared})", (self.kb,))
            connection.execute(f"DROP TABLE vocabulary_{kb}")
            connection.execute(f"DROP TABLE fts_{kb}")
            # One of the same name goes on from this generation, so that no index of the old one passes for its own.
            connection.execute(
                "INSERT INTO meta SELECT 'generation', generation FROM kb WHERE id = ? "
                "ON CONFLICT(key) DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))",
                (kb,),
            )
            connection.execute("DELETE FROM meta WHERE key = ?", (f"{_REEMBEDDING} {kb}",))
            connection.execute("DELETE FROM kb WHERE id = ?", (kb,))
        self._kb_id = None
        self.forget_copies()

    def verify(self) -> list[str]:
        """What is wrong with the store, one sentence each; empty where all is well."""
        from rag.verify import problems

        with self._database.lenient(), self._database.snapshot() as connection:
            return problems(connection)

    # Details

    def _complete_what_broke_off(self) -> None:
        from rag.kbs import complete_renaming

        if (self.home / "workspace" / RESTORING).exists():
            from rag.backup import complete_restoring

            complete_restoring(self.home)
        complete_renaming(self._database, self.home)

    def _writing(self) -> AbstractContextManager[Any]:
        """A write transaction, for whoever may change this knowledge base; raises AccessError."""
        self.user.check_change(self.kb)
        return self._database.transaction()

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._database.rows(sql, values)

    def _pages(self, document_id: int, text: str) -> tuple[Page, ...]:
        sql = "SELECT number, start, length, kind, quality FROM page WHERE document_id = ? ORDER BY ordinal"
        return tuple(
            Page(number, text[start : start + length], kind, quality)
            for number, start, length, kind, quality in self._rows(sql, document_id)
        )

    def _collection(self, kb: int) -> _Collection:
        generation = self.generation()
        counted = self._counted  # of this state or of another thread's; replaced as a whole
        if (counted.kb, counted.generation) != (kb, generation):
            sql = "SELECT count(*), coalesce(avg(tokens), 0) FROM chunk WHERE kb_id = ?"
            chunks, mean_length = self._rows(sql, kb)[0]
            self._counted = counted = _Collection(kb, generation, chunks, mean_length, {})
        return counted

    def _known_kb(self) -> int:
        """The id of this knowledge base, or -1, which no row has, before its first write."""
        rows = self._rows("SELECT id FROM kb WHERE name = ?", self.kb)
        return int(rows[0][0]) if rows else -1

    def _make_kb(self, connection: Any) -> int:
        """The id of this knowledge base, made where missing, and one more generation: inside a write transaction."""
        connection.execute(
            "INSERT OR IGNORE INTO kb(name, generation) "
            "VALUES(?, coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'generation'), 0))",
            (self.kb,),
        )
        kb = connection.execute("SELECT id FROM kb WHERE name = ?", (self.kb,)).fetchone()[0]
        create_postings(connection, kb)
        self._kb_id = int(kb)
        return self._kb_id

    def _changed(self, connection: Any) -> None:
        """One more generation: what was found before may be out of date."""
        connection.execute("UPDATE kb SET generation = generation + 1 WHERE id = ?", (self._kb_id,))

    def _exclude_bytes(self, connection: Any, file: StoredFile, document: ParsedDocument) -> None:
        """Keep a deletion under the file's bytes, too, where it was kept under the words alone: they need no reading then."""
        if document.key is None and file.sha256:
            sql = """INSERT OR IGNORE INTO exclusion SELECT kb_id, ?, name FROM exclusion
                     WHERE kb_id = ? AND sha256 = ?"""
            connection.execute(sql, (file.sha256, self._kb_id, content_hash(document)))

    def _is_excluded(self, connection: Any, hashes: Collection[str]) -> bool:
        """Whether the user deleted any of these contents: asked where it can't change any more, in the transaction."""
        sql = f"SELECT 1 FROM exclusion WHERE kb_id = ? AND sha256 IN ({_marks(hashes)})"
        return bool(connection.execute(sql, (self._kb_id, *hashes)).fetchone())

    def _hand_over(self, connection: Any, file: StoredFile) -> None:
        """Give a file's documents and tags to another file of the same bytes, where its own go or become others."""
        sql = """INSERT OR IGNORE INTO tag(file_id, record, tag) SELECT t.id, g.record, g.tag
                 FROM file f JOIN root r ON r.id = f.root_id JOIN tag g ON g.file_id = f.id
                 JOIN file t ON t.kb_id = f.kb_id AND t.sha256 = f.sha256 AND t.id <> f.id
                 WHERE f.kb_id = ? AND r.path = ? AND f.relative = ? AND f.sha256 NOT IN ('', ?)"""
        connection.execute(sql, (self._kb_id, file.root, file.relative, file.sha256))
        sql = """SELECT f.id, f.relative, t.id, t.relative FROM file f JOIN root r ON r.id = f.root_id
                 JOIN file t ON t.kb_id = f.kb_id AND t.sha256 = f.sha256 AND t.id <> f.id AND t.state = 'indexed'
                 WHERE f.kb_id = ? AND r.path = ? AND f.relative = ? AND f.sha256 NOT IN ('', ?)
                 AND EXISTS(SELECT 1 FROM document d WHERE d.file_id = f.id)
                 AND NOT EXISTS(SELECT 1 FROM document d WHERE d.file_id = t.id)"""
        twins = connection.execute(sql, (self._kb_id, file.root, file.relative, file.sha256)).fetchall()
        for old, old_name, new, new_name in twins[:1]:
            sql = "UPDATE document SET file_id = ?, name = ? || substr(name, ?) WHERE file_id = ?"
            connection.execute(sql, (new, new_name, len(old_name) + 1, old))
            connection.execute("UPDATE OR IGNORE message_source SET file_id = ? WHERE file_id = ?", (new, old))
            sql = """UPDATE file SET reason = '', pages = o.pages, chunks = o.chunks
                     FROM (SELECT pages, chunks FROM file WHERE id = ?) o WHERE id = ?"""
            connection.execute(sql, (old, new))
            self._changed(connection)

    def _remove(self, connection: Any, root: str, relative: str) -> None:
        self._hand_over(connection, StoredFile(root, relative, "", 0, "removed"))
        if (file_id := self._file_id(connection, root, relative)) is not None:
            self._drop(connection, "file_id = ?", file_id)
            connection.execute("DELETE FROM file WHERE id = ?", (file_id,))

    def _file_id(self, connection: Any, root: str, relative: str) -> int | None:
        sql = """SELECT f.id FROM file f JOIN root r ON r.id = f.root_id
                 WHERE f.kb_id = ? AND r.path = ? AND f.relative = ?"""
        row = connection.execute(sql, (self._kb_id, root, relative)).fetchone()
        return int(row[0]) if row else None

    def _root_id(self, connection: Any, root: str) -> int:
        kb = self._make_kb(connection)
        row = connection.execute("SELECT id FROM root WHERE kb_id = ? AND path = ?", (kb, root)).fetchone()
        if row:
            return int(row[0])
        taken = {r[0] for r in connection.execute("SELECT label FROM root WHERE kb_id = ?", (kb,))}
        label = next(label for label in _labels(root) if label not in taken)
        return int(
            connection.execute("INSERT INTO root(kb_id, path, label) VALUES(?,?,?)", (kb, root, label)).lastrowid
        )

    def _write_file(self, connection: Any, file: StoredFile) -> int:
        root = self._root_id(connection, file.root)
        row = (
            self._kb_id,
            root,
            file.relative,
            file.sha256,
            file.size,
            file.state,
            file.reason,
            file.pages,
            file.chunks,
            json.dumps(file.warnings, ensure_ascii=False),
            file.modified,
            file.seconds,
            file.stamp,
        )
        connection.execute(
            """INSERT INTO file(kb_id, root_id, relative, sha256, size, state, reason, pages, chunks, warnings, modified,
            seconds, stamp) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(root_id, relative) DO UPDATE SET
            sha256 = excluded.sha256, size = excluded.size, state = excluded.state, reason = excluded.reason,
            pages = excluded.pages, chunks = excluded.chunks, warnings = excluded.warnings,
            modified = excluded.modified, seconds = excluded.seconds, stamp = excluded.stamp""",
            row,
        )
        sql = "SELECT id FROM file WHERE root_id = ? AND relative = ?"
        return int(connection.execute(sql, (root, file.relative)).fetchone()[0])

    def _drop(self, connection: Any, where: str, *values: Any, replaced: bool = False) -> None:
        """Delete the documents that match, with chunks, postings and the vectors that no other chunk shares.

        The records of answers that showed them go, too, and the answers in conversations; of a ``replaced`` document the
        records only lose their words, and the answers stay.
        """
        kb = self._kb_id
        ids = [r[0] for r in connection.execute(f"SELECT id FROM document WHERE {where}", values)]
        if ids:
            self._changed(connection)
        for document_id in ids:
            chunks = connection.execute(
                "SELECT id, vector_id FROM chunk WHERE document_id = ?", (document_id,)
            ).fetchall()
            connection.executemany(f"DELETE FROM fts_{kb} WHERE rowid = ?", [(c,) for c, _ in chunks])
            if not replaced:
                sql = "DELETE FROM record WHERE seq IN (SELECT record_seq FROM record_document WHERE document_id = ?)"
                connection.execute(sql, (document_id,))
                forget_answers(connection, document_id)
            connection.execute("DELETE FROM document WHERE id = ?", (document_id,))
            connection.executemany(
                "DELETE FROM vector WHERE id = ?1 AND NOT EXISTS(SELECT 1 FROM chunk WHERE vector_id = ?1)",
                [(v,) for _, v in chunks],
            )

    def _document_row(self, name: str) -> tuple[Any, ...]:
        if rows := self._named(name):
            return rows[0]
        raise self.no_document(name)

    def _named(self, name: str) -> list[tuple[Any, ...]]:
        sql = f"SELECT * FROM ({_DOCUMENT} WHERE d.kb_id = ?) q WHERE q.shown = ?"
        return self._rows(sql, self._known_kb(), name)

    def no_document(self, name: str, stores: Sequence[Store] = ()) -> StoreError:
        """The error that no document has this name here (or in any of ``stores``), with the names that come close."""
        everywhere = stores or (self,)
        sql = f"SELECT {_SHOWN} FROM {_PLACES} WHERE d.kb_id = ?"
        names = [row[0] for store in everywhere for row in store._rows(sql, store._known_kb())]
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or [n for n in names if name in n][:3]
        places = ", ".join(repr(store.kb) for store in everywhere)
        return StoreError(f"There is no document named {name!r} in knowledge base {places}. {_near(near)}")

    def _delete_kept(self, sha: str, words: str, file_id: int) -> None:
        """Remove the uploads and web pages of these bytes; after that they may be uploaded or fetched anew."""
        theirs = f"{_SAME_BYTES} AND ?3 = ?3 AND root_id IN (SELECT id FROM root WHERE kb_id = ?1 AND {_IS_KEPT})"
        rows = self._rows(f"SELECT r.path, f.relative FROM file f JOIN root r ON r.id = f.root_id WHERE f.id IN "
                          f"(SELECT id FROM file WHERE {theirs})", self._known_kb(), sha, words, file_id)  # fmt: skip
        for root, relative in rows:
            if root == UPLOADS:
                (uploads_folder(self.home, self.kb) / relative).unlink(missing_ok=True)
            else:
                remove_page(self.home, self.kb, root)
        with self._writing() as connection:
            kb = self._make_kb(connection)
            given = (kb, sha, words, file_id)
            for (identity,) in connection.execute(f"SELECT id FROM file WHERE {theirs}", given).fetchall():
                self._drop(connection, "file_id = ?", identity)
            connection.execute(f"DELETE FROM file WHERE {theirs}", given)
            # The exclusion guarded the moment before the unlinking; a copy in a folder still needs it.
            sql = """DELETE FROM exclusion WHERE kb_id = ?1 AND sha256 IN (?2, ?3)
                     AND NOT EXISTS(SELECT 1 FROM file WHERE kb_id = ?1 AND sha256 = ?2 AND ?2 <> '')"""
            if rows:
                connection.execute(sql, (kb, sha, words))


def uploads_folder(home: Path, kb: str) -> Path:
    """Where the files that were dropped on the page are kept."""
    return home / "workspace" / UPLOADS / kb


def cache_path(home: Path, kb: str) -> Path:
    """Where the index of a knowledge base is kept between two starts."""
    return home / "workspace" / "cache" / f"{hashlib.sha256(kb.encode()).hexdigest()[:16]}.faiss"


def own_folders(home: Path, kb: str) -> list[Path]:
    """The folders that belong to a knowledge base: uploads, kept pages, question sets, reports."""
    workspace = home / "workspace"
    return [workspace / UPLOADS / kb, workspace / "pages" / kb, workspace / "questions" / kb, home / "reports" / kb]


def page_folder(home: Path, kb: str, url: str) -> Path:
    """The folder that holds the one file of a web page, whatever its format is this time."""
    return home / "workspace" / "pages" / kb / hashlib.sha256(url.encode()).hexdigest()[:32]


def remove_page(home: Path, kb: str, url: str, but: Path | None = None) -> None:
    """Remove what is kept of a web page, all or all but one file."""
    folder = page_folder(home, kb, url)
    for kept in folder.glob("*"):
        if kept != but:
            kept.unlink(missing_ok=True)
    if but is None and folder.is_dir():
        folder.rmdir()


def record_hash(file_sha256: str, record: str) -> str:
    """What stands for the record of a key in a file of these bytes, whatever is read of it."""
    return hashlib.sha256(f"{file_sha256}#{record}".encode()).hexdigest()


def _names_of(file: StoredFile, document: ParsedDocument) -> list[str]:
    """The hashes under which the deletion of a document is kept: its file's, and where it is a record, its own two."""
    names = [file.sha256, content_hash(document)]
    return names if document.key is None else [*names, record_hash(file.sha256, document.key)]


def content_hash(document: ParsedDocument) -> str:
    """SHA-256, in hexadecimal, of a document's title and stored text."""
    return words_hash(document.title, document.text)


def words_hash(title: str, text: str) -> str:
    """SHA-256, in hexadecimal, of a title and a stored text."""
    return hashlib.sha256(f"{title}\0{text}".encode()).hexdigest()


# Chunks of a knowledge base whose text has no vector of an embedder; ``o`` is the vector they have now.
_BEHIND = """FROM chunk c JOIN vector o ON o.id = c.vector_id WHERE c.kb_id = ?
    AND NOT EXISTS(SELECT 1 FROM vector n WHERE n.text_sha = o.text_sha AND n.fingerprint = ?)"""
_REEMBEDDING = "reembedding"
_PUT_VECTOR = """INSERT INTO vector(text_sha, fingerprint, value, windows, crc) VALUES(?,?,?,?,?)
    ON CONFLICT(text_sha, fingerprint)
    DO UPDATE SET value = excluded.value, windows = excluded.windows, crc = excluded.crc"""
_FILE = """SELECT r.path, f.relative, f.sha256, f.size, f.state, f.reason, f.pages, f.chunks, f.warnings, f.modified,
    f.seconds, f.stamp FROM file f JOIN root r ON r.id = f.root_id"""
_CHUNK = 'SELECT id, ordinal, heading, page, text, start, "end", crc FROM chunk'


def clean_tag(tag: str) -> str:
    """A tag as it is kept and compared: width and case folded, single blanks; raises StoreError where nothing is left."""
    clean = " ".join(folded(tag).split())
    if not clean or len(clean) > _LONGEST_TAG or not clean.isprintable():
        raise StoreError(f"{tag!r} is no tag: use 1 to {_LONGEST_TAG} letters, digits, blanks or signs.")
    return clean


def _conditions(filter: Filter, withhold: Collection[str]) -> tuple[list[str], list[Any]]:
    """A filter as SQL conditions on a document, its file and its root, and their values."""
    conditions: list[str] = []
    values: list[Any] = []

    def either(tests: Sequence[str], *given: Any) -> None:
        if tests:
            conditions.append(f"({' OR '.join(tests)})")
            values.extend(given)

    names = filter.documents
    either([f"{_SHOWN} IN ({_marks(names)})"] * bool(names) + [f"{_SHOWN} GLOB ?" for n in names if _GLOB & set(n)],
           *names, *(n for n in names if _GLOB & set(n)))  # fmt: skip
    folders = [f"{folder.replace(chr(92), '/').strip('/')}/".removeprefix("./") for folder in filter.folders]
    either(["? IN ('', '/', substr(f.relative, 1, length(?)), substr(r.label || '/' || f.relative, 1, length(?)))"
            for _ in folders], *(folder for folder in folders for _ in range(3)))  # fmt: skip
    suffixes = [f".{suffix.strip().lstrip('.').lower()}" for suffix in filter.types]
    either(["lower(substr(f.relative, -length(?))) = ?" for _ in suffixes], *(s for s in suffixes for _ in range(2)))
    tags = [clean_tag(tag) for tag in filter.tags]
    either([f"EXISTS(SELECT 1 FROM tag g WHERE g.file_id = f.id AND g.record = d.record AND g.tag IN ({_marks(tags)}))"]
           * bool(tags), *tags)  # fmt: skip
    for sign, day in ((">=", filter.since), ("<=", filter.until)):
        either([f"date(f.modified, 'unixepoch', 'localtime') {sign} ?"] * bool(day), *[str(day)] * bool(day))
    either([f"{_SHOWN} NOT IN ({_marks(withhold)})"] * bool(withhold), *withhold)
    return conditions, values


def _near(names: Sequence[str]) -> str:
    return f"Near matches: {', '.join(names)}." if names else "`python -m rag list` shows what there is."


def _whole(rows: Sequence[tuple[Any, ...]]) -> VectorTable:
    if not rows:
        return VectorTable(np.zeros(0, np.int64), np.zeros((0, 0), np.float32), ())
    vectors = np.frombuffer(b"".join(row[2] for row in rows), np.float32).reshape(len(rows), -1)
    return VectorTable(np.array([row[0] for row in rows], np.int64), vectors, tuple(row[1] for row in rows))


def _file(row: tuple[Any, ...]) -> StoredFile:
    return replace(StoredFile(*row), warnings=tuple(json.loads(row[8])))


def _chunk(row: tuple[Any, ...], name: str) -> Chunk:
    identity, ordinal, heading, page, text, start, end = row[:7]
    return Chunk(identity, name, ordinal, heading, page, text, start, end)


def _insert_pages(connection: Any, document_id: int, document: ParsedDocument) -> None:
    start = 0
    for ordinal, page in enumerate(document.pages):
        row = (document_id, ordinal, page.number, start, len(page.text), page.kind, page.quality)
        connection.execute("INSERT INTO page VALUES(?,?,?,?,?,?,?)", row)
        start += len(page.text) + 1  # the form feed between two pages


def _insert_chunk(connection: Any, kb: int, document_id: int, chunk: Chunk, vector_id: int) -> None:
    words = tokens(chunk.indexed_text)
    row = (
        kb,
        document_id,
        chunk.ordinal,
        chunk.heading,
        chunk.page,
        chunk.text,
        chunk.start,
        chunk.end,
        language(chunk.text),
        len(words),
        vector_id,
        chunk_crc(chunk.heading, chunk.text),
    )
    chunk_id = connection.execute(
        """INSERT INTO chunk(kb_id, document_id, ordinal, heading, page, text, start, "end", language, tokens, vector_id, crc)
        VALUES(?,?,?,?,?,?,?,?,?,?,?,?)""",
        row,
    ).lastrowid
    connection.execute(f"INSERT INTO fts_{kb}(rowid, tokens) VALUES(?, ?)", (chunk_id, " ".join(words)))


def _vector_id(connection: Any, chunk: Chunk, vectors: np.ndarray, fingerprint: str) -> int:
    sha = text_sha(chunk.indexed_text)
    connection.execute(_PUT_VECTOR, (sha, fingerprint, *vector_columns(vectors)))
    sql = "SELECT id FROM vector WHERE text_sha = ? AND fingerprint = ?"
    return int(connection.execute(sql, (sha, fingerprint)).fetchone()[0])


def vector_columns(vectors: np.ndarray) -> tuple[bytes, bytes, int]:
    """The vectors of a text as they are stored: the whole in float32, its windows in float16, and the sum over both."""
    matrix = np.atleast_2d(vectors)
    value, windows = matrix[0].astype(np.float32).tobytes(), matrix[1:].astype(np.float16).tobytes()
    return value, windows, zlib.crc32(value + windows)


def _are_unit(vectors: np.ndarray) -> bool:
    norms = np.linalg.norm(np.atleast_2d(vectors), axis=1)
    return bool((np.abs(norms - 1) < 1e-2).all())  # false for NaN and infinity, too


def _windows(stored: bytes, dimension: int) -> np.ndarray:
    return np.frombuffer(stored, np.float16).reshape(-1, dimension).astype(np.float32)


def _check_vectors(chunks: Sequence[Chunk], vectors: Sequence[np.ndarray] | np.ndarray) -> None:
    if len(chunks) != len(vectors):
        raise StoreError(f"The embedder gave {len(vectors)} vectors for {len(chunks)} chunks; nothing was stored.")
    for chunk, vector in zip(chunks, vectors, strict=True):
        if not _are_unit(vector):
            raise StoreError(f"The embedder gave no unit vector for chunk {chunk.ordinal} of {chunk.document}.")


def text_sha(text: str) -> bytes:
    """What a vector is stored under: SHA-256 of the text that was embedded."""
    return hashlib.sha256(text.encode()).digest()


def chunk_crc(heading: str, text: str) -> int:
    """The checksum of a chunk's heading and text."""
    return zlib.crc32(f"{heading}\0{text}".encode())


def _labels(root: str) -> Iterator[str]:
    """Ever longer names for a root: its folder's name, then with its parents', then with a number."""
    parts = [part for part in Path(root).parts if part not in ("/", "\\")] or [root]
    if Path(root).is_file() and len(parts) > 1:
        parts = parts[:-1]
    for i in range(1, len(parts) + 1):
        yield "/".join(parts[-i:])
    number = 2
    while True:
        yield f"{'/'.join(parts)} ({number})"
        number += 1


def _marks(values: Collection[Any]) -> str:
    return ",".join("?" * len(values))
