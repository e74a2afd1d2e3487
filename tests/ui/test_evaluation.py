"""The evaluation page: sets, runs, reports, comparisons, over real stores and a search without a language model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from evaluation.collected import COLLECTED, collect, sets_folder
from evaluation.dataset import Question, load, save
from evaluation.kept import kept, read
from rag.access import User
from rag.errors import DatasetError
from rag.pipeline import Pipeline
from rag.store import Store
from ui import gate
from ui.question_sets import bring, edited
from ui.resources import Services

Start = Callable[..., tuple[AppTest, Services]]


def draw() -> None:
    """The evaluation page for whoever is at the gate."""
    from ui import evaluation, frame, gate, resources
    from ui.text import Say

    say = Say(frame.chosen_language())
    with resources.errors_shown():
        evaluation.page(frame.enter_kb(resources.services(), gate.enter(say), say))


@pytest.fixture
def measured(filled: Path) -> Path:
    """A home with two documents and a set of three questions, one of which nothing answers."""
    collect(filled, "default", Question("1", "What does LoRA train?", ("two small matrices",), ("adapters.md",)))
    collect(filled, "default", Question("2", "四比特量化让模型在哪里运行？", ("笔记本电脑",), ("量化.txt",)))
    collect(filled, "default", Question("3", "Who won the cup?", answerable=False))
    return filled


def searching(services: Services, exact_embedder: type) -> None:
    """Let the services search for real, with the embedder of exact cosines and no language model."""
    store = Store(services.settings.home)
    services._load = lambda settings, embedder, answers, llm: Pipeline(settings, store, exact_embedder(), None)


def run(app: AppTest, services: Services) -> AppTest:
    """Start a run on the page and wait for its end."""
    next(button for button in app.button if button.label == "Run").click().run()
    assert services.evaluation is not None and services.evaluation.wait(60)
    return app.run()


def texts(app: AppTest) -> str:
    """All Markdown and captions of the page."""
    return "\n".join([m.value for m in app.markdown] + [c.value for c in app.caption])


def test_a_run_makes_a_report_with_plots(start: Start, measured: Path, exact_embedder: type) -> None:
    """A run over the collected questions ends in a kept report, shown with metrics, intervals and plots."""
    app, services = start(page=draw)
    searching(services, exact_embedder)
    run(app, services)
    assert not app.exception and not app.error
    [path] = kept(measured, "default")
    report = read(path)
    assert report["metrics"]["hit@1"]["value"] == 1.0 and report["metrics"]["hit@1"]["n"] == 2
    assert "hit@1" in set(app.dataframe[0].value["Metric"])
    assert len(app.get("vega_lite_chart")) >= 3
    with Store(measured) as store:
        assert not store._database.rows("SELECT 1 FROM record")


def test_two_reports_are_compared(start: Start, measured: Path, exact_embedder: type) -> None:
    """A second run is set beside the first: the same questions, the differences with their intervals."""
    app, services = start(page=draw)
    searching(services, exact_embedder)
    run(app, services)
    [first] = kept(measured, "default")
    other = read(first)
    # Of a handful of questions any difference may be luck.
    other["questions"] = [q | {"id": f"{q['id']} {n}"} for q in other["questions"] for n in range(12)]
    first.write_text(json.dumps(other), encoding="utf-8")
    for question in other["questions"]:
        question["scores"] = {name: 0.0 for name in question["scores"]}
        question["failed"] = True
    (first.parent / "2020-01-01 00.00.00 old.json").write_text(json.dumps(other), encoding="utf-8")
    app.run()
    table = app.dataframe[1].value
    row = table[table["Metric"] == "hit@1"].iloc[0]
    assert (row["Before"], row["After"], row["So"]) == ("0.000", "1.000", "better")


def test_a_stopped_run_says_that_it_is_partial(start: Start, measured: Path, exact_embedder: type) -> None:
    """What was asked until the stop is a report of its own kind."""
    app, services = start(page=draw)
    searching(services, exact_embedder)
    real = services._load

    def load_and_stop(*parts: object) -> Pipeline:
        pipeline = real(*parts)  # type: ignore[arg-type]
        ask = pipeline.retrieve

        def retrieve(*given: object, **more: object) -> object:
            assert services.evaluation is not None
            services.evaluation.stop()
            return ask(*given, **more)  # type: ignore[arg-type]

        pipeline.retrieve = retrieve  # type: ignore[assignment,method-assign]
        pipeline.seen_by = pipeline.under = lambda *_: pipeline  # type: ignore[method-assign,assignment]
        return pipeline

    services._load = load_and_stop
    run(app, services)
    [path] = kept(measured, "default")
    assert read(path)["partial"] is True and len(read(path)["questions"]) == 1
    assert "was stopped" in app.warning[0].value


def test_a_set_that_does_not_fit_is_one_sentence(start: Start, measured: Path, exact_embedder: type) -> None:
    """A question whose document is not in the knowledge base is told, with its line, before anything runs."""
    collect(measured, "default", Question("4", "What is in the other one?", relevant=("elsewhere.md",)))
    app, services = start(page=draw)
    searching(services, exact_embedder)
    next(button for button in app.button if button.label == "Run").click().run()
    assert "elsewhere" in app.error[0].value and services.evaluation is None


def test_a_broken_set_is_refused_with_its_line(measured: Path) -> None:
    """An uploaded set is kept only if every line of it can be read; the sentence names file and line."""
    with pytest.raises(DatasetError, match=r"mine\.jsonl.*2"):
        bring(measured, "default", "../mine.jsonl", b'{"question": "a", "answerable": false}\nno json\n')
    assert [path.name for path in sets_folder(measured, "default").iterdir()] == [COLLECTED]
    path = bring(measured, "default", "../mine.jsonl", '{"question": "年假几天？", "answers": ["十五"]}\n'.encode())
    assert path == sets_folder(measured, "default") / "mine.jsonl" and load(path)[0].question == "年假几天？"


def test_drafts_are_looked_at_one_by_one(start: Start, measured: Path) -> None:
    """What a model drafted is marked until somebody calls it right; the page says how many are left."""
    path = sets_folder(measured, "default") / COLLECTED
    save(path, [replace(question, meta={"draft": True}) for question in load(path)])
    app, _ = start(page=draw)
    app.session_state["look-at-set"] = True
    app.run()
    assert any("3 of them were drafted" in caption.value for caption in app.caption)
    app.button(key="right-1").click().run()
    assert [bool(question.meta.get("draft")) for question in load(path)] == [True, False, True]
    assert any("2 of them were drafted" in caption.value for caption in app.caption)


def test_a_table_becomes_a_set(measured: Path) -> None:
    """What a spreadsheet saved as CSV holds can be looked at and completed on the page like any other set."""
    data = "问题,答案,来源\n年假几天？,十五,leave.md\n".encode("gb18030")
    path = bring(measured, "default", "人事.csv", data)
    assert path.name == "人事.jsonl" and load(path)[0].relevant == ("leave.md",)
    with pytest.raises(DatasetError, match=r"人事\.csv, line 2"):
        bring(measured, "default", "人事.csv", "问题,答案\n,十五\n".encode())


def test_a_question_is_completed(measured: Path) -> None:
    """Answers are one a line; an unanswerable question has neither answers nor documents."""
    [question, *_] = load(sets_folder(measured, "default") / COLLECTED)
    assert edited(question, [" a ", "", "b"], ["x.md"], True).answers == ("a", "b")
    with pytest.raises(DatasetError):
        edited(question, [""], [], True)
    emptied = edited(question, ["a"], ["x.md"], False)
    assert (emptied.answers, emptied.relevant, emptied.answerable) == ((), (), False)


def test_a_reader_measures_nothing(start: Start, measured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is for those who may change the knowledge base."""
    monkeypatch.setattr(gate, "enter", lambda say: User("ada", "reader", frozenset({"default"})))
    app, _ = start(page=draw)
    assert not app.button and "curators" in app.error[0].value


def test_the_page_is_drawn_in_chinese(start: Start, measured: Path, exact_embedder: type) -> None:
    """Metrics are explained in Chinese to readers of Chinese."""
    app, services = start(page=draw, locale="zh-CN")
    searching(services, exact_embedder)
    next(button for button in app.button if button.label == "开始评测").click().run()
    assert services.evaluation is not None and services.evaluation.wait(60)
    app.run()
    assert "排在第一的文档是对的" in list(app.dataframe[0].value["含义"])
