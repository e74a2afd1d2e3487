"""Pages drawn word by word: columns are read one after the other, tables row by row, and nothing is lost."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from ingest.pdf_layout import Layout, layout

pdfium = pytest.importorskip("pypdfium2")

Word = tuple[float, float, str]  # x, y from the top, text
ESCAPES = str.maketrans({"(": r"\(", ")": r"\)"})
SENTENCE = "the quick brown fox jumps over a lazy dog and runs"


def drawn(words: Iterable[Word], lines: Sequence[tuple[float, float, float, float]] = (), *, rotate: int = 0) -> bytes:
    """A page of 612 x 792 points with these words in Helvetica of 10 points, and lines from (x, y) to (x, y)."""
    shown = [f"BT /F1 10 Tf 1 0 0 1 {x} {792 - y} Tm ({text.translate(ESCAPES)}) Tj ET" for x, y, text in words]
    shown += [f"0.7 w {x1} {792 - y1} m {x2} {792 - y2} l S" for x1, y1, x2, y2 in lines]
    return page_of(shown, rotate=rotate)


def page_of(shown: Sequence[str], *, rotate: int = 0) -> bytes:
    writer = PdfWriter()
    page = writer.add_blank_page(612, 792)
    content = DecodedStreamObject()
    content.set_data("\n".join(shown).encode("latin-1"))
    page[NameObject("/Contents")] = writer._add_object(content)
    names = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica", "/Encoding": "/WinAnsiEncoding"}
    font = DictionaryObject({NameObject(key): NameObject(value) for key, value in names.items()})
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
    )
    if rotate:
        page.rotate(rotate)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def laid_out(
    words: Iterable[Word], lines: Sequence[tuple[float, float, float, float]] = (), *, rotate: int = 0
) -> Layout:
    return layout(pdfium.PdfDocument(drawn(words, lines, rotate=rotate))[0])


def right(edge: float, y: float, text: str) -> Word:
    """A figure flush on the right: digits of Helvetica are 5.56 points wide at 10 points, punctuation about half."""
    return edge - sum(5.56 if c.isdigit() else 3.33 if c in "()" else 2.78 for c in text), y, text


def lines_of(result: Layout) -> list[str]:
    assert result.text is not None
    return [line for line in result.text.split("\n") if line]


def statement() -> list[Word]:
    """A statement of income: two groups of two columns, three sections, a broken label."""
    words: list[Word] = [(300, 92, "Three Months Ended"), (446, 92, "Six Months Ended")]
    edges = (340, 410, 480, 550)
    for edge, year in zip(edges, ("2023", "2022", "2023", "2022"), strict=True):
        words.append((edge - 23, 106, year))
    words += [(50, 120, "Net sales:"), (60, 134, "Products"), (60, 148, "Services"), (70, 162, "Total net sales")]
    words += [(50, 176, "Provision for income taxes of"), (50, 190, "all countries"), (50, 204, "Net loss")]
    figures = {134: ("4,100", "3,900", "8,000", "7,700"), 148: ("250", "240", "480", "460")}
    figures |= {162: ("4,350", "4,140", "8,480", "8,160"), 190: ("(12)", "(9)", "(25)", "(18)")}
    figures[204] = ("(431)", "(17)", "(500)", "(90)")
    words += [right(edge, y, cell) for y, row in figures.items() for edge, cell in zip(edges, row, strict=True)]
    return [*words, (295, 134, "$"), (365, 134, "$"), (435, 134, "$"), (505, 134, "$")]


def two_columns() -> list[Word]:
    words: list[Word] = [(60, 60, "A heading that runs across both of the columns of this page, as titles do here")]
    for number in range(20):
        words += [(50, 90 + 13 * number, f"left{number} {SENTENCE}"[:48])]
        words += [(330, 90 + 13 * number, f"right{number} {SENTENCE}"[:48])]
    return words


def test_each_row_of_a_statement_is_a_line_with_its_section_and_the_names_of_its_columns() -> None:
    result = laid_out(statement())
    assert result.tables == 1
    assert lines_of(result) == [
        "Net sales: Products; Three Months Ended 2023: $4,100; Three Months Ended 2022: $3,900; "
        "Six Months Ended 2023: $8,000; Six Months Ended 2022: $7,700",
        "Net sales: Services; Three Months Ended 2023: 250; Three Months Ended 2022: 240; "
        "Six Months Ended 2023: 480; Six Months Ended 2022: 460",
        "Net sales: Total net sales; Three Months Ended 2023: 4,350; Three Months Ended 2022: 4,140; "
        "Six Months Ended 2023: 8,480; Six Months Ended 2022: 8,160",
        "Provision for income taxes of all countries; Three Months Ended 2023: (12); Three Months Ended 2022: (9); "
        "Six Months Ended 2023: (25); Six Months Ended 2022: (18)",
        "Net loss; Three Months Ended 2023: (431); Three Months Ended 2022: (17); "
        "Six Months Ended 2023: (500); Six Months Ended 2022: (90)",
    ]


def test_two_columns_are_read_one_after_the_other_below_what_runs_across_them() -> None:
    result = laid_out(two_columns())
    assert (result.columns, result.tables) == (2, 0)
    starts = [line.split()[0] for line in lines_of(result)]
    assert starts == ["A", *(f"left{n}" for n in range(20)), *(f"right{n}" for n in range(20))]


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_a_page_that_is_turned_is_read_as_if_it_were_upright(rotate: int) -> None:
    assert laid_out([*statement()], rotate=rotate) == laid_out(statement())


def test_a_table_set_sideways_on_an_upright_page_is_read_as_if_it_were_upright() -> None:
    content = [f"BT /F1 10 Tf 0 1 -1 0 {y} {x} Tm ({text.translate(ESCAPES)}) Tj ET" for x, y, text in statement()]
    assert layout(pdfium.PdfDocument(page_of(content))[0]) == laid_out(statement())


def test_a_plain_page_is_left_to_the_plain_reader() -> None:
    """Paragraphs, a list and figures within sentences are no table and no columns."""
    words: list[Word] = [
        (50, 60 + 13 * n, f"In 2023 it rose by 4,{n}00 or {n} %, as {SENTENCE} {SENTENCE}") for n in range(12)
    ]
    words += [word for n in range(5) for word in ((60.0, 240.0 + 13 * n, f"({n})"), (80.0, 240.0 + 13 * n, SENTENCE))]
    assert laid_out(words) == Layout(None, 0, 1)


def test_a_blank_page_has_no_layout() -> None:
    assert laid_out([]) == Layout(None, 0, 1)


def test_gaps_in_an_invoice_keep_each_value_under_its_own_name() -> None:
    words: list[Word] = [(50, 80, "Product"), (150, 80, "Shelf"), (250, 80, "Ordered"), (350, 80, "State")]
    words += [(50, 94, "SKU-1"), (150, 94, "A-12"), (250, 94, "450"), (250, 108, "17"), (350, 108, "OK")]
    words += [(50, 122, "SKU-3"), (250, 122, "9"), (50, 136, "SKU-4"), (150, 136, "B-07"), (250, 136, "31")]
    assert lines_of(laid_out(words)) == [
        "Product: SKU-1; Shelf: A-12; Ordered: 450",
        "Ordered: 17; State: OK",
        "Product: SKU-3; Ordered: 9",
        "Product: SKU-4; Shelf: B-07; Ordered: 31",
    ]


def test_a_drawn_table_keeps_its_cells_and_says_a_merged_one_in_each_of_its_rows() -> None:
    """Lines part the cells, however close their words stand, and a cell of several lines is one."""
    words: list[Word] = [(55, 95, "Mark"), (155, 95, "Kind"), (255, 95, "Meaning")]
    words += [(55, 125, "Dx"), (155, 115, "dredger"), (255, 115, "has a pump and a"), (255, 127, "deck of steel")]
    words += [(155, 145, "barge filling the cell"), (255, 145, "has no pump")]
    frame = [(50.0, y, 400.0, y) for y in (80, 100, 160)] + [(150.0, 132.0, 400.0, 132.0)]
    frame += [(x, 80.0, x, 160.0) for x in (50, 150, 250, 400)]
    result = laid_out(words, frame)
    assert lines_of(result) == [
        "Mark: Dx; Kind: dredger; Meaning: has a pump and a deck of steel",
        "Mark: Dx; Kind: barge filling the cell; Meaning: has no pump",
    ]


def test_a_name_reaches_as_far_as_the_line_below_it() -> None:
    """A name over three columns that stands over the middle one alone is that of all three."""
    words: list[Word] = [(286, 80, "Shares"), (250, 94, "First"), (300, 94, "Last"), (350, 94, "Mean")]
    for y, label in ((108, "Apples"), (122, "Pears"), (136, "Plums")):
        words += [(50, y, label), *(right(edge, y, f"{y}.{edge}") for edge in (275, 325, 375))]
    lines = lines_of(laid_out(words, [(240, 83, 380, 83)]))
    assert lines[0] == "Apples; Shares First: 108.275; Shares Last: 108.325; Shares Mean: 108.375"


def test_two_tables_side_by_side_are_read_one_after_the_other() -> None:
    words: list[Word] = []
    for number in range(5):
        y = 80.0 + 14 * number
        words += [(50, y, f"left {'abcde'[number]}"), right(200, y, f"1{number}.5"), right(260, y, f"2{number}.5")]
        words += [(320, y, f"right {'abcde'[number]}"), right(460, y, f"3{number}.5"), right(520, y, f"4{number}.5")]
    result = laid_out(words)
    assert (result.columns, result.tables) == (2, 2)
    assert lines_of(result)[0] == "| left a | 10.5 | 20.5 |"
    assert lines_of(result)[5] == "| right a | 30.5 | 40.5 |"


def test_a_section_ends_with_its_total_and_a_broken_label_is_one() -> None:
    words: list[Word] = [(300, 80, "2023"), (350, 80, "2022"), (50, 94, "Assets:")]
    rows = {108: (60, "Cash", "7", "8"), 122: (60, "Total assets", "7", "8"), 136: (60, "Margin", "1", "2")}
    for y, (x, label, *cells) in rows.items():
        words += [(x, y, label), right(322, y, cells[0]), right(372, y, cells[1])]
    words += [(50, 150, "Income, net of"), right(322, 150, "5"), right(372, 150, "6"), (50, 164, "taxes paid")]
    words += [(50, 178, "Other"), right(322, 178, "3"), right(372, 178, "4")]
    assert lines_of(laid_out(words)) == [
        "Assets: Cash; 2023: 7; 2022: 8",
        "Assets: Total assets; 2023: 7; 2022: 8",
        "Margin; 2023: 1; 2022: 2",
        "Income, net of taxes paid; 2023: 5; 2022: 6",
        "Other; 2023: 3; 2022: 4",
    ]


def test_a_title_and_running_text_around_a_table_stay_as_they_are() -> None:
    words: list[Word] = [(50, 60, f"The table shows what was sold, and {SENTENCE} {SENTENCE[:30]}")]
    words += [(205, 90, "(in millions)"), (300, 104, "2023"), (350, 104, "2022")]
    for y, label in ((118, "Apples"), (132, "Pears")):
        words += [(50, y, label), right(322, y, f"1{y}"), right(372, y, f"2{y}")]
    words += [(50, 160, f"See the notes, of which {SENTENCE} {SENTENCE[:40]}")]
    lines = lines_of(laid_out(words))
    assert lines[0].startswith("The table shows")
    assert lines[1:4] == ["(in millions)", "Apples; 2023: 1118; 2022: 2118", "Pears; 2023: 1132; 2022: 2132"]
    assert lines[4].startswith("See the notes")


def characters(text: str) -> Counter[str]:
    return Counter("".join(text.replace("\x02", "-").replace("\ufffe", "-").split()))


def pages(paths: Iterable[Path]) -> Iterator[tuple[str, object]]:
    for path in paths:
        try:
            document = pdfium.PdfDocument(path)
        except pdfium.PdfiumError:
            continue  # broken and locked files are the loader's affair
        for number, page in enumerate(document, start=1):
            yield f"{path.name} page {number}", page


def test_no_character_of_a_real_page_is_lost_or_invented(shared: Path) -> None:
    """Names of columns are repeated, and ``: ; |`` set between cells; all else is what the page shows."""
    wrong = []
    for name, page in pages([*shared.glob("docs/*.pdf"), *shared.glob("qa/sec10q_en/pdf/*Q3*.pdf")]):
        if (text := layout(page).text) is not None:  # type: ignore[arg-type]
            shown, laid = characters(page.get_textpage().get_text_range()), characters(text)  # type: ignore[attr-defined]
            if shown - laid or set(laid) - set(shown) - set(":;|"):
                wrong.append(name)
    assert not wrong


def test_the_side_column_and_the_tables_of_a_chinese_report_are_apart(shared: Path) -> None:
    document = pdfium.PdfDocument(shared / "docs/pdf_zh_research_report_4p.pdf")
    first, third = layout(document[0]), layout(document[2])
    assert first.text is not None and third.text is not None
    assert first.columns == 2
    side, main = first.text.index("资格编号：S0120521020003"), first.text.index("预计一期总投资额约")
    assert side < main
    assert "每股净资产; 2021: 7.13; 2022E: 10.43; 2023E: 15.39; 2024E: 21.76" in third.text
    assert "经营效率指标: 应收帐款周转天数; 2021: 161.7; 2022E: 165.1; 2023E: 164.9; 2024E: 164.4" in third.text
    assert "资产负债表(百万元): 货币资金; 2021: 427; 2022E: 494; 2023E: 1,269; 2024E: 1,965" in third.text
    assert "营业总收入; 2021: 1,567; 2022E: 3,684; 2023E: 5,056; 2024E: 5,752" in third.text
