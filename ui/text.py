"""What the page says, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rag.types import Language
from ui.words import (
    Words,
    access,
    adding,
    chat,
    conversations,
    evaluation,
    first_run,
    frame,
    kbs,
    library,
    search,
    settings,
    viewer,
)

NAMES: Final[dict[Language, str]] = {"zh": "中文", "en": "English"}

# Questions about the sample documents, and the document that each needs.
EXAMPLES: Final[dict[Language, dict[str, str]]] = {
    "zh": {
        "预训练数据为什么要去重？": "zh/预训练.html",
        "什么是检索增强生成？": "zh/检索增强与智能体.md",
        "什么是少样本提示？": "zh/提示工程.md",
        "智能体如何使用工具？": "zh/检索增强与智能体.md",
    },
    "en": {
        "What are emergent abilities?": "en/emergent-abilities.txt",
        "How does LoRA cut GPU memory?": "en/parameter-efficient-tuning.html",
        "How do scaling laws relate loss to compute?": "en/scaling-laws.md",
        "What does top-p sampling do?": "en/decoding-and-inference.md",
    },
}

TABLES: Final = (
    frame.WORDS, access.WORDS, chat.WORDS, conversations.WORDS, viewer.WORDS, adding.WORDS, library.WORDS, kbs.WORDS,
    search.WORDS, evaluation.WORDS, first_run.WORDS, settings.WORDS,
)  # fmt: skip
TABLE: Final[Words] = {key: texts for table in TABLES for key, texts in table.items()}


@dataclass(frozen=True, slots=True)
class Say:
    """The page's words in one language: ``say("page", page=3)``."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key with its values filled in; KeyError for a key or value that isn't there."""
        return TABLE[key][self.language].format(**values)

    def state(self, state: str) -> str:
        """What a file's state is called, e.g. "set aside"."""
        return self("state_" + state.replace(" ", "_"))


def language_of(locale: str | None) -> Language:
    """The page's language for a browser's locale: Chinese for any Chinese one, else English."""
    return "zh" if (locale or "").lower().startswith("zh") else "en"
