"""Words out of pictures, offline: RapidOCR on ONNX Runtime, from the optional `requirements-ocr.txt`."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from rag.errors import IngestError

if TYPE_CHECKING:
    from PIL.Image import Image

MISSING = "needs OCR: type `pip install -r requirements-ocr.txt`, then run this again"


@dataclass(frozen=True, slots=True)
class Read:
    """The text of a picture in reading order, how sure it is (0 to 1), and by how many degrees it was turned."""

    text: str
    quality: float
    turned: int = 0


def available() -> bool:
    """Whether pictures can be read here."""
    return importlib.util.find_spec("rapidocr") is not None and importlib.util.find_spec("onnxruntime") is not None


def read(image: Image) -> Read:
    """The words of a picture; raises IngestError where OCR is not installed."""
    if not available():
        raise IngestError(MISSING)
    import numpy as np

    found = _engine()(np.asarray(image.convert("RGB")))
    lines = list(found.txts or ())
    sure = list(found.scores or ())
    return Read("\n".join(lines), sum(sure) / len(sure) if sure else 0.0)


@cache
def _engine() -> Any:
    from rapidocr import RapidOCR

    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    return RapidOCR(params={"Global.log_level": "critical", **threads})
