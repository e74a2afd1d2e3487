"""Question sets as others write them, with the documents that they bring along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.dataset import Question, load
from evaluation.formats import corpus_of
from rag.errors import DatasetError

SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Rivers",
            "paragraphs": [
                {
                    "context": "The Nile is 6650 km long.",
                    "qas": [
                        {
                            "id": "n1",
                            "question": "How long is the Nile?",
                            "answers": [{"text": "6650 km", "answer_start": 12}],
                        },
                        {"id": "n2", "question": "Who owns it?", "answers": [], "is_impossible": True},
                    ],
                },
                {
                    "context": "The Rhine flows north.",
                    "qas": [{"id": "n3", "question": "Where to?", "answers": [{"text": "north"}]}],
                },
            ],
        }
    ],
}
CMRC: list[Any] = [
    {
        "context_id": "TRAIN_1", "context_text": "长江全长6300公里。", "title": "长江",
        "qas": [{"query_id": "TRAIN_1_Q_1", "query_text": "长江有多长？", "answers": ["6300公里", "6300公里", "全长6300公里"]}],
    }
]  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "cache"))


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def records(path: Path | None) -> list[dict[str, str]]:
    assert path
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_squads_questions_come_with_their_paragraphs(tmp_path: Path) -> None:
    """Each paragraph is a document that its questions name; an impossible question is unanswerable."""
    path = put(tmp_path / "dev.json", json.dumps(SQUAD))
    asked = load(path)
    assert [(q.id, q.answers, q.relevant, q.answerable) for q in asked] == [
        ("n1", ("6650 km",), ("Rivers 0",), True),
        ("n2", (), (), False),
        ("n3", ("north",), ("Rivers 1",), True),
    ]
    assert records(corpus_of(path)) == [
        {"id": "Rivers 0", "title": "Rivers", "text": "The Nile is 6650 km long."},
        {"id": "Rivers 1", "title": "Rivers", "text": "The Rhine flows north."},
    ]


@pytest.mark.parametrize("wrapped", [False, True])
def test_cmrcs_two_shapes_are_read(tmp_path: Path, wrapped: bool) -> None:
    """The list that CMRC 2018 was first given out as, and the same in SQuAD's words."""
    squad = [
        {
            "title": "长江",
            "paragraphs": [
                {
                    "id": "TRAIN_1",
                    "context": "长江全长6300公里。",
                    "qas": [
                        {
                            "id": "TRAIN_1_Q_1",
                            "question": "长江有多长？",
                            "answers": [{"text": t} for t in CMRC[0]["qas"][0]["answers"]],
                        }
                    ],
                }
            ],
        }
    ]
    path = put(tmp_path / "cmrc.json", json.dumps({"data": squad} if wrapped else CMRC))
    [question] = load(path)
    assert (question.question, question.answers) == ("长江有多长？", ("6300公里", "全长6300公里"))
    assert question.relevant == ("TRAIN_1",) and records(corpus_of(path))[0]["text"] == "长江全长6300公里。"


def test_a_json_array_is_a_set_like_its_lines(tmp_path: Path) -> None:
    """What one would write a line each may stand in one list; its faults are told by their place there."""
    lines = [{"question": "谁？", "answers": ["张三"]}, {"question": "Who?", "answerable": False}]
    path = put(tmp_path / "qa.json", json.dumps(lines))
    assert [(q.question, q.answers, q.id) for q in load(path)] == [("谁？", ("张三",), "[0]"), ("Who?", (), "[1]")]
    assert corpus_of(path) is None
    put(path, json.dumps([*lines, {"question": "", "answers": ["a"]}, 7]))
    with pytest.raises(DatasetError) as error:
        load(path)
    assert "[2]: 'question'" in str(error.value) and "[3]: a JSON object" in str(error.value)


def test_a_beir_folder_is_a_set_over_its_corpus(tmp_path: Path) -> None:
    """Queries with judgements in qrels/test.tsv are asked; a judgement of 0 is none; other queries belong to other parts."""
    put(tmp_path / "corpus.jsonl", '{"_id": "d1", "title": "Nile", "text": "Long."}\n{"_id": "d2", "text": "Short."}\n')
    put(tmp_path / "queries.jsonl", '{"_id": "q1", "text": "How long?"}\n{"_id": "q2", "text": "Trained on"}\n')
    put(tmp_path / "qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n")
    put(tmp_path / "qrels/train.tsv", "query-id\tcorpus-id\tscore\nq2\td2\t1\n")
    assert load(tmp_path) == [Question("q1", "How long?", relevant=("d1",), place="queries.jsonl, line 1")]
    assert [record["id"] for record in records(corpus_of(tmp_path))] == ["d1", "d2"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_in_either_language(tmp_path: Path, encoding: str, separator: str) -> None:
    """A spreadsheet saved as CSV, with columns named in Chinese or English; further columns are fields to slice by."""
    path = tmp_path / "问题.csv"
    rows = [
        ("问题", "答案", "来源", "难度"),
        ("长江有多长？", "6300公里 | 六千三百公里", "rivers.md", "易"),
        ("谁住在这里？", "张三", "", ""),
    ]
    path.write_bytes("\r\n".join(separator.join(row) for row in rows).encode(encoding))
    first, second = load(path)
    assert (
        first.answers == ("6300公里", "六千三百公里")
        and first.relevant == ("rivers.md",)
        and first.meta == {"难度": "易"}
    )
    assert second.answers == ("张三",) and second.relevant == () and not second.meta


def test_a_table_can_say_that_there_is_no_answer(tmp_path: Path) -> None:
    """A question without answer and source is unanswerable where a column says so, and a fault where none does."""
    path = put(tmp_path / "qa.csv", 'question,answer,source,answerable\n"Who, then?",,,no\nWhere?,,a.md,\n')
    assert [(q.question, q.answerable) for q in load(path)] == [("Who, then?", False), ("Where?", True)]
    put(path, "question,answer,source\nWho?,,\n")
    with pytest.raises(DatasetError, match="line 2: neither"):
        load(path)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{", "not JSON"),
        ("a.json", '{"questions": []}', "SQuAD"),
        ("a.json", '{"data": [{"paragraphs": 1}]}', r"data\[0\]: an article"),
        ("a.json", '{"data": [7]}', r"data\[0\]: an article"),
        ("a.json", '{"data": [{"paragraphs": [{"qas": []}]}]}', r"data\[0\].paragraphs\[0\]"),
        ("a.json", '{"data": [{"paragraphs": [{"context": "c", "qas": [{"question": ""}]}]}]}', r"qas\[0\]: 'question'"),
        ("a.json", '[{"context_text": "c", "qas": [{"query_text": "q", "answers": [1]}]}]', "'answers'"),
        ("a.csv", "frage,antwort\nq,a\n", "no column named question"),
        ("a.csv", "", "no column named question"),
        ("a.csv", "question,answer,answerable\nq,a,maybe\n", "'maybe'"),
        ("queries.jsonl", "{", "no question set|qrels"),
        ("readme.md", "", "no question set"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, name: str, text: str, said: str) -> None:
    """A file of the right name with something else in it is one sentence that says where and what."""
    path = put(tmp_path / "set" / name, text)
    with pytest.raises(DatasetError, match=said):
        load(path if name.startswith("a.") else path.parent)


def test_a_plain_set_brings_no_documents(tmp_path: Path) -> None:
    """It is measured over the knowledge base; a folder with qa.jsonl and corpus.jsonl over the latter."""
    path = put(tmp_path / "qa.jsonl", '{"question": "q", "answers": ["a"]}\n')
    assert corpus_of(path) is None and load(tmp_path) == load(path)
    assert corpus_of(tmp_path) is None
    put(tmp_path / "corpus.jsonl", "")
    assert corpus_of(tmp_path) == tmp_path / "corpus.jsonl"
