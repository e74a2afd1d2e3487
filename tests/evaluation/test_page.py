"""The report as a page in a real browser, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from evaluation import report
from evaluation.compare import compare
from evaluation.page import as_html
from rag.settings import Settings
from rag.types import Language
from tests.evaluation.test_runner import QUESTIONS, records
from tests.ui.served import NARROW, chromium, violations


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def made(payload: str) -> dict[str, object]:
    """A report with a comparison and every plot, whose question, document and answer hold a payload."""
    asked = [replace(question, question=question.question) for question in QUESTIONS]
    found = records(answers=True, questions=asked)
    evil = [replace(r, question=replace(r.question, question=f"{r.question.question} {payload}")) for r in found]
    evil = [replace(r, said=r.said and replace(r.said, text=payload), found=(payload,)) for r in evil]
    return report.as_json(report.evaluation(evil, Settings(Path()))) | {"set": payload}


@pytest.mark.parametrize(("language", "words"), [("zh", "评测报告"), ("en", "Evaluation report")])
def test_the_page_shows_all_and_loads_nothing(browser: Browser, tmp_path: Path, language: Language, words: str) -> None:
    """Four plots, text as text whatever it holds, nothing fetched or run, readable on a phone and for a screen reader."""
    payload = "<img src=http://203.0.113.9/x onerror=alert(1)><script>document.title='run'</script>"
    found = made(payload)
    path = tmp_path / "report.html"
    path.write_text(as_html(found, language, compare(found, found)), encoding="utf-8")
    page = browser.new_page(viewport=NARROW)  # type: ignore[arg-type]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    assert asked == [path.as_uri()] and page.title() == words
    assert page.locator("figure svg").count() == 4
    assert payload in page.locator("article").first.inner_text()
    assert page.locator("img, script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert violations(page) == []
    page.close()
