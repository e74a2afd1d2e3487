"""The styles of prompt: their texts in both languages, out of prompts.toml and a file of the user's own over it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rag.answer_form import FORMATS
from rag.errors import SettingsError
from rag.settings import PromptSettings
from rag.types import Language

BUILTIN = Path(__file__).parent / "prompts.toml"
_LANGUAGES: tuple[Language, ...] = ("zh", "en")
_TEXTS = ("order", "format_order", "data", "passages", "question", "answer")
_EXAMPLE = ("passages", "question", "answer")


@dataclass(frozen=True, slots=True)
class Example:
    """A question that was answered as the model is to answer; its passages are numbered from 1."""

    passages: tuple[str, ...]
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Texts:
    """A style in one language; ``format_order`` stands for ``order`` where the question asks for a format.

    ``data`` says that passages are no orders. ``answer`` is the mark that the answer stands behind; empty where all of the
    draft is the answer.
    """

    order: str
    format_order: str
    data: str
    passages: str
    question: str
    answer: str = ""
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Style:
    """A style's texts by language and the sentences for a format by name; ``version`` is that of the files they are from."""

    name: str
    version: str
    texts: Mapping[Language, Texts]
    formats: Mapping[str, Mapping[Language, str]]

    def order(self, language: Language, wanted: str = "") -> str:
        """What the model is told to do, with the format that is ``wanted``, one of ``FORMATS`` or none."""
        texts = self.texts[language]
        if not wanted:
            return texts.order
        between = " " if language == "en" else ""
        return texts.format_order + between + self.formats[wanted][language]

    def system(self, language: Language, wanted: str = "") -> str:
        """The system message: the order, and that passages are data."""
        return self.order(language, wanted) + (" " if language == "en" else "") + self.texts[language].data

    def parted(self, draft: str, language: Language) -> tuple[str, str]:
        """The draft's thoughts and its answer, which stands behind the last mark; without a mark all is the answer."""
        if not (word := self.texts[language].answer.rstrip(":： ")):
            return "", draft
        marks = list(re.finditer(rf"[*_#]*{re.escape(word)}[*_ ]*[:：][*_]*(?=\s*\S)", draft))
        if not marks:
            return "", draft
        return draft[: marks[-1].start()].strip(), draft[marks[-1].end() :].strip()


def load_style(settings: PromptSettings) -> Style:
    """The style that the settings name; raises SettingsError for one that there is none of or a file with a mistake."""
    own = Path(settings.file).expanduser() if settings.file else None
    book = _read(own) if own else _builtin()
    if own:
        book = _over(_builtin(), _checked(book, own), own)
    if settings.style not in book["styles"]:
        known = ", ".join(book["styles"])
        raise SettingsError(f"prompt.style is {settings.style!r}, and there is no such style. Known: {known}.")
    return Style(
        settings.style,
        book["version"],
        {language: _texts(book, settings.style, language) for language in _LANGUAGES},
        book["formats"],
    )


@cache
def style_names() -> list[str]:
    """The styles that come with the program."""
    return list(_builtin()["styles"])


def _builtin() -> dict[str, Any]:
    return tomllib.loads(BUILTIN.read_text(encoding="utf-8"))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(f"prompt.file is {str(path)!r}, and there is no such file. Name a .toml file.") from None
    except OSError as error:
        raise SettingsError(f"prompt.file {path} cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML ({error}). Mend that line.") from None


def _texts(book: Mapping[str, Any], name: str, language: Language) -> Texts:
    """A style's texts; the marks that it does not set are those of the short style."""
    own, short = book["styles"][name][language], book["styles"]["short"][language]
    examples = tuple(Example(tuple(e["passages"]), e["question"], e["answer"]) for e in own.get("examples", ()))
    return Texts(
        order=own["order"],
        format_order=own.get("format_order", own["order"]),
        data=own.get("data", short["data"]),
        passages=own.get("passages", short["passages"]),
        question=own.get("question", short["question"]),
        answer=own.get("answer", ""),
        examples=examples,
    )


def _over(below: Mapping[str, Any], own: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The built-in texts with those of the user's file in their place, key by key."""
    styles = dict(below["styles"])
    for name, languages in own.get("styles", {}).items():
        given = styles.get(name, {})
        for language in _LANGUAGES:
            if "order" not in (given.get(language, {}) | languages.get(language, {})):
                raise SettingsError(
                    f"styles.{name} in {path} has no order for {language!r}. Write [styles.{name}.{language}] and below "
                    'it order = "…".'
                )
        styles[name] = {language: _changed(given.get(language, {}), languages.get(language, {}))
                        for language in _LANGUAGES}  # fmt: skip
    formats = {name: texts | own.get("formats", {}).get(name, {}) for name, texts in below["formats"].items()}
    return {"version": f"{below['version']}+{own['version']}", "styles": styles, "formats": formats}


def _changed(given: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A style's texts with the user's over them; an order of the user's own is not left out where a format is asked for."""
    kept = {key: value for key, value in given.items() if key != "format_order" or "order" not in own}
    return kept | dict(own)


def _checked(book: dict[str, Any], path: Path) -> dict[str, Any]:
    """The user's file, every key and type of which is known; raises SettingsError."""
    _only(book, ("version", "formats", "styles"), "", path)
    if not isinstance(book.get("version"), str):
        raise SettingsError(f'{path} has no version that is text. Write version = "1" as its first line.')
    for name, texts in _table(book, "formats", "", path).items():
        if name not in FORMATS:
            raise SettingsError(f"formats.{name} in {path} is no format. Known: {', '.join(FORMATS)}.")
        _only(_table(book["formats"], name, "formats.", path), _LANGUAGES, f"formats.{name}.", path)
        for language in texts:
            _text(texts, language, f"formats.{name}.", path)
    for name in _table(book, "styles", "", path):
        languages = _table(book["styles"], name, "styles.", path)
        _only(languages, _LANGUAGES, f"styles.{name}.", path)
        for language in languages:
            _check_texts(_table(languages, language, f"styles.{name}.", path), f"styles.{name}.{language}.", path)
    return book


def _check_texts(texts: Mapping[str, Any], where: str, path: Path) -> None:
    _only(texts, (*_TEXTS, "examples"), where, path)
    for key in texts.keys() & set(_TEXTS):
        _text(texts, key, where, path)
    examples = texts.get("examples", [])
    if not isinstance(examples, list) or not all(isinstance(example, dict) for example in examples):
        raise SettingsError(f"{where}examples in {path} must be tables. Write [[{where}examples]] above each of them.")
    for number, example in enumerate(examples, 1):
        place = f"{where}examples[{number}]."
        _only(example, _EXAMPLE, place, path)
        shown = example.get("passages")
        if not isinstance(shown, list) or not shown or not all(isinstance(text, str) for text in shown):
            raise SettingsError(f'{place}passages in {path} must be a list of texts. Write passages = ["…", "…"].')
        for key in ("question", "answer"):
            _text(example, key, place, path)


def _table(book: Mapping[str, Any], key: str, where: str, path: Path) -> dict[str, Any]:
    value = book.get(key, {})
    if isinstance(value, dict):
        return value
    raise SettingsError(
        f"{where}{key} in {path} must be a table, not {value!r:.60}. Write [{where}{key}] above its keys."
    )


def _only(table: Mapping[str, Any], known: tuple[str, ...], where: str, path: Path) -> None:
    for key in table.keys() - set(known):
        raise SettingsError(f"{where}{key} in {path} is not known. Known there: {', '.join(known)}.")


def _text(table: Mapping[str, Any], key: str, where: str, path: Path) -> None:
    value = table.get(key)
    if not isinstance(value, str) or (not value.strip() and key != "answer"):
        shown = "missing" if key not in table else f"{value!r:.60}"
        raise SettingsError(f'{where}{key} in {path} must be text and is {shown}. Write {key} = "…".')
