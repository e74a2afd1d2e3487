"""Question sets as others write them: SQuAD's and CMRC 2018's JSON, BEIR's folders, tables; all become entries of our own.

An entry is what a line of a JSONL set holds (evaluation/dataset.py). Where a format brings its documents along, they become
a corpus of records.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import DatasetError, IngestError
from rag.settings import cache
from rag.whole_file import write_whole

_TABLES = {".csv", ".tsv"}
_COLUMNS = {
    "id": ("id", "编号", "序号"),
    "question": ("question", "query", "问题", "提问"),
    "answers": ("answer", "answers", "答案", "回答", "标准答案"),
    "relevant": ("source", "sources", "relevant", "document", "documents", "file", "来源", "出处", "文档", "文件"),
    "answerable": ("answerable", "有答案", "可回答"),
}
_YES, _NO = ("true", "yes", "y", "1", "是", "有"), ("false", "no", "n", "0", "否", "无")


@dataclass(frozen=True, slots=True)
class Entry:
    """One question as it was read, at a ``place`` of its file; ``fault`` says why it cannot be read."""

    place: str
    value: Mapping[str, Any]
    fault: str = ""


def entries(path: Path) -> list[Entry]:
    """The entries of a set in its order; raises DatasetError where the whole cannot be read."""
    if path.is_dir():
        return _folder(path)
    data = _bytes(path)
    if path.suffix.lower() in _TABLES:
        return list(_table(path, data))
    if path.suffix.lower() == ".json":
        whole = _json(path, data)
        return _array(whole) if _is_array(whole) else [entry for entry, _ in _squad(path, whole)]
    return list(_lines(data))


def corpus_of(path: Path) -> Path | None:
    """The documents that a set brings along, as a file of records to ingest; None where it brings none."""
    if path.is_dir():
        own = path / "corpus.jsonl"
        return _beir_corpus(path) if (path / "queries.jsonl").exists() else own if own.exists() else None
    if path.suffix.lower() == ".json":
        whole = _json(path, _bytes(path))
        if _is_array(whole):
            return None
        records = {record["id"]: record for _, record in _squad(path, whole)}
        return _kept_corpus(path, list(records.values()))
    return None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DatasetError(f"{path} does not exist. Name a question set, for example data/qa.jsonl.") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}). Name a question set.") from None


# JSON, an object a line


def _lines(data: bytes) -> Iterator[Entry]:
    # Only a line feed ends a line: U+2028 and its like may stand inside a text.
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            yield _line(f"line {number}", line)


def _line(place: str, line: bytes) -> Entry:
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return Entry(place, {}, "not UTF-8; save the file as UTF-8")
    except (ValueError, RecursionError) as error:
        return Entry(place, {}, f"not JSON ({error})")
    if not isinstance(value, dict):
        return Entry(place, {}, f"a JSON object is needed, not {line.decode().strip()[:40]!r}")
    return Entry(place, value)


def _json(path: Path, data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DatasetError(
            f"{path} is not JSON ({error}). A set with one JSON object a line is called .jsonl."
        ) from None


def _is_array(whole: Any) -> bool:
    """Whether this is a list of what a line of a JSONL set holds."""
    return isinstance(whole, list) and any(isinstance(item, dict) and "question" in item for item in whole)


def _array(whole: list[Any]) -> list[Entry]:
    places = [(f"[{n}]", item) for n, item in enumerate(whole)]
    return [
        Entry(place, item) if isinstance(item, dict) else Entry(place, {}, f"a JSON object is needed, not {item!r}")
        for place, item in places
    ]


# Tables


def _table(path: Path, data: bytes) -> Iterator[Entry]:
    from ingest.encoding import decode

    try:
        text = decode(data)
    except IngestError as error:
        raise DatasetError(f"{path}: {error}") from None
    rows = csv.reader(io.StringIO(text), delimiter=_delimiter(path, text))
    try:
        names = [_column(cell) for cell in next(rows, [])]
        if "question" not in names:
            raise DatasetError(
                f"{path} has no column named question (or 问题). Name the columns question, answer and source in its first row."
            )
        for row in rows:
            if any(cell.strip() for cell in row):
                yield _row(f"line {rows.line_num}", dict(zip(names, row, strict=False)))
    except csv.Error as error:
        raise DatasetError(f"{path}, line {rows.line_num}: no table ({error}). Save it as CSV again.") from None


def _delimiter(path: Path, text: str) -> str:
    head = text.split("\n", 1)[0]
    return "\t" if path.suffix.lower() == ".tsv" else max(",;\t，", key=head.count)


def _column(cell: str) -> str:
    named = cell.strip().strip("\ufeff").lower()
    return next((name for name, known in _COLUMNS.items() if named in known), f"meta {named}")


def _row(place: str, cells: Mapping[str, str]) -> Entry:
    value: dict[str, Any] = {"question": cells.get("question", "").strip()}
    for name in ("answers", "relevant"):
        value[name] = [part.strip() for part in cells.get(name, "").split("|") if part.strip()]
    told = cells.get("answerable", "").strip().lower()
    if told and told not in (*_YES, *_NO):
        return Entry(place, value, f"the column answerable must hold true or false, not {told!r}")
    value |= {"answerable": told in _YES} if told else {}
    value |= {"id": cells["id"].strip()} if cells.get("id", "").strip() else {}
    meta = {
        name.removeprefix("meta "): text for name, text in cells.items() if name.startswith("meta ") and text.strip()
    }
    return Entry(place, value | ({"meta": meta} if meta else {}))


# SQuAD 1.1 and 2.0, CMRC 2018 in both of its shapes


def _squad(path: Path, whole: Any) -> Iterator[tuple[Entry, dict[str, str]]]:
    """Each question with the record of its paragraph."""
    articles = whole.get("data") if isinstance(whole, dict) else whole
    if not isinstance(articles, list):
        raise DatasetError(f'{path} is no question set as SQuAD writes it: it has no "data" with "paragraphs".')
    named: Counter[str] = Counter()
    for number, article in enumerate(articles):
        paragraphs = article.get("paragraphs", [article]) if isinstance(article, dict) else None
        if not isinstance(paragraphs, list):
            raise DatasetError(f'{path}, data[{number}]: an article is an object with a list of "paragraphs".')
        for n, paragraph in enumerate(paragraphs):
            place = f"data[{number}].paragraphs[{n}]"
            context = paragraph.get("context", paragraph.get("context_text")) if isinstance(paragraph, dict) else None
            if not isinstance(context, str) or not isinstance(paragraph.get("qas"), list):
                raise DatasetError(f'{path}, {place}: a paragraph needs a "context" and "qas".')
            title = str(article.get("title") or "")
            identity = str(paragraph.get("id") or paragraph.get("context_id") or f"{title or number} {n}")
            named[identity] += 1
            if named[identity] > 1:
                identity = f"{identity} ({named[identity]})"
            record = {"id": identity, "title": title, "text": context}
            for q, asked in enumerate(paragraph["qas"]):
                yield Entry(f"{place}.qas[{q}]", *_asked(asked, identity)), record


def _asked(asked: Any, paragraph: str) -> tuple[dict[str, Any], str]:
    """What an entry of ``qas`` is in our own words, and what is wrong with it."""
    if not isinstance(asked, dict):
        return {}, f"a question is an object, not {asked!r}"
    answers = asked.get("answers", [])
    texts = [a.get("text") if isinstance(a, dict) else a for a in answers] if isinstance(answers, list) else answers
    impossible = bool(asked.get("is_impossible", False))
    value = {"question": asked.get("question", asked.get("query_text")), "id": asked.get("id", asked.get("query_id"))}
    if impossible:
        return value | {"answerable": False}, ""
    return value | {"answers": texts, "relevant": [paragraph]}, ""


# BEIR


def _folder(path: Path) -> list[Entry]:
    if (path / "queries.jsonl").exists():
        return list(_beir(path))
    if (path / "qa.jsonl").exists():
        return list(_lines(_bytes(path / "qa.jsonl")))
    raise DatasetError(
        f"{path} holds no question set. A folder needs qa.jsonl, or queries.jsonl and qrels/test.tsv as BEIR writes them."
    )


def _beir(path: Path) -> Iterator[Entry]:
    relevant: dict[str, list[str]] = {}
    qrels = _qrels(path)
    for row in csv.reader(
        io.StringIO(_bytes(qrels).decode("utf-8-sig", "replace")), delimiter="\t", quoting=csv.QUOTE_NONE
    ):
        if len(row) < 3 or row[2].strip() == "score":
            continue
        try:
            judged = float(row[2])
        except ValueError:
            raise DatasetError(f"{qrels}: the score of {row[0]!r} and {row[1]!r} is {row[2]!r}, no number.") from None
        if judged > 0:
            relevant.setdefault(row[0], []).append(row[1])
    for entry in _lines(_bytes(path / "queries.jsonl")):
        identity = str(entry.value.get("_id", ""))
        if entry.fault or identity in relevant:  # the rest belongs to another part of the set
            value = {"id": identity, "question": entry.value.get("text"), "relevant": relevant.get(identity, [])}
            yield Entry(f"queries.jsonl, {entry.place}", value, entry.fault)


def _qrels(path: Path) -> Path:
    found = sorted((path / "qrels").glob("*.tsv"))
    chosen = [file for file in found if file.name == "test.tsv"] or found
    if len(chosen) != 1:
        raise DatasetError(f"{path}/qrels holds {len(found)} .tsv files. One is needed, or one of them named test.tsv.")
    return chosen[0]


def _beir_corpus(path: Path) -> Path:
    file = path / "corpus.jsonl"
    records = []
    for entry in _lines(_bytes(file)):
        if entry.fault or "_id" not in entry.value:
            raise DatasetError(f"{file}, {entry.place}: {entry.fault or 'no _id'}.")
        value = entry.value
        records.append({"id": str(value["_id"]), "title": value.get("title") or "", "text": value.get("text") or ""})
    return _kept_corpus(path, records)


def _kept_corpus(path: Path, records: list[dict[str, str]]) -> Path:
    """The records as a file in the cache, the same place for the same set."""
    text = "\n".join(json.dumps(record, ensure_ascii=False) for record in records) + "\n"
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    place = cache() / "evaluation" / "corpora" / f"{path.stem}-{digest}" / "corpus.jsonl"
    if not place.exists() or place.read_text(encoding="utf-8") != text:
        try:
            write_whole(place, text)
        except OSError as error:
            raise DatasetError(f"{place} cannot be written ({error.strerror}). Check the space there.") from None
    return place
