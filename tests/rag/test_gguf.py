"""Which engine runs a GGUF is read off its header, and a file that is none is said to be none."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.gguf import read_header
from rag.llm import choose
from rag.settings import LLMSettings

Q4_K, Q5_K, F32 = 12, 13, 0


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf(
    path: Path, architecture: str, *types: int, tokenizer: str = "gpt2", tensors: tuple[str, ...] = ("a", "b", "c")
) -> Path:
    """A GGUF that is all header."""
    entries = [
        text("general.architecture") + struct.pack("<I", 8) + text(architecture),
        text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + text("一") + text("two"),
        text("tokenizer.ggml.scores") + struct.pack("<IIQ", 9, 6, 2) + struct.pack("<ff", 1, 2),
        text("general.file_type") + struct.pack("<II", 4, 15),
        text("tokenizer.ggml.model") + struct.pack("<I", 8) + text(tokenizer),
    ]
    parts = [text(name) + struct.pack("<IQQIQ", 2, 3, 4, kind, 0) for name, kind in zip(tensors, types, strict=False)]
    path.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, len(parts), len(entries)) + b"".join([*entries, *parts]))
    return path


def engine(path: Path, wanted: str = "auto") -> tuple[str, str]:
    chosen = choose(LLMSettings(model=str(path), engine=wanted))
    return chosen.engine, chosen.why


def test_a_header_tells_what_it_holds(tmp_path: Path) -> None:
    """Architecture, tokeniser and storage types, whatever lies between them."""
    header = read_header(gguf(tmp_path / "m.gguf", "qwen2", Q4_K, F32))
    assert (header.architecture, header.tokenizer) == ("qwen2", "gpt2")
    assert header.types == {"Q4_K", "F32"} and header.tensors == {"a", "b"}


@pytest.mark.skipif(importlib.util.find_spec("openvino_genai") is None, reason="OpenVINO has no wheel here")
def test_openvino_runs_what_it_can_read(tmp_path: Path) -> None:
    """Without a setting the faster engine runs a model that it knows; every other one goes to llama.cpp, with the reason."""
    assert engine(gguf(tmp_path / "m.gguf", "qwen2", Q4_K, F32)) == ("openvino", "")
    assert engine(gguf(tmp_path / "m.gguf", "gemma3", Q4_K)) == (
        "llama.cpp",
        "OpenVINO cannot read the architecture gemma3",
    )
    assert engine(gguf(tmp_path / "m.gguf", "qwen3", Q5_K))[1] == "OpenVINO cannot read weights of type 13"
    assert engine(gguf(tmp_path / "m.gguf", "llama", F32, tokenizer="llama"))[0] == "llama.cpp"
    assert engine(gguf(tmp_path / "m.gguf", "llama", F32, tensors=("rope_freqs.weight",)))[0] == "llama.cpp"


def test_without_openvino_llama_cpp_runs_it_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is not there is a reason that is told, not a silent fallback; asked for by name it is an error."""
    monkeypatch.setattr("rag.llm_openvino.find_spec", lambda name: None)
    path = gguf(tmp_path / "m.gguf", "qwen2", Q4_K)
    chosen = choose(LLMSettings(model=str(path)))
    assert chosen.shown == "llama.cpp, because openvino-genai is not installed"
    with pytest.raises(ModelError, match="openvino-genai is not installed"):
        engine(path, "openvino")


def test_a_setting_chooses_the_engine(tmp_path: Path) -> None:
    """llm.engine decides, and is refused where the engine cannot run such a model."""
    path = gguf(tmp_path / "m.gguf", "qwen2", Q4_K)
    assert engine(path, "llama.cpp") == ("llama.cpp", "")
    assert engine(path, "transformers") == ("transformers", "")
    assert engine(tmp_path) == ("transformers", "")
    assert choose(LLMSettings(model="Qwen/Qwen3-0.6B")).engine == "transformers"
    for wanted in ("openvino", "llama.cpp"):
        with pytest.raises(ModelError, match=r"llm\.engine"):
            engine(tmp_path, wanted)


def test_an_engine_and_an_address_contradict_each_other() -> None:
    """Neither is silently left out."""
    with pytest.raises(ModelError, match=r"llm\.base_url"):
        choose(LLMSettings(model="m", base_url="http://localhost/v1", engine="openvino"))


@pytest.mark.parametrize("content", [b"", b"GGUF", b"PK\x03\x04" + b"\0" * 40, struct.pack("<4sIQQ", b"GGUF", 3, 1, 1)])
def test_what_is_no_gguf_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    """An empty, cut or other file names itself and the setting."""
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"llm\.model"):
        read_header(path)


def test_a_header_cut_anywhere_is_one_sentence(tmp_path: Path) -> None:
    """However much of the header is missing, it is an error that is told."""
    path = gguf(tmp_path / "m.gguf", "qwen2", Q4_K)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        try:
            read_header(path)
        except ModelError:
            continue
        assert length >= len(whole) - 8, "only the last offset is not read"
