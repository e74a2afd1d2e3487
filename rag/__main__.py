"""python -m rag COMMAND (--help lists them): questions, upkeep, people and the page, on the command line."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import RagError

if TYPE_CHECKING:
    from datetime import date

    from rag.pipeline import Pipeline
    from rag.record import Record
    from rag.replay import Replay
    from rag.settings import Settings
    from rag.store import Store
    from rag.types import Answer, Filter, Found, Passage, StoredDocument
    from rag.users import Users

_ROLES = ("reader", "curator", "admin")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if len(_kbs(options)) > 1 and options.run not in (_ask, _search):
        parser.error(f"this command takes one knowledge base, not {', '.join(_kbs(options))}")
    try:
        _begin_log(options)
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


def _common(kb: str) -> argparse.ArgumentParser:
    """The options of every command; ``kb`` is where --kb goes, as one after the command would replace one before it."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument(
        "--home", metavar="DIR", help="where the store and footnote.toml lie (default: $FOOTNOTE_HOME, then data)"
    )
    common.add_argument(
        "--kb", metavar="NAME", dest=kb, action="append", help="the knowledge base (default: default); ask and search "
        "take several",
    )  # fmt: skip
    return common


def _filters() -> argparse.ArgumentParser:
    """The options that say where to look; each may be given several times."""
    parent = argparse.ArgumentParser(add_help=False)
    group = parent.add_argument_group("look only at")
    repeated: dict[str, Any] = {"action": "append", "default": []}
    group.add_argument(
        "--document", metavar="NAME", help="a document, or several by a pattern: 'reports/*'", **repeated
    )
    group.add_argument("--folder", metavar="PATH", help="what lies below this folder of a root", **repeated)
    group.add_argument("--type", metavar="SUFFIX", help="files of this type: pdf", **repeated)
    group.add_argument("--tag", metavar="TAG", help="documents with this tag", **repeated)
    group.add_argument("--since", metavar="DATE", type=_date, help="files changed on this day or later: 2024-03-01")
    group.add_argument("--until", metavar="DATE", type=_date, help="files changed on this day or before")
    return parent


def _parser() -> argparse.ArgumentParser:
    common, filters = _common("kb"), _filters()
    parser = argparse.ArgumentParser(
        prog="python -m rag",
        description="Answers with footnotes from your own documents.",
        parents=[_common("kb_before")],
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ask = commands.add_parser("ask", parents=[common, filters], help="answer a question")
    ask.add_argument("question")
    ask.add_argument("--style", metavar="NAME", help="how the answer is written: short, detailed, examples, steps or one of "
                     "your own (default: prompt.style)")  # fmt: skip
    ask.add_argument("--json", action="store_true", help="print everything as JSON")
    ask.set_defaults(run=_ask)

    search = commands.add_parser("search", parents=[common, filters], help="find passages, without a language model")
    search.add_argument("question")
    search.add_argument("-k", type=_positive, default=5, help="how many (default: 5)")
    search.add_argument("--json", action="store_true")
    search.add_argument("--explain", action="store_true", help="say why each passage is there and what was cut")
    search.set_defaults(run=_search)

    again = commands.add_parser(
        "replay", parents=[common], help="show how an answer came about, do its steps again and say what differs"
    )
    again.add_argument("id", nargs="?", metavar="ID", help="the answer's id, or its beginning")
    again.add_argument("--list", action="store_true", help="list the latest answers instead")
    again.add_argument("--generate", action="store_true", help="let the model write again, too")
    again.add_argument("--json", action="store_true")
    again.set_defaults(run=_replay)

    listing = commands.add_parser("list", parents=[common], help="list the documents")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)

    tag = commands.add_parser("tag", parents=[common], help="show, put on or take off the tags of a document")
    tag.add_argument("name", metavar="NAME")
    tag.add_argument("tags", metavar="TAG", nargs="*")
    tag.add_argument("--remove", action="store_true", help="take these tags off")
    tag.set_defaults(run=_tag)

    delete = commands.add_parser("delete", parents=[common], help="delete a document")
    delete.add_argument("name", metavar="NAME")
    delete.set_defaults(run=_delete)

    reembed = commands.add_parser(
        "reembed", parents=[common], help="change over to the embedder that the settings name"
    )
    reembed.set_defaults(run=_reembed)

    keep = commands.add_parser("backup", parents=[common], help="write everything into one file, while the app runs")
    keep.add_argument("file", metavar="FILE.zip", type=Path)
    keep.set_defaults(run=_backup)

    back = commands.add_parser("restore", parents=[common], help="put a backup in the place of what is there")
    back.add_argument("file", metavar="FILE.zip", type=Path)
    back.add_argument("--replace", action="store_true", help="also where there are documents, which go")
    back.set_defaults(run=_restore)

    doctor = commands.add_parser("doctor", parents=[common], help="check the store, the models and the settings")
    doctor.add_argument(
        "--repair", action="store_true", help="rebuild what can be rebuilt, name what must be read again"
    )
    doctor.add_argument(
        "--bundle", metavar="FILE.zip", type=Path, help="write what helps to find a fault, without a word of yours"
    )
    doctor.set_defaults(run=_doctor)

    weights = commands.add_parser("models", parents=[common], help="the built-in models")
    actions = weights.add_subparsers(required=True, metavar="list|pull")
    actions.add_parser("list", parents=[common], help="show which are here").set_defaults(run=_models_list)
    pull = actions.add_parser("pull", parents=[common], help="fetch the ones that are missing")
    pull.add_argument("names", nargs="*", metavar="NAME")
    pull.set_defaults(run=_models_pull)

    _users_parser(commands, common)

    serve = commands.add_parser("serve", parents=[common], help="open the page")
    serve.add_argument("--address", default="127.0.0.1", help="where to listen; one that others reach needs sign-in")
    serve.add_argument("--port", type=_positive, default=8501)
    serve.add_argument("--host", metavar="NAME", action="append", default=[], help="a name or address by which people reach "
                       "the page, through a proxy on this machine, say; can be given several times")  # fmt: skip
    serve.set_defaults(run=_serve)
    return parser


def _users_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    people = commands.add_parser("users", parents=[common], help="who may sign in, and what they may do")
    actions = people.add_subparsers(required=True, metavar="list|add|change|remove")
    listing = actions.add_parser("list", parents=[common], help="name everybody")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_users_list)
    about = "a password is asked for on a terminal, else read from the first line of stdin"
    add = actions.add_parser("add", parents=[common], help="add a person", description=about)
    add.add_argument("--role", choices=_ROLES, required=True)
    add.add_argument("--no-password", action="store_true", help="they come through the identity provider; NAME is their "
                     "e-mail address")  # fmt: skip
    add.set_defaults(run=_users_add)
    change = actions.add_parser("change", parents=[common], help="change what is named", description=about)
    change.add_argument("--role", choices=_ROLES)
    change.add_argument("--password", action="store_true", help="give them a new one")
    change.set_defaults(run=_users_change)
    remove = actions.add_parser("remove", parents=[common], help="remove a person with their conversations")
    remove.set_defaults(run=_users_remove)
    for action in (add, change):
        action.add_argument("--share", metavar="KB", action="append", help="a knowledge base that they may ask, and change "
                            "as a curator; can be given several times, and replaces what was shared")  # fmt: skip
    for action in (add, change, remove):
        action.add_argument("name", metavar="NAME")


def _ask(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from rag.pipeline import load_pipeline
    from rag.serialise import answer_to_json
    from rag.settings import load_settings

    settings = load_settings(_home(options), _kb(options))
    if options.style is not None:
        settings = replace(settings, prompt=replace(settings.prompt, style=options.style))
    answer = load_pipeline(settings).ask(options.question, filter=_filter(options))
    if options.json:
        _print_json(answer_to_json(answer))
    else:
        _print_answer(answer, options)
    return 0


def _print_answer(answer: Answer, options: argparse.Namespace) -> None:
    from rag.explain import notes

    print(_footnoted(answer))
    if answer.id:
        print(f"({answer.id})", file=sys.stderr)
    for note in notes(answer):
        print(f"\n{note}")
    if answer.refused:
        for passage in answer.passages[:3]:
            print(f"  · {_where(_name(passage, options), passage.chunk.page)}: {_short(passage.chunk.text)}")
    for citation in answer.citations:
        print(
            f"\n[{citation.n}] {_where(_name(citation.passage, options), citation.page)}\n    “{_seen(citation.quote)}”"
        )
    for claim in answer.claims:
        if not claim.supported:
            print(f"\n⚠ {claim.text}\n    {claim.why}")
        elif claim.disputed:
            print(f"\n≠ {claim.text}\n    {claim.why}")


def _replay(options: argparse.Namespace) -> int:
    from dataclasses import asdict, replace

    from rag.pipeline import load_pipeline
    from rag.record import Records
    from rag.replay import replay
    from rag.serialise import answer_to_json, passage_to_json
    from rag.settings import TraceSettings, load_settings

    settings = load_settings(_home(options), _kb(options))
    records = Records(settings.home)
    if options.list or not options.id:
        latest = records.latest()
        if options.json:
            _print_json([asdict(record) for record in latest])
        for record in [] if options.json else latest:
            print(f"{record.id}  {_time(record.created)}  {_short(record.question)}")
        if not latest:
            print(
                "No answer has been kept yet. Ask a question; the setting trace.keep says how many are.",
                file=sys.stderr,
            )
        return 0
    record = records.get(options.id)
    pipeline = load_pipeline(replace(settings, kb=record.kb, trace=TraceSettings(keep=0)))
    now = replay(pipeline, record, generate=options.generate)
    if options.json:
        _print_json({
            "record": asdict(record),
            "replay": {
                "retrieved": [passage_to_json(passage) for passage in now.retrieved],
                "shown": [asdict(chunk) if chunk else None for chunk in now.shown],
                "prompt": now.prompt, "draft": now.draft, "answer": answer_to_json(now.answer) if now.answer else None,
            },
            "differences": list(now.differences), "changed": {k: list(v) for k, v in now.changed.items()},
        })  # fmt: skip
        return 0
    for line in (*_record_lines(record, now), *_replay_lines(now)):
        print(line)
    return 0


def _record_lines(record: Record, now: Replay) -> list[str]:
    """A record step by step."""
    facts, words = record.facts, record.words
    took, tokens, gone = facts["timings"], facts["tokens"], "(gone with the document's old text)"
    names = words.get("documents") or []
    lines = [
        f"{record.id}  {_time(record.created)}  knowledge base {record.kb}",
        f"asked      {_seen(record.question)}",
    ]
    if words.get("query") != record.question:
        lines.append(f"rewritten  {_seen(words.get('query') or '(not kept)')}")
    lines.append(f"retrieved  {len(facts['passages'])} of {facts['searched']} passages, {took['retrieve']:.2f} s")
    for n, (passage, chunk) in enumerate(zip(facts["passages"], now.shown, strict=True), 1):
        name = chunk.document if chunk else names[n - 1] if names else f"chunk {passage['chunk']}"
        lines.append(
            f"  {n}. {_seen(name)} {passage['start']}–{passage['end']}, score {passage['score']:.3f}"
            + (f": {_short(chunk.text, 80)}" if chunk else ": gone")
        )
    about = "about " if tokens["estimated"] else ""
    lines.append(
        f"prompted   {len(facts['messages'])} messages, {about}{tokens['prompt']} tokens, {facts['prompt'][:12]}"
        if facts["prompt"]
        else f"prompted   nothing: {_seen(facts['reason'])}"
    )
    if facts["prompt"]:
        first = "" if took["first_token"] is None else f", first words after {took['first_token']:.2f} s"
        lines.append(f"generated  {about}{tokens['completion']} tokens, {took['generate']:.2f} s{first}")
        lines.append(f"  {_seen(words.get('draft', gone))}")
    lines.append(f"checked    {'refused' if facts['refused'] else 'answered'}, {took['check']:.2f} s")
    for verdict, claim in zip(facts["verdicts"], words.get("claims") or [None] * len(facts["verdicts"]), strict=True):
        mark = "✓" if verdict["supported"] else "⚠"
        lines.append(f"  {mark} {_seen(claim['text'])}  {claim['why']}" if claim else f"  {mark} {gone}")
    return lines


def _replay_lines(now: Replay) -> list[str]:
    """What came out otherwise."""
    lines = ["", "Again now:", *(f"  ≠ {_seen(difference)}" for difference in now.differences)]
    if not now.differences:
        lines.append(
            "  = everything came out the same" + ("" if now.draft is not None else " (the model was not asked)")
        )
    for name, (before, after) in now.changed.items():
        lines.append(f"  {name}: {before} → {after}")
    return lines


def _search(options: argparse.Namespace) -> int:
    from rag.pipeline import load_pipeline
    from rag.serialise import passage_to_json, trace_to_json
    from rag.settings import load_settings

    pipeline = load_pipeline(load_settings(_home(options), _kb(options)), answers=False)
    found = pipeline.retriever.find(options.question, options.k, _filter(options))
    passages = [passage_to_json(passage) for passage in found.passages]
    if options.json:
        explained = trace_to_json(found.trace) | {"query": options.question, "passages": passages}
        _print_json(explained if options.explain else passages)
    else:
        _show_found(found, options)
    if not passages:
        print(_nothing(found, pipeline, options.question), file=sys.stderr)
    return 0


def _show_found(found: Found, options: argparse.Namespace) -> None:
    from rag.explain import cut_reason, passage_lines, seen_line
    from rag.fusion import meaning

    for rank, passage in enumerate(found.passages, 1):
        print(f"{rank}. {_where(_name(passage, options), passage.chunk.page)}  {passage.score:.3f} "
              f"(meaning {meaning(passage.dense, passage.window):.3f}, words {passage.lexical:.3f}"
              + (f", reranked {passage.rerank:.3f})" if passage.rerank is not None else ")"))  # fmt: skip
        print(f"   {_short(passage.chunk.text, 160)}")
        for line in passage_lines(passage, found.passages) if options.explain else ():
            print(f"   {line}")
    if not options.explain:
        return
    print(f"\n{seen_line(found)}." + (" Found and left out:" if found.trace.cut else ""))
    for cut in found.trace.cut:
        print(f"– {_where(_name(cut.passage, options), cut.passage.chunk.page)}  {cut.passage.score:.3f}: "
              f"{cut_reason(cut, found)}")  # fmt: skip


def _nothing(found: Found, pipeline: Pipeline, question: str) -> str:
    """Why a search found nothing."""
    from rag.text import language
    from rag.wording import say

    said = say(found.trace.reason, language(question))
    others = [kb for kb in pipeline.store.kbs() if kb != pipeline.store.kb]
    return f"{said} (--kb: {', '.join(others)})" if found.trace.reason == "empty" and others else said


def _list(options: argparse.Namespace) -> int:
    from rag.terminal import columns, padded

    with _store(options) as store:
        documents = store.documents()
    if options.json:
        _print_json([_document_to_json(document) for document in documents])
        return 0
    if not documents:
        print("No documents yet. Type `python -m ingest FOLDER`.", file=sys.stderr)
    width = max((columns(_seen(document.name)) for document in documents), default=0)
    for document in documents:
        print(f"{padded(_seen(document.name), width)}  {document.chunks:>5} chunks  {_seen(document.title)}"
              + "".join(f"  #{tag}" for tag in document.tags))  # fmt: skip
    return 0


def _document_to_json(document: StoredDocument) -> dict[str, object]:
    from dataclasses import asdict
    from datetime import datetime

    changed = document.modified
    shown = None if changed is None else datetime.fromtimestamp(changed).astimezone().isoformat(timespec="seconds")
    return asdict(document) | {"modified": shown, "tags": list(document.tags)}


def _tag(options: argparse.Namespace) -> int:
    with _store(options) as store:
        tags = store.tag(options.name, options.tags, remove=options.remove)
    print(f"{options.name}: {', '.join(tags) or 'no tags'}")
    return 0


def _delete(options: argparse.Namespace) -> int:
    from rag.erasure import erase

    with _store(options) as store:
        done = erase(store, [options.name])
        for name in done.names:
            print(f"Deleted: {_seen(name)}")
        roots = [root for root in store.roots() if root != "uploads"]
    where = f"{done.pieces} pieces of its text and index were looked for in {done.files} files, {done.bytes >> 10:,} kB"
    if done.left:
        print(f"Words of it are still in {', '.join(_seen(str(path)) for path in done.left)} ({where}).")
        print("Reports and question sets are yours to delete; anything else: type `python -m rag doctor`.")
    else:
        print(f"Nothing of it is left in the store: {where}.")
    if roots:
        print(
            "It stays out of the index while its file is unchanged; `python -m ingest … --include NAME` brings it back."
        )
    return 1 if done.left else 0


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


def _backup(options: argparse.Namespace) -> int:
    from rag.backup import backup
    from rag.settings import home

    held = backup(home(_home(options)), options.file, _bytes_shown("written"))
    print(f"{options.file}: {held.documents} documents, {held.files} files beside them, {held.bytes >> 10:,} kB. It holds "
          "all that the documents say: keep it as safe as these. Keys of models at an address are not in it.")  # fmt: skip
    return 0


def _restore(options: argparse.Namespace) -> int:
    from rag.backup import restore
    from rag.settings import home

    held = restore(home(_home(options)), options.file, replace=options.replace, report=_bytes_shown("read and checked"))
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(held.made))
    print(
        f"Back as of {made}: {held.documents} documents, {held.files} files beside them. Type `python -m rag doctor`."
    )
    return 0


def _bytes_shown(what: str) -> Callable[[int, int], None]:
    from rag.terminal import Meter

    meter = Meter()
    return lambda done, total: meter.show(
        done / max(total, 1), f"{done >> 20} of {total >> 20} MB {what}", finished=done >= total
    )


def _doctor(options: argparse.Namespace) -> int:
    from rag.doctor import examine
    from rag.settings import load_settings

    settings = load_settings(_home(options), _kb(options))
    if options.bundle:
        return _bundle(settings, options.bundle)
    if options.repair:
        _repair(settings)
    report = examine(settings)
    for line in report.facts:
        print(line)
    for problem in report.problems:
        print(f"✗ {problem}")
    print("All is well." if not report.problems else f"{len(report.problems)} things to mend.")
    return 1 if report.problems else 0


def _bundle(settings: Settings, target: Path) -> int:
    from rag.bundle import write_bundle

    held = write_bundle(settings, target)
    print(
        f"{target}: {', '.join(held)}. It holds versions, sizes, counts, settings and events, no text, names or keys."
    )
    return 0


def _repair(settings: Settings) -> None:
    from rag.embedder import load_embedder
    from rag.repair import repair

    found = repair(settings, lambda: load_embedder(settings.embedding))
    print(*(found.done or ["Nothing had to be mended."]), sep="\n")
    if found.again:
        print(f"{len(found.again)} documents were damaged and taken out: {', '.join(map(_seen, found.again[:20]))}")
        roots = " ".join(_seen(shlex.quote(root)) for root in found.roots if root != "uploads")
        print(
            f"Type `python -m ingest {roots}` to take them in again."
            if roots
            else "Drop their files on the page again."
        )
    if found.kept:
        print(
            f"The damaged file is kept as {found.kept}. Delete it once you miss nothing: it holds what you delete later."
        )


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


def _users(options: argparse.Namespace) -> Users:
    from rag.settings import load_settings
    from rag.users import Users

    return Users(load_settings(_home(options)).home)


def _users_list(options: argparse.Namespace) -> int:
    from rag.terminal import columns, padded

    with _users(options) as users:
        people = users.all()
    if options.json:
        _print_json([
            {"name": one.user.name, "role": one.user.role, "kbs": sorted(one.user.kbs), "password": one.password}
            for one in people
        ])  # fmt: skip
        return 0
    width = max((columns(one.user.name) for one in people), default=0)
    for one in people:
        shared = "everything" if one.user.admin else ", ".join(sorted(one.user.kbs)) or "nothing shared yet"
        print(f"{padded(one.user.name, width)}  {one.user.role:7}  {shared}{'' if one.password else '  (no password)'}")
    if not people:
        print("Nobody yet. Type `python -m rag users add NAME --role admin`.", file=sys.stderr)
    return 0


def _users_add(options: argparse.Namespace) -> int:
    password = "" if options.no_password else _new_password()
    with _users(options) as users:
        added = users.add(options.name, options.role, options.share or (), password)
    print(f"{added.name}: {added.role}")
    if not added.admin and not added.kbs:
        print("No knowledge base is shared with them yet: --share KB.", file=sys.stderr)
    _warn_of_unknown(options)
    return 0


def _users_change(options: argparse.Namespace) -> int:
    password = _new_password() if options.password else None
    with _users(options) as users:
        users.change(options.name, role=options.role, kbs=options.share, password=password)
        _warn_without_admin(users)
    _warn_of_unknown(options)
    return 0


def _users_remove(options: argparse.Namespace) -> int:
    with _users(options) as users:
        users.remove(options.name)
        _warn_without_admin(users)
    return 0


def _warn_of_unknown(options: argparse.Namespace) -> None:
    """A misspelt knowledge base gives nobody anything."""
    with _store(options) as store:
        unknown = sorted(set(options.share or ()) - set(store.kbs()))
    if unknown:
        print(f"There is no knowledge base {', '.join(unknown)} yet.", file=sys.stderr)


def _warn_without_admin(users: Users) -> None:
    people = users.all()
    if people and not any(one.user.admin for one in people):
        print("There is no admin now: nobody can change settings or people on the page.", file=sys.stderr)


def _new_password() -> str:
    """Asked for twice on a terminal, else the first line of stdin: never an argument, which others on the machine can read."""
    from getpass import getpass

    from rag.errors import AccessError

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass("Password: ")
    if getpass("Again: ") != password:
        raise AccessError("The two passwords differ. Nothing was changed.")
    return password


def _serve(options: argparse.Namespace) -> int:
    from rag.serve import Serving, serve

    return serve(Serving(options.address, options.port, tuple(options.host)), _home(options), _kb(options))


def _begin_log(options: argparse.Namespace) -> None:
    from rag.errors import SettingsError
    from rag.logs import begin
    from rag.settings import load_settings

    with suppress(SettingsError):  # whoever needs them says so
        begin(load_settings(_home(options)), "rag")


def _home(options: argparse.Namespace) -> str | None:
    return getattr(options, "home", None)


def _kbs(options: argparse.Namespace) -> list[str]:
    """The knowledge bases that were named, before and after the command."""
    return list(dict.fromkeys([*getattr(options, "kb_before", []), *getattr(options, "kb", [])]))


def _kb(options: argparse.Namespace) -> str | None:
    return next(iter(_kbs(options)), None)


def _filter(options: argparse.Namespace) -> Filter:
    from rag.types import Filter

    kbs = _kbs(options)
    return Filter(
        kbs=tuple(kbs) if len(kbs) > 1 else (),
        documents=tuple(options.document),
        folders=tuple(options.folder),
        types=tuple(options.type),
        tags=tuple(options.tag),
        since=options.since,
        until=options.until,
    )


def _store(options: argparse.Namespace) -> Store:
    from rag.settings import load_settings
    from rag.store import Store

    settings = load_settings(_home(options), _kb(options))
    return Store(settings.home, settings.kb)


def _positive(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 65535")


def _date(text: str) -> date:
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2024-03-01") from None


def _name(passage: Passage, options: argparse.Namespace) -> str:
    """The document's name, with its knowledge base in front where several are searched."""
    return f"{passage.kb}: {passage.chunk.document}" if len(_kbs(options)) > 1 else passage.chunk.document


def _footnoted(answer: Answer) -> str:
    """The answer with [n] behind each claim that has a footnote and ⚠ behind each that has none."""
    text = answer.text
    for claim in reversed(answer.claims):
        mark = "".join(f"[{n}]" for n in claim.citations) or " ⚠"
        text = text[: claim.end] + mark + text[claim.end :]
    return text


def _where(document: str, page: int | None) -> str:
    return _seen(document) if page is None else f"{_seen(document)}, p. {page}"


def _short(text: str, most: int = 100) -> str:
    from rag.terminal import cut

    return cut(" ".join(_seen(text).split()), most)


def _seen(text: str) -> str:
    """A document's or model's text for the terminal, without what would command it."""
    from rag.inert import visible

    return visible(text)


def _time(seconds: float) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "seconds")


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
