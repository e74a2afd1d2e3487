"""The dense index: exact cosines, and a cache that is never trusted blindly."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from math import cos, radians
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.dense import DenseIndex, kind_for, open_index
from rag.store import Store, cache_path
from rag.types import Page, ParsedDocument
from tests.rag.stored import chunks_of, file, put

ANGLES = (0, 30, 60, 90, 120, 180)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with a few documents."""
    with Store(tmp_path) as opened:
        yield opened


def unit(degrees: float) -> np.ndarray:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float32)


class Compass:
    """An embedder of two dimensions that is only asked for its size and name."""

    dimension = 2

    def __init__(self, fingerprint: str = "compass") -> None:
        self.fingerprint = fingerprint

    def centre(self, vectors: np.ndarray, languages: Any, *, side: str = "passage") -> np.ndarray:
        return vectors


def put_angles(store: Store, angles: tuple[int, ...] = ANGLES, name: str = "angles.md") -> None:
    texts = tuple(f"angle {angle}" for angle in angles)
    document = ParsedDocument(name, (Page(None, "\n".join(texts)),))
    store.put_document(file(name), document, chunks_of(name, texts), np.stack([unit(a) for a in angles]), "compass")


def answers(store: Store, index: DenseIndex) -> dict[str, float]:
    """What a vector at 0° finds: text → cosine."""
    found = dict(index.search(unit(0), 10))
    return {chunk.text: round(found[i], 5) for i, chunk in store.chunks_by_id(found).items()}


def opened(store: Store) -> dict[str, float]:
    return answers(store, open_index(store, Compass()))


def forbid(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the test fail where one of these steps of the index is taken."""

    def taken(*_: object) -> None:
        raise AssertionError("this step was not needed")

    for name in names:
        monkeypatch.setattr(f"rag.dense.{name}", taken)


def cache_file(store: Store) -> Path:
    (path,) = (store.home / "workspace" / "cache").iterdir()
    return path


def test_known_angles_give_known_cosines(store: Store) -> None:
    """The score of a chunk is the cosine of its angle to the question: 1 at 0°, ½ at 60°, 0 at 90°, -1 at 180°."""
    put_angles(store)
    index = open_index(store, Compass())
    expected = {f"angle {a}": pytest.approx(cos(radians(a)), abs=1e-4) for a in ANGLES}
    assert answers(store, index) == expected
    scores = [score for _, score in index.search(unit(0), 10)]
    assert scores == sorted(scores, reverse=True)
    assert [round(s, 3) for _, s in index.search(unit(0), 2)] == [1.0, 0.866]


def test_cosines_of_given_chunks(store: Store) -> None:
    """The cosine of any chunk can be asked for; one that the index does not hold is left out."""
    put_angles(store)
    ids = [chunk.id for chunk in store.chunks("angles.md")]
    found = open_index(store, Compass()).cosines(unit(0), [ids[2], 999_999])
    assert found == {ids[2]: pytest.approx(0.5, abs=1e-6)}


def test_hidden_chunks_never_come(store: Store) -> None:
    """Chunks that are hidden are not found, others move up in their place, and hiding all finds none."""
    put_angles(store)
    ids = [chunk.id for chunk in store.chunks("angles.md")]
    index = open_index(store, Compass())
    assert [i for i, _ in index.search(unit(0), 2, without=ids[:2])] == ids[2:4]
    assert index.search(unit(0), 10, without=ids) == []


def test_an_empty_index_finds_nothing(store: Store) -> None:
    """An empty knowledge base has an empty index."""
    index = open_index(store, Compass())
    assert len(index) == 0 and index.search(unit(0), 5) == []


def test_the_cache_is_used_when_it_is_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second opening of an unchanged store reads the cache and does not build the index again."""
    put_angles(store)
    before = answers(store, open_index(store, Compass()))

    forbid(monkeypatch, "_built", "_write_cache")
    assert opened(store) == before


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 0.99])
def test_a_truncated_cache_is_rebuilt(store: Store, share: float) -> None:
    """A cache file that was cut off at any place gives the same answers as before, and is whole again."""
    put_angles(store)
    before = answers(store, open_index(store, Compass()))
    path = cache_file(store)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert answers(store, open_index(store, Compass())) == before
    assert path.read_bytes() == whole


def test_a_flipped_bit_anywhere_in_the_cache_changes_no_answer(store: Store) -> None:
    """Wherever the cache file is damaged, header included, the index is rebuilt with the same answers."""
    put_angles(store)
    before = answers(store, open_index(store, Compass()))
    path = cache_file(store)
    whole = path.read_bytes()
    for place in [*range(160), *range(160, len(whole), 7)]:
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        assert answers(store, open_index(store, Compass())) == before, place


def test_a_cache_of_another_embedder_is_not_used(store: Store) -> None:
    """An index made by another embedder is left alone, even where all else fits."""
    put_angles(store)
    open_index(store, Compass())
    before = cache_file(store).read_bytes()
    open_index(store, Compass("another"))
    assert b'"another"' in cache_file(store).read_bytes() and b'"another"' not in before


def test_a_cache_of_an_older_state_is_not_used(store: Store) -> None:
    """After a change the old index is not used: what was added is found, what was deleted isn't."""
    put_angles(store)
    open_index(store, Compass())
    old = cache_file(store).read_bytes()
    put_angles(store, (45,), "new.md")
    store.delete("angles.md")
    cache_path(store.home, store.kb).write_bytes(old)
    assert answers(store, open_index(store, Compass())) == {"angle 45": pytest.approx(cos(radians(45)), abs=1e-4)}


def test_a_cache_of_a_deleted_knowledge_base_is_not_used(store: Store) -> None:
    """A knowledge base that is made anew under an old name does not get the old one's index."""
    put_angles(store)
    open_index(store, Compass())
    store.delete_kb()
    put_angles(store, (45,), "new.md")
    assert answers(store, open_index(store, Compass())).keys() == {"angle 45"}


def test_without_a_place_for_the_cache_all_is_found(store: Store) -> None:
    """A cache that cannot be written costs time, nothing else."""
    put_angles(store)
    (store.home / "workspace" / "cache").write_text("a file where the folder should be")
    assert len(answers(store, open_index(store, Compass()))) == len(ANGLES)


def test_no_half_written_cache_stays(store: Store, embedder: Any) -> None:
    """The cache folder holds one file for each knowledge base, however often it is written."""
    for i in range(3):
        put(store, embedder, f"{i}.md", f"text {i}")
        open_index(store, embedder)
    assert len(list((store.home / "workspace" / "cache").iterdir())) == 1


def test_changes_are_followed_without_a_rebuild(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open index takes in what is added and drops what is deleted, and so does one opened from an older cache."""
    put_angles(store)
    put_angles(store, (10, 20), "gone.md")
    index = open_index(store, Compass())
    old = cache_file(store).read_bytes()
    forbid(monkeypatch, "_built")
    put_angles(store, (45,), "new.md")
    store.delete("gone.md")
    index.follow()
    cache_file(store).write_bytes(old)
    expected = {f"angle {a}": pytest.approx(cos(radians(a)), abs=1e-4) for a in (*ANGLES, 45)}
    assert answers(store, index) == opened(store) == expected
    assert len(index) == len(expected)


def test_an_older_copy_of_the_database_does_not_get_the_vectors_of_the_newer(tmp_path: Path) -> None:
    """A restored database gives ids of the lost state to other texts; the cache of the lost state is not believed."""
    with Store(tmp_path) as store:
        put_angles(store)
    database = tmp_path / "workspace" / "footnote.sqlite3"
    shutil.copy(database, tmp_path / "backup")
    with Store(tmp_path) as store:
        put_angles(store, (10,), "lost.md")
        assert "angle 10" in opened(store)
    shutil.copy(tmp_path / "backup", database)
    with Store(tmp_path) as store:
        put_angles(store, (170,), "other.md")
        assert opened(store)["angle 170"] == pytest.approx(cos(radians(170)), abs=1e-4)


class Space(Compass):
    """As many dimensions as it takes for neighbours to be hard to find."""

    dimension = 32


def put_cloud(store: Store, count: int, name: str, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(count, Space.dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = tuple(f"{name} {i}" for i in range(count))
    document = ParsedDocument(name, (Page(None, "\n".join(texts)),))
    store.put_document(file(name), document, chunks_of(name, texts), vectors.astype(np.float32), "compass")


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds change at 500 and 1,500 chunks, and few allowed ids are 50."""
    monkeypatch.setattr("rag.dense._EXACT_UP_TO", 500)
    monkeypatch.setattr("rag.dense._FLOAT_UP_TO", 1500)
    monkeypatch.setattr("rag.dense._MOST_COMPARED", 50)


@pytest.mark.parametrize(("count", "kind"), [(400, "exact"), (1000, "ivf"), (2000, "ivf-sq8")])
@pytest.mark.usefixtures("small_limits")
def test_every_kind_finds_what_exact_search_finds(store: Store, count: int, kind: str) -> None:
    """By size the index is another; each finds 99 % of the ten best, selected ones too, with exact cosines, best first."""
    put_cloud(store, count, "first.md", 1)
    index = open_index(store, Space())
    put_cloud(store, count // 10, "second.md", 2)
    store_ids = store.chunk_ids(["first.md"])
    index.follow()
    assert index.kind == kind and len(index) == count + count // 10
    table = store.vector_table()
    few, many = set(list(store_ids)[:40]), set(list(store_ids)[: count // 3])
    selections: list[tuple[Any, Any]] = [(None, ()), (few, ()), (many, few), (None, many)]
    for allowed, without in selections:
        hits = total = 0
        for question in np.random.default_rng(3).normal(size=(40, Space.dimension)).astype(np.float32):
            there = [i for i in table.ids.tolist() if (allowed is None or i in allowed) and i not in without]
            exact = {i: s for i, s in zip(table.ids.tolist(), (table.vectors @ question).tolist(), strict=True)}
            best = sorted(there, key=lambda i: -exact[i])[:10]
            found = index.search(question, 10, allowed, without)
            assert [i for i, _ in found] == sorted((i for i, _ in found), key=lambda i: -exact[i])
            assert set(dict(found)) <= set(there) and len(found) == 10
            assert all(s == pytest.approx(exact[i], abs=1e-4) for i, s in found)
            hits, total = hits + len(set(best) & set(dict(found))), total + 10
        assert hits / total >= 0.99


@pytest.mark.usefixtures("small_limits")
def test_a_collection_that_grows_changes_its_kind(store: Store) -> None:
    """An open index that outgrows its kind is built anew as the next one."""
    put_cloud(store, 400, "a.md", 1)
    index = open_index(store, Space())
    for name, kind in (("b.md", "ivf"), ("c.md", "ivf"), ("d.md", "ivf-sq8")):
        put_cloud(store, 400, name, 2)
        index.follow()
        assert index.kind == kind == kind_for(len(index))


@pytest.mark.usefixtures("small_limits")
def test_a_search_never_sees_half_a_change(store: Store) -> None:
    """While one thread follows the store, the searches of others find ten chunks each and none fails."""
    put_cloud(store, 700, "stays.md", 1)
    index = open_index(store, Space())
    wrong: list[object] = []
    done = threading.Event()

    def ask() -> None:
        questions = np.random.default_rng(5).normal(size=(20, Space.dimension)).astype(np.float32)
        while not done.is_set():
            try:
                wrong.extend(found for q in questions if len(found := index.search(q, 10)) != 10)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for i in range(5):
        put_cloud(store, 30, f"{i}.md", i)
        index.follow()
        store.delete(f"{i}.md")
        index.follow()
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == [] and len(index) == 700
