"""Fit the probability that a question can be answered, from question sets given as folders with corpus.jsonl and qa.jsonl.

    python -m bench.answerable FOLDER FOLDER …      writes rag/builtin/answerable.json

Every answerable question is asked twice: with its documents, and with them withheld. Each set weighs the same, and the
area under the curve that is printed for a set is that of a fit on the other sets.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import numpy as np

from evaluation.corpus import ingest_corpus, scratch_settings
from evaluation.dataset import load, resolve
from ingest.progress import reporter
from rag.answerable import FEATURES, WEIGHTS, features
from rag.pipeline import load_pipeline
from rag.settings import load_settings
from rag.store import Store

_QUESTIONS = 300
_PASSAGES = 10


def main() -> None:
    """Fit on all sets, write the weights, print how a fit on the others does on each."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    sets = {folder.name: _examples(folder) for folder in map(Path, sys.argv[1:])}
    for name, (x, y) in sets.items():
        others = [sets[other] for other in sets if other != name] or [(x, y)]
        model = LogisticRegression(C=10, max_iter=1000).fit(*_stack(others))
        print(f"{name}: AUC {roc_auc_score(y, model.predict_proba(x)[:, 1]):.3f} with a fit on the others")
    model = LogisticRegression(C=10, max_iter=1000).fit(*_stack(list(sets.values())))
    fitted = {
        "weights": dict(zip(FEATURES, model.coef_[0].round(4).tolist(), strict=True)),
        "bias": round(float(model.intercept_[0]), 4),
        "fitted_on": sorted(sets),
    }
    WEIGHTS.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")
    _curve(sets, model)


def _examples(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    settings = scratch_settings(load_settings(), folder / "corpus.jsonl")
    ingest_corpus(settings, folder / "corpus.jsonl", reporter())
    with Store(settings.home, settings.kb) as store:
        questions = resolve(
            load(folder / "qa.jsonl"), [document.name for document in store.documents()], folder / "qa.jsonl"
        )
    questions = [question for question in questions if question.answerable and question.relevant]
    random.Random(0).shuffle(questions)
    retriever = load_pipeline(settings, answers=False).retriever
    x, y = [], []
    for question in questions[:_QUESTIONS]:
        for hidden in ((), question.relevant):
            if found := retriever.search(question.question, _PASSAGES, hidden):
                x.append(features(question.question, found))
                y.append(not hidden)
    return np.array(x), np.array(y)


def _stack(sets: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    size = min(len(x) for x, _ in sets)
    return np.concatenate([x[:size] for x, _ in sets]), np.concatenate([y[:size] for _, y in sets])


def _curve(sets: dict[str, tuple[np.ndarray, np.ndarray]], model: object) -> None:
    print("refused among the withheld / among the answerable, by threshold")
    for name, (x, y) in sets.items():
        p = model.predict_proba(x)[:, 1]  # type: ignore[attr-defined]
        row = [f"{t}: {(p[~y] < t).mean():.2f}/{(p[y] < t).mean():.2f}" for t in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)]
        print(f"  {name}: {'  '.join(row)}")


if __name__ == "__main__":
    main()
