"""Tables as people export them: any separator, odd lines above, with names or without."""

from __future__ import annotations

import pytest

from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError
from rag.types import ParsedDocument


def parsed(content: str | bytes, name: str = "a.csv") -> ParsedDocument:
    (document,) = load(Source(name, content=content.encode() if isinstance(content, str) else content))
    return document


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("\ufeffa,b\r\n1,2\r\n", "a: 1; b: 2"),
        ("sep=;\na;b\n1;2\n", "a: 1; b: 2"),
        ("Preis;Menge\n1,50;2,25\n3,00;4,75\n", "Preis: 1,50; Menge: 2,25\nPreis: 3,00; Menge: 4,75"),
        ('name,note\n"Ann","one, two; three"\n"Bob", "x, y"\n', "name: Ann; note: one, two; three\nname: Bob; note: x, y"),
        ("a|b\n1|x, y\n", "a: 1; b: x, y"),
        ("名称\t价格\n5\" 显示器\t9\n", '名称: 5" 显示器; 价格: 9'),
        ('a,b\n"first\nsecond",2\n', "a: first second; b: 2"),
        ("only\none\ntwo\n", "only: one\nonly: two"),
    ],
)  # fmt: skip
def test_dialects_are_read(content: str, text: str) -> None:
    """Marks, Excel's own first line, decimal commas, quotes behind blanks, inches between tabs, breaks in cells."""
    assert parsed(content, "a.tsv" if "\t" in content else "a.csv").text == text


def test_lines_above_the_table_are_no_column_names() -> None:
    """A title and an empty line above a table stay lines, and the rows keep the names of the table's head."""
    document = parsed("Report 2024\n\nRegion,Q1,Q2\nNorth,1,2\nSouth,3,4\n")
    assert document.text == "Report 2024\nRegion: North; Q1: 1; Q2: 2\nRegion: South; Q1: 3; Q2: 4"


def test_a_table_without_names_loses_no_row() -> None:
    """Where the first row is data like the others it stays a row."""
    assert parsed("2024-01-01,张三,5\n2024-01-02,李四,6\n").text == "2024-01-01; 张三; 5\n2024-01-02; 李四; 6"


def test_years_may_name_columns() -> None:
    """Years above figures are names, not data."""
    assert parsed("Region,2022,2023\nNorth,10.5,11\n").text == "Region: North; 2022: 10.5; 2023: 11"


def test_rows_too_long_are_told() -> None:
    """A row with more cells than names keeps them all, and the reader is warned; a short one is no fault."""
    document = parsed("a,b\n1,2,3\n4\n")
    assert document.text == "a: 1; b: 2; 3\na: 4"
    assert document.warnings == ("1 rows have more cells than there are column names",)


def test_other_encodings_are_read() -> None:
    """A table that Excel saved in China is in GBK."""
    text = "姓名,部门,入职日期\n张三,财务部,2020年5月\n李四,技术部,2021年3月\n"
    assert parsed(text.encode("gbk")).text.startswith("姓名: 张三; 部门: 财务部")


@pytest.mark.parametrize("content", ['a,b\n"1,2\n3,4\n', 'a,b\n"x"y,2\n'])
def test_a_broken_quote_names_its_line(content: str) -> None:
    """A quote that never ends would swallow the rest of the table."""
    with pytest.raises(IngestError, match=r"line \d is not valid CSV"):
        parsed(content)


def test_a_giant_cell_is_read() -> None:
    """A cell of a megabyte is a cell."""
    assert len(parsed("a,b\n" + "x" * 1_000_000 + ",2\n").text) > 1_000_000


def test_a_long_table_shows_that_it_is_alive() -> None:
    """Every 10,000 rows the loader gives a sign, so that no limit of time ends honest work."""
    signs: list[int] = []
    list(load(Source("a.csv", content=b"a,b\n" + b"1,2\n" * 50_000, tick=lambda: signs.append(1))))
    assert len(signs) >= 5
