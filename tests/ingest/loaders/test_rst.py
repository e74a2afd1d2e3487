"""reStructuredText: what a reader sees of it, with nothing included, run or fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.source import Source
from rag.errors import IngestError
from rag.types import ParsedDocument


def parsed(content: str, name: str = "guide.rst") -> ParsedDocument:
    (document,) = load(Source(name, content=content.encode()))
    return document


def test_sections_lists_and_code_stay_in_order() -> None:
    """Sections are headings by depth; lists, definitions, fields, notes and code keep their form."""
    document = parsed(
        """使用手册
========

:Author: Ann

Some ``code`` and `a site <http://example.org>`_ [1]_.

安装
----

1. first
2. second

   - nested

Term
  What it means.

.. note:: 小心。

.. code-block:: python

   print("hi")

.. image:: house.png
   :alt: A red house

.. [1] The footnote.

.. a comment
"""
    )
    assert document.title == "使用手册"
    assert document.text == (
        "# 使用手册\n\nAuthor: Ann\n\nSome code and a site [1].\n\n## 安装\n\n1. first\n2. second\n  - nested\n\n"
        'Term: What it means.\n\nNote:\n\n小心。\n\n```\nprint("hi")\n```\n\nA red house\n\n[1] The footnote.'
    )


def test_each_table_row_keeps_its_column_names() -> None:
    """Drawn tables, lists as tables and cells that span rows: every row can be read alone."""
    document = parsed(
        """
+------+-------+
| 名称 | Price |
+======+=======+
| 苹果 | 5     |
+      +-------+
|      | 6     |
+------+-------+

.. list-table:: Rates
   :header-rows: 1

   * - A
     - B
   * - 1
     - 2
"""
    )
    assert document.text == "名称: 苹果; Price: 5\n名称: 苹果; Price: 6\n\nRates\nA: 1; B: 2"


def test_words_for_other_tools_are_read_as_their_text() -> None:
    """Roles and directives that only Sphinx knows give their words; lists of its files do not come."""
    document = parsed(
        """
See :ref:`the start <start>`, :py:func:`os.path` and :doc:`/api/index`.

.. versionadded:: 3.2
   The *new* thing.

.. toctree::
   :maxdepth: 2

   secret/path

.. function:: open(path)

   Opens it.
"""
    )
    assert document.text == "See the start, os.path and /api/index.\n\n3.2\n\nThe new thing.\n\nopen(path)\n\nOpens it."


@pytest.mark.parametrize(
    "directive",
    [
        ".. include:: {}",
        ".. literalinclude:: {}",
        ".. csv-table:: t\n   :file: {}",
        ".. csv-table:: t\n   :url: file://{}",
        ".. raw:: html\n   :file: {}",
        ".. raw:: html\n   :url: file://{}",
        ".. code:: \n   :include: {}",
        ".. unknown::\n\n   .. include:: {}",
    ],
)
def test_nothing_is_included(tmp_path: Path, capfd: pytest.CaptureFixture[str], directive: str) -> None:
    """No directive reads another file, and none is complained of on the screen."""
    secret = tmp_path / "secret.txt"
    secret.write_text("hush,hush")
    text = parsed(f"Before.\n\n{directive.format(secret)}\n\nAfter.\n").text
    assert text.startswith("Before.") and text.endswith("After.") and "hush" not in text
    assert capfd.readouterr() == ("", "")


def test_raw_markup_does_not_come() -> None:
    """HTML that is meant for a browser is no text."""
    assert parsed("Before.\n\n.. raw:: html\n\n   <b onclick='x()'>evil</b>\n\nAfter.\n").text == "Before.\n\nAfter."


def test_no_settings_of_the_folder_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A docutils.conf beside the file cannot switch inclusion on."""
    (tmp_path / "docutils.conf").write_text("[general]\nfile_insertion_enabled: yes\nraw_enabled: yes\n")
    (tmp_path / "secret.txt").write_text("hush")
    monkeypatch.chdir(tmp_path)
    assert "hush" not in parsed("A\n\n.. include:: secret.txt\n").text


def test_endless_nesting_ends_in_a_sentence() -> None:
    """What would exhaust the reader's stack is refused in words."""
    with pytest.raises(IngestError, match="nested too deeply"):
        parsed("* " * 2000 + "x")
