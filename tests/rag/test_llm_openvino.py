"""The engine that runs the built-in model: the same answers as the others, counted, stoppable, and silent to the outside."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from rag import models
from rag.errors import Incomplete, LLMError
from rag.llm import LanguageModel, load_llm
from rag.settings import LLMSettings

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("openvino_genai") is None, reason="OpenVINO has no wheel here"),
    pytest.mark.skipif(
        not models.is_present(LLMSettings().model), reason="the built-in model is not here: `python -m rag models pull`"
    ),
]
ASKED = [
    SystemMessage("请根据资料用一句简短的中文回答问题。"),
    HumanMessage("资料：\n[1] 员工每年有十五天带薪年假，未休的年假三月底失效。\n\n问题：每年有几天年假？"),
]

LONG = [HumanMessage("从一数到一百，每个数字一行。")]


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    """The built-in model by OpenVINO."""
    return load_llm(LLMSettings())


@pytest.fixture
def restored(model: LanguageModel) -> Iterator[LanguageModel]:
    """The model, whose settings a test may change."""
    before = model.chat.settings
    yield model
    model.chat.settings = before


def answer(model: LanguageModel) -> str:
    return "".join(model.stream(ASKED))


def test_it_answers_and_says_who_runs_it(model: LanguageModel) -> None:
    """The answer is the document's, the same each time, and the name shown tells the engine."""
    first = answer(model)
    assert "十五" in first or "15" in first
    assert answer(model) == first
    assert model.name == "qwen2.5-1.5b (OpenVINO)" and not model.remote


def test_the_template_is_applied_once(model: LanguageModel) -> None:
    """Each message stands between its marks once, and the model is then asked to speak."""
    prompt = model.chat.render([{"role": "user", "content": "你好"}], {})
    assert prompt.count("<|im_start|>user") == 1 and prompt.endswith("<|im_start|>assistant\n")
    assert model.count("<|im_start|>") == 1 and model.count("") == 0
    assert 1 <= model.count("员工每年有十五天带薪年假") <= 12


def test_langchain_can_use_it(model: LanguageModel) -> None:
    """It is a LangChain chat model: invoked it gives the streamed answer as one message."""
    message = model.chat.invoke(ASKED)
    assert message.content == answer(model)
    assert message.response_metadata["finish_reason"] == "stop"


def test_a_cut_answer_is_incomplete(restored: LanguageModel) -> None:
    """An answer that reaches llm.max_tokens is told to be unfinished, after what came."""
    restored.chat.settings = replace(restored.settings, max_tokens=8)
    came = []
    with pytest.raises(Incomplete, match=r"llm\.max_tokens"):
        for piece in restored.stream(LONG):
            came.append(piece)
    assert "".join(came)


def test_the_seed_decides_what_is_sampled(restored: LanguageModel) -> None:
    """At a temperature the same seed gives the same answer."""
    restored.chat.settings = replace(restored.settings, temperature=1.5, top_p=0.95, top_k=50, seed=7, max_tokens=40)
    said = []
    for _ in range(2):
        try:
            said.append(restored.chat.invoke(ASKED).content)
        except LLMError:
            said.append("")
    assert said[0] == said[1]


def test_who_stops_reading_frees_the_model(model: LanguageModel) -> None:
    """Closing a long answer ends it; the next question is answered at once."""
    stream = model.stream(LONG)
    while not next(iter(stream)):
        pass
    stream.close()  # type: ignore[attr-defined]
    began = time.monotonic()
    assert answer(model)
    whole = time.monotonic() - began
    assert whole < 60


def test_a_prompt_too_long_is_one_sentence(model: LanguageModel) -> None:
    """More tokens than the context holds are refused with the setting's name."""
    with pytest.raises(LLMError, match=r"llm\.context"):
        list(model.stream([HumanMessage("年假" * 5000)]))


def test_no_import_is_told_to_anybody() -> None:
    """OpenVINO is used without its telemetry, which would send an event to a server at every import."""
    code = (
        "import sys\nfrom rag.llm_openvino import _library\n_library().Tokenizer\n"
        "print([n for n in sys.modules if n.startswith('openvino_telemetry') and sys.modules[n]], 'openvino' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=120
    )
    assert run.stdout.strip() == "[] True", run.stderr
