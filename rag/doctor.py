"""What `doctor` looks at: versions, models, settings, the store and its index."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass, fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rag.database import DATABASE_NAME, SQLITE_VERSION
from rag.errors import LLMError, ModelError, RagError
from rag.llm import choose, shown_address
from rag.llm_address import host
from rag.models import PREFIX, is_present
from rag.settings import Settings, cache, overrides
from rag.store import Store

_PACKAGES = (
    "torch",
    "transformers",
    "sentence-transformers",
    "faiss-cpu",
    "langchain-core",
    "openvino-genai",
    "xllamacpp",
    "streamlit",
    "pypdf",
)
# WAL and FTS5 faults of older ones: a checkpoint race and two overflows, mended by this one.
_SOUND_SQLITE = (3, 53, 2)
_MEGABYTES_WANTED = 500


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found: facts to read, and problems, each with what to do."""

    facts: tuple[str, ...]
    problems: tuple[str, ...]


def examine(settings: Settings) -> Examination:
    """Look at everything that the settings' knowledge base needs."""
    facts, problems = _surroundings(settings)
    for model in (settings.embedding.model, settings.llm.model):
        if model.startswith(PREFIX) and not settings.llm.remote and not is_present(model):
            problems.append(f"The model {model} is not here. Type `python -m rag models pull`.")
    try:
        with Store(settings.home, settings.kb) as store:
            documents, chunks = store.counts()
            facts.append(
                f"Knowledge base {settings.kb}: {documents} documents, {chunks} chunks, generation {store.generation()}"
            )
            problems += store.verify()
    except RagError as error:
        problems.append(str(error))
    return Examination(tuple(facts), tuple(problems))


def _engine(settings: Settings) -> tuple[str, list[str]]:
    """Which engine runs the language model, and why not a faster one; or what keeps it from being run."""
    if settings.llm.remote:
        try:
            host(settings.llm.base_url, settings.llm)
        except LLMError as error:
            return "", [str(error)]
    try:
        return f" by {choose(settings.llm).shown}", []
    except ModelError as error:
        absent = settings.llm.model.startswith(PREFIX) and not is_present(settings.llm.model)
        return "", [] if absent else [str(error)]


def _surroundings(settings: Settings) -> tuple[list[str], list[str]]:
    free = _free_megabytes(settings)
    engine, problems = _engine(settings)
    held = sizes(settings.home)
    facts = [
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        ", ".join(f"{name} {version}" for name, version in versions().items() if name not in ("Python", "system")),
        f"Home {settings.home.resolve()}; models {cache()}; {free} MB free",
        f"Embedder {settings.embedding.model}"
        + (
            f" at {shown_address(settings.embedding.base_url)} (text leaves this machine)"
            if settings.embedding.remote
            else ""
        )
        + f"; model {settings.llm.model}"
        + (
            f" at {shown_address(settings.llm.base_url)} (text leaves this machine)"
            if settings.llm.remote
            else f"{engine} (stays on this machine)"
        ),
    ]
    facts.append("Sizes in MB: " + ", ".join(f"{name} {size / 2**20:.1f}" for name, size in held.items()))
    if changed := _changed(settings):
        facts.append(f"Settings that differ: {', '.join(changed)}")
    if decided := overrides(os.environ):
        facts.append(f"Decided by the environment: {', '.join(sorted(decided))}")
    if tuple(map(int, SQLITE_VERSION.split("."))) < _SOUND_SQLITE:
        facts.append(
            f"Note: SQLite {SQLITE_VERSION} is old; 3.53.2 mended faults in it. On Linux, `pip install pysqlite3`."
        )
    if free < _MEGABYTES_WANTED:
        problems.append(f"Only {free} MB are free under {settings.home}. Make room before the next ingest.")
    return facts, problems


def versions() -> dict[str, str]:
    """The versions of all that answers depend on, by name."""
    return {
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "SQLite": SQLITE_VERSION,
        **{name: _version(name) for name in _PACKAGES},
    }


def sizes(home: Path) -> dict[str, int]:
    """How many bytes there are of each part of a home."""
    workspace = home / "workspace"
    database = sum(path.stat().st_size for path in workspace.glob(f"{DATABASE_NAME}*") if path.is_file())
    parts = {"cache": workspace / "cache", "uploads": workspace / "uploads", "pages": workspace / "pages",
             "question sets": workspace / "questions", "reports": home / "reports", "logs": home / "logs"}  # fmt: skip
    return {"database": database} | {
        name: sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) for name, folder in parts.items()
    }


def _changed(settings: Settings) -> list[str]:
    """The settings that are not what they are by default, keys masked."""
    changed = []
    for section in fields(settings):
        value = getattr(settings, section.name)
        if not is_dataclass(value):
            continue
        default = getattr(Settings(settings.home), section.name)
        for field in fields(value):
            if (now := getattr(value, field.name)) != getattr(default, field.name):
                shown = (
                    "•••" if field.name == "api_key" else shown_address(now) if field.name == "base_url" else repr(now)
                )
                changed.append(f"{section.name}.{field.name} = {shown}")
    return changed


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing (type `pip install -r requirements.txt`)"


def _free_megabytes(settings: Settings) -> int:
    place = settings.home.resolve()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free >> 20
