"""Mails: who wrote to whom, when and what; each attachment a document of its own. Saved web pages (.mht) as pages."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import replace
from email.errors import CloseBoundaryNotFoundDefect
from email.message import EmailMessage, MIMEPart
from pathlib import PurePosixPath

from ingest.encoding import decode
from ingest.loaders.html import charset, page_text
from ingest.source import Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

_SHOWN_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_ANY_OF = (*_SHOWN_HEADERS, "Received", "Message-ID", "MIME-Version", "Return-Path")
_DEEPEST = 3  # files in files
_MOST_ATTACHMENTS = 100
_MOST_BYTES = 200 << 20
_LONGEST_NAME = 120
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_FOLDED = re.compile(r"\r?\n(?=[ \t])|[\r\n]")
_SUFFIX_OF = {"text/plain": ".txt", "text/html": ".html", "application/pdf": ".pdf", "text/csv": ".csv"}
# Proofs of who signed are no attachments that anyone reads.
_SIGNATURES = frozenset(("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"))


def load(source: Source) -> Iterator[ParsedDocument]:
    """The attachments, each with its name as key, then the mail itself under its subject. Raises IngestError.

    An attachment that cannot be read is a warning of the mail's.
    """
    with source.open() as file:
        message = email.message_from_binary_file(file, policy=email.policy.default)
    if not any(name in message for name in _ANY_OF):
        raise IngestError("not a mail: it begins with none of a mail's headers")
    page = _is_saved_page(message)
    headers = {name: said for name in _SHOWN_HEADERS if (said := _header(message, name, source))}
    body, parts = _parted(message)
    title, text = _body(body, source)
    if page:
        yield ParsedDocument(title or headers.get("Subject") or source.stem, (Page(None, text),), marked_up=True)
        return
    attachments, warnings = _attachments(parts, source)
    lines = "\n".join(f"{name}: {said}" for name, said in headers.items())
    marked_up = bool(body) and body[0].get_content_type() == "text/html"
    mail = Page(None, f"{lines}\n\n{text}".strip())
    if any(isinstance(defect, CloseBoundaryNotFoundDefect) for part in message.walk() for defect in part.defects):
        warnings = ["the mail is cut off: its last part, and what came after it, may be missing", *warnings]
    # The mail is the last: only then is it known what of its attachments could not be read.
    yield from attachments
    yield ParsedDocument(headers.get("Subject") or source.stem, (mail,), tuple(warnings), marked_up=marked_up)


def _is_saved_page(message: EmailMessage) -> bool:
    """Whether a browser wrote this to keep a page with its pictures."""
    alone = message.get_content_type() == "multipart/related" and "To" not in message
    return "Snapshot-Content-Location" in message or alone


def _header(message: EmailMessage, name: str, source: Source) -> str:
    """A header as text; bytes that it holds against the rules are decoded like any text."""
    raw = next((value for key, value in message.raw_items() if key.lower() == name.lower()), None)
    if raw is None:
        return ""
    try:
        plain = str(raw).encode("ascii", "surrogateescape")
        said = str(message[name]) if plain.isascii() else decode(plain, message.get_content_charset(), source.encoding)
    except IngestError:
        return ""
    except (ValueError, IndexError, AttributeError, TypeError, LookupError, UnicodeError):
        said = str(raw).encode("ascii", "replace").decode("ascii")  # the header parser trips over a broken one
    return " ".join(_UNSEEN.sub("", _FOLDED.sub(" ", said)).split())


def _parted(message: MIMEPart) -> tuple[list[MIMEPart], list[MIMEPart]]:
    """The parts that are the mail's own text, in order, and those that are attached to it."""
    body: list[MIMEPart] = []
    attached: list[MIMEPart] = []
    pages = b"".join(_bytes(part) for part in message.walk() if part.get_content_type() == "text/html")

    def sort(part: MIMEPart) -> None:
        kind = part.get_content_type()
        if kind == "multipart/alternative" and part.is_multipart():
            choices = list(part.iter_parts())
            best = _best(choices)
            for choice in choices:
                if choice is best:
                    sort(choice)
                elif not choice.get_content_type().startswith("text/"):
                    attached.extend(
                        p for p in _leaves(choice) if p.get_filename() and not _is_picture_in_text(p, pages)
                    )
        elif part.is_multipart() and not kind.startswith("message/"):
            for inner in part.iter_parts():
                sort(inner)
        elif (
            kind in ("text/plain", "text/html")
            and not part.get_filename()
            and part.get_content_disposition() != "attachment"
        ):
            body.append(part)
        elif not _is_picture_in_text(part, pages) and kind not in _SIGNATURES:
            attached.append(part)

    sort(message)
    return body, attached


def _best(choices: list[MIMEPart]) -> MIMEPart | None:
    """Of one text in several forms the plain one, unless that is empty or only says that there is another."""
    plain = next((choice for choice in choices if choice.get_content_type() == "text/plain"), None)
    others = [choice for choice in choices if choice is not plain]
    if plain is not None and (not others or len(_bytes(plain).split()) > 20 or _is_short(others)):
        return plain
    holding = (choice for choice in others if any(p.get_content_type() == "text/html" for p in _leaves(choice)))
    return next(holding, plain)


def _is_short(others: list[MIMEPart]) -> bool:
    """Whether a few plain words may be all that there is: the page beside them is short, too."""
    html = [part for other in others for part in _leaves(other) if part.get_content_type() == "text/html"]
    return (
        sum(len(re.sub(rb"<style.*?</style>|<[^>]*>|\s", b"", _bytes(part), flags=re.S | re.I)) for part in html) < 400
    )


def _leaves(part: MIMEPart) -> Iterator[MIMEPart]:
    if part.is_multipart() and not part.get_content_type().startswith("message/"):
        for inner in part.iter_parts():
            yield from _leaves(inner)
    else:
        yield part


def _is_picture_in_text(part: MIMEPart, pages: bytes) -> bool:
    """A logo or picture that a page of the mail shows, and that nobody attached."""
    if part.get_content_maintype() != "image":
        return False
    name = str(part["Content-ID"] or "").strip(" <>").encode("utf-8", "replace")
    return bool(name) and b"cid:" + name in pages


def _body(parts: list[MIMEPart], source: Source) -> tuple[str, str]:
    """The title of the first part that is a page, or "", and the text of all."""
    title, texts = "", []
    for part in parts:
        data = _bytes(part)
        named = part.get_content_charset()
        if part.get_content_type() == "text/html":
            page_title, text = page_text(decode(data, named or charset(data), source.encoding))
            title = title or page_title
        else:
            text = decode(data, named, source.encoding).replace("\r\n", "\n")
            if str(part.get_param("format", "")).lower() == "flowed":
                text = re.sub(r"(?<=[^\n-]) \n(?![>\n])", " ", text)
        texts.append(text.strip())
        source.tick()
    return title, "\n\n".join(filter(None, texts))


def _bytes(part: MIMEPart) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _attachments(parts: list[MIMEPart], source: Source) -> tuple[list[ParsedDocument], list[str]]:
    """The documents of the attachments and, for those that cannot be read, why."""
    documents: list[ParsedDocument] = []
    warnings: list[str] = []
    names: set[str] = set()
    left = _MOST_BYTES
    if parts and source.depth >= _DEEPEST:
        return [], [f"{len(parts)} attachments left out: they lie more than {_DEEPEST} files deep"]
    for part in parts[:_MOST_ATTACHMENTS]:
        name = _free(_name(part), names)
        content = _content(part)
        left -= len(content)
        if left < 0:
            warnings.append(f"attachment {name} left out: more than {_MOST_BYTES >> 20} MB are attached")
            break
        found, problem = _read(source.inside(name, content))
        documents += found
        warnings += [f"attachment {name} left out: {problem}"] if problem else []
        source.tick()
    if len(parts) > _MOST_ATTACHMENTS:
        warnings.append(f"{len(parts) - _MOST_ATTACHMENTS} of {len(parts)} attachments left out: too many")
    return documents, warnings


def _read(attachment: Source) -> tuple[list[ParsedDocument], str]:
    from ingest.loaders import load as load_any

    try:
        read = list(load_any(attachment))
    except IngestError as error:
        return [], str(error)
    except Exception as error:  # whatever a loader trips over, the mail itself is readable
        return [], f"it cannot be read ({type(error).__name__})"
    if not any(document.text.strip() for document in read):
        return [], "there is no text in it"
    name = attachment.name
    return [replace(d, key=name if d.key is None else f"{name}#{d.key}") for d in read], ""


def _content(part: MIMEPart) -> bytes:
    if part.get_content_maintype() != "message" or not part.is_multipart():
        return _bytes(part)
    try:
        return b"\n\n".join(inner.as_bytes(policy=email.policy.compat32) for inner in part.iter_parts())
    except (ValueError, LookupError, TypeError, AttributeError):
        return b"\n\n".join(str(inner).encode("utf-8", "surrogateescape") for inner in part.iter_parts())


def _name(part: MIMEPart) -> str:
    """The last part of an attachment's name as it is shown; a name for one that has none."""
    try:
        given = part.get_filename() or ""
    except (ValueError, LookupError, TypeError, AttributeError):
        given = ""
    if not given.isascii() and any("\udc80" <= c <= "\udcff" for c in given):
        try:
            given = decode(given.encode("utf-8", "surrogateescape"))
        except (IngestError, UnicodeError):
            given = ""
    given = _UNSEEN.sub("", given.replace("\ufffd", "")).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].strip(" .")
    if part.get_content_maintype() == "message":
        return given if given.lower().endswith(".eml") else f"{_subject(part) or given or 'mail'}.eml"
    path = PurePosixPath(given or f"attachment{_SUFFIX_OF.get(part.get_content_type(), '')}")
    return f"{path.stem[:_LONGEST_NAME]}{path.suffix[:20]}"


def _subject(part: MIMEPart) -> str:
    inner = next(iter(part.iter_parts()), None) if part.is_multipart() else None
    subject = str(inner["Subject"] or "") if inner is not None else ""
    return _UNSEEN.sub("", re.sub(r"[\\/\s]+", " ", subject)).strip(" .")[:_LONGEST_NAME]


def _free(name: str, names: set[str]) -> str:
    """The name, with a number where an attachment before has it already."""
    path, free, number = PurePosixPath(name), name, 2
    while free in names:
        free, number = f"{path.stem} ({number}){path.suffix}", number + 1
    names.add(free)
    return free
