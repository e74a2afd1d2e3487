"""Documents being added: files that were dropped, folders, pages; how far it is, and what became of each file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from rag.errors import IngestError
from rag.store import UPLOADS, RootState
from rag.types import State, Verdict
from ui import following
from ui.jobs import Job
from ui.markup import inline, plain
from ui.resources import SAMPLES, errors_shown
from ui.session import Session
from ui.text import Say
from ui.words.reasons import reason

POLL = 0.5  # seconds between two looks at a run
SHOWN = 50  # verdicts listed at once
_LONGEST_STEM = 180  # bytes of a name that gets a number, which would be cut off a longer one
COLOURS: dict[State, str] = {
    "indexed": "green",
    "unchanged": "gray",
    "removed": "gray",
    "empty": "orange",
    "set aside": "orange",
}
_SEEN = re.compile(r"(indexed|unchanged|removed|empty|set aside) +(.+?)(?: \((\d+) chunks\))?(?:: (.+))?")
_FIELDS = ("file", "state", "reason", "pages", "chunks", "seconds")


@dataclass(frozen=True, slots=True)
class Adding:
    """How far a run is, and what became of the files once it has ended; ``replaced`` took the place of earlier ones."""

    done: int = 0
    total: int = 0
    file: str = ""
    pages: int = 0
    left: float | None = None
    waiting: str = ""
    interrupted: bool = False
    code: int | None = None
    verdicts: tuple[Verdict, ...] = ()
    replaced: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Kept:
    """Uploads on their way: names as verdicts show them, refused files, and those that replaced others."""

    names: set[str] = field(default_factory=set)
    refused: list[Verdict] = field(default_factory=list)
    replaced: set[str] = field(default_factory=set)


def panel(session: Session, *, empty: bool) -> None:
    """Everything about adding to the present knowledge base, for whoever may change it."""
    say = session.say
    if not session.user.may_change(session.kb):
        if empty:
            st.info(say("nothing_to_ask"), icon=":material/info:")
        return
    with st.container(border=empty, key="adding"):
        if empty and not running(session):
            st.markdown(f"**{say('empty_library')}**")
            st.markdown(say("empty_library_hint"))
        job = session.services.ingests.get(session.kb)
        if job is not None and not job.done:
            _progress(job, say)
        else:
            _upload(session)
            if empty and st.button(say("add_samples"), icon=":material/auto_stories:", key="add-samples"):
                start(session, [str(SAMPLES)])
                st.rerun()
            if job is not None:
                _outcome(session, job)
    _pages(session)
    _folders(session)


def running(session: Session) -> bool:
    """Whether documents are being added to the present knowledge base."""
    job = session.services.ingests.get(session.kb)
    return job is not None and not job.done


def start(
    session: Session,
    roots: Sequence[str],
    *,
    passwords: Sequence[tuple[str, str]] = (),
    keep: Callable[[], _Kept] = _Kept,
    only: Collection[str] | None = None,
) -> None:
    """Make the knowledge base equal to these roots, in a process of its own; of verdicts ``only`` those, and changes.

    ``keep`` writes what was uploaded to its place before.
    """
    with session.store() as store:
        store.user.check_change(session.kb)
    services, kb = session.services, session.kb
    earlier = services.ingests.get(kb)

    def work(tell: Callable[[Adding], None], stop: threading.Event) -> None:
        kept = keep()
        before = _after(earlier, tell, stop)
        task = services.task(kb, list(roots), passwords=[list(pair) for pair in passwords])
        step = _run(services.ingest_command, task, services.folder, tell, stop)
        asked = kept.names if only is None else set(only)
        found = {v.file: v for v in step.verdicts if v.state != "unchanged" or v.file in asked or roots != [UPLOADS]}
        for verdict in before.verdicts:  # the earlier run took in what lay there already
            if verdict.file not in found or found[verdict.file].state == "unchanged":
                found[verdict.file] = verdict
        replaced = before.replaced | kept.replaced
        tell(replace(step, verdicts=(*kept.refused, *found.values()), replaced=replaced, file=""))

    services.ingests[kb] = Job(work, Adding())


def _after(earlier: Job[Adding] | None, tell: Callable[[Adding], None], stop: threading.Event) -> Adding:
    """What a run that is still going on, another tab's say, comes to; nothing where none is."""
    if earlier is None or earlier.done:
        return Adding()
    while not earlier.wait(POLL):
        tell(earlier.progress)
        if stop.is_set():
            earlier.stop()
    return earlier.progress


def start_reindex(session: Session, names: Sequence[str]) -> None:
    """Read these documents' files again."""
    with session.store() as store:
        roots = store.read_again(names)
    start(session, roots)


def _run(
    command: tuple[str, ...], task: dict[str, Any], folder: Path, tell: Callable[[Adding], None], stop: threading.Event
) -> Adding:
    """The child's run from its first to its last line; raises IngestError with what it says is wrong."""
    step, error = Adding(), ""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=folder
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        with suppress(BrokenPipeError):  # it ended at once, which its code tells
            child.stdin.write(json.dumps(task) + "\n")
            child.stdin.flush()
        threading.Thread(target=_stop_with, args=(stop, child), daemon=True).start()
        ended = False
        for line in child.stdout:
            told = json.loads(line)
            ended = ended or "error" in told or "report" in told
            error = told.get("error", error)
            step = _step(step, told)
            tell(step)
    if error:
        raise IngestError(error)
    return step if ended else replace(step, code=child.returncode)


def _stop_with(stop: threading.Event, child: subprocess.Popen[str]) -> None:
    """Close the child's standard input, which ends it, when it is to stop."""
    while child.poll() is None:
        if stop.wait(0.2):
            assert child.stdin is not None
            child.stdin.close()
            return


def _step(before: Adding, told: dict[str, Any]) -> Adding:
    if report := told.get("report"):
        return replace(before, verdicts=tuple(map(_verdict, report["verdicts"])), interrupted=report["interrupted"])
    if "progress" not in told:
        return replace(before, waiting=told.get("waiting", ""))
    now = told["progress"]
    return Adding(now["done"], now["total"], now["file"], now["pages"], now["left"])


def _verdict(told: dict[str, Any]) -> Verdict:
    return Verdict(**{name: told[name] for name in _FIELDS}, warnings=tuple(told["warnings"]))


# Uploads


def _upload(session: Session) -> None:
    turn = st.session_state.setdefault("upload-turn", 0)
    files = st.file_uploader(session.say("library_intro"), accept_multiple_files=True, key=f"upload-{turn}")
    if files:
        st.session_state["upload-turn"] = turn + 1  # a new, empty uploader: a rerun adds nothing twice
        held = list(files)
        start(session, [UPLOADS], keep=lambda: _keep(session, held))
        _let_go(files)
        st.rerun()


def _let_go(files: Sequence[UploadedFile]) -> None:
    """Have the server forget files that are held elsewhere: it would keep them in memory until the tab is closed."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in files:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)


def _keep(session: Session, files: list[Any]) -> _Kept:
    """Write uploads to their folder, a zip's files below one of its name; ``files`` is emptied, each once it is written."""
    from ingest.uploads import unpacked

    kept = _Kept()
    while files:
        file = files.pop(0)
        name, data = str(file.name), file.getvalue()
        try:
            if name.lower().endswith(".zip"):
                for parts, content in unpacked(name, data):
                    _keep_one(session, kept, parts, content)
            else:
                _keep_one(session, kept, (name,), data)
        except IngestError as error:
            kept.refused.append(Verdict(name, "set aside", str(error)))
    return kept


def _keep_one(session: Session, kept: _Kept, parts: tuple[str, ...], data: bytes) -> None:
    from ingest.loaders import SUFFIXES
    from ingest.uploads import add_upload, clean_name, uploads_root

    settings = replace(session.services.settings, kb=session.kb)
    *folders, name = map(clean_name, parts)
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        kept.refused.append(
            Verdict("/".join((*folders, name)), "set aside", f"{suffix or name} files are not supported")
        )
        return
    stem, number = Path(name).stem.encode()[:_LONGEST_STEM].decode("utf-8", "ignore"), 2
    while "/".join((*folders, name)) in kept.names:
        name, number = f"{stem} ({number}){suffix}", number + 1
    shown = "/".join((*folders, name))
    if uploads_root(settings).path.joinpath(*folders, name).exists():
        kept.replaced.add(shown)
    try:
        add_upload(settings, name, data, folders)
    except IngestError as error:
        kept.refused.append(Verdict(shown, "set aside", str(error)))
        return
    kept.names.add(shown)


# How far it is, and what became of it


@st.fragment(run_every=POLL)
def _progress(job: Job[Adding], say: Say) -> None:
    if job.done:
        st.rerun()
    step = job.progress
    st.markdown(f"**{say('adding')}**")
    st.progress(step.done / step.total if step.total else 0.0, text=_detail(step, say))
    if step.waiting:
        st.caption(f"{inline(reason(step.waiting, say.language), 300)} {say('adding_waits')}")
    st.button(
        say("stopping" if job.stopping else "stop"), key="stop-adding", on_click=job.stop, disabled=job.stopping,
        icon=":material/stop:",
    )  # fmt: skip


def _detail(step: Adding, say: Say) -> str:
    if not step.total:
        return say("adding_starts")
    parts = [say("adding_file", done=step.done, total=step.total, file=inline(step.file, 60))]
    parts += [say("adding_pages", count=step.pages)] if step.pages else []
    parts += [say("adding_left", left=_clock(step.left))] if step.left is not None and step.left >= 1 else []
    return " · ".join(parts)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _outcome(session: Session, job: Job[Adding]) -> None:
    say, step = session.say, job.progress
    with st.container(border=True, key="outcome"):
        if job.error or job.failed:
            st.error(plain(reason(job.error, say.language) or say("unexpected")), icon=":material/error:")
        elif step.code is not None:
            st.error(say("adding_broke", code=step.code), icon=":material/error:")
        elif step.interrupted:
            st.info(say("adding_stopped"), icon=":material/info:")
        if step.verdicts:
            st.markdown(f"**{say('added')}**")
            _verdicts(session, step)
        if st.button(say("dismiss"), key="dismiss", type="tertiary"):
            session.services.ingests.pop(session.kb, None)
            st.rerun()


def _verdicts(session: Session, step: Adding) -> None:
    """The files with a problem, each with what to do; the others, folded where they are many."""
    say = session.say
    problems = [verdict for verdict in step.verdicts if verdict.state in ("set aside", "empty") or verdict.warnings]
    well = [verdict for verdict in step.verdicts if verdict not in problems]
    for verdict in problems[:SHOWN]:
        problem(session, verdict, "outcome", replaced=verdict.file in step.replaced)
    if len(problems) > SHOWN:
        st.caption(say("more_problems", count=len(problems) - SHOWN))
    if not well:
        return
    many = len(well) > 5
    with st.expander(say("added_well", count=len(well)), key="well") if many else st.container():
        for verdict in well[:SHOWN]:
            verdict_line(verdict, say, replaced=verdict.file in step.replaced)


def problem(session: Session, verdict: Verdict, place: str, *, replaced: bool = False) -> None:
    """A file's verdict, with a box for the password that would open it; ``place`` tells this list from others."""
    verdict_line(verdict, session.say, replaced=replaced)
    if _opens(verdict) and session.user.may_change(session.kb) and not running(session):
        _password(session, verdict, place)


def _opens(verdict: Verdict) -> bool:
    """Whether a password would open a file."""
    from ingest.source import LOCKED, WRONG_PASSWORD

    return verdict.state == "set aside" and verdict.reason in (LOCKED, WRONG_PASSWORD)


def verdict_line(verdict: Verdict, say: Say, *, replaced: bool = False) -> None:
    """What became of a file, why, and what can be done about it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(say.state(verdict.state), color=COLOURS[verdict.state], width="content")  # type: ignore[arg-type]
        st.markdown(inline(verdict.file), width="content")
        told = [reason(text, say.language) for text in (verdict.reason, *verdict.warnings) if text]
        told += [say("replaced")] if replaced else []
        told += [say(f"do_{_kind(verdict)}")] if verdict.state in ("set aside", "empty") else []
        st.caption(inline(" · ".join(told), 500) or size(verdict.pages, verdict.chunks, say))


def _kind(verdict: Verdict) -> str:
    from ingest.report import kind

    if verdict.state == "empty" and not kind(verdict.reason):
        return "empty"
    found = kind(verdict.reason) or "other"
    return "other" if found == "locked" and not _opens(verdict) else found


def size(pages: int, chunks: int, say: Say) -> str:
    """How much there is of a document, in words."""
    parts = [say("pages", count=pages)] if pages > 1 else []
    return " · ".join([*parts, say("chunks", count=chunks)])


def _password(session: Session, verdict: Verdict, place: str) -> None:
    say = session.say
    with st.form(f"unlock-{place}-{verdict.file}", border=False, clear_on_submit=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            hint = say("password_kept")
            word = st.text_input(say("password", file=inline(verdict.file, 60)), type="password", help=hint)
            given = st.form_submit_button(say("unlock"), icon=":material/lock_open:")
    if given and word:
        with session.store() as store:
            files = store.all_files()
        roots = [f.root for f in files if verdict.file in (f.relative, f"{Path(f.root).name}/{f.relative}")]
        start(session, list(dict.fromkeys(roots)) or [UPLOADS], passwords=[(verdict.file, word)], only=[verdict.file])
        st.rerun()


# Pages and folders


def _pages(session: Session) -> None:
    if not session.services.settings.ingest.allow_urls or running(session):
        return
    say = session.say
    box = st.expander(say("page_add"), icon=":material/language:", key="page-add")
    with box, st.form("page", border=False, clear_on_submit=True):
        address = st.text_input(say("page_address"), placeholder="https://")
        if st.form_submit_button(say("add")) and address.strip():
            start(session, [address.strip()])
            st.rerun()


def _folders(session: Session) -> None:
    """The folders of this machine that the knowledge base is kept equal to: an admin's matter."""
    if not session.user.admin:
        return
    say = session.say
    with session.store() as store:
        roots = [root for root in store.root_states() if root.path != UPLOADS]
    with st.expander(say("folders", count=len(roots)), icon=":material/folder_open:", key="folders"):
        st.caption(say("folders_hint"))
        for root in roots:
            _folder(session, root)
        follower = session.services.followers.get(session.kb)
        if follower is not None and not follower.running:
            st.warning(say("follower_ended"), icon=":material/warning:")
        if follower is not None and follower.lines:
            st.caption(say("follower_said"))
            for line in follower.lines:
                st.caption(inline(_seen(line, say), 300))
        with st.form("folder", border=False, clear_on_submit=True):
            path = st.text_input(say("folder_add"), placeholder=say("folder_path"))
            if st.form_submit_button(say("add"), disabled=running(session)) and path.strip():
                _start_folder(session, path)


def _seen(line: str, say: Say) -> str:
    """A line of a process that follows folders, ``HH:MM:SS`` and what it saw, in the page's language."""
    clock, _, text = line.partition(" ")
    if found := _SEEN.fullmatch(text):
        state, file, count, why = found.groups()
        size_of = f" ({say('chunks', count=int(count))})" if count else ""
        return f"{clock} {say.state(state)} · {file}{size_of}{': ' + reason(why, say.language) if why else ''}"
    return f"{clock} {reason(text, say.language)}"


def _start_folder(session: Session, path: str) -> None:
    """Take in the folder or file of a path, or say what is wrong with it."""
    from ingest.discovery import root_of

    try:
        root = root_of(Path(path.strip()))
    except IngestError as error:
        st.error(plain(reason(str(error), session.say.language)), icon=":material/error:")
        return
    start(session, [root.name])
    st.rerun()


def _folder(session: Session, root: RootState) -> None:
    say = session.say
    is_page = "://" in root.path
    with st.container(border=True, gap="xsmall", key=f"folder-{root.path}"):
        st.markdown(f"**{inline(root.path, 200)}**")
        parts = [say("folder_files", files=root.files, indexed=root.indexed)]
        if root.looked is not None:
            parts.append(say("folder_looked", when=datetime.fromtimestamp(root.looked).strftime("%Y-%m-%d %H:%M")))
        if not is_page and (trouble := _trouble(root.path)):
            parts.append(f":orange[:material/warning: {say(trouble)}]")
        st.caption(" · ".join(parts))
        with st.container(horizontal=True, vertical_alignment="center"):
            if not is_page:
                key = f"watch-{root.path}"
                st.session_state[key] = root.watched  # as the store has it, whatever another tab chose
                st.toggle(say("folder_watch"), key=key, on_change=_follow, args=(session, root.path, not root.watched))
            busy = running(session)
            if st.button(say("folder_look"), key=f"look-{root.path}", icon=":material/refresh:", disabled=busy):
                start(session, [root.path])
                st.rerun()
            if st.button(say("folder_forget"), key=f"forget-{root.path}", icon=":material/folder_off:", disabled=busy):
                _forget(session, root)


def _trouble(path: str) -> str:
    """The word for what keeps a folder or file from being looked at; empty where nothing does."""
    try:
        present = os.path.lexists(path)
    except OSError:
        present = True
    if not present:
        return "folder_missing"
    return "" if os.access(path, os.R_OK | (os.X_OK if os.path.isdir(path) else 0)) else "folder_unreadable"


def _follow(session: Session, path: str, wanted: bool) -> None:
    with session.store() as store:
        store.watch_root(path, wanted)
    following.follow(session.services, session.kb)


def _forget(session: Session, root: RootState) -> None:
    say = session.say

    @st.dialog(say("folder_forget"))
    def ask() -> None:
        with errors_shown():
            st.markdown(say("folder_forget_sure", path=inline(root.path), files=root.files))
            if st.button(say("folder_forget"), key="sure"):
                with session.store() as store, store.write_lock():
                    store.forget_root(root.path)
                following.follow(session.services, session.kb)
                st.rerun()

    ask()
