"""Throws generated files at loaders, in this process, which has limits and may die: run by `test_fuzz.py`.

``python fuzz_child.py EXAMPLES SECONDS SCRATCH SUFFIX…`` writes a JSON line a suffix. SCRATCH is a file into which each
input goes before it is tried, so that one that kills the process is known.
"""

from __future__ import annotations

import base64
import faulthandler
import io
import json
import mmap
import sys
import time
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ingest.loaders import load  # noqa: E402
from ingest.source import Source  # noqa: E402
from rag.errors import IngestError  # noqa: E402
from tests.faults.seeds import SEEDS, zipped  # noqa: E402

MEMORY = 1536 << 20
HANG = 30.0  # seconds after which an input counts as one that never ends
LARGEST = 1 << 20
TOKENS = [b"\0", b"\xff\xff\xff\xff", b"-1", b"9" * 20, b"<", b">", b"&#0;", b"&a;", b'"', b"'", b"{" * 50, b"[" * 50,
          b"<div>" * 50, b"(" * 50, b"/", b"%", b"\r\n", b"\t", "脚注".encode(), "脚注".encode("gbk"), b"\xef\xbb\xbf",
          b"\xed\xa0\x80", b"NaN", b"null", b"1e999", b"endobj", b"stream", b"obj", b"<!DOCTYPE x>"]  # fmt: skip


class Observer:
    """Tries inputs on a loader and keeps the first of each kind that it does not take as it should."""

    def __init__(self, suffix: str, scratch: mmap.mmap | None = None) -> None:
        self.suffix = suffix
        self.tried = self.read = 0
        self.slowest = 0.0
        self.failures: dict[str, bytes] = {}
        self._scratch = scratch

    def try_on(self, data: bytes) -> str | None:
        """Have a file of these bytes read; what kind of failure it was, if one."""
        if self._scratch is not None:
            self._scratch[:8] = min(len(data), LARGEST).to_bytes(8, "little")
            self._scratch[8 : 8 + min(len(data), LARGEST)] = data[:LARGEST]
        self.tried += 1
        started = time.monotonic()
        failure = self._failure(data)
        self.slowest = max(self.slowest, time.monotonic() - started)
        if failure and failure not in self.failures:
            self.failures[failure] = data
            return failure
        return None

    def _failure(self, data: bytes) -> str | None:
        try:
            for document in load(Source(f"fuzz{self.suffix}", content=data)):
                f"{document.title}\0{document.text}\0{document.key}\0{document.warnings}".encode()
            self.read += 1
        except (IngestError, MemoryError, RecursionError):
            return None
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            ours = [f for f in traceback.extract_tb(error.__traceback__) if "/ingest/loaders/" in f.filename]
            place = f" from {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
            return f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}{place}"
        return None

    def outcome(self) -> dict[str, Any]:
        """What is told to the parent."""
        failures = {kind: base64.b64encode(data).decode() for kind, data in self.failures.items()}
        return {"suffix": self.suffix, "tried": self.tried, "read": self.read, "slowest": round(self.slowest, 2),
                "failures": failures}  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, seed: bytes) -> bytes:
    """A seed with some of its bytes changed, moved, doubled or lost; of an archive also those inside a member."""
    if seed[:2] == b"PK" and draw(st.booleans()):
        with zipfile.ZipFile(io.BytesIO(seed)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        name = draw(st.sampled_from(sorted(members)))
        return zipped(members | {name: draw(_edited(members[name]))})
    return draw(_edited(seed))


@st.composite
def _edited(draw: st.DrawFn, seed: bytes) -> bytes:
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(data))), draw(st.integers(1, 40))
        edit = draw(st.sampled_from(["flip", "insert", "token", "cut", "double", "end"]))
        if edit == "flip" and at < len(data):
            data[at] ^= draw(st.integers(1, 255))
        elif edit == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=20))
        elif edit == "token":
            data[at : at + draw(st.integers(0, 8))] = draw(st.sampled_from(TOKENS))
        elif edit == "cut":
            del data[at : at + length]
        elif edit == "double":
            data[at:at] = data[at : at + length] * draw(st.integers(1, 30))
        elif edit == "end":
            del data[at:]
    return bytes(data)


def fuzz(suffix: str, examples: int, seconds: float, scratch: mmap.mmap) -> Observer:
    """Both kinds of input on one loader, so many of each or for so long."""
    observer = Observer(suffix, scratch)
    observer.try_on(SEEDS[suffix]())  # what a loader imports does not count
    for strategy in (mutated(SEEDS[suffix]()), st.binary(max_size=3000)):
        _search(strategy, observer.try_on, examples, time.monotonic() + seconds / 2)
    return observer


def _search(
    strategy: st.SearchStrategy[bytes], attempt: Callable[[bytes], object], examples: int, deadline: float
) -> None:
    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(strategy)
    def search(data: bytes) -> None:
        if time.monotonic() < deadline:
            faulthandler.dump_traceback_later(HANG, exit=True)
            attempt(data)
            faulthandler.cancel_dump_traceback_later()

    search()


def limit() -> None:
    """The limits of the sandbox's child."""
    try:
        import resource
    except ImportError:
        return
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main(examples: int, seconds: float, scratch: Path, suffixes: list[str]) -> None:
    """A line a suffix, flushed: a death tells by the one that is missing."""
    with scratch.open("r+b") as file, mmap.mmap(file.fileno(), LARGEST + 8) as shared:
        if sys.platform == "linux":
            limit()
        for suffix in suffixes:
            print(json.dumps(fuzz(suffix, examples, seconds, shared).outcome()), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
