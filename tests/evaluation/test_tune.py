"""The search for better settings: what it tries, how it chooses, and that it doesn't fool itself."""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rag.embedder
import rag.pipeline
from evaluation import tune
from evaluation.__main__ import main
from evaluation.dataset import Question
from evaluation.tune import Candidate, candidates, halves, held_out, rechunk, search
from ingest.sync import synchronise
from rag.settings import IngestSettings, Settings
from rag.store import Store
from tests.conftest import ExactEmbedder
from tests.evaluation.test_regressions import NAMES, TOWNS


class Deaf(ExactEmbedder):
    """To which all texts are alike, so that only their words tell them apart."""

    def _vector(self, text: str) -> np.ndarray:
        return super()._vector("same")


PRESENT = Candidate(1.0, 0.8, 4, 0.6)
OTHERS = [Candidate(1.0, weight, 4, 0.6) for weight in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)]


def questions(count: int, answerable: bool = True) -> list[Question]:
    return [Question(f"{answerable} {n}", f"{n}?", ("x",), ("d",), answerable) for n in range(count)]


def never() -> bool:
    return False


def test_the_best_of_many_is_found_with_few_questions() -> None:
    """Halving asks the poor candidates a quarter of the questions, and finds the one that does best."""
    asked: list[float] = []

    def score(candidate: Candidate, question: Question) -> tuple[float, float]:
        asked.append(candidate.lexical_weight)
        return float(candidate.lexical_weight == 0.3 or hash(question.id) % 3 == 0), 0.0

    best, cut = search([PRESENT, *OTHERS], questions(40), score, never)
    assert best.lexical_weight == 0.3 and not cut
    assert len(asked) == 8 * 10 + 4 * 20 + 2 * 40 and asked.count(0.3) == 70


def test_between_equals_the_present_settings_stay() -> None:
    """Nothing is changed for nothing."""
    assert search([PRESENT, *OTHERS], questions(40), lambda candidate, question: (1.0, 1.0), never) == (PRESENT, False)


def test_time_that_runs_out_ends_the_search() -> None:
    """What was only begun decides nothing: the present settings stay where no round could be ended."""
    left = iter(range(15))
    best, cut = search(
        [PRESENT, *OTHERS], questions(40), lambda c, q: (c.lexical_weight, 0.0), lambda: not next(left, 0)
    )
    assert (best, cut) == (PRESENT, True)


def test_a_slow_first_question_does_not_end_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a model is no measure of what questions take; once that is known, time for the other half is kept free."""
    now = 0.0
    monkeypatch.setattr("evaluation.tune.time.monotonic", lambda: now)
    clock = tune._Clock(60, 40, 40, 8)
    seconds = iter([10.0, *[0.1] * 30, *[0.4] * 200])

    def score(candidate: Candidate, question: Question) -> tuple[float, float]:
        nonlocal now
        now += next(seconds)
        return 1.0, 1.0

    asked, counted = 0, clock.counting(score)
    while not clock.out_of_time():
        counted(PRESENT, questions(1)[0])
        asked += 1
    assert asked > 31 and now + 80 * 0.4 >= 60


def test_luck_is_no_gain() -> None:
    """A candidate that is better on a question or two of those kept aside is not recommended, a clearly better one is."""
    lucky = held_out(OTHERS[0], PRESENT, questions(40), lambda c, q: (float(c == PRESENT or q.id != "x"), 0.0), False)
    assert not lucky.gains
    two = held_out(
        OTHERS[0],
        PRESENT,
        questions(40),
        lambda c, q: (float(c != PRESENT or q.id not in ("True 0", "True 1")), 0.0),
        False,
    )
    assert two.after > two.before and not two.gains
    clear = held_out(OTHERS[0], PRESENT, questions(40), lambda c, q: (float(c != PRESENT), 0.0), False)
    assert clear.gains and (clear.before, clear.after) == (0.0, 1.0)


def test_the_halves_share_no_question_and_both_have_unanswerable_ones() -> None:
    """They are the same in every run, or the half kept aside would have had its part in choosing."""
    asked = [*questions(30), *questions(10, answerable=False)]
    first, second = halves(asked)
    assert {q.id for q in first} | {q.id for q in second} == {q.id for q in asked}
    assert [len(half) for half in (first, second)] == [20, 20]
    assert [sum(not q.answerable for q in half) for half in (first, second)] == [5, 5]
    assert halves(asked) == (first, second)


def test_without_answers_as_much_text_is_read_as_now(tmp_path: Path) -> None:
    """Chunks of half the size come twice as many, and strictness, which only answers show, stays."""
    tried = candidates(Settings(tmp_path), answers=False)
    assert tried[0] == PRESENT and len(set(tried)) == len(tried)
    assert {round(c.k * c.scale) for c in tried} <= {4, 5} and {c.strictness for c in tried} == {0.6}
    assert {c.strictness for c in candidates(Settings(tmp_path), answers=True)} > {0.6}


def test_documents_are_cut_anew_without_their_files(tmp_path: Path) -> None:
    """The same texts under the same names in chunks of another size, as ingesting the files with that size would make them."""
    folder = tmp_path / "docs"
    folder.mkdir()
    text = "\n\n".join(f"## Part {n}\n\n" + f"Sentence {n} of a long text. " * 20 for n in range(4))
    (folder / "a.md").write_text(f"# Title\n\n{text}", encoding="utf-8")
    (folder / "r.jsonl").write_text(
        json.dumps({"id": "x", "title": "t", "text": "第三章 总则\n" + "很长的一句话。" * 90})
    )
    embedder, small = ExactEmbedder(), IngestSettings(chinese_size=100, english_size=200)

    def ingested(home: Path, sizes: IngestSettings) -> Store:
        store = Store(home)
        synchronise(Settings(home, ingest=sizes), [folder], store=store, embedder=embedder)
        return store

    with ingested(tmp_path / "one", IngestSettings()) as store, Store(tmp_path / "two") as into:
        wanted = Settings(tmp_path / "two", ingest=small)
        with ingested(tmp_path / "three", small) as other:
            for file in folder.iterdir():
                file.unlink()
            rechunk(store, into, Settings(tmp_path / "one"), wanted, embedder)
            names = [document.name for document in other.documents()]
            assert [document.name for document in into.documents()] == names == ["a.md", "r.jsonl#x"]
            for name in names:
                cut = [(c.heading, c.text, c.page) for c in into.chunks(name)]
                assert cut == [(c.heading, c.text, c.page) for c in other.chunks(name)]
                assert len(cut) > len(store.chunks(name))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Towns that only their words tell apart, in a folder with a question set, and a home and cache of their own."""
    for name in ("FOOTNOTE_CACHE", "FOOTNOTE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.chdir(tmp_path)
    for module in (rag.embedder, rag.pipeline):
        monkeypatch.setattr(module, "load_embedder", lambda settings: Deaf())
    people = [(town, f"{name}{n}") for n, name in enumerate(NAMES) for town in TOWNS[:2]]
    write(tmp_path / "corpus.jsonl", [{"id": f"{t}{n}", "title": n, "text": f"In {t} lives {n}."} for t, n in people])
    asked = [{"question": f"Where in {t} lives {n}?", "answers": [t], "relevant": [f"{t}{n}"]} for t, n in people]
    write(tmp_path / "qa.jsonl", asked)
    return tmp_path


def write(path: Path, rows: Sequence[object]) -> None:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def test_a_poor_setting_is_found_and_a_better_one_written(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where words count for nothing, the search says that they should, with the gain on the half kept aside."""
    monkeypatch.setenv("FOOTNOTE_RETRIEVAL_LEXICAL_WEIGHT", "0")
    (place / "FOOTNOTE_HOME").mkdir()
    command = ["tune", "qa.jsonl", "--corpus", "corpus.jsonl", "--out", "better.toml"]
    assert main(command) == 0
    written: dict[str, Any] = tomllib.loads((place / "better.toml").read_text(encoding="utf-8"))
    assert written["retrieval"]["lexical_weight"] > 0
    said = capsys.readouterr().out
    assert "kept aside" in said and "was 0" in said and "p = 0.000" in said


def test_good_settings_are_kept(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing is to be gained, nothing is written, and the reader is told so."""
    assert main(["tune", "qa.jsonl", "--corpus", "corpus.jsonl"]) == 0
    assert "Keep" in capsys.readouterr().out and not (place / "FOOTNOTE_HOME" / "tuned.toml").exists()


def test_ones_own_documents_are_cut_anew_in_a_copy_that_goes(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over the knowledge base itself chunk sizes are tried in copies that are gone afterwards."""
    home = place / "FOOTNOTE_HOME"
    with Store(home) as store:
        synchronise(Settings(home), [place / "corpus.jsonl"], store=store, embedder=Deaf())
        before = store.generation()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    assert main(["tune", "qa.jsonl"]) == 0
    said = capsys.readouterr()
    assert "chunks of 500" in said.err and "chunks of 1500" in said.err and "Keep" in said.out
    assert not list(place.glob("footnote-tuning-*"))
    with Store(home) as store:
        assert store.generation() == before


def test_a_small_set_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dozen questions tell nothing, and the reader learns how many would."""
    (place / "qa.jsonl").write_text('{"question": "q", "relevant": ["BaselAnka0"]}\n', encoding="utf-8")
    assert main(["tune", "qa.jsonl", "--corpus", "corpus.jsonl"]) == 1
    assert "below 40" in capsys.readouterr().err
