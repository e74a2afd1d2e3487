"""A folder of safetensors answers in this process; a tiny model made here stands for one of any size."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from rag.errors import Incomplete, LLMError, ModelError
from rag.llm import LanguageModel, load_llm
from rag.settings import LLMSettings

WORDS = "年假 有 十五 天 leave is fifteen days paid each year what how user assistant system off on".split()
TEMPLATE = (
    "{% for m in messages %}{{ m.role }} {{ m.content }} </s> {% endfor %}"
    "{% if enable_thinking is defined %}{{ 'on' if enable_thinking else 'off' }} {% endif %}assistant"
)
ASKED = [SystemMessage("leave"), HumanMessage("how 年假 天")]


def save(folder: Path, template: str = TEMPLATE) -> Path:
    """A random StableLM with a vocabulary of a few words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, StableLmConfig, StableLmForCausalLM

    vocabulary = {word: number for number, word in enumerate(["<unk>", "</s>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="</s>")
    made.chat_template = template
    made.save_pretrained(folder)
    torch.manual_seed(0)
    config = StableLmConfig(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=2048, eos_token_id=None, pad_token_id=1, bos_token_id=None,
    )  # fmt: skip
    StableLmForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's folder."""
    return save(tmp_path_factory.mktemp("tiny"))


def load(folder: Path, **settings: Any) -> LanguageModel:
    return load_llm(LLMSettings(model=str(folder), **({"max_tokens": 16, "context": 512} | settings)))


def said(model: LanguageModel) -> str:
    """What came, whether the answer was whole or not."""
    came = ""
    try:
        for piece in model.stream(ASKED):
            came += piece
    except LLMError:
        pass
    return came


def test_a_folder_answers(folder: Path) -> None:
    """The answer comes in pieces, the same each time, with a name that tells the engine, and cut where it was limited."""
    model = load(folder)
    with pytest.raises(Incomplete, match=r"llm\.max_tokens \(16\)"):
        list(model.stream(ASKED))
    assert said(model) == said(model) != ""
    assert model.name.endswith("(transformers)") and not model.remote
    assert model.count("年假 有 十五 天") == 4


def test_decoding_follows_the_settings(folder: Path) -> None:
    """A temperature samples by the seed; one token to choose from is the greedy answer; a penalty changes it."""
    greedy = said(load(folder))
    hot = said(load(folder, temperature=2.0, seed=3))
    assert hot == said(load(folder, temperature=2.0, seed=3))
    assert {hot, said(load(folder, temperature=2.0, seed=4)), said(load(folder, temperature=2.0, seed=5))} != {hot}
    assert said(load(folder, temperature=2.0, top_k=1)) == greedy
    assert said(load(folder, temperature=2.0, top_p=1e-6)) == greedy
    assert said(load(folder, repetition_penalty=5.0)) != greedy


@pytest.mark.parametrize(("thinking", "told"), [("auto", ""), ("on", " on"), ("off", " off")])
def test_the_template_hears_whether_to_think(folder: Path, thinking: str, told: str) -> None:
    """llm.thinking reaches the chat template, and auto leaves it to the model."""
    chat = load(folder, thinking=thinking).chat
    assert chat._prompt(ASKED) == f"system leave </s> user how 年假 天 </s>{told} assistant"


def test_thoughts_that_the_template_opens_are_no_answer(tmp_path: Path) -> None:
    """Where the prompt ends with <think>, all that follows are thoughts until they are closed."""
    model = load(save(tmp_path, TEMPLATE + " <think>"))
    came = said(model)
    raw = "".join(str(chunk.content) for chunk in model.chat.stream(ASKED))
    assert raw.startswith("<think>") and came == ""


def test_who_stops_reading_frees_the_model(folder: Path) -> None:
    """A long answer that nobody reads any more ends; the next one begins at once."""
    model = load(folder, context=100_000, max_tokens=90_000)
    stream: Iterator[str] = model.stream(ASKED)
    while not next(stream):
        pass
    stream.close()  # type: ignore[attr-defined]
    model.chat.settings = replace(model.settings, max_tokens=16)
    began = time.monotonic()
    said(model)
    assert time.monotonic() - began < 20


def test_only_safetensors_and_no_code_of_the_models(folder: Path, tmp_path: Path) -> None:
    """Pickled weights and a model that needs its own code are refused in a sentence; so is one without a template."""
    import torch

    pickled = save(tmp_path / "pickled")
    (pickled / "model.safetensors").unlink()
    torch.save({}, pickled / "pytorch_model.bin")
    with pytest.raises(ModelError, match="safetensors"):
        load(pickled)
    coded = save(tmp_path / "coded")
    config = (coded / "config.json").read_text().replace('"model_type": "stablelm"', '"model_type": "own"')
    (coded / "config.json").write_text(config.replace("{", '{"auto_map": {"AutoConfig": "own.Config"},', 1))
    (coded / "own.py").write_text("raise SystemExit('ran')")
    with pytest.raises(ModelError, match=r"llm\.model"):
        load(coded)
    with pytest.raises(ModelError, match="chat template"):
        load(save(tmp_path / "plain", ""))


def test_a_hub_name_that_is_not_here_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched while answering; the command that fetches it is named."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="hf download nobody/nothing"):
        load_llm(LLMSettings(model="nobody/nothing"))


@pytest.mark.skipif(not os.environ.get("LONG"), reason="unpacking a GGUF takes a while: set LONG=1")
def test_a_gguf_answers(tmp_path: Path) -> None:
    """The built-in GGUF, unpacked by transformers: the same model as by the other engines, only slower."""
    model = load_llm(LLMSettings(engine="transformers", max_tokens=40))
    asked = [HumanMessage("员工每年有十五天带薪年假。问题：每年有几天年假？只答数字。")]
    answer = "".join(model.stream(asked))
    assert "15" in answer or "十五" in answer
