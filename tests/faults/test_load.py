"""A long day in a short time: mixed work from several people at one server, with flat memory and no descriptor left open."""

from __future__ import annotations

import gc
import os
import random
import sys
import threading
import time
from collections import defaultdict
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

PEOPLE, SEED = 4, 2026
SUBJECTS = ("paid leave", "the pump", "the contract", "年假", "合同", "报销")
SENTENCE = "Office {n} says of {subject}: fifteen days, version {version}, part {part}. 每年十五天，第{part}条。"


def megabytes() -> float:
    """The memory that this process holds."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def descriptors() -> int:
    """How many files this process has open."""
    return len(os.listdir("/proc/self/fd"))


class Day:
    """People at work on one store; ``seconds`` are how long each kind of work took."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self._writing = threading.Lock()  # as the store's write lock does for programs

    def work(self, person: int, pieces: int) -> None:
        """So many pieces of work, one after the other."""
        dice = random.Random(f"{SEED} {person} {pieces}")
        store = self.pipeline.store.seen_by(self.pipeline.store.user, "default")
        pipeline = self.pipeline.seen_by(self.pipeline.store.user, "default")
        for _ in range(pieces):
            kind = dice.choices(("ask", "search", "ingest", "delete"), (3, 4, 2, 1))[0]
            began = time.perf_counter()
            self._do(kind, dice, store, pipeline)
            self.seconds[kind].append(time.perf_counter() - began)
        pipeline.store.close()
        store.close()

    def _do(self, kind: str, dice: random.Random, store: Store, pipeline: Pipeline) -> None:
        subject, number = dice.choice(SUBJECTS), dice.randrange(40)
        if kind == "ask":
            conversations = Conversations(store.home)
            conversation = conversations.create(subject)
            answer = pipeline.ask(f"What does office {number} say of {subject}?")
            conversations.add(conversation, "assistant", answer.text, answer)
            conversations.delete(conversation)
        elif kind == "search":
            pipeline.retriever.search(f"{subject} {number}", 5)
        elif kind == "ingest":
            texts = [SENTENCE.format(n=number, subject=subject, version=dice.random(), part=part) for part in range(6)]
            with self._writing:
                put(store, self.pipeline.embedder, f"{number}.md", *texts, content=str(dice.random()))
        else:
            with self._writing:
                if not store.unknown_names([f"{number}.md"]):
                    store.delete(f"{number}.md")


@pytest.mark.skipif(sys.platform != "linux", reason="memory and descriptors are read from /proc")
def test_a_long_day(
    tmp_path: Path, exact_embedder: type, times: Callable[[int, int], int], figure: Callable[[str, str], None]
) -> None:
    """Memory and open files are at the end what they were after the first tenth, nothing fails, and all is whole."""
    settings = replace(Settings(tmp_path), answers=AnswerSettings(strictness=0.0))
    llm = ScriptedLLM("It is fifteen days [1].")
    embedder: Any = exact_embedder(128)
    store = Store(tmp_path)
    day = Day(Pipeline(settings, store, embedder, llm))  # type: ignore[arg-type]
    for number in range(40):
        put(
            store,
            embedder,
            f"{number}.md",
            *[SENTENCE.format(n=number, subject=s, version=0, part=0) for s in SUBJECTS],
        )
    pieces = times(1500, 40)
    with ThreadPoolExecutor(PEOPLE) as pool:
        list(pool.map(day.work, range(PEOPLE), [pieces // 10] * PEOPLE))
        embedder.seen.clear()
        llm.asked.clear()
        gc.collect()
        memory, files = megabytes(), descriptors()
        for part in range(9):
            list(pool.map(day.work, range(PEOPLE * part, PEOPLE * (part + 1)), [pieces // 10] * PEOPLE))
            embedder.seen.clear()
            llm.asked.clear()
    gc.collect()
    grown, left = megabytes() - memory, descriptors() - files
    p95 = {kind: 1000 * float(np.quantile(seconds, 0.95)) for kind, seconds in day.seconds.items()}
    done = sum(map(len, day.seconds.values()))
    figure("mixed work of four people", f"{done:,} pieces, 0 errors; p95 in ms: "
           + ", ".join(f"{kind} {p95[kind]:.0f}" for kind in sorted(p95))
           + f"; memory {memory:.0f} MB {grown:+.0f}, descriptors {left:+d}")  # fmt: skip
    assert store.verify() == [] and len(day.seconds) == 4
    # A thread that had no work in the first tenth opens its three files of the database later; a leak would be of hundreds.
    assert grown < 40 and left <= 3 * PEOPLE
