from __future__ import annotations

import re

from ingest.reading_order import Piece, arranged


def piece(text: str, left: float, top: float, width: float | None = None, height: float = 20) -> Piece:
    """A text set in letters of a height; Latin ones are half as wide as high."""
    return Piece(text, left, top, left + (width or len(text) * height / 2), top + height)


def column(name: str, left: float, count: int, *, top: float = 100, step: float = 26) -> list[Piece]:
    """Lines of running text, 400 wide."""
    return [piece(f"{name}{index}", left, top + step * index, 400) for index in range(count)]


def test_a_page_without_text_is_empty() -> None:
    """Nothing in, nothing out."""
    assert arranged([]) == ""


def test_columns_are_read_one_after_the_other() -> None:
    """A title across two columns comes first, then the left column whole, then the right one."""
    page = [piece("Title", 200, 40, 500), *column("left ", 50, 8), *column("right ", 500, 8)]
    expected = ["Title", *(f"left {index}" for index in range(8)), *(f"right {index}" for index in range(8))]
    assert [line for line in arranged(page[::-1]).split("\n") if line] == expected


def test_what_runs_across_parts_the_columns() -> None:
    """Columns above a picture's caption are read before it, those below after it."""
    above, below = (
        [*column("a ", 50, 5), *column("b ", 500, 5)],
        [*column("c ", 50, 5, top=400), *column("d ", 500, 5, top=400)],
    )
    order = [line[0] for line in arranged([*below, piece("Caption", 60, 300, 800), *above]).split("\n") if line]
    assert order == [*"aaaaa", *"bbbbb", "C", *"ccccc", *"ddddd"]


def test_a_side_column_stands_alone() -> None:
    """Short notes beside running text are read by themselves where they do not stand level with its lines."""
    notes = [piece(f"note {index}", 20, 113 + 40 * index) for index in range(6)]
    read = arranged([*notes, *column("text ", 300, 12)]).split("\n")
    words = [line.split()[0] for line in read if line]
    assert words == ["note"] * 6 + ["text"] * 12


def test_labels_stay_with_what_they_label() -> None:
    """Short labels level with the lines of running text are read with them."""
    labels = [piece(f"Term {index}:", 20, 100 + 52 * index) for index in range(5)]
    read = arranged([*labels, *column("meaning ", 300, 10)])
    assert all(
        re.search(rf"Term {index}:\W+meaning {2 * index}\W+meaning {2 * index + 1}\b", read) for index in range(5)
    )


def test_a_row_of_a_table_is_a_line_with_its_empty_cells() -> None:
    """A row keeps its cells in their columns, also where one is missing or two were seen as one."""
    rows = [("Item", "Stock", "Price"), ("Bolt", "250", "0.40"), ("Nut", "", "0.25"), ("Washer", "1300", "0.10")]
    cells = [piece(c, 50 + 200 * x, 100 + 40 * y) for y, row in enumerate(rows) for x, c in enumerate(row) if c]
    merged = [piece("Gear", 50, 260), Piece("75 12.00", 240, 260, 500, 280)]
    read = arranged([*cells, *merged, piece("All prices in euro.", 50, 380)]).split("\n")
    assert read == [*(f"| {' | '.join(row)} |" for row in rows), "| Gear | 75 | 12.00 |", "", "All prices in euro."]


def test_the_columns_of_a_wide_table_are_no_columns_of_text() -> None:
    """However wide a table is, its rows are read across."""
    cells = [piece(f"{x}.{y}", 50 + 120 * x, 100 + 30 * y, 80) for x in range(8) for y in range(12)]
    assert arranged(cells).split("\n") == [f"| {' | '.join(f'{x}.{y}' for x in range(8))} |" for y in range(12)]


def test_pieces_of_a_line_are_joined() -> None:
    """Pieces that stand close together make one line, Chinese ones without a blank between."""
    assert arranged([piece("知识库", 50, 100, 60), piece("系统", 115, 101, 40)]) == "知识库系统"
    assert arranged([piece("knowledge", 50, 100, 90), piece("base", 148, 101)]) == "knowledge base"


def test_paragraphs_are_parted() -> None:
    """Space between two lines and an indent after a full stop begin a paragraph; a tall line's usual space does not."""
    page = [*column("one ", 50, 4), *column("two ", 50, 4, top=230)]
    assert arranged(page).split("\n").index("") == 4
    indented = [
        piece("一段的第一行写满了。", 50, 100, 400),
        piece("二段的第一行", 90, 126, 360),
        piece("第三行", 50, 152, 400),
    ]
    assert arranged(indented) == "一段的第一行写满了。\n\n二段的第一行\n第三行"
    title = [
        piece("A title on", 50, 20, 300, 44),
        piece("two lines", 50, 72, 300, 44),
        *column("text ", 50, 6, top=180),
    ]
    assert arranged(title).startswith("A title on\ntwo lines\n\ntext 0\ntext 1")
