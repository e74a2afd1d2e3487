"""The only prompt text: passages and history → messages within the model's context."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from rag.errors import LLMError
from rag.types import Chunk, Language, Turn

# Small models do best on a plain order; one that offers a way out ("if it is not there, say so") makes them refuse what
# is there and still invent what is not. Whether to refuse is decided by code, before and after the model.
_ORDER: dict[Language, str] = {
    "zh": "请根据资料用一句简短的中文回答问题。",
    "en": "Answer the question from the passages in one short sentence, in English.",
}
_PASSAGES: dict[Language, str] = {"zh": "资料：", "en": "Passages:"}
_QUESTION: dict[Language, str] = {"zh": "问题：", "en": "Question: "}
_TURN_CHARACTERS = 300
_TURNS = 4


def messages(
    question: str,
    history: Sequence[Turn],
    runs: Sequence[Sequence[Chunk]],
    language: Language,
    room: int,
    count: Callable[[str], int],
) -> tuple[list[BaseMessage], int]:
    """The messages, and how many of the runs of chunks they hold; the last runs are left out where ``room`` tokens are few.

    Raises LLMError where not even the question fits.
    """
    turns = _turns(history)
    for kept in range(len(runs), 0, -1):
        built = _build(question, turns, runs[:kept], language)
        if sum(count(str(message.content)) + 8 for message in built) <= room:
            return built, kept
        if kept == 1 and turns:
            return messages(question, (), runs[:1], language, room, count)
    raise LLMError(
        f"The question and one passage do not fit into the model's context (room for {room} tokens). "
        "Ask a shorter question or set llm.context higher."
    )


def passage_text(run: Sequence[Chunk]) -> str:
    """A run of neighbouring chunks as the model sees it: the heading, then the text."""
    body = "\n".join(chunk.text for chunk in run)
    return f"{run[0].heading}\n{body}" if run[0].heading else body


def _build(
    question: str, turns: Sequence[Turn], runs: Sequence[Sequence[Chunk]], language: Language
) -> list[BaseMessage]:
    numbered = "\n\n".join(f"[{n}] {passage_text(run)}" for n, run in enumerate(runs, 1))
    built: list[BaseMessage] = [SystemMessage(_ORDER[language])]
    for turn in turns:
        said = HumanMessage if turn.role == "user" else AIMessage
        built.append(said(_inert(turn.content)))
    asked = f"{_PASSAGES[language]}\n{numbered}\n\n{_ORDER[language]}\n{_QUESTION[language]}{question}"
    return [*built, HumanMessage(_inert(asked))]


def _inert(text: str) -> str:
    """The text without the marks that chat templates put between messages: a document must not speak as somebody else."""
    return text.replace("<|", "< |")


def _turns(history: Sequence[Turn]) -> list[Turn]:
    return [Turn(turn.role, turn.content[:_TURN_CHARACTERS]) for turn in history[-_TURNS:]]
