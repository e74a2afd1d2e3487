from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.discovery import Root, discover
from ingest.ignore import NAME
from ingest.sync import Report, synchronise
from rag.errors import IngestError
from rag.settings import Settings
from rag.store import Store
from rag.types import Embedder

NAMES = ("a", "b.txt", "build", "报告.md", "draft 1.txt")


def found(root: Path) -> set[str]:
    return {file.relative for file in discover(Root(str(root), root), root / "nowhere")}


def fill(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"content of {name}", encoding="utf-8")


def test_patterns_keep_files_out(tmp_path: Path) -> None:
    """Names, wildcards, folders and anchored paths work as in .gitignore, comments and blank lines too."""
    fill(
        tmp_path, "a.txt", "a.log", "sub/b.log", "build/c.txt", "sub/build/d.txt", "草稿/e.txt", "top.md", "sub/top.md"
    )
    (tmp_path / NAME).write_text("# what is no document\n\n*.log\r\nbuild/\n草稿\n/top.md\n", encoding="utf-8-sig")
    assert found(tmp_path) == {"a.txt", "sub/top.md"}


def test_all_but_some_can_be_kept_out(tmp_path: Path) -> None:
    """`*`, then `!` for folders and for what is wanted: only that comes in, from any depth."""
    fill(tmp_path, "a.txt", "b.md", "sub/deep/c.md", "sub/d.txt", "drafts/e.md")
    (tmp_path / NAME).write_text("*\n!*/\n!*.md\ndrafts/\n")
    assert found(tmp_path) == {"b.md", "sub/deep/c.md"}


def test_nested_files_add_rules_and_take_them_back(tmp_path: Path) -> None:
    """A file of patterns in a folder holds from there down, and `!` lets in what an outer one keeps out."""
    fill(tmp_path, "a.log", "sub/a.log", "sub/b.txt", "sub/deep/c.txt")
    (tmp_path / NAME).write_text("*.log\n")
    (tmp_path / "sub" / NAME).write_text("!a.log\n/b.txt\n")
    assert found(tmp_path) == {"sub/a.log", "sub/deep/c.txt"}


@pytest.mark.skipif(not shutil.which("git"), reason="git says what is right")
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_it_decides_as_git_does(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Of any tree and any patterns, exactly those files are found that git does not ignore; only ``a/**/`` is beyond it."""
    root = tmp_path_factory.mktemp("tree")
    paths = data.draw(st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join), max_size=8))
    for path in paths:
        try:
            fill(root, path)
        except OSError:  # a file lies where this one needs a folder
            continue
    piece = st.sampled_from([*NAMES, "*", "**", "*.txt", "b*", "?", "[ab]*"])
    pattern = st.builds(
        lambda no, start, parts, end: no + start + "/".join(parts) + ("" if parts[-1] == "**" else end),
        st.sampled_from(["", "", "!"]), st.sampled_from(["", "/"]),
        st.lists(piece, min_size=1, max_size=2), st.sampled_from(["", "/"]),
    )  # fmt: skip
    for folder in [root, *(p for p in root.rglob("*") if p.is_dir())][:2]:
        text = "\n".join(data.draw(st.lists(pattern, max_size=4)))
        (folder / NAME).write_text(text, encoding="utf-8")
    git = ["git", "-C", str(root), "-c", "core.quotepath=false"]
    subprocess.run([*git, "init", "-q"], check=True)
    listed = subprocess.run(
        [*git, "ls-files", "-z", "--others", "--exclude-per-directory", NAME], check=True, capture_output=True
    ).stdout.decode()
    assert found(root) == {name for name in listed.split("\0") if name and not name.endswith(NAME)}


@pytest.mark.parametrize("line", ["!", "[z-a]", "abc\\", "/"])
def test_a_broken_pattern_names_its_line(tmp_path: Path, line: str) -> None:
    """A pattern that can match nothing is an error with its file and line, not silently another meaning."""
    fill(tmp_path, "a.txt")
    (tmp_path / NAME).write_text(f"*.log\n\n{line}\n")
    with pytest.raises(IngestError, match=f"{NAME}, line 3: .*nothing was changed"):
        found(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="POSIX files")
def test_patterns_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    """Where it cannot be told what to keep out, nothing is taken in."""
    fill(tmp_path, "a.txt")
    (tmp_path / NAME).write_bytes("草稿".encode("gbk"))
    with pytest.raises(IngestError, match="UTF-8"):
        found(tmp_path)
    (tmp_path / NAME).unlink()
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(IngestError, match="no regular file"):
        found(tmp_path)


def test_a_newly_ignored_file_is_removed_with_the_reason(tmp_path: Path, embedder: Embedder) -> None:
    """What is ignored from now on leaves the knowledge base, what is gone is told apart, and all comes back."""
    root = tmp_path / "docs"
    fill(root, "a.txt", "drafts/deep/b.txt", "gone.txt")

    def sync(store: Store) -> Report:
        return synchronise(Settings(store.home), [root], store=store, embedder=embedder)

    with Store(tmp_path / "home") as store:
        sync(store)
        (root / NAME).write_text("drafts\n")
        (root / "gone.txt").unlink()
        assert [(v.file, v.state, v.reason) for v in sync(store).verdicts] == [
            ("a.txt", "unchanged", ""),
            ("drafts/deep/b.txt", "removed", "ignored by .footnoteignore"),
            ("gone.txt", "removed", "no longer in its folder"),
        ]
        assert [document.name for document in store.documents()] == ["a.txt"]
        (root / NAME).unlink()
        assert [v.state for v in sync(store).verdicts] == ["unchanged", "indexed"]


def test_ten_thousand_files_are_matched_in_a_moment(tmp_path: Path) -> None:
    """The rules cost a large folder little."""
    for n in range(100):
        (tmp_path / f"folder {n}").mkdir()
        for m in range(100):
            (tmp_path / f"folder {n}" / f"{m}.txt").touch()
        (tmp_path / f"folder {n}" / NAME).write_text("7*.txt\n")
    (tmp_path / NAME).write_text("\n".join(f"*.{n}" for n in range(20)))
    started = time.process_time()
    assert len(found(tmp_path)) == 8900
    seconds = time.process_time() - started
    print(f"10,000 files, 101 files of patterns: {seconds:.2f} s")
    assert seconds < 3
