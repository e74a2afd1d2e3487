"""Rules of the store that any order of work must keep, and what may never get into it."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crash_child import HashEmbedder
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

import ingest.reading
from evaluation.results import Results
from ingest.pool import Parsed
from ingest.sandbox import Request
from ingest.sync import ingest_uploads, synchronise
from ingest.uploads import add_upload
from rag.conversations import Conversations
from rag.dense import open_index
from rag.embedder import load_embedder
from rag.erasure import erase
from rag.errors import StoreError
from rag.pipeline import Pipeline
from rag.reembed import reembed
from rag.retriever import Retriever
from rag.settings import AnswerSettings, EmbeddingSettings, RetrievalSettings, Settings
from rag.store import Store
from rag.types import Page, ParsedDocument
from tests.conftest import FULL
from tests.rag.stored import chunks_of, file, put
from tests.scripted_llm import ScriptedLLM

Times = Callable[[int, int], int]
Figure = Callable[[str, str], None]


class InlinePool:
    """Reads text files here instead of in children: order and durability need no sandbox."""

    pages = waiting_characters = 0

    def __init__(self, requests: Sequence[Request], settings: object) -> None:
        self._said = deque(said for request in requests for said in self._read(request.path))

    def __enter__(self) -> InlinePool:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def exhausted(self) -> bool:
        return not self._said

    def take(self, seconds: float | None = None) -> Parsed | None:
        return self._said.popleft() if self._said else None

    @staticmethod
    def _read(path: Path) -> list[Parsed]:
        document = ParsedDocument(path.stem, (Page(None, path.read_text(encoding="utf-8")),))
        return [Parsed(path, document), Parsed(path, seconds=0.001)]


NAMES = st.sampled_from(["a.txt", "b.txt", "子/c.txt", "子/d.txt"])
TEXTS = st.sampled_from(["年假十五天。", "Fifteen days.", "The pump.", "合同三年。", "Rent is due."])


class Life(RuleBasedStateMachine):
    """A folder and its knowledge base, beside a dict of what must be in it."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        self.folder, self.home = self.place / "docs", self.place / "home"
        self.folder.mkdir()
        self.store = Store(self.home)
        self.files: dict[str, str] = {}
        self.deleted: dict[str, str] = {}  # content: the name it was deleted by
        self.expected: set[str] = set()

    @rule(name=NAMES, text=TEXTS)
    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")
        self.files[name] = text

    @precondition(lambda self: self.files)
    @rule(data=st.data(), to=NAMES)
    def rename(self, data: st.DataObject, to: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.files)))
        (self.folder / to).parent.mkdir(exist_ok=True)
        (self.folder / name).replace(self.folder / to)
        self.files[to] = self.files.pop(name)

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.files)))
        (self.folder / name).unlink()
        del self.files[name]

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(document.name for document in self.store.documents())))
        text = self.store.document_text(name)
        self.store.delete(name)
        self.deleted[text] = name
        self.expected.discard(text)

    @precondition(lambda self: self.deleted)
    @rule(data=st.data())
    def include(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(set(self.deleted.values()))))
        self.store.include(name)
        self.deleted = {text: by for text, by in self.deleted.items() if by != name}

    @rule()
    def take_in(self) -> None:
        run = lambda: synchronise(Settings(self.home), [self.folder], store=self.store, embedder=HashEmbedder())  # noqa: E731
        run()
        self.expected = set(self.files.values()) - self.deleted.keys()
        generation = self.store.generation()
        run()
        assert self.store.generation() == generation, "a second run wrote something"

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store(self.home)

    @invariant()
    def the_same(self) -> None:
        documents = self.store.documents()
        texts = [self.store.document_text(document.name) for document in documents]
        assert sorted(texts) == sorted(self.expected)
        assert self.store.verify() == []
        index = open_index(self.store, HashEmbedder())
        assert len(index) == self.store.counts()[1] == len(texts)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.place)


def test_any_order_of_work(monkeypatch: pytest.MonkeyPatch, times: Times, figure: Figure) -> None:
    """Whatever is written, renamed, removed, deleted, included and taken in, in any order: the store is what a dict is."""
    monkeypatch.setattr(ingest.reading, "Pool", InlinePool)
    runs, steps = times(500, 8), 30
    chosen = settings(
        max_examples=runs, stateful_step_count=steps, deadline=None, derandomize=not FULL, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Life, settings=chosen)
    figure("any order of work", f"{runs} runs of up to {steps} steps: 0 differences")


@pytest.mark.parametrize("kind", ["NaN", "infinity", "zero", "too few", "half as long"])
def test_bad_embeddings_are_refused(tmp_path: Path, embedder: Any, kind: str) -> None:
    """What an embedder gives that can't be right stores nothing and names the passage or the numbers."""
    texts = ("first passage", "second passage")
    vectors = embedder.embed_passages(list(texts))
    bad = {
        "NaN": np.full_like(vectors, np.nan), "infinity": np.full_like(vectors, np.inf), "zero": np.zeros_like(vectors),
        "too few": vectors[:1], "half as long": vectors * 0.5,
    }[kind]  # fmt: skip
    with Store(tmp_path) as store:
        with pytest.raises(StoreError, match=r"chunk 0 of a\.md|1 vectors for 2 chunks"):
            document = ParsedDocument("a", (Page(None, "\n".join(texts)),))
            store.put_document(file("a.md"), document, chunks_of("a.md", texts), bad, "e")
        assert store.counts() == (0, 0) and store.verify() == []


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real sentence-transformers model of a few weights."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    from tests.rag.tiny_cross_encoder import save

    folder = tmp_path_factory.mktemp("tiny")
    encoder = Transformer(str(save(folder / "encoder", head=False)))
    SentenceTransformer(modules=[encoder, Pooling(4), Normalize()]).save(str(folder / "model"))
    return folder / "model"


def swap(folder: Path, what: str) -> EmbeddingSettings:
    """Change one thing about a model in its folder, or in the settings."""
    from safetensors.numpy import load_file, save_file

    chosen = EmbeddingSettings(model=str(folder))
    if what == "weights of the same size":
        (path,) = folder.rglob("*.safetensors")
        tensors = load_file(path)
        name = next(name for name in tensors if "word_embeddings" in name)
        tensors[name] = tensors[name] + np.float32(0.5)
        save_file(tensors, path, metadata={"format": "pt"})
    elif what == "pooling":
        (path,) = folder.glob("*Pooling/config.json")
        path.write_text(json.dumps({**json.loads(path.read_text()), "pooling_mode": "cls"}))
    elif what == "normalising":
        path = folder / "modules.json"
        path.write_text(json.dumps([m for m in json.loads(path.read_text()) if "Normalize" not in m["type"]]))
    elif what == "length":
        (path,) = folder.rglob("sentence_bert_config.json")
        path.write_text(json.dumps({**json.loads(path.read_text()), "max_seq_length": 16}))
    elif what == "prefixes":
        chosen = replace(chosen, passage_prefix="other: ")
    return chosen


@pytest.mark.parametrize(
    "what", ["weights of the same size", "pooling", "normalising", "length", "prefixes", "another model"]
)
def test_another_embedder_is_refused(tmp_path: Path, tiny: Path, what: str) -> None:
    """A model swapped under the same name is noticed by questions and by ingests, which name the way out."""
    folder = shutil.copytree(tiny, tmp_path / "model")
    first = load_embedder(EmbeddingSettings(model=str(folder)))
    with Store(tmp_path) as store:
        put(store, first, "a.md", "good")
        second = HashEmbedder("other@1") if what == "another model" else load_embedder(swap(folder, what))
        assert second.fingerprint != first.fingerprint
        with pytest.raises(StoreError, match="reembed") as refused:
            Retriever(store, second, RetrievalSettings()).search("good", 5)
        assert first.fingerprint in str(refused.value) and second.fingerprint in str(refused.value)
        with pytest.raises(StoreError, match="reembed"):
            put(store, second, "b.md", "good")
        reembed(store, second)
        assert Retriever(store, second, RetrievalSettings()).search("good", 5) and store.verify() == []


def test_the_clock_decides_nothing(tmp_path: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the clock set back ten years between two ingests the result is what it is with a right one."""
    results = []
    for skew in (0.0, -10 * 365 * 86400.0):
        folder, home, real = tmp_path / f"docs{skew}", tmp_path / f"home{skew}", time.time
        folder.mkdir()
        for name in ("a.txt", "b.txt"):
            (folder / name).write_text(f"{name} says fifteen days.")
        with Store(home) as store:
            synchronise(Settings(home), [folder], store=store, embedder=embedder)
            monkeypatch.setattr(time, "time", lambda real=real, skew=skew: real() + skew)
            (folder / "a.txt").write_text("a.txt says sixteen days.")
            (folder / "b.txt").unlink()
            report = synchronise(Settings(home), [folder], store=store, embedder=embedder)
            again = synchronise(Settings(home), [folder], store=store, embedder=embedder)
            monkeypatch.undo()
            assert store.verify() == []
            results.append(([store.document_text(d.name) for d in store.documents()], store.generation(),
                            [v.state for v in report.verdicts], [v.state for v in again.verdicts]))  # fmt: skip
    assert results[0] == results[1]


CANARY = "quetzalcoatlus-7731"
SECRET = (
    f"The password of the reservoir is {CANARY}; 朱鹮栖息地在水库以北三公里处。 The reservoir lies behind the hill."
)


def test_nothing_of_a_deleted_document_is_left_anywhere(tmp_path: Path, exact_embedder: type, figure: Figure) -> None:
    """After folder, upload, answers, records, results, another embedder and a change, a deletion leaves none of its words."""
    home, folder, embedder = tmp_path / "home", tmp_path / "docs", exact_embedder(256)
    folder.mkdir()
    (folder / "keep.txt").write_text("Lunch is at noon. The canteen closes at two.", encoding="utf-8")
    (folder / "secret.txt").write_text(f"An earlier version. {SECRET}", encoding="utf-8")
    settings_ = replace(Settings(home), answers=AnswerSettings(strictness=0.0))
    with Store(home) as store:
        synchronise(settings_, [folder], store=store, embedder=embedder)
        (folder / "secret.txt").write_text(SECRET, encoding="utf-8")
        synchronise(settings_, [folder], store=store, embedder=embedder)
        add_upload(settings_, "copy.txt", f"{SECRET} Uploaded.".encode())
        ingest_uploads(settings_, store=store, embedder=embedder)
        llm = ScriptedLLM(f"The password of the reservoir is {CANARY} [1].")
        pipeline = Pipeline(settings_, store, embedder, llm)  # type: ignore[arg-type]
        conversations = Conversations(home)
        number = conversations.create("What is it?")
        answer = pipeline.ask("What is the password of the reservoir?")
        conversations.add(number, "assistant", answer.text, answer)
        Results(store).put("key", json.dumps({"said": answer.text}))
        open_index(store, embedder)
        second = exact_embedder(256, "exact-2")
        reembed(store, second)
        open_index(store, second)
        reader = Store(home)  # somebody has it open all the time
        assert len(reader.documents()) == 3
        raw = lambda: b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())  # noqa: E731
        assert raw().count(CANARY.encode()) > 3
        done = [erase(store, [name]) for name in ("secret.txt", "copy.txt")]
        assert all(each.left == () for each in done) and reader.counts()[0] == 1
        left = raw()
    tokens = ("quetzalcoatlus", "朱鹮", "栖息", "reservoir", hashlib.sha256(SECRET.encode()).hexdigest()[:12])
    hits = {word: left.count(word.encode()) for word in (CANARY, *tokens[:-1])}
    figure("deleted words in raw files", f"{sum(hits.values())} hits of {len(hits)} strings in {len(left) >> 10} kB")
    assert not any(hits.values()), hits
    assert b"canteen" in left
