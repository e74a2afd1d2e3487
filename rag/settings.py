"""Settings: defaults < footnote.toml < FOOTNOTE_* environment < flags; an unknown key is an error."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import inf
from pathlib import Path
from typing import Any

from rag.errors import SettingsError
from rag.whole_file import write_whole

CONFIG_NAME = "footnote.toml"
_OUTSIDE = {"FOOTNOTE_HOME", "FOOTNOTE_KB", "FOOTNOTE_CACHE"}  # where things lie, not how they work


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """Which embedder: ``model`` is ``builtin:NAME``, a folder or a Hugging Face name, with ``base_url`` one known there."""

    model: str = "builtin:multilingual-e5-small"
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    timeout: float = 60.0
    query_prefix: str = "query: "
    passage_prefix: str = "passage: "

    @property
    def remote(self) -> bool:
        """Whether texts leave this machine's own process for an address."""
        return bool(self.base_url)


@dataclass(frozen=True, slots=True)
class LLMSettings:
    """Which language model: ``model`` is ``builtin:NAME``, a .gguf file, a folder or a Hugging Face name.

    With ``base_url`` it is a name known at that OpenAI-compatible address. A ``temperature`` of 0 decodes greedily;
    ``top_k`` 0, ``top_p`` 1 and ``repetition_penalty`` 1 are off. ``timeout`` is what an address may take for a whole
    answer, in seconds; a model in this process always gets on, and may take its time.
    """

    model: str = "builtin:qwen2.5-1.5b"
    engine: str = "auto"
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    context: int = 4096
    max_tokens: int = 320
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0
    thinking: str = "auto"
    timeout: float = 120.0

    @property
    def remote(self) -> bool:
        """Whether questions and passages leave this machine's own process for an address."""
        return bool(self.base_url)


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How passages are found: ``k`` go to the prompt, ``lexical_weight`` is λ of `rag/fusion.py`.

    ``reranker`` is a CrossEncoder's folder or Hugging Face name, or empty; it may take ``rerank_seconds`` a search.
    """

    k: int = 4
    candidates: int = 100
    lexical_weight: float = 0.8
    reranker: str = ""
    rerank_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class GroundingSettings:
    """Second opinions on claims, none by default: ``nli`` is an NLI CrossEncoder's folder or Hugging Face name.

    With ``second_look`` the language model is asked about each claim that the rules support.
    """

    nli: str = ""
    second_look: bool = False


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How files become chunks; sizes in characters, a Chinese character counting ``english_size / chinese_size``.

    A page or record may take ``parse_seconds``, a file ``file_seconds``; ``encoding`` is that of text files whose own
    cannot be told. Web pages are fetched only with ``allow_urls``.
    """

    chinese_size: int = 350
    english_size: int = 1000
    max_file_mb: int = 200
    parse_seconds: float = 90.0
    file_seconds: float = 3600.0
    encoding: str = ""
    allow_urls: bool = False


@dataclass(frozen=True, slots=True)
class PromptSettings:
    """How the model is asked: ``style`` names one in `rag/prompts.toml` or in ``file``, a TOML file of the user's own."""

    style: str = "short"
    file: str = ""


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """When to answer: where the probability that the documents hold the answer is ``strictness`` (0 to 1) or more.

    ``calibration`` is a file that ``python -m evaluation calibrate`` wrote for that probability; empty for the built-in one.
    """

    strictness: float = 0.6
    calibration: str = ""


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """How many answers' records are kept for `python -m rag replay`, the latest; 0 keeps none."""

    keep: int = 1000


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Who has to sign in: ``auto`` is nobody on this machine's own address and everybody on others, ``always`` everybody.

    A server that others reach through a proxy on the same machine needs ``always``.
    """

    sign_in: str = "auto"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What HOME/logs may hold: with ``text`` also questions, names of documents and the words of error messages."""

    text: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, always passed and never global."""

    home: Path
    kb: str = "default"
    embedding: EmbeddingSettings = field(default_factory=EmbeddingSettings)
    llm: LLMSettings = field(default_factory=LLMSettings)
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
    ingest: IngestSettings = field(default_factory=IngestSettings)
    prompt: PromptSettings = field(default_factory=PromptSettings)
    answers: AnswerSettings = field(default_factory=AnswerSettings)
    trace: TraceSettings = field(default_factory=TraceSettings)
    grounding: GroundingSettings = field(default_factory=GroundingSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    judge: LLMSettings = field(default_factory=lambda: LLMSettings(model=""))
    log: LogSettings = field(default_factory=LogSettings)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The keys in it, which no log, page or report shows."""
        return tuple(key for key in (self.embedding.api_key, self.llm.api_key, self.judge.api_key) if key)

    @property
    def judging(self) -> LLMSettings:
        """Which language model judges answers in an evaluation: the one that answers, where no other is set."""
        return self.judge if self.judge.model else self.llm


# Below these a setting makes no sense, or the program no progress.
_LEAST = {
    "embedding.timeout": 1,
    "llm.context": 512,
    "llm.max_tokens": 16,
    "llm.repetition_penalty": 0.1,
    "llm.timeout": 1,
    "retrieval.k": 1,
    "retrieval.candidates": 10,
    "ingest.chinese_size": 50,
    "ingest.english_size": 100,
    "ingest.max_file_mb": 1,
    "ingest.parse_seconds": 1,
    "ingest.file_seconds": 1,
}
_MOST = {"answers.strictness": 1.0, "llm.top_p": 1.0, "llm.seed": 2**32 - 1}
_CHOICES = {
    "access.sign_in": ("auto", "always"),
    "llm.engine": ("auto", "openvino", "llama.cpp", "transformers"),
    "llm.thinking": ("auto", "on", "off"),
}
_SECTIONS = (
    "embedding", "llm", "retrieval", "ingest", "prompt", "answers", "grounding", "trace", "access", "judge", "log",
)  # fmt: skip


def home(flag: str | Path | None = None) -> Path:
    """The folder that holds the store and footnote.toml: the flag, else $FOOTNOTE_HOME, else ``data``."""
    return Path(flag or os.environ.get("FOOTNOTE_HOME") or "data").expanduser()


def cache() -> Path:
    """The per-user folder of model weights: $FOOTNOTE_CACHE, else the system's usual place."""
    if chosen := os.environ.get("FOOTNOTE_CACHE"):
        return Path(chosen).expanduser()
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "footnote"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "footnote"


def load_settings(
    home_flag: str | Path | None = None,
    kb: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings of a home folder, from its footnote.toml and the environment; raises SettingsError."""
    environment = os.environ if environment is None else environment
    settings = Settings(home=home(home_flag), kb=kb_name(kb or environment.get("FOOTNOTE_KB") or "default"))
    return _combined(settings, _read_toml(settings.home / CONFIG_NAME), environment)


def save_settings(
    home: Path, changes: Mapping[str, str | int | float | bool | None], environment: Mapping[str, str] | None = None
) -> None:
    """Write these settings (``section.key``) into a home's footnote.toml, whole or not at all; None takes one out.

    Whatever else stands there stays, comments too. Nobody else may read a file with a key in it. Raises SettingsError,
    and writes nothing, where the settings would not make sense together.
    """
    import tomlkit

    path = home / CONFIG_NAME
    _read_toml(path)  # what is wrong with it is said in one way
    document = tomlkit.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    for name, value in changes.items():
        section, _, key = name.partition(".")
        table = document.setdefault(section, tomlkit.table())
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
    text = tomlkit.dumps(document)
    _combined(Settings(home), tomllib.loads(text), os.environ if environment is None else environment)
    _write(path, text)


def _write(path: Path, text: str) -> None:
    secret = "api_key" in text
    mode = 0o600 if secret else stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
    try:
        write_whole(path, text, mode)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error.strerror}). Nothing was changed.") from None


def _combined(settings: Settings, file: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    settings = _with(settings, file, source=CONFIG_NAME)
    settings = _with(settings, _read_environment(environment), source="the environment")
    if settings.llm.max_tokens >= settings.llm.context:
        raise SettingsError(
            f"llm.max_tokens ({settings.llm.max_tokens}) leaves no room for a prompt in llm.context "
            f"({settings.llm.context}). Set one of them otherwise."
        )
    return settings


def overrides(environment: Mapping[str, str]) -> set[str]:
    """The settings that the environment decides, as ``section.key``."""
    return {f"{section}.{key}" for section, values in _read_environment(environment).items() for key in values}


def kb_name(name: str) -> str:
    """The name as it is; raises SettingsError where a knowledge base cannot be called so."""
    if not name or len(name) > 100 or any(c in name for c in "/\\\0\n") or name.startswith("."):
        raise SettingsError(f"{name!r} is no name for a knowledge base: use up to 100 letters, digits, spaces, - or _.")
    return name


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML ({error}). Mend that line or move the file away.") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}).") from None


def _read_environment(environment: Mapping[str, str]) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = {}
    for name, value in environment.items():
        if not name.startswith("FOOTNOTE_") or name in _OUTSIDE or value == "":
            continue
        section, _, key = name.removeprefix("FOOTNOTE_").lower().partition("_")
        if section not in _SECTIONS or not key:
            raise SettingsError(f"{name} is not a setting. Known: FOOTNOTE_<{'|'.join(_SECTIONS).upper()}>_<KEY>.")
        values.setdefault(section, {})[key] = value
    return values


def _with(settings: Settings, values: Mapping[str, Any], source: str) -> Settings:
    for section, entries in values.items():
        if section not in _SECTIONS or not isinstance(entries, Mapping):
            raise SettingsError(f"{section!r} in {source} is not a section. Known: {', '.join(_SECTIONS)}.")
        current = getattr(settings, section)
        known = {f.name for f in fields(current)}
        for key in entries.keys() - known:
            raise SettingsError(
                f"{section}.{key} in {source} is not a setting. Known there: {', '.join(sorted(known))}."
            )
        changed = {k: _convert(f"{section}.{k}", v, getattr(current, k), source) for k, v in entries.items()}
        settings = replace(settings, **{section: replace(current, **changed)})
    return settings


def _convert(name: str, value: Any, default: Any, source: str) -> Any:
    rule = f"llm.{name.removeprefix('judge.')}" if name.startswith("judge.") else name  # both are language models
    wanted, least, most = type(default), _LEAST.get(rule, 0), _MOST.get(rule, inf)
    if wanted is bool:
        if str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        raise SettingsError(f"{name} in {source} must be true or false, not {value!r}.")
    try:
        if wanted is str and isinstance(value, str):
            return _chosen(name, value, source)
        if wanted in (int, float) and isinstance(value, (int, float, str)) and not isinstance(value, bool):
            number = wanted(value)
            if not least <= number <= most or number == inf or (isinstance(value, float) and number != value):
                raise ValueError
            return number
    except (ValueError, OverflowError):
        pass
    # The value of a key is a secret; it never goes into a message.
    shown = "that value" if name.endswith("api_key") else repr(value)
    raise SettingsError(
        f"{name} in {source} must be a {wanted.__name__} of {least} {'or more' if most == inf else f'to {most}'}, not {shown}."
        if wanted is not str
        else f"{name} in {source} must be text, not {shown}."
    )


def check_encoding(name: str, source: str) -> str:
    """The name of an encoding of text, as it is; raises SettingsError where Python knows none of that name."""
    try:
        "a".encode(name)
    except (LookupError, ValueError):
        raise SettingsError(
            f"{name!r} in {source} is no encoding. Name one such as gb18030, big5, shift_jis, euc-kr, cp1252 or utf-16."
        ) from None
    return name


def _chosen(name: str, value: str, source: str) -> str:
    if name == "ingest.encoding" and value:
        return check_encoding(value, source)
    choices = _CHOICES.get(name.replace("judge.", "llm."))
    if choices and value not in choices:
        raise SettingsError(f"{name} in {source} must be one of {', '.join(choices)}, not {value!r}.")
    return value
