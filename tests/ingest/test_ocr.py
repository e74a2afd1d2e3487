from __future__ import annotations

import socket
import sys
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from ingest import ocr
from ingest.paragraphs import unwrap
from rag.errors import IngestError
from tests.ingest.pictures import chinese_font, drawn, latin_font, lines

LETTER = [
    "The committee met on the third of March and looked",
    "at the costs of the new bridge over the river. It will",
    "take two years to build.",
    "",
    "The next meeting is in June 2027.",
]
NOTICE = [
    "本手册说明知识库的安装与使用方法，共分三章。",
    "第一章介绍硬件要求：内存不少于16GB。",
    "如有疑问，请发邮件至help@example.org。",
]


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_a_letter_is_read_with_its_paragraphs() -> None:
    """English lines come in order, words parted, wrapped lines a paragraph."""
    read = ocr.read(drawn(lines(LETTER)))
    assert unwrap(read.text) == f"{' '.join(LETTER[:3])}\n\n{LETTER[4]}"
    assert read.quality > 0.9 and read.turned == 0


def test_chinese_and_english_are_read_together() -> None:
    """A Chinese page comes without blanks between its characters, with its Latin words and figures."""
    read = ocr.read(drawn(lines(NOTICE), chinese_font()))
    assert read.text.replace(" ", "").split("\n") == NOTICE
    assert "本手册说明知识库的安装与使用方法" in read.text and read.quality > 0.9


@pytest.mark.parametrize("clockwise", [90, 180, 270])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_turned_page_is_put_upright(clockwise: int, language: str) -> None:
    """A page lies on its side or its head: it is turned, its lines keep their order, and it is said by how much."""
    page = drawn(lines(LETTER)) if language == "en" else drawn(lines(NOTICE), chinese_font())
    upright = ocr.read(page)
    turned = ocr.read(page.rotate(-clockwise, expand=True))
    assert (squeezed(turned.text), turned.turned) == (squeezed(upright.text), 360 - clockwise)


@pytest.mark.parametrize("degrees", [-8, 1, 5])
def test_a_skewed_page_is_levelled(degrees: int) -> None:
    """Two columns that lie askew are still read one after the other."""
    left = [f"Line {number} of the left column tells of bridges" for number in range(1, 8)]
    right = [f"and line {number} of the right one is about ships" for number in range(1, 8)]
    page = drawn([*lines(left, x=40), *lines(right, x=620)], latin_font(24)).rotate(
        degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white"
    )
    assert squeezed(ocr.read(page).text) == squeezed("".join(left + right))


def test_the_rows_of_a_table_stay_whole() -> None:
    """The cells of a row are on one line, in their columns."""
    rows = [
        ("Product", "Stock", "Price"),
        ("Hammer", "250", "14.90"),
        ("Pliers", "75", "9.50"),
        ("Wrench", "130", "21.00"),
    ]
    page = drawn([(80 + 300 * x, 100 + 60 * y, cell) for y, row in enumerate(rows) for x, cell in enumerate(row)])
    assert ocr.read(page).text.split("\n") == [f"| {' | '.join(row)} |" for row in rows]


@pytest.mark.parametrize("kind", ["noise", "blobs", "white", "lines"])
def test_no_words_are_invented(kind: str) -> None:
    """A picture without letters has no text."""
    random = np.random.default_rng(7)
    pixels = random.integers(0, 256, (30, 40, 3) if kind == "blobs" else (600, 800, 3), dtype=np.uint8)
    if kind == "white":
        pixels[:] = 255
    if kind == "lines":
        pixels[:] = 255
        pixels[::40] = pixels[:, ::60] = 0
    assert ocr.read(Image.fromarray(pixels).resize((800, 600), Image.Resampling.BICUBIC)).text == ""


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3), (20, 20)])
def test_tiny_and_oblong_pictures_do_no_harm(size: tuple[int, int]) -> None:
    """A picture of any shape is read, or has no text."""
    assert ocr.read(Image.new("L", size, 128)).text == ""


def test_letters_at_the_very_edge_are_read() -> None:
    """A picture cut close to its letters keeps its first and last ones."""
    page = drawn([(0, 0, "Annual report of the river authority")], size=(640, 40))
    box = page.convert("L").point(lambda value: 255 - value).getbbox()
    assert ocr.read(page.crop(box)).text == "Annual report of the river authority"


def test_small_print_in_a_large_scan_is_read() -> None:
    """A page scanned at 600 dpi is read like one at 150."""
    page = drawn(lines(LETTER), size=(1240, 1754))
    assert ocr.read(page.resize((4960, 7016))).text == ocr.read(page).text


def test_nothing_is_asked_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first reading opens no connection: the models come in the wheel."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    ocr._engine.cache_clear()
    assert ocr.read(drawn(lines(["Works without a network"]), size=(600, 200))).text == "Works without a network"


def test_without_ocr_the_command_to_type_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where RapidOCR is not installed, reading a picture says how to install it."""
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    assert not ocr.available()
    with pytest.raises(IngestError, match=r"pip install -r requirements-ocr\.txt"):
        ocr.read(Image.new("RGB", (10, 10)))


@pytest.mark.parametrize(
    ("file", "phrases", "turned"),
    [
        ("scan_en_rotated_90.pdf", ["Docling bundles PDF document conversion to", "easy self contained"], 90),
        ("scan_en_fax_letter.pdf", ["THE SLEREXE COMPANY LIMITED", "perform a raster scan over the subject copy"], 0),
        ("scan_zh_book_8p.pdf", ["物的有用性使物成为使用价值", "这种有用性不是飘忽不定的"], 0),
    ],
)
def test_real_scans_are_read(shared: Path, file: str, phrases: list[str], turned: int) -> None:
    """What a reader sees on a scanned page is in its paragraphs, across the ends of lines, also where it lay turned."""
    page = pypdfium2.PdfDocument(shared / "docs" / file)[0]
    read = ocr.read(page.render(scale=ocr.LONGEST / max(page.get_size())).to_pil())
    text = unwrap(read.text)
    assert all(phrase in text for phrase in phrases) and read.quality > 0.9 and read.turned == turned
