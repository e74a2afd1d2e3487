"""Passages and history → messages within the model's context; the texts themselves are in prompts.toml."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from rag.answer_form import asked_format
from rag.errors import LLMError
from rag.fence import fenced, nonce
from rag.settings import PromptSettings
from rag.styles import Style, Texts, load_style
from rag.types import Chunk, Language, Turn

# A processor reads some 200 tokens a second, so what is remembered stays small where the context is; a large context is
# that of a model which can afford more.
_TURNS = 4
_TURN_CHARACTERS = 300
_ROOM_PER_TURN = 1000  # tokens
_ROOM_PER_CHARACTER = 32
_EXAMPLE_MARK = "sample"  # of our own passages; a fixed one keeps the prompt's beginning the same
# The beginnings of what ChatML, Llama, DeepSeek, Gemma and Mistral put around messages.
_CHAT_MARK = re.compile(
    r"<(?=\||/?s>|/?(?:start|end)_of_turn>|</?SYS>>)|[<‹](?=｜)|\[(?=/?INST\])",
    re.IGNORECASE,
)


def messages(
    question: str,
    history: Sequence[Turn],
    runs: Sequence[Sequence[Chunk]],
    language: Language,
    room: int,
    count: Callable[[str], int],
    style: Style | None = None,
    secret: bytes = b"",
) -> tuple[list[BaseMessage], int]:
    """The messages, and how many of the runs of chunks they hold; what they begin with is the same for every question.

    Where ``room`` tokens are few, the oldest turns are left out first, then the last runs, then the last exchange and
    the style's examples. ``style`` is the short one where none is given. Passages stand between marks made with the home's
    ``secret``, which their authors don't know.

    Raises LLMError where not even the question and one run fit.
    """
    style = style or load_style(PromptSettings())
    wanted, texts = asked_format(question), style.texts[language]
    mark = nonce(secret, question, [passage_text(run) for run in runs])
    asked = partial(_asked, order=style.order(language, wanted), texts=texts)
    for turns, kept, examples in _plans(_turns(history, room), len(runs), bool(texts.examples)):
        built: list[BaseMessage] = [SystemMessage(style.system(language, wanted))]
        for example in texts.examples if examples else ():
            built += [
                HumanMessage(asked(example.question, example.passages, mark=_EXAMPLE_MARK)),
                AIMessage(example.answer),
            ]
        built += [(HumanMessage if turn.role == "user" else AIMessage)(inert_marks(turn.content)) for turn in turns]
        built.append(HumanMessage(inert_marks(asked(question, [passage_text(run) for run in runs[:kept]], mark=mark))))
        if sum(count(str(message.content)) + 8 for message in built) <= room:
            return built, kept
    raise LLMError(
        f"The question and one passage do not fit into the model's context (room for {room} tokens). "
        "Ask a shorter question or set llm.context higher."
    )


def passage_text(run: Sequence[Chunk]) -> str:
    """A run of neighbouring chunks as the model sees it: the heading, then the text."""
    body = "\n".join(chunk.text for chunk in run)
    return f"{run[0].heading}\n{body}" if run[0].heading else body


def _plans(turns: Sequence[Turn], runs: int, examples: bool) -> Iterator[tuple[Sequence[Turn], int, bool]]:
    """What to put in: turns, number of runs, whether the examples; each plan is shorter than the one before."""
    starts = [i for i, turn in enumerate(turns) if turn.role == "user"]
    for start in starts:
        yield turns[start:], runs, examples
    last = turns[starts[-1] :] if starts else ()
    for kept in range(runs if not starts else runs - 1, 0, -1):
        yield last, kept, examples
    if last:
        yield (), 1, examples
    if examples:
        yield (), 1, False


def _asked(question: str, passages: Sequence[str], order: str, texts: Texts, mark: str) -> str:
    numbered = "\n\n".join(fenced(n, passage, mark) for n, passage in enumerate(passages, 1))
    return f"{texts.passages}\n{numbered}\n\n{order}\n{texts.question}{question}"


def inert_marks(text: str) -> str:
    """The text with the marks that chat templates put between messages broken up by a blank behind their first character.

    A document must not speak as somebody else.
    """
    return _CHAT_MARK.sub(r"\g<0> ", text)


def _turns(history: Sequence[Turn], room: int) -> list[Turn]:
    """The last turns, cut, as many and as long as suits the room."""
    most, longest = max(_TURNS, room // _ROOM_PER_TURN), max(_TURN_CHARACTERS, room // _ROOM_PER_CHARACTER)
    return [Turn(turn.role, turn.content[:longest]) for turn in history[-most:]]
