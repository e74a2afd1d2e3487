"""python -m rag ask|search|list|delete|reembed|doctor|models|serve: questions, passages and upkeep on the command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.errors import RagError

if TYPE_CHECKING:
    from rag.store import Store
    from rag.types import Answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except RagError as error:
        print(f"{error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe (head, say) has gone: nothing is wrong
        return 0
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument(
        "--home", metavar="DIR", help="where the store and footnote.toml lie (default: $FOOTNOTE_HOME, then data)"
    )
    common.add_argument("--kb", metavar="NAME", help="the knowledge base (default: default)")
    parser = argparse.ArgumentParser(
        prog="python -m rag", description="Answers with footnotes from your own documents.", parents=[common]
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ask = commands.add_parser("ask", parents=[common], help="answer a question")
    ask.add_argument("question")
    ask.add_argument("--json", action="store_true", help="print everything as JSON")
    ask.set_defaults(run=_ask)

    search = commands.add_parser("search", parents=[common], help="find passages, without a language model")
    search.add_argument("question")
    search.add_argument("-k", type=_positive, default=5, help="how many (default: 5)")
    search.add_argument("--json", action="store_true")
    search.set_defaults(run=_search)

    listing = commands.add_parser("list", parents=[common], help="list the documents")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)

    delete = commands.add_parser("delete", parents=[common], help="delete a document")
    delete.add_argument("name", metavar="NAME")
    delete.set_defaults(run=_delete)

    reembed = commands.add_parser(
        "reembed", parents=[common], help="change over to the embedder that the settings name"
    )
    reembed.set_defaults(run=_reembed)

    doctor = commands.add_parser("doctor", parents=[common], help="check the store, the models and the settings")
    doctor.set_defaults(run=_doctor)

    weights = commands.add_parser("models", parents=[common], help="the built-in models")
    actions = weights.add_subparsers(required=True, metavar="list|pull")
    actions.add_parser("list", parents=[common], help="show which are here").set_defaults(run=_models_list)
    pull = actions.add_parser("pull", parents=[common], help="fetch the ones that are missing")
    pull.add_argument("names", nargs="*", metavar="NAME")
    pull.set_defaults(run=_models_pull)

    serve = commands.add_parser("serve", parents=[common], help="open the page")
    serve.add_argument("--address", default="127.0.0.1")
    serve.add_argument("--port", type=_positive, default=8501)
    serve.set_defaults(run=_serve)
    return parser


def _ask(options: argparse.Namespace) -> int:
    from rag.pipeline import load_pipeline
    from rag.serialise import answer_to_json
    from rag.settings import load_settings

    answer = load_pipeline(load_settings(_home(options), _kb(options))).ask(options.question)
    if options.json:
        _print_json(answer_to_json(answer))
        return 0
    print(_footnoted(answer))
    if answer.refused:
        print(f"\n{answer.reason}")
        for passage in answer.passages[:3]:
            print(f"  · {_where(passage.chunk.document, passage.chunk.page)}: {_short(passage.chunk.text)}")
    for citation in answer.citations:
        print(f"\n[{citation.n}] {_where(citation.passage.chunk.document, citation.page)}\n    “{citation.quote}”")
    for claim in answer.claims:
        if not claim.supported:
            print(f"\n⚠ {claim.text}\n    {claim.why}")
    return 0


def _search(options: argparse.Namespace) -> int:
    from rag.pipeline import load_pipeline
    from rag.serialise import passage_to_json
    from rag.settings import load_settings

    pipeline = load_pipeline(load_settings(_home(options), _kb(options)), answers=False)
    passages = pipeline.retrieve(options.question, k=options.k).passages
    if options.json:
        _print_json([passage_to_json(passage) for passage in passages])
        return 0
    if not passages:
        print("No passages.", file=sys.stderr)
    for rank, passage in enumerate(passages, 1):
        print(f"{rank}. {_where(passage.chunk.document, passage.chunk.page)}  {passage.score:.3f} "
              f"(meaning {passage.dense:.3f}, words {passage.lexical:.3f})")  # fmt: skip
        print(f"   {_short(passage.chunk.text, 160)}")
    return 0


def _list(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from rag.terminal import columns, padded

    with _store(options) as store:
        documents = store.documents()
    if options.json:
        _print_json([asdict(document) for document in documents])
        return 0
    if not documents:
        print("No documents yet. Type `python -m ingest FOLDER`.", file=sys.stderr)
    width = max((columns(document.name) for document in documents), default=0)
    for document in documents:
        print(f"{padded(document.name, width)}  {document.chunks:>5} chunks  {document.title}")
    return 0


def _delete(options: argparse.Namespace) -> int:
    with _store(options) as store:
        for name in store.delete(options.name):
            print(f"Deleted: {name}")
        roots = [root for root in store.roots() if root != "uploads"]
    if roots:
        print(
            "It stays out of the index while its file is unchanged; `python -m ingest … --include NAME` brings it back."
        )
    return 0


def _reembed(options: argparse.Namespace) -> int:
    from rag.embedder import load_embedder
    from rag.reembed import Progress, reembed
    from rag.settings import load_settings
    from rag.store import Store
    from rag.terminal import Meter, duration

    settings = load_settings(_home(options), _kb(options))
    meter = Meter()

    def report(now: Progress) -> None:
        left = f", {duration(now.left)} left" if now.left is not None else ""
        share = now.done / now.total if now.total else 1.0
        meter.show(share, f"{now.done}/{now.total} texts embedded{left}", finished=now.done == now.total)

    with Store(settings.home, settings.kb) as store:
        embedder = load_embedder(settings.embedding)
        try:
            embedded = reembed(store, embedder, report)
        except KeyboardInterrupt:
            print("Interrupted: the vectors so far are kept; type the same command to go on.", file=sys.stderr)
            return 130
    print(
        f"Knowledge base {settings.kb!r} now has the vectors of {embedder.fingerprint}; {embedded} texts were embedded."
    )
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from rag.doctor import examine
    from rag.settings import load_settings

    report = examine(load_settings(_home(options), _kb(options)))
    for line in report.facts:
        print(line)
    for problem in report.problems:
        print(f"✗ {problem}")
    print("All is well." if not report.problems else f"{len(report.problems)} things to mend.")
    return 1 if report.problems else 0


def _models_list(options: argparse.Namespace) -> int:
    from rag.models import BUILTINS, PREFIX

    for builtin in BUILTINS.values():
        state = f"here: {builtin.path}" if builtin.path.exists() else f"not here: {builtin.download >> 20} MB to fetch"
        print(f"{PREFIX}{builtin.name}\n    {builtin.title} ({builtin.licence})\n    {state}")
    return 0


def _models_pull(options: argparse.Namespace) -> int:
    from rag.models import BUILTINS, PullProgress, pull
    from rag.terminal import Meter

    meter = Meter(seconds=10)

    def report(now: PullProgress) -> None:
        meter.show(now.done / now.total, f"{now.name}: {now.step} {now.done >> 20} of {now.total >> 20} MB")

    for name in options.names or BUILTINS:
        path = pull(name, report)
        print(f"\r\x1b[K{path}" if sys.stderr.isatty() else path)
    return 0


def _serve(options: argparse.Namespace) -> int:
    from rag.serve import serve

    return serve(options.address, options.port, _home(options), _kb(options))


def _home(options: argparse.Namespace) -> str | None:
    return getattr(options, "home", None)


def _kb(options: argparse.Namespace) -> str | None:
    return getattr(options, "kb", None)


def _store(options: argparse.Namespace) -> Store:
    from rag.settings import load_settings
    from rag.store import Store

    settings = load_settings(_home(options), _kb(options))
    return Store(settings.home, settings.kb)


def _positive(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 65535")


def _footnoted(answer: Answer) -> str:
    """The answer with [n] behind each claim that has a footnote and ⚠ behind each that has none."""
    text = answer.text
    for claim in reversed(answer.claims):
        mark = "".join(f"[{n}]" for n in claim.citations) or " ⚠"
        text = text[: claim.end] + mark + text[claim.end :]
    return text


def _where(document: str, page: int | None) -> str:
    return document if page is None else f"{document}, p. {page}"


def _short(text: str, most: int = 100) -> str:
    from rag.terminal import cut

    return cut(" ".join(text.split()), most)


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
