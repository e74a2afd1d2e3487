"""Notebooks: text, code and what it printed, in order, without pictures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError
from rag.types import ParsedDocument


def parsed(notebook: Any) -> ParsedDocument:
    (document,) = load(Source("n.ipynb", content=json.dumps(notebook).encode()))
    return document


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


def test_cells_come_in_order_with_what_they_printed() -> None:
    """Text as it is, code fenced in its language, printed text and tables behind it; pictures don't come."""
    picture = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo=" * 9, "text/plain": "<Figure size>"}}
    table = "<table><tr><th></th><th>价格</th></tr><tr><td>苹果</td><td>5</td></tr></table>"
    frame = {"output_type": "execute_result", "data": {"text/html": table, "text/plain": "   价格\n苹果  5"}}
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["\x1b[0;31m"]}
    document = parsed(
        {
            "nbformat": 4,
            "metadata": {"language_info": {"name": "python"}},
            "cells": [
                {"cell_type": "markdown", "source": ["# 分析\n", "Text ![plot](attachment:a.png)"]},
                code("print(1)", {"output_type": "stream", "text": ["1\n", "2\n"]}, picture),
                code("frame", frame, error),
            ],
        }
    )
    assert document.title == "分析" and document.marked_up
    assert document.text == (
        "# 分析\nText plot\n\n```python\nprint(1)\n```\n\n1\n2\n\n```python\nframe\n```\n\n苹果; 价格: 5\n\nValueError: no"
    )


def test_notebooks_of_the_old_format_are_read() -> None:
    """nbformat 3 has worksheets, inputs and cells that are headings."""
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Part"},
        {"cell_type": "code", "input": ["x = 1"], "outputs": [{"output_type": "pyout", "text": ["1"]}]},
    ]
    assert parsed({"nbformat": 3, "worksheets": [{"cells": cells}]}).text == "## Part\n\n```\nx = 1\n```\n\n1"


def test_a_long_output_is_cut() -> None:
    """A log of thousands of lines is no text to be asked about."""
    lines = parsed({"cells": [code("run()", {"output_type": "stream", "text": "step\n" * 5000})]}).text.split("\n")
    assert len(lines) < 50 and lines[-1] == "…"


@pytest.mark.parametrize("notebook", [[], {}, {"cells": 5}, {"worksheets": [1]}, "text"])
def test_what_is_no_notebook_says_so(notebook: Any) -> None:
    """JSON without cells is refused."""
    with pytest.raises(IngestError, match="not a notebook"):
        parsed(notebook)


@pytest.mark.parametrize("content", [b"{", b"", b"[" * 100_000])
def test_a_damaged_notebook_says_so(content: bytes) -> None:
    """What is no JSON is refused."""
    with pytest.raises(IngestError, match="damaged"):
        list(load(Source("n.ipynb", content=content)))


def test_odd_cells_are_no_trouble() -> None:
    """Fields of the wrong kind are passed over; the rest is read."""
    cells = [
        5,
        {"cell_type": "code", "source": 7, "outputs": [1, {"data": 3}]},
        {"cell_type": "raw", "source": "raw"},
        {},
    ]
    assert parsed({"cells": cells, "metadata": []}).text == "raw"
