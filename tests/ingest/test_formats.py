from __future__ import annotations

from pathlib import Path

import pytest

from ingest.formats import identify
from ingest.source import Source
from tests.faults import seeds


def test_words_in_a_document_do_not_decide_what_it_is(tmp_path: Path) -> None:
    """An old Word file that speaks of an EncryptedPackage or a Workbook is neither locked nor a workbook."""
    path = tmp_path / "a.doc"
    path.write_bytes(seeds.SEEDS[".doc"]() + "EncryptedPackage Workbook Book".encode("utf-16-le"))
    assert identify(Source.of(path)) == ".doc"


@pytest.mark.parametrize("suffix", [".doc", ".xls"])
def test_old_office_files_are_told_apart_by_what_is_in_them(tmp_path: Path, suffix: str) -> None:
    """The name is a hint only: a workbook named .doc is a workbook, and the other way round."""
    path = tmp_path / f"a{'.xls' if suffix == '.doc' else '.doc'}"
    path.write_bytes(seeds.SEEDS[suffix]())
    assert identify(Source.of(path)) == suffix
