"""The words of the library page and of one document, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "documents_title": {"zh": "已有文档（{count}）", "en": "In the library ({count})"},
    "find_document": {"zh": "按名称或标题查找", "en": "Find by name or title"},
    "no_match": {"zh": "没有符合条件的文档。", "en": "No document fits."},
    "sort": {"zh": "排序", "en": "Sort"},
    "by_name": {"zh": "按名称", "en": "By name"},
    "by_date": {"zh": "最近修改", "en": "Latest change"},
    "by_size": {"zh": "篇幅最长", "en": "Longest"},
    "narrow": {"zh": "筛选", "en": "Filter"},
    "pages": {"zh": "{count} 页", "en": "{count} pages"},
    "chunks": {"zh": "{count} 个片段", "en": "{count} passages"},
    "ocr_pages": {"zh": "含识别的页面", "en": "pages read by OCR"},
    "weak_pages": {"zh": "有页面文字质量较差", "en": "pages of poor text"},
    "choose": {"zh": "选中 {name}", "en": "Choose {name}"},
    "chosen": {"zh": "已选 {count} 份", "en": "{count} chosen"},
    "choose_none": {"zh": "取消选择", "en": "Choose none"},
    "tag": {"zh": "加标签", "en": "Tag"},
    "tag_name": {"zh": "标签", "en": "Tag"},
    "tag_add": {"zh": "添加", "en": "Add tag"},
    "read_again": {"zh": "重新读取", "en": "Read again"},
    "delete_document": {"zh": "删除文档", "en": "Delete document"},
    "delete_document_sure": {
        "zh": "删除“{name}”？用它写成的回答会一并删除。文件夹中的原文件不会被删除。",
        "en": "Delete “{name}”? Answers that were made from it go with it. A file in one of your own folders stays there.",
    },
    "delete_documents": {"zh": "删除 {count} 份文档", "en": "Delete {count} documents"},
    "delete_documents_sure": {
        "zh": "删除 {names}？用它们写成的回答会一并删除。文件夹中的原文件不会被删除。",
        "en": "Delete {names}? Answers that were made from them go with them. Files in your own folders stay there.",
    },
    "deleted": {
        "zh": "已删除：{names}。查遍了存储中的 {files} 个文件，没有留下任何内容。",
        "en": "Deleted: {names}. Looked through the {files} files of the store: nothing of it is left.",
    },
    "deleted_left": {
        "zh": "已删除：{names}。这些文件中还有它的文字：{files}。不再需要时请删除它们（报告在“评测”页上删除）。",
        "en": "Deleted: {names}. Words of it are still in {files}. Delete these when you no longer need them (reports: on "
        "the Evaluation page).",
    },
    "left_out": {"zh": "未收录的文件（{count}）", "en": "Files left out ({count})"},
    "excluded": {"zh": "已删除、原文件还在的文档（{count}）", "en": "Deleted, with files still there ({count})"},
    "excluded_about": {
        "zh": "这些文档不会被重新收录，除非文件有改动，或在这里收回。",
        "en": "These stay out until their files change, or you take them in again here.",
    },
    "include": {"zh": "重新收录", "en": "Take in again"},
    # One document
    "back_to_list": {"zh": "返回列表", "en": "Back to the list"},
    "document_gone": {"zh": "这份文档已不在知识库中。", "en": "This document is no longer in the knowledge base."},
    "changed": {"zh": "修改于 {when}", "en": "changed {when}"},
    "ocr_count": {"zh": "{count} 页由识别得到", "en": "{count} pages read by OCR"},
    "poor_count": {"zh": "{count} 页文字质量较差", "en": "{count} pages of poor text"},
    "download_original": {"zh": "下载原文件", "en": "Download the original"},
    "tags": {"zh": "标签", "en": "Tags"},
    "tags_hint": {"zh": "选择或输入标签", "en": "Choose or type tags"},
    "passages_tab": {"zh": "片段", "en": "Passages"},
    "pages_tab": {"zh": "页面", "en": "Pages"},
    "inside_tab": {"zh": "文内查找", "en": "Search inside"},
    "whole_document": {"zh": "全文", "en": "Whole text"},
    "kind_of_text": {"zh": "文字", "en": "text"},
    "kind_of_table": {"zh": "表格", "en": "table"},
    "kind_of_ocr": {"zh": "识别", "en": "OCR"},
    "quality": {"zh": "文字质量 {share}", "en": "text quality {share}"},
    "find_inside": {"zh": "在这份文档中查找", "en": "Find in this document"},
    "hits": {"zh": "{count} 处", "en": "{count} places"},
    "no_hit": {"zh": "没有找到“{words}”。", "en": "“{words}” is not in it."},
    "more_hits": {"zh": "另有 {count} 处", "en": "{count} more places"},
}
