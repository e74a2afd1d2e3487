"""The words of the library page, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "library_intro": {
        "zh": "把文件拖到这里即可加入。文件只保存在本机。",
        "en": "Drop files here to add them. They are kept on this machine only.",
    },
    "adding": {"zh": "正在加入文档", "en": "Adding documents"},
    "adding_file": {"zh": "{done} / {total} · {file}", "en": "{done} of {total} · {file}"},
    "added": {"zh": "处理结果", "en": "What became of them"},
    "dismiss": {"zh": "知道了", "en": "Dismiss"},
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
    "empty_library": {"zh": "还没有文档", "en": "Nothing here yet"},
    "empty_library_hint": {
        "zh": "加入一些文档，就可以开始提问了。也可以先用随附的示例文档试试。",
        "en": "Add some documents and start asking. Or try it with the sample documents that come with it.",
    },
    "add_samples": {"zh": "加入示例文档", "en": "Add the sample documents"},
    "left_out": {"zh": "未收录的文件（{count}）", "en": "Files left out ({count})"},
    "state_indexed": {"zh": "已收录", "en": "indexed"},
    "state_unchanged": {"zh": "未改动", "en": "unchanged"},
    "state_removed": {"zh": "已移除", "en": "removed"},
    "state_empty": {"zh": "没有文字", "en": "empty"},
    "state_set_aside": {"zh": "未收录", "en": "set aside"},
}
