"""What ingest says of a file, for readers of Chinese; and on the page, where nothing is typed, without the commands."""

from __future__ import annotations

import re
from typing import Final

from rag.types import Language

_COMMANDS = re.compile(
    r"; type --password FILE=PASSWORD|: type `pip [^`]+`, then run this again|, or type --encoding NAME \([^)]*\)"
    r"|; --include NAME takes it in again| \(ingest\.[a-z_]+\)"
)

# Patterns of whole sentences and what they say in Chinese; groups are filled in, and translated themselves where they can be.
CHINESE: Final[tuple[tuple[str, str], ...]] = (
    (r"locked: needs a password", "已加密，需要密码"),
    (r"locked: the password given does not open it", "已加密，所给的密码不对"),
    (r"locked by DRM: only its shop's own reader opens it", "受版权保护（DRM），只有书商自己的阅读器能打开"),
    (
        r"locked: (.+) inside is encrypted as zip programs do it; unpack it first",
        "其中的 {0} 已加密，请先解压",
    ),
    (r"locked in a way that is not known here: (.+)", "加密方式无法识别：{0}"),
    (
        r"the (?:file|PDF|picture|XML|notebook|Word document|RTF file|e-book) is (?:damaged|damaged or cut off)(?:: (.+))?",
        "文件已损坏或不完整：{0}",
    ),
    (r"the (?:file|archive) is forged: (.+)", "文件经过伪造：{0}"),
    (r"the PDF is encrypted in a way that cannot be opened: (.+)", "PDF 的加密方式无法打开：{0}"),
    (r"the file is empty: (.+)", "文件是空的"),
    (r"there is no text in it", "其中没有文字"),
    (r"no text found in (?:the|its) picture", "图片中没有找到文字"),
    (r"what is in it is no readable text", "其中的内容不是可读的文字"),
    (
        r"neither its text layer nor its pictures can be read as any language",
        "文字层和图片都读不出任何语言的文字",
    ),
    (
        r"left out: what can be read in (?:the|its) picture is no language",
        "未收录：图片中读出的不是任何语言",
    ),
    (r"left out: what is there is no readable text", "未收录：其中没有可读的文字"),
    (r"left out: the text layer is no readable text", "未收录：文字层不是可读的文字"),
    (r"poor text quality, perhaps (?:bad OCR|a bad picture)", "文字质量较差，可能是识别或图片质量不好"),
    (r"its text layer is bad OCR: read anew from its picture", "文字层识别质量差，已根据图片重新识别"),
    (r"turned by (\d+) degrees to be read", "旋转 {0} 度后读取"),
    (r"needs OCR", "需要文字识别（OCR）"),
    (r"(\d+) pictures in it: (.+)", "其中有 {0} 张图片：{1}"),
    (r"only the first (\S+) of its (\S+) pictures were read", "只读取了 {1} 张图片中的前 {0} 张"),
    (r"not a text file: it holds binary data", "不是文本文件，其中有二进制数据"),
    (r"the encoding is unsure: UTF-8 but for byte (\d+); .*", "编码不确定：除第 {0} 个字节外都是 UTF-8；请另存为 UTF-8"),
    (r"the encoding is unsure: .*", "编码不确定；请另存为 UTF-8"),
    (r"not (\S+): byte (\d+) does not belong there; .*", "不是 {0} 编码：第 {1} 个字节不对；请另存为 UTF-8"),
    (
        r"not what its name says: no (\S+); the file is damaged or of another kind",
        "与文件名不符：不是 {0}；文件已损坏或属于其他类型",
    ),
    (
        r"read as (\S+): that is what is in it, though its name ends in (\S+)",
        "按 {0} 读取：虽然文件名以 {1} 结尾，内容却是 {0}",
    ),
    (r"(\S+) files are not supported", "不支持 {0} 文件"),
    (r"same bytes as (.+)", "与 {0} 内容完全相同"),
    (r"deleted by the user", "已由用户删除"),
    (r"no longer in its folder", "已不在文件夹中"),
    (r"ignored by \.footnoteignore", "被 .footnoteignore 排除"),
    (r"it is (.+) now", "现在叫做 {0}"),
    (
        r"it cannot be read now \((.*)\); what was taken in of it before stays",
        "现在无法读取（{0}）；之前收录的内容仍保留",
    ),
    (r"it cannot be read \((.*)\)", "无法读取（{0}）"),
    (r"it went while it was read", "读取时文件不见了"),
    (
        r"its reader crashed \(exit code (.+)\): the file is damaged or malicious",
        "读取时崩溃（{0}）：文件已损坏或含有恶意内容",
    ),
    (r"its reader gave no picture: the file is damaged or malicious", "无法画出页面：文件已损坏或含有恶意内容"),
    (r"(\S+) files have no pages that can be drawn", "{0} 文件没有可显示的页面"),
    (r"reading it took longer than (\S+) seconds(?: in all)?", "读取超过了 {0} 秒"),
    (
        r"reading it took more than (\S+) seconds of processor time .*",
        "读取占用处理器超过了 {0} 秒",
    ),
    (r"reading it takes more than (\d+) MB of memory", "读取需要超过 {0} MB 内存"),
    (r"(\d+) MB; the most is (\d+) MB", "文件有 {0} MB，上限是 {1} MB"),
    (r".* has (\d+) MB; (\d+) MB is the most\.", "文件有 {0} MB，上限是 {1} MB"),
    (
        r"unpacked it would be (?:more than )?(\d+) MB; (\d+) MB is the most",
        "解压后超过 {1} MB 的上限",
    ),
    (
        r"a part of the archive unpacks to more than (\d+) times its size",
        "压缩包中有内容解压后超过原大小的 {0} 倍",
    ),
    (r"the archive has (\S+) parts; (\S+) is the most", "压缩包中有 {0} 个文件，上限是 {1} 个"),
    (
        r"its document type declares entities of its own, which could be a trap: not read",
        "文档类型中定义了实体，可能有风险，未读取",
    ),
    (r"its parts are nested too deeply", "嵌套层次太深"),
    (r"the (?:file|page) is nested too deeply to be read", "嵌套层次太深，无法读取"),
    (r"line (\d+): the id (.+) is already that of line (\d+)", "第 {0} 行的 id {1} 与第 {2} 行重复"),
    (r"line (\d+) is not valid JSON: (.+)", "第 {0} 行不是有效的 JSON：{1}"),
    (r"line (\d+) is not an object; .*", "第 {0} 行不是 JSON 对象"),
    (r"line (\d+) has no \"(\w+)\".*", "第 {0} 行缺少 \"{1}\""),
    (r"line (\d+) is not valid CSV: (.+)", "第 {0} 行不是有效的 CSV：{1}"),
    (r"line (\d+): (.+)", "第 {0} 行：{1}"),
    (r"(\d+) rows have more cells than there are column names", "有 {0} 行的单元格多于列名"),
    (r"(\d+) records without text", "{0} 条记录没有文字"),
    (r"record (.+) left out: (.+)", "记录 {0} 未收录：{1}"),
    (r"and (\d+) more warnings", "另有 {0} 条提示"),
    (r"(\d+) invisible or control characters removed", "去掉了 {0} 个不可见或控制字符"),
    (r"only its first (\S+) passages were taken in", "只收录了前 {0} 个片段"),
    (r"the sheet (.+) is hidden in the file; it was read too", "工作表 {0} 是隐藏的，也已读取"),
    (
        r"the sheet (.+) has (\d+) formulas without a stored result; .*",
        "工作表 {0} 有 {1} 个公式没有保存结果；请用表格软件打开后重新保存",
    ),
    (r"only the first (\S+) filled cells were read: .*", "只读取了前 {0} 个有内容的单元格"),
    (r"hidden slides were read too: (.+)", "隐藏的幻灯片也已读取：{0}"),
    (
        r"hidden text, (\S+) characters that nobody sees on the page: (.+)",
        "有 {0} 个页面上看不见的隐藏字符：{1}",
    ),
    (r"not a mail: it begins with none of a mail's headers", "不是邮件：开头没有邮件头"),
    (r"the mail is cut off: .*", "邮件不完整，最后一部分可能缺失"),
    (r"attachment (.+) left out: (.+)", "附件 {0} 未收录：{1}"),
    (r"not a notebook: there are no cells in it", "不是笔记本文件：其中没有单元格"),
    (r"animated: only its first picture is read", "动图只读取第一帧"),
    (r"the picture is too large: (.+) pixels; .*", "图片太大：{0} 像素"),
    (r"pages? (.+): (.+)", "第 {0} 页：{1}"),
    (r"(.+); what could be recovered was read", "{0}；已读取可以恢复的部分"),
    (r"cannot be read", "无法读取"),
)  # fmt: skip
_PATTERNS = [(re.compile(pattern), chinese) for pattern, chinese in CHINESE]


def reason(text: str, language: Language) -> str:
    """A reason or warning of ingest in a reader's language; what is not known is shown as it came."""
    told = _COMMANDS.sub("", text)
    if language == "en":
        return told
    for pattern, chinese in _PATTERNS:
        if found := pattern.fullmatch(told):
            filled = chinese.format(*(reason(group, language) for group in found.groups("")))
            return filled.rstrip("：")
    return told
