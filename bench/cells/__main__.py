"""Whether a question about one cell of a table finds its row, and whether the row says what the cell is.

    python -m bench.cells [QUESTIONS.jsonl] --corpus FOLDER

A question's ``meta`` names the row and the column of its answer. A passage counts where it is of the right document and
one of its lines holds the value and the words of the row; as "named" where the same line holds those of the column too.
`python -m evaluation` takes the same file and measures documents.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.__main__ import ingested
from evaluation.dataset import Question, load, resolve
from rag.errors import RagError
from rag.pipeline import load_pipeline
from rag.settings import load_settings
from rag.store import Store
from rag.types import Passage

_DEPTHS = (1, 5)
_WORD = re.compile(r"[^\W_]+(?:[.,][^\W_]+)*")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the shares of questions whose row is among the first passages, and the questions whose row is not."""
    parser = argparse.ArgumentParser(prog="python -m bench.cells", description=__doc__.split("\n")[0])
    parser.add_argument("questions", nargs="?", type=Path, default=Path(__file__).parent / "filings.jsonl")
    parser.add_argument("--corpus", type=Path, required=True)
    options = parser.parse_args(arguments)
    settings = ingested(load_settings(None, None), options.corpus)
    with Store(settings.home, settings.kb) as store:
        names = [document.name for document in store.documents()]
    questions = resolve(load(options.questions), names, options.questions)
    pipeline = load_pipeline(settings, answers=False)
    ranks = [_ranks(question, pipeline.retrieve(question.question, k=max(_DEPTHS)).passages) for question in questions]
    for number, what in enumerate(("row", "row, its column named")):
        shares = (sum(rank[number] <= depth for rank in ranks) / len(ranks) for depth in _DEPTHS)
        told = " / ".join(f"{share:.2f}" for share in shares)
        print(f"{what}: hit@1 / hit@{_DEPTHS[-1]} of passages {told}, n = {len(ranks)}")
    for question, rank in zip(questions, ranks, strict=True):
        if rank[1] > _DEPTHS[-1]:
            print(
                f"  {question.id}: row at {rank[0] if rank[0] <= _DEPTHS[-1] else 'none'}, unnamed: {question.question}"
            )
    return 0


def _ranks(question: Question, passages: Sequence[Passage]) -> tuple[int, int]:
    """The rank of the first passage with the row, and of the first where it names its column; beyond all where none."""
    row = {*_words(question.answers[0]), *_words(str(question.meta["row"]))}
    named = row | _words(str(question.meta["column"]))
    return _first(question, passages, row), _first(question, passages, named)


def _first(question: Question, passages: Sequence[Passage], words: set[str]) -> int:
    for rank, passage in enumerate(passages, start=1):
        if passage.chunk.document in question.relevant and any(
            words <= _words(line) for line in passage.chunk.text.split("\n")
        ):
            return rank
    return len(passages) + _DEPTHS[-1]


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RagError as error:
        sys.exit(str(error))
