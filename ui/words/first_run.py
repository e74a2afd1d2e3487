"""The words of the first page of a new installation, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
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
    "models_by_admin": {
        "zh": "模型还没有下载，请联系管理员。",
        "en": "The models are not here yet. Ask an admin to fetch them.",
    },
    "free_space": {"zh": "可用空间 {size}", "en": "{size} free on this disk"},
    "download_stopped": {
        "zh": "已停止。已下载的部分会保留，再次下载时接着进行。",
        "en": "Stopped. What was fetched is kept; the next download goes on from there.",
    },
    "other_ways": {
        "zh": "使用镜像：启动前设置 PIP_INDEX_URL。也可以在“设置”中改用一个地址上的模型。",
        "en": "For a mirror set PIP_INDEX_URL before the start. Or choose a model at an address in the settings.",
    },
    "role_embedder": {"zh": "用于查找片段", "en": "finds passages"},
    "role_llm": {"zh": "用于写出回答", "en": "writes answers"},
    "megabytes": {"zh": "{size} MB", "en": "{size} MB"},
    "gigabytes": {"zh": "{size} GB", "en": "{size} GB"},
    "have": {"zh": "已就绪", "en": "ready"},
    "missing": {"zh": "待下载", "en": "to download"},
    "download": {"zh": "下载模型（{size}）", "en": "Download the models ({size})"},
    "try_again": {"zh": "重试", "en": "Try again"},
}
