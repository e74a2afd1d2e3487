"""Text and progress on a terminal."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from rag.terminal import Meter, columns, cut, padded


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_chinese_character_takes_two_columns() -> None:
    """Widths are counted in columns, so that lists of names in both languages stand in line."""
    assert (columns("abc"), columns("年假"), columns("e\u0301")) == (3, 4, 1)
    assert columns(padded("年假.txt", 12)) == columns(padded("leave.md", 12)) == 12


@given(st.text(alphabet="ab年假é ", max_size=20), st.integers(1, 12))
def test_a_cut_text_fits(text: str, most: int) -> None:
    """A text that is cut fits, is its own beginning and says that it was cut; one that fits stays as it is."""
    short = cut(text, most)
    assert columns(short) <= most
    assert short == text if columns(text) <= most else short.endswith("…") and text.startswith(short[:-1])


def test_progress_is_one_line_on_a_terminal_and_quiet_elsewhere() -> None:
    """On a terminal a line is drawn over and over; in a file no line comes before its time is up."""
    terminal, file = Terminal(), io.StringIO()
    Meter(terminal).show(0.5, "half")
    Meter(terminal).show(1.0, "all", finished=True)
    assert "█" in terminal.getvalue() and terminal.getvalue().count("\n") == 1
    Meter(file).show(0.5, "half")
    assert file.getvalue() == ""
    Meter(file, seconds=0).show(0.5, "half")
    assert file.getvalue() == "half\n"
