"""No one gets at a knowledge base that is not shared with them, whoever draws what; and what they may do, works.

What a person may is said here anew, from their role and what is shared, so that a hole in ``User`` is found as well.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, count, permutations
from math import prod
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from evaluation.dataset import Question, known_names
from evaluation.results import Results
from evaluation.runner import Run, stored_pages
from rag import kbs
from rag.access import OWNER, User
from rag.conversations import Conversations
from rag.errors import AccessError, RagError
from rag.export import answer_text, conversation_markdown
from rag.llm import LanguageModel
from rag.pipeline import Pipeline
from rag.record import Records
from rag.replay import replay
from rag.serialise import answer_to_json
from rag.settings import AnswerSettings, LLMSettings, Settings, TraceSettings
from rag.store import Store
from rag.types import Chunk, Filter
from rag.users import Users
from tests.conftest import FULL
from tests.rag.stored import ROOT, file, put
from tests.scripted_llm import ScriptedLLM

DRAWS = 2000 if FULL else 150
# Of each knowledge base a word that stands nowhere else.
SECRETS = {"office-east": "q0fw1", "人事部": "q1rs2", "lab-seven": "q2lb3", "legal-x": "q3lg4"}
KBS = tuple(SECRETS)
QUESTIONS = ("Which canary sings in the cage at dawn?", "笼子里的金丝雀什么时候唱歌？", "What documents do you have?")
DRAFT = "The canary in the cage sings at dawn [1] [2] [3]."
SAME = "same.md"  # a file of one name and the same bytes in every knowledge base
KEEPER = User("keeper", "admin")  # whose conversation holds a word of every knowledge base


def canary(kb: str) -> str:
    return f"CANARY-{kb}-{SECRETS[kb]}"


class Model(ScriptedLLM):
    """Says the same whatever it is sent; its results can be kept."""

    settings = LLMSettings()


@dataclass(frozen=True)
class House:
    """A home of four knowledge bases, and the classes that guard them, or fail to.

    ``kb_of`` tells whose chunk an id is; ``records`` are the ids of the keeper's answers, one a knowledge base.
    """

    home: Path
    embedder: Any
    kb_of: dict[int, str]
    records: tuple[str, ...]
    conversation: int
    stores: type[Store] = Store
    people: type[User] = User

    def store(self, kb: str, user: User) -> Store:
        return self.stores(self.home, kb, user)

    def pipeline(self, user: User, kb: str) -> Pipeline:
        """The one pipeline, loaded in the owner's hands, in those of the user."""
        chosen = replace(Settings(self.home), answers=AnswerSettings(strictness=0.0))
        model = cast("LanguageModel", Model(DRAFT))
        return Pipeline(chosen, self.store(KBS[0], OWNER), self.embedder, model).seen_by(user, kb)

    def canaries(self, ids: Collection[int]) -> list[str]:
        """What an id betrays: a knowledge base has a chunk of this number."""
        return [canary(self.kb_of[int(i)]) for i in ids]


@dataclass(frozen=True)
class Draw:
    """A person who tries something on a knowledge base, naming others with it."""

    user: User
    way: Way
    kb: str
    others: tuple[str, ...]
    question: str
    names: tuple[str, ...] = ()

    @property
    def filter(self) -> Filter:
        return Filter((self.kb, *self.others), self.names)


@dataclass(frozen=True)
class Way:
    """Something to try: what it needs, whether on the others as well, and what it changes where it is allowed.

    The first of ``changes`` must be another afterwards, the rest may be; ``KB`` stands for the one that is drawn.
    """

    act: Callable[[House, Draw], object]
    needs: str = "read"
    others: bool = False
    changes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return getattr(self.act, "__name__", str(self.act))


# Reading: each returns all that the person sees.


def listed(house: House, draw: Draw) -> object:
    with house.store(draw.kb, draw.user) as store:
        files = [store.all_files(), store.files(ROOT), store.root_states(), store.page_marks(), store.excluded_names()]
        return [store.kbs(), store.documents(), store.headings(), known_names(store), store.note("note"), files]


def read(house: House, draw: Draw) -> object:
    with house.store(draw.kb, draw.user) as store:
        seen: list[object] = [store.document_text(SAME), store.document_pages(SAME), store.chunks(SAME)]
        seen += [store.whole_document(ROOT, SAME), store.file_of(SAME), store.record_hashes(ROOT, SAME)]
        seen.append(store.file_with_bytes(file(SAME, content=SAME).sha256))
        for name in [f"{canary(other)}-{which}.md" for other in draw.others for which in "ab"]:
            ways = (store.document, store.document_text, store.chunks, partial(store.whole_document, ROOT))
            seen += [said(partial(way, name), typed=name) for way in ways]
        return seen


def numbered(house: House, draw: Draw) -> object:
    with house.store(draw.kb, draw.user) as store:
        ids = list(house.kb_of)
        tables = [store.vector_table(ids), store.vector_tables(ids)[1]]
        held: list[Any] = [store.chunk_marks()[0], *(table.ids for table in tables)]
        held += [store.allowed_chunks(Filter(documents=("*",))), store.lexical_candidates([*SECRETS.values()], 99)]
        held.append(store.chunk_ids([SAME, *(f"{canary(kb)}-a.md" for kb in KBS)]))
        counted = store.term_statistics([*SECRETS.values()]).frequency
        words = [word for word, number in counted.items() if number]
        return [store.chunks_by_id(ids), store.chunk_tokens(ids), words, [house.canaries(found) for found in held]]


def beside(house: House, draw: Draw) -> object:
    with house.store(draw.kb, draw.user) as store:
        return [[store.beside(kb).documents(), store.beside(kb).headings()] for kb in [draw.kb, *draw.others]]


def handed(house: House, draw: Draw) -> object:
    with house.store(draw.others[0], OWNER) as store:
        theirs = store.seen_by(draw.user, draw.kb)
        return [theirs.kbs(), theirs.documents(), theirs.chunks_by_id(list(house.kb_of)), theirs.note("note")]


def searched(house: House, draw: Draw) -> object:
    return house.pipeline(draw.user, draw.kb).retrieve(draw.question, filter=draw.filter)


def asked(house: House, draw: Draw) -> object:
    """The answer, and what the model was sent, which may be on another machine."""
    pipeline = house.pipeline(draw.user, draw.kb)
    return [answer_to_json(pipeline.ask(draw.question, filter=draw.filter)), sent(pipeline)]


def recorded(house: House, draw: Draw) -> object:
    """The record of an answer without a filter, and what another's record gives in the hands of this person."""
    pipeline, records = house.pipeline(draw.user, draw.kb), Records(house.home)
    own = records.get(pipeline.ask(QUESTIONS[0]).id)
    again = pipeline.under(replace(pipeline.settings, trace=TraceSettings(keep=0)))
    return [own, [replay(again, records.get(theirs), generate=True) for theirs in house.records], sent(pipeline)]


def conversed(house: House, draw: Draw) -> object:
    """A conversation of one's own, exported, and a try at the keeper's."""
    answer = house.pipeline(draw.user, draw.kb).ask(draw.question, filter=draw.filter)
    mine, theirs = Conversations(house.home, draw.user), house.conversation
    own = mine.create(draw.question, draw.filter)
    mine.add(own, "user", draw.question)
    mine.add(own, "assistant", answer.text, answer)
    messages, numbers = mine.messages(own), range(1, 9)
    mine.rename(theirs, "mine")
    mine.set_scope(theirs, draw.filter)
    for number in numbers:
        mine.cut(theirs, number)
        mine.rate(number, -1, "wrong")
    mine.delete(theirs)
    seen = [mine.messages(theirs), mine.scope(theirs), [mine.search(word) for word in SECRETS.values()]]
    seen.append(said(lambda: mine.add(theirs, "user", "mine")))
    return [*seen, mine.all(), messages, conversation_markdown("t", messages, "en"), answer_text(answer)]


def evaluated(house: House, draw: Draw) -> object:
    """A question with answers, twice: the second time out of what is kept, where the keeper's results are, too."""
    pipeline = house.pipeline(draw.user, draw.kb)
    with house.store(draw.kb, draw.user) as store:
        asking = Run(pipeline, stored_pages(store), answers=True, results=Results(store))
        question = Question("1", draw.question, ("at dawn",), (SAME,))
        return [asking.ask(question).as_json() for _ in range(2)]


# Changing: what comes of it is looked at in the store.


def stored(house: House, draw: Draw) -> object:
    with house.store(draw.kb, draw.user) as store:
        return put(store, house.embedder, "new.md", "Something new. 新的。", content=SAME)


def on_store(change: Callable[[Store], object], name: str) -> Callable[[House, Draw], object]:
    """A change of a knowledge base, given its store in the person's hands."""

    def act(house: House, draw: Draw) -> object:
        with house.store(draw.kb, draw.user) as store:
            return change(store)

    act.__name__ = name
    return act


def on_home(change: Callable[[Path, str, User], object], name: str) -> Callable[[House, Draw], object]:
    """What is done to a home: with its path, the knowledge base that is drawn, and the person."""

    def act(house: House, draw: Draw) -> object:
        return change(house.home, draw.kb, draw.user)

    act.__name__ = name
    return act


def share_all(home: Path, kb: str, user: User) -> None:
    with Users(home, user) as users:
        users.change(user.name, kbs=["everything"])


def look_up(home: Path, kb: str, user: User) -> object:
    with Users(home, user) as users:
        return users.all()


KB = "the one that is drawn"
WAYS = (
    Way(listed), Way(read), Way(numbered), Way(handed), Way(recorded), Way(evaluated),
    Way(beside, others=True), Way(searched, others=True), Way(asked, others=True), Way(conversed, others=True),
    Way(stored, "change", changes=(KB,)),
    Way(on_store(lambda store: store.delete(SAME), "delete"), "change", changes=(KB, "keeper")),
    Way(on_store(lambda store: store.tag(SAME, ["seen"]), "tag"), "change", changes=(KB,)),
    Way(on_store(lambda store: store.write_note("note", "seen"), "note"), "change", changes=(KB,)),
    Way(on_store(lambda store: store.read_again([SAME]), "read again"), "change", changes=(KB,)),
    Way(on_store(lambda store: store.forget_root(ROOT), "forget"), "change", changes=(KB, "keeper")),
    Way(on_store(lambda store: store.delete_kb(), "drop"), "admin", changes=(KB, "people", "keeper")),
    Way(on_home(kbs.delete_kb, "delete_kb"), "admin", changes=(KB, "people", "keeper")),
    Way(on_home(lambda home, kb, user: kbs.rename_kb(home, kb, "other", user), "rename_kb"), "admin",
        changes=(KB, "other", "people", "keeper")),
    Way(on_home(lambda home, kb, user: kbs.create_kb(home, "new", user), "create_kb"), "admin", changes=("new",)),
    Way(on_home(share_all, "share"), "admin", changes=("people",)),
    Way(on_home(look_up, "people"), "admin"),
)  # fmt: skip


def sent(pipeline: Pipeline) -> object:
    """All that the model was sent."""
    return cast("Model", pipeline.llm).asked


# What must hold


def permitted(user: User, needs: str, among: Collection[str]) -> bool:
    """The law, from the role and what is shared alone."""
    return user.role == "admin" or (
        needs != "admin" and user.kbs.issuperset(among) and (needs == "read" or user.role == "curator")
    )


def check(house: House, draw: Draw) -> str:
    """Whether a draw was allowed or denied; AssertionError where something leaked, changed or did not work."""
    before = state(house)
    try:
        told, outcome = str(draw.way.act(house, draw)), "allowed"
    except AccessError as refusal:
        told, outcome = str(refusal), "denied"
    after = state(house)
    out = {kb for kb in KBS if SECRETS[kb] in told.casefold() or (kb in told and kb not in (draw.kb, *draw.others))}
    leaked = [kb for kb in out if not permitted(draw.user, "read", [kb])]
    assert not leaked, f"leaked: words or the name of {leaked}"
    may = permitted(draw.user, draw.way.needs, [draw.kb, *(draw.others if draw.way.others else ())])
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    changing = [draw.kb if key == KB else key for key in draw.way.changes if may]
    assert changed <= {*changing}, f"changed: {changed - {*changing}}"
    assert outcome == ("allowed" if may else "denied")
    if may and draw.way.needs == "read":
        assert out >= {draw.kb, *(draw.others if draw.way.others else ())}, f"found nothing of {draw}"
    assert changed >= {*changing[:1]}, f"changed nothing: {draw}"
    return outcome


def state(house: House) -> dict[str, object]:
    """All that each knowledge base holds, the keeper's conversation and the list of people, as the owner sees them."""
    with closing(Store(house.home)) as store, Users(house.home) as users:
        whole: dict[str, object] = {kb: contents(store.seen_by(OWNER, kb)) for kb in store.kbs()}
        theirs = Conversations(house.home, KEEPER)
        talk = [theirs.all(), theirs.scope(house.conversation), theirs.messages(house.conversation)]
        return whole | {"people": str(users.all()), "keeper": str(talk)}


def contents(store: Store) -> str:
    table, files = store.vector_table(), store.all_files()
    kept = [store.generation(), files, store.root_states(), store.exclusions(), store.note("note"), store.documents()]
    texts = [store.whole_document(file.root, file.relative) for file in files]
    return str([kept, texts, store.chunk_tokens(table.ids.tolist()), table.ids.tolist(), table.vectors.tobytes()])


def said(call: Callable[[], object], typed: str = "") -> str:
    """What a call gives, or what its refusal says beside the name that the person typed themselves."""
    try:
        return str(call())
    except RagError as refusal:
        return str(refusal).replace(typed, "") if typed else str(refusal)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, exact_embedder: type) -> House:
    """The home as it is before each draw."""
    home, embedder = tmp_path_factory.mktemp("house"), exact_embedder(256)
    kb_of: dict[int, str] = {}
    for kb in KBS:
        with Store(home, kb) as store:
            texts = (f"The canary in the cage sings at dawn. Its ring says {canary(kb)}.",
                     f"笼子里的金丝雀黎明时唱歌。它的脚环上写着{canary(kb)}。",
                     f"At dawn the canary sings 黎明唱歌 in its cage: {canary(kb)}.")  # fmt: skip
            for name, text in zip((f"{canary(kb)}-a.md", f"{canary(kb)}-b.md", SAME), texts, strict=True):
                put(store, embedder, name, text, heading=f"{canary(kb)} › x", content="" if name != SAME else SAME)
                kb_of |= dict.fromkeys((chunk.id for chunk in store.chunks(name)), kb)
                store.tag(name, [canary(kb)])
            store.write_note("note", canary(kb))
    bare = House(home, embedder, kb_of, (), 0)
    answers = [bare.pipeline(KEEPER, kb).ask(QUESTIONS[0]) for kb in KBS]
    for kb in KBS:
        for question in QUESTIONS:
            evaluated(bare, Draw(KEEPER, Way(evaluated), kb, (kb,), question))
    theirs = Conversations(home, KEEPER)
    conversation = theirs.create(canary(KBS[0]), Filter(kbs=KBS))
    for answer in answers:
        theirs.add(conversation, "user", f"{answer.question} {SECRETS}")
        theirs.add(conversation, "assistant", answer.text, answer)
    return replace(bare, records=tuple(answer.id for answer in answers), conversation=conversation)


@contextmanager
def a_copy(house: House, number: int, user: User) -> Iterator[House]:
    """The house once more, with the person of a draw on its list."""
    home = house.home.with_name(f"copy-{number}")
    shutil.copytree(house.home, home)
    try:
        with Users(home) as users:
            users.add(user.name, user.role, user.kbs)
        yield replace(house, home=home)
    finally:
        shutil.rmtree(home)


CHOICES: tuple[Sequence[Any], ...] = (
    ("reader", "curator", "reader", "curator", "admin"),
    [frozenset(some) for size in range(len(KBS) + 1) for some in combinations(KBS, size)],
    (True, False),
    WAYS,
    KBS,
    [others for size in (1, 2) for others in permutations(KBS, size)],
    QUESTIONS,
    ((), ("*.md",)),
)


def the_draw(number: int) -> Draw:
    """One of all that can be drawn: each choice a digit of the number."""
    chosen = []
    for choices in CHOICES:
        number, digit = divmod(number, len(choices))
        chosen.append(choices[digit])
    role, shared, mostly, way, kb, *rest = chosen
    return Draw(User("ada", role, shared | {kb} if mostly else shared), way, kb, *rest)


# One number a draw: Hypothesis draws several parts of a thing less evenly.
EACH = st.sampled_from(range(prod(map(len, CHOICES)))).map(the_draw)


def draw_all(house: House, phases: Sequence[Phase] = (Phase.generate, Phase.shrink)) -> Counter[str]:
    """Every draw checked, in a copy of its own; how many were allowed and denied."""
    tally: Counter[str] = Counter()
    numbers = count()

    @settings(
        max_examples=DRAWS, deadline=None, database=None, derandomize=True, phases=phases, report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(EACH)
    def each(draw: Draw) -> None:
        drawn = replace(draw, user=house.people(draw.user.name, draw.user.role, draw.user.kbs))
        with a_copy(house, next(numbers), draw.user) as own:
            tally[check(own, drawn)] += 1

    each()
    return tally


def test_nobody_gets_what_is_not_shared(house: House, figure: Callable[[str, str], None]) -> None:
    """Whatever a person may not read never comes out, what they may not change stays as it is, and all else works."""
    tally = draw_all(house)
    line = f"{tally.total():,} draws: {tally['allowed']:,} allowed, {tally['denied']:,} denied, 0 leaks"
    figure("access draws", line)
    print(line)
    assert tally.total() >= DRAWS * 0.95
    assert min(tally["allowed"], tally["denied"]) > DRAWS / 4


class Borderless(Store):
    """Gives the passages of any knowledge base by their numbers."""

    def chunks_by_id(self, ids: Collection[int]) -> dict[int, Chunk]:
        everywhere = [Store(self.home, kb).chunks_by_id(ids) for kb in KBS]
        return {i: chunk for there in everywhere for i, chunk in there.items()}


class Neighbourly(Store):
    """Opens the knowledge base beside it to anybody."""

    def beside(self, kb: str) -> Store:
        return self.seen_by(OWNER, kb)


class Trusted(User):
    """May read everything."""

    def may_read(self, kb: str) -> bool:
        return True


class Unhindered(User):
    """May change everything that they may read."""

    def may_change(self, kb: str) -> bool:
        return True


@pytest.mark.parametrize(
    ("hole", "told"),
    [
        ({"stores": Borderless}, "leaked"),
        ({"stores": Neighbourly}, "leaked"),
        ({"people": Trusted}, "leaked"),
        ({"people": Unhindered}, "changed"),
    ],
    ids=lambda value: next(iter(value.values())).__name__ if isinstance(value, dict) else None,
)
def test_a_hole_is_found(house: House, hole: dict[str, Any], told: str) -> None:
    """The same draws find a store or a person whose guard is left out."""
    with pytest.raises(AssertionError, match=told):
        draw_all(replace(house, **hole), (Phase.generate,))
