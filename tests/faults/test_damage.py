"""Damaged files of the store: what is left is right, what is wrong is named, and no text that was not stored is shown."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag import dense
from rag.database import DATABASE_NAME
from rag.dense import open_index
from rag.errors import RagError
from rag.repair import repair
from rag.settings import Settings
from rag.store import Store, cache_path
from tests.rag.stored import put

ROOT = Path(__file__).resolve().parents[2]
SEED = 2026
PAGE = 8192
SENTENCES = (
    "Every employee has fifteen days of paid leave. ",
    "年假每年十五天，未休部分三月底作废。",
    "The pump needs oil. ",
)
Times = Callable[[int, int], int]
Figure = Callable[[str, str], None]


def texts(dice: random.Random, documents: int = 8) -> dict[str, list[str]]:
    """Documents of a few passages, by name."""
    return {
        f"{n}.md": [f"{n} {i}: " + "".join(dice.choices(SENTENCES, k=dice.randint(2, 30))) for i in range(4)]
        for n in range(documents)
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, exact_embedder: type) -> Path:
    """A home with some documents, closed."""
    home = tmp_path_factory.mktemp("whole")
    embedder = exact_embedder(64)
    with Store(home) as store:
        for name, passages in texts(random.Random(SEED)).items():
            put(store, embedder, name, *passages)
        open_index(store, embedder)
        store.settle()
    return home


def mutations(raw: bytes, dice: random.Random) -> Iterator[tuple[str, bytes]]:
    """The bytes with a fault in them, one kind after the other, for ever."""
    while True:
        at = dice.randrange(len(raw))
        yield "byte flip", raw[:at] + bytes([raw[at] ^ (1 << dice.randrange(8))]) + raw[at + 1 :]
        header = dice.randrange(100)
        yield "header byte", raw[:header] + bytes([dice.randrange(256)]) + raw[header + 1 :]
        page = dice.randrange(max(len(raw) // PAGE, 1)) * PAGE
        yield "zeroed page", raw[:page] + bytes(min(PAGE, len(raw) - page)) + raw[page + PAGE :]
        yield "cut off", raw[: dice.randrange(len(raw))]
        yield "garbage in a page", raw[:page] + dice.randbytes(200) + raw[page + 200 :]


def shown(store: Store, embedder: Any) -> set[str]:
    """Every passage that a question could be answered with: read as an answer reads them."""
    index = open_index(store, embedder)
    found = [i for i, _ in index.search(embedder.embed_query("paid leave oil 年假"), 100)]
    found += store.lexical_candidates(["leave", "年假", "oil"], 100)
    return {chunk.text for chunk in store.chunks_by_id(found).values()}


def test_a_damaged_database_shows_nothing_wrong_and_can_be_mended(
    whole: Path, tmp_path: Path, exact_embedder: type, times: Times, figure: Figure
) -> None:
    """However the file is damaged: no traceback, no passage that was not stored, and after --repair a whole store."""
    dice, count = random.Random(SEED), times(300, 30)
    original = {name: "\n".join(passages) for name, passages in texts(random.Random(SEED)).items()}
    passages = {text for each in texts(random.Random(SEED)).values() for text in each}
    raw = (whole / "workspace" / DATABASE_NAME).read_bytes()
    noticed = kept = refused = 0
    for number, (kind, damaged) in zip(range(count), mutations(raw, dice), strict=False):
        home = tmp_path / str(number)
        shutil.copytree(whole, home)
        (home / "workspace" / DATABASE_NAME).write_bytes(damaged)
        embedder = exact_embedder(64)
        try:
            with Store(home) as store:
                wrong = store.verify()
                assert shown(store, embedder) <= passages, kind
            noticed += bool(wrong)
        except RagError:
            noticed += 1
        try:
            mended = repair(Settings(home), lambda embedder=embedder: embedder)
        except RagError as error:
            assert kind == "header byte" and "newer Footnote" in str(error), (number, kind)  # as it must be taken
            refused += 1
            continue
        with Store(home) as store:
            assert store.verify() == [], (number, kind)
            there = {document.name: store.document_text(document.name) for document in store.documents()}
            assert there.items() <= original.items(), (number, kind)
            assert shown(store, embedder) <= passages, (number, kind)
        missing = original.keys() - there.keys()
        assert not missing or mended.again or any("may be missing" in line for line in mended.done), (number, kind)
        kept += len(there)
        shutil.rmtree(home)
    figure(
        "damaged databases",
        f"{count}/{count} handled, {noticed} noticed, {refused} taken for a newer one, {kept} of {count * 8} documents kept",
    )
    assert noticed > count // 4, "the mutations hit nothing"


@pytest.mark.parametrize("kind", ["exact", "ivf", "ivf-sq8"])
def test_a_damaged_cache_is_built_anew(
    whole: Path, tmp_path: Path, exact_embedder: type, kind: str, monkeypatch: pytest.MonkeyPatch, times: Times,
    figure: Figure,
) -> None:  # fmt: skip
    """Whatever is wrong with the index's cache, the answers are those of an undamaged one."""
    monkeypatch.setattr(dense, "_EXACT_UP_TO", 10**6 if kind == "exact" else 5)
    monkeypatch.setattr(dense, "_FLOAT_UP_TO", 10**6 if kind == "ivf" else 6)
    monkeypatch.setattr(dense, "_TRIALS", 4)
    home = tmp_path / "home"
    shutil.copytree(whole, home)
    embedder = exact_embedder(64)
    question = embedder.embed_query("paid leave 年假")
    with Store(home) as store:
        path = cache_path(home, "default")
        path.unlink()
        index = open_index(store, embedder)
        assert index.kind == kind
        right, raw = index.search(question, 10), path.read_bytes()
        count, dice = times(200, 20), random.Random(SEED)
        for _, (_, damaged) in zip(range(count), mutations(raw, dice), strict=False):
            path.write_bytes(damaged)
            assert open_index(store, embedder).search(question, 10) == right
            assert damaged == raw or path.read_bytes() != damaged, "a damaged cache stayed"
    figure(f"damaged caches ({kind})", f"{count}/{count} built anew, 0 wrong answers")


def test_a_cache_that_is_not_checked_would_be_wrong(whole: Path, tmp_path: Path, exact_embedder: type) -> None:
    """The mutations are no formality: under a checksum that fits them, some change the answers or end the reader."""
    home, embedder = tmp_path / "home", exact_embedder(64)
    shutil.copytree(whole, home)
    question = embedder.embed_query("paid leave 年假")
    path, dice, wrong = cache_path(home, "default"), random.Random(SEED), 0
    with Store(home) as store:
        right = open_index(store, embedder).search(question, 10)
        raw = path.read_bytes()
        for _ in range(60):
            at = dice.randrange(len(raw) // 2, len(raw))
            rest = raw[dense._HASH_BYTES + len(dense._MAGIC) : at] + bytes([raw[at] ^ 64]) + raw[at + 1 :]
            path.write_bytes(dense._MAGIC + hashlib.sha256(rest).digest() + rest)
            try:
                wrong += open_index(store, embedder).search(question, 10) != right
            except RuntimeError:
                wrong += 1
    assert wrong


WRITER = """
import os, random, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from tests.conftest import ExactEmbedder
from tests.faults.test_damage import texts
from tests.rag.stored import put
from rag.store import Store
store = Store(Path(sys.argv[1])); embedder = ExactEmbedder(64)
store._database.connection.execute("PRAGMA wal_autocheckpoint=0")
for name, passages in texts(random.Random(1), 12).items():
    put(store, embedder, name, *passages); print(name, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_torn_log_opens_with_a_prefix_of_what_was_committed(tmp_path: Path, times: Times, figure: Figure) -> None:
    """A write-ahead log that is cut, zeroed or garbled behind any byte gives the first documents whole, and no others."""
    home, count, dice = tmp_path / "home", times(500, 40), random.Random(SEED)
    said = subprocess.run([sys.executable, "-c", WRITER, str(home)], capture_output=True, text=True, cwd=ROOT)
    names = said.stdout.split()
    assert len(names) == 12, said.stderr
    workspace = home / "workspace"
    log = (workspace / f"{DATABASE_NAME}-wal").read_bytes()
    database = (workspace / DATABASE_NAME).read_bytes()
    seen: set[int] = set()
    for number in range(count):
        at = dice.randrange(len(log)) if number else 0
        torn = [log[:at], log[:at] + bytes(len(log) - at), log[:at] + dice.randbytes(len(log) - at)][number % 3]
        for path in workspace.glob(f"{DATABASE_NAME}*"):
            path.unlink()
        (workspace / DATABASE_NAME).write_bytes(database)
        (workspace / f"{DATABASE_NAME}-wal").write_bytes(torn)
        with Store(home) as store:
            assert store.verify() == []
            there = {document.name for document in store.documents()}
        assert there == set(names[: len(there)]), f"{there} after a log torn at {at}"
        seen.add(len(there))
    figure("torn write-ahead logs", f"{count}/{count} opened with a prefix of the commits ({len(seen)} different ones)")
    assert len(seen) > 5
