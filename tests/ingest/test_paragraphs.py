from __future__ import annotations

from ingest.paragraphs import unwrap
from ingest.quality import DOUBTFUL, GARBAGE, quality


def test_wrapped_english_lines_become_a_paragraph() -> None:
    """Lines broken by the margin are joined with a space, a hyphenated word without its hyphen."""
    lines = [
        "Open-domain question answering relies on ef-",
        "ficient passage retrieval to select candidate",
        "contexts.",
    ]
    whole = "Open-domain question answering relies on efficient passage retrieval to select candidate contexts."
    assert unwrap("\n".join([*lines, "Next one."])) == f"{whole}\nNext one."


def test_a_hyphen_that_belongs_to_the_word_stays() -> None:
    """A compound keeps its hyphen where the document writes it so, and before a capital."""
    lines = ["This is a line about the idea of being well-", "behaved in nature, and it goes on with the Lucene-"]
    page = "\n".join([*lines, "BM25 system, which is rather fault-", "tolerant."])
    read = unwrap(page, {"fault-tolerant"})
    assert all(word in read for word in ("well-behaved", "Lucene-BM25", "fault-tolerant"))


def test_wrapped_chinese_lines_are_joined_without_a_space() -> None:
    """A Chinese paragraph reads on across its line ends, numbers included; a numbered item starts anew."""
    lines = [
        "经审图与检验，确认船舶在智能航行、智能机舱、智",
        "能能效管理方面已符合规范要求，项目总投资额约",
        "6.66 亿元。",
    ]
    whole = "经审图与检验，确认船舶在智能航行、智能机舱、智能能效管理方面已符合规范要求，项目总投资额约6.66亿元。"
    items = "（1）第一条。\n（2）第二条。"
    assert unwrap("\n".join([*lines, items])) == f"{whole}\n{items}"


def test_spaced_out_chinese_is_closed_up() -> None:
    """Characters that were set apart for looks become a word again; a space between words stays."""
    assert unwrap("目 录 页 次\n第一章 总则") == "目录页次\n第一章 总则"


def test_short_lines_stay_lines() -> None:
    """An address or a list is not run together."""
    page = "Name\nStreet 5\nTown\nA very long line that shows how wide the page really is, more or less.\nEnd"
    assert unwrap(page).split("\n")[:3] == ["Name", "Street 5", "Town"]


def test_quality_tells_language_from_noise() -> None:
    """Prose in both languages scores high, shifted letters, private characters and wrong maps score as garbage."""
    english = "The origins of word processing can be traced back to the typewriter in the nineteenth century. " * 5
    chinese = "人工智能是计算机科学的一个分支，它企图了解智能的实质。" * 5
    assert quality(english) > DOUBTFUL and quality(chinese) > DOUBTFUL and quality(english + chinese) > DOUBTFUL
    assert quality("\ue001\ue002\ue003 \ue004") < GARBAGE
    assert quality("".join(chr(ord(c) + 3) if c.isalpha() else c for c in english)) < GARBAGE
    assert quality("".join(chr(ord(c) * 7 % 9000 + 0x4E00 + 11000) if c > "\x7f" else c for c in chinese)) < DOUBTFUL


def test_table_rows_stay_lines() -> None:
    """A row that names its columns is not joined to the next, however wide, and does not say how wide a page is."""
    rows = [f"净销售额: 产品{n}; 2022年三季度: {n}3,355; 2021年三季度: {n}3,948" for n in range(1, 4)]
    prose = "The figures above are not audited and are shown in\nmillions of dollars for the quarters that ended."
    assert unwrap("\n".join([*rows, "", prose])).split("\n")[:3] == rows
    assert "shown in millions" in unwrap("\n".join([*rows, "", prose, prose]))
