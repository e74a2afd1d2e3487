"""A model by Hugging Face transformers in this process, on a GPU where there is one: a folder, a hub name or a GGUF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from rag.embedder import fast_dtype
from rag.errors import ModelError
from rag.local_chat import Emit, LocalChat
from rag.settings import LLMSettings


class TransformersChat(LocalChat):
    """A causal model as a LangChain chat model; nothing is fetched, no code of the model's is run."""

    _model: Any = PrivateAttr()
    _tokenizer: Any = PrivateAttr()

    def __init__(self, model: Path | str, settings: LLMSettings) -> None:
        super().__init__(settings=settings)
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        weights: dict[str, Any] = {"dtype": fast_dtype(), "use_safetensors": True}
        if isinstance(model, Path) and model.is_file():
            options["gguf_file"], model = model.name, model.parent
            del weights["use_safetensors"]
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(str(model), **options)
            self._model = AutoModelForCausalLM.from_pretrained(str(model), **options, **weights)
        except Exception as error:  # whatever the hub's client and the model's own files may raise
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        else:
            self._model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
            if not self._tokenizer.chat_template:
                raise ModelError(f"{settings.model} has no chat template. Set llm.model to an instruct or chat model.")
            return
        fetch = (
            "" if isinstance(model, Path) else f" Fetch it where there is a network with `hf download {model}`, or set"
        )
        raise ModelError(
            f"The model {settings.model!r} could not be loaded by transformers ({reason}).{fetch or ' Set'} llm.model "
            "to a folder with safetensors, a .gguf file or builtin:qwen2.5-1.5b."
        )

    @property
    def _llm_type(self) -> str:
        return "transformers"

    def count(self, text: str) -> int:
        """Tokens of a text by the model's own tokeniser."""
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def render(self, messages: list[dict[str, str]], template: dict[str, Any]) -> str:
        """The prompt, by the model's own chat template."""
        prompt: str = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, **template
        )
        return prompt

    def _generate_text(self, prompt: str, emit: Emit, stop: list[str]) -> str:
        import torch
        from transformers import StoppingCriteria, TextStreamer

        wanted = True

        class Streamer(TextStreamer):
            def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
                nonlocal wanted
                wanted = emit(text)

        class Stopped(StoppingCriteria):
            def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
                return torch.full((input_ids.shape[0],), not wanted, device=input_ids.device, dtype=torch.bool)

        streamer = Streamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        inputs = self._tokenizer(prompt, return_tensors="pt", add_special_tokens=False).to(self._model.device)
        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(self.settings.seed)
            made = self._model.generate(
                **inputs, **self._decoding(stop), streamer=streamer, stopping_criteria=[Stopped()]
            )
        length = made.shape[1] - inputs["input_ids"].shape[1]
        return "length" if length >= self.settings.max_tokens and not self._ends(int(made[0, -1])) else "stop"

    def _ends(self, token: int) -> bool:
        ends = self._model.generation_config.eos_token_id
        return token in (ends if isinstance(ends, list) else [ends])

    def _decoding(self, stop: list[str]) -> dict[str, Any]:
        """The decoding, whole: a model's own defaults may sample or punish repetition."""
        settings = self.settings
        sampled = settings.temperature > 0
        decoding: dict[str, Any] = {
            "max_new_tokens": settings.max_tokens,
            "do_sample": sampled,
            "repetition_penalty": settings.repetition_penalty,
            "temperature": settings.temperature if sampled else None,
            "top_p": settings.top_p if sampled else None,
            "top_k": (settings.top_k or 0) if sampled else None,
            "pad_token_id": self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
        }
        return decoding | ({"stop_strings": stop, "tokenizer": self._tokenizer} if stop else {})
