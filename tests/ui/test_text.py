"""The page's words."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from ui.text import EXAMPLES, NAMES, TABLE, TABLES, Say, language_of

UI = Path(__file__).resolve().parents[2] / "ui"


@pytest.mark.parametrize("key", TABLE)
def test_both_languages_say_the_same_things(key: str) -> None:
    """Every text is there in both languages, with the same values to fill in, and is not simply copied."""
    texts = TABLE[key]
    assert texts.keys() == NAMES.keys()
    fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts.values()]
    assert fields[0] == fields[1]
    assert all(text.strip() for text in texts.values())


def test_examples_come_in_both_languages() -> None:
    """The empty page offers as many example questions in Chinese as in English."""
    assert len(EXAMPLES["zh"]) == len(EXAMPLES["en"]) == 4


def test_every_text_that_a_page_asks_for_exists() -> None:
    """No page asks for words that the table doesn't hold, and the table holds none that no page asks for."""
    files = [file for file in [*UI.glob("*.py"), UI.parent / "app.py"] if file.name != "text.py"]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    constants = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    calls = [n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "say"]
    asked = {n.args[0].value for n in calls if isinstance(n.args[0], ast.Constant)}
    assert len(asked) > 50
    assert asked <= TABLE.keys()
    assert {
        key
        for key in TABLE
        if not key.startswith(
            ("state_", "do_", "theme_", "kind_", "metric_", "step_", "about_step_", "show_", "kind_of_")
        )
    } <= constants


@pytest.mark.parametrize(
    ("locale", "language"),
    [("zh-CN", "zh"), ("zh-Hant-TW", "zh"), ("ZH", "zh"), ("en-GB", "en"), ("fr-FR", "en"), (None, "en")],
)
def test_the_browsers_language_decides(locale: str | None, language: str) -> None:
    """Any Chinese browser gets Chinese, every other one English."""
    assert language_of(locale) == language


def test_a_value_is_filled_in() -> None:
    """A text says the number that it was given."""
    assert Say("zh")("page", page=3) == "第 3 页"
    assert Say("en").state("set aside") == "set aside"


def test_a_key_has_one_meaning() -> None:
    """No two tables hold the same key: the later would silently speak on the page of the other."""
    keys = [key for table in TABLES for key in table]
    assert sorted(keys) == sorted(set(keys))
