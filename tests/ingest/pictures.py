"""Pictures of text for the tests, drawn on the spot."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

Placed = tuple[int, int, str]
_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "/System/Library/Fonts", "C:/Windows/Fonts")
_CHINESE = ("NotoSansCJK-Regular.ttc", "NotoSerifCJK-Regular.ttc", "PingFang.ttc", "STHeiti Medium.ttc", "msyh.ttc")


def chinese_font(size: int = 32) -> ImageFont.FreeTypeFont:
    """A font with Chinese characters; without one the test fails in CI and is skipped elsewhere."""
    for folder in map(Path, _FOLDERS):
        for name in _CHINESE:
            for path in folder.rglob(name) if folder.is_dir() else ():
                return ImageFont.truetype(path, size)
    message = "needs a font with Chinese characters: apt-get install fonts-noto-cjk"
    pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)


def latin_font(size: int = 32) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow."""
    return ImageFont.load_default(size)


def drawn(
    texts: Sequence[Placed],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont | None = None,
    size: tuple[int, int] = (1200, 900),
) -> Image.Image:
    """A white picture with black texts at (x, y)."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for x, y, text in texts:
        draw.text((x, y), text, fill="black", font=font or latin_font())
    return picture


def lines(texts: Sequence[str], x: int = 80, y: int = 80, step: int = 48) -> list[Placed]:
    """Texts below each other."""
    return [(x, y + step * index, text) for index, text in enumerate(texts) if text]
