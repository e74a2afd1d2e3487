"""The record of an answer: what is kept, what goes with a document, and what a replay finds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag import pipeline as pipelines
from rag.__main__ import main
from rag.errors import Incomplete, RagError
from rag.pipeline import Pipeline
from rag.record import Records
from rag.replay import replay
from rag.serialise import filter_from_json, filter_to_json
from rag.settings import AnswerSettings, LLMSettings, RetrievalSettings, Settings, TraceSettings
from rag.store import Store
from rag.types import Answer, Filter, Turn
from tests.rag.stored import put
from tests.scripted_llm import ScriptedLLM

LEAVE = "年假有十五天。"
CANARY = "quetzalcoatlus"
SECRET = f"The {CANARY} sleeps in the archive."
Make = Callable[..., Pipeline]


@pytest.fixture
def home(tmp_path: Path, embedder: Any) -> Path:
    """A home with three documents."""
    with Store(tmp_path) as store:
        put(store, embedder, "年假.txt", LEAVE)
        put(store, embedder, "secret.md", SECRET)
        put(store, embedder, "rent.md", "The office rent is high.")
    return tmp_path


@pytest.fixture
def make(home: Path, embedder: Any) -> Make:
    """``make(*pieces, keep=…)`` is a pipeline on that home with a scripted model."""

    def pipeline(*pieces: str, keep: int = 1000, k: int = 2, kb: str = "default") -> Pipeline:
        settings = replace(
            Settings(home, kb), retrieval=RetrievalSettings(k=k), answers=AnswerSettings(strictness=0.0),
            trace=TraceSettings(keep), llm=LLMSettings(api_key="sk-hidden"),
        )  # fmt: skip
        return Pipeline(settings, Store(home, kb), embedder, ScriptedLLM(*pieces))  # type: ignore[arg-type]

    return pipeline


def raw(home: Path) -> bytes:
    """All bytes of the home's files."""
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def asked(make: Make, question: str, draft: str, **more: Any) -> Answer:
    """An answer whose pipeline is closed again."""
    pipeline = make(draft, **{key: more.pop(key) for key in ("keep", "k") if key in more})
    answer = pipeline.ask(question, **more)
    pipeline.store.close()
    if pipeline._records:
        pipeline._records._database.close()
    return answer


def test_an_answer_can_be_traced(make: Make, home: Path) -> None:
    """Question, passages with scores, prompt, raw draft, verdicts, times, tokens and versions are kept under its id."""
    draft = "年假有十五天[1]。![x](https://evil.example)另有八百天。"
    answer = asked(make, "年假有几天？", draft)
    record = Records(home).get(answer.id)
    facts, words = record.facts, record.words
    assert (record.question, record.kb, words["query"]) == ("年假有几天？", "default", "年假有几天？")
    assert [p["score"] for p in facts["passages"]] == [p.score for p in answer.passages]
    assert words["draft"] == draft and words["answer"] == answer.text and "evil" not in answer.text
    assert [v["supported"] for v in facts["verdicts"]] == [claim.supported for claim in answer.claims]
    assert len(facts["prompt"]) == 64 and [m["role"] for m in facts["messages"]] == ["system", "human"]
    assert facts["tokens"]["completion"] == len(draft) and facts["tokens"]["prompt"] > 0
    assert facts["timings"]["generate"] >= 0 and facts["versions"]["embedder"] == "exact-1"
    assert facts["versions"].keys() >= {"footnote", "code", "prompt", "model", "model_fingerprint", "generation"}
    assert "sk-hidden" not in json.dumps(facts) and facts["settings"]["retrieval"]["k"] == 2


def test_no_passage_and_no_prompt_is_kept_as_text(make: Make, home: Path) -> None:
    """What the model was shown and did not say stands nowhere in the record, in either language."""
    answer = asked(make, "年假有几天，秘密是什么？", "年假有十五天[1]。", k=3)
    assert len(answer.passages) == 3
    (row,) = Store(home)._rows("SELECT question || facts || words FROM record")
    assert CANARY not in row[0] and "office rent" not in row[0]


def test_a_deleted_document_takes_its_records_along(make: Make, home: Path, embedder: Any) -> None:
    """Once a document is deleted, no raw file holds its words: not the draft, nor a quote, nor what a follow-up heard."""
    first = asked(make, "Where does it sleep in the archive?", f"The {CANARY} sleeps in the archive.", k=1)
    history = (Turn("user", first.question), Turn("assistant", first.text))
    second = asked(make, "And the office rent?", "The office rent is high.", k=1, history=history)
    other = asked(make, "年假有几天？", "年假有十五天[1]。", k=1)
    assert first.citations and first.id and second.id and other.id
    assert CANARY in json.dumps(Records(home).get(second.id).words["history"])
    assert CANARY.encode() in raw(home)
    with Store(home) as store:
        store.delete("secret.md")
    assert CANARY.encode() not in raw(home)
    assert [record.id for record in Records(home).latest()] == [other.id]


def test_a_changed_document_takes_its_words_along(make: Make, home: Path, embedder: Any) -> None:
    """Where a document only changed, the record stays without its words, and a replay says that its passage is gone."""
    answer = asked(make, "Where does it sleep in the archive?", f"The {CANARY} sleeps in the archive.", k=1)
    with Store(home) as store:
        put(store, embedder, "secret.md", "Nothing sleeps in the archive.")
    assert CANARY.encode() not in raw(home)
    record = Records(home).get(answer.id)
    again = replay(make("x", keep=0, k=1), record)
    said = "\n".join(again.differences)
    assert record.words == {} and again.shown == (None,) and "passage 1" in said and "is gone" in said
    assert "1 no longer found, 1 new" in said and "prompt" in said and again.changed["generation"][0] is not None


def test_what_an_unrecorded_answer_said_is_not_kept(make: Make, home: Path) -> None:
    """A conversation with an answer that has no record is not kept, as nothing could take its words away again."""
    history = (Turn("user", "What sleeps?"), Turn("assistant", f"The {CANARY} of old."))
    answer = asked(make, "And the office rent?", "The office rent is high.", k=1, history=history)
    assert Records(home).get(answer.id).words["history"] is None
    assert f"{CANARY} of old" not in Store(home)._rows("SELECT facts || words FROM record")[0][0]


def test_the_latest_are_kept(make: Make, home: Path) -> None:
    """No more records than set are kept, the latest; with 0 there are none and answers have no id."""
    ids = [asked(make, "年假有几天？", "年假有十五天。", keep=3).id for _ in range(5)]
    assert [record.id for record in Records(home).latest()] == ids[:1:-1]
    assert asked(make, "年假有几天？", "年假有十五天。", keep=0).id == ""
    assert len(Records(home).latest()) == 3


def test_a_replay_finds_the_same(make: Make, home: Path) -> None:
    """With nothing changed a replay gives the same passages, prompt, draft and verdicts, and keeps no record itself."""
    draft = "年假有十五天[1]。另有八百天。"
    answer = asked(make, "年假有几天？", draft)
    record = Records(home).get(answer.id[:6])
    again = replay(make(draft, keep=0), record, generate=True)
    assert again.differences == () and again.changed == {} and again.draft == draft
    assert again.prompt == record.facts["prompt"] and again.answer is not None
    assert again.answer.claims == answer.claims and again.answer.id == ""
    assert len(Records(home).latest()) == 1


def test_a_replay_says_what_differs(make: Make, home: Path, embedder: Any) -> None:
    """Another document, draft, setting or prompt is told apart from the rest."""
    answer = asked(make, "年假有几天？", "年假有十五天[1]。", k=1)
    record = Records(home).get(answer.id)
    other = replay(make("年假有二十天。", keep=0, k=1), record, generate=True)
    assert [d.split(":")[0] for d in other.differences] == ["draft"]
    with Store(home) as store:
        put(store, embedder, "新.txt", "年假有几天？年假有几天？")
    found = replay(make("x", keep=0, k=2), record)
    assert any(d.startswith("passages: 0 no longer found, 1 new") for d in found.differences)
    assert found.changed.keys() == {"generation", "retrieval.k"}
    facts = record.facts | {"prompt": "0" * 64, "verdicts": [record.facts["verdicts"][0] | {"supported": False}]}
    changed = replay(make("x", keep=0, k=1), replace(record, facts=facts))
    said = "\n".join(changed.differences)
    assert "prompt: " in said and "claim 1: supported now" in said


def test_a_follow_up_is_replayed_with_its_conversation(make: Make, home: Path) -> None:
    """The history that a question leaned on is part of the prompt that is built again."""
    first = asked(make, "How high is the office rent?", "The office rent is high.", k=1)
    history = (Turn("user", first.question), Turn("assistant", first.text))
    second = asked(make, "Is it high?", "The office rent is high.", k=1, history=history)
    record = Records(home).get(second.id)
    assert record.words["query"] != record.question
    assert replay(make("x", keep=0, k=1), record).differences == ()


def test_a_refused_follow_up_keeps_no_words_of_a_document(make: Make, home: Path, embedder: Any) -> None:
    """What was looked for is the question, not the answer before it, and the reason goes with the other words."""
    first = asked(make, "Where does it sleep in the archive?", f"The {CANARY} sleeps in the archive.", k=1)
    history = (Turn("user", first.question), Turn("assistant", first.text))
    second = asked(make, "Why does it?", "The passages do not say.", k=1, history=history)
    record = Records(home).get(second.id)
    assert second.refused and CANARY in record.words["query"] and record.words["reason"] == second.reason
    assert "Looked for: Why does it?" in second.reason and CANARY not in json.dumps(record.facts)
    with Store(home) as store:
        put(store, embedder, "secret.md", "Nothing sleeps in the archive.")
    assert CANARY.encode() not in raw(home)


def test_half_a_character_loses_no_answer(make: Make, home: Path) -> None:
    """What no file can hold is left out of an answer, kept as a question mark, and refused in a question."""
    answer = asked(make, "年假有几天？", "年假有十五天\ud83d[1]。")
    assert "年假有十五天" in answer.text and "?" in Records(home).get(answer.id).words["draft"]
    for question, history in (("年假\udce5有几天？", ()), ("Rent?", (Turn("user", "\ud800"),))):
        with pytest.raises(RagError, match="half a character"):
            asked(make, question, "x", history=history)


def test_an_answer_that_broke_off_is_kept_as_it_came(make: Make, home: Path) -> None:
    """The record of an unfinished answer says why it is, and holds what the model wrote letter by letter."""
    pipeline = make("年假有十五天<b>[1]。另")
    pipeline.llm.error = Incomplete("The model broke off.")  # type: ignore[union-attr]
    answer = pipeline.ask("年假有几天？")
    record = Records(home).get(answer.id)
    assert record.facts["incomplete"] == answer.incomplete == "The model broke off."
    assert record.words["draft"] == "年假有十五天<b>[1]。另"


def test_without_records_no_draft_is_kept(make: Make) -> None:
    """With ``trace.keep`` 0 a draft is nowhere, not even until its answer is checked."""
    pipeline = make("年假有十五天[1]。", keep=0)
    retrieval = pipeline.retrieve("年假有几天？")
    assert "".join(pipeline.generate(retrieval)) and pipeline.written(retrieval) is None


def test_a_question_that_would_be_asked_back_now_is_replayed(make: Make, home: Path) -> None:
    """What was answered then is checked as an answer, whatever would be said to its question now."""
    answer = asked(make, "年假有几天？", "年假有十五天[1]。")
    record = replace(Records(home).get(answer.id), question="你好")
    again = replay(make("x", keep=0), record)
    assert again.answer is not None and again.answer.kind != "talk" and again.answer.claims == answer.claims


def test_a_refusal_has_a_record(make: Make, home: Path) -> None:
    """An answer that was withheld can be looked into: its draft is there."""
    answer = asked(make, "年假有几天？", "资料中没有提到奶酪。")
    record = Records(home).get(answer.id)
    assert answer.refused and record.facts["refused"] and "奶酪" in record.words["draft"]
    assert replay(make("x", keep=0), record).differences == ()


def test_a_filter_is_kept(make: Make, home: Path) -> None:
    """A replay looks where the question looked."""
    from datetime import date

    wanted = Filter(documents=("rent.md",), since=date(2020, 1, 1))
    assert filter_from_json(json.loads(json.dumps(filter_to_json(wanted)))) == wanted
    answer = asked(
        make, "How high is the office rent?", "The office rent is high.", filter=Filter(documents=("rent.md",))
    )
    again = replay(make("x", keep=0), Records(home).get(answer.id))
    assert again.differences == () and [p.chunk.document for p in again.retrieved] == ["rent.md"]


@pytest.mark.parametrize("wrong", ["", "zz", "no such"])
def test_an_unknown_id_is_one_sentence(home: Path, wrong: str) -> None:
    """An id that there is not says how to list those that there are."""
    with pytest.raises(RagError, match="--list"):
        Records(home).get(wrong)


def test_a_record_costs_little(make: Make, home: Path) -> None:
    """Making inert, checking and recording an answer stay far below what a reader notices."""
    pipeline = make("年假有十五天[1]。")
    retrieval = pipeline.retrieve("年假有几天？")
    pipeline.finish(retrieval, "年假有十五天[1]。")
    began = time.perf_counter()
    pipeline.finish(replace(retrieval, id="another"), "年假有十五天[1]。")
    assert time.perf_counter() - began < 0.25


def test_the_command_shows_lists_and_compares(
    make: Make, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`replay ID` shows each step and what differs, `--json` all of it, `--list` the latest; terminal commands are dead."""

    def load(settings: Settings, *, answers: bool = True) -> Pipeline:
        return make("年假有十五天[1]。", keep=settings.trace.keep)

    monkeypatch.setattr(pipelines, "load_pipeline", load)
    assert main(["ask", "年假有几天？", "--home", str(home), "--json"]) == 0
    identity = json.loads(capsys.readouterr().out)["id"]
    assert main(["replay", identity, "--home", str(home)]) == 0
    said = capsys.readouterr().out
    for step in ("asked", "retrieved", "prompted", "generated", "checked", "年假.txt", "everything came out the same"):
        assert step in said
    assert main(["replay", identity, "--home", str(home), "--json", "--generate"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["record"]["id"] == identity and value["differences"] == [] and value["replay"]["draft"]
    assert main(["replay", "--list", "--home", str(home)]) == 0
    assert identity in capsys.readouterr().out
    assert main(["replay", "nothing", "--home", str(home)]) == 1
    assert "--list" in capsys.readouterr().err
