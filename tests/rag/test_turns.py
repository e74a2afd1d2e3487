"""The fair queue at the model."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rag.errors import LLMError
from rag.pipeline import Pipeline
from rag.settings import Settings
from rag.store import Store
from rag.turns import MOST_WAITING, Turns


def test_people_take_turns() -> None:
    """Whoever asks three things at once waits with the third until the other had a turn; own answers come in order."""
    turns, served, go = Turns(), [], threading.Event()

    def ask(ticket: str, person: str) -> threading.Thread:
        def work() -> None:
            with turns.place(ticket, person) as turn:
                joined.set()
                _ = list(turn)
                go.wait(30)
                served.append(ticket)

        joined = threading.Event()
        thread = threading.Thread(target=work)
        thread.start()
        assert joined.wait(10)
        return thread

    threads = [ask("a1", "ada")]
    while turns.ahead("a1"):
        pass
    threads += [ask("a2", "ada"), ask("a3", "ada"), ask("b1", "bo")]
    assert [turns.ahead(ticket) for ticket in ("a1", "a2", "b1", "a3")] == [0, 1, 2, 3]
    go.set()
    for thread in threads:
        thread.join(30)
    assert served == ["a1", "a2", "b1", "a3"]


def test_giving_up_leaves_the_place_to_the_next() -> None:
    """A question that is stopped while it waits, or while it is answered, holds nobody up."""
    turns = Turns()
    with turns.place("a", "ada") as first:
        assert list(first) == []
        with turns.place("b", "bo") as second:
            next(second)
            assert turns.ahead("b") == 1
        assert turns.ahead("b") == 0
    with turns.place("c", "cy") as third:
        assert list(third) == []


def test_a_long_queue_is_closed() -> None:
    """Where twenty wait, the next is told so instead of waiting for an hour."""
    turns = Turns()
    waiting = [turns.place(str(number), "ada") for number in range(MOST_WAITING)]
    for place in waiting:
        place.__enter__()
    with pytest.raises(LLMError, match="waiting"), turns.place("late", "bo"):
        pass
    for place in waiting:
        place.__exit__(None, None, None)
    with turns.place("later", "bo") as turn:
        assert list(turn) == []


def test_one_model_has_one_queue(tmp_path: Path, exact_embedder: type) -> None:
    """Two pipelines around the same model, of other settings say, never let it write two answers at once."""

    class Model:
        turns = Turns()

    llm, store = Model(), Store(tmp_path)
    one, two = (Pipeline(Settings(tmp_path), store, exact_embedder(), llm) for _ in range(2))  # type: ignore[arg-type]
    assert one._turns is two._turns is Model.turns
