"""Uploads: names that do no harm, archives unpacked with their names right, and nothing half-written."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.uploads import add_upload, clean_name, unpacked
from rag.errors import IngestError
from rag.settings import IngestSettings, Settings


def zipped(members: Sequence[tuple[str, bytes]]) -> bytes:
    """A zip of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def renamed(raw: bytes) -> bytes:
    """A zip whose one member has these bytes for a name, without a word on their encoding."""
    return zipped([("X" * len(raw), b"text")]).replace(b"X" * len(raw), raw)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "cp437"])
def test_names_of_old_archives_are_read_as_they_were_written(encoding: str) -> None:
    """Names in GBK, in UTF-8 that doesn't say so, and in the DOS alphabet where they are plain."""
    name = "plain.txt" if encoding == "cp437" else "合同/租赁协议（二）.txt"
    [(parts, _)] = unpacked("papers.zip", renamed(name.encode(encoding)))
    assert "/".join(parts) == f"papers/{name}"


@pytest.mark.parametrize(
    "name", ["../out.txt", "/etc/passwd.txt", "a/../../out.txt", "..\\out.txt", "__MACOSX/._a.txt", ".DS_Store", "a/.b.txt",
             "Thumbs.db", "~$lease.docx", "folder/"],
)  # fmt: skip
def test_members_that_lead_outside_or_are_litter_are_left_out(name: str) -> None:
    """Nothing is given of them; the other members are."""
    found = ["/".join(parts) for parts, _ in unpacked("p.zip", zipped([(name, b""), ("good.txt", b"x")]))]
    assert found == ["p/good.txt"]


@pytest.mark.parametrize(
    ("name", "clean"),
    [("../../a.txt", "a.txt"), ("C:\\Users\\a.txt", "a.txt"), ("con.txt", "_con.txt"), ("a\u202egpj.txt", "agpj.txt"),
     ("what?.txt", "what_.txt"), (".hidden.txt", "hidden.txt"), ("", "document"), ("合同 .txt", "合同 .txt")],
)  # fmt: skip
def test_a_name_cannot_lead_anywhere_or_hide(name: str, clean: str) -> None:
    """Folders, characters that turn the text around and names that a system keeps for itself are taken out."""
    assert clean_name(name) == clean


@pytest.mark.parametrize("name", ["长" * 300 + ".pdf", "a" * 300 + ".pdf", "x" * 150 + "." + "y" * 300])
def test_a_long_name_fits_every_file_system(name: str) -> None:
    """It is cut to 255 bytes at most, never within a character, and keeps its kind."""
    clean = clean_name(name)
    assert len(clean.encode()) <= 255
    assert clean.endswith(name[-4:])


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is one sentence; neither a part of the file nor a passing one stays, and the earlier one is whole."""
    settings = Settings(home=tmp_path)
    target = add_upload(settings, "a.txt", b"The first.")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(IngestError, match="No space left"):
        add_upload(settings, "a.txt", b"The second.")
    assert [path.name for path in target.parent.iterdir()] == ["a.txt"]
    assert target.read_bytes() == b"The first."


def test_a_file_over_the_limit_is_never_written(tmp_path: Path) -> None:
    """It is refused with its size and the limit, before a byte of it is on the disk."""
    settings = Settings(home=tmp_path, ingest=IngestSettings(max_file_mb=1))
    with pytest.raises(IngestError, match=r"big\.txt has 2 MB; 1 MB is the most"):
        add_upload(settings, "folder/big.txt", bytes(2 << 20))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
