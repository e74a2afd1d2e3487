"""Pictures of text (PNG, JPEG, TIFF, WebP, BMP, GIF), read with OCR; each page of a TIFF is a page."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from ingest import ocr
from ingest.paragraphs import unwrap
from ingest.quality import DOUBTFUL, GARBAGE
from ingest.source import Source
from rag.errors import IngestError
from rag.types import Page, ParsedDocument

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
    from PIL.ImageFile import ImageFile

MOST_PIXELS = 80_000_000  # an A3 page at 600 dpi has 70 million
_LONG = 3  # times its width: no page but a screenshot that was scrolled through
_PAGE = 2  # times its width: the strips that it is cut into
_FAINT = 8  # of 255 shades
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
        page, said = _page(picture, index, number if several else None, source.tick)
        pages.append(page)
        told += (f"page {number}: {words}" if several else words for words in said)
    if not pages:
        raise IngestError("the picture is damaged: it has no pages")
    yield ParsedDocument(source.stem, tuple(pages), tuple(told))


def pictures(source: Source, page: int) -> Iterator[tuple[Image.Image, int]]:
    """The strips of a page (from 1) as pictures, each with how many pages there are; raises IngestError."""
    picture = _opened(source)
    places = list(_places(picture)) if picture.format == "TIFF" and _frames(picture) > 1 else [0]
    if not 1 <= page <= len(places):
        raise IngestError(f"it has no page {page}, only {len(places)}")
    for strip in _strips(_frame(picture, places[page - 1])):
        yield strip, len(places)


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
        try:
            picture.seek(index)
        except _DAMAGED as error:
            raise IngestError(f"the picture is damaged or cut off: {_sentence(error)}") from None
        if not int(getattr(picture, "tag_v2", {}).get(254, 0)) & _REDUCED:
            yield index


def _page(picture: ImageFile, index: int, number: int | None, tick: Callable[[], None]) -> tuple[Page, list[str]]:
    """A page and what there is to say of it; one page of many may be damaged, a single one raises IngestError."""
    try:
        read = _read(_frame(picture, index), tick)
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


def _read(image: Image.Image, tick: Callable[[], None]) -> ocr.Read:
    """The text of a picture, strip by strip."""
    reads = []
    for strip in _strips(image):
        reads.append(ocr.read(strip))
        tick()
    written = [read for read in reads if read.text]
    if len(written) < 2:
        return written[0] if written else reads[0]
    letters = sum(len(read.text) for read in written)
    sure = sum(read.quality * len(read.text) for read in written) / letters
    return ocr.Read("\n\n".join(read.text for read in written), sure, written[0].turned)


def _strips(image: Image.Image) -> Iterator[Image.Image]:
    """A long screenshot in pieces of a page's shape, cut where it is emptiest; any other picture whole."""
    import numpy as np
    from PIL import Image

    most = _PAGE * image.width
    if image.height <= max(ocr.LONGEST, _LONG * image.width):
        yield image
        return
    rows = np.asarray(image.convert("L").resize((min(image.width, 200), image.height), Image.Resampling.BOX), np.int16)
    ink = rows.max(axis=1) - rows.min(axis=1)
    top = 0
    while image.height - top > most:
        first = top + most // 2
        bottom = first + _emptiest(ink[first : top + most])
        yield image.crop((0, top, image.width, bottom))
        top = bottom
    yield image.crop((0, top, image.width, image.height))


def _emptiest(ink: np.ndarray) -> int:
    """The middle of the longest run of rows with the least on them."""
    empty: list[bool] = (ink <= ink.min() + _FAINT).tolist()
    runs = [list(rows) for blank, rows in groupby(range(len(empty)), key=empty.__getitem__) if blank]
    longest = max(runs, key=len)
    return longest[len(longest) // 2]


def _frame(picture: ImageFile, index: int) -> Image.Image:
    """A frame upright, in grey or colour, on white, not much larger than it is read at."""
    from PIL import ImageOps

    try:
        if index:
            picture.seek(index)
        shrink = min(1.0, ocr.LONGEST / max(picture.width, min(picture.height, _LONG * picture.width)))
        # A large JPEG is decoded small.
        picture.draft(None, (round(picture.width * shrink), round(picture.height * shrink)))
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
    layer = (image if image.mode == "RGBA" else image.convert("RGBA")).reduce(factor)
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
