"""A page as it looks, with the quoted words marked: where they are, and nowhere else. Drawn by the real sandbox."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import FloatObject, NameObject, RectangleObject

from ingest.page_image import MOST_PIXELS, PageImage, PageRequest
from ingest.sandbox import Sandbox
from rag.errors import IngestError
from tests.ingest.conftest import MakePdf
from tests.ingest.pictures import chinese_font, drawn, lines

ROOT = Path(__file__).resolve().parents[2]
LINES = [
    "The frozen weights stay as they are.",
    "LoRA trains two small matrices instead.",
    "It needs a third of the mem-",
    "ory of full fine-tuning.",
]
TOP, STEP, LEFT = 72, 14, 72  # points: the first line's base is 720 of 792, each next one 14 lower


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One child for all tests."""
    with Sandbox(60) as child:
        yield child


def picture(sandbox: Sandbox, path: Path, quote: str, page: int = 1, text: str = "", ocr: bool = False) -> PageImage:
    """The page with a quote of its text marked."""
    text = text or "\n".join(LINES)
    start = text.find(quote)
    asked = (text, start, start + len(quote)) if start >= 0 else (quote, 0, len(quote))
    return sandbox.picture(path, PageRequest(hashlib.sha256(path.read_bytes()).hexdigest(), page, *asked, ocr=ocr))


def marked(image: PageImage) -> tuple[np.ndarray, Image.Image]:
    """Where the picture is yellow, as a mask of its pixels."""
    opened = Image.open(io.BytesIO(image.png)).convert("RGB")
    pixels = np.asarray(opened).astype(int)
    return (pixels[:, :, 0] > 200) & (pixels[:, :, 2] < 200), opened


def line_of(mask: np.ndarray, opened: Image.Image, number: int) -> np.ndarray:
    """The marked pixels at the height of a line of the test's page, counted from 0."""
    scale = opened.width / 612
    base = (TOP + STEP * number) * scale
    return mask[int(base - 7 * scale) : int(base - 2 * scale)]


def test_the_quoted_words_are_marked_where_they_stand(sandbox: Sandbox, make_pdf: MakePdf, tmp_path: Path) -> None:
    """The mark lies on the words' own line, begins where they begin, and no other line has any of it."""
    path = make_pdf(tmp_path / "a.pdf", [LINES])
    image = picture(sandbox, path, "two small matrices")
    mask, opened = marked(image)
    assert image.found and image.pages == 1
    rows = np.flatnonzero(mask.any(axis=1)) / opened.width * 612
    assert TOP + STEP - 14 < rows.min() and rows.max() < TOP + STEP + 5
    columns = np.flatnonzero(line_of(mask, opened, 1).any(axis=0)) / opened.width * 612
    assert LEFT + 55 < columns.min() < LEFT + 75  # "LoRA trains " in 12 point Helvetica is 65 wide
    assert 90 < columns.max() - columns.min() < 120  # "two small matrices" is 102


def test_black_stays_black_under_the_mark(sandbox: Sandbox, make_pdf: MakePdf, tmp_path: Path) -> None:
    """Marked letters are as dark as before, so that they can be read."""
    path = make_pdf(tmp_path / "a.pdf", [LINES])
    mask, opened = marked(picture(sandbox, path, "two small matrices"))
    band = np.asarray(opened)[np.flatnonzero(mask.any(axis=1))]
    assert band[:, np.flatnonzero(mask.any(axis=0))].min() < 60


def test_a_word_that_goes_on_behind_a_hyphen_is_marked_on_both_lines(
    sandbox: Sandbox, make_pdf: MakePdf, tmp_path: Path
) -> None:
    """What the stored text joined again is found on the page, where it is still parted."""
    path = make_pdf(tmp_path / "a.pdf", [LINES])
    image = picture(
        sandbox, path, "a third of the memory of full", text="It needs a third of the memory of full fine-tuning."
    )
    mask, opened = marked(image)
    assert image.found
    assert line_of(mask, opened, 2).any() and line_of(mask, opened, 3).any() and not line_of(mask, opened, 1).any()


def test_words_of_another_page_are_not_found(sandbox: Sandbox, make_pdf: MakePdf, tmp_path: Path) -> None:
    """A page without the words comes without a mark, and says so."""
    path = make_pdf(tmp_path / "a.pdf", [LINES, ["Another page about rain in Hangzhou."]])
    image = picture(sandbox, path, "two small matrices", page=2)
    mask, _ = marked(image)
    assert not image.found and not mask.any() and image.pages == 2


def test_a_few_common_words_are_no_find(sandbox: Sandbox, make_pdf: MakePdf, tmp_path: Path) -> None:
    """A page that shares some words with the quote by chance is not marked."""
    path = make_pdf(tmp_path / "a.pdf", [["Pears are on the second line."]])
    image = picture(sandbox, path, "Quinces are on the second page.")
    assert not image.found and not marked(image)[0].any()


def test_the_same_words_twice_are_marked_where_the_text_says(
    sandbox: Sandbox, make_pdf: MakePdf, tmp_path: Path
) -> None:
    """Of two places with the words, that one is marked whose words before it are those of the stored text."""
    path = make_pdf(tmp_path / "a.pdf", [["In March it was cold.", "", "", "In June it was cold."]])
    text = "It snowed. In June it was cold."
    mask, opened = marked(picture(sandbox, path, "it was cold.", text=text))
    assert line_of(mask, opened, 3).any() and not line_of(mask, opened, 0).any()


def test_a_name_that_claims_another_format(sandbox: Sandbox, make_pdf: MakePdf, tmp_path: Path) -> None:
    """A PDF is drawn as one whatever its name says, as it is read; a text has no pages."""
    assert picture(sandbox, make_pdf(tmp_path / "a.png", [LINES]), "two small matrices").found
    (tmp_path / "b.txt").write_text("just words")
    with pytest.raises(IngestError, match="no pages"):
        picture(sandbox, tmp_path / "b.txt", "words")


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_turned_page_is_marked_where_the_words_are(
    sandbox: Sandbox, make_pdf: MakePdf, tmp_path: Path, turned: int
) -> None:
    """A page that its file turns is shown turned, and the mark turns with it."""
    writer = PdfWriter(clone_from=PdfReader(make_pdf(tmp_path / "a.pdf", [LINES])))
    writer.pages[0].rotate(turned)
    writer.write(tmp_path / "turned.pdf")
    straight, opened = marked(picture(sandbox, tmp_path / "a.pdf", "two small matrices"))
    mask, other = marked(picture(sandbox, tmp_path / "turned.pdf", "two small matrices"))
    back = np.rot90(mask, turned // 90)
    one, two = (np.argwhere(m).mean(axis=0) / m.shape for m in (straight, back))
    assert np.abs(one - two).max() < 0.01
    assert (other.width > other.height) == (turned != 180) and opened.height > opened.width


def test_a_cropped_page_is_marked_where_the_words_are(sandbox: Sandbox, make_pdf: MakePdf, tmp_path: Path) -> None:
    """Where a page shows only a part of itself, the mark lies on the words in that part."""
    writer = PdfWriter(clone_from=PdfReader(make_pdf(tmp_path / "a.pdf", [LINES])))
    writer.pages[0].cropbox = RectangleObject((60, 600, 400, 760))
    writer.write(tmp_path / "cropped.pdf")
    image = picture(sandbox, tmp_path / "cropped.pdf", "two small matrices")
    mask, opened = marked(image)
    scale = opened.width / 340
    rows = np.flatnonzero(mask.any(axis=1)) / scale
    assert image.found and 760 - 720 + STEP - 14 < rows.min() and rows.max() < 760 - 720 + STEP + 5


def test_chinese_words_of_the_samples_are_marked(sandbox: Sandbox) -> None:
    """Words of a Chinese PDF are found on its page."""
    path = ROOT / "data" / "docs" / "zh" / "长上下文.pdf"
    text = "位置插值由 Meta 的研究者提出。要把窗口从 2,048 扩到 32,768，就把位置编号都除以 16，"
    image = picture(sandbox, path, "要把窗口从 2,048 扩到 32,768", page=2, text=text)
    mask, opened = marked(image)
    rows = np.flatnonzero(mask.any(axis=1)) / opened.height
    assert image.found and image.pages == 4
    assert 0.6 < rows.min() and rows.max() < 0.7


def test_a_row_of_a_table_is_marked_cell_by_cell(sandbox: Sandbox) -> None:
    """A row that was stored with its column names is found again in the drawn table."""
    path = ROOT / "data" / "docs" / "zh" / "长上下文.pdf"
    text = "方法: YaRN; 时间: 2023年8月; 做法: 分频段处理，并调整注意力的温度; 是否需要微调: 需要，步数更少"
    image = picture(sandbox, path, text, page=2, text=text)
    mask, opened = marked(image)
    columns = np.flatnonzero(mask.any(axis=0)) / opened.width
    assert image.found and columns.min() < 0.15 and columns.max() > 0.8


def test_words_in_a_picture_are_marked(sandbox: Sandbox, tmp_path: Path) -> None:
    """In a scan the words are looked for again and marked where they were read."""
    pytest.importorskip("rapidocr")
    texts = ["合同编号二〇三一", "违约金为合同总价的百分之五", "本合同一式两份"]
    drawn(lines(texts, step=90), chinese_font(44)).save(tmp_path / "scan.png")
    image = picture(sandbox, tmp_path / "scan.png", "违约金为合同总价的百分之五", text="\n".join(texts), ocr=True)
    mask, opened = marked(image)
    rows = np.flatnonzero(mask.any(axis=1)) / opened.height
    assert image.found and 0.15 < rows.min() and rows.max() < 0.3


def test_a_page_of_any_size_makes_a_small_picture(sandbox: Sandbox, make_pdf: MakePdf, tmp_path: Path) -> None:
    """A page that claims to be as large as a city is drawn small, or refused with a sentence."""
    writer = PdfWriter(clone_from=PdfReader(make_pdf(tmp_path / "a.pdf", [LINES])))
    writer.pages[0][NameObject("/MediaBox")] = RectangleObject((0, 0, FloatObject(1e6), FloatObject(1e6)))
    writer.write(tmp_path / "huge.pdf")
    image = picture(sandbox, tmp_path / "huge.pdf", "two small matrices")
    opened = Image.open(io.BytesIO(image.png))
    assert opened.width * opened.height <= MOST_PIXELS


@pytest.mark.parametrize("content", [b"%PDF-1.7 nothing", b"", b"\x00" * 1000])
def test_a_broken_file_is_a_sentence(sandbox: Sandbox, tmp_path: Path, content: bytes) -> None:
    """What cannot be drawn says so, and the child goes on with the next."""
    path = tmp_path / "broken.pdf"
    path.write_bytes(content)
    with pytest.raises(IngestError):
        picture(sandbox, path, "anything")


def test_a_page_that_there_is_not_is_a_sentence(sandbox: Sandbox, make_pdf: MakePdf, tmp_path: Path) -> None:
    """A page number behind the end names how many there are."""
    with pytest.raises(IngestError, match="only 1"):
        picture(sandbox, make_pdf(tmp_path / "a.pdf", [LINES]), "two", page=7)


def test_a_file_that_changed_is_not_drawn(sandbox: Sandbox, make_pdf: MakePdf, tmp_path: Path) -> None:
    """Other bytes than the ones that were taken in are not shown as the source."""
    path = make_pdf(tmp_path / "a.pdf", [LINES])
    with pytest.raises(IngestError, match="changed"):
        sandbox.picture(path, PageRequest("0" * 64, 1))
