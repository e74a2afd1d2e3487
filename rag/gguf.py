"""What a GGUF file says about itself: its architecture, its tokeniser and how its weights are stored."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rag.errors import ModelError

_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
# Only the types that are asked for by name; the numbers are those of ggml's enum ggml_type.
_TYPES = {0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 8: "Q8_0", 12: "Q4_K", 14: "Q6_K"}
_MOST = 1 << 20  # entries of a header; a damaged file may claim any number


@dataclass(frozen=True, slots=True)
class Header:
    """A GGUF's header; ``types`` are the names of its tensors' storage types, ``type N`` where only a number is known."""

    architecture: str
    tokenizer: str
    types: frozenset[str]
    tensors: frozenset[str]


def read_header(path: Path) -> Header:
    """The header of a GGUF file, versions 2 and 3; raises ModelError where it is none.

    The layout is that of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
    """
    try:
        with path.open("rb") as file:
            return _header(file)
    except (OSError, struct.error, ValueError, MemoryError) as error:
        raise ModelError(
            f"{path} could not be read as a GGUF model ({error}). Set llm.model to another file."
        ) from None


def _header(file: BinaryIO) -> Header:
    magic, version, tensors, entries = struct.unpack("<4sIQQ", file.read(24))
    if magic != b"GGUF" or version not in (2, 3) or max(tensors, entries) > _MOST:
        raise ValueError("it does not begin as one")
    said = {}
    for _ in range(entries):
        name = _string(file)
        said[name] = _value(file, _number(file, "<I"))
    names, types = set(), set()
    for _ in range(tensors):
        names.add(_string(file))
        file.seek(8 * _number(file, "<I"), 1)
        kind = _number(file, "<I")
        types.add(_TYPES.get(kind, f"type {kind}"))
        file.seek(8, 1)
    text = {key: str(said.get(key, "")) for key in ("general.architecture", "tokenizer.ggml.model")}
    return Header(text["general.architecture"], text["tokenizer.ggml.model"], frozenset(types), frozenset(names))


def _value(file: BinaryIO, kind: int) -> Any:
    """A value; of an array nothing is kept."""
    if kind == _STRING:
        return _string(file)
    if kind != _ARRAY:
        return _number(file, _format(kind))
    inner, length = _number(file, "<I"), _number(file, "<Q")
    if inner == _STRING:
        for _ in range(length):
            file.seek(_number(file, "<Q"), 1)
    elif inner == _ARRAY:
        raise ValueError("an array of arrays")
    else:
        file.seek(length * struct.calcsize(_format(inner)), 1)
    return None


def _format(kind: int) -> str:
    if kind not in _NUMBERS:
        raise ValueError(f"value type {kind} is unknown")
    return _NUMBERS[kind]


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _string(file: BinaryIO) -> str:
    length = _number(file, "<Q")
    if length > _MOST << 4:
        raise ValueError(f"a text of {length} bytes")
    return file.read(length).decode("utf-8", "replace")
