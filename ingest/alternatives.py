"""Alternative texts of pictures and shapes, where they say what is to be seen."""

from __future__ import annotations

import re

# Names that programs give, file names, and what is added to descriptions made by a machine.
_SAYS_NOTHING = re.compile(
    r"(?:(?:picture|image|img|graphic|graphik|grafik|chart|diagram|object|shape|text ?box|group|table|logo|icon|placeholder|photo"
    r"|rectangle|line|arrow|oval|frame|bild|图片|图像|图形|图表|图示|图|对象|文本框|组合|形状|矩形|表格|占位符|照片)[\s_-]*\d*"
    r"|[\w%@.()+ -]+\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|webp|ico)|https?://\S+|[\W\d_]*|[0-9a-f-]{16,})",
    re.IGNORECASE,
)
_MACHINE = re.compile(
    r"\s*(?:description (?:automatically )?generated(?: with .{0,40}confidence)?|ai[- ]generated content may be incorrect"
    r"|(?:描述)?已自动生成(?:说明|描述)?|ai ?生成的内容可能不正确)[.。]?\s*$",
    re.IGNORECASE,
)


def alternative_text(*told: str | None) -> str:
    """What a title and a description say of a picture, on one line; "" where they only name or number it."""
    said = [" ".join(_MACHINE.sub("", text).split()) for text in told if text]
    return ". ".join(dict.fromkeys(text for text in said if not _SAYS_NOTHING.fullmatch(text)))
