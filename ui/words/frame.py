"""The words of what every page shows, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "app_name": {"zh": "脚注", "en": "Footnote"},
    "tagline": {
        "zh": "向自己的文档提问，每个回答都带脚注。",
        "en": "Ask your own documents. Every answer carries its footnotes.",
    },
    "about": {
        "zh": "**脚注**根据你自己的文档回答问题，每个回答都附有脚注；文档不支持的内容会被标出或拒绝回答。",
        "en": "**Footnote** answers from your own documents, and every answer carries its footnotes: "
        "what they don't support is flagged or refused.",
    },
    "chat": {"zh": "提问", "en": "Ask"},
    "library": {"zh": "文档", "en": "Documents"},
    "evaluation": {"zh": "评测", "en": "Evaluation"},
    "settings": {"zh": "设置", "en": "Settings"},
    "language": {"zh": "语言", "en": "Language"},
    "local": {"zh": "内容不离开本机", "en": "Stays on this machine"},
    "nothing_shared": {
        "zh": "还没有知识库共享给你，请联系管理员。",
        "en": "No knowledge base is shared with you yet. Ask an admin.",
    },
    "near": {"zh": "交给本机的另一个程序", "en": "To another program here"},
    "remote": {"zh": "内容会离开本机", "en": "Leaves this machine"},
    "unexpected": {
        "zh": "出现了意料之外的错误，已停止。详情见启动本应用的终端。",
        "en": "Something unexpected went wrong, and this was stopped. The terminal that runs this app has the details.",
    },
    "delete": {"zh": "删除", "en": "Delete"},
}
