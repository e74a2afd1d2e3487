"""Drafts of an earlier run are used again for the same prompt, and for nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from evaluation.drafts import RememberedModel
from rag.errors import LLMError
from rag.settings import LLMSettings
from tests.scripted_llm import ScriptedLLM

PROMPT = [SystemMessage("Answer."), HumanMessage("长江有多长？")]


def model(folder: Path, *pieces: str, settings: LLMSettings | None = None, **options: Any) -> RememberedModel:
    scripted = ScriptedLLM(*pieces, **options)
    cast("Any", scripted).settings = settings or LLMSettings()
    return RememberedModel(cast("Any", scripted), folder)


def test_a_draft_is_used_again(tmp_path: Path) -> None:
    """The second run gets the first one's draft, though its model would write another, and says that it is not new."""
    assert "".join(model(tmp_path, "6300", " km").stream(PROMPT)) == "6300 km"
    second = model(tmp_path, "never asked")
    assert "".join(second.stream(PROMPT)) == "6300 km"
    assert second.reused


def test_another_prompt_or_setting_is_asked_anew(tmp_path: Path) -> None:
    """Whatever may change a draft makes it another one: a word of the prompt, who says it, a decoding setting."""
    list(model(tmp_path, "old").stream(PROMPT))
    for prompt in ([*PROMPT[:1], HumanMessage("黄河有多长？")], [HumanMessage("Answer."), PROMPT[1]]):
        assert list(model(tmp_path, "new").stream(prompt)) == ["new"]
    warmer = model(tmp_path, "new", settings=replace(LLMSettings(), temperature=0.7))
    assert list(warmer.stream(PROMPT)) == ["new"]
    assert not warmer.reused


def test_a_draft_that_broke_off_is_not_kept(tmp_path: Path) -> None:
    """Half an answer must not be measured as a whole one in the next run."""
    with pytest.raises(LLMError):
        list(model(tmp_path, "half", error=LLMError("It broke off.")).stream(PROMPT))
    assert list(model(tmp_path, "whole").stream(PROMPT)) == ["whole"]
