"""How well the support check tells supported claims from unsupported ones.

    python -m bench.claims FOLDER … [--half dev|held-out] [--show KIND] [--refusal]

Each FOLDER is a question set: corpus.jsonl and qa.jsonl. Two kinds of claims are checked against passages of its
documents:

- claims made by rule from the set, the same ones every time: true ones (question and gold answer as a statement, the
  answer alone, a sentence of the source, across languages the question and answer in the other one), and false ones (a
  changed number, date, unit or name, another answer, a negation, a true statement whose document is withheld);
- sentences that the built-in model wrote, each read against its passages and labelled by hand (claims/labelled.jsonl:
  the model's words, and the places of the passages in the corpus).

Precision: of the claims that the check supports, those that truly are. Recall: of the supported ones, those that it
supports. Unflagged: the unsupported that reach a reader without a flag, of all claims. The documents are split in two
halves by their names; rules and constants were chosen on ``dev`` alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import log
from pathlib import Path
from typing import Any

from evaluation.dataset import Question, load
from ingest.splitter import split
from rag.claims import sentences
from rag.errors import RagError
from rag.grounding import Meaning, ground
from rag.literals import stated_numbers
from rag.settings import EmbeddingSettings, IngestSettings
from rag.text import CJK_CHARACTER, language, tokens
from rag.types import Chunk, Page, ParsedDocument, Passage

LABELLED = Path(__file__).parent / "claims" / "labelled.jsonl"
_SEED = 11
# Claims of one kind, language and half from one set: as many true ones in the end as false ones, of which are more kinds.
_MOST_TRUE = 30
_MOST_FALSE = 8
_PASSAGES = 4

_ZH_ASKED = re.compile(
    r"(?:什么(?:时候|时间|地方|地区|人|名字)?|何时|何地|何处|何人|谁|哪(?:一)?(?:年|里|儿|天|些|[个位部种座家所本首支条])?"
    r"|多少|几(?=[个年条名位次种座家部岁天月层所]))"
)
_EN_BE = re.compile(r"(?:When|Where|In what \w+|What year) (was|were|is|are) (.+?) (\w+(?:ed|en|orn|uilt|ound|eld))$")
_EN_SUBJECT = re.compile(
    r"(?:Who|What|Which)(?! (?:do|did|does|kind|type)\b)"
    r"(?:(?: \w+){0,2}?(?= (?:is|was|are|were|has|had|can|could|will|would|\w+ed|set|came|led|won|made|wrote|gave|took)\b))"
)
_MONTHS = "January February March April May June July August September October November December".split()
_EN_DATE = re.compile(
    rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}}),? (\d{{4}})\b|\b(\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{4}})\b"
)
_ZH_DATE = re.compile(r"\d{4}年(\d{1,2})月(?:\d{1,2}日)?|(?<!\d)(\d{1,2})月\d{1,2}日")
_YEAR = re.compile(r"(?<![\d,.])1[5-9]\d\d(?![\d,.%])|(?<![\d,.])20[0-2]\d(?![\d,.%])")
_DIGITS = re.compile(r"(?<![\d,.\w-])\d[\d,]*(?:\.\d+)?(?![\d.-]*\d)")
_UNIT = re.compile(
    r"(?<=\d)( ?)(km|kilometers|kilometres|miles|metres|meters|kg|percent|per cent|%|years|days|hours|months"
    r"|公里|千米|米|公分|厘米|公斤|吨|天|小时|分钟)(?![a-zA-Z])"
)
_OTHER_UNIT = {
    "km": "kg", "kilometers": "kilograms", "kilometres": "kilograms", "miles": "tonnes", "metres": "litres", "meters": "liters",
    "kg": "km", "percent": "miles", "per cent": "miles", "%": " km", "years": "days", "days": "years", "hours": "weeks",
    "months": "hours", "公里": "公斤", "千米": "公斤", "米": "吨", "公分": "公斤", "厘米": "公斤", "公斤": "公里", "吨": "公里",
    "天": "小时", "小时": "周", "分钟": "天",
}  # fmt: skip
_EN_NOT = re.compile(r"\b(is|are|was|were|has|have|had|can|could|will|would|may|must|should)\b(?! not)")
_ZH_NOT = re.compile(r"(?<![不没未可只还就但要])(是|能够|可以|位于|属于|包括)(?!否)")
_NAME = re.compile(r"(?:[A-Z][\w'’.-]+)(?: (?:of|the|de|von|and|[A-Z][\w'’.-]+|[IVX]+))*")


@dataclass(frozen=True, slots=True)
class Case:
    """A claim with its question and passages, and whether they truly support it; ``document`` decides the half."""

    source: str
    kind: str
    question: str
    claim: str
    passages: tuple[Passage, ...]
    supported: bool
    document: str


class Collection:
    """A question set with its documents cut into passages, found by their rare words."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.questions = load(folder / "qa.jsonl")
        with (folder / "corpus.jsonl").open(encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
        self.titles = {r["id"]: r["title"] for r in records}
        self.texts = {r["id"]: r["text"] for r in records}
        self.passages: dict[str, list[Passage]] = {}
        self._holding: dict[str, list[Passage]] = defaultdict(list)
        number = 0
        for record in records:
            document = ParsedDocument(record["title"], (Page(None, record["text"]),))
            found = []
            for chunk in split(document, record["id"], IngestSettings()):
                number += 1
                found.append(_passage(replace(chunk, id=number)))
                for token in set(tokens(chunk.indexed_text)):
                    self._holding[token].append(found[-1])
            self.passages[record["id"]] = found
        self._count = number

    def nearest(self, question: str, without: Callable[[Passage], bool]) -> list[Passage]:
        """The passages that share most of the question's rare words, less some."""
        weights: Counter[int] = Counter()
        by_id: dict[int, Passage] = {}
        for token in set(tokens(question)):
            holding = self._holding[token]
            if len(holding) > self._count / 10:
                continue
            for passage in holding:
                weights[passage.chunk.id] += int(1000 * log(self._count / len(holding)))
                by_id[passage.chunk.id] = passage
        ranked = (by_id[i] for i, _ in weights.most_common(60))
        return [p for p in ranked if not without(p)][:_PASSAGES]

    def shown(self, question: str, document: str, answer: str = "") -> tuple[Passage, ...]:
        """A document's passage with the answer, if any, amid the nearest others of the set."""
        own = [p for p in self.passages[document] if not answer or answer in p.chunk.text]
        best = (
            own[0]
            if answer and own
            else next(iter(self.nearest(question, lambda p: p.chunk.document != document)), None)
        )
        if best is None:
            return ()
        others = self.nearest(question, lambda p: p.chunk.id == best.chunk.id)
        return (*others[:1], best, *others[1 : _PASSAGES - 1])


def main() -> None:
    """Print precision and recall, overall and by kind."""
    parser = argparse.ArgumentParser(prog="python -m bench.claims", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--half", choices=("dev", "held-out"), help="only the claims of this half of the documents")
    parser.add_argument(
        "--refusal",
        action="store_true",
        help="also put the labelled sentences through the whole pipeline, refusals included",
    )
    parser.add_argument("--show", metavar="KIND", help="print the claims of this kind that are judged wrongly")
    args = parser.parse_args()
    try:
        cases = [case for folder in args.folders for case in claims(Collection(folder))]
    except RagError as error:
        sys.exit(str(error))
    for half in (args.half,) if args.half else ("dev", "held-out"):
        print(f"\n{half}")
        report([case for case in cases if half_of(case.document) == half], meaning(), args.show)
    if args.refusal:
        shown_after_refusal(args.folders)


def shown_after_refusal(folders: Sequence[Path]) -> None:
    """Print how many labelled sentences, as the only ones of an answer, a reader would see, and how many of these are wrong."""
    from evaluation.__main__ import ingested
    from evaluation.dataset import withheld_question
    from rag.pipeline import load_pipeline
    from rag.settings import TraceSettings, load_settings

    unrecorded = replace(load_settings(), trace=TraceSettings(keep=0))
    outcomes: Counter[tuple[bool, bool]] = Counter()
    with LABELLED.open(encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    for folder in folders:
        settings = ingested(unrecorded, folder / "corpus.jsonl")
        pipeline = load_pipeline(settings, answers=False)
        documents = {d.name.partition("#")[2]: d.name for d in pipeline.store.documents()}
        questions = {question.id: question for question in load(folder / "qa.jsonl")}
        for entry in (entry for entry in entries if entry["set"] == folder.name):
            question = questions[entry["id"]]
            hidden = withheld_question(question).withhold if entry["withheld"] else ()
            retrieval = pipeline.retrieve(
                question.question, question.history, withhold=[documents[name] for name in hidden]
            )
            answer = pipeline.finish(retrieval, entry["claim"])
            seen = not answer.refused and answer.kind == "answer" and all(c.supported for c in answer.claims)
            outcomes[entry["supported"], seen] += 1
    count = sum(outcomes.values())
    print(f"\nthrough the whole pipeline, refusals included: {count} labelled sentences, {outcomes[True, True]} right and "
          f"{outcomes[False, True]} wrong ones shown without a flag ({outcomes[False, True] / count:.3f} of all)")  # fmt: skip


def half_of(document: str) -> str:
    """The half that a document belongs to, by a hash of its name; both languages of a document are in one."""
    return "dev" if hashlib.sha256(re.sub(r"-(?:zh|en)$", "", document).encode()).digest()[0] % 2 else "held-out"


def claims(collection: Collection) -> Iterator[Case]:
    """The labelled claims of a set, those made by rule first."""
    yield from made(collection)
    yield from labelled(collection)


def report(cases: Sequence[Case], meaning: Meaning, show: str | None = None) -> None:
    """Print a table of the claims by kind, then the totals."""
    rows: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for case in cases:
        _, found, _ = ground(case.question, case.claim, case.passages, [[p] for p in case.passages], meaning)
        said = bool(found) and all(claim.supported for claim in found)
        where = "by hand" if case.kind.startswith("model") else "by rule"
        for row in (f"  {case.kind}", case.source, f"all {where}"):
            rows[row].append((case.supported, said))
        if show and show in case.kind and said != case.supported:
            why = "; ".join(claim.why for claim in found)
            print(f"{case.source} {case.kind}: {case.question!r} → {case.claim!r} {why}")
    print(f"{'':44} claims  true  precision  recall  unflagged")
    for row in sorted(rows, key=lambda name: (not name.startswith("  "), name)):
        print(f"{row:44} {_figures(rows[row])}")


def _figures(judged: Sequence[tuple[bool, bool]]) -> str:
    true = sum(label for label, _ in judged)
    said = sum(said for _, said in judged)
    right = sum(label and said for label, said in judged)
    precision = f"{right / said:.3f}" if said and true else "-"
    recall = f"{right / true:.3f}" if true else "-"
    return f"{len(judged):6} {true:5} {precision:>10} {recall:>7} {(said - right) / len(judged):10.3f}"


def meaning() -> Meaning:
    """Centred cosines by the built-in embedder, which is loaded when first asked; each sentence is embedded once."""
    import numpy as np

    from rag.embedder import load_embedder

    known: dict[str, Any] = {}
    loaded: list[Any] = []

    def cosines(claim: str, pieces: Sequence[str]) -> Sequence[float]:
        if not loaded:
            loaded.append(load_embedder(EmbeddingSettings()))
        texts = [claim, *pieces]
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            vectors = loaded[0].centre(loaded[0].embed_passages(new), [language(text) for text in new])
            known.update(zip(new, vectors, strict=True))
        return [float(c) for c in np.stack([known[text] for text in pieces]) @ known[claim]]

    return cosines


def labelled(collection: Collection) -> Iterator[Case]:
    """The model's sentences about a set, labelled by hand."""
    questions = {question.id: question for question in collection.questions}
    with LABELLED.open(encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            if entry["set"] != collection.name:
                continue
            question = questions[entry["id"]]
            passages = tuple(
                _passage(Chunk(n, document, 0, collection.titles[document], None,
                               collection.texts[document][start:end], start, end))
                for n, (document, start, end) in enumerate(entry["passages"], 1)
            )  # fmt: skip
            kind = "model, document withheld" if entry["withheld"] else "model"
            document = question.relevant[0] if question.relevant else question.id
            yield Case(
                collection.name, kind, question.question, entry["claim"], passages, entry["supported"], document
            )  # fmt: skip


def made(collection: Collection) -> Iterator[Case]:
    """Claims made by rule, at most a few dozen of each kind and language."""
    chance = random.Random(_SEED)
    questions = [q for q in collection.questions if q.answerable and q.answers and q.relevant and not q.history]
    chance.shuffle(questions)
    counts: Counter[tuple[str, str]] = Counter()
    for question in questions:
        for case in _of_question(collection, question, questions, chance):
            key = (case.kind, half_of(case.document))
            if case.claim and case.passages and counts[key] < (_MOST_TRUE if case.supported else _MOST_FALSE):
                counts[key] += 1
                yield case


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the claims of one question; ``questions`` lend their answers."""

    collection: Collection
    questions: Sequence[Question]
    chance: random.Random
    question: Question
    spoken: str
    answers: Sequence[str]

    @property
    def document(self) -> str:
        """The question's document."""
        return self.question.relevant[0]

    def case(self, kind: str, claim: str, supported: bool, passages: Sequence[Passage]) -> Case:
        """A claim of a kind."""
        asked = self.question.question
        return Case(
            self.collection.name, f"{kind}, {self.spoken}", asked, claim, tuple(passages), supported, self.document
        )

    def cross_lingual(self) -> Iterator[Case]:
        """The gold answer in the question's language, over a document in the other one."""
        asked, held = self.question.question, self.held()
        own = [a for a in self.answers if language(a) == self.spoken] or list(self.answers)
        if not own or not held:
            return
        shown = self.collection.shown(asked, self.document, held)
        yield self.case("cross-lingual: statement", statement(asked, own[0]), True, shown)
        if other := self.other_answer(own[0]):
            yield self.case("cross-lingual: other answer", statement(asked, other), False, shown)
        without = _elsewhere(self.collection, self.question, self.answers)
        yield self.case("cross-lingual: document withheld", statement(asked, own[0]), False, without)

    def stated(self, answer: str, shown: Sequence[Passage]) -> Iterator[Case]:
        """Question and answer as a statement, with the right answer and with others."""
        asked = self.question.question
        true = statement(asked, answer)
        yield self.case("statement", true, True, shown)
        yield self.case("answer alone", answer, True, shown)
        if other := self.other_answer(answer):
            kind = "other name" if _is_name(answer, asked) else "other answer"
            kind = "other number" if stated_numbers(answer) else kind
            yield self.case(kind, statement(asked, other), False, shown)
            yield self.case(f"{kind}, alone", other, False, shown)
        if other := self.other_answer(answer, self.document):
            yield self.case("other answer of the document", statement(asked, other), False, shown)
        without = _elsewhere(self.collection, self.question, self.answers)
        yield self.case("statement, document withheld", true, False, without)
        if negative := negated(true, self.chance):
            yield self.case("statement, negated", negative, False, shown)

    def sentence(self, answer: str, shown: Sequence[Passage]) -> Iterator[Case]:
        """A sentence of the source, as it is and with one thing changed."""
        sentence = _sentence_with(shown, answer, self.document, None if answer else self.chance)
        if not 20 <= len(sentence) <= 400:
            return
        text = "\n".join(p.chunk.text for p in shown)
        yield self.case("sentence of the source", sentence, True, shown)
        changes = {"number": _other_number, "date": _other_date, "unit": _other_unit, "negation": negated}
        for kind, change in changes.items():
            if (changed := change(sentence, self.chance)) and changed not in text:
                yield self.case(f"sentence, changed {kind}", changed, False, shown)
        if answer and _is_name(answer, self.question.question):
            other = self.other_answer(answer)
            if other and not stated_numbers(other):
                yield self.case("sentence, changed name", sentence.replace(answer, other), False, shown)

    def held(self) -> str:
        """The first gold answer that the document holds as it is written, or nothing."""
        return next((a for a in self.answers if a in self.collection.texts[self.document]), "")

    def other_answer(self, answer: str, document: str = "") -> str:
        """An answer of the same sort to another question."""
        return _other_answer(self.questions, answer, self.question, self.chance, self.spoken, document)


def _of_question(
    collection: Collection, question: Question, questions: Sequence[Question], chance: random.Random
) -> Iterator[Case]:
    if question.relevant[0] not in collection.passages:
        return
    answers = [answer for answer in question.answers if len(answer) <= 60]
    maker = _Maker(collection, questions, chance, question, language(question.question), answers)
    if language(collection.texts[maker.document]) != maker.spoken:
        yield from maker.cross_lingual()
        return
    answer = maker.held()
    shown = collection.shown(question.question, maker.document, answer)
    if answer:
        yield from maker.stated(answer, shown)
    if shown:
        yield from maker.sentence(answer, shown)


def statement(question: str, answer: str) -> str:
    """Question and answer as one sentence, or the answer alone where the question's form is not known."""
    asked = question.strip().rstrip("?？ ")
    answer = answer.strip().rstrip("。.")
    if CJK_CHARACTER.search(asked):
        asked = re.sub(r"[吗呢呀啊]$", "", asked)
        match = _ZH_ASKED.search(asked)
        if not match:
            return f"{answer}。"
        rest = asked[match.end() :]
        for size in range(min(len(rest), 4), 0, -1):  # 多少公里 and 61公里 are not 61公里公里
            if answer.endswith(rest[:size]):
                rest = rest[size:]
                break
        return f"{asked[: match.start()]}{answer}{rest}。"
    if match := _EN_BE.fullmatch(asked):
        link = "in " if re.match(r"(?:\d{4}|[A-Z])", answer) else ""
        return f"{match[2][0].upper()}{match[2][1:]} {match[1]} {match[3]} {link}{answer}."
    if match := re.match(r"How (?:many|much) ", asked):
        rest = asked[match.end() :]
        first, _, behind = rest.partition(" ")
        return f"{answer} {behind if answer.endswith(first) else rest}."
    if (match := _EN_SUBJECT.match(asked)) and (rest := asked[match.end() :].strip()):
        return f"{answer[0].upper()}{answer[1:]} {rest}."
    if match := re.search(r"\bwhat$", asked):
        return f"{asked[: match.start()]}{answer}."
    return f"{answer}."


def negated(text: str, chance: random.Random) -> str:
    """The text with its first verb denied, or with its only denial gone; empty where no rule fits."""
    if CJK_CHARACTER.search(text):
        if re.search(r"[不没未无非]", text):
            changed = re.sub(r"不(是|能|会|可以)|没(有)", lambda m: m[1] or m[2], text, count=1)
            return changed if changed != text else ""
        changed = _ZH_NOT.sub(lambda m: f"{'并' if m[1] == '位于' else ''}不{m[1]}", text, count=1)
        return changed if changed != text else ""
    if re.search(r"\bnot\b|n't\b|\bno\b|\bnever\b|\bwithout\b", text):
        changed = re.sub(r"\b(is|are|was|were|can|could|will|would|may|must|should) not\b", r"\1", text, count=1)
        return changed if changed != text else ""
    changed = _EN_NOT.sub(lambda m: f"{m[1]} not", text, count=1)
    return changed if changed != text else ""


def _other_number(sentence: str, chance: random.Random) -> str:
    found = [
        m
        for m in _DIGITS.finditer(sentence)
        if not _YEAR.fullmatch(m[0]) and sentence[m.end() : m.end() + 1] not in "年月日"
    ]
    if not found:
        return ""
    match = chance.choice(found)
    digits = match[0]
    changed = "".join(str((int(c) + chance.randint(1, 8)) % 10 or 3) if c.isdigit() else c for c in digits)
    return f"{sentence[: match.start()]}{changed}{sentence[match.end() :]}"


def _other_date(sentence: str, chance: random.Random) -> str:
    if match := _EN_DATE.search(sentence):
        month = match[1] or match[5]
        place = match.start(1) if match[1] else match.start(5)
        other = chance.choice([m for m in _MONTHS if m != month])
        return f"{sentence[:place]}{other}{sentence[place + len(month) :]}"
    if match := _ZH_DATE.search(sentence):
        group = 1 if match[1] else 2
        other = str(chance.choice([m for m in range(1, 13) if str(m) != match[group].lstrip("0")]))
        return f"{sentence[: match.start(group)]}{other}{sentence[match.end(group) :]}"
    if match := _YEAR.search(sentence):
        return f"{sentence[: match.start()]}{int(match[0]) - chance.randint(2, 9)}{sentence[match.end() :]}"
    return ""


def _other_unit(sentence: str, chance: random.Random) -> str:
    if not (match := _UNIT.search(sentence)):
        return ""
    return f"{sentence[: match.start()]}{match[1]}{_OTHER_UNIT[match[2]]}{sentence[match.end() :]}"


def _elsewhere(collection: Collection, question: Question, answers: Sequence[str]) -> list[Passage]:
    """The nearest passages of other documents; of those on the same subject only ones that don't hold the answer."""
    hidden = set(question.relevant)
    title = collection.titles[question.relevant[0]]

    def without(passage: Passage) -> bool:
        name = passage.chunk.document
        kin = (bool(title) and collection.titles[name] == title) or (not title and name[:5] == question.relevant[0][:5])
        return name in hidden or (kin and any(a in passage.chunk.text for a in answers))

    return collection.nearest(question.question, without)


def _other_answer(
    questions: Sequence[Question], answer: str, asked: Question, chance: random.Random, spoken: str, document: str = ""
) -> str:
    """Another question's answer of the same sort; with a document, one that this document gives."""

    def fits(other: Question, text: str) -> bool:
        same = (other.relevant[0] == document) if document else (other.relevant[0] not in asked.relevant)
        return (
            same
            and other.id.rsplit("-", 1)[0] != asked.id.rsplit("-", 1)[0]
            and language(text) == spoken == language(other.question)
            and _sort(text, other.question) == _sort(answer, asked.question)
            and not set(tokens(text)) & (set(tokens(answer)) | set(tokens(asked.question)))
            and len(text) <= 60
        )

    start = chance.randrange(len(questions))
    for other in (*questions[start:], *questions[:start]):
        for text in other.answers[:2]:
            if fits(other, text):
                return text
    return ""


def _sort(answer: str, question: str) -> str:
    if _YEAR.search(answer) or re.search(r"\d+[年月日]", answer):
        return "date"
    if stated_numbers(answer):
        return "number"
    return "name" if _is_name(answer, question) else "words"


def _is_name(answer: str, question: str) -> bool:
    if CJK_CHARACTER.search(answer):
        return len(answer) <= 12 and bool(re.search(r"谁|哪[个位里家所座]|什么(?:地方|人|公司|学校)", question))
    return bool(_NAME.fullmatch(answer))


def _sentence_with(shown: Sequence[Passage], answer: str, document: str, chance: random.Random | None = None) -> str:
    own = [piece.text for p in shown if p.chunk.document == document for piece in sentences(p.chunk.text)]
    fitting = [
        text for text in own if answer in text and 40 <= len(text) + 60 * bool(CJK_CHARACTER.search(text)) <= 400
    ]
    if not fitting:
        return ""
    return chance.choice(fitting) if chance else fitting[0]


def _passage(chunk: Chunk) -> Passage:
    return Passage(chunk, 0.0, 1, 1)


if __name__ == "__main__":
    main()
