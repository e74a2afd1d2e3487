from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.splitter import split
from ingest.tables import SPANNED, header_rows, is_row, rows_as_lines
from rag.settings import IngestSettings
from rag.types import Page, ParsedDocument

CELLS = st.lists(
    st.lists(st.sampled_from(["", SPANNED, "名", "Sales", "12", "2023", "x; y", "a: b"]), max_size=5), max_size=6
)


def lines(*rows: list[str], header: bool | int = True) -> list[str]:
    return list(rows_as_lines(rows, header=header))


def test_each_row_keeps_its_column_names() -> None:
    """A row is one line with the names of its columns; empty cells say nothing."""
    table = ["城市", "人口"], ["上海", "2487 万"], ["苏州", ""]
    assert lines(*table) == ["城市: 上海; 人口: 2487 万", "城市: 苏州"]
    assert lines(*table, header=False) == ["城市; 人口", "上海; 2487 万", "苏州"]


def test_a_header_of_several_lines_is_one_name_a_column() -> None:
    """Group names above merged or empty cells, and units below, become part of the names of the columns they head."""
    merged = ["Zone", "Sales", SPANNED, "Profit", SPANNED], ["Zone", "2023", "2022", "2023", "2022"]
    gaps = ["Zone", "Sales", "", "Profit", ""], ["", "2023", "2022", "2023", "2022"]
    told = "Zone: LATAM; Sales › 2023: 6,082; Sales › 2022: 5,900; Profit › 2023: 1,101; Profit › 2022: (9)"
    for header in (merged, gaps):
        assert lines(*header, ["LATAM", "6,082", "5,900", "1,101", "(9)"]) == [told]
    units = ["年份", "产量", "占比"], ["", "万吨", "百分比"], ["2023", "120", "35%"]
    assert lines(*units) == ["年份: 2023; 产量 › 万吨: 120; 占比 › 百分比: 35%"]


def test_a_lone_group_name_is_that_of_all_columns() -> None:
    """A period set once above the figures holds for all of them; one above each group holds for its group."""
    one = ["in CHF", "", "", "H1 2023"], ["", "Sales", "Costs", "Profit"], ["Zone NA", "12", "7", "5"]
    assert lines(*one) == ["in CHF: Zone NA; H1 2023 › Sales: 12; H1 2023 › Costs: 7; H1 2023 › Profit: 5"]
    two = ["", "", "2023", "", "", "2022"], ["", "Sales", "Costs", "", "Sales", "Costs"], ["NA", "1", "2", "", "3", "4"]
    assert lines(*two) == ["NA; 2023 › Sales: 1; 2023 › Costs: 2; 2022 › Sales: 3; 2022 › Costs: 4"]


def test_words_below_a_header_are_not_taken_for_names() -> None:
    """Rows of text are rows, also where the header has an empty cell, and figures name nothing."""
    assert header_rows([["Name", "", "Notes"], ["Ann", "x", "y"], ["Bob", "z", "w"]]) == 1
    assert header_rows([["项目", "", "金额"], ["房租", "每月", "见下"], ["伙食", "每周", "300"]]) == 1
    assert header_rows([["12", "13"], ["14", "15"]]) == 0


def test_a_merged_value_is_said_once_under_all_its_names() -> None:
    """A value that spans columns belongs to each of them; one that spans the table is a line of its own."""
    rows = ["Plan", "Monday", "Tuesday"], ["A", "closed", SPANNED], ["Special weeks", SPANNED, SPANNED]
    assert lines(*rows) == ["Plan: A; Monday, Tuesday: closed", "Special weeks"]


def test_a_repeated_header_is_no_row() -> None:
    """A header set again on the next page of a long table names nothing anew."""
    assert lines(["a", "b"], ["x", "1"], ["a", "b"], ["y", "2"]) == ["a: x; b: 1", "a: y; b: 2"]


def test_a_row_too_long_for_a_chunk_keeps_its_names_and_its_first_cell() -> None:
    """Every piece of a long row can be read alone: whose it is, and which columns it holds."""
    sizes = IngestSettings()
    for word in ("figure ", "数据很多。"):
        row = ["Zone LATAM", *(word * 60 + str(n) for n in range(6)), word * 900]
        made = lines(["Zone", *(f"c{n}" for n in range(6)), "注释"], row)
        text = "\n".join(made)
        chunks = split(ParsedDocument("t", (Page(None, text, kind="table"),)), "t", sizes)
        assert len(chunks) > 2 and all(chunk.text.startswith("Zone: Zone LATAM; ") for chunk in chunks)
        assert text.replace("Zone: Zone LATAM; ", "").count(word.strip()) == 6 * 60 + 900


def test_values_with_the_marks_of_a_row_are_still_in_one() -> None:
    """A semicolon or colon within a cell does not keep a line from being known as a row."""
    (line,) = lines(["name", "note"], ["a; b", "at 10:30: start; end"])
    assert is_row(line) and not is_row("Remember: a sentence.") and not is_row("纯文本，没有列。")


@given(CELLS)
def test_nothing_that_a_table_says_is_lost(rows: list[list[str]]) -> None:
    """Each cell's words are in some line, whatever the table is like."""
    said = "\n".join(rows_as_lines(rows))
    for row in rows:
        for cell in row:
            assert cell == SPANNED or cell in said or (len(rows) > 1 and cell in {c for r in rows[:4] for c in r})
