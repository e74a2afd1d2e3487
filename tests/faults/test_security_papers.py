"""SECURITY.md and docs/reliability.md say what is so: each test that they name is there, and the versions are as high."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from rag.database import SQLITE_VERSION

ROOT = Path(__file__).resolve().parents[2]
PAPERS = ("SECURITY.md", "SECURITY.zh-CN.md", "docs/reliability.md", "docs/reliability.zh-CN.md")
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
# The least versions without a known way in, and what each of them mended.
FLOORS = {
    "sentence-transformers": ("6.0.0", "trust_remote_code was ignored for local folders (#3801)"),
    "transformers": ("5.3.0", "CVE-2026-4372"),
    "torch": ("2.10.0", "CVE-2025-32434, CVE-2026-24747"),
    "pypdf": ("7.1.0", "CVE-2026-24688, -27628, -40260, -59935 to -59938: loops and memory"),
    "streamlit": ("1.54.0", "CVE-2026-33682"),
    "langchain-core": ("1.2.5", "CVE-2025-68664, CVE-2025-65106"),
    "langchain-text-splitters": ("1.0.0", "GHSA-m42m-m8cr-8m58: XXE"),
    "Jinja2": ("3.1.6", "CVE-2025-27516"),
    "cryptography": ("44.0.1", "CVE-2024-12797"),
    "Authlib": ("1.6.5", "CVE-2025-61920"),
}


def required(name: str) -> dict[str, Requirement]:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    found = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return {requirement.name: requirement for requirement in found}


@pytest.mark.parametrize("paper", PAPERS)
def test_each_named_test_is_there(paper: str) -> None:
    """A row that names a test names one that exists."""
    named = NAMED.findall((ROOT / paper).read_text(encoding="utf-8"))
    assert len(named) >= 15
    for path, test in named:
        assert (ROOT / path).exists(), path
        assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{test}"


@pytest.mark.parametrize(("one", "other"), [PAPERS[:2], PAPERS[2:]])
def test_both_languages_name_the_same(one: str, other: str) -> None:
    """The two languages of a paper have the same rows."""
    texts = [(ROOT / paper).read_text(encoding="utf-8") for paper in (one, other)]
    assert NAMED.findall(texts[0]) == NAMED.findall(texts[1])
    assert texts[0].count("\n|") == texts[1].count("\n|")


@pytest.mark.parametrize("name", FLOORS)
def test_no_version_below_its_floor(name: str) -> None:
    """What is required, and what is installed here, has the known ways in closed."""
    (pin,) = required("requirements.txt")[name].specifier
    floor, why = FLOORS[name]
    assert pin.operator == "==" and Version(pin.version) >= Version(floor), why
    assert Version(version(name)) >= Version(floor), why


def test_every_version_is_exact() -> None:
    """No requirement lets a version in that nobody has tried."""
    for file in ("requirements.txt", "requirements-ocr.txt", "requirements-dev.txt"):
        for requirement in required(file).values():
            assert [s.operator for s in requirement.specifier] == ["=="], str(requirement)


def test_the_database_is_a_sound_one() -> None:
    """Where the wheel is, SQLite is one without the known faults of the write-ahead log and of FTS5."""
    try:
        version("pysqlite3")
    except ModuleNotFoundError:
        pytest.skip("pysqlite3 has wheels for Linux on x86-64")
    assert tuple(map(int, SQLITE_VERSION.split("."))) >= (3, 53, 2)
