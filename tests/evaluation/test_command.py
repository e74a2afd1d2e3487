"""``python -m evaluation`` from the outside: real store, ingest and pipeline; only the embedder is a toy one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import rag.embedder
import rag.pipeline
from evaluation.__main__ import main
from rag.text import tokens
from rag.types import Language

ROOT = Path(__file__).resolve().parents[2]
CORPUS = {
    "r#1": "The Nile is 6650 kilometres long and flows north.",
    "r2": "长江全长6300公里，流入东海。",
    "r3": "Bananas are yellow.",
}
QA = [
    {"id": "1", "question": "How long is the Nile?", "answers": ["6650"], "relevant": ["r#1"], "meta": {"hard": True}},
    {
        "id": "2",
        "question": "长江有多长？",
        "answers": ["6300公里"],
        "relevant": ["corpus.jsonl#r2"],
        "meta": {"hard": False},
    },
    {"id": "3", "question": "Who painted the ceiling?", "answerable": False},
]


class BagOfWords:
    """The cosine of two texts is the share of tokens that they have in common."""

    fingerprint = "bag"
    dimension = 512

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        vector = np.zeros(self.dimension, np.float32)
        for token in tokens(text):
            vector[sum(token.encode()) % self.dimension] += 1
        return vector / max(float(np.linalg.norm(vector)), 1e-9)

    def centre(self, vectors: np.ndarray, languages: Sequence[Language], *, side: str = "passage") -> np.ndarray:
        return vectors


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with a corpus and a question set, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path / "home"))
    for module in (rag.embedder, rag.pipeline):
        monkeypatch.setattr(module, "load_embedder", lambda settings: BagOfWords())
    records = [json.dumps({"id": key, "title": key, "text": text}) for key, text in CORPUS.items()]
    (tmp_path / "corpus.jsonl").write_text("\n".join(records), encoding="utf-8")
    (tmp_path / "qa.jsonl").write_text("\n".join(map(json.dumps, QA)), encoding="utf-8")
    return tmp_path


def test_a_corpus_is_ingested_and_measured(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both records are found under their IDs, and the report is printed and written."""
    assert main(["qa.jsonl", "--corpus", "corpus.jsonl", "--json", "out/r.json", "--html", "r.html"]) == 0
    report = json.loads((workplace / "out/r.json").read_text(encoding="utf-8"))
    assert report["metrics"]["hit@1"]["value"] == 1 and report["metrics"]["hit@1"]["n"] == 2
    assert report["slices"]["hard"].keys() == {"true", "false"}
    assert "hit@1" in capsys.readouterr().out and (workplace / "r.html").exists()
    assert not (workplace / "home" / "workspace").exists()  # the user's own knowledge base is left alone


def test_the_same_corpus_is_ingested_once(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run embeds no passage, and a changed corpus is noticed."""
    assert main(["qa.jsonl", "--corpus", "corpus.jsonl"]) == 0
    [scratch] = (workplace / "cache" / "evaluation").iterdir()
    before = (scratch / "workspace" / "footnote.sqlite3").stat().st_size

    def refuse(self: BagOfWords, texts: Sequence[str]) -> np.ndarray:
        raise AssertionError(f"embedded again: {texts}")

    with monkeypatch.context() as patch:
        patch.setattr(BagOfWords, "embed_passages", refuse)
        assert main(["qa.jsonl", "--corpus", "corpus.jsonl"]) == 0
        records = [json.dumps({"id": key, "title": "", "text": "new"}) for key in CORPUS]
        (workplace / "corpus.jsonl").write_text("\n".join(records), encoding="utf-8")
        with pytest.raises(AssertionError, match="new"):
            main(["qa.jsonl", "--corpus", "corpus.jsonl"])
    assert before and [scratch] == list((workplace / "cache" / "evaluation").iterdir())


def test_withheld_documents_are_not_found(workplace: Path) -> None:
    """A question asked again with its documents hidden is an unanswerable one that does not find them."""
    assert main(["qa.jsonl", "--corpus", "corpus.jsonl", "--withhold", "2", "--json", "r.json"]) == 0
    report = json.loads((workplace / "r.json").read_text(encoding="utf-8"))
    twins = [entry for entry in report["questions"] if entry["withheld"]]
    assert len(twins) == 2 and all(not set(twin["withheld"]) & set(twin["found"]) for twin in twins)
    assert report["slices"]["withheld"]["true"]["refusal_recall"]["n"] == 2


@pytest.mark.parametrize(
    ("bar", "code"), [("hit@1=1", 0), ("hit@1=1.1", 1), ("false_refusal_rate=1", 0), ("seconds_p50=0", 1)]
)
def test_a_missed_bar_is_exit_code_1(bar: str, code: int) -> None:
    """More is better except for rates of failure and seconds, where the bar is the most that is allowed."""
    assert main(["qa.jsonl", "--corpus", "corpus.jsonl", "--fail-under", bar]) == code


@pytest.mark.parametrize(
    "flags",
    [["--fail-under", "hits=1"], ["--fail-under", "mrr"], ["--fail-under", "mrr=nan"], ["--fail-under", "f1=.5"],
     ["--limit", "0"], ["--withhold", "-1"], ["--nonsense"]],
)  # fmt: skip
def test_wrong_use_is_exit_code_2(flags: list[str]) -> None:
    """A bar, number or flag that makes no sense is told before anything is run."""
    with pytest.raises(SystemExit) as stop:
        main(["qa.jsonl", *flags])
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.jsonl"], "none.jsonl does not exist"),
        (["qa.jsonl"], "is empty"),
        (["qa.jsonl", "--corpus", "none"], "none does not exist"),
        (["qa.jsonl", "--corpus", "corpus.jsonl", "--withhold", "3"], "only 2 answerable"),
        (["bad.jsonl", "--corpus", "corpus.jsonl"], "line 1: relevant 'r9' is not in the knowledge base"),
        (["qa.jsonl", "--corpus", "corpus.jsonl", "--json", "."], "could not be written"),
        (["qa.jsonl", "--corpus", "corpus.jsonl", "--baseline", "qa.jsonl"], "is no report"),
    ],
)
def test_bad_input_is_one_sentence(
    workplace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """Exit code 1 and one line on stderr that says what to do, no traceback."""
    (workplace / "bad.jsonl").write_text('{"question": "q", "relevant": ["r9"]}', encoding="utf-8")
    assert main(arguments) == 1
    shown = capsys.readouterr()
    assert said in shown.err and len(shown.err.strip().splitlines()) == 1 and not shown.out


def test_documents_that_are_not_there_are_told_before_anything_is_ingested(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every name that fits no document is listed with near ones, and not a record of the corpus has been read."""
    lines = [f'{{"question": "q{n}?", "relevant": ["corpus.jsonl#r{n}"]}}' for n in range(2, 6)]
    (workplace / "bad.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert main(["bad.jsonl", "--corpus", "corpus.jsonl"]) == 1
    said = capsys.readouterr().err
    assert "2 faults" in said and "line 3: relevant 'corpus.jsonl#r4'" in said and "'corpus.jsonl#r2'" in said
    assert not (workplace / "cache").exists()


def test_a_file_that_could_not_be_read_is_told_as_not_indexed(workplace: Path) -> None:
    """A question about a scan or a broken file is not a fault of the set: it went wrong at the first step."""
    folder = workplace / "docs"
    folder.mkdir()
    (folder / "good.txt").write_text("Bananas are yellow and long.", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    (folder / "blank.txt").write_text(" ", encoding="utf-8")
    names = {"good.txt": "Are bananas yellow and long?", "broken.pdf": "What is in it?", "blank.txt": "And what here?"}
    asked = [{"question": question, "relevant": [name]} for name, question in names.items()]
    (workplace / "about.jsonl").write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    assert main(["about.jsonl", "--corpus", "docs", "--json", "r.json"]) == 0
    report = json.loads((workplace / "r.json").read_text(encoding="utf-8"))
    assert [question["step"] for question in report["questions"]] == ["", "not_indexed", "not_indexed"]


def test_help_comes_at_once() -> None:
    """``--help`` loads no model library: it answers in well under a second even on a busy machine."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "evaluation", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--withhold" in done.stdout and time.perf_counter() - started < 5
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"numpy", "torch", "transformers", "faiss", "langchain_core"}
