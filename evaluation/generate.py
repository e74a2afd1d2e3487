"""``python -m evaluation generate``: draft a question set from documents, or make one of what people said of answers.

A draft is kept only where its answer stands in its passage, it is a question by itself, and neither it nor its document's
title gives the answer away. Each is marked as a draft: a person is to look at it.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.collected import DRAFTED, FEEDBACK, sets_folder
from evaluation.dataset import Question
from evaluation.metrics import fold, gold_contained
from rag.errors import RagError
from rag.text import language
from rag.types import Chunk, Language

if TYPE_CHECKING:
    from evaluation.results import ObservedModel
    from rag.settings import Settings
    from rag.store import Store

_SEED = 0
_LEAST = 60  # characters of a passage worth a question, a Chinese one counting twice
_LONGEST = 15  # words and CJK characters of an answer
_TRIES = 5  # passages tried for each question wanted
_ASK: dict[Language, str] = {
    "zh": "请根据下面的段落出一道题，检验读者能否在资料中找到这条信息。\n"
    "要求：\n"
    "1. 问题要单独看得懂：写明所问事物的完整名称，不要出现“本文”“该段”“上述”“文中”，不要用“它”“这个”指代。\n"
    "2. 答案照抄段落中的原文，越短越好：一个数字、日期、名称或短语。\n"
    "3. 问题里不能出现答案。\n"
    "只写两行，格式如下：\n问：（问题）\n答：（答案）\n\n"
    "标题：{heading}\n段落：\n{text}",
    "en": "Write one question that tests whether a reader can find a piece of information in a library of documents.\n"
    "Rules:\n"
    "1. The question must be clear by itself: give the full name of what it asks about. Never write “this passage”, “the "
    "document”, “the text”, “the author” or “it”.\n"
    "2. Copy the answer from the passage word for word, as short as possible: a number, a date, a name or a short phrase.\n"
    "3. The question must not contain the answer.\n"
    "Write exactly two lines:\nQ: (question)\nA: (answer)\n\n"
    "Title: {heading}\nPassage:\n{text}",
}
_GUESS: dict[Language, str] = {
    "zh": "只有一个标题：{heading}\n问题：{question}\n请用几个字回答；不知道就写“不知道”。",
    "en": "All you have is a title: {heading}\nQuestion: {question}\nAnswer in a few words; write “unknown” if you don't know.",
}
_LINE = re.compile(
    r"^\W*(?:\d+\W+)?(问|答|q|a|question|answer|问题|答案)[\s*_]*[:：]\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE
)
_POINTS_AT_ITSELF = re.compile(
    r"本文|该文|上文|下文|文中|这段|该段|此段|段落|上述|前述|以上|该文档|本节|标题|作者|它|这个|这些|此方法|该方法|哪个方法|"
    r"\b(?:passage|paragraph|text|document|article|section|authors?|title|excerpt|mentioned|above|below|following|it|they|"
    r"this|these)\b",
    re.IGNORECASE,
)


def main(arguments: Sequence[str]) -> int:
    """Draft, print what was dropped and why, and write what is left."""
    options = _parser().parse_args(arguments)
    try:
        return _generate(options)
    except RagError as error:
        print(error, file=sys.stderr)
        return 1


def drafted(reply: str) -> tuple[str, str] | None:
    """The question and the answer of a model's reply; None where it does not hold both."""
    found: dict[str, str] = {}
    for label, text in _LINE.findall(reply):
        kind = "question" if label.lower() in ("问", "q", "question", "问题") else "answer"
        found.setdefault(kind, text.strip(' \t*_`“”"（）()').strip())
    question, answer = found.get("question", ""), found.get("answer", "").rstrip("。.；;，,")
    return (question, answer) if question and answer else None


def fault(question: str, answer: str, chunk: Chunk) -> str:
    """Why a drafted question is no good; empty where nothing can be told without a model."""
    if not question.endswith(("?", "？")):
        return "no question"
    if not gold_contained(chunk.text, [answer]):
        return "the answer is not in the passage"
    words = fold(answer)
    if len(words) > _LONGEST or (len("".join(words)) < 2 and not "".join(words).isdecimal()):
        return "the answer is too long or too short"
    if gold_contained(question, [answer]):
        return "the question gives the answer away"
    if gold_contained(chunk.heading, [answer]):
        return "the title gives the answer away"
    if _POINTS_AT_ITSELF.search(question):
        return "not a question by itself"
    return ""


def passages(store: Store, names: Sequence[str], most: int) -> Iterator[Chunk]:
    """At most so many passages to ask about, the same ones every time.

    One of each document, both languages in turn, then another of each; of more documents than that, some.
    """
    draw = random.Random(_SEED)
    chosen = draw.sample(sorted(names), min(most, len(names)))
    waiting: dict[Language, list[list[Chunk]]] = {"zh": [], "en": []}
    for name in chosen:
        chunks = [chunk for chunk in store.chunks(name) if _weight(chunk.text) >= _LEAST]
        if chunks:
            draw.shuffle(chunks)
            waiting[language(chunks[0].text)].append(chunks)
    while most > 0 and any(waiting.values()):
        for documents in waiting.values():
            if documents and most > 0:
                most -= 1
                chunks = documents.pop(0)
                yield chunks.pop()
                if chunks:
                    documents.append(chunks)


class Drafting:
    """Asks a model for questions and keeps the good ones; ``dropped`` counts the others by reason."""

    def __init__(self, model: ObservedModel, known: Sequence[Question] = ()) -> None:
        self._model = model
        self._asked = {_folded(question.question) for question in known}
        self.dropped: Counter[str] = Counter()

    def draft(self, chunk: Chunk) -> Question | None:
        """A question about a passage, or None where what the model wrote is no good."""
        spoken = language(chunk.text)
        made = drafted(self._said(_ASK[spoken].format(heading=chunk.heading or "–", text=chunk.text)))
        why = fault(*made, chunk) if made else "not in the form that was asked for"
        if made and not why:
            question, answer = made
            if _folded(question) in self._asked:
                why = "asked before"
            elif gold_contained(self._said(_GUESS[spoken].format(heading=chunk.heading, question=question)), [answer]):
                why = "the title gives the answer away"
        if not made or why:
            self.dropped[why] += 1
            return None
        self._asked.add(_folded(question))
        meta = {"draft": True, "language": spoken, "model": self._model.name}
        meta |= {"page": chunk.page} if chunk.page is not None else {}
        identity = f"draft {chunk.document} {chunk.ordinal}"
        return Question(identity, question, (answer,), (chunk.document,), meta=meta)

    def _said(self, prompt: str) -> str:
        from langchain_core.messages import HumanMessage

        return "".join(self._model.stream([HumanMessage(prompt)]))


def _generate(options: argparse.Namespace) -> int:
    from evaluation.dataset import load
    from evaluation.report import check_place
    from rag.settings import load_settings

    settings = load_settings(options.home, options.kb)
    name = FEEDBACK if options.from_feedback else DRAFTED
    out = options.out or sets_folder(settings.home, settings.kb) / name
    check_place(out)
    known = load(out) if out.exists() else []
    return (
        _from_feedback(settings, out, known)
        if options.from_feedback
        else _from_documents(settings, options, out, known)
    )


def _from_documents(settings: Settings, options: argparse.Namespace, out: Path, known: list[Question]) -> int:
    from evaluation.__main__ import Progress
    from evaluation.results import ObservedModel, Results
    from rag.llm import load_llm
    from rag.store import Store
    from rag.types import Filter

    with Store(settings.home, settings.kb) as store:
        names = [document.name for document in store.documents(Filter(documents=tuple(options.documents)))]
        chosen = list(passages(store, names, _TRIES * options.count))
        if not chosen:
            what = f"no document like {', '.join(options.documents)}" if options.documents else "no text"
            raise RagError(f"Knowledge base {settings.kb!r} holds {what}. Type `python -m ingest PATH` first.")
        drafting = Drafting(ObservedModel(load_llm(settings.llm), Results(store)), known)
        made: list[Question] = []
        progress, stopped = Progress("questions drafted"), False
        try:
            for chunk in chosen:
                progress(len(made), options.count)
                if question := drafting.draft(chunk):
                    made.append(question)
                if len(made) == options.count:
                    break
        except KeyboardInterrupt:
            stopped = True
    progress(len(made), len(made))
    _save(out, [*known, *_new(made, known)])
    tried = len(made) + drafting.dropped.total()
    print(f"{len(made)} of {tried} drafts kept: {out}. Look at each before you measure with them.")
    for why, count in drafting.dropped.most_common():
        print(f"  {count} dropped: {why}")
    if stopped:
        print("Stopped; the model's drafts are kept. Type the same command to go on.", file=sys.stderr)
    return 130 if stopped else 0


def _from_feedback(settings: Settings, out: Path, known: list[Question]) -> int:
    from evaluation.collected import from_feedback

    made, unknown = from_feedback(settings.home, settings.kb)
    new = _new(made, known)
    if not made and not known:
        raise RagError(
            f"Nobody has said yet what is right about an answer from {settings.kb!r}. Use the thumbs below the answers, and "
            "write what would be right below a wrong one."
        )
    _save(out, [*known, *new])
    print(f"{len(new)} new questions of {len(made)} with feedback: {out}.")
    if unknown:
        print(f"  {unknown} left out: called wrong, without a word of what would be right")
    return 0


def _new(made: Sequence[Question], known: Sequence[Question]) -> list[Question]:
    """Those that are not in the set yet; what a person has changed there stays."""
    there = {(_folded(q.question), q.history) for q in known} | {(q.id, ()) for q in known}
    return [q for q in made if (_folded(q.question), q.history) not in there and (q.id, ()) not in there]


def _save(out: Path, questions: list[Question]) -> None:
    from evaluation.dataset import save

    out.parent.mkdir(parents=True, exist_ok=True)
    save(out, questions)


def _folded(text: str) -> str:
    return " ".join(fold(text))


def _weight(text: str) -> int:
    return sum(2 if "\u3400" <= c <= "\u9fff" else 1 for c in text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation generate",
        description="Draft a question set from your documents with the language model that is set, or make one of the thumbs "
        "and corrections that people gave in the app.",
    )
    parser.add_argument("--count", type=_count, default=50, metavar="N", help="questions to draft (50)")
    parser.add_argument(
        "--documents",
        action="append",
        default=[],
        metavar="NAME",
        help="only from this document, or a glob (repeatable)",
    )
    parser.add_argument("--from-feedback", action="store_true", help="of thumbs and corrections, without a model")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"the set to write or add to (default: {DRAFTED} or {FEEDBACK}, in the app)",
    )
    parser.add_argument("--home", type=Path, metavar="DIR", help="default $FOOTNOTE_HOME, then data/")
    parser.add_argument("--kb", metavar="NAME", help="knowledge base (default: default)")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return int(text)
