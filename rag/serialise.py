"""Answers and passages as JSON (the shape of `ask --json`), and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from rag.types import Answer, Chunk, Citation, Claim, Cut, Filter, Passage, Timings, Trace

_PASSAGE_KEYS = ("score", "dense_rank", "lexical_rank", "dense", "lexical")
_LATER_PASSAGE_KEYS = ("kb", "window", "lexical_weight", "rerank")  # older saved answers have none of them


def passage_to_json(passage: Passage) -> dict[str, Any]:
    """A passage as `search --json` prints it."""
    chunk = passage.chunk
    return {
        "document": chunk.document, "also": list(passage.also), "page": chunk.page, "text": chunk.text,
        **{key: getattr(passage, key) for key in (*_PASSAGE_KEYS, *_LATER_PASSAGE_KEYS)},
        "terms": [list(term) for term in passage.terms],
        "heading": chunk.heading, "start": chunk.start, "end": chunk.end, "ordinal": chunk.ordinal, "id": chunk.id,
    }  # fmt: skip


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """An answer as `ask --json` prints it."""
    return {
        "id": answer.id,
        "question": answer.question,
        "answer": answer.text,
        "refused": answer.refused,
        "language": answer.language,
        "reason": answer.reason,
        "kind": answer.kind,
        "thoughts": answer.thoughts,
        "confidence": answer.confidence,
        "open": list(answer.open),
        "incomplete": answer.incomplete,
        "claims": [_claim_to_json(claim) for claim in answer.claims],
        "citations": [_citation_to_json(citation) for citation in answer.citations],
        "passages": [passage_to_json(passage) for passage in answer.passages],
        "timings": asdict(answer.timings),
        "trace": trace_to_json(answer.trace),
    }


def trace_to_json(trace: Trace) -> dict[str, Any]:
    """What a search passed over, as `ask --json` and `search --explain --json` print it."""
    cut = [{"why": c.why, "repeats": c.repeats, **passage_to_json(c.passage)} for c in trace.cut]
    return {
        "query": trace.query, "searched": trace.searched, "hidden": trace.hidden, "reason": trace.reason,
        "reranked": trace.reranked, "cut": cut,
    }  # fmt: skip


def answer_from_json(value: dict[str, Any]) -> Answer:
    """The answer that ``answer_to_json`` made the value from."""
    passages = tuple(_passage_from_json(passage) for passage in value["passages"])
    return Answer(
        question=value["question"],
        text=value["answer"],
        claims=tuple(_claim_from_json(claim) for claim in value["claims"]),
        citations=tuple(_citation_from_json(citation) for citation in value["citations"]),
        passages=passages,
        refused=value["refused"],
        reason=value["reason"],
        language=value["language"],
        timings=Timings(**value["timings"]),
        trace=_trace_from_json(value.get("trace", {})),
        kind=value.get("kind", "answer"),  # older saved answers have neither
        thoughts=value.get("thoughts", ""),
        id=value.get("id", ""),
        confidence=value.get("confidence", 0.0),
        open=tuple(value.get("open", ())),
        incomplete=value.get("incomplete", ""),
    )


def _trace_from_json(value: dict[str, Any]) -> Trace:
    cut = tuple(Cut(_passage_from_json(cut), cut["why"], cut["repeats"]) for cut in value.get("cut", ()))
    return Trace(**value | {"cut": cut})


def _claim_to_json(claim: Claim) -> dict[str, Any]:
    """A claim; ``disputed`` is there only where another document says otherwise."""
    shown = asdict(claim) | {"citations": list(claim.citations), "disputed": list(claim.disputed)}
    return shown if claim.disputed else {key: value for key, value in shown.items() if key != "disputed"}


def _claim_from_json(value: dict[str, Any]) -> Claim:
    # Older saved answers know of no dispute.
    numbers = {key: tuple(value.get(key, ())) for key in ("citations", "disputed")}
    return Claim(**value | numbers)


def _citation_to_json(citation: Citation) -> dict[str, Any]:
    return {
        "n": citation.n, "document": citation.passage.chunk.document, "page": citation.page, "quote": citation.quote,
        "start": citation.start, "end": citation.end, "support": citation.support,
        "passage": passage_to_json(citation.passage),
    }  # fmt: skip


def _citation_from_json(value: dict[str, Any]) -> Citation:
    passage = _passage_from_json(value["passage"])
    return Citation(value["n"], passage, value["quote"], value["start"], value["end"], value["support"])


def _passage_from_json(value: dict[str, Any]) -> Passage:
    chunk = Chunk(value["id"], value["document"], value["ordinal"], value["heading"], value["page"], value["text"],
                  value["start"], value["end"])  # fmt: skip
    terms = tuple((term, share) for term, share in value.get("terms", ()))
    later = {key: value[key] for key in _LATER_PASSAGE_KEYS if key in value}
    return Passage(chunk, also=tuple(value["also"]), terms=terms, **{key: value[key] for key in _PASSAGE_KEYS}, **later)


def filter_to_json(filter: Filter) -> dict[str, Any]:
    """A filter as JSON: only what restricts."""
    return {key: list(v) if isinstance(v, tuple) else v.isoformat() for key, v in asdict(filter).items() if v}


def filter_from_json(value: Mapping[str, Any]) -> Filter:
    """The filter that ``filter_to_json`` made the value from."""
    read: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else date.fromisoformat(v) for k, v in value.items()}
    return Filter(**read)
