from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.passwords import parse
from ingest.sync import Report, synchronise
from rag.settings import Settings
from rag.store import Store
from rag.types import Embedder, Verdict

# What each mode of the manifest may end as. A file that is "derived" and damaged may be read too, where it says so.
ENDS = {
    "text": {"indexed"},
    "ocr": {"indexed"},
    "password": {"set aside"},
    "error": {"set aside"},
    "refuse": {"set aside"},
    "empty": {"empty"},
}


def squeezed(text: str) -> str:
    """The text without blanks: a title that is set on two lines is still the title."""
    return "".join(text.split())


def rows(shared: Path) -> list[dict[str, str]]:
    with (shared / "docs/MANIFEST.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def synced(
    shared: Path, tmp_path_factory: pytest.TempPathFactory, exact_embedder: Callable[[], Embedder]
) -> Iterator[tuple[Store, Report]]:
    home = tmp_path_factory.mktemp("home")
    with Store(home) as store:
        yield store, synchronise(Settings(home=home), [shared / "docs"], store=store, embedder=exact_embedder())


def shown(row: dict[str, str], verdict: Verdict) -> str:
    by_ocr = sum(mark.kind == "ocr" for mark in verdict.read)
    size = f"{verdict.pages or '':>3} {f'{by_ocr} OCR' if by_ocr else '':7} {verdict.chunks or '':>4}"
    return f"{row['file']:36} {row['mode']:9} {verdict.state:10} {size} {verdict.seconds:6.2f} s  {verdict.reason[:70]}"


def test_every_real_file_ends_as_the_manifest_says(shared: Path, synced: tuple[Store, Report]) -> None:
    """What can be read is indexed; what is locked, broken or not what it seems is set aside with its reason."""
    verdicts = {verdict.file: verdict for verdict in synced[1].verdicts}
    wrong = []
    for row in rows(shared):
        verdict = verdicts[row["file"]]
        print(shown(row, verdict))
        told = bool(verdict.reason) or verdict.state == "indexed"
        fine_too = (
            row["mode"] == "error" and "fine too" in row["note"] and verdict.state == "indexed" and verdict.warnings
        )
        if not (verdict.state in ENDS[row["mode"]] or fine_too) or not told:
            wrong.append(verdict)
    assert not wrong
    assert synced[0].verify() == []


def test_scans_are_read_by_ocr_and_nothing_else_is(shared: Path, synced: tuple[Store, Report]) -> None:
    """The files that are pictures of text, and only pages that need it, went through OCR."""
    by_ocr = {v.file for v in synced[1].verdicts if any(mark.kind == "ocr" for mark in v.read)}
    scans = {row["file"] for row in rows(shared) if row["mode"] == "ocr"}
    needing = {"pdf_en_bad_ocr_layer.pdf", "docx_zh_table_image.docx"}  # a layer of noise; text inside a picture
    assert scans <= by_ocr <= scans | needing


def test_the_expected_words_are_in_the_stored_text(shared: Path, synced: tuple[Store, Report]) -> None:
    """A phrase that a reader sees on the page is in the stored text and in one of its chunks' lines."""
    indexed = {verdict.file for verdict in synced[1].verdicts if verdict.state == "indexed"}
    looked_at = 0
    for row in rows(shared):
        if row["file"] in indexed and row["expect"]:
            words = squeezed(row["expect"])
            assert words in squeezed(synced[0].document_text(row["file"])), row["file"]
            assert any(words in squeezed(chunk.indexed_text) for chunk in synced[0].chunks(row["file"])), row["file"]
            looked_at += 1
    assert looked_at >= 33


def test_the_password_opens_the_locked_file(
    shared: Path, tmp_path: Path, exact_embedder: Callable[[], Embedder]
) -> None:
    """With the password that the manifest notes, the locked PDF is indexed and holds its phrase."""
    (row,) = [row for row in rows(shared) if row["mode"] == "password" and row["note"]]
    with Store(tmp_path) as store:
        passwords = parse([f"{row['file']}={row['note']}"])
        report = synchronise(
            Settings(home=tmp_path),
            [shared / "docs" / row["file"]],
            store=store,
            embedder=exact_embedder(),
            passwords=passwords,
        )
        assert [verdict.state for verdict in report.verdicts] == ["indexed"]
        assert squeezed(row["expect"]) in squeezed(store.document_text(row["file"]))


def test_bad_ocr_is_warned_about(synced: tuple[Store, Report]) -> None:
    """Noise in a text layer is named and read anew; clean documents are not accused of it."""
    accused = {v.file for v in synced[1].verdicts if any("bad OCR" in w for w in v.warnings)}
    assert accused == {"pdf_en_bad_ocr_layer.pdf"}


def test_pages_are_counted(synced: tuple[Store, Report]) -> None:
    """The long guide has all its pages, and a chunk knows the page that it is on."""
    verdicts: dict[str, Verdict] = {verdict.file: verdict for verdict in synced[1].verdicts}
    assert verdicts["pdf_en_guide_76p_damaged.pdf"].pages == 76
    pages = synced[0].document_pages("pdf_en_text_5p.pdf")
    assert all(chunk.text in pages[(chunk.page or 0) - 1].text for chunk in synced[0].chunks("pdf_en_text_5p.pdf"))


def test_page_furniture_stays_behind(synced: tuple[Store, Report]) -> None:
    """The encyclopedia page comes without its menus and edit links, with its headings in the chunks' paths."""
    text = synced[0].document_text("html_en_wikipedia.html")
    furniture = ("Jump to", "Toggle", "[edit]", "mw-parser", "Privacy policy", "Log in")
    assert not [word for word in furniture if word in text]
    headings = {chunk.heading for chunk in synced[0].chunks("html_en_wikipedia.html")}
    assert any(heading.endswith("History › 1972–1985: Founding") for heading in headings)
