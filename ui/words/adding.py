"""The words of adding documents, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "library_intro": {
        "zh": "把文件或 ZIP 压缩包拖到这里即可加入。文件只保存在本机。",
        "en": "Drop files or a ZIP here to add them. They are kept on this machine only.",
    },
    "adding": {"zh": "正在加入文档", "en": "Adding documents"},
    "adding_file": {"zh": "{done} / {total} · {file}", "en": "{done} of {total} · {file}"},
    "adding_pages": {"zh": "已读 {count} 页", "en": "{count} pages read"},
    "adding_left": {"zh": "约剩 {left}", "en": "about {left} left"},
    "adding_starts": {"zh": "正在准备……", "en": "Getting ready…"},
    "adding_waits": {
        "zh": "完成后会自动继续。",
        "en": "This goes on by itself once that is done.",
    },
    "adding_stopped": {
        "zh": "已停止。已加入的文档会保留，重新开始时会接着处理。",
        "en": "Stopped. What was taken in stays; the next run goes on from there.",
    },
    "adding_broke": {
        "zh": "处理文件的进程意外结束（{code}）。已加入的文档会保留；请再试一次。",
        "en": "The process that reads the files ended unexpectedly ({code}). What was taken in stays; try again.",
    },
    "added": {"zh": "处理结果", "en": "What became of them"},
    "added_well": {"zh": "顺利处理的文件（{count}）", "en": "Files without a problem ({count})"},
    "more_problems": {"zh": "另有 {count} 个文件有问题", "en": "{count} more files with a problem"},
    "dismiss": {"zh": "知道了", "en": "Dismiss"},
    "replaced": {"zh": "替换了之前上传的同名文件", "en": "takes the place of an earlier upload of this name"},
    "empty_library": {"zh": "还没有文档", "en": "Nothing here yet"},
    "empty_library_hint": {
        "zh": "加入一些文档，就可以开始提问了。也可以先用随附的示例文档试试。",
        "en": "Add some documents and start asking. Or try it with the sample documents that come with it.",
    },
    "nothing_to_ask": {
        "zh": "这个知识库还没有文档。请有权限的人加入一些。",
        "en": "This knowledge base has no documents yet. Ask someone who may add some.",
    },
    "add_samples": {"zh": "加入示例文档", "en": "Add the sample documents"},
    "password": {"zh": "{file} 的密码", "en": "Password of {file}"},
    "unlock": {"zh": "打开", "en": "Open"},
    "password_kept": {"zh": "密码只用这一次，不会保存。", "en": "Used this once and kept nowhere."},
    # What can be done about a file, by kind of reason
    "do_locked": {"zh": "输入密码，或换成没有加密的文件。", "en": "Type its password, or replace it by an open copy."},
    "do_ocr": {
        "zh": "安装文字识别后重新读取：pip install -r requirements-ocr.txt。",
        "en": "Install text recognition and read it again: pip install -r requirements-ocr.txt.",
    },
    "do_encoding": {
        "zh": "另存为 UTF-8，或在设置中指定编码。",
        "en": "Save it as UTF-8, or name its encoding in the settings.",
    },
    "do_size": {
        "zh": "拆分成小文件，或在设置中调高上限。",
        "en": "Cut it in parts, or raise the limit in the settings.",
    },
    "do_time": {
        "zh": "拆分文件，或在设置中给更多时间。",
        "en": "Cut it in parts, or allow more time in the settings.",
    },
    "do_other": {"zh": "修复或更换文件后再加入。", "en": "Mend or replace the file and add it again."},
    "do_empty": {"zh": "补上内容后再加入。", "en": "Add it again once there is something in it."},
    "state_indexed": {"zh": "已收录", "en": "indexed"},
    "state_unchanged": {"zh": "未改动", "en": "unchanged"},
    "state_removed": {"zh": "已移除", "en": "removed"},
    "state_empty": {"zh": "没有文字", "en": "empty"},
    "state_set_aside": {"zh": "未收录", "en": "set aside"},
    # Folders that are kept level
    "folders": {"zh": "文件夹（{count}）", "en": "Folders ({count})"},
    "folders_hint": {
        "zh": "知识库与这些文件夹保持一致：新增、修改和删除都会同步。",
        "en": "The knowledge base is kept equal to these: what is new, changed or gone there is so here.",
    },
    "folder_files": {"zh": "{files} 个文件，已收录 {indexed} 个", "en": "{files} files, {indexed} indexed"},
    "folder_looked": {"zh": "上次检查：{when}", "en": "last looked at: {when}"},
    "folder_missing": {"zh": "文件夹不在了，其中的文档仍保留", "en": "not there now; its documents stay"},
    "folder_unreadable": {
        "zh": "没有读取权限，其中的文档仍保留",
        "en": "cannot be read now; its documents stay",
    },
    "folder_watch": {"zh": "持续关注", "en": "Follow changes"},
    "folder_look": {"zh": "立即检查", "en": "Look now"},
    "folder_forget": {"zh": "移出知识库", "en": "Take out of the knowledge base"},
    "folder_forget_sure": {
        "zh": "把“{path}”及其 {files} 个文件的内容移出知识库？原文件不会被删除。",
        "en": "Take “{path}” and its {files} files out of the knowledge base? The files themselves stay.",
    },
    "folder_add": {"zh": "加入本机的文件夹", "en": "Add a folder of this machine"},
    "folder_path": {"zh": "文件夹路径", "en": "Path of the folder"},
    "page_add": {"zh": "加入网页", "en": "Add a web page"},
    "page_address": {"zh": "网页地址", "en": "Address of the page"},
    "add": {"zh": "加入", "en": "Add"},
    "follower_ended": {
        "zh": "关注已意外中断。关闭“持续关注”再打开即可恢复。",
        "en": "Following ended unexpectedly. Switch it off and on to go on.",
    },
    "follower_said": {"zh": "关注中的消息", "en": "What following them has seen"},
}
