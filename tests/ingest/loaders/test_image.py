from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ingest.loaders import load
from ingest.sandbox import Sandbox
from ingest.source import Source
from rag.errors import IngestError
from rag.types import ParsedDocument
from tests.ingest.pictures import chinese_font, drawn, lines

WORDS = "Minutes of the meeting"


def picture(text: str = WORDS) -> Image.Image:
    return drawn(lines([text]), size=(600, 200))


def saved(image: Image.Image, name: str, **options: Any) -> Source:
    """A file of this name with the picture in it."""
    file = io.BytesIO()
    image.save(file, {"jpg": "JPEG", "tif": "TIFF"}.get(name[-3:], name.rsplit(".")[-1].upper()), **options)
    return Source(name, content=file.getvalue())


def read(source: Source) -> ParsedDocument:
    (document,) = load(source)
    return document


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "gif"])
def test_every_format_is_read(suffix: str) -> None:
    """The words of a picture are its text, marked as read from a picture; its title is the file's name."""
    document = read(saved(picture(), f"scan.{suffix}"))
    (page,) = document.pages
    assert (document.title, page.number, page.text, page.kind) == ("scan", None, WORDS, "ocr")
    assert page.quality > 0.9 and document.warnings == ()


def test_a_chinese_picture_is_read() -> None:
    """Chinese words are read as well as English ones."""
    image = drawn(lines(["会议纪要：第三季度预算"]), chinese_font(), size=(600, 200))
    assert read(saved(image, "纪要.png")).text == "会议纪要：第三季度预算"


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "RGBA", "LA", "I;16", "F"])
def test_every_kind_of_colour_is_read(mode: str) -> None:
    """Fax, grey, palette, print, see-through and 16-bit pictures are read, whatever is below the transparent parts."""
    ink = Image.eval(picture().convert("L"), lambda value: 255 - value)
    if mode in ("RGBA", "LA"):
        image = Image.new(mode[:-1], ink.size)
        image.putalpha(ink)
    elif mode in ("I;16", "F"):
        image = Image.fromarray((40000 - np.asarray(ink) * 100.0).astype(np.uint16 if mode == "I;16" else np.float32))
    else:
        image = picture().convert(mode)
    assert image.mode == mode
    assert read(saved(image, "a.tiff" if mode in ("CMYK", "F") else "a.png")).text == WORDS


def test_the_pages_of_a_tiff_are_numbered() -> None:
    """Each page has its number and a sign of life, a small copy is no page, and what happened to a page is told."""
    ticks: list[None] = []
    pages = [picture("First page"), picture("Second page").rotate(180), Image.new("RGB", (600, 200), "white")]
    source = saved(pages[0], "fax.tiff", save_all=True, append_images=pages[1:])
    document = read(replace(source, tick=lambda: ticks.append(None)))
    assert [(page.number, page.text) for page in document.pages] == [(1, "First page"), (2, "Second page"), (3, "")]
    assert document.warnings == ("page 2: turned by 180 degrees to be read", "page 3: no text found in the picture")
    assert len(ticks) == 3


def test_a_camera_s_orientation_is_obeyed() -> None:
    """A photo that is stored on its side and says so is read upright."""
    exif = Image.Exif()
    exif[0x112] = 6
    document = read(saved(picture().rotate(90, expand=True), "photo.jpg", exif=exif))
    assert (document.text, document.warnings) == (WORDS, ())


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_the_first_picture_of_an_animation_is_read(suffix: str) -> None:
    """An animation is read where it starts, and said to be one."""
    document = read(saved(picture(), f"a.{suffix}", save_all=True, append_images=[picture("Later on")], duration=100))
    assert document.text == WORDS
    assert document.warnings == ("animated: only its first picture is read",)


def test_a_picture_without_text_says_so() -> None:
    """A photo of something else has no text, no invented words, and the reader is told."""
    document = read(saved(Image.linear_gradient("L").resize((600, 400)), "sky.png"))
    assert document.text == ""
    assert document.warnings == ("no text found in the picture",)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "webp", "bmp", "gif"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9])
def test_a_cut_off_picture_is_damaged(suffix: str, kept: float) -> None:
    """Half a download is set aside as damaged and never half read."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (200, 600, 3), dtype=np.uint8))
    whole = saved(Image.blend(picture(), noise, 0.2), f"a.{suffix}")
    with pytest.raises(IngestError, match="damaged"):
        read(replace(whole, content=whole.content[: max(16, int(len(whole.content) * kept))]))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_long_screenshot_is_read_to_its_end(suffix: str) -> None:
    """A screenshot ten times as high as wide loses no line and keeps their order, with signs of life on the way."""
    ticks: list[None] = []
    texts = [f"Message {number}: see you then" for number in range(1, 41)]
    source = saved(drawn(lines(texts, x=40, step=150), size=(600, 6200)), f"chat.{suffix}")
    document = read(replace(source, tick=lambda: ticks.append(None)))
    assert [line for line in document.text.split("\n") if line] == texts
    assert len(ticks) > 3


def test_a_picture_beyond_all_bounds_is_refused() -> None:
    """A few kilobytes that would unfold to 400 million pixels are refused by their header, with both figures."""
    with pytest.raises(IngestError, match="20,000 × 20,000 pixels; the most is 80,000,000"):
        read(saved(Image.new("1", (20_000, 20_000)), "bomb.png"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "I;16"])
def test_a_large_photo_stays_within_the_limits(tmp_path: Path, mode: str) -> None:
    """40 million pixels are read by the child that may neither write a file nor take more than its share of memory."""
    small = drawn(lines(["Posted at the town hall", "on the first of May"]), size=(640, 480))
    large = small.convert("L" if mode == "I;16" else mode).resize((7300, 5475))
    if mode == "I;16":
        large = Image.fromarray(np.asarray(large).astype(np.uint16) * 200)
    large.save(tmp_path / "photo.png", compress_level=1)
    with Sandbox(60) as sandbox:
        (document,) = sandbox.documents(tmp_path / "photo.png")
        assert document.text == "Posted at the town hall\non the first of May"


def test_without_ocr_a_picture_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where OCR is not installed the verdict holds the command to type."""
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(IngestError, match=r"pip install -r requirements-ocr\.txt"):
        read(saved(picture(), "a.png"))


def test_real_pictures_hold_their_words(shared: Path) -> None:
    """The phrase that a reader sees in a real picture is in the text."""
    text = read(Source.of(shared / "docs/image_zh.jpeg")).text
    assert "新鲜甘草黄酮养分" in text and "适用人群：适合任何肌肤" in text
