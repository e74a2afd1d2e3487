"""The one pipeline, retrieve → generate → finish, and the one place where its parts are put together."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag import grounding
from rag.answerable import probability
from rag.embedder import load_embedder
from rag.errors import LLMError, RagError
from rag.followup import leans, remembered, search_text
from rag.nli import Entailment, SecondOpinion, second_look
from rag.prompt import messages
from rag.reranker import Reranker, load_reranker
from rag.retriever import EVERYTHING, Retriever, merge_neighbours
from rag.settings import Settings
from rag.store import Store
from rag.text import language, tokens
from rag.types import (
    Answer,
    Citation,
    Claim,
    Embedder,
    Filter,
    Found,
    Language,
    Passage,
    Retrieval,
    Timings,
    Turn,
)
from rag.wording import say

if TYPE_CHECKING:
    import numpy as np

    from rag.llm import LanguageModel

MOST_CHARACTERS = 4000
_TURN_SECONDS = 0.2  # between two looks whether the model is free
_EVIDENCE_PASSAGES = 10  # retrieved for the probability; only the best k go to the model


class Pipeline:
    """Answers questions from one knowledge base; safe to use from several threads, one answer at a time by the model."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        embedder: Embedder,
        llm: LanguageModel | None,
        reranker: Reranker | None = None,
        second: SecondOpinion | None = None,
    ) -> None:
        self.settings = settings
        self.store = store
        self.embedder = embedder
        self.llm = llm
        self.retriever = Retriever(store, embedder, settings.retrieval, reranker)
        self._generating = threading.Lock()
        self._second = second
        if second is None and settings.grounding.second_look and llm is not None:
            self._second = second_look(self._answer_alone)

    @property
    def remote(self) -> bool:
        """Whether questions and passages leave this machine."""
        return self.settings.llm.remote or self.settings.embedding.remote

    @property
    def model_name(self) -> str:
        """The language model's name as the settings give it."""
        return self.settings.llm.model

    def retrieve(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        withhold: Collection[str] = (),
        filter: Filter = EVERYTHING,
        k: int | None = None,
    ) -> Retrieval:
        """The passages for a question and whether to answer at all; ``withhold`` names documents to hide.

        Only what the ``filter`` lets through is looked at.

        Raises RagError for a question without a word or with more than 4,000 characters.
        """
        _check(question)
        began = time.perf_counter()
        spoken = language(question)
        wanted = k or self.settings.retrieval.k
        depth = max(wanted, _EVIDENCE_PASSAGES)
        query, found, answerable = self._search(question, history, depth, filter, withhold)
        refusal = found.trace.reason
        if not refusal and answerable < self.settings.retrieval.minimum_answerable:
            refusal = "irrelevant"
        seconds = time.perf_counter() - began
        found = found.first(wanted)
        return Retrieval(
            question, query, tuple(history), spoken, found.passages, answerable, refusal, seconds, found.trace
        )

    def generate(self, retrieval: Retrieval) -> Iterator[str]:
        """The model's draft, piece by piece, empty ones while it reads; nothing where the retrieval refuses.

        Close the iterator to stop the model.
        """
        if retrieval.refusal:
            return
        if self.llm is None:
            raise LLMError("This pipeline was loaded for retrieval only.")
        shown = self._shown(retrieval)
        history = retrieval.history if retrieval.query != retrieval.question else ()
        runs = merge_neighbours(shown)
        prompt, _ = messages(retrieval.question, history, runs, retrieval.language, self.llm.room, self.llm.count)
        while not self._generating.acquire(timeout=_TURN_SECONDS):
            yield ""
        try:
            yield from self.llm.stream(prompt)
        finally:
            self._generating.release()

    def finish(
        self, retrieval: Retrieval, draft: str, *, first_token: float | None = None, seconds: float = 0.0
    ) -> Answer:
        """The draft with its claims checked and cited, or a refusal that shows the nearest passages."""
        began = time.perf_counter()
        refusal = retrieval.refusal
        text = draft.strip()
        claims: tuple[Claim, ...] = ()
        citations: tuple[Citation, ...] = ()
        if not refusal:
            shown = self._shown(retrieval)
            numbered = [[p for p in shown if p.chunk in run] for run in merge_neighbours(shown)]
            text, claims, citations = grounding.ground(
                retrieval.question, draft.strip(), shown, numbered, self._meaning(), self._second
            )
            refusal = _refusal(text, claims)
        timings = Timings(retrieval.seconds, first_token, seconds, time.perf_counter() - began)
        if refusal:
            text, claims, citations = say("refusal", retrieval.language), (), ()
        return Answer(
            question=retrieval.question,
            text=text,
            claims=tuple(_worded(claim, retrieval.language) for claim in claims),
            citations=citations,
            passages=retrieval.passages,
            refused=bool(refusal),
            reason=say(refusal, retrieval.language) if refusal else "",
            language=retrieval.language,
            timings=timings,
            trace=retrieval.trace,
        )

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        withhold: Collection[str] = (),
        filter: Filter = EVERYTHING,
    ) -> Answer:
        """Retrieve, generate and finish in a row."""
        retrieval = self.retrieve(question, history, withhold=withhold, filter=filter)
        began = time.perf_counter()
        first: float | None = None
        pieces: list[str] = []
        for piece in self.generate(retrieval):
            if piece and first is None:
                first = time.perf_counter() - began
            pieces.append(piece)
        return self.finish(retrieval, "".join(pieces), first_token=first, seconds=time.perf_counter() - began)

    def _search(
        self, question: str, history: Sequence[Turn], k: int, filter: Filter, withhold: Collection[str]
    ) -> tuple[str, Found, float]:
        """What was searched for, what was found, and the probability that it holds the answer.

        A follow-up is searched with the last exchange, whose meaning counts less than its own.
        """
        before = remembered(question, history)
        text = search_text(question, history) if before and leans(question) else question
        found = self.retriever.find(question, k, filter, withhold, before)
        return text, found, probability(text, found.passages[:_EVIDENCE_PASSAGES])

    def _shown(self, retrieval: Retrieval) -> Sequence[Passage]:
        return retrieval.passages[: self.settings.retrieval.k]

    def _meaning(self) -> grounding.Meaning:
        """Centred cosines of a text to sentences, all as passages, which they are; each text is embedded once."""
        known: dict[str, np.ndarray] = {}

        def cosines(text: str, sentences: Sequence[str]) -> list[float]:
            if new := [t for t in dict.fromkeys([text, *sentences]) if t not in known]:
                vectors = self.embedder.centre(self.embedder.embed_passages(new), [language(t) for t in new])
                known.update(zip(new, vectors, strict=True))
            return [float(known[sentence] @ known[text]) for sentence in sentences]

        return cosines

    def _answer_alone(self, prompt: str) -> str:
        """What the language model says to a prompt without anything around it."""
        from langchain_core.messages import HumanMessage

        assert self.llm is not None
        with self._generating:
            return "".join(self.llm.stream([HumanMessage(prompt)]))


def load_pipeline(settings: Settings, *, answers: bool = True, embedder: Embedder | None = None) -> Pipeline:
    """A pipeline for the settings' knowledge base; without ``answers`` no language model is loaded.

    An ``embedder`` that is loaded already is used instead of a second one.

    Raises ModelError where weights are missing, StoreError where the store was made with another embedder.
    """
    embedder = embedder or load_embedder(settings.embedding)
    reranker = load_reranker(settings.retrieval)
    store = Store(settings.home, settings.kb)
    if not answers:
        return Pipeline(settings, store, embedder, None, reranker)
    from rag.llm import load_llm

    second = Entailment(settings.grounding.nli) if settings.grounding.nli else None
    return Pipeline(settings, store, embedder, load_llm(settings.llm), reranker, second)


def _check(question: str) -> None:
    if len(question) > MOST_CHARACTERS:
        raise RagError(
            f"The question has {len(question):,} characters; at most {MOST_CHARACTERS:,} are read. Shorten it."
        )
    if not tokens(question):
        raise RagError(f"{question.strip()!r} is no question: it holds no word. Type one.")


def _refusal(text: str, claims: Sequence[Claim]) -> str:
    if not claims or grounding.says_nothing(text):
        return "silent"
    return "" if any(claim.supported for claim in claims) else "unsupported"


def _worded(claim: Claim, spoken: Language) -> Claim:
    return replace(claim, why=say(claim.why, spoken)) if claim.why else claim
