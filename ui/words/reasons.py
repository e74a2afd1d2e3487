"""What ingest says of a file, for readers of Chinese; and on the page, where nothing is typed, without the commands."""

from __future__ import annotations

import re
from typing import Final

from rag.types import Language

_COMMANDS = re.compile(
    r"; type --password FILE=PASSWORD|: type `pip [^`]+`, then run this again|, or type --encoding NAME \([^)]*\)"
    r"|; type --encoding with one such as .+|: type `pip install --force-reinstall [^`]+`, then run this again"
    r"|; Ctrl-C ends it|; --include NAME takes it in again| \(ingest\.[a-z_]+\)"
    r"| Wait until it has finished, then type the command again\."
)

# Patterns of whole sentences and what they say in Chinese; groups are filled in, and translated themselves where they can be.
CHINESE: Final[tuple[tuple[str, str], ...]] = (
    (r"locked: needs a password", "已加密，需要密码"),
    (r"locked: the password given does not open it", "已加密，所给的密码不对"),
    (
        r"locked: needs a password; open it in (\w+) and save it without one",
        "已加密；请用 {0} 打开，另存为不加密的文件",
    ),
    (
        r"locked in a way that is not known here; open it in (\w+) and save it without a password",
        "加密方式无法识别；请用 {0} 打开，另存为不加密的文件",
    ),
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
    (r"the spreadsheet is damaged: its reader gave up", "表格文件已损坏，无法读取"),
    (r"the spreadsheet is damaged: (.+)", "表格文件已损坏：{0}"),
    (r"a cell in column (\S+) of (\S+)", "第 {0} 列有单元格，但只有 {1} 列"),
    (r"the RTF file is damaged, or in another encoding than it says: (.+)", "RTF 文件已损坏，或实际编码与声明不同：{0}"),
    (r"the file cannot be read as reStructuredText: (.+)", "无法按 reStructuredText 读取：{0}"),
    (
        r"a Word file older than Word 97, or damaged; open it in Word and save it as \.docx",
        "是 Word 97 之前的文件，或已损坏；请用 Word 打开并另存为 .docx",
    ),
    (r"a stream of (\d+) MB does not fit into the container", "文件内部结构不合理（{0} MB 的数据流）"),
    (r"no part where (.+) should be", "压缩包中找不到 {0}"),
    (r"(.+) is compressed in a way that documents never are", "{0} 的压缩方式不受支持"),
    (
        r"(.+) inside declares a document type, which Office files never do",
        "其中的 {0} 声明了文档类型，正常的 Office 文件不会这样，未读取",
    ),
    (r"(.+) inside is not XML \((.+)\)", "其中的 {0} 不是有效的 XML（{1}）"),
    (r"not well-formed, read as far as it makes sense: (.+)", "格式不规范，只读取了能理解的部分：{0}"),
    (r"the cells of sheet (.+) lie too far apart: (\S+) rows by (\S+)", "工作表 {0} 的单元格相距太远：{1} 行 × {2} 列"),
    (r"(\d+) chapters that the book names are missing or damaged", "书中有 {0} 章缺失或损坏"),
    (r"(\d+) of (\d+) attachments left out: too many", "附件太多，{1} 个中有 {0} 个未收录"),
    (
        r"(\d+) attachments left out: they lie more than (\d+) files deep",
        "有 {0} 个附件未收录：嵌套超过 {1} 层",
    ),
    (r"more than (\d+) MB are attached", "附件总共超过 {0} MB"),
    (r"picture (\d+): (.+)", "第 {0} 张图片：{1}"),
    (r"OCR failed: (.+)", "文字识别出错：{0}"),
    (r"OCR lacks its model (.+)", "缺少文字识别模型 {0}；请重新安装文字识别"),
    (r"it has no page (\d+), only (\d+)", "没有第 {0} 页，只有 {1} 页"),
    (r"page (\d+) has a size that makes no sense", "第 {0} 页的尺寸不合理"),
    (r"it is a link or a device, no regular file", "是链接或设备，不是普通文件"),
    (r"there is no encoding named (.+)", "没有名为 {0} 的编码"),
    (r"the file starts like (\S+) but is not: save it as UTF-8", "开头像 {0}，内容却不是；请另存为 UTF-8"),
    (r"the file was changed after it was taken in", "文件在收录之后有改动"),
    (
        r"(.+) was changed after it was taken in; take it in again to see it as it is now",
        "{0} 在收录之后有改动；重新收录后可查看现在的内容",
    ),
    (r"(.+) is being taken in, or was while it changed; try again after the next run\.", "{0} 正在收录或刚有改动，请稍后再试"),
    (
        r"(.+) is no longer where it was; take in its folder again if it was moved\.",
        "{0} 已不在原处；如果移动过，请重新收录所在文件夹",
    ),
    (r"(.+) cannot be read now \((.+)\)\.", "{0} 现在无法读取（{1}）"),
    # What is said behind "damaged" and "forged"
    (r"the description of its encryption declares a document type", "加密信息中声明了文档类型"),
    (r"it cannot be decrypted \((.+)\)", "无法解密（{0}）"),
    (r"an Office container without a document in it", "Office 容器中没有文档"),
    (r"it is locked, and its encryption cannot be read", "已加密，且加密信息无法读取"),
    (r"nothing in it says what its chapters are", "其中没有章节信息"),
    (r"nothing in it says which part is the document", "其中没有说明哪一部分是正文"),
    (r"it has no pages", "没有页面"),
    (r"its header makes no sense", "文件头不合理"),
    (r"none of its (\d+) pages can be read", "{0} 页都无法读取"),
    (r"page (\d+) cannot be drawn", "第 {0} 页无法显示"),
    (r"it has no table of its pieces", "缺少文字分段表"),
    (r"the table of its pieces is cut off", "文字分段表不完整"),
    (r"a piece of its text lies outside of the file", "有一段文字位于文件之外"),
    (r"pieces of its text repeat", "文字分段有重复"),
    (r"\"id\" must be text or a whole number", "\"id\" 必须是文字或整数"),
    (r"\"text\" must be text, and \"title\" too where there is one", "\"text\" 必须是文字，\"title\" 如果有也必须是文字"),
    # Folders
    (r"(.+) cannot be read \((.+)\)\. Nothing was changed\.", "{0} 无法读取（{1}）。没有做任何改动。"),
    (r"(.+) cannot be written \((.+)\)\. Check its folder and the space\.?", "{0} 无法写入（{1}）。请检查文件夹权限和磁盘空间。"),
    (r"(.+) is neither a folder nor a regular file\. Nothing was changed\.", "{0} 既不是文件夹也不是普通文件。没有做任何改动。"),
    (
        r"(.+) is not there\. Nothing was changed; check the path and type it again\.",
        "{0} 不存在。没有做任何改动；请检查路径后重试。",
    ),
    (
        r"(.+): No such file or directory\. Nothing was changed; check the path and type it again\.",
        "{0} 不存在。没有做任何改动；请检查路径后重试。",
    ),
    (
        r"(.+): (.+)\. Nothing was changed; check the path and type it again\.",
        "{0}：{1}。没有做任何改动；请检查路径后重试。",
    ),
    (r"A path cannot hold a NUL character.*", "路径中不能有空字符。"),
    (
        r"(.+), line (\d+): (.+) is no pattern that can match\. Mend it; nothing was changed\.",
        "{0} 第 {1} 行的 {2} 不是有效的规则。请修改；没有做任何改动。",
    ),
    (r"(.+) is larger than (\d+) MB\. Shorten it; nothing was changed\.", "{0} 超过 {1} MB。请缩短；没有做任何改动。"),
    (
        r"(.+) is not UTF-8 text\. Save it as UTF-8; nothing was changed\.",
        "{0} 不是 UTF-8 文本。请另存为 UTF-8；没有做任何改动。",
    ),
    (
        r"Another process is writing to .+ \((.+), process (\d+), since (\S+)\)\.",
        "另一个进程正在写入（{0}，进程 {1}，始于 {2}）。",
    ),
    (r"Another process is writing to .+", "另一个进程正在写入。"),
    # Folders that are followed
    (r"watching (.+)", "正在关注 {0}"),
    (r"(.+) is not there: nothing of it is removed; waiting until it is back", "{0} 不在了：其中的文档都保留，等它回来"),
    (r"(.+) is back", "{0} 回来了"),
    (r"(.+): (.+), so it is looked through every (\S+) s", "{0}：{1}，因此每 {2} 秒检查一次"),
    (r"it lies on a network drive \((.+)\)", "位于网络磁盘（{0}）"),
    (r"the system has no more watches to give \((.+)\)", "系统的监视数量已用完（{0}）"),
    (r"there is no folder or file to watch", "没有可以关注的文件夹或文件"),
    # Web pages
    (r"(\w+://\S+): (.+)", "{0}：{1}"),
    (r"its address is longer than (\d+) characters", "网址超过 {0} 个字符"),
    (r"its address holds a control character, .*", "网址中含有控制字符、反斜杠或无效字符"),
    (r"its address holds a user name or password; those are never sent", "网址中含有用户名或密码，这些不会发送"),
    (r"its address names a network interface", "网址中含有网络接口名"),
    (r"its address is no valid URL \(.*\)", "网址无效"),
    (r"only http and https are fetched, not (.+)", "只支持 http 和 https，不支持 {0}"),
    (r"only the ports 80 and 443 are fetched from, not (.+)", "只支持 80 和 443 端口，不支持 {0}"),
    (r"(.+) is no (?:name of a host|IPv6 address|IPv4 address of four decimal numbers)(?: \(.*\))?", "{0} 不是有效的主机地址"),
    (r"(.+) has no address", "找不到 {0} 的地址"),
    (r"(.+) is not found \((.+)\)", "找不到 {0}（{1}）"),
    (
        r"(.+) is at (.+), which is no public address: pages of this machine and its network are not fetched",
        "{0} 位于 {1}，不是公网地址：本机和内网的网页不会读取",
    ),
    (r"it was redirected more than (\d+) times", "跳转超过 {0} 次"),
    (r"it redirects \(status (\d+)\) without saying where", "要求跳转（状态 {0}），却没有说明去向"),
    (r"it redirects to no valid URL \(.*\)", "跳转到无效的网址"),
    (r"it is larger than (\d+) MB", "超过 {0} MB"),
    (r"it is packed in a way that was not asked for \((.+)\)", "压缩方式不受支持（{0}）"),
    (r"it broke off before its end", "传输中断，内容不完整"),
    (r"its packed content goes on after its end", "压缩内容有多余的数据"),
    (r"there is no page any more \(status (\d+)\)", "网页已不存在（状态 {0}）"),
    (r"its server answers with status (.+)", "服务器返回状态 {0}"),
    (r"it did not come within (\S+) seconds", "{0} 秒内没有收到"),
    (r"its certificate is not valid: (.+)", "证书无效：{0}"),
    (r"it cannot be fetched \((.+)\)", "无法读取（{0}）"),
    (r"it is of the type (.+), which cannot be read", "类型是 {0}，无法读取"),
    (r"Web pages are not fetched: that is off\..*", "没有开启读取网页。"),
    (r"the (?:file|archive) is forged: (.+)", "文件经过伪造：{0}"),
    (r"(.+) overlaps another part", "{0} 与其他部分重叠"),
    (r"(.+) is larger than it says", "{0} 比声明的大"),
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
    (r"pages? ([\d, …]+): (.+)", "第 {0} 页：{1}"),
    (r"it was (.+)", "原来叫做 {0}"),
    (r"(.+); what was taken in of it before stays", "{0}；之前收录的内容仍保留"),
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
