"""The map of the code holds: who may import whom, and what is nowhere."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("rag", "ingest", "evaluation", "ui", "app")
FILES = sorted([ROOT / "app.py", *(p for name in OURS[:-1] for p in (ROOT / name).rglob("*.py"))])
MAY: dict[str, set[str]] = {
    "rag": {"rag"},
    "ingest": {"ingest", "rag"},
    "evaluation": {"evaluation", "rag", "ingest"},
    "ui": {"ui", "rag", "ingest", "evaluation"},
    "app": {"ui", "rag", "ingest", "evaluation"},
}
INGEST_USES = {
    "types",
    "errors",
    "settings",
    "text",
    "store",
    "embedder",
    "models",
    "terminal",
    "windows",
    "mounts",
    "whole_file",
    "logs",
}
ONLY_IN = {
    "streamlit": ("app.py", "ui/"),
    "faiss": ("rag/dense.py",),
    "sqlite3": ("rag/database.py",),
    "pysqlite3": ("rag/database.py",),
    "xllamacpp": ("rag/llm_llamacpp.py",),
    "openvino_genai": ("rag/llm_openvino.py",),
    "openai": ("rag/llm_address.py",),
    "langchain_openai": ("rag/llm_address.py",),
    "markdown_it": ("rag/inert.py",),
    "sentence_transformers": ("rag/embedder.py", "rag/e5.py", "rag/reranker.py", "rag/nli.py"),
}
HEAVY = {
    "torch",
    "transformers",
    "faiss",
    "xllamacpp",
    "openvino_genai",
    "sentence_transformers",
    "langchain",
    "langchain_openai",
    "openai",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(tree: ast.AST) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.fixture(scope="module")
def modules() -> dict[str, ast.Module]:
    """Every module of ours by its path."""
    return {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def test_imports_point_one_way(modules: dict[str, ast.Module]) -> None:
    """rag imports nothing else of ours, ingest only rag, evaluation rag and ingest; the page may import all."""
    wrong = [
        f"{path} imports {name}"
        for path, tree in modules.items()
        for name in imports(tree)
        if (top := name.split(".")[0]) in OURS and top not in MAY[path.split("/")[0].removesuffix(".py")]
    ]
    assert wrong == []


def test_ingest_uses_only_the_ground_floor_of_rag(modules: dict[str, ast.Module]) -> None:
    """Ingest needs no retrieval and no language model."""
    used = {
        name.split(".")[1]
        for path, tree in modules.items()
        if path.startswith("ingest/")
        for name in imports(tree)
        if name.startswith("rag.")
    }
    assert used <= INGEST_USES


def test_types_and_errors_stand_alone(modules: dict[str, ast.Module]) -> None:
    """The words of the domain import nothing of ours, and beside the standard library only numpy."""
    for path in ("rag/types.py", "rag/errors.py"):
        tops = {name.split(".")[0] for name in imports(modules[path])}
        assert not tops & set(OURS)
        assert tops - sys.stdlib_module_names <= {"numpy"}


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_has_one_place(modules: dict[str, ast.Module], library: str) -> None:
    """Streamlit, SQLite, FAISS and the model runtimes are each known to one place, which can be exchanged."""
    used = {path for path, tree in modules.items() for name in imports(tree) if name.split(".")[0] == library}
    assert {path for path in used if not path.startswith(ONLY_IN[library])} == set()


def test_heavy_libraries_wait(modules: dict[str, ast.Module]) -> None:
    """No module imports a heavy library when it is itself imported."""
    wrong = [
        f"{path}: {name}"
        for path, tree in modules.items()
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imports(ast.Module([node], []))
        if name.split(".")[0] in HEAVY
    ]
    assert wrong == []


@pytest.mark.parametrize("command", ["rag", "ingest", "evaluation"])
def test_help_loads_nothing_heavy(command: str) -> None:
    """`--help` of each command answers without loading a model library, so it answers at once."""
    code = (
        f"import runpy, sys\nsys.argv = ['{command}', '--help']\n"
        f"try:\n    runpy.run_module('{command}', run_name='__main__')\nexcept SystemExit as end:\n    n = end.code\n"
        f"print('loaded', n, sorted({HEAVY | {'numpy', 'langchain_core', 'streamlit'}!r} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert result.returncode == 0, result.stderr
    said, _, loaded = result.stdout.rpartition("loaded ")
    assert "usage:" in said and "--home" in said
    assert loaded.strip() == "0 []"
