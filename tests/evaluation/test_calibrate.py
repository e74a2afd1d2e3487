"""The fit behind refusals: which questions it is made on, what it says, and the command from the outside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import rag.embedder
import rag.pipeline
from evaluation.__main__ import main
from evaluation.calibrate import Example, calibration_error, choose, fit
from evaluation.dataset import Question
from rag.answerable import FEATURES, load_calibration
from tests.conftest import ExactEmbedder

TOWNS = ("Aarau", "Basel", "Chur", "Davos", "Erlen", "Flims", "Genf", "Horgen")


def questions(count: int, answerable: bool = True) -> list[Question]:
    relevant = ("d",) if answerable else ()
    return [Question(f"{answerable}{n}", "?", relevant=relevant, answerable=answerable) for n in range(count)]


def test_the_questions_to_measure_on_are_left_out() -> None:
    """The first ones of a large set are not fitted on; a small set is used whole."""
    chosen = choose([*questions(10), *questions(10, answerable=False)], most=4, skip=6)
    assert [q.id for q in chosen if q.answerable] == ["True6", "True7", "True8", "True9"]
    assert [q.id for q in chosen if q.withhold] == ["True6 (withheld)", "True8 (withheld)"]
    assert sum(not q.answerable and not q.withhold for q in chosen) == 4
    assert choose(questions(10), most=1, skip=6)[0].id == "True0"


def test_the_calibration_error_by_hand() -> None:
    """Both kinds weigh the same: certain and right is 0, certain and wrong 1, always one half 0 again."""
    y = np.array([True, False, False, False])
    assert calibration_error(np.array([1.0, 0.0, 0.0, 0.0]), y) == pytest.approx(0.0)
    assert calibration_error(np.array([0.0, 1.0, 1.0, 1.0]), y) == pytest.approx(1.0)
    assert calibration_error(np.array([0.5, 0.5, 0.5, 0.5]), y) == pytest.approx(0.0)


def test_a_fit_tells_the_kinds_apart(tmp_path: Path) -> None:
    """Where the first number and the support decide, the written weights say so, and no set outweighs the other."""

    def examples(count: int, support: float) -> list[Example]:
        found = [(n / count, *[0.0] * (len(FEATURES) - 1)) for n in range(count)]
        return [Example(x[0] > 0.5, x, (0.0, support * (x[0] > 0.5))) for x in found]

    (tmp_path / "fit.json").write_text(json.dumps(fit({"large": examples(200, 1.0), "small": examples(20, 1.0)})))
    made = load_calibration(tmp_path / "fit.json")
    low, high = ([value, *[0.0] * (len(FEATURES) - 1)] for value in (0.1, 0.9))
    assert made.found(low) < 0.2 < 0.8 < made.found(high)
    assert made.drafted((0.0, 0.0)) < 0.5 < made.drafted((0.0, 1.0))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small corpus, and a cache and home of its own."""
    for name in ("FOOTNOTE_CACHE", "FOOTNOTE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for module in (rag.embedder, rag.pipeline):
        monkeypatch.setattr(module, "load_embedder", lambda settings: ExactEmbedder())
    (tmp_path / "FOOTNOTE_HOME").mkdir()
    folder = tmp_path / "towns"
    folder.mkdir()
    records = [{"id": town, "title": town, "text": f"The mayor of {town} has cats."} for town in TOWNS]
    asked = [{"id": t, "question": f"What has the mayor of {t}?", "answers": ["cats"], "relevant": [t]} for t in TOWNS]
    write(folder / "corpus.jsonl", records)
    write(folder / "qa.jsonl", asked)
    return folder


def write(path: Path, rows: Sequence[object]) -> None:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def test_the_command_writes_a_fit_that_the_pipeline_reads(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without drafts it needs no language model; what it writes is a calibration, and it says how to use it."""
    out = place / "own.json"
    assert main(["calibrate", str(place), "--drafts", "0", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "AUC" in said and "answers.calibration" in said and str(out) in said
    assert "by a fit on the other half of it" in said  # what it was fitted on would tell too much
    made, shipped = load_calibration(out), load_calibration()
    assert made.found != shipped.found and made.drafted == shipped.drafted


def test_questions_of_one_kind_are_one_sentence(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A set that is all unanswerable fits nothing, and the reader learns what to name."""
    write(place / "qa.jsonl", [{"id": "1", "question": "Who sings?", "answerable": False}])
    assert main(["calibrate", str(place), "--drafts", "0"]) == 1
    assert "all of one kind" in capsys.readouterr().err
