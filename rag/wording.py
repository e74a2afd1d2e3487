"""The sentences that the engine itself says, in both languages."""

from __future__ import annotations

from rag.types import Language

_SAID: dict[str, dict[Language, str]] = {
    "refusal": {
        "zh": "文档中没有找到能够回答这个问题的内容。",
        "en": "The documents do not hold an answer to this question.",
    },
    "empty": {
        "zh": "知识库里还没有文档，请先添加文档。",
        "en": "The knowledge base holds no documents yet. Add some first.",
    },
    "filtered": {
        "zh": "没有文档符合筛选条件（{}）。",
        "en": "No document passes the filter ({}).",
    },
    "wordless": {
        "zh": "没有可以搜索的字词。",
        "en": "There is no word to search for.",
    },
    "irrelevant": {
        "zh": "没有找到与问题足够相关的段落；下面是最接近的几段。",
        "en": "No passage fits the question well enough; the nearest ones are shown.",
    },
    "unsupported": {
        "zh": "模型的回答在文档中找不到依据，因此没有采用；下面是最接近的几段。",
        "en": "The documents do not support what the model answered, so it was withheld; the nearest passages are shown.",
    },
    "silent": {
        "zh": "找到的段落没有给出答案；下面是最接近的几段。",
        "en": "The passages that were found do not give the answer; the nearest ones are shown.",
    },
    "numbers": {"zh": "文档中没有这个数字：{}", "en": "no passage states this number: {}"},
    "names": {"zh": "文档中没有这个名称：{}", "en": "no passage holds this name: {}"},
    "dates": {"zh": "文档中没有这个日期：{}", "en": "no passage states this date: {}"},
    "units": {"zh": "文档中这个数字的单位不同：{}", "en": "the passages give this number in another unit: {}"},
    "negation": {"zh": "文档的说法与此相反", "en": "the passages say the opposite"},
    "contradicted": {"zh": "复核认为文档与此不符", "en": "a second reading finds that the passage says otherwise"},
    "disputed": {"zh": "另一份文件的说法不同：{}", "en": "another document says otherwise: {}"},
    "words": {"zh": "没有段落支持这句话", "en": "no passage says this"},
}


def say(key: str, language: Language) -> str:
    """One of the engine's sentences; ``key`` may carry a detail, as in ``numbers: 15``."""
    name, _, detail = key.partition(": ")
    return _SAID[name][language].format(detail)
