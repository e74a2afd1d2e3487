"""llama.cpp answers as the other engines do, through the same interface."""

from __future__ import annotations

from dataclasses import replace

import pytest
from langchain_core.messages import HumanMessage

from rag import models
from rag.errors import Incomplete
from rag.llm import load_llm
from rag.settings import LLMSettings

pytestmark = pytest.mark.skipif(
    not models.is_present(LLMSettings().model), reason="the built-in model is not here: `python -m rag models pull`"
)
LONG = [HumanMessage("从一数到一百，每个数字一行。")]
ASKED = [HumanMessage("员工每年有十五天带薪年假。问题：每年有几天年假？")]


def test_it_answers_and_a_cut_answer_is_incomplete() -> None:
    """The answer is the text's; what reaches llm.max_tokens is told to be unfinished; tokens are the model's own."""
    settings = LLMSettings(engine="llama.cpp")
    model = load_llm(settings)
    answer = "".join(model.stream(ASKED))
    assert "十五" in answer or "15" in answer
    assert model.name == "qwen2.5-1.5b (llama.cpp)" and not model.remote
    assert 1 <= model.count("员工每年有十五天带薪年假") <= 12
    del model
    came = []
    with pytest.raises(Incomplete, match=r"llm\.max_tokens"):
        for piece in load_llm(replace(settings, max_tokens=16)).stream(LONG):
            came.append(piece)
    assert "".join(came)
