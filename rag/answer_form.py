"""The format and the language of answer that a question asks for."""

from __future__ import annotations

import re

from rag.text import simplified
from rag.types import Language

# High precision: a word such as "table" or "三点" alone is as often what the question is about.
_NUMBER = "[一二两三四五六七八九十\\d]+"
_AFTER = r"(?=\s*(?:$|[.,;:!?，。；：！？]|please\b|of\b|with\b|showing\b|and\b))"
FORMATS: dict[str, re.Pattern[str]] = {
    "table": re.compile(
        rf"\b(?:as|in|into|make|give me|draw|use|using) a (?:markdown |small )?table\b{_AFTER}|\bin table (?:form|format)\b"
        r"|\btabulate\b|(?:用|以|做成|做个|写成|列成|整理成|制成|画个|列个)(?:一个|一张|个|张)?(?:markdown)?表格?(?:的形式|形式)?(?![示明面达演现])"
        "|表格(?:的)?形式|列表格",
        re.IGNORECASE,
    ),
    "list": re.compile(
        rf"^(?:(?:please|can you|could you|and|now) )*list\b(?! price)|\b(?:as|in|into|make|give me) (?:a|an) "
        rf"(?:\w+ )?list\b{_AFTER}|\bbullet(?:ed)?[ -](?:points?|list)\b|\bin (?:\d+|two|three|four|five|six|seven|ten) "
        rf"(?:\w+ )?(?:points|bullets)\b|(?:用|以|做成|写成|列成|整理成)(?:一个|个)?(?:列表|清单)|列表(?:的)?形式|分条|分点|逐条"
        rf"|(?:^|请|[，。,.])(?:帮我|给我)?列出|(?:用|分|列出|总结出|归纳出|概括为|总结为|说出){_NUMBER}(?:个)?(?:要)?点(?!钟|半|[前后])"
        rf"|{_NUMBER}(?:个)?(?:要)?点(?:来)?(?:说明|总结|概括|回答|列出|归纳)|(?:^|[，。,.？?！! ])列表(?:$|[。！!？?])"
        rf"|[，,。？? ]{_NUMBER}点[。！!]?$",
        re.IGNORECASE,
    ),
    "word": re.compile(
        r"\b(?:in|with|using) (?:just |only )?(?:one|a single|1) word\b|\bone[- ]word answer\b"
        "|(?:用|只用|以)(?:一个|1个)(?:词|词语|单词)(?!组)|一个词(?:回答|概括|说明|描述|形容)",
        re.IGNORECASE,
    ),
    "detail": re.compile(
        r"\bin (?:great |more |full )?detail\b|^(?:please )?(?:explain|describe|elaborate)\b.*\bthoroughly\b"
        r"|\ba detailed (?:answer|explanation|description)\b|(?:请|^|[，。,])"
        r"(?:更)?详细(?:地)?(?:说明|介绍|解释|描述|回答|讲|说|阐述|一点|些)"
        r"|详细(?:回答|说明|解释)(?:$|[。！!])",
        re.IGNORECASE,
    ),
}  # fmt: skip
_NAMES: dict[Language, str] = {
    "zh": r"(?:simplified )?(?:chinese|mandarin)|中文|汉语|简体中文|普通话",
    "en": "english|英文|英语",
}
_ORDERED = (
    r"(?:^|[.?!,:;，。？！：；]) ?(?:(?:please|can you|could you|now|then|and|but) )*"
    r"(?:answer|reply|respond|write|explain|summari[sz]e|describe|say|tell me|list|translate)\b"
)
_SAID = "回答|作答|答复|回复|说明|解释|总结|概括|列出|告诉|介绍|描述|说(?=一|[。！]|$)"
_LANGUAGES: dict[Language, re.Pattern[str]] = {
    spoken: re.compile(
        rf"{_ORDERED}[^.?!。？！]{{0,60}}?\b(?:in|into) (?:{names})(?![\w-])|^in (?:{names})(?: please)?(?=\W*$|[,:])"
        rf"|\bin (?:{names})[,]? please\b|[.?!,] ?(?:please )?in (?:{names})\W*$"
        rf"|(?:用|以|换成|改成|翻译成|译成)(?:{names})(?:来)?(?:{_SAID})|(?:^|[，。,.！!？?：: 请])用(?:{names})(?:吧)?\W*$",
        re.IGNORECASE,
    )
    for spoken, names in _NAMES.items()
}
_NAMED = re.compile(rf"(?:\b(?:in|into) |用|以|成)(?:{'|'.join(_NAMES.values())})", re.IGNORECASE)
_POLITE = re.compile(
    r"\b(?:please|it|that|this|the|your|answer|reply|respond|write|say|explain|translate|can|could|you|now|again|and|but|me|give|show"
    r"|make|in|as)\b|请|把|它|这个|再|一下|来|吧|答案|回答|作答|回复|说明|解释|给我|帮我|也|那|能|可以|吗|改|换|翻译|译|说",
    re.IGNORECASE,
)


def asked_format(question: str) -> str:
    """The name in ``FORMATS`` of the format that a question asks for, or nothing."""
    return next((name for name, pattern in FORMATS.items() if pattern.search(simplified(question).strip())), "")


def asked_language(question: str) -> Language | None:
    """The language that a question asks to be answered in, where it names one."""
    return next(
        (spoken for spoken, pattern in _LANGUAGES.items() if pattern.search(simplified(question).strip())), None
    )


def asks_only_for_form(question: str) -> bool:
    """Whether a question is nothing but the wish for another format or language of the answer before it."""
    rest = simplified(question).strip()
    if not asked_format(rest) and not asked_language(rest):
        return False
    for pattern in (*FORMATS.values(), _NAMED):
        rest = pattern.sub(" ", rest)
    return not any(character.isalnum() for character in _POLITE.sub(" ", rest))
