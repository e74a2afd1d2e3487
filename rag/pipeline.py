"""The one pipeline, retrieve → generate → finish, and the one place where its parts are put together."""

from __future__ import annotations

import copy
import secrets
import threading
import time
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rag import grounding, smalltalk
from rag.access import User
from rag.answer_form import asked_language
from rag.answerable import WEIGHTS, draft_features, load_calibration
from rag.embedder import load_embedder
from rag.errors import Incomplete, LLMError, RagError
from rag.followup import alternatives, bare, leans, remembered, search_text
from rag.inert import inert, inert_pieces
from rag.logs import note
from rag.nli import Entailment, SecondOpinion, second_look
from rag.parts import unanswered, unmentioned
from rag.prompt import messages, passage_text
from rag.quotation import nearest_words
from rag.record import Records, Written, record_of
from rag.reranker import Reranker, load_reranker
from rag.retriever import Retriever, merge_neighbours
from rag.settings import Settings
from rag.store import Store
from rag.styles import load_style
from rag.text import language, tokens
from rag.turns import Turns
from rag.types import (
    EVERYTHING,
    Answer,
    AnswerKind,
    Chunk,
    Citation,
    Claim,
    Embedder,
    Filter,
    Found,
    Language,
    Passage,
    Retrieval,
    StoredDocument,
    Timings,
    Turn,
)
from rag.wording import say, say_which

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.messages import BaseMessage

    from rag.llm import LanguageModel

MOST_CHARACTERS = 4000
_MOST_WRITTEN = 16
EVIDENCE_PASSAGES = 10  # retrieved for the probability; only the best k go to the model
_HOPELESS = 0.2  # of the strictness: a draft lifts hardly any question over that
_NEARLY = 0.9  # of the better score: two things are equally likely to be meant
_FEW_DOCUMENTS = 3  # that a question back names


@dataclass(frozen=True, slots=True)
class _Judged:
    """What became of a draft; ``refusal`` is one of the wording's keys, or empty."""

    text: str
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    refusal: str = ""
    confidence: float = 0.0
    open: tuple[str, ...] = ()
    quoted: bool = False


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
        self.style = load_style(settings.prompt)
        own = settings.answers.calibration
        self.calibration = load_calibration(Path(own).expanduser() if own else WEIGHTS)
        # One queue a model: pipelines of other settings may share it.
        self._turns: Turns = getattr(llm, "turns", None) or Turns()
        self._records = Records(store.home, settings.trace.keep) if settings.trace.keep else None
        self._noting = threading.Lock()
        self._written: dict[str, Written] = {}  # drafts until their answers are checked
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

    def seen_by(self, user: User, kb: str) -> Pipeline:
        """The same models over a knowledge base in the hands of a user; raises AccessError where it isn't theirs to ask."""
        other = copy.copy(self)
        other.store = self.store.seen_by(user, kb)
        other.retriever = self.retriever.over(other.store)
        return other

    def reading(self, k: int) -> Pipeline:
        """The same pipeline whose model reads ``k`` passages, as far as they fit its context."""
        return self.under(replace(self.settings, retrieval=replace(self.settings.retrieval, k=k)))

    def under(self, settings: Settings) -> Pipeline:
        """The same models and knowledge base under other settings of retrieval and strictness."""
        other = copy.copy(self)
        other.settings = settings
        other.retriever = self.retriever.over(self.store, settings.retrieval)
        other._records = self._records if settings.trace.keep else None
        return other

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

        Only what the ``filter`` lets through is looked at. Small talk, and a question of which it is not clear what it is
        about, get a ``reply`` instead.

        Raises RagError for a question without a word or with more than 4,000 characters.
        """
        for text in (question, *(turn.content for turn in history)):
            _check_characters(text)
        _check(question)
        began = time.perf_counter()
        spoken = asked_language(question) or language(question)
        if reply := self._reply(question, history, spoken, filter, withhold):
            seconds = time.perf_counter() - began
            kind, text = reply
            return Retrieval(question, question, tuple(history), spoken, (), 0.0, "", seconds, kind=kind, reply=text)
        wanted = k or self.settings.retrieval.k
        depth = max(wanted, EVIDENCE_PASSAGES)
        query, found, answerable = self._search(question, history, depth, filter, withhold)
        refusal = found.trace.reason
        if not refusal and answerable < _HOPELESS * self.settings.answers.strictness:
            refusal = "irrelevant"
        seconds = time.perf_counter() - began
        found = found.first(wanted)
        return Retrieval(
            question, query, tuple(history), spoken, found.passages, answerable, refusal, seconds, found.trace,
            filter, tuple(withhold), secrets.token_hex(5),
        )  # fmt: skip

    def generate(self, retrieval: Retrieval) -> Iterator[str]:
        """The model's draft made inert, piece by piece, empty ones while it reads; nothing where no model is to be asked.

        Close the iterator to stop the model.
        """
        if retrieval.refusal or retrieval.reply:
            return
        if self.llm is None:
            raise LLMError("This pipeline was loaded for retrieval only.")
        prompt = self.prompt(retrieval)
        with self._turns.place(retrieval.id, self.store.user.name) as turn:
            for _ in turn:
                yield ""
            raw: list[str] = []
            try:
                with closing(cast("Generator[str]", self.llm.stream(prompt))) as pieces:
                    yield from inert_pieces(_noted(pieces, raw), *self._bounds(retrieval))
            finally:
                if self._records is not None:  # what came before a model broke off or was stopped, too
                    self._note(retrieval.id, Written(tuple(prompt), "".join(raw)))

    def ahead(self, retrieval: Retrieval) -> int:
        """How many answers the model writes before this one; 0 once it is its turn."""
        return self._turns.ahead(retrieval.id)

    def prompt(self, retrieval: Retrieval) -> list[BaseMessage]:
        """The messages that the model is sent for a retrieval; raises LLMError where there is no model."""
        return self._built(retrieval)[0]

    def read(self, retrieval: Retrieval) -> list[Chunk]:
        """The chunks that the model is sent for a retrieval: those of its passages that fit into its context."""
        return [chunk for run in self._built(retrieval)[1] for chunk in run]

    def _built(self, retrieval: Retrieval) -> tuple[list[BaseMessage], list[list[Chunk]]]:
        if self.llm is None:
            raise LLMError("This pipeline was loaded for retrieval only.")
        history = retrieval.history if retrieval.query != retrieval.question else ()
        runs = merge_neighbours(self._shown(retrieval))
        built, kept = messages(
            retrieval.question, history, runs, retrieval.language, self.llm.room, self.llm.count, self.style,
            self.store.secret(),
        )  # fmt: skip
        return built, runs[:kept]

    def written(self, retrieval: Retrieval) -> Written | None:
        """What the model was sent and wrote for a retrieval, letter by letter.

        Given out once; None before it has ended, and where no records are kept.
        """
        with self._noting:
            return self._written.pop(retrieval.id, None)

    def draft(self, retrieval: Retrieval) -> str:
        """What the model writes for a retrieval, letter by letter and not made inert: to compare, not to show."""
        prompt = self.prompt(retrieval)
        assert self.llm is not None
        with self._turns.place("", self.store.user.name) as turn:
            _ = list(turn)
            return "".join(self.llm.stream(prompt))

    def finish(
        self,
        retrieval: Retrieval,
        draft: str,
        *,
        first_token: float | None = None,
        seconds: float = 0.0,
        incomplete: str = "",
    ) -> Answer:
        """The draft with its claims checked and cited, the documents' own words, or a refusal with the nearest passages.

        What a style of prompt lets the model think before it answers is kept apart and not checked. ``incomplete`` says why
        the draft broke off.
        """
        began = time.perf_counter()
        if retrieval.reply:
            return _replied(retrieval)
        if there := self._left_of(retrieval):
            retrieval, draft = there, ""
        thoughts, draft = self.style.parted(inert(draft, *self._bounds(retrieval)).strip(), retrieval.language)
        judged = self._judged(retrieval, draft)
        answer = Answer(
            question=retrieval.question,
            text=judged.text,
            claims=tuple(_worded(claim, retrieval.language) for claim in judged.claims),
            citations=judged.citations,
            passages=retrieval.passages,
            refused=bool(judged.refusal),
            reason=self._reason(retrieval, judged),
            language=retrieval.language,
            timings=Timings(retrieval.seconds, first_token, seconds, time.perf_counter() - began),
            trace=retrieval.trace,
            thoughts=thoughts,
            kind="quote" if judged.quoted else "answer",
            confidence=round(judged.confidence, 4),
            open=judged.open,
            incomplete=incomplete,
        )
        note("answered", text={"question": retrieval.question}, id=retrieval.id, refused=answer.refused,
             kind=answer.kind, language=answer.language, passages=len(answer.passages), claims=len(answer.claims),
             citations=len(answer.citations), incomplete=bool(incomplete), remote=self.remote,
             search=round(retrieval.seconds, 3), first_word=round(first_token or 0.0, 3), seconds=round(seconds, 3))  # fmt: skip
        return self._kept(retrieval, draft, answer)

    def _left_of(self, retrieval: Retrieval) -> Retrieval | None:
        """What is left of a retrieval whose documents changed while the model wrote; None where all is still there."""
        there: set[int] = set()
        for kb in {passage.kb for passage in retrieval.passages}:
            ids = [passage.chunk.id for passage in retrieval.passages if passage.kb == kb]
            store = self.store.beside(kb) if kb and kb != self.store.kb else self.store
            there |= store.chunks_by_id(ids).keys()
        kept = tuple(passage for passage in retrieval.passages if passage.chunk.id in there)
        return None if len(kept) == len(retrieval.passages) else replace(retrieval, passages=kept, refusal="changed")

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        withhold: Collection[str] = (),
        filter: Filter = EVERYTHING,
    ) -> Answer:
        """Retrieve, generate and finish in a row."""
        return self.answered(self.retrieve(question, history, withhold=withhold, filter=filter))

    def answered(self, retrieval: Retrieval) -> Answer:
        """Generate and finish in a row."""
        began = time.perf_counter()
        first: float | None = None
        pieces: list[str] = []
        incomplete = ""
        try:
            for piece in self.generate(retrieval):
                if piece and first is None:
                    first = time.perf_counter() - began
                pieces.append(piece)
        except Incomplete as broken:
            incomplete = str(broken)
        seconds = time.perf_counter() - began
        return self.finish(retrieval, "".join(pieces), first_token=first, seconds=seconds, incomplete=incomplete)

    def grounded(self, retrieval: Retrieval, draft: str) -> tuple[str, tuple[Claim, ...], tuple[Citation, ...]]:
        """The draft without markers, its claims and the footnotes that carry them, whatever the probability is."""
        shown = self._shown(retrieval)
        numbered = [[p for p in shown if p.chunk in run] for run in merge_neighbours(shown)]
        return grounding.ground(retrieval.question, draft, shown, numbered, self._meaning(), self._second)

    def _judged(self, retrieval: Retrieval, draft: str) -> _Judged:
        """What becomes of a draft: checked claims, the documents' own words instead, or a refusal."""
        if retrieval.refusal:
            return _Judged(
                say("refusal", retrieval.language), refusal=retrieval.refusal, confidence=retrieval.answerable
            )
        text, claims, citations = self.grounded(retrieval, draft)
        values = draft_features(retrieval.answerable, claims)
        confidence = self.calibration.drafted(values)
        silent = grounding.says_nothing(text)
        carried = any(claim.supported for claim in claims) and not silent
        if silent or confidence < self.settings.answers.strictness:
            refusal = "silent" if silent or not claims else "doubtful" if carried else "unsupported"
            return _Judged(say("refusal", retrieval.language), refusal=refusal, confidence=confidence)
        if carried:
            quotes = {citation.n: citation.quote for citation in citations}
            said = [" ".join([c.text, *(quotes[n] for n in c.citations)]) for c in claims if c.supported]
            still_open = tuple(unanswered(retrieval.question, said))
            return _Judged(text, claims, citations, confidence=confidence, open=still_open)
        note = nearest_words(retrieval.query, self._shown(retrieval), partial(self._closeness, retrieval.query))
        if note is None:
            return _Judged(say("refusal", retrieval.language), refusal="silent", confidence=confidence)
        claim = Claim(note.quote, 0, len(note.quote), (1,), True)
        return _Judged(note.quote, (claim,), (note,), confidence=confidence, quoted=True)

    def _reason(self, retrieval: Retrieval, judged: _Judged) -> str:
        """Why there is no answer and what was looked for; for the documents' own words, why it is those."""
        spoken = retrieval.language
        if judged.quoted:
            return say("quoted", spoken)
        if not judged.refusal:
            return ""
        reasons = [say(judged.refusal, spoken)]
        if retrieval.passages:
            missing = unmentioned(retrieval.question, [passage.chunk.indexed_text for passage in retrieval.passages])
            reasons.append(say(f"looked for: {retrieval.question}", spoken))
            reasons += [say(f"unmentioned: {', '.join(missing)}", spoken)] if missing else []
        return "\n".join(reasons)

    def _search(
        self, question: str, history: Sequence[Turn], k: int, filter: Filter, withhold: Collection[str]
    ) -> tuple[str, Found, float]:
        """What was searched for, what was found, and the probability that it holds the answer.

        A follow-up is searched with the last exchange, whose meaning counts less than its own.
        """
        before = remembered(question, history)
        text = search_text(question, history) if before and leans(question) else question
        found = self.retriever.find(question, k, filter, withhold, before)
        return text, found, self.calibration.before(text, found.passages[:EVIDENCE_PASSAGES])

    def _reply(
        self, question: str, history: Sequence[Turn], spoken: Language, filter: Filter, withhold: Collection[str]
    ) -> tuple[AnswerKind, str] | None:
        """What is said without a search: to small talk, or to ask back what a question is about."""
        if talk := smalltalk.recognise(question, first=not history):
            there = self._documents(filter, withhold) if talk == "documents" else []
            return "talk", smalltalk.reply(talk, spoken, there, str(filter))
        if bare(question) and all(bare(turn.content) for turn in history):
            there = self._documents(filter, withhold)
            titles = list(dict.fromkeys(document.title or document.name for document in there))
            if len(titles) > _FEW_DOCUMENTS:
                return "question", say("what do you mean", spoken)
            return ("question", say_which(titles, spoken)) if len(titles) > 1 else None
        either = alternatives(question, history)
        titles = self._equally_likely(question, either, filter, withhold) if either else []
        return ("question", say_which(titles, spoken)) if titles else None

    def _documents(self, filter: Filter, withhold: Collection[str]) -> list[StoredDocument]:
        stores = [self.store.beside(kb) for kb in dict.fromkeys(filter.kbs)] or [self.store]
        return [document for store in stores for document in store.documents(filter, withhold)]

    def _equally_likely(
        self, question: str, names: Sequence[str], filter: Filter, withhold: Collection[str]
    ) -> list[str]:
        """The titles of different documents that are found equally well with one name or another; else nothing."""
        found = [self.retriever.search(f"{name} {question}", 1, withhold, filter) for name in names]
        best = [passages[0] for passages in found if passages]
        documents = {passage.chunk.document for passage in best}
        titles = list(dict.fromkeys(_title(passage) for passage in best))
        scores = [passage.score for passage in best]
        clear = len(titles) < len(names) or len(documents) < len(names)
        return [] if clear or min(scores) < _NEARLY * max(scores) else titles

    def _kept(self, retrieval: Retrieval, draft: str, answer: Answer) -> Answer:
        """The answer with the id of its record; without one where none is kept or the store can't be written to."""
        if self._records is None or not retrieval.id:
            return answer
        answer = replace(answer, id=retrieval.id)
        try:
            written = self.written(retrieval)
            if written is None:
                asked = not retrieval.refusal and self.llm is not None
                written = Written(tuple(self.prompt(retrieval)) if asked else (), draft)
            self._records.keep(record_of(self, retrieval, written, answer), retrieval, answer)
        except (RagError, OSError):  # an answer is worth more than its record
            return replace(answer, id="")
        return answer

    def _note(self, identity: str, written: Written) -> None:
        with self._noting:
            self._written[identity] = written
            if len(self._written) > _MOST_WRITTEN:  # whose answers nobody asked for
                del self._written[next(iter(self._written))]

    def _shown(self, retrieval: Retrieval) -> Sequence[Passage]:
        return retrieval.passages[: self.settings.retrieval.k]

    def _bounds(self, retrieval: Retrieval) -> tuple[str, int]:
        """What the model saw as one text, and how many numbers it may cite."""
        runs = merge_neighbours(self._shown(retrieval))
        return "\n".join(passage_text(run) for run in runs), len(runs)

    def _closeness(self, question: str, texts: Sequence[str]) -> list[float]:
        """Centred cosines of a question to sentences with their heading."""
        vectors = self.embedder.centre(
            self.embedder.embed_passages(texts), [language(text) for text in texts], side="window"
        )
        asked = self.embedder.centre(self.embedder.embed_query(question)[None], [language(question)], side="query")
        return [float(cosine) for cosine in vectors @ asked[0]]

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
        """What the language model says to a prompt without anything around it; empty where it fails or breaks off."""
        from langchain_core.messages import HumanMessage

        assert self.llm is not None
        try:
            with self._turns.place("", self.store.user.name) as turn:
                _ = list(turn)
                return "".join(self.llm.stream([HumanMessage(prompt)]))
        except LLMError:  # an answer is worth more than a second opinion of it
            return ""


def load_pipeline(
    settings: Settings, *, answers: bool = True, embedder: Embedder | None = None, llm: LanguageModel | None = None
) -> Pipeline:
    """A pipeline for the settings' knowledge base; without ``answers`` no language model is loaded.

    An ``embedder`` and an ``llm`` that are loaded already are used instead of second ones.

    Raises ModelError where weights are missing, StoreError where the store was made with another embedder.
    """
    embedder = embedder or load_embedder(settings.embedding)
    reranker = load_reranker(settings.retrieval)
    store = Store(settings.home, settings.kb)
    if not answers:
        return Pipeline(settings, store, embedder, None, reranker)
    from rag.llm import load_llm

    second = Entailment(settings.grounding.nli) if settings.grounding.nli else None
    return Pipeline(settings, store, embedder, llm or load_llm(settings.llm), reranker, second)


def _replied(retrieval: Retrieval) -> Answer:
    return Answer(
        question=retrieval.question, text=retrieval.reply, claims=(), citations=(), passages=(), refused=False, reason="",
        language=retrieval.language, timings=Timings(retrieval.seconds), kind=retrieval.kind,
    )  # fmt: skip


def _title(passage: Passage) -> str:
    return passage.chunk.heading.split(" › ")[0] or passage.chunk.document


def _noted(pieces: Iterator[str], into: list[str]) -> Iterator[str]:
    for piece in pieces:
        into.append(piece)
        yield piece


def _check_characters(text: str) -> None:
    if broken := next((c for c in text if "\ud800" <= c <= "\udfff"), ""):
        raise RagError(
            f"The question or the conversation holds half a character (U+{ord(broken):04X}). Type it again, in UTF-8."
        )


def _check(question: str) -> None:
    if len(question) > MOST_CHARACTERS:
        raise RagError(
            f"The question has {len(question):,} characters; at most {MOST_CHARACTERS:,} are read. Shorten it."
        )
    if not tokens(question):
        raise RagError(f"{question.strip()!r} is no question: it holds no word. Type one.")


def _worded(claim: Claim, spoken: Language) -> Claim:
    return replace(claim, why=say(claim.why, spoken)) if claim.why else claim
