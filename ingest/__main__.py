"""``python -m ingest PATH…``: make the knowledge base equal to these folders and files."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import RagError
from rag.settings import Settings, check_encoding, load_settings

if TYPE_CHECKING:
    from ingest.sync import Report

INTERRUPTED = 130
_EXAMPLES = """examples:
  python -m ingest data/docs
  python -m ingest papers notes.md --kb research --json report.json
  python -m ingest contracts --password 'lease*.pdf=s3cret' --encoding gb18030

exit code: 0 all well, 1 something was set aside or failed, 2 wrong use, 130 interrupted (type it again to go on)"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        report = _run(load_settings(options.home, options.kb), options)
    except RagError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted before anything was changed.", file=sys.stderr)
        return INTERRUPTED
    try:
        _show(report, options.json)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe (head, say) has gone: nothing is wrong
    except OSError as error:
        print(f"{options.json} cannot be written ({error.strerror}).", file=sys.stderr)
        return 1
    if report.interrupted:
        print("Interrupted: what is listed is in the store; type the same command to go on.", file=sys.stderr)
        return INTERRUPTED
    return 1 if report.set_aside else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ingest",
        description="Make the knowledge base equal to these folders and files: add, update and remove documents.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--password", type=_pair, metavar="FILE=PASSWORD", action="append", default=[],
        help="opens locked files; FILE is a name as the verdicts show it, a glob or * (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--passwords", metavar="LIST", type=_path, action="append", default=[],
        help="a text file of such lines, or of passwords alone to be tried on every locked file (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--encoding",
        type=_encoding,
        metavar="NAME",
        help="that of text files whose own cannot be told (a setting, too: ingest.encoding)",
    )
    parser.add_argument("paths", nargs="+", type=_path, metavar="PATH", help="a folder or a file")
    parser.add_argument("--home", metavar="DIR", help="where the store lies (default: $FOOTNOTE_HOME, then data)")
    parser.add_argument("--kb", metavar="NAME", help="the knowledge base (default: $FOOTNOTE_KB, then default)")
    parser.add_argument("--json", metavar="FILE", help="write the verdicts as JSON to FILE, or - for standard output")
    parser.add_argument(
        "--include", metavar="NAME", action="append", default=[], help="take a deleted document in again (repeatable)"
    )
    return parser


def _path(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty path names no folder or file")
    return Path(text)


def _pair(text: str) -> str:
    if not all(text.partition("=")):
        raise argparse.ArgumentTypeError("give it as FILE=PASSWORD, FILE being a name, a glob or *")
    return text


def _encoding(name: str) -> str:
    try:
        return check_encoding(name, "--encoding")
    except RagError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _run(settings: Settings, options: argparse.Namespace) -> Report:
    from ingest.discovery import root_of
    from ingest.embedding import LazyEmbedder
    from ingest.passwords import parse
    from ingest.progress import reporter
    from ingest.sync import synchronise
    from rag.embedder import load_embedder
    from rag.store import Store

    for path in options.paths:  # before a store is made for nothing
        root_of(path)
    passwords = parse(options.password, options.passwords)
    _warn_of_exposed(options.passwords)
    if options.encoding:
        settings = replace(settings, ingest=replace(settings.ingest, encoding=options.encoding))
    embedder = LazyEmbedder(lambda: load_embedder(settings.embedding))
    with Store(settings.home, settings.kb) as store:
        return synchronise(
            settings, options.paths, store=store, embedder=embedder, report=reporter(), include=options.include,
            passwords=passwords,
        )  # fmt: skip


def _warn_of_exposed(lists: Sequence[Path]) -> None:
    from ingest.passwords import is_exposed

    for path in filter(is_exposed, lists):
        print(
            f"Others may read {path}, which holds passwords: type `chmod 600 {shlex.quote(str(path))}`.",
            file=sys.stderr,
        )


def _show(report: Report, target: str | None) -> None:
    from ingest.report import advice, as_json, table

    text = json.dumps(as_json(report), ensure_ascii=False, indent=2)
    if target == "-":
        print(text)
        print(*advice(report), sep="\n", end="\n" * bool(report.set_aside), file=sys.stderr)
        return
    print(table(report), *advice(report), sep="\n")
    if target:
        Path(target).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
