"""Words out of pictures, offline: RapidOCR on ONNX Runtime, from the optional `requirements-ocr.txt`."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ingest.quality import quality
from ingest.reading_order import Piece, arranged
from rag.errors import IngestError

if TYPE_CHECKING:
    from PIL.Image import Image

MISSING = "needs OCR: type `pip install -r requirements-ocr.txt`, then run this again"
LONGEST = 2000  # pixels of the longer side: an A4 page at 170 dpi; more is no better and takes longer
_DETECTED_AT = 1280  # pixels of the longer side where lines are looked for
_MARGIN = 24  # pixels of white around the picture: letters at its very edge are missed
_SURE = 0.6  # below this score the words are invented
_SURE_OF_A_FEW = 0.85  # a letter or two are soon seen in a pattern
_SAMPLE = 8  # of the longest lines tell which way is up
_SKEWED = 1.5  # degrees from which the picture is levelled; below, the places of the lines are
_MOST_OBLONG = 100  # times its height: no line of text, but a rule


@dataclass(frozen=True, slots=True)
class Read:
    """The text of a picture in reading order, a printed line a line, how sure it is (0 to 1), and how it was turned.

    ``turned`` counts the degrees clockwise (0, 90, 180 or 270) that put it upright. Paragraphs and tables are parted by
    blank lines, a table's row is ``| a | b |``.
    """

    text: str
    quality: float
    turned: int = 0


def available() -> bool:
    """Whether pictures can be read here."""
    return importlib.util.find_spec("rapidocr") is not None and importlib.util.find_spec("onnxruntime") is not None


def read(image: Image) -> Read:
    """The words of a picture, nothing where it holds none; raises IngestError where OCR is not installed."""
    if not available():
        raise IngestError(MISSING)
    from rapidocr.inference_engine.onnxruntime.main import ONNXRuntimeError

    try:
        return _read(image)
    except ONNXRuntimeError as error:
        if "alloc" in str(error):
            raise MemoryError from None
        raise IngestError(f"OCR failed: {str(error).strip().splitlines()[-1][:200]}") from None


def seen(image: Image) -> tuple[Image, list[tuple[str, tuple[float, float, float, float]]]]:
    """The picture as it was read, upright and level, and each line on it: its words, and left, top, right, bottom."""
    from PIL import Image

    pixels, words, _ = _words(image)
    lines = [(text, (*box.min(axis=0).tolist(), *box.max(axis=0).tolist())) for box, text, _ in words]
    return Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1])), lines


def _read(image: Image) -> Read:
    _, words, turned = _words(image)
    if not words:
        return Read("", 1.0, turned)
    text = arranged(_pieces([box for box, _, _ in words], [text for _, text, _ in words]))
    sure = sum(score * len(text) for _, text, score in words) / sum(len(text) for _, text, _ in words)
    return Read(text, min(sure, quality(text)), turned)


def _words(image: Image) -> tuple[np.ndarray, list[tuple[np.ndarray, str, float]], int]:
    """The picture put upright and level, its lines with their corners and scores, and by how much it was turned."""
    pixels = _pixels(image)
    boxes, lines = _detected(pixels)
    turned = _turn(boxes, lines)
    if turned:
        pixels = np.ascontiguousarray(np.rot90(pixels, -turned // 90))
        boxes, lines = _detected(pixels)
    if abs(skew := _skew(boxes)) > _SKEWED:
        pixels = _levelled(pixels, skew)
        boxes, lines = _detected(pixels)
    words = [(box, text, score) for box, (text, score) in zip(boxes, _recognised(lines), strict=True)]
    sure = [(box, text, score) for box, text, score in words if score >= (_SURE if len(text) > 2 else _SURE_OF_A_FEW)]
    return pixels, sure, turned


def _pixels(image: Image) -> np.ndarray:
    """The picture as the models take it, uint8 of shape (height, width, 3), blue first, in a white margin."""
    from PIL import Image, ImageOps

    scale = LONGEST / max(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.convert("L") if image.mode == "1" else image
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    framed = ImageOps.expand(image.convert("RGB"), _MARGIN, "white")
    return np.ascontiguousarray(np.asarray(framed)[:, :, ::-1])


def _detected(pixels: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The lines of a picture: their corners, each of shape (4, 2), and the lines themselves, cut out and level.

    Lines that stand on end come lying, turned a quarter against the clock.
    """
    from rapidocr.main import RapidOCRError

    try:
        lines, found = _engine().detect_and_crop(pixels, {})
    except RapidOCRError:  # nothing is there
        return [], []
    kept = [(box, line) for box, line in zip(found.boxes, lines, strict=True) if _is_line(line)]
    return [box for box, _ in kept], [line for _, line in kept]


def _is_line(line: np.ndarray) -> bool:
    height, width = int(line.shape[0]), int(line.shape[1])
    return 0 < width < _MOST_OBLONG * height


def _recognised(lines: Sequence[np.ndarray]) -> list[tuple[str, float]]:
    """The text of each line, its score from 0 to 1."""
    if not lines:
        return []
    found = _engine().recognize_txt(list(lines))
    return [
        (text.strip(), float(score) if text.strip() else 0.0)
        for text, score in zip(found.txts, found.scores, strict=True)
    ]


def _turn(boxes: Sequence[np.ndarray], lines: Sequence[np.ndarray]) -> int:
    """By how many degrees, clockwise, the picture is to be turned: the longest lines are read both ways in doubt."""
    standing = [_stands(box) for box in boxes]
    lengths = [line.shape[1] for line in lines]
    sideways = sum(length for length, stands in zip(lengths, standing, strict=True) if stands) > sum(lengths) / 2
    longest = sorted(range(len(lines)), key=lambda index: -lengths[index])
    sample = [lines[index] for index in longest if standing[index] == sideways][:_SAMPLE]
    if not sample or not (sideways or _looks_upside_down(sample)):
        return 0
    as_it_is = _read_well(sample)
    on_its_head = _read_well([np.ascontiguousarray(line[::-1, ::-1]) for line in sample])
    if sideways:
        return 90 if on_its_head > as_it_is else 270
    return 180 if on_its_head > as_it_is else 0


def _stands(box: np.ndarray) -> bool:
    """Whether a line runs up or down the picture."""
    return math.dist(box[0], box[3]) >= 1.5 * math.dist(box[0], box[1])


def _looks_upside_down(sample: Sequence[np.ndarray]) -> bool:
    """What the classifier says; it is quick but errs on single lines."""
    found = _engine().cls_and_rotate(list(sample))[1].cls_res
    flipped: list[str] = [label for label, _ in found if label == "180"]
    return len(flipped) * 2 >= len(sample)


def _read_well(lines: Sequence[np.ndarray]) -> float:
    """How many characters are read, and how surely."""
    return sum(len(text) * score**2 for text, score in _recognised(lines))


def _skew(boxes: Sequence[np.ndarray]) -> float:
    """The degrees, clockwise, by which the longer lines slope."""
    if not boxes:
        return 0.0
    corners = np.asarray(boxes, dtype=np.float64)
    along = corners[:, 1] - corners[:, 0]
    lengths = np.hypot(along[:, 0], along[:, 1])
    slopes = np.arctan2(along[:, 1], along[:, 0])
    return math.degrees(np.median(slopes[lengths >= np.median(lengths)]))


def _levelled(pixels: np.ndarray, skew: float) -> np.ndarray:
    """The picture turned back by its skew, its margins grown so that nothing is cut off."""
    from PIL import Image

    turned = Image.fromarray(pixels).rotate(skew, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    return np.asarray(turned)


def _pieces(boxes: Sequence[np.ndarray], texts: Sequence[str]) -> list[Piece]:
    """The texts where they stand on the page, the rest of its skew taken out."""
    skew = math.radians(_skew(boxes))
    corners = np.asarray(boxes) @ np.array([[math.cos(skew), -math.sin(skew)], [math.sin(skew), math.cos(skew)]])
    return [
        Piece(text, *map(float, (box[:, 0].min(), box[:, 1].min(), box[:, 0].max(), box[:, 1].max())))
        for text, box in zip(texts, corners, strict=True)
    ]


@cache
def _engine() -> Any:
    """RapidOCR with the models that lie in its wheel: named one by one, they are never looked for on the network."""
    import rapidocr

    models = Path(rapidocr.__file__).parent / "models"
    names = {"Det": "PP-OCRv6_det_small", "Cls": "ch_ppocr_mobile_v2.0_cls_mobile", "Rec": "PP-OCRv6_rec_small"}
    paths = {f"{part}.model_path": models / f"{name}.onnx" for part, name in names.items()}
    if missing := [path.name for path in paths.values() if not path.is_file()]:
        raise IngestError(
            f"OCR lacks its model {missing[0]}: type `pip install --force-reinstall -r requirements-ocr.txt`, then run this again"
        )
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_vertical_padding": False,
            "Det.limit_type": "max",
            "Det.limit_side_len": _DETECTED_AT,
            "Rec.rec_batch_num": 1,  # lines of many lengths are padded in a batch: slower, and four times the memory
            **{f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")},
            **{name: str(path) for name, path in paths.items()},
        }
    )
