"""Pictures of text (PNG, JPEG, TIFF, WebP, BMP, GIF), read with OCR; each page of a TIFF is a page."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest import ocr
from ingest.paragraphs import unwrap
from ingest.quality import DOUBTFUL, GARBAGE
from ingest.source import Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFile import ImageFile

MOST_PIXELS = 80_000_000  # an A3 page at 600 dpi has 70 million
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")
_REDUCED = 1  # the bit of a TIFF's tag 254 that marks a small copy of another page
_BAND = 256  # rows
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)


def load(source: Source) -> Iterator[ParsedDocument]:
    """The one document of a picture, a Page for each page of a TIFF; raises IngestError also where OCR is missing."""
    if not ocr.available():
        raise IngestError(ocr.MISSING)
    picture = _opened(source)
    several = picture.format == "TIFF" and _frames(picture) > 1
    pages: list[Page] = []
    told: list[str] = []
    if not several and picture.format != "MPO" and _frames(picture) > 1:
        told.append("animated: only its first picture is read")
    for index in _places(picture) if several else [0]:
        number = len(pages) + 1
        page, said = _page(picture, index, number if several else None)
        pages.append(page)
        told += (f"page {number}: {words}" if several else words for words in said)
        source.tick()
    if not pages:
        raise IngestError("the picture is damaged: it has no pages")
    yield ParsedDocument(source.stem, tuple(pages), tuple(told))


def _opened(source: Source) -> ImageFile:
    """The picture, its header read; its size is checked here and not by Pillow, which cannot say what is allowed."""
    from PIL import Image, UnidentifiedImageError

    most, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        return Image.open(source.open(), formats=_FORMATS)
    except UnidentifiedImageError:
        raise IngestError("the picture is damaged or cut off: its header makes no sense") from None
    except _DAMAGED as error:
        raise IngestError(f"the picture is damaged or cut off: {_sentence(error)}") from None
    finally:
        Image.MAX_IMAGE_PIXELS = most


def _frames(picture: ImageFile) -> int:
    try:
        return int(getattr(picture, "n_frames", 1))
    except _DAMAGED as error:
        raise IngestError(f"the picture is damaged or cut off: {_sentence(error)}") from None


def _places(picture: ImageFile) -> Iterator[int]:
    """The frames of a TIFF that are pages."""
    for index in range(_frames(picture)):
        picture.seek(index)
        if not int(getattr(picture, "tag_v2", {}).get(254, 0)) & _REDUCED:
            yield index


def _page(picture: ImageFile, index: int, number: int | None) -> tuple[Page, list[str]]:
    """A page and what there is to say of it; one page of many may be damaged, a single one raises IngestError."""
    try:
        read = ocr.read(_frame(picture, index))
    except IngestError as error:
        if number is None:
            raise
        return Page(number, "", "ocr", 0.0), [str(error)]
    if not read.text:
        return Page(number, "", "ocr", 1.0), ["no text found in the picture"]
    if read.quality < GARBAGE:
        return Page(number, "", "ocr", round(read.quality, 3)), [
            "left out: what can be read in the picture is no language"
        ]
    said = [f"turned by {read.turned} degrees to be read"] if read.turned else []
    if read.quality < DOUBTFUL:
        said.append("poor text quality, perhaps a bad picture")
    return Page(number, unwrap(read.text), "ocr", round(read.quality, 3)), said


def _frame(picture: ImageFile, index: int) -> Image.Image:
    """A frame upright, in grey or colour, on white, not much larger than it is read at."""
    from PIL import ImageOps

    try:
        if index:
            picture.seek(index)
        shrink = min(1.0, ocr.LONGEST / max(picture.size))
        picture.draft(
            None, (round(picture.width * shrink), round(picture.height * shrink))
        )  # large JPEGs, decoded small
        if picture.width * picture.height > MOST_PIXELS:
            raise IngestError(
                f"the picture is too large: {picture.width:,} × {picture.height:,} pixels; the most is {MOST_PIXELS:,} in all"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata
            picture.load()
            return ImageOps.exif_transpose(_plain(picture))
    except _DAMAGED as error:
        raise IngestError(f"the picture is damaged or cut off: {_sentence(error)}") from None


def _plain(image: Image.Image) -> Image.Image:
    """The picture with 8 bits a colour and nothing to see through."""
    from PIL import Image

    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _stretched(image)
    if not image.has_transparency_data:
        return image
    factor = max(1, max(image.size) // (2 * ocr.LONGEST))
    layer = image.convert("RGBA").reduce(factor)
    plain = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    plain.info = image.info
    return plain


def _stretched(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits, from its darkest to its lightest."""
    import numpy as np
    from PIL import Image

    low, high = image.getextrema()
    assert isinstance(low, int | float) and isinstance(high, int | float)  # one band, one pair
    plain = Image.new("L", image.size)
    for top in range(0, image.height, _BAND):  # the whole as floating point would take more memory than there is
        band = np.asarray(image.crop((0, top, image.width, min(image.height, top + _BAND))), dtype=np.float32)
        plain.paste(Image.fromarray(((band - low) * (255 / ((high - low) or 1))).astype(np.uint8)), (0, top))
    plain.info = image.info
    return plain


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
