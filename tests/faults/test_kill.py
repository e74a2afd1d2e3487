"""SIGKILL in the middle of an ingest: what was acknowledged stays, what was not is whole or absent."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from ingest.splitter import split
from rag.settings import Settings
from rag.store import Store
from rag.types import Page, ParsedDocument

ROOT = Path(__file__).resolve().parents[2]
KILLS, SEED = 20, 2026
FILES, RECORDS = 24, 48
SENTENCES = ("The store keeps every document whole. ", "每个文档要么完整，要么不在。", "A kill may come any time. ")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")


@dataclass
class Folder:
    """A folder of text files and one file of records that changes between the kills, and all that it ever held."""

    path: Path
    dice: random.Random
    version: int = 0
    records: dict[str, str] = field(default_factory=dict)

    def change(self) -> None:
        """Write a third of the files and records anew, and take one file away."""
        self.version += 1
        for number in range(FILES):
            if self.version == 1 or self.dice.random() < 0.33:
                (self.path / f"{number}.txt").write_text(self._text(f"file {number}"), encoding="utf-8")
        (self.path / f"{self.dice.randrange(FILES)}.txt").unlink(missing_ok=True)
        for number in range(RECORDS):
            if self.version == 1 or self.dice.random() < 0.33:
                self.records[f"r{number}"] = self._text(f"record {number}")
        lines = [json.dumps({"id": key, "title": key, "text": text}) for key, text in self.records.items()]
        (self.path / "records.jsonl").write_text("\n".join(lines), encoding="utf-8")

    def contents(self) -> dict[str, str]:
        """The hash of every document that the folder holds now, by name."""
        texts = {path.name: path.read_text(encoding="utf-8") for path in self.path.glob("*.txt")}
        texts |= {f"records.jsonl#{key}": text for key, text in self.records.items()}
        return {name: sha(text) for name, text in texts.items()}

    def _text(self, subject: str) -> str:
        body = "".join(self.dice.choice(SENTENCES) for _ in range(self.dice.randint(3, 120)))
        return f"{subject}, version {self.version}. {body}".strip()


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def start(home: Path, folder: Path) -> tuple[subprocess.Popen[bytes], IO[str]]:
    reading, writing = os.pipe()
    program = Path(__file__).with_name("acknowledging_ingest.py")
    process = subprocess.Popen(
        [sys.executable, str(program), str(home), str(folder), str(writing)],
        pass_fds=[writing],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    os.close(writing)
    return process, os.fdopen(reading, encoding="utf-8")


def ingest(home: Path, folder: Path, kill_at: tuple[str, int] | None = None, delay: float = 0.0) -> list[str]:
    """Run an ingest, SIGKILL it ``delay`` seconds after the n-th line of a kind; everything that it said."""
    process, said = start(home, folder)
    lines: list[str] = []
    with said:
        for line in said:
            lines.append(line.rstrip("\n"))
            kind = line.split()[0]
            if kill_at == (kind, sum(earlier.startswith(kind) for earlier in lines)):
                time.sleep(delay)
                process.send_signal(signal.SIGKILL)
    process.wait()
    return lines


def acknowledged(lines: list[str]) -> dict[str, str]:
    """The hash of the text of each document that the run called safe, by name."""
    return {name: text_sha for kind, name, text_sha in (line.split() for line in lines if line.startswith("safe "))}


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
    assert not len(table.ids) or np.allclose(np.linalg.norm(table.vectors, axis=1), 1)


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


def test_twenty_kills_lose_nothing_and_leave_nothing_half(tmp_path: Path) -> None:
    """After each of 20 kills every acknowledged document is there and whole; a last run makes up for all the rest."""
    dice = random.Random(SEED)
    folder, home = Folder(tmp_path / "docs", dice), tmp_path / "home"
    folder.path.mkdir()
    safe: dict[str, str] = {}
    hits = acknowledgements = 0
    for _ in range(2 * KILLS):
        folder.change()
        # A third of the moments while files are compared, read and embedded, the others between and in commits.
        moment = dice.choice([("step", dice.randint(1, 70)), *[("safe", dice.randint(1, 45))] * 2])
        said = ingest(home, folder.path, moment, delay=dice.random() * 0.01)
        hits += "done" not in said
        acknowledgements += len(acknowledged(said))
        now = folder.contents()
        safe = safe | acknowledged(said)
        with Store(home) as store:
            check_whole(store)
            there = {document.name: sha(store.document_text(document.name)) for document in store.documents()}
        for name, text_sha in safe.items():
            # The one transaction whose acknowledgement the kill swallowed may be in as well; a file that is gone from
            # the folder may be gone from the store.
            assert there.get(name) in ({text_sha, now[name]} if name in now else {text_sha, None}), name
        safe = {name: there[name] for name in safe if name in there}
        if hits == KILLS:
            break
    print(f"seed {SEED}: {hits} kills hit a running ingest, {acknowledgements} acknowledged documents, 0 lost")
    assert hits == KILLS and acknowledgements > 10 * KILLS
    assert ingest(home, folder.path)[-1] == "done"
    assert ingest(tmp_path / "untouched", folder.path)[-1] == "done"
    assert everything(home) == everything(tmp_path / "untouched")
