"""SIGKILL in the middle of work: what was promised stays, what was not is whole or absent, what was deleted is gone."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from crash_child import HashEmbedder

from ingest.splitter import split
from rag.dense import open_index
from rag.errors import StoreError
from rag.settings import Settings
from rag.store import Store, VectorTable
from rag.types import Page, ParsedDocument
from tests.conftest import FULL

ROOT = Path(__file__).resolve().parents[2]
SEED = 2026
FILES, RECORDS = 14, 20
SENTENCES = ("The store keeps every document whole. ", "每个文档要么完整，要么不在。", "A kill may come any time. ")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")


Times = Callable[[int, int], int]
Figure = Callable[[str, str], None]


@dataclass(frozen=True)
class Moment:
    """So many seconds after the n-th line of a kind."""

    line: str
    count: int
    delay: float


@dataclass
class Folder:
    """A folder of text files and one file of records that changes between the kills, and all that it ever held."""

    path: Path
    dice: random.Random
    version: int = 0
    records: dict[str, str] = field(default_factory=dict)

    def change(self, all_of_it: bool = False) -> None:
        """Write a third of the files and records anew, or all of it, and take one file away."""
        self.version += 1
        for number in range(FILES):
            if self.version == 1 or all_of_it or self.dice.random() < 0.33:
                (self.path / f"{number}.txt").write_text(self._text(f"file {number}"), encoding="utf-8")
        (self.path / f"{self.dice.randrange(FILES)}.txt").unlink(missing_ok=True)
        for number in range(RECORDS):
            if self.version == 1 or all_of_it or self.dice.random() < 0.33:
                self.records[f"r{number}"] = self._text(f"record {number}")
        lines = [json.dumps({"id": key, "title": key, "text": text}) for key, text in self.records.items()]
        (self.path / "records.jsonl").write_text("\n".join(lines), encoding="utf-8")

    def contents(self) -> dict[str, str]:
        """The hash of every document that the folder holds now, by name."""
        texts = {path.name: path.read_text(encoding="utf-8") for path in self.path.glob("*.txt")}
        texts |= {f"records.jsonl#{key}": text for key, text in self.records.items()}
        return {name: sha(text) for name, text in texts.items()}

    def _text(self, subject: str) -> str:
        body = "".join(self.dice.choice(SENTENCES) for _ in range(self.dice.randint(3, 900)))
        return f"{subject}, version {self.version}. {body}".strip()


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def run(home: Path, folder: Path, work: Sequence[str], moment: Moment | None = None, mutant: str = "") -> list[str]:
    """Let a child work, SIGKILL it at a moment; everything that it said."""
    reading, writing = os.pipe()
    command = [sys.executable, str(Path(__file__).with_name("crash_child.py"))]
    process = subprocess.Popen(
        [*command, str(writing), str(home), str(folder), mutant, *work],
        pass_fds=[writing],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CRASH_SEED": repr((SEED, work, moment))},
    )
    os.close(writing)
    lines: list[str] = []
    left = moment.count if moment else -1
    with os.fdopen(reading, encoding="utf-8") as said:
        for line in said:
            lines.append(line.rstrip("\n"))
            left -= moment is not None and line.startswith(moment.line)
            if left == 0 and moment:
                time.sleep(moment.delay)
                process.send_signal(signal.SIGKILL)
                left = -1
    process.wait()
    return lines


def told(lines: list[str], kind: str) -> dict[str, str]:
    """The hash of the text of each document that the run called safe or gone, by name."""
    return {name: text_sha for what, name, text_sha in (line.split() for line in lines if line.startswith(f"{kind} "))}


def was_inside(lines: list[str]) -> bool:
    """Whether the last that was heard is that a transaction had begun, and not that it was being committed."""
    return next((line for line in reversed(lines) if line in ("in", "committing", "out")), "") == "in"


def check_whole(store: Store) -> None:
    """Every document has exactly the chunks that its text makes, and every chunk its vector and its posting."""
    assert store.verify() == []
    table = store.vector_table()
    chunk_ids = set()
    for document in store.documents():
        text = store.document_text(document.name)
        parsed = ParsedDocument(document.title, (Page(None, text),), key="r" if "#" in document.name else None)
        chunks = store.chunks(document.name)
        wanted = split(parsed, document.name, Settings(store.home).ingest)
        assert [chunk.text for chunk in chunks] == [chunk.text for chunk in wanted]
        chunk_ids |= {chunk.id for chunk in chunks}
    assert chunk_ids == set(table.ids.tolist()) == set(store.chunk_tokens(chunk_ids))
    check_vectors(store, table)


def check_vectors(store: Store, table: VectorTable) -> None:
    """All vectors are of the one embedder that the knowledge base names, and the index finds what they say."""
    if not len(table.ids):
        return
    embedder = HashEmbedder(store._rows("SELECT fingerprint FROM kb WHERE name = 'default'")[0][0])
    chunks = store.chunks_by_id(table.ids.tolist())
    right = embedder.embed_passages([chunks[int(identity)].indexed_text for identity in table.ids])
    assert np.allclose(table.vectors, right, atol=1e-6)
    question = embedder.embed_query("question")
    found = open_index(store, embedder).search(question, 5)
    assert np.allclose([score for _, score in found], np.sort(right @ question)[::-1][:5], atol=1e-5)


def everything(home: Path) -> dict[str, object]:
    """All that the store holds, without the numbers that its rows happen to have."""
    with Store(home) as store:
        table = store.vector_table()
        vectors = {int(identity): vector.tobytes() for identity, vector in zip(table.ids, table.vectors, strict=True)}
        documents = {
            document: (
                store.document_text(document.name),
                [
                    (c.ordinal, c.heading, c.text, c.start, c.end, vectors[c.id], store.chunk_tokens([c.id])[c.id])
                    for c in store.chunks(document.name)
                ],
            )
            for document in store.documents()
        }
        return {"documents": documents, "files": store.all_files(), "roots": store.roots(), "counts": store.counts()}


@dataclass
class Campaign:
    """Kills of a store and what was promised about it; a broken promise is an AssertionError."""

    home: Path
    folder: Folder
    dice: random.Random
    mutant: str = ""
    hits: int = 0
    inside: int = 0
    promises: int = 0
    safe: dict[str, str] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)

    def strike(self) -> None:
        """Change the folder, work, be killed, and look at what is left."""
        self.folder.change()
        lines = run(self.home, self.folder.path, self._work(), self._moment(), self.mutant)
        self.hits += "done" not in lines
        self.inside += "done" not in lines and was_inside(lines)
        self.promises += len(told(lines, "safe")) + len(told(lines, "gone"))
        self._look(lines)

    def _work(self) -> list[str]:
        deletions = [f"delete {name}" for name in self.dice.sample(sorted(self.safe), min(3, len(self.safe)))]
        return self.dice.choice(
            [["ingest"], ["ingest"], [*deletions, "ingest"], [f"reembed hash-{self.folder.version}", "ingest"],
             ["index", *deletions, "index", "ingest", "index"]]
        )  # fmt: skip

    def _moment(self) -> Moment:
        if self.mutant:  # all over what a transaction should have held together
            return Moment("in", self.dice.randint(1, 24), self.dice.random() * 0.003)
        kind = self.dice.choice(["in"] * 8 + ["step", "safe"])
        return Moment(kind, self.dice.randint(1, 24), self.dice.random() * (0.0001 if kind == "in" else 0.01))

    def _look(self, lines: list[str]) -> None:
        now = self.folder.contents()
        deleting = next((line.partition(" ")[2] for line in reversed(lines) if line.startswith("deleting ")), "")
        self.gone |= told(lines, "gone")
        self.safe = {k: v for k, v in self.safe.items() if k not in told(lines, "gone")} | told(lines, "safe")
        with Store(self.home) as store:
            check_whole(store)
            there = {document.name: sha(store.document_text(document.name)) for document in store.documents()}
        for name, text_sha in self.safe.items():
            # The one transaction whose promise the kill swallowed may be in as well; a file that is gone from the folder
            # may be gone from the store, and so may one whose deletion was not promised yet.
            may = {text_sha, now.get(name)} | ({None} if name not in now or name == deleting else set())
            assert there.get(name) in may, name
        for name, text_sha in self.gone.items():
            assert there.get(name) != text_sha, f"{name} is back"
        self.safe = {name: there[name] for name in self.safe if name in there}


def test_kills_lose_nothing_and_leave_nothing_half(tmp_path: Path, times: Times, figure: Figure) -> None:
    """After each SIGKILL what was promised is so and all is whole; a last run makes up for the rest."""
    kills, dice = times(200, 14), random.Random(SEED)
    (tmp_path / "docs").mkdir()
    campaign = Campaign(tmp_path / "home", Folder(tmp_path / "docs", dice), dice)
    for _ in range(2 * kills):
        campaign.strike()
        if campaign.hits == kills:
            break
    figure("SIGKILL at random moments", f"{campaign.hits} kills (seed {SEED}), {campaign.inside} inside a transaction, "
           f"{campaign.promises} promises, 0 broken")  # fmt: skip
    # So few kills as the suite's may miss; `make faults` tries enough.
    least = (kills // 2, 3 * kills) if FULL else (1, kills)
    assert campaign.hits == kills and campaign.inside >= least[0] and campaign.promises > least[1]
    campaign.folder.change(all_of_it=True)  # other bytes: what was deleted may come in again
    for home in (campaign.home, tmp_path / "untouched"):
        assert run(home, campaign.folder.path, ["ingest", "reembed hash-last", "index"])[-1] == "done"
    assert everything(campaign.home) == everything(tmp_path / "untouched")


@pytest.mark.parametrize("mutant", ["no transaction", "promised early", "postings stay"])
def test_a_broken_store_is_caught(tmp_path: Path, mutant: str, figure: Figure) -> None:
    """Without the transaction, with promises before COMMIT, or with postings that stay, the same kills find it."""
    dice = random.Random(SEED)
    (tmp_path / "docs").mkdir()
    campaign = Campaign(tmp_path / "home", Folder(tmp_path / "docs", dice), dice, mutant)
    with pytest.raises((AssertionError, StoreError)):
        for _ in range(200):
            campaign.strike()
    figure(f"mutant: {mutant}", f"caught after {campaign.hits} kills")
