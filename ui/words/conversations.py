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
}
