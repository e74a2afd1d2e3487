"""The words of an opened source, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "source_gone": {
        "zh": "这份文档已从知识库中删除，这里是回答当时引用的文字。",
        "en": "This document was deleted since; these are the words that the answer quoted.",
    },
    "source_changed": {
        "zh": "这份文档后来有改动，这里是回答当时引用的文字。",
        "en": "This document was changed since; these are the words that the answer quoted.",
    },
    "drawing": {"zh": "正在显示页面……", "en": "Drawing the page…"},
    "page_of": {"zh": "{name} 第 {page} 页", "en": "{name}, page {page}"},
    "not_located": {
        "zh": "没能在页面上标出引用的文字，见下方的片段。",
        "en": "The quoted words could not be located on the page; they are marked in the passage below.",
    },
    "inside_a_mail": {
        "zh": "这份文档是邮件的附件，这里只显示文字。",
        "en": "This came attached to a mail; only its text is shown.",
    },
    "page_before": {"zh": "上一页", "en": "Page before"},
    "page_after": {"zh": "下一页", "en": "Next page"},
    "larger": {"zh": "放大", "en": "Larger"},
    "quoted_rows": {"zh": "引用的表格行", "en": "The quoted rows of the table"},
}
