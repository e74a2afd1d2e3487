"""Records of answers, kept in the store: what was asked, found, sent to the model, written by it and made of it.

Of passages a record holds places and hashes, never text; the prompt is hashed. What the model wrote and what was quoted are
text: they go with the documents that they come from.
"""

from __future__ import annotations

import hashlib
import json
import time
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import models
from rag.database import SQLITE_VERSION, Database
from rag.errors import RagError
from rag.llm import gguf_path, shown_address
from rag.serialise import filter_to_json
from rag.settings import LLMSettings, Settings
from rag.types import Answer, Passage, Retrieval

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from rag.pipeline import Pipeline

_CODE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Written:
    """The messages that a model was sent and what it wrote, letter by letter; empty where none was asked."""

    messages: tuple[BaseMessage, ...] = ()
    draft: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One answer's record; ``created`` is seconds since 1970.

    ``facts`` are numbers, hashes, places, versions and settings. ``words`` is what may hold a document's text: query,
    history, document names, draft, answer, reasons, quotes; it is empty once a document that was shown has changed.
    """

    id: str
    kb: str
    created: float
    question: str
    facts: dict[str, Any]
    words: dict[str, Any] = field(default_factory=dict)


class Records:
    """The records under a home folder, the latest ``most``."""

    def __init__(self, home: Path, most: int = 1000) -> None:
        self._database = Database(home)
        self._most = most

    def keep(self, record: Record, retrieval: Retrieval, answer: Answer) -> None:
        """Keep a record with what it showed, and no more than the latest ``most``; raises StoreError."""
        # No reader is to wait for the disk: a power cut may take the last records, and never damages the file.
        self._database.connection.execute("PRAGMA synchronous=NORMAL")
        passages = [*retrieval.passages, *(citation.passage for citation in answer.citations)]
        with self._database.transaction() as connection:
            documents, whole = _documents(connection, passages)
            words = dict(record.words)
            earlier = [turn.content for turn in retrieval.history if turn.role == "assistant"]
            heard, known = _heard(connection, earlier)
            if not known:  # an answer without a record: nothing would take its words away with their document
                words |= {"history": None, "query": None if retrieval.query != retrieval.question else retrieval.query}
            row = (record.id, record.kb, record.created, record.question, _packed(record.facts),
                   _packed(words) if whole else "", sha256(answer.text))  # fmt: skip
            sql = "INSERT INTO record(id, kb, created, question, facts, words, answer_sha) VALUES(?,?,?,?,?,?,?)"
            seq = connection.execute(sql, row).lastrowid
            connection.executemany(
                "INSERT INTO record_document VALUES(?,?)", [(seq, document) for document in documents | heard]
            )
            connection.execute("DELETE FROM record WHERE seq <= ?", (seq - self._most,))

    def get(self, identity: str) -> Record:
        """A record by its id or the beginning of it; raises RagError where there is none or more than one."""
        sql = f"{_SELECT} WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id = ?1 DESC LIMIT 2"
        rows = self._database.rows(sql, (identity,)) if identity else []
        if len(rows) == 1 or (rows and rows[0][0] == identity):
            return _record(rows[0])
        what = "is the beginning of several records" if rows else "is the id of no record"
        raise RagError(f"{identity!r} {what}. `python -m rag replay --list` shows the latest.")

    def latest(self, most: int = 20) -> list[Record]:
        """The latest records, the last one first."""
        return [_record(row) for row in self._database.rows(f"{_SELECT} ORDER BY seq DESC LIMIT ?", (most,))]


def record_of(pipeline: Pipeline, retrieval: Retrieval, written: Written, answer: Answer) -> Record:
    """The record of an answer that a pipeline gave."""
    facts = {
        "language": answer.language,
        "refused": answer.refused,
        "refusal": retrieval.refusal,
        "incomplete": answer.incomplete,
        "answerable": retrieval.answerable,
        "filter": filter_to_json(retrieval.filter),
        "withheld": list(retrieval.withheld),
        "searched": retrieval.trace.searched,
        "hidden": retrieval.trace.hidden,
        "passages": [_passage(passage) for passage in retrieval.passages],
        "prompt": prompt_sha(written.messages),
        "messages": [{"role": m.type, "sha256": sha256(str(m.content))} for m in written.messages],
        "draft": sha256(written.draft),
        "verdicts": verdicts(answer),
        "timings": asdict(answer.timings),
        "tokens": _tokens(pipeline, written),
        "versions": versions(pipeline),
        "settings": settings_to_json(pipeline.settings),
    }
    words = {
        "query": retrieval.query,
        "history": [{"role": turn.role, "content": turn.content} for turn in retrieval.history],
        "documents": [passage.chunk.document for passage in retrieval.passages],
        "draft": written.draft,
        "answer": answer.text,
        "reason": answer.reason,
        "claims": [{"text": claim.text, "why": claim.why} for claim in answer.claims],
        "quotes": [citation.quote for citation in answer.citations],
    }
    return Record(answer.id, pipeline.store.kb, time.time(), retrieval.question, facts, words)


def verdicts(answer: Answer) -> list[dict[str, Any]]:
    """For each claim whether it is supported, and the place of the words that carry it: hash of the passage, offsets."""
    by_number = {citation.n: citation for citation in answer.citations}
    return [
        {
            "start": claim.start, "end": claim.end, "supported": claim.supported,
            "cites": [[sha256(c.passage.chunk.text), c.start, c.end] for n in claim.citations if (c := by_number.get(n))],
        }
        for claim in answer.claims
    ]  # fmt: skip


def versions(pipeline: Pipeline) -> dict[str, Any]:
    """What an answer depends on beside its question: code, prompt, models and the state of the store."""
    return {
        "footnote": _release(),
        "code": _hash_of(*sorted(_CODE.glob("*.py"))),
        "prompt": f"{pipeline.style.name} {pipeline.style.version}",
        "model": pipeline.llm.name if pipeline.llm else pipeline.settings.llm.model,
        "model_fingerprint": model_fingerprint(pipeline.settings.llm) if pipeline.llm else "",
        "embedder": pipeline.embedder.fingerprint,
        "sqlite": SQLITE_VERSION,
        "store": pipeline.store.identity(),
        "generation": pipeline.store.generation(),
    }


def model_fingerprint(settings: LLMSettings) -> str:
    """Which weights answer: the SHA-256 of a built-in, size and date of a file, the address of a server."""
    if settings.remote:
        return f"{shown_address(settings.base_url)} {settings.model}"
    if settings.model.startswith(models.PREFIX):
        return models.builtin(settings.model).sha256
    if not settings.model.endswith(".gguf"):
        return settings.model  # a folder or a hub name has no one file
    about = gguf_path(settings.model).stat()
    return f"{about.st_size} bytes of {about.st_mtime_ns}"


def settings_to_json(settings: Settings) -> dict[str, Any]:
    """The settings without anything secret in them."""
    value: dict[str, Any] = asdict(settings) | {"home": str(settings.home)}
    for section in ("llm", "embedding", "judge"):
        value[section].pop("api_key")
        value[section]["base_url"] = shown_address(value[section]["base_url"])
    return value


def prompt_sha(messages: Sequence[BaseMessage]) -> str:
    """The SHA-256 of the messages as they are sent, roles included; empty where there are none."""
    return sha256(_packed([[message.type, str(message.content)] for message in messages])) if messages else ""


def sha256(text: str) -> str:
    """The SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_SELECT = "SELECT id, kb, created, question, facts, words FROM record"


def _record(row: tuple[Any, ...]) -> Record:
    identity, kb, created, question, facts, words = row
    return Record(identity, kb, created, question, json.loads(facts), json.loads(words) if words else {})


def _packed(value: Any) -> str:
    """A value as JSON; half a character, which a model may write and no file can hold, becomes a question mark."""
    packed = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return packed.encode("utf-8", "replace").decode("utf-8")


def _passage(passage: Passage) -> dict[str, Any]:
    chunk = passage.chunk
    return {
        "kb": passage.kb, "chunk": chunk.id, "start": chunk.start, "end": chunk.end, "sha256": sha256(chunk.text),
        "score": passage.score, "dense_rank": passage.dense_rank, "lexical_rank": passage.lexical_rank,
        "rerank": passage.rerank,
    }  # fmt: skip


def _tokens(pipeline: Pipeline, written: Written) -> dict[str, Any]:
    if pipeline.llm is None or not written.messages:
        return {"prompt": 0, "completion": 0, "estimated": False}
    prompt = "\n".join(str(message.content) for message in written.messages)
    counts = {"prompt": pipeline.llm.count(prompt), "completion": pipeline.llm.count(written.draft)}
    return counts | {"estimated": pipeline.llm.remote}


def _documents(connection: Any, passages: Collection[Passage]) -> tuple[set[int], bool]:
    """The documents that hold these passages, those with the same text included, and whether all are still there."""
    wanted = {passage.chunk.id for passage in passages}
    sql = f"SELECT id, document_id, kb_id FROM chunk WHERE id IN ({','.join('?' * len(wanted))})"
    found = {row[0]: row[1:] for row in connection.execute(sql, tuple(wanted))}
    documents, whole = {document for document, _ in found.values()}, len(found) == len(wanted)
    for passage in passages:
        for name in passage.also if passage.chunk.id in found else ():
            # A name may have its root's in front; each of its endings may be the one that is indexed.
            parts = name.split("/")
            endings = ["/".join(parts[n:]) for n in range(len(parts))]
            sql = f"SELECT id FROM document WHERE kb_id = ? AND name IN ({','.join('?' * len(endings))})"
            twins = connection.execute(sql, (found[passage.chunk.id][1], *endings)).fetchall()
            documents |= {row[0] for row in twins}
            whole = whole and bool(twins)
    return documents, whole


def _heard(connection: Any, answers: Sequence[str]) -> tuple[set[int], bool]:
    """The documents behind earlier answers of the conversation, and whether each of these answers has a record."""
    documents: set[int] = set()
    for text in answers:
        rows = connection.execute("SELECT seq FROM record WHERE answer_sha = ?", (sha256(text),)).fetchall()
        if not rows:
            return documents, False
        for (seq,) in rows:
            sql = "SELECT document_id FROM record_document WHERE record_seq = ?"
            documents |= {row[0] for row in connection.execute(sql, (seq,))}
    return documents, True


@lru_cache
def _hash_of(*paths: Path) -> str:
    """The first 12 digits of the SHA-256 of files; of one run of the program."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes())
    return total.hexdigest()[:12]


@lru_cache
def _release() -> str:
    project = _CODE.parent / "pyproject.toml"
    return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]) if project.exists() else ""
