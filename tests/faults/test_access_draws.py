"""Any person, any knowledge base, any way to its words: none but what is shared with them comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.dataset import known_names
from rag.access import OWNER, User
from rag.conversations import Conversations
from rag.errors import RagError
from rag.export import conversation_markdown
from rag.pipeline import Pipeline
from rag.settings import AnswerSettings, Settings
from rag.store import Store
from rag.suggestions import questions
from rag.types import Answer, Filter
from tests.conftest import FULL
from tests.rag.stored import put
from tests.scripted_llm import ScriptedLLM

KBS = ("office", "人事", "lab", "legal")
QUESTION = "Which canary lives in the cage? 笼子里住着什么金丝雀？"


def canary(kb: str) -> str:
    return f"canary{KBS.index(kb)}"


@dataclass(frozen=True)
class House:
    """A home of four knowledge bases, its pipeline, the ids of all its passages, and a conversation of each person."""

    home: Path
    pipeline: Pipeline
    ids: tuple[int, ...]
    conversations: dict[str, int]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, exact_embedder: type) -> House:
    home, embedder, ids = tmp_path_factory.mktemp("house"), exact_embedder(256), []
    conversations = {}
    for kb in KBS:
        with Store(home, kb) as store:
            for number in range(3):
                name = f"{canary(kb)}-{number}.md"
                words = f"The canary in the cage of {number} is {canary(kb)}. 笼子里住着{canary(kb)}。"
                put(store, embedder, name, words, heading=f"{canary(kb)} heading", content=f"{kb} {number}")
                ids += [chunk.id for chunk in store.chunks(name)]
        mine = Conversations(home, User(f"only-{kb}", "reader", frozenset({kb})))
        conversations[kb] = mine.create(f"about {canary(kb)}")
        mine.add(conversations[kb], "user", f"about {canary(kb)}")
    chosen = replace(Settings(home), answers=AnswerSettings(strictness=0.0))
    llm = ScriptedLLM("The canary lives in the cage [1] [2] [3] [4].")
    return House(home, Pipeline(chosen, Store(home), embedder, llm), tuple(ids), conversations)  # type: ignore[arg-type]


# Ways to the words: each gets the person, the knowledge base that they name and another one, and returns what they see.
def listed(house: House, user: User, kb: str, other: str) -> object:
    with Store(house.home, kb, user) as store:
        names = [store.kbs(), store.documents(), store.all_files(), known_names(store)]
        return [names, store.headings(), questions(store.headings(), "en")]


def read(house: House, user: User, kb: str, other: str) -> object:
    with Store(house.home, kb, user) as store:
        return [store.document_text(f"{canary(other)}-0.md")]


def by_number(house: House, user: User, kb: str, other: str) -> object:
    with Store(house.home, kb, user) as store:
        chunks, table = store.chunks_by_id(house.ids), store.vector_table(house.ids)
        return [chunks, store.chunk_tokens(house.ids), [i for i in table.ids.tolist() if i not in chunks]]


def beside(house: House, user: User, kb: str, other: str) -> object:
    with Store(house.home, kb, user) as store:
        return store.beside(other).documents()


def searched(house: House, user: User, kb: str, other: str) -> object:
    return house.pipeline.seen_by(user, kb).retrieve(QUESTION, filter=Filter(kbs=(kb, other)))


def asked(house: House, user: User, kb: str, other: str) -> Answer:
    return house.pipeline.seen_by(user, kb).ask(QUESTION, filter=Filter(kbs=(kb, other) if kb != other else ()))


def exported(house: House, user: User, kb: str, other: str) -> object:
    theirs = Conversations(house.home, user)
    return [theirs.all(), conversation_markdown("t", theirs.messages(house.conversations[other]), "en")]


def tagged(house: House, user: User, kb: str, other: str) -> object:
    with Store(house.home, kb, user) as store:
        return store.tag(f"{canary(kb)}-0.md", ["seen"])


READING = (listed, read, by_number, beside, searched, asked, exported)
users = st.builds(
    User, st.sampled_from([f"only-{kb}" for kb in KBS] + ["ada"]), st.sampled_from(["reader", "curator", "admin"]),
    st.frozensets(st.sampled_from(KBS)),
)  # fmt: skip


def leaks(house: House, user: User, way: Callable[..., object], kb: str, other: str) -> tuple[str, list[str]]:
    """Whether it was allowed, and the canaries that came out and may not: those of a conversation are its owner's."""
    try:
        seen, outcome = str(way(house, user, kb, other)), "allowed"
    except RagError as error:
        seen, outcome = str(error), "denied"
        seen = seen.replace(f"{canary(other)}-0.md", "", 1)  # the name that they typed themselves
    own = user.name.removeprefix("only-") if way is exported else ""
    return outcome, [each for each in KBS if canary(each) in seen and not user.may_read(each) and each != own]


def test_nobody_gets_what_is_not_shared(house: House, figure: Callable[[str, str], None]) -> None:
    """However a person asks, reads, searches, exports or lists, no word of another's knowledge base comes out."""
    draws = 2000 if FULL else 120
    tally: Counter[str] = Counter()

    @settings(
        max_examples=draws, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(users, st.sampled_from(READING), st.sampled_from(KBS), st.sampled_from(KBS))
    def draw(user: User, way: Callable[..., object], kb: str, other: str) -> None:
        outcome, found = leaks(house, user, way, kb, other)
        tally[outcome] += 1
        assert not found, f"{user} got the words of {found} by {way.__name__} of {kb} and {other}"
        if way in (listed, searched, asked) and user.may_read(kb) and user.may_read(other):
            assert outcome == "allowed"

    draw()
    figure("access draws", f"{sum(tally.values()):,}: {tally['allowed']} allowed, {tally['denied']} denied, 0 leaks")
    assert min(tally["allowed"], tally["denied"]) > draws // 10


def test_nobody_changes_what_is_not_theirs(house: House) -> None:
    """Readers change nothing; curators only what is shared with them; admins everything."""

    @settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(users, st.sampled_from(KBS))
    def draw(user: User, kb: str) -> None:
        may = user.may_read(kb) and user.may_change(kb)
        try:
            tagged(house, user, kb, kb)
            assert may
        except RagError:
            assert not may
        with Store(house.home, kb) as store:
            name = f"{canary(kb)}-0.md"
            assert store.document(name).tags == (("seen",) if may else ())
            store.tag(name, ["seen"], remove=True)

    draw()


def unguarded(self: Store, ids: Any) -> dict[int, Any]:
    return {i: chunk for kb in KBS for i, chunk in _real(Store(self.home, kb, OWNER), ids).items()}


_real = Store.chunks_by_id


@pytest.mark.parametrize("hole", ["everybody may read", "passages of any knowledge base"])
def test_a_hole_is_found(house: House, hole: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The draws are no formality: with a guard taken out they find it."""
    guarded = User("ada", "reader", frozenset({"office"}))
    if hole == "everybody may read":
        monkeypatch.setattr(User, "check_read", lambda self, kb: None)
    else:
        monkeypatch.setattr(Store, "chunks_by_id", unguarded)
    found = [leaks(house, guarded, way, kb, other)[1] for way in READING for kb in KBS for other in KBS]
    assert any(found)
