"""The words of the settings page, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "answering_model": {"zh": "回答所用的模型", "en": "The model that answers"},
    "embedding_model": {"zh": "查找所用的模型", "en": "The model that finds passages"},
    "privacy": {"zh": "内容去向", "en": "Where text goes"},
    "privacy_local": {
        "zh": "问题和文档只在本机处理，不会发送到任何地方。",
        "en": "Questions and documents are processed on this machine and are sent nowhere.",
    },
    "privacy_remote": {
        "zh": "提问时，问题和找到的片段会发送到 {address}。查找在本机进行。",
        "en": "When you ask, the question and the passages found are sent to {address}. Searching stays here.",
    },
    "home": {"zh": "数据所在的文件夹", "en": "Where the data lies"},
    "knowledge_base": {"zh": "知识库", "en": "Knowledge base"},
    "change_settings": {
        "zh": "要更改设置，请编辑 {file}，然后重新启动本应用。",
        "en": "To change a setting, edit {file} and start this app again.",
    },
}
