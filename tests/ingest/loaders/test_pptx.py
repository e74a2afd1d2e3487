from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Cm

from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError
from rag.types import ParsedDocument

BLANK, TITLE_AND_TEXT, TITLE_ONLY = 6, 1, 5


def written(made: Any) -> bytes:
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def parsed(content: bytes) -> ParsedDocument:
    (document,) = load(Source("deck.pptx", content=content))
    return document


def slide(made: Any, layout: int = BLANK) -> Any:
    return made.slides.add_slide(made.slide_layouts[layout])


def box(shapes: Any, text: str, top: float, left: float = 1) -> Any:
    shape = shapes.add_textbox(Cm(left), Cm(top), Cm(5), Cm(1))
    shape.text_frame.text = text
    return shape


def changed(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The presentation with each part as ``change`` makes it."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return made.getvalue()


def test_a_slide_is_a_page_with_its_title_points_and_notes() -> None:
    """Slides count as pages; the title heads the page, points are a list, what the speaker noted follows."""
    made = Presentation()
    for number, title in enumerate(("季度总结", "Outlook"), start=1):
        one = slide(made, TITLE_AND_TEXT)
        one.shapes.title.text = title
        one.placeholders[1].text = f"point {number}a\npoint {number}b"
        one.notes_slide.notes_text_frame.text = f"别忘了 {number}"
    document = parsed(written(made))
    assert document.title == "季度总结" and [page.number for page in document.pages] == [1, 2]
    assert document.pages[1].text == "# Outlook\n\n- point 2a\n- point 2b\n\n别忘了 2"


def test_texts_come_in_the_order_in_which_they_are_read() -> None:
    """From top to bottom and from the left, whatever was drawn first; groups stay together."""
    made = Presentation()
    one = slide(made)
    box(one.shapes, "bottom", 10)
    box(one.shapes, "right", 5.1, 12)
    box(one.shapes, "left", 5.2, 1)
    group = one.shapes.add_group_shape()
    box(group.shapes, "group 2", 3)
    box(group.shapes, "group 1", 1)
    assert parsed(written(made)).text.split() == "group 1 group 2 left right bottom".split()


def test_tables_keep_names_and_merged_cells() -> None:
    """A table on a slide comes as rows with their names; what is merged is said where it holds."""
    made = Presentation()
    table = slide(made).shapes.add_table(4, 3, Cm(1), Cm(1), Cm(9), Cm(4)).table
    for row, texts in enumerate((["地区", "2022", "2023"], ["华东", "5", "6"], ["", "7", "8"], ["西", "closed", ""])):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(3, 1).merge(table.cell(3, 2))
    assert parsed(written(made)).text.split("\n") == [
        "地区: 华东; 2022: 5; 2023: 6",
        "地区: 华东; 2022: 7; 2023: 8",
        "地区: 西; 2022, 2023: closed",
    ]


def test_charts_come_as_title_and_rows() -> None:
    """A chart says its title, and for each category the value of each series."""
    made = Presentation()
    data = CategoryChartData(number_format="0%")
    data.categories = ["甲厂", "Plant B"]
    data.add_series("2022", (0.25, 0.5))
    data.add_series("2023", (0.3, 0.45))
    chart = slide(made).shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Cm(1), Cm(1), Cm(9), Cm(5), data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "产能"
    assert parsed(written(made)).text == "产能\n甲厂; 2022: 25%; 2023: 30%\nPlant B; 2022: 50%; 2023: 45%"


def test_furniture_stays_behind_and_descriptions_come_along() -> None:
    """Slide numbers, dates, footers and the layout's own words are not the slide's; a description of a shape is."""
    made = Presentation()
    one = slide(made, TITLE_ONLY)
    one.shapes.title.text = "Title"
    shape = box(one.shapes, "", 5)
    shape._element.nvSpPr.cNvPr.set("descr", "A bridge over a river")
    footer = box(one.shapes, "Confidential 2023", 18)
    footer._element.nvSpPr.nvPr.append(
        footer._element.makeelement(f"{{{footer._element.nsmap['p']}}}ph", {"type": "ftr"})
    )
    assert parsed(written(made)).text == "# Title\n\nA bridge over a river"


def test_hidden_slides_are_read_and_told() -> None:
    """A hidden slide keeps its number, and the verdict names it."""
    made = Presentation()
    box(slide(made).shapes, "shown", 1)
    two = slide(made)
    box(two.shapes, "backup", 1)
    two._element.set("show", "0")
    document = parsed(written(made))
    assert document.pages[1].text == "backup" and document.warnings == ("hidden slides were read too: 2",)


@pytest.mark.parametrize("type_", ["slideshow", "template", "presentation.macroEnabled"])
def test_shows_templates_and_macro_decks_are_presentations(type_: str) -> None:
    """The content type that such files have does not matter."""
    made = Presentation()
    box(slide(made).shapes, "文字", 1)
    main = b"presentationml.presentation.main"
    content = changed(written(made), lambda _, data: data.replace(main, f"presentationml.{type_}.main".encode()))
    assert parsed(content).text == "文字"


def test_odd_placeholders_and_lost_layouts_end_nothing() -> None:
    """A placeholder of no known kind or place and a layout that is gone still leave the text."""
    made = Presentation()
    one = slide(made, TITLE_AND_TEXT)
    one.shapes.title.text = "Title"
    one.placeholders[1].text = "body"

    def break_(name: str, data: bytes) -> bytes:
        if name == "ppt/slides/slide1.xml":
            data = re.sub(rb'<p:ph idx="1"/>', b'<p:ph type="odd" idx="x"/>', data).replace(b"<p:spPr/>", b"")
        return data.replace(b"../slideLayouts/slideLayout2.xml", b"NULL") if name.endswith("slide1.xml.rels") else data

    assert parsed(changed(written(made), break_)).text == "# Title\n\nbody"


def test_damaged_slides_are_a_sentence() -> None:
    """Cut XML is an error that names the part."""
    made = Presentation()
    slide(made)
    content = changed(written(made), lambda name, data: data[:200] if name == "ppt/slides/slide1.xml" else data)
    with pytest.raises(IngestError, match=r"damaged.*slide1\.xml"):
        parsed(content)


def test_real_presentations_are_read(shared: Path) -> None:
    """Tables, charts and nested shapes of a real deck come along, and a malformed one has its title."""
    text = parsed((shared / "docs/pptx_en_tables_shapes.pptx").read_bytes()).text
    assert "ColA: 1; ColB: 2" in text and "2001; Series 1: 2001" in text and "Sub comment 2" in text
    assert parsed((shared / "docs/pptx_malformed.pptx").read_bytes()).text == "# Test Slide"
