"""The commands: what they print, and what they exit with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag import pipeline as pipelines
from rag.__main__ import main
from rag.errors import LLMError
from rag.llm_address import Address
from rag.settings import LLMSettings, Settings
from rag.store import Store
from tests.rag.stored import put
from tests.scripted_llm import ScriptedLLM

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _models(monkeypatch: pytest.MonkeyPatch, embedder: Any, tmp_path: Path) -> None:
    """The models are small ones that need no download; nothing else of the commands is replaced."""

    def load(settings: Settings, *, answers: bool = True) -> pipelines.Pipeline:
        llm: Any = ScriptedLLM("年假有十五天[1]。另有八百天。") if answers else None
        return pipelines.Pipeline(settings, Store(settings.home, settings.kb), embedder, llm)

    monkeypatch.setattr(pipelines, "load_pipeline", load)
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FOOTNOTE_ANSWERS_STRICTNESS", "0")
    monkeypatch.delenv("FOOTNOTE_KB", raising=False)


@pytest.fixture
def home(tmp_path: Path, embedder: Any) -> Path:
    """A home with two documents."""
    with Store(tmp_path) as store:
        put(store, embedder, "年假.txt", "年假有十五天。")
        put(store, embedder, "rent.md", "The office rent is high.", heading="Rent")
    return tmp_path


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(*arguments)`` runs a command on that home: exit code, what it printed, what it complained about."""

    def command(*arguments: str, homed: bool = True) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([*arguments, "--home", str(home)] if homed else arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def test_ask_prints_the_answer_with_its_footnotes(run: Run) -> None:
    """The answer carries [1] and ⚠, and below stand the words cited and what is not supported."""
    code, said, _ = run("ask", "年假有几天？")
    assert code == 0
    assert "年假有十五天。[1]另有八百天。 ⚠" in said
    assert "[1] 年假.txt" in said and "“年假有十五天。”" in said and "文档中没有这个数字：800" in said


def test_ask_json_has_the_promised_shape(run: Run) -> None:
    """`ask --json` prints one object with answer, claims, citations, passages and timings."""
    code, said, _ = run("ask", "年假有几天？", "--json")
    value = json.loads(said)
    assert (
        code == 0
        and value["answer"] == "年假有十五天。另有八百天。"
        and value["language"] == "zh"
        and not value["refused"]
    )
    assert value.keys() >= {"answer", "refused", "language", "reason", "claims", "citations", "passages", "timings"}
    assert value["claims"][0].keys() == {"text", "start", "end", "citations", "supported", "why"}
    assert value["citations"][0].keys() >= {"n", "document", "page", "quote", "start", "end", "support"}
    assert value["timings"].keys() >= {"retrieve", "first_token", "generate", "check"}


def test_a_refusal_exits_with_0(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is a result: it exits with 0, says why and shows the nearest passages."""
    monkeypatch.setenv("FOOTNOTE_ANSWERS_STRICTNESS", "1")
    run("delete", "年假.txt")
    code, said, _ = run("ask", "How high is the moon?")
    assert code == 0 and "do not hold an answer" in said and "Looked for" in said and "rent.md" in said


def test_search_needs_no_language_model(run: Run) -> None:
    """`search` lists passages, best first, and -k limits them."""
    code, said, _ = run("search", "office rent", "-k", "1", "--json")
    (found,) = json.loads(said)
    assert code == 0 and found["document"] == "rent.md"
    assert found.keys() >= {"document", "also", "page", "text", "score", "dense_rank", "lexical_rank"}
    assert run("search", "office rent")[1].startswith("1. rent.md")


def test_search_looks_only_where_it_is_told(run: Run) -> None:
    """A filter leaves the others out; one that nothing passes is an empty list with its reason on stderr."""
    (found,) = json.loads(run("search", "年假", "--type", "md", "--json")[1])
    assert found["document"] == "rent.md"
    code, said, complaint = run("search", "年假", "--folder", "nowhere", "--json")
    assert (code, json.loads(said)) == (0, []) and "folders: nowhere" in complaint and complaint.count("\n") == 1
    code, said, complaint = run("search", "年假", "--document", "rents.md")
    assert (code, said) == (1, "") and "Near matches: rent.md" in complaint
    value = json.loads(run("ask", "年假有几天？", "--type", "xls", "--json")[1])
    assert value["refused"] and "types: xls" in value["reason"] and "没有文档符合" in value["reason"]


def test_search_explains_itself(run: Run) -> None:
    """--explain names the terms, the sum and what was cut, for people and as an object in JSON."""
    said = run("search", "office rent", "-k", "1", "--explain")[1]
    assert "rent 0." in said and "× words" in said and "2 passages searched" in said and "– 年假.txt" in said
    value = json.loads(run("search", "office rent", "-k", "1", "--explain", "--json")[1])
    assert value.keys() >= {"query", "passages", "cut"} and value["query"] == "office rent"
    (passage,), (cut,) = value["passages"], value["cut"]
    assert sum(share for _, share in passage["terms"]) == pytest.approx(passage["lexical"])
    assert (cut["document"], cut["why"]) == ("年假.txt", "beyond k")
    assert json.loads(run("ask", "年假有几天？", "--json")[1])["trace"]["searched"] == 2


@pytest.mark.parametrize(
    "flags", [("--kb", "default", "search", "--kb", "二"), ("search", "--kb", "default", "--kb", "二")]
)
def test_several_knowledge_bases_are_searched(run: Run, home: Path, embedder: Any, flags: tuple[str, ...]) -> None:
    """--kb before and after the command add up; each passage says where it lies, and a misspelt one is an error."""
    with Store(home, "二") as second:
        put(second, embedder, "office.md", "The office is open.")
    found = json.loads(run(*flags, "office", "--json")[1])
    assert {(p["kb"], p["document"]) for p in found} >= {("二", "office.md"), ("default", "rent.md")}
    assert "二: office.md" in run(*flags, "office")[1]
    code, said, complaint = run(*flags, "office", "--kb", "defalt")
    assert (code, said) == (1, "") and "default" in complaint


@pytest.mark.parametrize("question", ["", "???", "。", "x" * 10_000, "年假" * 5_000, 'AND OR NEAR( " * ^ :'])
def test_an_odd_search_is_no_error(run: Run, question: str) -> None:
    """Nothing, punctuation, 10,000 characters and operators give a list, with a reason where it is empty."""
    code, said, complaint = run("search", question, "--json")
    found = json.loads(said)
    assert code == 0 and bool(found) != bool(complaint) and complaint.count("\n") == (not found)


def test_tags_are_put_on_shown_and_taken_off(run: Run) -> None:
    """`tag` shows what a document has; `list` and `list --json` show it, too."""
    assert run("tag", "年假.txt", "人事", "HR")[1] == "年假.txt: hr, 人事\n"
    assert "#hr  #人事" in run("list")[1]
    assert {d["name"]: d["tags"] for d in json.loads(run("list", "--json")[1])} == {
        "年假.txt": ["hr", "人事"],
        "rent.md": [],
    }
    assert [p["document"] for p in json.loads(run("search", "rent", "--tag", "HR", "--json")[1])] == ["年假.txt"]
    assert run("tag", "年假.txt", "hr", "--remove")[1] == run("tag", "年假.txt")[1] == "年假.txt: 人事\n"
    assert run("tag", "rents.md", "x")[0] == 1


def test_a_document_commands_no_terminal(run: Run, home: Path, embedder: Any) -> None:
    """Escape sequences and direction marks in a document are not printed, whichever command shows it."""
    with Store(home) as store:
        put(
            store,
            embedder,
            "tower.md",
            "The tower\x1b]0;owned\x07 is\x1b[2J \u202etall\u202c.",
            heading="\x1b[31mTower",
        )
    for command in (["search", "tower"], ["search", "tower", "--explain"], ["list"]):
        said = run(*command)[1]
        assert "tower" in said and not {"\x1b", "\x07", "\u202e"} & set(said)


def test_list_and_delete(run: Run) -> None:
    """`list` names the documents, `delete` takes one away."""
    assert {d["name"] for d in json.loads(run("list", "--json")[1])} == {"年假.txt", "rent.md"}
    assert "rent.md" in run("list")[1]
    code, said, _ = run("delete", "年假.txt")
    assert (
        code == 0 and said.startswith("Deleted: 年假.txt\nNothing of it is left in the store: ") and "--include" in said
    )
    assert [d["name"] for d in json.loads(run("list", "--json")[1])] == ["rent.md"]


def test_an_unknown_document_exits_with_1_and_near_matches(run: Run) -> None:
    """`delete rents.md` is one sentence on stderr that names rent.md, and nothing is deleted."""
    code, said, complaint = run("delete", "rents.md")
    assert (code, said) == (1, "") and "rent.md" in complaint and complaint.count("\n") == 1
    assert len(json.loads(run("list", "--json")[1])) == 2


@pytest.mark.parametrize("place", ["before", "after"])
def test_home_and_kb_stand_before_or_after_the_command(run: Run, home: Path, embedder: Any, place: str) -> None:
    """--home and --kb mean the same on both sides of the subcommand, and win over the environment."""
    with Store(home, "second") as store:
        put(store, embedder, "only here.md", "Something else.")
    flags = ["--home", str(home), "--kb", "second"]
    arguments = [*flags, "list", "--json"] if place == "before" else ["list", "--json", *flags]
    assert [d["name"] for d in json.loads(run(*arguments, homed=False)[1])] == ["only here.md"]


def test_without_documents_there_is_a_hint(run: Run) -> None:
    """An empty knowledge base prints nothing on stdout and says on stderr how to add documents."""
    code, said, complaint = run("list", "--kb", "empty")
    assert (code, said) == (0, "") and "python -m ingest" in complaint
    assert run("list", "--kb", "empty", "--json")[1].strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("frobnicate",),
        ("ask",),
        ("search", "x", "-k", "0"),
        ("search", "x", "-k", "many"),
        ("list", "--frob"),
        ("models",),
        ("serve", "--port", "0"),
        ("search", "x", "--since", "yesterday"),
        ("list", "--kb", "a", "--kb", "b"),
        ("--kb", "a", "delete", "x", "--kb", "b"),
        ("serve", "--port", "99999"),
        ("serve", "--address", "0.0.0.0"),
        ("serve", "--address", "example.org"),
    ],
)
def test_wrong_use_exits_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    """A command that makes no sense, or would open the page to others without sign-in, exits with 2 and says why."""
    code, said, complaint = run(*arguments)
    assert (code, said) == (2, "") and complaint


@pytest.mark.parametrize(
    "arguments",
    [("ask", "x" * 10_000), ("ask", "???"), ("list", "--kb", "a/b"), ("models", "pull", "x")],
)
def test_an_expected_error_exits_with_1_and_one_sentence(run: Run, arguments: tuple[str, ...]) -> None:
    """A question or name that cannot be dealt with is one line on stderr, no traceback."""
    code, said, complaint = run(*arguments)
    assert (code, said) == (1, "") and complaint.count("\n") == 1 and "Traceback" not in complaint


def test_models_list_says_what_is_here(run: Run) -> None:
    """`models list` names each built-in with its licence and whether it is here."""
    code, said, _ = run("models", "list")
    assert (
        code == 0 and "builtin:multilingual-e5-small" in said and "Apache-2.0" in said and said.count("not here") == 2
    )


def test_doctor_finds_what_is_missing(run: Run) -> None:
    """`doctor` exits with 1 where the models are missing, and says what to type."""
    code, said, _ = run("doctor")
    assert code == 1 and "models pull" in said and "2 documents" in said


def test_an_address_that_is_none_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`doctor` and `ask` say which setting to mend where the model's address can't be read."""
    monkeypatch.setenv("FOOTNOTE_LLM_BASE_URL", "http://[::1")
    monkeypatch.setenv("FOOTNOTE_LLM_MODEL", "m")
    code, said, _ = run("doctor")
    assert code == 1 and "Set llm.base_url to one like" in said
    with pytest.raises(LLMError, match=r"Set llm\.base_url to one like"):
        Address(LLMSettings(model="m", base_url="http://[::1"))


def test_missing_models_are_one_sentence(tmp_path: Path) -> None:
    """As a real process: `ask` without models exits with 1 and one line with the command to type."""
    result = subprocess.run(
        [sys.executable, "-m", "rag", "ask", "x?", "--home", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "models pull" in result.stderr and result.stderr.count("\n") == 1


def test_ask_takes_a_style(run: Run) -> None:
    """--style asks in another style for once; an unknown one is one sentence with those that there are."""
    code, out, _ = run("ask", "带薪年假有多少天？", "--style", "detailed")
    assert code == 0 and "[1]" in out
    code, out, err = run("ask", "带薪年假有多少天？", "--style", "rhyme")
    assert (code, out) == (1, "") and "'rhyme'" in err and "detailed" in err
