"""What each ingredient of retrieval brings: every variant over the same chunks, vectors and questions, as a Markdown table.

    python -m bench.ablation FOLDER …        each with corpus.jsonl and qa.jsonl

All chunks of a set are scored for every question, without an index, so that only the formula differs. A question of a
conversation gets its last turn alone, but in the rows that say otherwise. Figures are hit@1 / hit@5 / MRR of documents.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from evaluation.corpus import ingest_corpus, scratch_settings
from evaluation.dataset import Question, load, resolve
from ingest.progress import reporter
from rag.embedder import load_embedder
from rag.followup import remembered
from rag.fusion import meaning, wording
from rag.lexical import explained_shares
from rag.retriever import question_vector
from rag.settings import RetrievalSettings, load_settings
from rag.store import Store, TermStatistics
from rag.text import language, tokens
from rag.types import Embedder, Turn

WEIGHT = RetrievalSettings().lexical_weight
Tokeniser = Callable[[str], list[str]]


@dataclass(slots=True)
class Set:
    """A question set over its chunks: questions × chunks of raw and centred cosines, and what the variants need."""

    name: str
    questions: list[Question]
    texts: list[str]
    names: list[str]
    owners: np.ndarray
    vectors: np.ndarray
    raw: np.ndarray
    whole: np.ndarray
    window: np.ndarray
    mixed: tuple[np.ndarray, np.ndarray]
    foreign: tuple[np.ndarray, np.ndarray]
    others: list[tuple[Turn, ...]]
    counted: dict[object, np.ndarray] = field(default_factory=dict)

    def shares(self, tokenise: Tokeniser = tokens, common: float = 1.0, before: str = "") -> np.ndarray:
        """L of every question and chunk; terms in more than a share ``common`` of the chunks are left out.

        ``before`` is "own" or "foreign" where words of that conversation count, too.
        """
        key = (tokenise, common, before)
        if key not in self.counted:
            self.counted[key] = self._count(tokenise, common, before)
        return self.counted[key]

    def _count(self, tokenise: Tokeniser, common: float, before: str) -> np.ndarray:
        documents = [tokenise(text) for text in self.texts]
        frequency = Counter(term for words in documents for term in set(words))
        mean = float(np.mean([len(words) for words in documents]))
        holding: dict[str, list[int]] = {}
        for number, words in enumerate(documents):
            for term in set(words):
                holding.setdefault(term, []).append(number)
        found = np.zeros((len(self.questions), len(documents)), np.float32)
        for row, question in enumerate(self.questions):
            terms: dict[str, float] = {}
            history = {"own": question.history, "foreign": self.others[row]}.get(before, ())
            for part in remembered(question.question, history):
                if part.words:
                    terms |= dict.fromkeys(tokenise(part.turn.content), part.words)
            terms |= dict.fromkeys(tokenise(question.question), 1.0)
            terms = {term: share for term, share in terms.items() if frequency[term] <= common * len(documents)}
            statistics = TermStatistics(len(documents), mean, {term: frequency[term] for term in terms})
            near = {i: documents[i] for i in {i for term in terms for i in holding.get(term, ())}}
            for i, share in explained_shares(terms, near, statistics).items():
                found[row, i] = share
        return found


def main() -> None:
    """Print the table."""
    embedder = load_embedder(load_settings().embedding)
    sets = [_load(Path(folder), embedder) for folder in sys.argv[1:]]
    columns = [f"{one.name} {kind}".strip() for one in sets for kind in _kinds(one)]
    print(f"| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name, variant in _variants().items():
        cells = []
        for one in sets:
            if name.startswith("conversation") and not any(question.history for question in one.questions):
                cells += ["" for _ in _kinds(one)]
                continue
            ranks = _ranks(one, variant(one))
            cells += [_figures(ranks[chosen]) for chosen in _kinds(one).values()]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _variants() -> dict[str, Callable[[Set], np.ndarray]]:
    def both(one: Set) -> np.ndarray:
        return _meaning(one.whole, one.window)

    def fusion(shares: np.ndarray, weight: float = WEIGHT) -> np.ndarray:
        return weight * np.vectorize(wording, otypes=[np.float32])(shares)

    return {
        "words alone (L)": lambda one: one.shares(),
        "whole chunks, as they are": lambda one: one.raw,
        "whole chunks, centred by language (D)": lambda one: one.whole,
        "sentence windows, centred (W)": lambda one: one.window,
        "0.3 D + 0.7 W": both,
        "reciprocal ranks of D and L, k = 60": lambda one: _reciprocal(one.whole) + _reciprocal(one.shares()),
        "D + 0.6 L (as before)": lambda one: one.whole + 0.6 * one.shares(),
        "D + 0.8 max(0, L − 0.1)": lambda one: one.whole + fusion(one.shares()),
        "W + 0.8 max(0, L − 0.1)": lambda one: one.window + fusion(one.shares()),
        "**0.3 D + 0.7 W + 0.8 max(0, L − 0.1)** (shipped)": lambda one: both(one) + fusion(one.shares()),
        "… with 0.5 D + 0.5 W": lambda one: 0.5 * one.whole + 0.5 * one.window + fusion(one.shares()),
        "… with λ 0.4": lambda one: both(one) + fusion(one.shares(), 0.4),
        "… with λ 1.2": lambda one: both(one) + fusion(one.shares(), 1.2),
        "… with 0.6 L, no threshold": lambda one: both(one) + 0.6 * one.shares(),
        "… with λ by query: 3 L · (best L)": _by_query,
        "… with English words stemmed (plural s)": lambda one: both(one) + fusion(one.shares(_stemmed)),
        "… without terms in a fifth of the chunks": lambda one: both(one) + fusion(one.shares(common=0.2)),
        "… 20 candidates of each half": lambda one: _among(one, both(one) + fusion(one.shares()), 20),
        "… 100 candidates of each half": lambda one: _among(one, both(one) + fusion(one.shares()), 100),
        "… with maximal marginal relevance, 0.8": lambda one: _diverse(one, both(one) + fusion(one.shares())),
        "conversation, exchange mixed in (shipped)": lambda one: (
            _meaning(*one.mixed) + fusion(one.shares(before="own"))
        ),
        "conversation, meaning mixed in, words not": lambda one: _meaning(*one.mixed) + fusion(one.shares()),
        "conversation, another one's exchange mixed in": lambda one: (
            _meaning(*one.foreign) + fusion(one.shares(before="foreign"))
        ),
    }


def _load(folder: Path, embedder: Embedder) -> Set:
    settings = scratch_settings(load_settings(), folder / "corpus.jsonl")
    ingest_corpus(settings, folder / "corpus.jsonl", reporter(sys.stderr))
    with Store(settings.home, settings.kb) as store:
        names = [document.name for document in store.documents()]
        questions = [q for q in resolve(load(folder / "qa.jsonl"), names, folder / "qa.jsonl") if q.relevant]
        whole, windows = store.vector_tables(store.chunk_marks()[0])
        chunks = store.chunks_by_id(whole.ids.tolist())
    texts = [chunks[i].indexed_text for i in whole.ids.tolist()]
    owners = np.array([names.index(chunks[i].document) for i in whole.ids.tolist()])
    spoken = [language(question.question) for question in questions]
    asked = np.stack([embedder.embed_query(question.question) for question in questions])
    centred = embedder.centre(asked, spoken, side="query")
    vectors = embedder.centre(whole.vectors, whole.languages)
    pieces = embedder.centre(windows.vectors, windows.languages, side="window")
    starts = np.searchsorted(windows.ids, whole.ids)

    def after(histories: Sequence[Sequence[Turn]]) -> np.ndarray:
        pairs = zip([question.question for question in questions], histories, strict=True)
        return np.stack([question_vector(text, remembered(text, told), embedder) for text, told in pairs])

    mixed = after([question.history for question in questions])
    # The subject changes: every question comes after the conversation of one half the set away.
    told = [question.history for question in questions if question.history] or [()]
    others = [told[(row + len(told) // 2) % len(told)] for row in range(len(questions))]
    foreign = after(others)

    def best(of: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.maximum.reduceat(of @ pieces.T, starts, axis=1)
        return found

    return Set(folder.name, questions, texts, names, owners, vectors, asked @ whole.vectors.T, centred @ vectors.T,
               best(centred), (mixed @ vectors.T, best(mixed)), (foreign @ vectors.T, best(foreign)), others)  # fmt: skip


def _kinds(one: Set) -> dict[str, np.ndarray]:
    """The questions in parts: those in their document's language and the others, where the set has both."""
    crossed = np.array([bool(question.meta.get("cross_lingual")) for question in one.questions])
    return {"same": ~crossed, "cross": crossed} if crossed.any() else {"": ~crossed}


def _ranks(one: Set, scores: np.ndarray) -> np.ndarray:
    """For each question the rank of its best relevant document; a document's score is its best chunk's."""
    documents = np.full((len(scores), len(one.names)), -np.inf, np.float32)
    for chunk, owner in enumerate(one.owners):
        documents[:, owner] = np.maximum(documents[:, owner], scores[:, chunk])
    wanted = [[one.names.index(name) for name in question.relevant] for question in one.questions]
    # A tie counts against it: what no term matches has not been found.
    return np.array([max(1, (row >= row[own].max()).sum()) for row, own in zip(documents, wanted, strict=True)])


def _figures(ranks: np.ndarray) -> str:
    return " / ".join(f"{value:.3f}".lstrip("0") if value < 1 else "1.000" for value in
                      ((ranks <= 1).mean(), (ranks <= 5).mean(), (1 / ranks).mean()))  # fmt: skip


def _meaning(whole: np.ndarray, window: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.vectorize(meaning, otypes=[np.float32])(whole, window)
    return found


def _reciprocal(scores: np.ndarray) -> np.ndarray:
    ranks = scores.shape[1] - np.argsort(np.argsort(scores, axis=1), axis=1)
    return np.where(scores > 0, 1 / (60 + ranks), 0.0)


def _by_query(one: Set) -> np.ndarray:
    shares = one.shares()
    return _meaning(one.whole, one.window) + 3 * shares * shares.max(axis=1, keepdims=True)


def _stemmed(text: str) -> list[str]:
    """Tokens with the plural s taken off (Harman 1991)."""
    rules: Sequence[tuple[str, str]] = ((r"(?<![ea])ies$", "y"), (r"(?<![aeo])es$", "e"), (r"(?<![us])s$", ""))
    found = []
    for token in tokens(text):
        rule = next(((ending, put) for ending, put in rules if len(token) > 3 and re.search(ending, token)), None)
        found.append(re.sub(*rule, token) if rule else token)
    return found


def _among(one: Set, scores: np.ndarray, depth: int) -> np.ndarray:
    """The scores of the union of both halves' best, nothing for the rest."""
    listed = np.zeros(scores.shape, bool)
    for half in (one.whole, one.shares()):
        best = np.argsort(-half, axis=1)[:, :depth]
        there = np.zeros(scores.shape, bool)
        np.put_along_axis(there, best, np.take_along_axis(half, best, 1) > 0, 1)
        listed |= there
    return np.where(listed, scores, -9)


def _diverse(one: Set, scores: np.ndarray, depth: int = 30) -> np.ndarray:
    """Maximal marginal relevance (Carbonell and Goldstein 1998) over the best: their order becomes the score."""
    found = np.full(scores.shape, -9.0, np.float32)
    for row, own in enumerate(scores):
        left = np.argsort(-own)[:depth].tolist()
        taken: list[int] = []
        while left:
            near = (one.vectors[left] @ one.vectors[taken].T).max(axis=1) if taken else np.zeros(len(left))
            chosen = left.pop(int(np.argmax(0.8 * own[left] - 0.2 * near)))
            found[row, chosen] = -len(taken)
            taken.append(chosen)
    return found


if __name__ == "__main__":
    main()
