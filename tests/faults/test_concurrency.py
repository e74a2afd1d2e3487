"""Several at once: every reader sees one state, no writer loses another's work, and nobody is shown what is gone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.conversations import Conversations
from rag.pipeline import Pipeline
from rag.settings import AnswerSettings, Settings
from rag.store import Store
from tests.rag.stored import put
from tests.scripted_llm import ScriptedLLM

ROOT = Path(__file__).resolve().parents[2]
Times = Callable[[int, int], int]
Figure = Callable[[str, str], None]
LEAVE = "Every employee has fifteen days of paid leave. 每位员工每年有十五天带薪年假。"

WRITER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[4:]
from crash_child import HashEmbedder
from rag.store import Store
from tests.rag.stored import put
with Store(Path(sys.argv[1])) as store:
    for number in range(int(sys.argv[3])):
        name = f"{sys.argv[2]}{number % 5}.md"
        put(store, HashEmbedder(), name, *[f"{sys.argv[2]} version {number} part {part}" for part in range(8)])
print("done", flush=True)
"""
READER = """
import sys, time
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from rag.store import Store
reads, torn, slow = 0, 0, []
with Store(Path(sys.argv[1])) as store:
    print("reading", flush=True)
    while not Path(sys.argv[1], "stop").exists():
        began = time.perf_counter()
        with store.snapshot():
            for document in store.documents():
                texts = [chunk.text for chunk in store.chunks(document.name)]
                versions = {text.split(" part ")[0] for text in texts}
                ids = {chunk.id for chunk in store.chunks(document.name)}
                whole = len(texts) == 8 and len(versions) == 1 and len(store.chunk_tokens(ids)) == 8
                torn += not whole
                reads += 1
        slow.append(time.perf_counter() - began)
slow.sort()
print(reads, torn, slow[int(len(slow) * 0.99)] * 1000, flush=True)
"""


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of ours."""
    paths = [str(ROOT), str(Path(__file__).parent)]
    command = [sys.executable, "-c", code, *map(str, arguments), *paths]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_readers_see_whole_documents_while_two_write(tmp_path: Path, times: Times, figure: Figure) -> None:
    """Two processes replace documents while three read: no reader meets half a document or two versions of one."""
    commits = times(4000, 150)
    Store(tmp_path).close()
    readers = [python(READER, tmp_path) for _ in range(3)]
    for reader in readers:
        assert reader.stdout and reader.stdout.readline() == "reading\n"
    writers = [python(WRITER, tmp_path, letter, commits) for letter in "ab"]
    for writer in writers:
        assert writer.communicate(timeout=280)[0] == "done\n"
    (tmp_path / "stop").touch()
    said = [reader.communicate(timeout=60)[0].split() for reader in readers]
    reads, torn = sum(int(line[0]) for line in said), sum(int(line[1]) for line in said)
    slowest = max(float(line[2]) for line in said)
    figure(
        "2 writers, 3 readers", f"{2 * commits:,} commits, {reads:,} reads: {torn} torn, p99 of ten {slowest:.1f} ms"
    )
    assert torn == 0 and reads > commits
    with Store(tmp_path) as store:
        assert store.verify() == [] and store.generation() >= 2 * commits  # no commit was lost
        versions = {store.chunks(d.name)[0].text.split(" part ")[0] for d in store.documents()}
        assert versions == {f"{letter} version {n}" for letter in "ab" for n in range(commits - 5, commits)}


INGEST = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from crash_child import HashEmbedder
from ingest.sync import synchronise
from rag.errors import StoreLockedError
from rag.settings import Settings
from rag.store import Store
refused = named = 0
with Store(Path(sys.argv[1])) as store:
    while True:
        try:
            synchronise(Settings(Path(sys.argv[1])), [Path(sys.argv[2])], store=store, embedder=HashEmbedder())
            break
        except StoreLockedError as error:
            refused += 1
            if refused == 1:
                print("waiting", flush=True)
            named += ", process " in str(error) and ", since " in str(error)
print(refused, named, flush=True)
"""


def test_two_ingests_lose_nothing(tmp_path: Path) -> None:
    """Of two commands at once one waits its turn, knowing whose it is, and both folders are in."""
    for letter in "ab":
        (tmp_path / letter).mkdir()
        for number in range(30):
            (tmp_path / letter / f"{letter}{number}.txt").write_text(f"{letter} {number}. {LEAVE}", encoding="utf-8")
    with Store(tmp_path / "home") as store:
        with store.write_lock():
            both = [python(INGEST, tmp_path / "home", tmp_path / letter) for letter in "ab"]
            assert all(process.stdout and process.stdout.readline() == "waiting\n" for process in both)
        refused, named = zip(*([int(n) for n in p.communicate(timeout=120)[0].split()] for p in both), strict=True)
        assert store.counts()[0] == 60 and store.verify() == []
    assert min(refused) > 0 and min(named) > 0


@pytest.fixture
def ask(tmp_path: Path, exact_embedder: type) -> Pipeline:
    """The real pipeline over an empty store, with a model that says what the documents say."""
    settings = replace(Settings(tmp_path), answers=AnswerSettings(strictness=0.0))
    llm = ScriptedLLM("Every employee has fifteen days of paid leave [1].")
    return Pipeline(settings, Store(tmp_path), exact_embedder(), llm)  # type: ignore[arg-type]


def test_deletes_under_answers(ask: Pipeline, times: Times, figure: Figure) -> None:
    """What was deleted before an answer was done is neither quoted nor among its passages, however late it went."""
    embedder: Any = ask.embedder
    count, gone, late = times(200, 20), set[str](), 0
    for number in range(count):
        put(ask.store, embedder, f"{number}.md", f"{LEAVE} Office {number}.", f"Other matters of office {number}.")

    def delete(number: int) -> None:
        with ask.store.seen_by(ask.store.user, "default") as store:
            store.delete(f"{number}.md")
            gone.add(f"{number}.md")

    for number in range(count):
        deleter = threading.Thread(target=delete, args=(number,))
        deleter.start()
        retrieval = ask.retrieve("How many days of paid leave are there?")
        draft = "".join(ask.generate(retrieval))
        before = set(gone)
        answer = ask.finish(retrieval, draft)
        shown = {passage.chunk.document for passage in answer.passages}
        assert not shown & before, "an answer shows a document whose deletion was over"
        late += bool({passage.chunk.document for passage in retrieval.passages} - shown)
        deleter.join()
    figure("deletes under answers", f"{count} deletions and answers at once ({late} met midway): 0 show what is gone")
    assert not ask.retrieve("How many days of paid leave?").passages


def test_an_answer_of_a_document_that_goes_midway_is_withheld(ask: Pipeline) -> None:
    """A draft written from a document that is deleted before it is checked is withheld, and says why."""
    put(ask.store, ask.embedder, "a.md", LEAVE)
    put(ask.store, ask.embedder, "b.md", "The canteen serves lunch at noon; paid leave is no lunch.")
    retrieval = ask.retrieve("How many days of paid leave are there?")
    draft = "".join(ask.generate(retrieval))
    ask.store.delete("a.md")
    answer = ask.finish(retrieval, draft)
    assert answer.refused and "changed or deleted meanwhile" in answer.reason
    assert "fifteen" not in answer.text and {p.chunk.document for p in answer.passages} == {"b.md"}


def test_ten_sessions(ask: Pipeline, times: Times, figure: Figure) -> None:
    """Ten people at one server ask, write and are told their own: no error, no lost message, no other's words."""
    put(ask.store, ask.embedder, "a.md", LEAVE)
    rounds, waits = times(20, 4), list[float]()

    def person(number: int) -> int:
        conversations = Conversations(ask.store.home)
        mine = conversations.create(f"person {number}")
        for turn in range(rounds):
            began = time.perf_counter()
            question = f"How many days of paid leave has person {number}, turn {turn}?"
            conversations.add(mine, "user", question)
            answer = ask.seen_by(ask.store.user, "default").ask(question)
            conversations.add(mine, "assistant", answer.text, answer)
            waits.append(time.perf_counter() - began)
        ask.store.close()
        messages = conversations.messages(mine)
        assert all(f"person {number}," in m.content for m in messages if m.role == "user")
        return len(messages)

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(person, range(10))) == [2 * rounds] * 10
    figure("ten sessions", f"{10 * rounds} questions, 0 errors, p95 {1000 * float(np.quantile(waits, 0.95)):.0f} ms "
           "beside the model's own time")  # fmt: skip
