"""An answer's steps once more, from its record, and what comes out otherwise."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from rag.errors import RagError
from rag.pipeline import Pipeline
from rag.record import Record, prompt_sha, settings_to_json, sha256, verdicts, versions
from rag.serialise import filter_from_json
from rag.types import Answer, Chunk, Passage, Retrieval, Trace, Turn


@dataclass(frozen=True, slots=True)
class Replay:
    """What the same steps give now.

    ``shown`` are the recorded passages with their text, None for each that is gone or has changed; ``retrieved`` those
    found now; ``prompt`` the hash of the messages for the recorded ones (for those of now where one is gone); ``draft``
    what the model wrote now, where it was asked to; ``answer`` the recorded draft, checked now. ``differences`` says in
    sentences what is not as it was, ``changed`` names each version or setting that is another one: (before, now).
    """

    shown: tuple[Chunk | None, ...]
    retrieved: tuple[Passage, ...]
    prompt: str
    draft: str | None
    answer: Answer | None
    differences: tuple[str, ...]
    changed: dict[str, tuple[Any, Any]]


def replay(pipeline: Pipeline, record: Record, *, generate: bool = False) -> Replay:
    """Retrieve, build the prompt and check the draft again, and where asked let the model write again; raises RagError.

    The pipeline should keep no records itself.
    """
    facts, words = record.facts, record.words
    shown = tuple(_chunk(pipeline, passage) for passage in facts["passages"])
    turns = words.get("history")
    history = tuple(Turn(turn["role"], turn["content"]) for turn in turns or ())
    again = pipeline.retrieve(
        record.question, history, filter=filter_from_json(facts["filter"]), withhold=facts["withheld"]
    )
    same = _as_recorded(record, shown, again)
    prompt = prompt_sha(pipeline.prompt(same)) if facts["prompt"] and same.passages else ""
    draft = pipeline.draft(same) if generate and prompt and not same.refusal else None
    answer = pipeline.finish(same, words["draft"]) if words else None
    differences = [*_gone(record, shown), *_compared(record, again, turns is not None)]
    if facts["prompt"] and prompt != facts["prompt"]:
        differences.append("prompt: the model would be sent something else")
    if draft is not None and sha256(draft) != facts["draft"]:
        differences.append("draft: " + _difference(words.get("draft", ""), draft))
    if answer is not None:
        differences += _verdicts(facts, answer)
    return Replay(shown, again.passages, prompt, draft, answer, tuple(differences), _changed(pipeline, record))


def _chunk(pipeline: Pipeline, passage: dict[str, Any]) -> Chunk | None:
    """A recorded passage's chunk, None where it is gone or no longer says the same."""
    try:
        store = pipeline.store.beside(passage["kb"]) if passage["kb"] else pipeline.store
    except RagError:
        return None
    chunk = store.chunks_by_id([passage["chunk"]]).get(passage["chunk"])
    return chunk if chunk and sha256(chunk.text) == passage["sha256"] else None


def _as_recorded(record: Record, shown: tuple[Chunk | None, ...], again: Retrieval) -> Retrieval:
    """The retrieval that the answer was made from; the one of now where a passage of it is gone."""
    if any(chunk is None for chunk in shown):
        return again
    facts = record.facts
    passages = tuple(
        Passage(chunk, p["score"], p["dense_rank"], p["lexical_rank"], kb=p["kb"], rerank=p["rerank"])
        for chunk, p in zip(shown, facts["passages"], strict=True)
        if chunk is not None
    )
    query = record.words.get("query") or again.query
    # Only what was searched for has a record, even where the question would be asked back now.
    return replace(
        again, query=query, passages=passages, refusal=facts["refusal"], trace=Trace(reason=again.trace.reason),
        kind="answer", reply="",
    )  # fmt: skip


def _gone(record: Record, shown: tuple[Chunk | None, ...]) -> Iterator[str]:
    for n, (chunk, passage) in enumerate(zip(shown, record.facts["passages"], strict=True), 1):
        if chunk is None:
            yield f"passage {n} (chunk {passage['chunk']}) is gone: its document was changed or deleted"
    if not record.words:
        yield "what was written and quoted is gone with the old text of a document"


def _compared(record: Record, again: Retrieval, heard: bool) -> Iterator[str]:
    if record.words and not heard:
        yield "the conversation was not kept: the question is searched for by itself"
    elif record.words and record.words["query"] != again.query:
        yield f"query: {again.query!r} instead of {record.words['query']!r}"
    before = [passage["sha256"] for passage in record.facts["passages"]]
    now = [sha256(passage.chunk.text) for passage in again.passages]
    if before == now:
        moved = [abs(a["score"] - b.score) for a, b in zip(record.facts["passages"], again.passages, strict=True)]
        if max(moved, default=0.0) > 1e-3:
            yield f"scores: the same passages, up to {max(moved):.3f} away"
    elif sorted(before) == sorted(now):
        yield "passages: the same in another order"
    else:
        yield f"passages: {len(set(before) - set(now))} no longer found, {len(set(now) - set(before))} new"
    if bool(record.facts["refusal"]) != bool(again.refusal):
        yield "refusal: the model would " + ("not be asked" if again.refusal else "be asked now")


def _verdicts(facts: dict[str, Any], answer: Answer) -> Iterator[str]:
    if facts["refused"] != answer.refused:
        yield "verdict: " + ("refused now" if answer.refused else "no longer refused")
        return
    before, now = facts["verdicts"], verdicts(answer)
    if before == now:
        return
    if len(before) != len(now):
        yield f"verdicts: {len(now)} claims instead of {len(before)}"
        return
    for n, (old, new) in enumerate(zip(before, now, strict=True), 1):
        if old["supported"] != new["supported"]:
            yield f"verdict on claim {n}: {'supported' if new['supported'] else 'not supported'} now"
        elif old["cites"] != new["cites"]:
            yield f"claim {n}: other words are cited"
        elif old != new:
            yield f"claim {n}: begins or ends elsewhere"


def _changed(pipeline: Pipeline, record: Record) -> dict[str, tuple[Any, Any]]:
    before = _flat({"": record.facts["versions"], **record.facts["settings"]})
    now = _flat({"": versions(pipeline), **settings_to_json(pipeline.settings)})
    names = [name for name in dict.fromkeys([*before, *now]) if not name.startswith(("trace.", "home"))]
    return {n: (before.get(n), now.get(n)) for n in names if before.get(n) != now.get(n)}


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for section, entry in value.items():
        if isinstance(entry, dict):
            flat |= {f"{section}.{key}".lstrip("."): found for key, found in entry.items()}
        else:
            flat[section] = entry
    return flat


def _difference(before: str, now: str) -> str:
    same = difflib.SequenceMatcher(None, before, now).ratio()
    return f"the model wrote something else ({same:.0%} the same)"
