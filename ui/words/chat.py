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
}
