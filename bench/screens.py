"""``python -m bench.screens FOLDER``: pictures of every page, in both languages, both themes and two widths.

On a home of its own with the sample documents and a question asked with the built-in models.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.ui.served import NARROW, WIDE, Reader, chromium, ingest, served

QUESTIONS = {"zh-CN": "LoRA 为什么能节省显存？", "en-US": "How does LoRA cut GPU memory?"}
REFUSED = {"zh-CN": "谁赢得了2022年世界杯？", "en-US": "Who won the 2022 World Cup?"}
PAGES = ("library", "search", "evaluation", "settings")


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
            for locale in QUESTIONS:
                asked = _ask(browser, address, locale)
                for page in ("", *PAGES):
                    _shoot(browser, address, folder, locale, page, page or "welcome")
                _shoot(browser, address, folder, locale, "", "chat", c=asked)


def _ask(browser: Browser, address: str, locale: str) -> str:
    """Ask a question that is answered and one that is refused; the conversation's number in the address."""
    reader = Reader(browser, address, locale=locale)
    reader.ask(QUESTIONS[locale])
    reader.ask(REFUSED[locale])
    number = reader.page.url.split("c=")[1].split("&")[0]
    reader.leave()
    return number


def _shoot(browser: Browser, address: str, folder: Path, locale: str, page: str, name: str, **query: str) -> None:
    for theme in ("light", "dark"):
        for size in (WIDE, NARROW):
            reader = Reader(browser, address, page, locale=locale, color_scheme=theme, viewport=size)
            if query:
                reader.go(page, **query)
                reader.page.locator("[class*='st-key-notes-'] button").first.click()
                reader.settle()
            reader.page.wait_for_timeout(700)  # pictures and fonts
            reader.page.screenshot(path=folder / f"{name}-{locale[:2]}-{theme}-{size['width']}.png")
            reader.leave()


if __name__ == "__main__":
    main()
