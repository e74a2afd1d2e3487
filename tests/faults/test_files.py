"""Files that are made to do harm, and folders that hold more than files: what each row ends in, with its figure."""

from __future__ import annotations

import io
import os
import socket
import struct
import threading
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.clean import clean
from ingest.formats import LOADERS
from ingest.loaders import load
from ingest.sandbox import Sandbox
from ingest.source import Source
from ingest.sync import synchronise
from rag.errors import IngestError
from rag.settings import Settings
from rag.store import Store
from rag.types import Embedder
from tests.faults.seeds import PHRASE, SEEDS, pdf_of, zipped

Figure = Callable[[str, str], None]
PARSE_SECONDS = 20.0
MOST_SECONDS = PARSE_SECONDS + 5
MOST_MEMORY = 1700 << 20  # of the child, its interpreter and libraries included
PACKED = {".docx": "word/document.xml", ".pptx": "ppt/presentation.xml", ".xlsx": "xl/workbook.xml",
          ".odt": "content.xml", ".epub": "content.opf"}  # fmt: skip
READ = [suffix for suffix in PACKED if suffix in LOADERS]

posix_only = pytest.mark.skipif(os.name == "nt", reason="POSIX files")


@dataclass(frozen=True)
class Outcome:
    """What reading a file in the sandbox came to."""

    text: str
    failure: str
    seconds: float
    memory: int

    def is_bounded(self) -> bool:
        """Whether it kept to its time and memory."""
        return self.seconds <= MOST_SECONDS and self.memory <= MOST_MEMORY


def read(path: Path) -> Outcome:
    """A file read in the real sandbox, its child's memory watched from outside."""
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.03):
            peak[0] = max(peak[0], _children_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started, text, failure = time.monotonic(), "", ""
    try:
        with Sandbox(PARSE_SECONDS) as sandbox:
            text = "\n".join(f"{document.title}\n{document.text}" for document in sandbox.documents(path))
    except IngestError as error:
        failure = str(error)
    finally:
        seconds = time.monotonic() - started
        over.set()
        watcher.join()
    return Outcome(text, failure, seconds, peak[0])


def _children_memory() -> int:
    """The resident bytes of the largest child process; 0 where the system does not tell."""
    most = 0
    for tasks in Path("/proc/self/task").glob("*/children"):
        try:
            for pid in tasks.read_text().split():
                most = max(most, int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096)
        except (OSError, IndexError):  # it has just ended
            continue
    return most


def tell(figure: Figure, row: str, outcomes: dict[str, Outcome]) -> None:
    """Note what a row came to."""
    slowest = max(outcome.seconds for outcome in outcomes.values())
    largest = max(outcome.memory for outcome in outcomes.values()) >> 20
    figure(row, f"{len(outcomes)} files, slowest {slowest:.1f} s, largest child {largest} MB")
    for name, outcome in outcomes.items():
        print(f"  {name}: {outcome.failure or f'{len(outcome.text)} characters'}")


# PDF


def _pdf_bombs() -> Iterator[tuple[str, bytes]]:
    catalogue, pages = "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << {} >> >>"

    def stream(content: bytes, about: str = "") -> bytes:
        return f"<< /Length {len(content)} {about} >>\nstream\n".encode() + content + b"\nendstream"

    def flate(content: bytes) -> bytes:
        return stream(zlib.compress(content, 9), "/Filter /FlateDecode")

    plain = pdf_of(catalogue, pages, page.format(""), stream(b""))
    yield (
        "xref that is its own previous one",
        pdf_of(catalogue, pages, page.format(""), stream(b""), trailer=f"/Prev {plain.index(b'xref')}"),
    )
    yield (
        "75 MB of operators in 75 KB",
        pdf_of(catalogue, pages, page.format(""), flate(b"BT " + b"(aaaaaaaaaaaaaaaa) Tj " * (75 * 2**20 // 23))),
    )
    yield "75 MB of spaces, packed twice", pdf_of(
        catalogue, pages, page.format(""),
        stream(zlib.compress(zlib.compress(b" " * (75 << 20), 9), 9), "/Filter [/FlateDecode /FlateDecode]"),
    )  # fmt: skip
    yield "600 MB of spaces in one stream", pdf_of(
        catalogue, pages, page.format(""),
        stream(_packed_blocks(600), "/Filter /FlateDecode"),
    )  # fmt: skip
    chain = [f"<< /Title (a) /Parent {n - 1} 0 R /First {n + 1} 0 R /Count 1 >>" for n in range(6, 5006)]
    yield "an outline 5,000 deep", pdf_of(
        "<< /Type /Catalog /Pages 2 0 R /Outlines 5 0 R >>", pages, page.format(""), stream(b""),
        "<< /First 6 0 R >>", *chain, "<< /Title (end) >>",
    )  # fmt: skip
    yield "a size of two thousand million", plain.replace(b"/Size 5", b"/Size 2147483647")
    yield "a table of two thousand million places", plain.replace(b"xref\n0 5", b"xref\n0 2000000000")
    yield "a form that draws itself", pdf_of(
        catalogue, pages, page.format("/XObject << /X 5 0 R >>"), stream(b"/X Do"),
        stream(b"/X Do", "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >>"),
    )  # fmt: skip
    yield "pages that hold themselves", pdf_of(catalogue, "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9 >>")
    nested = [f"<< /Type /Pages /Kids [{n + 1} 0 R] /Count 1 >>" for n in range(2, 5002)]
    yield "pages 5,000 deep", pdf_of(catalogue, *nested, "<< /Type /Page /MediaBox [0 0 9 9] >>")
    yield (
        "a million pages that are one",
        pdf_of(
            catalogue, f"<< /Type /Pages /Kids [{'3 0 R ' * 300_000}] /Count 300000 >>", page.format(""), stream(b"")
        ),
    )
    yield "brackets 100,000 deep", pdf_of(catalogue, pages, page.format(""), stream(b"[" * 100_000 + b" Tj"))


def _packed_blocks(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(b" " * (1 << 20)) for _ in range(megabytes)) + packer.flush()


def test_pdfs_that_loop_or_swell_end_within_the_limits(tmp_path: Path, figure: Figure) -> None:
    """Circles, depth and bombs in a PDF cost bounded time and memory, and the next file is read."""
    outcomes = {}
    for name, content in _pdf_bombs():
        (tmp_path / "bomb.pdf").write_bytes(content)
        outcomes[name] = read(tmp_path / "bomb.pdf")
    tell(figure, "PDF loops, depth and bombs", outcomes)
    assert all(outcome.is_bounded() for outcome in outcomes.values()), outcomes
    (tmp_path / "good.pdf").write_bytes(SEEDS[".pdf"]())
    assert PHRASE in read(tmp_path / "good.pdf").text


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256"])
def test_locked_pdfs_are_locked_and_restricted_ones_open(tmp_path: Path, algorithm: str) -> None:
    """A PDF behind a password is called locked, whatever locks it; one that only forbids printing is read."""
    verdicts = {}
    for name, password in (("locked", "secret"), ("restricted", "")):
        writer = pypdf.PdfWriter(io.BytesIO(SEEDS[".pdf"]()))
        writer.encrypt(user_password=password, owner_password="owner", algorithm=algorithm, permissions_flag=0)
        writer.write(tmp_path / f"{name}.pdf")
        verdicts[name] = read(tmp_path / f"{name}.pdf")
    assert verdicts["locked"].failure.startswith("locked: needs a password")
    assert PHRASE in verdicts["restricted"].text


# Archives


def _zip_bombs(suffix: str) -> Iterator[tuple[str, bytes]]:
    """Archives that pass for a format, each with another trick in its main part."""
    with zipfile.ZipFile(io.BytesIO(SEEDS[suffix]())) as archive:
        members: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    part = PACKED[suffix]
    yield "600 MB of spaces", zipped(members | {part: members[part] + b" " * (600 << 20)})  # type: ignore[operator]
    yield "10,001 members", zipped(members | {f"{n}.bin": b"" for n in range(10_001)})
    yield "300 MB in small members", zipped(members | {f"{n}.bin": bytes(1 << 19) for n in range(600)})
    swollen = zipped(members | {part: members[part] + b" " * (150 << 20)})  # type: ignore[operator]
    yield "a size that lies", _with_size(swollen, part, len(members[part]))
    yield "a size of 2⁶³ (zip64)", _with_zip64_size(zipped(members), part)
    yield "members that overlap", _overlapping(zipped(members | {"big.bin": bytes(1 << 20)}), 300)
    yield "cut in the middle", zipped(members)[: len(zipped(members)) // 2]


def _with_size(data: bytes, name: str, size: int) -> bytes:
    """An archive whose tables give another size for a member than what unpacks."""
    out = bytearray(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo(name)
    struct.pack_into("<I", out, info.header_offset + 22, size)
    entry = data.index(b"PK\x01\x02", data.rindex(info.filename.encode()) - 46)
    struct.pack_into("<I", out, entry + 24, size)
    return bytes(out)


def _with_zip64_size(data: bytes, name: str) -> bytes:
    """The same with a 64-bit size, as an extra field of the last entry gives it."""
    out = bytearray(data)
    place = data.rindex(name.encode()) - 46
    struct.pack_into("<I", out, place + 24, 0xFFFFFFFF)
    extra = struct.pack("<HHQ", 1, 8, 1 << 63)
    struct.pack_into("<H", out, place + 30, len(extra))
    at = place + 46 + len(name)
    out[at:at] = extra
    end = out.rindex(b"PK\x05\x06")
    struct.pack_into("<I", out, end + 12, struct.unpack_from("<I", out, end + 12)[0] + len(extra))
    return bytes(out)


def _overlapping(data: bytes, times: int) -> bytes:
    """An archive whose directory names the bytes of its last member again and again."""
    end = data.rindex(b"PK\x05\x06")
    last = data.rindex(b"PK\x01\x02", 0, end)
    entry = data[last:end]
    size, start = struct.unpack_from("<II", data, end + 12)
    count = struct.unpack_from("<H", data, end + 10)[0] + times
    tail = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, size + times * len(entry), start, 0)
    return data[:end] + entry * times + tail


@pytest.mark.parametrize("suffix", READ)
def test_archives_that_swell_are_refused(tmp_path: Path, suffix: str, figure: Figure) -> None:
    """Whatever a packed document claims or hides, it is refused, or read without what does not belong to it."""
    outcomes = {}
    for name, content in _zip_bombs(suffix):
        (tmp_path / f"bomb{suffix}").write_bytes(content)
        outcomes[name] = read(tmp_path / f"bomb{suffix}")
    tell(figure, f"{suffix} bombs", outcomes)
    assert all(outcome.is_bounded() for outcome in outcomes.values()), outcomes
    assert all(outcome.failure for outcome in outcomes.values()), outcomes
    assert max(outcome.memory for outcome in outcomes.values()) < 600 << 20


def test_good_archives_are_not_refused(tmp_path: Path, figure: Figure) -> None:
    """Blank pages compress beyond any ratio, and embedded files are archives themselves: both are read."""
    refused, count = [], 0
    for suffix in READ:
        with zipfile.ZipFile(io.BytesIO(SEEDS[suffix]())) as archive:
            members: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
        extras: list[dict[str, str | bytes]] = [
            {}, {"blank.xhtml": " " * 900_000}, {"embedded.xlsx": SEEDS[".xlsx"]()}, {"图片/一.png": SEEDS[".png"]()},
            {f"{n}.bin": b"x" for n in range(2000)}, {"random.bin": os.urandom(3 << 20)},
        ]  # fmt: skip
        for extra in extras:
            count += 1
            source = Source(f"good{suffix}", content=zipped(members | extra))
            text = "\n".join(document.text for document in load(source))
            if PHRASE not in text:
                refused.append((suffix, list(extra)[:1]))
    figure("good archives", f"{count}, {len(refused)} refused")
    assert refused == []


# XML

CANARY = "canary-7f3a"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def _doctypes(secret: Path, fifo: Path, port: int) -> dict[str, tuple[str, str]]:
    """Document types and the reference that springs each."""
    return {
        "billion laughs": (f'<!DOCTYPE x [<!ENTITY l0 "ha{CANARY}">{LAUGHS}]>', "&l9;"),
        "quadratic": (f'<!DOCTYPE x [<!ENTITY q "{CANARY * 9000}">]>', "&q;" * 9000),
        "external file": (f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]>', "&e;"),
        "a file that never ends": (f'<!DOCTYPE x [<!ENTITY e SYSTEM "{fifo.as_uri()}">]>', "&e;"),
        "external DTD": (f'<!DOCTYPE x SYSTEM "http://127.0.0.1:{port}/x.dtd">', "&e;"),
        "parameter entity": (f'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:{port}/p"> %p;]>', "&e;"),
    }


def _with_doctype(suffix: str, doctype: str, reference: str) -> bytes:
    """A seed with a document type in its main part, and the reference in its text."""

    def spiked(xml: str) -> str:
        declared = xml.find("?>") + 2 if xml.startswith("<?xml") else 0
        return xml[:declared] + doctype + xml[declared:].replace(PHRASE, reference, 1)

    if suffix not in PACKED:
        return spiked(SEEDS[suffix]().decode()).encode()
    with zipfile.ZipFile(io.BytesIO(SEEDS[suffix]())) as archive:
        members: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    holder = next(name for name, content in members.items() if PHRASE.encode() in content)  # type: ignore[operator]
    return zipped(members | {holder: spiked(bytes(members[holder]).decode())})  # type: ignore[arg-type]


@posix_only
@pytest.mark.parametrize("suffix", [s for s in (*PACKED, ".xml", ".rss", ".html", ".xhtml") if s in LOADERS])
def test_entities_are_neither_expanded_nor_fetched(tmp_path: Path, suffix: str, figure: Figure) -> None:
    """No entity becomes text, no file outside is opened and no address asked, whatever the outcome."""
    secret, fifo = tmp_path / "secret.txt", tmp_path / "fifo"
    secret.write_text(CANARY)
    os.mkfifo(fifo)
    outcomes = {}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for name, (doctype, reference) in _doctypes(secret, fifo, listener.getsockname()[1]).items():
            path = tmp_path / f"bomb{suffix}"
            path.write_bytes(_with_doctype(suffix, doctype, reference))
            outcomes[name] = read(path)
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
    tell(figure, f"{suffix} entities", outcomes)
    for name, outcome in outcomes.items():
        shown = outcome.text.count(CANARY)
        as_written = name == "quadratic" and shown <= 9000  # an HTML reader shows what it takes for text
        assert outcome.is_bounded() and "longer than" not in outcome.failure, name
        assert not shown or (as_written and suffix in (".html", ".xhtml")) or shown == 1, name
        assert name not in ("external file",) or not shown


# Names and contents


@pytest.mark.parametrize(
    "suffix", [s for s in SEEDS if LOADERS.get(s) in ("pdf", "docx", "pptx", "xlsx", "xls", "epub", "odt", "doc")]
)
def test_the_content_decides_not_the_name(tmp_path: Path, suffix: str) -> None:
    """A file with a wrong suffix, or none that is known, is read as what it is, and the verdict says so."""
    for other in (".txt", ".html", ".csv", ".pdf", ".docx"):
        if LOADERS[other] == LOADERS[suffix]:
            continue
        (document,) = load(Source(f"file{other}", content=SEEDS[suffix]()))
        assert PHRASE in document.text
        assert any("read as" in warning for warning in document.warnings), other


@pytest.mark.parametrize("suffix", [s for s in LOADERS if s in SEEDS])
def test_empty_and_binary_files_are_no_documents(suffix: str) -> None:
    """Zero bytes, and bytes that are of no kind, give no text under any name."""
    for content in (b"", bytes(5000), bytes(range(256)) * 20, os.urandom(5000)):
        try:
            text = "".join(document.text for document in load(Source(f"file{suffix}", content=content)))
        except IngestError as error:
            assert str(error)
        else:
            assert not text.strip(), content[:20]


UNSEEN = "\u200b\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def _visible(text: str) -> str:
    """What remains for the eye, told in another way than the cleaning does: by category, line ends as one kind."""
    lines = text.replace("\r\n", "\n")
    for end in "\r\x0b\x0c\x85\u2028\u2029":
        lines = lines.replace(end, "\n")
    seen = (
        c for c in lines
        if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs") and c not in UNSEEN and not 0xE0000 <= ord(c) < 0xE0080)
    )  # fmt: skip
    return unicodedata.normalize("NFC", "".join(seen))


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(st.text(alphabet=st.one_of(
    st.characters(), st.sampled_from(f"{UNSEEN}\u200c\u200d\0\x1b\r\n\U000e0041\U000e007fé\u0301می‌خواهم👩‍👧"),
)))  # fmt: skip
def test_cleaning_keeps_what_is_seen(text: str) -> None:
    """Direction overrides, zero-width and tag characters go; what is seen stays, joiners too, and twice changes nothing."""
    cleaned, removed = clean(text)
    assert cleaned == _visible(text)
    assert clean(cleaned) == (cleaned, 0)
    assert removed >= sum(text.count(c) for c in UNSEEN)
    assert [c for c in cleaned if c in "\u200c\u200d"] == [c for c in text if c in "\u200c\u200d"]


def test_huge_files_are_bounded(tmp_path: Path, embedder: Embedder, figure: Figure) -> None:
    """300 MB are set aside unread by the setting, and what it lets pass the sandbox bounds (LONG=1: all of these, too)."""
    huge = tmp_path / "docs/huge.txt"
    huge.parent.mkdir()
    with huge.open("wb") as file:
        file.write(b"Footnote 2026. " * 1000)
        file.truncate(300 << 20)
    sparse = huge
    if os.environ.get("LONG") != "1":
        sparse = tmp_path / "sparse.txt"
        with sparse.open("wb") as file:
            file.write(b"Footnote 2026. " * 1000)
            file.truncate(20 << 20)
    outcomes = {"sparse": read(sparse)}
    line = b"A line of text with words in it.\n"
    (tmp_path / "full.txt").write_bytes(line * ((40 << 20) // len(line)))
    outcomes["full"] = read(tmp_path / "full.txt")
    tell(figure, "huge text files", outcomes)
    assert all(outcome.is_bounded() for outcome in outcomes.values())
    with Store(tmp_path / "home") as store:
        (verdict,) = synchronise(Settings(store.home), [huge.parent], store=store, embedder=embedder).verdicts
    assert verdict.state == "set aside" and "ingest.max_file_mb" in verdict.reason
