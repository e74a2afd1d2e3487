"""A BERT forward pass without padding, in bfloat16: the tokens of many texts in one matrix, each core its own batch.

sentence-transformers pads the texts of a batch to one length and shares each small matrix product out over all cores,
which then wait for one another. Here nothing is padded, weights are laid out once for oneDNN, and the cores never meet.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np

_TOKENS_PER_BATCH = 1024  # the activations of a layer stay in a core's own cache
_ARCHITECTURES = ("BertModel", "XLMRobertaModel")


@dataclass(frozen=True, slots=True)
class _Layer:
    """Weights of one layer in bfloat16; matrices as oneDNN wants them, query, key and value as one."""

    qkv: Any
    qkv_bias: Any
    attended: Any
    attended_bias: Any
    attended_norm: tuple[Any, Any]
    up: Any
    up_bias: Any
    down: Any
    down_bias: Any
    down_norm: tuple[Any, Any]


class PackedBert:
    """The mean-pooled unit vectors of a BERT encoder, computed in bfloat16 on the processor."""

    def __init__(self, model: Any) -> None:
        import torch

        config, embeddings = model.config, model.embeddings
        self._heads = config.num_attention_heads
        self._eps = config.layer_norm_eps
        self._words = embeddings.word_embeddings.weight
        types = embeddings.token_type_embeddings.weight[0].float()
        first = config.pad_token_id + 1 if type(model).__name__ == "XLMRobertaModel" else 0
        self._positions = (embeddings.position_embeddings.weight[first:].float() + types).bfloat16()
        self._norm = _norm(embeddings.LayerNorm)
        with torch.inference_mode():
            self._layers = [_pack(layer, self._heads) for layer in model.encoder.layer]
        self._workers = _single_threaded(min(torch.get_num_threads(), real_cores()))

    def embed(self, token_ids: Sequence[Sequence[int]]) -> np.ndarray:
        """Unit vectors of tokenised texts, none of them empty: float32 of shape (len(token_ids), hidden size)."""
        vectors = np.zeros((len(token_ids), self._words.shape[1]), np.float32)
        batches = list(batches_of([len(ids) for ids in token_ids], _TOKENS_PER_BATCH))
        forwarded = self._workers.map(lambda rows: self._forward([token_ids[row] for row in rows]), batches)
        for rows, embedded in zip(batches, forwarded, strict=True):
            vectors[rows] = embedded
        return vectors

    def _forward(self, batch: Sequence[Sequence[int]]) -> np.ndarray:
        import torch
        from torch.nn import functional

        lengths = [len(ids) for ids in batch]
        with torch.inference_mode():
            words = self._words[torch.tensor([i for ids in batch for i in ids])]
            x = words + torch.cat([self._positions[:length] for length in lengths])
            x = functional.layer_norm(x, x.shape[1:], *self._norm, self._eps)
            for layer in self._layers:
                x = self._through(layer, x, lengths)
            means = torch.stack([part.mean(dim=0) for part in x.float().split(lengths)])
            unit: np.ndarray = functional.normalize(means, dim=1).numpy()
        return unit

    def _through(self, layer: _Layer, x: Any, lengths: Sequence[int]) -> Any:
        import torch
        from torch.nn.functional import layer_norm

        linear = torch.ops.mkldnn._linear_pointwise
        qkv = linear(x, layer.qkv, layer.qkv_bias, "none", [], "")
        attended = torch.cat([self._attend(part) for part in qkv.split(lengths)])
        x = linear.binary(attended, x, layer.attended, layer.attended_bias, "add")
        x = layer_norm(x, x.shape[1:], *layer.attended_norm, self._eps)
        y = linear(x, layer.up, layer.up_bias, "gelu", [], "none")
        y = linear.binary(y, x, layer.down, layer.down_bias, "add")
        return layer_norm(y, y.shape[1:], *layer.down_norm, self._eps)

    def _attend(self, qkv: Any) -> Any:
        """Attention within one text; the scale is in the weights already. (At these lengths SDPA takes twice as long.)"""
        import torch

        query, key, value = qkv.view(len(qkv), 3, self._heads, -1).permute(1, 2, 0, 3).contiguous()
        weights = torch.bmm(query, key.transpose(1, 2)).softmax(-1)
        return torch.bmm(weights, value).transpose(0, 1).reshape(len(qkv), -1)


def fits(model: Any) -> bool:
    """Whether a transformer is one that PackedBert computes, on a processor that multiplies in bfloat16."""
    import torch

    config = model.config
    return (
        type(model).__name__ in _ARCHITECTURES
        and model.device.type == "cpu"
        and model.dtype == torch.bfloat16
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and config.hidden_act == "gelu"
        and getattr(config, "position_embedding_type", "absolute") == "absolute"
        and not getattr(config, "is_decoder", False)
    )


def real_cores() -> int:
    """Cores that this process may use: its affinity without hyper-threads, and not more than its cgroup's share."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    allowed = os.sched_getaffinity(0)
    cores = len({_core(cpu) for cpu in allowed})
    quota, _, period = _read(Path("/sys/fs/cgroup/cpu.max")).partition(" ")
    if quota.isdigit() and period.isdigit():
        cores = min(cores, -(-int(quota) // int(period)))
    return max(1, cores)


def batches_of(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Row numbers in batches of up to ``most`` tokens, longest texts first, so that the last batches are even."""
    batches: list[list[int]] = []
    room = 0
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if not batches or lengths[row] > room:
            batches.append([])
            room = most
        batches[-1].append(row)
        room -= lengths[row]
    return batches


def _core(cpu: int) -> tuple[str, str]:
    topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
    return _read(topology / "physical_package_id"), _read(topology / "core_id") or str(cpu)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _single_threaded(count: int) -> ThreadPoolExecutor:
    """Threads each of which computes alone; how many the rest of the program computes with stays as it was."""
    import torch

    before = torch.get_num_threads()
    started = Barrier(count + 1)

    def start() -> None:
        torch.set_num_threads(1)
        started.wait()

    workers = ThreadPoolExecutor(count, "embedding", initializer=start)
    for _ in range(count):
        workers.submit(lambda: None)
    started.wait()
    torch.set_num_threads(before)  # it was changed for this thread's libraries, too
    return workers


def _pack(layer: Any, heads: int) -> _Layer:
    import torch

    attention, own = layer.attention, layer.attention.self
    scale = (own.query.weight.shape[0] // heads) ** -0.5
    qkv = torch.cat([own.query.weight.float() * scale, own.key.weight.float(), own.value.weight.float()])
    bias = torch.cat([own.query.bias.float() * scale, own.key.bias.float(), own.value.bias.float()])
    return _Layer(
        _reorder(qkv.bfloat16()), bias.bfloat16(),
        _reorder(attention.output.dense.weight), attention.output.dense.bias, _norm(attention.output.LayerNorm),
        _reorder(layer.intermediate.dense.weight), layer.intermediate.dense.bias,
        _reorder(layer.output.dense.weight), layer.output.dense.bias, _norm(layer.output.LayerNorm),
    )  # fmt: skip


def _reorder(weight: Any) -> Any:
    import torch

    return torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), _TOKENS_PER_BATCH)


def _norm(module: Any) -> tuple[Any, Any]:
    return module.weight, module.bias
