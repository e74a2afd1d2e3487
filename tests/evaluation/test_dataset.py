"""Question sets are read strictly, and every error names the line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.dataset import Question, load, resolve, withheld
from rag.errors import DatasetError
from rag.types import Turn

GOOD = '{"question": "什么是分词？", "answers": ["切分"], "relevant": ["a.md"]}'


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "qa.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_every_field_arrives(tmp_path: Path) -> None:
    """A question keeps its answers, documents, history, rewrite and meta, and knows its line."""
    entry = {
        "id": "q1",
        "question": "And in English?",
        "answers": ["a", "b"],
        "relevant": ["x#1"],
        "answerable": True,
        "history": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "你好"}],
        "rewrite": "What is it in English?",
        "meta": {"kind": 1},
    }
    [question] = load(written(tmp_path, json.dumps(entry)))
    assert question == Question(
        "q1",
        "And in English?",
        ("a", "b"),
        ("x#1",),
        True,
        (Turn("user", "hi"), Turn("assistant", "你好")),
        "What is it in English?",
        {"kind": 1},
        "line 1",
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{nope", "not JSON"),
        ("[1]", "JSON object"),
        ('{"answers": ["x"]}', "no 'question'"),
        ('{"question": " ", "answers": ["x"]}', "'question' must be text"),
        ('{"question": 3, "answers": ["x"]}', "'question' must be text"),
        ('{"question": "q", "answers": "x"}', "'answers' must be a list"),
        ('{"question": "q", "answers": [""]}', "'answers' must be a list"),
        ('{"question": "q", "relevant": [1]}', "'relevant' must be a list"),
        ('{"question": "q"}', "neither"),
        ('{"question": "q", "answerable": false, "answers": ["x"]}', "remove one"),
        ('{"question": "q", "answerable": "no"}', "true or false"),
        ('{"question": "q", "answers": ["x"], "history": "hi"}', "'history'"),
        ('{"question": "q", "answers": ["x"], "history": [{"role": "system", "content": "x"}]}', "role"),
        ('{"question": "q", "answers": ["x"], "history": [{"role": ["user"], "content": "x"}]}', "role"),
        ('{"question": "q", "answers": ["x"], "meta": []}', "'meta'"),
        ('{"question": "q", "answers": ["x"], "id": [1]}', "'id'"),
        ('{"question": "q", "answers": ["x"], "histroy": []}', "did you mean 'history'"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    """Whatever is wrong with line 3, the message says line 3 and what is wrong."""
    with pytest.raises(DatasetError, match="line 3") as error:
        load(written(tmp_path, GOOD, "", line))
    assert said in str(error.value)


def test_an_id_is_used_once(tmp_path: Path) -> None:
    """The second of two questions with one id is refused, naming both lines."""
    same = '{"id": 7, "question": "q", "answers": ["x"]}'
    with pytest.raises(DatasetError, match=r"line 2.*line 1"):
        load(written(tmp_path, same, same))


def test_the_same_question_twice_is_told(tmp_path: Path) -> None:
    """With the same right answers it would count twice; with others, or after another conversation, it is another one."""
    other = GOOD.replace("切分", "断词")
    assert len(load(written(tmp_path, GOOD, other))) == 2
    with pytest.raises(DatasetError, match="line 3: the same question as line 1"):
        load(written(tmp_path, GOOD, other, GOOD))


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """A set is mended in one go: every line with its reason, of very many the first twenty."""
    with pytest.raises(DatasetError) as error:
        load(written(tmp_path, "{", GOOD, '{"question": "q", "answers": [6650]}'))
    told = str(error.value).splitlines()
    assert "2 faults" in told[0] and told[1].startswith("  line 1: not JSON") and "line 3: 'answers'" in told[2]
    with pytest.raises(DatasetError) as error:
        load(written(tmp_path, *["{"] * 25))
    assert len(str(error.value).splitlines()) == 22 and "and 5 more" in str(error.value)


def test_mixed_encodings_are_told_line_by_line(tmp_path: Path) -> None:
    """Where some lines are UTF-8 and others are not, those that are not are named."""
    path = tmp_path / "qa.jsonl"
    path.write_bytes(
        b"\n".join([GOOD.encode(), GOOD.replace("分词", "向量").encode("gb18030"), b"", GOOD.encode("utf-16")])
    )
    with pytest.raises(DatasetError) as error:
        load(path)
    assert "line 2: not UTF-8" in str(error.value) and "line 4: not UTF-8" in str(error.value)


def test_a_set_without_questions_or_file_is_told(tmp_path: Path) -> None:
    """An empty file, a missing one and a folder each give one sentence."""
    for path in (written(tmp_path, "", " "), tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(DatasetError):
            load(path)


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    """A set saved with a BOM and Windows line ends reads like any other."""
    path = tmp_path / "qa.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode() + b"\r\n")
    assert load(path)[0].question == "什么是分词？"


def test_separators_inside_a_text_end_no_line(tmp_path: Path) -> None:
    """U+2028 and its like, which JSON allows inside a text, do not break a line in two."""
    assert load(written(tmp_path, '{"question": "a\u2028b\x85c", "answers": ["x"]}'))[0].question == "a\u2028b\x85c"


def test_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    """A GBK file is refused, and the line of the first foreign byte is named."""
    path = tmp_path / "qa.jsonl"
    path.write_bytes(b'{"question": "q", "answers": ["x"]}\n' + GOOD.encode("gbk"))
    with pytest.raises(DatasetError, match="line 2: not UTF-8"):
        load(path)


NAMES = ["docs/a.md", "corpus.jsonl#Q1", "corpus.jsonl#x#1", "other.jsonl#dup", "corpus.jsonl#dup", "mail.eml#b.pdf"]


@pytest.mark.parametrize(
    ("written_name", "document"),
    [
        ("docs/a.md", "docs/a.md"),
        ("Q1", "corpus.jsonl#Q1"),
        ("corpus.jsonl#Q1", "corpus.jsonl#Q1"),
        ("x#1", "corpus.jsonl#x#1"),
        ("b.pdf", "mail.eml#b.pdf"),
        ("other.jsonl#dup", "other.jsonl#dup"),
    ],
)
def test_relevant_is_a_name_or_a_bare_record_id(written_name: str, document: str) -> None:
    """A document is found by its full name or by what follows the file's name, # in the ID included."""
    [question] = resolve([Question("q", "q", relevant=(written_name,))], NAMES, Path("qa.jsonl"))
    assert question.relevant == (document,)


@pytest.mark.parametrize(("name", "said"), [("dup", "may be any of"), ("1", "not in"), ("docs/b.md", "docs/a.md")])
def test_relevant_that_fits_none_or_two_is_an_error(name: str, said: str) -> None:
    """An ambiguous ID lists its documents, an unknown one the near names, both with the line."""
    with pytest.raises(DatasetError, match="line 9") as error:
        resolve([Question("q", "q", relevant=(name,), place="line 9")], NAMES, Path("qa.jsonl"))
    assert said in str(error.value)


def test_withheld_questions_are_unanswerable_twins() -> None:
    """The same answerable questions are chosen every time, and ask for a refusal without their documents."""
    questions = [Question(str(i), f"q{i}", ("x",), (f"d{i}",), answerable=i % 2 == 0) for i in range(20)]
    twins = withheld(questions, 4, Path("qa.jsonl"))
    assert twins == withheld(questions, 4, Path("qa.jsonl"))
    assert len({twin.id for twin in twins}) == 4
    for twin in twins:
        assert not twin.answerable and not twin.answers and not twin.relevant
        assert twin.withhold == (f"d{twin.question[1:]}",) and int(twin.question[1:]) % 2 == 0


def test_more_cannot_be_withheld_than_there_are() -> None:
    """Asking for too many says how many there are."""
    with pytest.raises(DatasetError, match="only 1 "):
        withheld([Question("a", "q", ("x",), ("d",)), Question("b", "q", ("x",))], 2, Path("qa.jsonl"))
