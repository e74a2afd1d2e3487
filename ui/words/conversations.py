"""The words of the list of conversations, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "conversations": {"zh": "对话", "en": "Conversations"},
    "new_conversation": {"zh": "新对话", "en": "New conversation"},
    "rename": {"zh": "重命名", "en": "Rename"},
    "title": {"zh": "标题", "en": "Title"},
    "save": {"zh": "保存", "en": "Save"},
    "delete_conversation": {"zh": "删除对话", "en": "Delete conversation"},
    "delete_conversation_sure": {
        "zh": "删除“{title}”？删除后无法恢复。",
        "en": "Delete “{title}”? This can't be undone.",
    },
    "conversation_gone": {"zh": "这个对话已不存在。", "en": "That conversation no longer exists."},
    "about_conversation": {"zh": "管理这个对话", "en": "Manage this conversation"},
    "export": {"zh": "导出为 Markdown", "en": "Export to Markdown"},
    "search_conversations": {"zh": "搜索对话", "en": "Search conversations"},
    "no_conversation": {"zh": "没有找到对话。", "en": "No conversation found."},
    "more_conversations": {
        "zh": "另有 {count} 个较早的对话，可搜索查找",
        "en": "{count} older ones: search to find them",
    },
}
