"""Drafted questions: what is kept, what is dropped and why, in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

import rag.llm
from evaluation.__main__ import main
from evaluation.collected import sets_folder
from evaluation.dataset import load, save
from evaluation.generate import drafted, fault, passages
from rag.settings import LLMSettings
from rag.store import Store
from tests.conftest import ExactEmbedder
from tests.rag.stored import passage, put
from tests.scripted_llm import ScriptedLLM

RIVERS = {
    "nile.md": "The Nile is 6650 km long. It flows north through eleven countries until it reaches the sea at last.",
    "rhine.md": "The Rhine rises in the Alps. It is 1230 km long and carries more ships than any other river of Europe.",
    "长江.md": "长江全长6300公里，发源于唐古拉山脉，注入东海，流域面积一百八十万平方公里，是亚洲最长的河流。",
    "黄河.md": "黄河全长5464公里，发源于巴颜喀拉山，注入渤海，因为水中的泥沙而得名，历史上多次改道。",
}
REPLIES = {
    "Nile is": "Q: How long is the Nile?\nA: 6650 km",
    "Rhine rises": "Sure! Here it is.\n**Q:** Where does the Rhine rise?\n**A:** in the Himalayas",
    "长江全长": "问：长江流入哪个海？\n答：东海。",
    "黄河全长": "问：本文说的河有多长？\n答：5464公里",
}


class Examiner(ScriptedLLM):
    """Writes the question of REPLIES for a passage; of a title alone it knows nothing, unless told."""

    settings = LLMSettings()

    def __init__(self, guess: str = "unknown") -> None:
        super().__init__()
        self.guess = guess

    def stream(self, messages: Sequence[Any]) -> Iterator[str]:
        self.asked.append(list(messages))
        said = str(messages[-1].content)
        yield next((reply for text, reply in REPLIES.items() if text in said), self.guess)


@pytest.mark.parametrize(
    ("reply", "made"),
    [
        ("问：长江有多长？\n答：6300公里。", ("长江有多长？", "6300公里")),
        ("Q: How long is it?\nA: 6650 km.", ("How long is it?", "6650 km")),
        ("1. **Question**: How long?\n\n2. **Answer**: “ten days”", ("How long?", "ten days")),
        ("好的。\n问题: 谁？\n答案: 张三", ("谁？", "张三")),
        ("How long is it? 6650 km", None),
        ("Q: How long is it?", None),
        ("", None),
    ],
)
def test_a_reply_is_read_in_either_language(reply: str, made: tuple[str, str] | None) -> None:
    """Small models decorate what they write; a reply without question and answer is none."""
    assert drafted(reply) == made


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        ("How long is the Nile?", "6650 km", ""),
        ("The length of the Nile", "6650 km", "no question"),
        ("How long is the Nile?", "7000 km", "the answer is not in the passage"),
        ("Is the Nile 6650 km long?", "6650 km", "the question gives the answer away"),
        ("Which river is this chapter about?", "Nile", "the title gives the answer away"),
        ("How long is the river in this passage?", "6650 km", "not a question by itself"),
        ("How long is it?", "6650 km", "not a question by itself"),
        ("What does the Nile do?", "s", "the answer is not in the passage"),
        ("What is the Nile like?", RIVERS["nile.md"], "the answer is too long or too short"),
    ],
)
def test_a_draft_that_tells_nothing_is_dropped(question: str, answer: str, why: str) -> None:
    """Whatever would be found or answered without the passage measures nothing."""
    chunk = passage(RIVERS["nile.md"], "nile.md", heading="The Nile").chunk
    assert fault(question, answer, chunk) == why


def test_chinese_drafts_are_judged_alike() -> None:
    """The same rules, in words without spaces."""
    chunk = passage(RIVERS["长江.md"], "长江.md", heading="长江").chunk
    assert fault("长江全长多少公里？", "6300", chunk) == ""
    assert fault("该段提到的河流注入哪个海？", "东海", chunk) == "not a question by itself"
    assert fault("哪条河全长6300公里？", "长江", chunk) == "the title gives the answer away"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A knowledge base of four rivers."""
    with Store(tmp_path) as store:
        for name, text in RIVERS.items():
            put(store, ExactEmbedder(), name, text, heading="Rivers" if name.isascii() else "河流")
    return tmp_path


def test_passages_come_from_all_documents_and_both_languages(home: Path) -> None:
    """Each document once before any comes twice, Chinese and English in turn, in the same order every time."""
    with Store(home) as store:
        names = [chunk.document for chunk in passages(store, list(RIVERS), 10)]
        assert sorted(names) == sorted(RIVERS) and names == [c.document for c in passages(store, list(RIVERS), 10)]
        assert [name.isascii() for name in names] == [False, True, False, True]
        assert len(list(passages(store, list(RIVERS), 3))) == 3


def test_a_set_is_drafted_from_documents(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is kept says where it stands and that it is a draft; what is dropped is counted by reason."""
    model = Examiner()
    monkeypatch.setattr(rag.llm, "load_llm", lambda settings: model)
    command = ["generate", "--home", str(home), "--count", "4"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "2 of 4 drafts kept" in said and "1 dropped: the answer is not in the passage" in said
    assert "1 dropped: not a question by itself" in said
    path = sets_folder(home, "default") / "drafted.jsonl"
    made = {question.question: question for question in load(path)}
    assert made.keys() == {"How long is the Nile?", "长江流入哪个海？"}
    nile = made["How long is the Nile?"]
    assert nile.answers == ("6650 km",) and nile.relevant == ("nile.md",)
    assert nile.meta["draft"] is True and nile.meta["language"] == "en"
    reviewed = [cast(Any, question) for question in load(path)][:1]
    save(path, reviewed)
    asked = len(model.asked)
    assert main([*command, "--documents", "nile.md"]) == 0
    assert len(model.asked) == asked  # what the model wrote for a passage is kept
    assert {question.question for question in load(path)} <= made.keys()


def test_what_the_title_tells_is_dropped(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A question that the model answers without its passage does not measure whether the passage is found."""
    monkeypatch.setattr(rag.llm, "load_llm", lambda settings: Examiner("6650 km, as everybody knows"))
    assert main(["generate", "--home", str(home), "--documents", "nile.md"]) == 0
    assert "1 dropped: the title gives the answer away" in capsys.readouterr().out


def test_nothing_to_draft_from_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A glob that fits no document, and an empty knowledge base, are one sentence each."""
    assert main(["generate", "--home", str(home), "--documents", "*.pdf"]) == 1
    assert "*.pdf" in capsys.readouterr().err
    assert main(["generate", "--home", str(home), "--kb", "empty"]) == 1
    assert "python -m ingest" in capsys.readouterr().err
