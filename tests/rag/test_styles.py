"""Styles of prompt: the built-in ones, a file of the user's own, thoughts and answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.answer_form import FORMATS
from rag.errors import SettingsError
from rag.settings import PromptSettings
from rag.styles import Style, load_style

MINE = """
version = "7"
[styles.pirate.zh]
order = "用海盗的语气回答{}。"
[styles.pirate.en]
order = "Answer like a {pirate}."
"""


@pytest.fixture
def steps() -> Style:
    """The style that thinks first."""
    return load_style(PromptSettings("steps"))


def own(folder: Path, text: str, style: str = "short") -> Style:
    """A style with the user's file over the built-in ones."""
    place = folder / "mine.toml"
    place.write_text(text, encoding="utf-8")
    return load_style(PromptSettings(style, str(place)))


@pytest.mark.parametrize("name", ["short", "detailed", "examples", "steps"])
def test_a_builtin_style_is_whole(name: str) -> None:
    """Each built-in style has both languages, a version and a sentence for every format."""
    style = load_style(PromptSettings(name))
    assert (style.name, style.version, set(style.texts)) == (name, "1", {"zh", "en"})
    assert set(style.formats) == set(FORMATS) and all(set(texts) == {"zh", "en"} for texts in style.formats.values())
    assert bool(style.texts["zh"].examples) == bool(style.texts["en"].examples) == (name == "examples")
    assert bool(style.texts["zh"].answer) == bool(style.texts["en"].answer) == (name == "steps")


def test_an_unknown_style_is_an_error() -> None:
    """A misspelt style is named together with the ones that there are."""
    with pytest.raises(SettingsError, match=r"'shrot'.*short, detailed, examples, steps"):
        load_style(PromptSettings("shrot"))


def test_a_style_of_ones_own(tmp_path: Path) -> None:
    """An order in both languages is a style; its braces stay braces, and its version tells of both files."""
    style = own(tmp_path, MINE, "pirate")
    assert (style.name, style.version, style.order("en")) == ("pirate", "1+7", "Answer like a {pirate}.")
    assert style.order("zh", "table") == "用海盗的语气回答{}。把答案写成 Markdown 表格。"
    assert (style.texts["zh"].passages, style.texts["en"].question) == ("资料：", "Question: ")


def test_a_builtin_style_can_be_changed_in_part(tmp_path: Path) -> None:
    """What the user's file says of a built-in style counts, the rest stays; formats likewise."""
    style = own(tmp_path, 'version="2"\n[styles.short.en]\norder="Be brief."\n[formats.list]\nen="Use dashes."\n')
    assert style.order("en") == "Be brief." and style.order("en", "list") == "Be brief. Use dashes."
    assert style.texts["zh"] == load_style(PromptSettings()).texts["zh"]
    assert style.formats["table"] == load_style(PromptSettings()).formats["table"]


def test_examples_of_ones_own(tmp_path: Path) -> None:
    """The user's examples stand in place of the built-in ones."""
    example = '[[styles.examples.en.examples]]\npassages = ["a", "b"]\nquestion = "q"\nanswer = "x [2]"\n'
    style = own(tmp_path, f'version = "2"\n{example}', "examples")
    (only,) = style.texts["en"].examples
    assert (only.passages, only.question, only.answer) == (("a", "b"), "q", "x [2]")
    assert len(style.texts["zh"].examples) == 2


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[styles.x]\n", ("version", 'version = "1"')),
        ("version = 1\n", ("version", "text")),
        ('version = "1"\nstyle = 3\n', ("style", "formats")),
        ('version = "1"\nstyles = 3\n', ("styles", "table", "[styles]")),
        ('version = "1"\n[styles.x.en]\norder = "a"\n', ("styles.x", "zh", "[styles.x.zh]")),
        ('version = "1"\n[styles.x.en]\npassages = "a"\n[styles.x.zh]\norder = "a"\n', ("styles.x", "en", "order")),
        ('version = "1"\n[styles.x.fr]\norder = "a"\n', ("styles.x.fr", "zh, en")),
        ('version = "1"\n[styles.short.en]\nordre = "a"\n', ("styles.short.en.ordre", "order")),
        ('version = "1"\n[styles.short.en]\norder = 3\n', ("styles.short.en.order", "3", 'order = "…"')),
        ('version = "1"\n[styles.short.en]\norder = " "\n', ("styles.short.en.order", 'order = "…"')),
        ('version = "1"\n[styles.short]\nen = "a"\n', ("styles.short.en", "table")),
        ('version = "1"\n[styles.short.en]\nexamples = ["a"]\n', ("styles.short.en.examples", "[[")),
        ('version = "1"\n[[styles.short.en.examples]]\nquestion = "q"\nanswer = "a"\n', ("examples[1].passages",)),
        (
            'version = "1"\n[[styles.short.en.examples]]\npassages = ["p"]\nanswer = "a"\n',
            ("examples[1].question", "missing"),
        ),
        ('version = "1"\n[formats.poem]\nen = "a"\n', ("formats.poem", "list")),
        ('version = "1"\n[formats.list]\nen = 2\n', ("formats.list.en", "2")),
        ('version = "1"\n[styles\n', ("line 2", "TOML")),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(tmp_path: Path, text: str, named: tuple[str, ...]) -> None:
    """The key or line that is wrong is named with what is known there or what to write."""
    with pytest.raises(SettingsError) as error:
        own(tmp_path, text)
    assert all(word in str(error.value) for word in (*named, "mine.toml")), str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """A file that is not there is no reason to ask in another style."""
    with pytest.raises(SettingsError, match=r"prompt\.file.*no such file"):
        load_style(PromptSettings("short", str(tmp_path / "none.toml")))


@pytest.mark.parametrize(
    ("draft", "language", "thoughts", "answer"),
    [
        ("Passage 1 says so.\nAnswer: Fifteen days.", "en", "Passage 1 says so.", "Fifteen days."),
        ("x\n**Answer:** Fifteen days.", "en", "x", "Fifteen days."),
        ("Answer: maybe ten.\nNo.\nAnswer:\nFifteen.", "en", "Answer: maybe ten.\nNo.", "Fifteen."),
        ("资料一相关。\n答案：十五天。", "zh", "资料一相关。", "十五天。"),
        ("资料一相关，因此答案: 十五天。", "zh", "资料一相关，因此", "十五天。"),
        ("Fifteen days.", "en", "", "Fifteen days."),
        ("Thinking.\nAnswer:", "en", "", "Thinking.\nAnswer:"),
        ("", "en", "", ""),
    ],
)
def test_thoughts_are_parted_from_the_answer(
    steps: Style, draft: str, language: str, thoughts: str, answer: str
) -> None:
    """The answer stands behind the last mark; where none has anything behind it, all is the answer."""
    assert steps.parted(draft, language) == (thoughts, answer)  # type: ignore[arg-type]


def test_only_a_style_with_a_mark_has_thoughts() -> None:
    """In other styles "Answer:" is a word like any other."""
    assert load_style(PromptSettings()).parted("So. Answer: yes", "en") == ("", "So. Answer: yes")
