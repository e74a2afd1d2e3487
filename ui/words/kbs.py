"""The words of knowledge bases, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "knowledge_base": {"zh": "知识库", "en": "Knowledge base"},
    "kb_manage": {"zh": "管理知识库", "en": "Manage knowledge bases"},
    "kb_new": {"zh": "新建知识库", "en": "New knowledge base"},
    "kb_rename": {"zh": "重命名知识库", "en": "Rename knowledge base"},
    "kb_delete": {"zh": "删除知识库", "en": "Delete knowledge base"},
    "kb_name": {"zh": "名称", "en": "Name"},
    "kb_create": {"zh": "创建", "en": "Create"},
    "kb_delete_sure": {
        "zh": "删除知识库 {name} 及其 {count} 份文档、上传的文件、问题集和报告？删除后无法恢复。你自己文件夹中的文件会保留。",
        "en": "Delete {name} with its {count} documents, uploads, question sets and reports? This can't be undone. "
        "Files in your own folders stay.",
    },
    "kb_type_name": {"zh": "请输入知识库的名称以确认", "en": "Type its name to confirm"},
}
