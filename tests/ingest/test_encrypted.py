from __future__ import annotations

import io
from pathlib import Path

import docx
import msoffcrypto
import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from ingest.loaders import load
from ingest.source import LOCKED, Source
from rag.errors import IngestError


def locked(password: str) -> bytes:
    made, plain, content = docx.Document(), io.BytesIO(), io.BytesIO()
    made.add_paragraph("机密 secret")
    made.save(plain)
    OOXMLFile(plain).encrypt(password, content)
    return content.getvalue()


def test_a_locked_file_opens_with_one_of_the_given_passwords() -> None:
    """Each password is tried; the right one opens the file, whatever its letters."""
    content = locked("pässwort 密码")
    (made,) = load(Source("a.docx", content=content, passwords=("no", "pässwort 密码")))
    assert made.text == "机密 secret" and not made.warnings


def test_without_the_password_it_is_locked() -> None:
    """No password and a wrong one are told apart, and both say what to type."""
    content = locked("right")
    with pytest.raises(IngestError) as missing:
        list(load(Source("a.docx", content=content)))
    assert str(missing.value) == LOCKED and "--password FILE=PASSWORD" in LOCKED
    with pytest.raises(IngestError, match="locked: the password given does not open it"):
        list(load(Source("a.docx", content=content, passwords=("wrong", ""))))


def test_a_file_only_protected_against_changes_opens_without_asking() -> None:
    """Excel opens such a file by itself, and so does this."""
    (made,) = load(Source("a.docx", content=locked("VelvetSweatshop")))
    assert made.text == "机密 secret"


@pytest.mark.parametrize("cut", [600, 3000])
def test_a_damaged_lock_is_damage(cut: int) -> None:
    """A locked file that was cut off is an error with a sentence."""
    content = locked("right")
    with pytest.raises(IngestError, match=r"damaged|locked"):
        list(load(Source("a.docx", content=content[:cut] + b"\0" * 600, passwords=("right",))))


def test_entities_in_the_description_of_a_lock_are_refused() -> None:
    """The XML that says how a file is encrypted is no way to bring in a bomb."""
    content = locked("right")
    begins = content.index(b"<?xml")
    forged = content[:begins] + b'<!DOCTYPE x [<!ENTITY a "b">]>' + content[begins + 30 :]
    with pytest.raises(IngestError, match="declares a document type"):
        list(load(Source("a.docx", content=forged, passwords=("right",))))


def test_real_locked_and_open_files(shared: Path) -> None:
    """A real locked workbook is locked, real old files are not."""
    with pytest.raises(IngestError, match="locked"):
        list(load(Source.of(shared / "docs/enc_password.xlsx")))
    for name in ("xls_legacy.xls", "doc_legacy.doc"):
        with (shared / "docs" / name).open("rb") as file:
            assert not msoffcrypto.OfficeFile(file).is_encrypted()
