"""``python -m bench.screens FOLDER``: pictures of every page, in both languages, both themes and two widths.

On a home of its own with the sample documents, with questions asked and a set measured with the built-in models.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.ui.served import ANSWER, NARROW, WIDE, Reader, chromium, ingest, served

QUESTIONS = {
    "zh-CN": "位置插值要把窗口从多少扩到多少？",
    "en-US": "How many GPU hours does GPTQ take for a model with 175 billion parameters?",
}
REFUSED = {"zh-CN": "谁赢得了2022年世界杯？", "en-US": "Who won the 2022 World Cup?"}
DOCUMENTS = {"zh-CN": "zh/长上下文.pdf", "en-US": "en/quantisation-and-small-devices.pdf"}
SEARCHED = {"zh-CN": "LoRA 为什么节省显存", "en-US": "Why does LoRA save memory"}
TABS = 6  # of the settings
Prepare = Callable[[Page], None]


def main() -> None:
    """Write PNG files named page-language-theme-width.png."""
    parser = argparse.ArgumentParser(prog="python -m bench.screens", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        home = Path(scratch)
        with served(home) as address:
            for locale in QUESTIONS:
                _shoot(browser, address, folder, locale, "", "empty")
        ingest(home, "data/docs")
        with served(home) as address:
            _measure(browser, address)
            for locale in QUESTIONS:
                asked = _ask(browser, address, locale)
                _shoot(browser, address, folder, locale, "", "chat", _open_footnote, c=asked)
                _shoot(browser, address, folder, locale, "", "refusal", _scroll_down, c=asked)
                _shoot(browser, address, folder, locale, "", "welcome")
                _shoot(browser, address, folder, locale, "library", "library")
                _shoot(browser, address, folder, locale, "library", "document", d=DOCUMENTS[locale])
                _shoot(browser, address, folder, locale, "search", "search", _search(SEARCHED[locale]))
                _shoot(browser, address, folder, locale, "evaluation", "evaluation", _plots)
                for tab in range(TABS):
                    _shoot(browser, address, folder, locale, "settings", f"settings-{tab}", _tab(tab))


def _ask(browser: Browser, address: str, locale: str) -> str:
    """Ask a question that is answered and one that is refused; the conversation's number in the address."""
    reader = Reader(browser, address, locale=locale)
    reader.ask(QUESTIONS[locale])
    reader.ask(REFUSED[locale])
    number = reader.page.url.split("c=")[1].split("&")[0]
    reader.leave()
    return number


def _measure(browser: Browser, address: str) -> None:
    """Measure the samples' own questions, so that there is a report."""
    reader = Reader(browser, address, "evaluation")
    reader.page.get_by_role("button", name="Run", exact=True).click()
    expect(reader.page.get_by_role("heading", name="Reports")).to_be_visible(timeout=ANSWER)
    reader.leave()


def _open_footnote(page: Page) -> None:
    page.locator("[class*='st-key-notes-'] button").first.click()
    expect(page.locator("[class*='st-key-source-']").first).to_be_visible()


def _scroll_down(page: Page) -> None:
    page.locator("[class*='st-key-checked-']").last.scroll_into_view_if_needed()


def _search(words: str) -> Prepare:
    def search(page: Page) -> None:
        page.get_by_role("main").get_by_role("textbox").first.fill(words)
        page.keyboard.press("Enter")
        expect(page.locator("[class*='st-key-found-1']").first).to_be_visible(timeout=60_000)

    return search


def _plots(page: Page) -> None:
    page.get_by_role("tab", name=re.compile("Plots|图表")).click()
    page.get_by_role("tab", name=re.compile("Plots|图表")).scroll_into_view_if_needed()


def _tab(number: int) -> Prepare:
    return lambda page: page.get_by_role("tab").nth(number).click()


def _shoot(
    browser: Browser, address: str, folder: Path, locale: str, page: str, name: str, prepare: Prepare | None = None,
    **query: str,
) -> None:  # fmt: skip
    for theme in ("light", "dark"):
        for size in (WIDE, NARROW):
            reader = Reader(browser, address, page, locale=locale, color_scheme=theme, viewport=size)
            if query:
                reader.go(page, **query)
            if prepare:
                prepare(reader.page)
                reader.settle()
            reader.page.wait_for_timeout(900)  # pictures, charts and fonts
            reader.page.screenshot(path=folder / f"{name}-{locale[:2]}-{theme}-{size['width']}.png")
            reader.leave()


if __name__ == "__main__":
    main()
