"""The sentences that the engine itself says, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

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
    "changed": {
        "zh": "回答期间，找到的一份文档被修改或删除了，因此没有采用这个回答。请重新提问。",
        "en": "A document that was found has been changed or deleted meanwhile, so the answer was withheld. Ask again.",
    },
    "unsupported": {
        "zh": "模型的回答在文档中找不到依据，因此没有采用；下面是最接近的几段。",
        "en": "The documents do not support what the model answered, so it was withheld; the nearest passages are shown.",
    },
    "silent": {
        "zh": "找到的段落没有给出答案；下面是最接近的几段。",
        "en": "The passages that were found do not give the answer; the nearest ones are shown.",
    },
    "talk greeting": {"zh": "你好！请问我关于文档内容的问题。", "en": "Hello! Ask me about what your documents say."},
    "talk thanks": {"zh": "不客气，有问题请继续问。", "en": "You are welcome. Ask on whenever you like."},
    "talk fine": {"zh": "好的，有问题请继续问。", "en": "Good. Ask on whenever you like."},
    "talk bye": {"zh": "再见！", "en": "Goodbye!"},
    "talk who": {
        "zh": "我是脚注（Footnote）：根据你的文档回答问题，每个论断都附上出处原文的程序。",
        "en": "I am Footnote, a program that answers questions from your documents and shows the words behind every claim.",
    },
    "talk can": {
        "zh": "请用中文或英文问文档里写了什么。我会找到相关段落，写出答案，并在每个论断后附上出处；"
        "文档里没有的，我会直说没有。问“有哪些文档？”可以看到知识库的内容。",
        "en": "Ask what your documents say, in English or Chinese. I look for the passages, write an answer with a footnote "
        "for every claim, and say so where the documents do not tell. “Which documents are there?” shows what I know.",
    },
    "documents": {"zh": "知识库中的文档：", "en": "Documents in the knowledge base: "},
    "documents filtered": {"zh": "知识库中符合筛选条件（{}）的文档：", "en": "Documents that pass the filter ({}): "},
    "count": {"zh": "共 {} 个。", "en": "{}."},
    "more documents": {
        "zh": "……还有 {} 个；完整列表见文档页面，或运行 `python -m rag list`。",
        "en": "… and {} more; the library page and `python -m rag list` show all of them.",
    },
    "what do you mean": {
        "zh": "你指的是什么？请说出具体的事物、文档或主题。",
        "en": "What do you mean? Please name the thing, the document or the subject.",
    },
    "doubtful": {
        "zh": "找到的段落谈到了相近的内容，但多半没有回答这个问题；下面是最接近的几段。",
        "en": "The passages that were found are about something near, but most likely do not answer this; they are shown.",
    },
    "looked for": {"zh": "查找的内容：{}", "en": "Looked for: {}"},
    "unmentioned": {"zh": "没有段落提到：{}", "en": "No passage mentions: {}"},
    "open": {"zh": "文档没有回答这一部分：{}", "en": "The documents do not answer this part: {}"},
    "other language": {
        "zh": "模型没有用提问的语言回答。",
        "en": "The model did not answer in the language of the question.",
    },
    "quoted": {
        "zh": "模型自己的说法找不到依据，所以这里是文档的原话。",
        "en": "Nothing supports the model's own words, so these are the document's.",
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


def say_which(names: Sequence[str], language: Language) -> str:
    """The question which of two or more things is meant; the names are whoever's they are and are only put together."""
    if language == "zh":
        return f"你指的是{'、'.join(f'“{name}”' for name in names[:-1])}还是“{names[-1]}”？"
    return f"Do you mean {', '.join(f'“{name}”' for name in names[:-1])} or “{names[-1]}”?"


def say(key: str, language: Language) -> str:
    """One of the engine's sentences; ``key`` may carry a detail, as in ``numbers: 15``."""
    name, _, detail = key.partition(": ")
    return _SAID[name][language].format(detail)
