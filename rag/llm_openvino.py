"""A GGUF by OpenVINO in this process: it uses what a current processor has for matrices, and so reads prompts fast."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from rag.errors import ModelError
from rag.gguf import read_header
from rag.local_chat import Emit, LocalChat
from rag.settings import LLMSettings

# What OpenVINO GenAI 2026.4 reads; https://openvinotoolkit.github.io/openvino.genai/docs/guides/gguf.
_ARCHITECTURES = {"llama", "qwen2", "qwen3"}
_TYPES = {"F32", "F16", "Q4_0", "Q4_1", "Q8_0", "Q4_K", "Q6_K"}
_TOKENS_PER_GB = 8192  # that a cache holds for a model of 8 B parameters; smaller ones take less for each


def hindrance(path: Path) -> str:
    """Why OpenVINO cannot run a GGUF, or nothing where it can; raises ModelError where the file is no GGUF."""
    if find_spec("openvino_genai") is None:
        return "openvino-genai is not installed"
    header = read_header(path)
    if header.architecture not in _ARCHITECTURES:
        return f"OpenVINO cannot read the architecture {header.architecture or 'without a name'}"
    if unread := header.types - _TYPES:
        return f"OpenVINO cannot read weights of {', '.join(sorted(unread))}"
    if header.tokenizer != "gpt2":
        return f"OpenVINO cannot read the tokeniser {header.tokenizer or 'without a name'}"
    # It would leave out these factors, without which long prompts are misread.
    return "OpenVINO cannot read its rope factors" if "rope_freqs.weight" in header.tensors else ""


def _library() -> Any:
    """OpenVINO GenAI, imported without its telemetry, which would tell a server of every import.

    Without the package openvino_telemetry OpenVINO takes a stub of its own; None here says that there is none.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino_genai

    return openvino_genai


class OpenVINOChat(LocalChat):
    """A GGUF file as a LangChain chat model; a prompt that begins as the one before it is read from there on."""

    _pipeline: Any = PrivateAttr()
    _tokenizer: Any = PrivateAttr()

    def __init__(self, path: Path, settings: LLMSettings) -> None:
        super().__init__(settings=settings)
        openvino_genai = _library()
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.enable_prefix_caching = True
        scheduler.cache_size = -(-settings.context // _TOKENS_PER_GB)
        # One step for the whole prompt.
        scheduler.max_num_batched_tokens = settings.context
        try:
            self._pipeline = openvino_genai.LLMPipeline(str(path), "CPU", scheduler_config=scheduler)
        except (RuntimeError, ValueError, MemoryError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
            raise ModelError(
                f"{path} could not be loaded by OpenVINO ({reason}). Set llm.engine to llama.cpp or llm.model to "
                "another file."
            ) from None
        self._tokenizer = self._pipeline.get_tokenizer()
        # The first run lays the weights out for the processor; better while loading than before the first answer.
        self._pipeline.generate(self._tokenizer.encode("a"), openvino_genai.GenerationConfig(max_new_tokens=1))

    @property
    def _llm_type(self) -> str:
        return "openvino"

    def count(self, text: str) -> int:
        """Tokens of a text by the model's own tokeniser."""
        return int(self._tokenizer.encode(text, add_special_tokens=False).input_ids.shape[1])

    def render(self, messages: list[dict[str, str]], template: dict[str, Any]) -> str:
        """The prompt, by the model's own chat template."""
        prompt: str = self._tokenizer.apply_chat_template(messages, True, extra_context=template or None)
        return prompt

    def _generate_text(self, prompt: str, emit: Emit, stop: list[str]) -> str:
        library = _library()
        running, cancel = library.StreamingStatus.RUNNING, library.StreamingStatus.CANCEL

        def written(piece: str) -> Any:
            return running if emit(piece) else cancel

        # The template has put the special tokens in.
        tokens = self._tokenizer.encode(prompt, add_special_tokens=False)
        result = self._pipeline.generate(tokens, self._decoding(stop), written)
        return "length" if result.finish_reasons[0] == library.GenerationFinishReason.LENGTH else "stop"

    def _decoding(self, stop: list[str]) -> Any:
        settings, decoding = self.settings, self._pipeline.get_generation_config()
        decoding.max_new_tokens = settings.max_tokens
        decoding.repetition_penalty = settings.repetition_penalty
        decoding.do_sample = settings.temperature > 0
        if decoding.do_sample:
            decoding.temperature = settings.temperature
            decoding.top_p = settings.top_p
            decoding.rng_seed = settings.seed
            if settings.top_k:
                decoding.top_k = settings.top_k
        if stop:
            decoding.stop_strings = set(stop)
        return decoding
