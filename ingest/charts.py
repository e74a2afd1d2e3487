"""Charts and diagrams of Office files as text: what is drawn is written down as rows and items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest.number_formats import shown
from ingest.tables import rows_as_lines

_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_TEXT = "{http://schemas.openxmlformats.org/drawingml/2006/main}t"
_PARAGRAPH = "{http://schemas.openxmlformats.org/drawingml/2006/main}p"
_POINT = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}pt"
_MOST_POINTS = 10_000


def chart_lines(root: Any) -> Iterator[str]:
    """A chart's title, then a line a category with the value of each series."""
    title = root.find(f"{_CHART}chart/{_CHART}title")
    if title is not None and (told := _words(title)):
        yield told
    series = list(root.iter(f"{_CHART}ser"))
    names = [_words(found) if (found := one.find(f"{_CHART}tx")) is not None else "" for one in series]
    columns = [_points(one, "val", "yVal") for one in series]
    categories = next((found for one in series if (found := _points(one, "cat", "xVal"))), {})
    places = sorted({place for column in (categories, *columns) for place in column})[:_MOST_POINTS]
    rows = [[categories.get(place, ""), *(column.get(place, "") for column in columns)] for place in places]
    yield from rows_as_lines([["", *names], *rows], header=1) if any(names) else rows_as_lines(rows, header=False)


def diagram_lines(root: Any) -> Iterator[str]:
    """The items of a diagram (SmartArt) in their order."""
    for point in root.iter(_POINT):
        if point.get("type") not in ("pres", "parTrans", "sibTrans") and (told := _words(point)):
            yield f"- {told}"


def _points(series: Any, *kinds: str) -> dict[int, str]:
    """The cached values of a series, or its categories, by their place."""
    for kind in kinds:
        if (found := series.find(f"{_CHART}{kind}")) is not None:
            code = found.findtext(f".//{_CHART}formatCode") or ""
            points = list(found.iter(f"{_CHART}pt"))
            if levels := list(found.iter(f"{_CHART}lvl")):
                points = list(levels[0].iter(f"{_CHART}pt"))
            numeric = found.find(f".//{_CHART}numCache") is not None or found.find(f".//{_CHART}numLit") is not None
            return {int(point.get("idx", "0")): _value(point, code, numeric) for point in points}
    return {}


def _value(point: Any, code: str, numeric: bool) -> str:
    told = (point.findtext(f"{_CHART}v") or "").strip()
    if not numeric:
        return told
    try:
        return shown(float(told), point.get("formatCode") or code)
    except ValueError:
        return told


def _words(element: Any) -> str:
    """All words under an element, paragraphs and cached names parted by a blank."""
    paragraphs = ["".join(text.text or "" for text in one.iter(_TEXT)) for one in element.iter(_PARAGRAPH)]
    cached = [value.text or "" for value in element.iter(f"{_CHART}v")]
    return " ".join(" ".join([*paragraphs, *cached]).split())
