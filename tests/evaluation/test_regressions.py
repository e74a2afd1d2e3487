"""Faults planted into a working pipeline: ``--baseline`` finds each one and names the step; and runs that go on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import rag.embedder
import rag.llm
import rag.pipeline
from evaluation.__main__ import main
from rag.answerable import WEIGHTS, load_calibration
from rag.pipeline import Pipeline
from rag.settings import LLMSettings
from tests.conftest import ExactEmbedder
from tests.scripted_llm import ScriptedLLM

TOWNS = (
    "Aarau", "Basel", "Chur", "Davos", "Erlen", "Flims", "Genf", "Horgen", "Ilanz", "Jona", "Kloten", "Luzern",
    "Murten", "Nyon", "Olten", "Pully", "Quarten", "Rheinau", "Sargans", "Thun", "Uster", "Vevey", "Weesen", "Zug",
)  # fmt: skip
NAMES = [f"{first}{last}" for first in ("Ank", "Bor", "Cel", "Dim") for last in ("a", "is", "o", "ur", "eth", "yl")]


class Nameless(ExactEmbedder):
    """Hears no town's name, so that only their words tell the towns apart."""

    def _vector(self, text: str) -> np.ndarray:
        return super()._vector(re.sub("|".join(TOWNS), "town", text))


class Reader(ScriptedLLM):
    """Answers with the first passage's sentence, as a model does that reads."""

    settings = LLMSettings()

    def stream(self, messages: Sequence[Any]) -> Iterator[str]:
        self.asked.append(list(messages))
        found = re.findall(r"The mayor of \w+ is called \w+", str(messages[-1].content))
        yield f"{found[0]}. [1]" if found else "The passages say nothing about this."


@pytest.fixture
def model() -> Reader:
    return Reader()


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Reader) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Run the command over the towns with these flags; its exit code and report."""
    for name in ("FOOTNOTE_CACHE", "FOOTNOTE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.chdir(tmp_path)
    for module in (rag.embedder, rag.pipeline):
        monkeypatch.setattr(module, "load_embedder", lambda settings: Nameless())
    monkeypatch.setattr(rag.llm, "load_llm", lambda settings: model)
    mayors = dict(zip(TOWNS, NAMES, strict=True))
    corpus = [{"id": t, "title": t, "text": f"The mayor of {t} is called {name}."} for t, name in mayors.items()]
    asked = [
        {"id": t, "question": f"What is the mayor of {t} called?", "answers": [name], "relevant": [t]}
        for t, name in mayors.items()
    ]
    for name, rows in (("corpus.jsonl", corpus), ("qa.jsonl", asked)):
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    def run(*flags: str) -> tuple[int, dict[str, Any]]:
        code = main(["qa.jsonl", "--corpus", "corpus.jsonl", "--answers", "--json", "now.json", *flags])
        return code, json.loads((tmp_path / "now.json").read_text(encoding="utf-8"))

    return run


def inverted(tmp_path: Path) -> str:
    """A calibration that takes every question for its contrary."""
    fit = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    for part in ("found", "drafted"):
        fit[part]["weights"] = {name: -weight for name, weight in fit[part]["weights"].items()}
        fit[part]["bias"] *= -1
    (tmp_path / "inverted.json").write_text(json.dumps(fit), encoding="utf-8")
    return str(tmp_path / "inverted.json")


def shuffled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every footnote leads to another passage than the one that it was made from."""
    grounded = Pipeline.grounded

    def wrong(self: Pipeline, retrieval: Any, draft: str) -> Any:
        text, claims, citations = grounded(self, retrieval, draft)
        places = {p.chunk.id: n for n, p in enumerate(retrieval.passages)}
        other = [retrieval.passages[places[c.passage.chunk.id] - 1] for c in citations]
        return text, claims, tuple(replace(c, passage=p) for c, p in zip(citations, other, strict=True))

    monkeypatch.setattr(Pipeline, "grounded", wrong)


@pytest.mark.parametrize(
    ("fault", "metric", "step"),
    [
        ("fusion off", "hit@1", "not retrieved"),
        ("threshold inverted", "false_refusal_rate", "wrongly refused"),
        ("citations shuffled", "cited_right", "wrongly cited"),
    ],
)
def test_a_planted_fault_is_found_and_its_step_named(
    fault: str, metric: str, step: str, ask: Callable[..., tuple[int, dict[str, Any]]], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The run before it is well; the one with it ends with 1, names a metric that got worse, and blames the step most."""
    code, report = ask()
    assert code == 0 and report["metrics"]["cited_right"]["value"] == 1 and not report["steps"]
    (tmp_path / "now.json").rename(tmp_path / "before.json")
    if fault == "fusion off":
        monkeypatch.setenv("FOOTNOTE_RETRIEVAL_LEXICAL_WEIGHT", "0")
    elif fault == "threshold inverted":
        monkeypatch.setenv("FOOTNOTE_ANSWERS_CALIBRATION", inverted(tmp_path))
    else:
        shuffled(monkeypatch)
    capsys.readouterr()
    flags = ["--fresh"] if fault == "citations shuffled" else []  # a patch is no setting and no file
    code, report = ask("--baseline", "before.json", *flags)
    said = capsys.readouterr()
    assert code == 1 and metric in said.err
    assert re.search(rf"lost at: \d+ {step}", said.out)


def test_a_run_that_was_cut_off_goes_on(
    ask: Callable[..., tuple[int, dict[str, Any]]], model: Reader, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """After Ctrl-C the same command asks only what is left, and its report is that of a run in one go."""
    stream, asked = model.stream, 0

    def interrupted(messages: Sequence[Any]) -> Iterator[str]:
        nonlocal asked
        asked += 1
        if asked == 10:
            raise KeyboardInterrupt
        return stream(messages)

    cast(Any, model).stream = interrupted
    assert main(["qa.jsonl", "--corpus", "corpus.jsonl", "--answers"]) == 130
    assert "go on" in capsys.readouterr().err and len(model.asked) == 9
    code, report = ask()
    assert code == 0 and len(model.asked) == len(TOWNS)
    _, fresh = ask("--fresh")
    assert fresh["metrics"]["cited_right"] == report["metrics"]["cited_right"]
    assert len(model.asked) == 2 * len(TOWNS)


def test_a_changed_setting_pays_only_for_what_it_changes(
    ask: Callable[..., tuple[int, dict[str, Any]]], model: Reader, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Another strictness decides anew over the same drafts; the model is asked nothing and no time is told for it."""
    _, first = ask()
    assert len(model.asked) == len(TOWNS) and "seconds_p50" in first["metrics"]
    monkeypatch.setenv("FOOTNOTE_ANSWERS_STRICTNESS", "1")
    _, second = ask()
    assert len(model.asked) == len(TOWNS)
    assert second["metrics"]["false_refusal_rate"]["value"] > first["metrics"]["false_refusal_rate"]["value"]
    assert "first_token_p50" not in second["metrics"]


def test_a_file_that_a_setting_names_may_change(
    ask: Callable[..., tuple[int, dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A calibration that was fitted anew under the same name is another one: no result of the old one is used."""
    place = tmp_path / "mine.json"
    place.write_text(WEIGHTS.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setenv("FOOTNOTE_ANSWERS_CALIBRATION", str(place))
    _, first = ask()
    load_calibration.cache_clear()  # as in another process
    place.write_text(Path(inverted(tmp_path)).read_text(encoding="utf-8"), encoding="utf-8")
    _, second = ask()
    load_calibration.cache_clear()
    assert second["metrics"]["false_refusal_rate"]["value"] > first["metrics"]["false_refusal_rate"]["value"]
