"""The words of the chat page, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "ask_placeholder": {"zh": "就你的文档提一个问题", "en": "Ask a question about your documents"},
    "collection": {
        "zh": "{documents} 份文档 · {chunks} 个片段",
        "en": "{documents} documents · {chunks} passages",
    },
    "examples": {"zh": "可以这样问", "en": "Try one of these"},
    "loading": {"zh": "正在载入模型……", "en": "Loading the models…"},
    "searching": {"zh": "正在查找相关片段……", "en": "Looking for passages…"},
    "reading": {"zh": "正在阅读 {count} 个片段……", "en": "Reading {count} passages…"},
    "writing": {"zh": "正在回答……", "en": "Writing…"},
    "checking": {"zh": "正在核对出处……", "en": "Checking the sources…"},
    "stop": {"zh": "停止", "en": "Stop"},
    "stopping": {"zh": "正在停止……", "en": "Stopping…"},
    "stopped": {"zh": "已中断，出处未经核对", "en": "Cut short: its sources were not checked"},
    "thoughts": {"zh": "模型的思考（未经核对）", "en": "What the model thought (unchecked)"},
    "answer_gone": {
        "zh": "这个回答引用的文档已被删除或不再共享给你，因此不再显示。",
        "en": "This answer was made from a document that has been deleted since, or is no longer shared with you.",
    },
    "stopped_empty": {"zh": "在写出第一个字之前已停止。", "en": "Stopped before the first word."},
    "unanswered": {"zh": "这个问题还没有回答。", "en": "This question has no answer yet."},
    "ask_again": {"zh": "重新提问", "en": "Ask again"},
    "footnotes": {"zh": "脚注", "en": "Footnotes"},
    "page": {"zh": "第 {page} 页", "en": "p. {page}"},
    "also_in": {"zh": "另见 {names}", "en": "Also in {names}"},
    "unsupported": {"zh": "文档中没有依据", "en": "Not supported by the documents"},
    "nearest": {"zh": "最接近的片段", "en": "The nearest passages"},
    "looked_at": {"zh": "查阅过的片段（{count}）", "en": "Passages looked at ({count})"},
    "score": {"zh": "得分 {score}", "en": "score {score}"},
    "by_meaning": {"zh": "语义第 {rank}", "en": "meaning #{rank}"},
    "by_words": {"zh": "词语第 {rank}", "en": "words #{rank}"},
    "took": {"zh": "用时 {seconds} 秒", "en": "{seconds} s"},
    "first_word": {"zh": "首字 {seconds} 秒", "en": "first word after {seconds} s"},
    "show_in_document": {"zh": "在原文中查看", "en": "Show in the document"},
    "cut": {
        "zh": "原文较长，这里显示引文前后的部分。",
        "en": "A long document: this is the part around the quoted words.",
    },
    "quoted_passage": {"zh": "引用的片段", "en": "Quoted passage"},
    "waiting": {"zh": "前面还有 {ahead} 个回答……", "en": "Answers before this one: {ahead}…"},
    "show_earlier": {"zh": "显示更早的 {count} 条消息", "en": "Show {count} earlier messages"},
    "edit": {"zh": "修改", "en": "Edit"},
    "edit_question": {"zh": "修改问题", "en": "Edit the question"},
    "ask_edited": {"zh": "重新提问", "en": "Ask this"},
    "cancel": {"zh": "取消", "en": "Cancel"},
    "answer_again": {"zh": "重新回答", "en": "Answer again"},
    "search_wider": {"zh": "扩大查找范围", "en": "Search wider"},
    "search_wider_hint": {
        "zh": "在你能查阅的所有知识库中查找，不加任何筛选，并让模型阅读更多片段。严格程度不变。",
        "en": "Looks in every knowledge base that you may ask, without filters, and lets the model read more passages. "
        "The strictness stays as it is.",
    },
    "close_source": {"zh": "关闭", "en": "Close"},
    "copy": {"zh": "复制", "en": "Copy"},
    "correction": {"zh": "正确的回答应该是？", "en": "What would have been right?"},
    "correction_kept": {"zh": "已记下，谢谢。", "en": "Noted, thank you."},
    "collect": {"zh": "加入问题集", "en": "Add to question set"},
    "collected": {"zh": "已加入评测问题集。", "en": "Added to the question set."},
    "collected_before": {"zh": "问题集中已有这个问题。", "en": "The question set has this question already."},
    # What is asked
    "scope_kbs": {"zh": "知识库", "en": "Knowledge bases"},
    "scope_help": {
        "zh": "只在符合条件的文档中查找；不填则不限。",
        "en": "Only documents that fit are looked at; what is empty restricts nothing.",
    },
    "scope_documents": {"zh": "文档（名称或通配，如 reports/*）", "en": "Documents (names or patterns like reports/*)"},
    "scope_folders": {"zh": "文件夹", "en": "Folders"},
    "scope_types": {"zh": "类型", "en": "Types"},
    "scope_tags": {"zh": "标签", "en": "Tags"},
    "scope_since": {"zh": "修改日期不早于", "en": "Changed on or after"},
    "scope_until": {"zh": "修改日期不晚于", "en": "Changed on or before"},
}
