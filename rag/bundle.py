"""A file to send to whoever helps: versions, sizes, counts, settings and logs, and no word of a document or a question."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from rag.doctor import sizes, versions
from rag.errors import RagError
from rag.models import PREFIX
from rag.settings import Settings
from rag.store import Store
from rag.whole_file import whole_file

# What a log line may bring along; what only `log.text` puts there stays here, and so do people's names.
_WITHHELD = ("text", "user")
_KNOWN_TYPES = frozenset(
    "pdf docx doc pptx ppt xlsx xls csv tsv md txt html htm json jsonl xml epub eml msg rtf odt ods odp png jpg jpeg tif "
    "tiff bmp gif webp zip".split()
)


def write_bundle(settings: Settings, target: Path) -> list[str]:
    """Write the file and return what is in it; raises RagError where the place is taken or cannot be written."""
    if target.exists():
        raise RagError(f"{target} is there already. Name another file.")
    try:
        with whole_file(target) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("facts.json", json.dumps(_facts(settings), ensure_ascii=False, indent=1))
            for name, lines in _logs(settings.home / "logs"):
                packed.writestr(name, "".join(f"{line}\n" for line in lines))
            return packed.namelist()
    except OSError as error:
        raise RagError(f"{target} cannot be written ({error.strerror}). Name another place.") from None


def _facts(settings: Settings) -> dict[str, Any]:
    return {
        "versions": versions(),
        "sizes": sizes(settings.home),
        "settings": _shown(settings),
        "store": _store(settings),
    }


def _store(settings: Settings) -> dict[str, Any]:
    """Each knowledge base by a number: how much there is, of what kinds, and what is wrong with it."""
    try:
        with Store(settings.home) as store:
            bases = [_counts(store.beside(kb)) for kb in store.kbs()]
            wrong = Counter(_kind(problem) for problem in store.verify())
    except RagError as error:
        return {"cannot be opened": type(error).__name__}
    return {"knowledge bases": bases, "wrong": dict(wrong)}


def _counts(store: Store) -> dict[str, Any]:
    documents, chunks = store.counts()
    files = store.all_files()
    return {
        "documents": documents, "chunks": chunks, "generation": store.generation(), "roots": len(store.roots()),
        "states": dict(Counter(file.state for file in files)), "types": dict(Counter(_type(f.relative) for f in files)),
    }  # fmt: skip


def _type(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower().removeprefix(".")
    return suffix if suffix in _KNOWN_TYPES else "other"


def _kind(problem: str) -> str:
    for kind in ("word index", "points at nothing", "vectors", "has no text", "database file"):
        if kind in problem:
            return kind
    return "damaged documents"


def _shown(settings: Any) -> dict[str, Any]:
    """Settings as numbers and choices; of a text only whether there is one, since it may be a path or an address."""
    shown: dict[str, Any] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            shown[field.name] = _shown(value)
        elif isinstance(value, (bool, int, float)) or (isinstance(value, str) and _is_ours(field.name, value)):
            shown[field.name] = value
        else:
            shown[field.name] = "set" if value else ""
    return shown


def _is_ours(name: str, value: str) -> bool:
    return value.startswith(PREFIX) or name in ("engine", "thinking", "sign_in") or not value


def _logs(folder: Path) -> Iterator[tuple[str, list[str]]]:
    for path in sorted(folder.glob("*.jsonl*")) if folder.is_dir() else []:
        yield (
            f"logs/{path.name}",
            [line for raw in path.read_text("utf-8", "replace").splitlines() if (line := _clean(raw))],
        )


def _clean(raw: str) -> str:
    try:
        entry = json.loads(raw)
    except ValueError:  # cut off by a kill
        return ""
    if not isinstance(entry, dict):
        return ""
    return json.dumps({key: value for key, value in entry.items() if key not in _WITHHELD}, ensure_ascii=False)
