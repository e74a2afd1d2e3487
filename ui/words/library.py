"""The words of the library page, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "find_document": {"zh": "按名称查找", "en": "Find by name"},
    "no_match": {"zh": "没有名称包含“{words}”的文档。", "en": "No document's name holds “{words}”."},
    "documents_title": {"zh": "已有文档（{count}）", "en": "In the library ({count})"},
    "pages": {"zh": "{count} 页", "en": "{count} pages"},
    "chunks": {"zh": "{count} 个片段", "en": "{count} passages"},
    "show_chunks": {"zh": "查看片段", "en": "Show passages"},
    "delete_document": {"zh": "删除文档", "en": "Delete document"},
    "delete_document_sure": {
        "zh": "删除“{name}”？它将不再出现在回答中。文件夹中的原文件不会被删除。",
        "en": "Delete “{name}”? Answers will no longer use it. A file in one of your own folders stays there.",
    },
    "deleted": {"zh": "已删除：{names}", "en": "Deleted: {names}"},
    "left_out": {"zh": "未收录的文件（{count}）", "en": "Files left out ({count})"},
}
