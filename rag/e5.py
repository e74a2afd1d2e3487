"""The built-in embedder's packed 4-bit file → a sentence-transformers folder, checked against its own engine's vectors.

The format is little-endian: magic ``E5S1``, a header, the unigram tokenizer, a normalisation map, then named tensors
that are float32 or blocks of 32 4-bit values with a float16 scale: value = (nibble - 8) * scale, low nibbles first.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import struct
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import ModelError

REFERENCE_TEXTS = (
    "passage: 每位员工每年享有十五天带薪年假，未休完的年假可以顺延到次年三月底。",
    "passage: The warranty covers parts and labour for 24 months from the date of delivery.",
    "query: How many days of paid leave does an employee get, 年假有几天?",
)
_REFERENCE = Path(__file__).parent / "builtin" / "e5_reference.npy"  # made by the archive's own engine
_BLOCK = 32
_LAYER = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight", "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight", "emb.ln.b": "embeddings.LayerNorm.bias",
}  # fmt: skip


class _Reader:
    """Reads packed little-endian values one after another."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def array(self, kind: str, count: int) -> np.ndarray:
        values = np.frombuffer(self.data, kind, count, self.at)
        self.at += values.nbytes
        return values


def unpack(packed: Path, folder: Path) -> str:
    """Write a sentence-transformers folder from the packed file and check it; returns the weights' SHA-256."""
    with packed.open("rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data:
        config, vocabulary, tensors = _read(_Reader(data))
        _write_weights(tensors, config, folder)
        del tensors  # views of the file; it cannot be closed under them
    _write_config(config, folder)
    _write_tokenizer(vocabulary, folder)
    check(folder)
    with (folder / "model.safetensors").open("rb") as weights:
        return hashlib.file_digest(weights, "sha256").hexdigest()


def check(folder: Path) -> None:
    """Raise ModelError where the folder's vectors of three texts are not those of the archive's own engine."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    vectors = model.encode(list(REFERENCE_TEXTS), normalize_embeddings=True, show_progress_bar=False)
    cosines = (vectors * np.load(_REFERENCE)).sum(axis=1)
    if not cosines.min() > 0.999:
        raise ModelError(f"The unpacked embedder is wrong: cosines to its reference vectors are {cosines.round(4)}.")


def _read(reader: _Reader) -> tuple[dict[str, Any], list[tuple[str, float]], dict[str, np.ndarray]]:
    magic, _version = reader.take("4sI")
    if magic != b"E5S1":
        raise ModelError(f"The packed embedder begins with {magic!r}, not with E5S1.")
    names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size",
             "max_position_embeddings", "type_vocab_size")  # fmt: skip
    config: dict[str, Any] = dict(zip(names, reader.take("7i"), strict=True))
    config["layer_norm_eps"], _block = reader.take("fi")
    vocabulary = _read_vocabulary(reader)
    _count, size = reader.take("iI")
    reader.at += size  # the normalisation map; NFKC stands in for it
    return config, vocabulary, {name: tensor for name, tensor in _read_tensors(reader)}


def _read_vocabulary(reader: _Reader) -> list[tuple[str, float]]:
    count, _bos, _eos, _pad, _unk = reader.take("5i")
    (length,) = reader.take("Q")
    offsets = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    blob = reader.data[reader.at : reader.at + length]
    reader.at += length
    return [(blob[offsets[i] : offsets[i + 1]].decode(), float(scores[i])) for i in range(count)]


def _read_tensors(reader: _Reader) -> list[tuple[str, np.ndarray]]:
    found = []
    (count,) = reader.take("i")
    for _ in range(count):
        (length,) = reader.take("H")
        name = reader.take(f"{length}s")[0].decode()
        kind, elements, offset, _size = reader.take("BIQQ")
        found.append((name, _tensor(reader.data, kind, elements, offset)))
    return found


def _tensor(data: mmap.mmap, kind: int, elements: int, offset: int) -> np.ndarray:
    if kind == 0:
        return np.frombuffer(data, "<f4", elements, offset).copy()
    blocks = np.frombuffer(data, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]), elements // _BLOCK, offset)
    nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32)
    return ((nibbles - 8) * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def _write_weights(tensors: dict[str, np.ndarray], config: dict[str, Any], folder: Path) -> None:
    from safetensors.numpy import save_file

    hidden, inner = config["hidden_size"], config["intermediate_size"]
    shapes = {"fi": (inner, hidden), "fo": (hidden, inner)}
    state = {}
    for name, tensor in tensors.items():
        if name in _EMBEDDINGS:
            state[_EMBEDDINGS[name]] = tensor.reshape(-1, hidden) if ".ln" not in name else tensor
            continue
        layer, part, kind = name.split(".")
        shape = (-1,) if kind == "b" or part.endswith("ln") else shapes.get(part, (hidden, hidden))
        target = f"encoder.layer.{layer[1:]}.{_LAYER[part]}.{'weight' if kind == 'w' else 'bias'}"
        state[target] = np.ascontiguousarray(tensor.reshape(shape))
    # BertModel has a pooler that mean pooling never uses; without its weights every load would warn.
    state["pooler.dense.weight"] = np.zeros((hidden, hidden), np.float32)
    state["pooler.dense.bias"] = np.zeros(hidden, np.float32)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def _write_config(config: dict[str, Any], folder: Path) -> None:
    bert = {"architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu", "pad_token_id": 1,
            "torch_dtype": "float32", **config}  # fmt: skip
    pooling = {"word_embedding_dimension": config["hidden_size"], "pooling_mode_mean_tokens": True}
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    (folder / "1_Pooling").mkdir()
    (folder / "2_Normalize").mkdir()
    _write_json(folder / "config.json", bert)
    _write_json(folder / "modules.json", modules)
    _write_json(folder / "1_Pooling" / "config.json", pooling)
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": 512, "do_lower_case": False})


def _write_tokenizer(vocabulary: list[tuple[str, float]], folder: Path) -> None:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Replace(Regex(r"[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\p{Cc}&&[^\t\n\r]]"), ""),
        normalizers.NFKC(),
        normalizers.Replace(Regex(r"\s+"), " "),
        normalizers.Strip(),
    ])  # fmt: skip
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 512,
            "clean_up_tokenization_spaces": False,
            **special,
        },
    )


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")
