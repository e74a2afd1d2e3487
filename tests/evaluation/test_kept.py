"""Reports that are kept, and what passes for one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation import report
from evaluation.compare import compare
from evaluation.kept import keep, kept, read
from evaluation.page import as_html
from rag.errors import DatasetError
from rag.settings import Settings
from tests.evaluation.test_runner import records


def test_a_kept_report_is_read_again(tmp_path: Path) -> None:
    """The latest comes first, and each can be drawn and compared."""
    made = report.evaluation(records(answers=True), Settings(tmp_path))
    path = keep(tmp_path, "default", "问题", made)
    assert kept(tmp_path, "default") == [path] and path.name.endswith("问题.json")
    found = read(path)
    assert "问题" in as_html(found, "zh", compare(found, found))


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"metrics": {}, "questions": {}, "settings": {}},
     {"metrics": {}, "questions": [1], "settings": {}, "slices": {}},
     {"metrics": {}, "questions": [{"id": "1"}], "settings": {}, "slices": {}}],
)  # fmt: skip
def test_another_json_file_is_no_report(tmp_path: Path, value: Any) -> None:
    """Whatever else is named as a baseline is one sentence."""
    path = tmp_path / "other.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(DatasetError, match="no report"):
        read(path)


def test_a_report_of_an_older_version_can_still_be_read(tmp_path: Path) -> None:
    """One from before steps, versions and shown passages is drawn without them."""
    path = keep(tmp_path, "default", "old", report.evaluation(records(answers=True), Settings(tmp_path)))
    old = read(path)
    for name in ("steps", "versions", "reliability"):
        del old[name]
    for question in old["questions"]:
        for name in ("step", "shown", "out_of", "kind", "language", "timed"):
            del question[name]
    path.write_text(json.dumps(old), encoding="utf-8")
    assert "<article>" in as_html(read(path), "en", compare(read(path), old))
