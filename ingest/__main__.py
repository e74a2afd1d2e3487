"""``python -m ingest PATH…``: make the knowledge base equal to these folders and files."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import RagError
from rag.logs import begin
from rag.settings import Settings, check_encoding, load_settings
from rag.whole_file import write_whole

if TYPE_CHECKING:
    from ingest.discovery import Root
    from ingest.passwords import Passwords
    from ingest.sync import Report
    from rag.types import Embedder

INTERRUPTED = 130
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_EXAMPLES = """examples:
  python -m ingest data/docs
  python -m ingest papers notes.md --kb research --json report.json
  python -m ingest contracts --password 'lease*.pdf=s3cret' --encoding gb18030
  python -m ingest data/docs --watch
  python -m ingest https://example.org/guide.html   (where ingest.allow_urls is set)

exit code: 0 all well, 1 something was set aside or failed, 2 wrong use, 130 interrupted (type it again to go on);
with --watch 0 when Ctrl-C ends the waiting"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.watch and options.json == "-":
        parser.error("--watch goes on writing lines; name a file for --json")
    try:
        settings = _settings(options)
        begin(settings, "ingest")
        embedder = _embedder(settings)
        report = _run(settings, options, embedder)
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
    if options.watch:
        return _watch(settings, options, embedder, report)
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
        "--passwords", metavar="LIST", type=Path, action="append", default=[],
        help="a text file of such lines, or of passwords alone to be tried on every locked file (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--encoding",
        type=_encoding,
        metavar="NAME",
        help="that of text files whose own cannot be told (a setting, too: ingest.encoding)",
    )
    parser.add_argument(
        "paths", nargs="+", type=_path, metavar="PATH", help="a folder, a file or the address of a web page"
    )
    parser.add_argument("--home", metavar="DIR", help="where the store lies (default: $FOOTNOTE_HOME, then data)")
    parser.add_argument("--kb", metavar="NAME", help="the knowledge base (default: $FOOTNOTE_KB, then default)")
    parser.add_argument("--json", metavar="FILE", help="write the verdicts as JSON to FILE, or - for standard output")
    parser.add_argument(
        "--include", metavar="NAME", action="append", default=[], help="take a deleted document in again (repeatable)"
    )
    parser.add_argument("--watch", action="store_true", help="go on, and take in what changes, until Ctrl-C")
    return parser


def _path(text: str) -> Path | str:
    """A path, or as text the address of a web page."""
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty path names no folder or file")
    return text.strip() if _ADDRESS.match(text.strip()) else Path(text)


def _pair(text: str) -> str:
    if not all(text.partition("=")):
        raise argparse.ArgumentTypeError("give it as FILE=PASSWORD, FILE being a name, a glob or *")
    return text


def _encoding(name: str) -> str:
    try:
        return check_encoding(name, "--encoding")
    except RagError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _settings(options: argparse.Namespace) -> Settings:
    settings = load_settings(options.home, options.kb)
    if options.encoding:
        settings = replace(settings, ingest=replace(settings.ingest, encoding=options.encoding))
    return settings


def _embedder(settings: Settings) -> Embedder:
    from ingest.embedding import LazyEmbedder
    from rag.embedder import load_embedder

    return LazyEmbedder(lambda: load_embedder(settings.embedding))


def _run(settings: Settings, options: argparse.Namespace, embedder: Embedder) -> Report:
    from ingest.web import fetch_pages, with_failures

    # What is wrong with the paths and lists is said before a page is fetched or a store is made for nothing.
    roots, passwords = _folders_and_files(options), _passwords(options)
    _warn_of_exposed(options.passwords)
    pages = fetch_pages(settings, [address for address in options.paths if isinstance(address, str)])
    report = _synchronise(settings, embedder, [*roots, *pages.roots], passwords, options.include)
    return with_failures(report, pages.failures)


def _folders_and_files(options: argparse.Namespace) -> list[Root]:
    from ingest.discovery import root_of

    return [root_of(path) for path in options.paths if isinstance(path, Path)]


def _synchronise(
    settings: Settings, embedder: Embedder, roots: Sequence[Root], passwords: Passwords, include: Collection[str] = ()
) -> Report:
    from ingest.progress import reporter
    from ingest.sync import synchronise
    from rag.store import Store

    with Store(settings.home, settings.kb) as store:
        return synchronise(
            settings, roots, store=store, embedder=embedder, report=reporter(), include=include, passwords=passwords
        )


def _watch(settings: Settings, options: argparse.Namespace, embedder: Embedder, report: Report) -> int:
    """Follow the folders and files until Ctrl-C or a polite request to end."""
    import signal

    from ingest.watch import watch

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        roots, passwords = _folders_and_files(options), _passwords(options)
        own = (settings.home / "workspace").resolve()
        interrupted = watch(roots, own, lambda due: _synchronise(settings, embedder, due, passwords), _line, report)
    except RagError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return INTERRUPTED if interrupted else 0


def _line(text: str) -> None:
    print(text, flush=True)


def _passwords(options: argparse.Namespace) -> Passwords:
    from ingest.passwords import parse

    return parse(options.password, options.passwords)


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
        write_whole(Path(target), text + "\n")


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
