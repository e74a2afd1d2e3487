"""What earlier runs found out is used again where it still holds, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from evaluation.results import ObservedModel, Results
from rag.errors import LLMError
from rag.settings import LLMSettings
from rag.store import Store
from tests.conftest import ExactEmbedder
from tests.rag.stored import put
from tests.scripted_llm import ScriptedLLM

PROMPT = [SystemMessage("Answer."), HumanMessage("长江有多长？")]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty knowledge base that exists."""
    with Store(tmp_path) as made:
        made.create()
        yield made


def model(store: Store, *pieces: str, settings: LLMSettings | None = None, **options: Any) -> ObservedModel:
    scripted = ScriptedLLM(*pieces, **options)
    cast("Any", scripted).settings = settings or LLMSettings()
    return ObservedModel(cast("Any", scripted), Results(store))


def test_a_draft_is_used_again(store: Store) -> None:
    """The second run gets the first one's draft, though its model would write another, and says that it is not new."""
    assert "".join(model(store, "6300", " km").stream(PROMPT)) == "6300 km"
    second = model(store, "never asked")
    assert "".join(second.stream(PROMPT)) == "6300 km"
    assert second.reused


def test_another_prompt_or_setting_is_asked_anew(store: Store) -> None:
    """Whatever may change a draft makes it another one: a word of the prompt, who says it, a decoding setting."""
    list(model(store, "old").stream(PROMPT))
    for prompt in ([*PROMPT[:1], HumanMessage("黄河有多长？")], [HumanMessage("Answer."), PROMPT[1]]):
        assert list(model(store, "new").stream(prompt)) == ["new"]
    warmer = model(store, "new", settings=replace(LLMSettings(), temperature=0.7))
    assert list(warmer.stream(PROMPT)) == ["new"]
    assert not warmer.reused


def test_a_draft_that_broke_off_is_not_kept(store: Store) -> None:
    """Half an answer must not be measured as a whole one in the next run."""
    with pytest.raises(LLMError):
        list(model(store, "half", error=LLMError("It broke off.")).stream(PROMPT))
    assert list(model(store, "whole").stream(PROMPT)) == ["whole"]


def test_tokens_are_counted_of_new_and_kept_drafts(store: Store) -> None:
    """What the model was sent and wrote has a length in tokens, whether it wrote just now or in an earlier run."""
    for _ in range(2):
        asked = model(store, "6300", " km")
        list(asked.stream(PROMPT))
        assert asked.tokens == (len("Answer.长江有多长？"), len("6300 km"))


def test_a_change_of_the_documents_takes_every_result_away(store: Store) -> None:
    """No word of a document may outlive it here: with the first change of a knowledge base its results are gone."""
    results = Results(store)
    results.put("key", "words of a document")
    assert results.get("key") == "words of a document"
    put(store, ExactEmbedder(), "a.md", "other words")
    assert Results(store).get("key") is None
    results.put("key", "found before the change")
    assert Results(store).get("key") is None
