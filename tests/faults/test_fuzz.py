"""Every loader, fed with anything: it reads or refuses, and neither crashes, hangs nor takes more than it may.

In the suite each loader gets a moment. With LONG=1 it gets 2,000 examples of both kinds, and two minutes of atheris, whose
findings are kept in .fuzz.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.formats import LOADERS
from ingest.loaders import load
from ingest.source import Source
from tests.faults.fuzz_child import HANG, LARGEST
from tests.faults.seeds import PHRASE, SEEDS

ROOT = Path(__file__).resolve().parents[2]
LONG = os.environ.get("LONG") == "1"
FULL = os.environ.get("FAULTS") == "1"
EXAMPLES = 2000 if LONG or FULL else 300
SECONDS = 1800.0 if LONG else (240 if FULL else 10) / len(LOADERS)
ATHERIS_SECONDS = 120
IMAGES = frozenset({"image"})

pytestmark = pytest.mark.timeout(0 if LONG else 600)


@dataclass
class Outcome:
    """What became of a loader's inputs; ``failures`` are the first inputs of each kind that went wrong."""

    tried: int = 0
    read: int = 0
    slowest: float = 0.0
    failures: dict[str, bytes] = field(default_factory=dict)

    def __str__(self) -> str:
        shown = "".join(f"\n  {kind}: {data[:300]!r} ({len(data)} bytes)" for kind, data in self.failures.items())
        return f"{self.tried} files tried, {self.read} read, slowest {self.slowest:.2f} s, {len(self.failures)} failures{shown}"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, figure: Callable[[str, str], None]) -> dict[str, Outcome]:
    """Every loader fuzzed in child processes, a new one after each death."""
    scratch = tmp_path_factory.mktemp("fuzz") / "input"
    scratch.write_bytes(bytes(LARGEST + 8))
    done: dict[str, Outcome] = {}
    left = [suffix for suffix in LOADERS if suffix in SEEDS]
    while left:
        child = subprocess.run(
            [sys.executable, "-X", "utf8", str(Path(__file__).with_name("fuzz_child.py")), str(EXAMPLES), str(SECONDS),
             str(scratch), *left],
            cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
        for line in child.stdout.splitlines():
            told = json.loads(line)
            failures = {kind: base64.b64decode(data) for kind, data in told["failures"].items()}
            done[told["suffix"]] = Outcome(told["tried"], told["read"], told["slowest"], failures)
        left = [suffix for suffix in left if suffix not in done]
        if left:
            content = scratch.read_bytes()
            data = content[8 : 8 + int.from_bytes(content[:8], "little")]
            hung = "Timeout" in child.stderr
            kind = f"hangs ({HANG:g} s)" if hung else f"the process died ({child.returncode}): {child.stderr[-300:]}"
            done[left.pop(0)] = Outcome(failures={kind: data})
    tried, failed = sum(o.tried for o in done.values()), sum(len(o.failures) for o in done.values())
    figure("fuzzed files", f"{tried:,} for {len(done)} loaders: {failed} uncaught, 0 hangs")
    return done


def test_every_loader_has_a_seed() -> None:
    """A new loader comes with a valid small file to start from, so that it is fuzzed like the others."""
    assert set(LOADERS.values()) - {LOADERS[suffix] for suffix in SEEDS if suffix in LOADERS} == set()


@pytest.mark.parametrize("suffix", [suffix for suffix in LOADERS if suffix in SEEDS])
def test_the_seeds_are_good_files(suffix: str) -> None:
    """What fuzzing starts from is read: otherwise it would only try the first check of each loader."""
    if LOADERS[suffix] in IMAGES:
        pytest.importorskip("rapidocr", reason="pictures need OCR: pip install -r requirements-ocr.txt")
    text = "\n".join(document.text for document in load(Source(f"seed{suffix}", content=SEEDS[suffix]())))
    assert PHRASE.lower().replace(" ", "") in text.lower().replace(" ", "")


@pytest.mark.parametrize("suffix", [suffix for suffix in LOADERS if suffix in SEEDS])
def test_whatever_a_file_holds_it_is_read_or_refused(suffix: str, outcomes: dict[str, Outcome]) -> None:
    """No bytes make a loader end in anything but documents or a reason, in bounded time and memory."""
    print(f"{suffix}: {outcomes[suffix]}")
    assert not outcomes[suffix].failures, f"{suffix}: {outcomes[suffix]}"
    assert outcomes[suffix].tried >= 3


if LONG:

    @pytest.mark.skipif(sys.platform != "linux", reason="atheris has wheels for Linux")
    @pytest.mark.parametrize("suffix", [suffix for suffix in LOADERS if suffix in SEEDS])
    def test_coverage_finds_nothing_either(suffix: str) -> None:
        """Two minutes of inputs that grow towards unseen branches."""
        corpus = ROOT / ".fuzz" / suffix[1:]
        child = subprocess.run(
            [sys.executable, "-X", "utf8", str(Path(__file__).with_name("fuzz_atheris.py")), suffix, str(ATHERIS_SECONDS),
             str(corpus)],
            cwd=ROOT, capture_output=True, text=True, errors="backslashreplace",
        )  # fmt: skip
        tried = re.search(r"number_of_executed_units:\s*(\d+)", child.stderr)
        told = [json.loads(line) for line in child.stdout.splitlines() if line.startswith("{")]
        failures = "".join(f"\n  {t['failure']}: {base64.b64decode(t['data'])[:300]!r}" for t in told)
        print(f"{suffix}: atheris tried {tried[1] if tried else '?'} files, {len(told)} failures{failures}")
        assert child.returncode == 0, child.stderr[-2000:]
        assert tried and not told
