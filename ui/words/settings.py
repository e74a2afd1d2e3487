"""The words of the settings page, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "answering_model": {"zh": "回答模型", "en": "Model"},
    "embedding_model": {"zh": "查找模型", "en": "Embedder"},
    "privacy": {"zh": "内容去向", "en": "Where text goes"},
    "privacy_local": {
        "zh": "问题和文档只在本机处理，不会发送到任何地方。",
        "en": "Questions and documents are processed on this machine and are sent nowhere.",
    },
    "privacy_remote": {
        "zh": "提问时，问题和找到的片段会发送到",
        "en": "When you ask, the question and the passages found are sent to",
    },
    "privacy_embedding": {
        "zh": "加入文档和查找时，文字会发送到",
        "en": "When documents are added and searched, their text and the question are sent to",
    },
    "home": {"zh": "数据所在的文件夹", "en": "Where the data lies"},
    "config": {"zh": "设置所在的文件（可直接编辑）", "en": "The file of the settings, which may be edited"},
    "from_environment": {
        "zh": "由环境变量决定，不能在这里修改",
        "en": "Decided by the environment, not to be changed here",
    },
    "saved": {"zh": "已保存，立即生效。", "en": "Saved, and in force."},
    "appearance": {"zh": "外观", "en": "Appearance"},
    "finding": {"zh": "查找与回答", "en": "Finding and answering"},
    "adding_documents": {"zh": "文档", "en": "Documents"},
    "theme": {"zh": "主题", "en": "Theme"},
    "theme_system": {"zh": "跟随系统", "en": "System"},
    "theme_light": {"zh": "浅色", "en": "Light"},
    "theme_dark": {"zh": "深色", "en": "Dark"},
    # The model that answers
    "model_kind": {"zh": "模型来源", "en": "Where the model is from"},
    "kind_builtin": {"zh": "内置", "en": "Built in"},
    "kind_file": {"zh": "文件或名称", "en": "File or name"},
    "kind_address": {"zh": "地址", "en": "Address"},
    "model_file": {"zh": "GGUF 文件、文件夹或 Hugging Face 名称", "en": "A GGUF file, a folder or a Hugging Face name"},
    "model_file_help": {
        "zh": "本机上的路径，或本机 Hugging Face 缓存中的模型名称。不会自动下载。",
        "en": "A path on this machine, or a name in its Hugging Face cache. Nothing is downloaded.",
    },
    "model_address": {"zh": "地址（OpenAI 兼容接口）", "en": "Address (OpenAI-compatible)"},
    "model_name": {"zh": "该处的模型名称", "en": "The model's name there"},
    "key": {"zh": "密钥", "en": "Key"},
    "key_stored": {"zh": "已保存，留空则不变", "en": "One is stored; empty keeps it"},
    "key_none": {"zh": "没有则留空", "en": "Empty where none is needed"},
    "key_help": {
        "zh": "保存在只有本用户可读的设置文件中，不会再显示。更换地址时，旧密钥会被删除。",
        "en": "Kept in the settings file, which only this user may read, and never shown again. "
        "Another address drops the old key.",
    },
    "key_from_environment": {"zh": "密钥来自环境变量。", "en": "The key comes from the environment."},
    "where_here": {"zh": "在本机运行，内容不离开本机。", "en": "Runs here: text stays on this machine."},
    "where_near": {
        "zh": "地址在本机：内容交给本机的另一个程序，不经过网络。",
        "en": "The address is on this machine: text goes to another program here, over no network.",
    },
    "where_away": {
        "zh": "问题和找到的片段会离开本机。",
        "en": "Questions and the passages found leave this machine.",
    },
    "try_model": {"zh": "测试", "en": "Try it"},
    "trying": {"zh": "正在测试……", "en": "Trying…"},
    "tried": {
        "zh": "可用：回答“{said}”，首字 {first} 秒，共 {seconds} 秒。",
        "en": "It answers: “{said}”, first word after {first} s, {seconds} s in all.",
    },
    "tried_here": {
        "zh": "可以运行（{said}）。保存后，下一次提问时载入。",
        "en": "It can be run ({said}). Once saved, it is loaded with the next question.",
    },
    # The model that finds
    "embedding_name": {
        "zh": "内置、文件夹、名称或该地址的模型",
        "en": "Built in, a folder, a name, or a model at the address",
    },
    "embedding_help": {
        "zh": "内置模型：builtin:multilingual-e5-small，中英文同样好用。",
        "en": "The built-in one is builtin:multilingual-e5-small, equally good in Chinese and English.",
    },
    "embedding_address": {"zh": "地址（留空则在本机运行）", "en": "Address (empty: runs here)"},
    "embedding_cost": {
        "zh": "更换后，已有的 {passages} 个片段要重新计算，大约 {minutes} 分钟；完成前无法查找。",
        "en": "After a change the {passages} passages there are have to be embedded anew, about {minutes} minutes; "
        "until then nothing can be found.",
    },
    "reembed": {"zh": "为当前模型重新计算", "en": "Embed anew for this model"},
    "reembed_help": {
        "zh": "更换查找模型后使用。可以中断，之后接着进行。",
        "en": "After the model that finds was changed. It can be interrupted and goes on from there.",
    },
    "reembedding": {"zh": "正在重新计算", "en": "Embedding anew"},
    "reembed_stopped": {"zh": "已停止，下次接着进行。", "en": "Stopped; the next run goes on from here."},
    # Finding and answering
    "k": {"zh": "交给模型的片段数", "en": "Passages that the model reads"},
    "k_help": {
        "zh": "越多越全面，但回答更慢。",
        "en": "More of them see more, and make the answer slower.",
    },
    "lexical_weight": {"zh": "词语相对语义的权重", "en": "Words against meaning"},
    "lexical_weight_help": {
        "zh": "0 只看语义；越大越看重字面相同的词语。",
        "en": "0 looks at meaning alone; the higher, the more the very words count.",
    },
    "strictness": {"zh": "严格程度", "en": "Strictness"},
    "strictness_help": {
        "zh": "文档中有答案的把握达到多少才回答。越高，拒答越多，编造越少。",
        "en": "How likely the documents must hold the answer before one is given. Higher refuses more and invents less.",
    },
    "style": {"zh": "回答方式", "en": "Style of prompt"},
    "style_help": {"zh": "怎样要求模型回答。", "en": "How the model is asked to answer."},
    "preview": {"zh": "预览（不保存，也不调用模型）", "en": "Preview (saves nothing, asks no model)"},
    "preview_question": {"zh": "用哪个问题预览", "en": "The question to try it on"},
    "preview_show": {"zh": "显示预览", "en": "Show the preview"},
    "as_now": {"zh": "现在", "en": "As it is"},
    "as_set": {"zh": "改动后", "en": "As set above"},
    "would_refuse": {"zh": "会直接拒答：把握 {share}", "en": "Would refuse at once: {share} likely"},
    "would_answer": {"zh": "会回答：把握 {share}", "en": "Would answer: {share} likely"},
    "draft_decides": {
        "zh": "看模型写出的内容再定：把握 {share}",
        "en": "The model's draft decides: {share} likely so far",
    },
    # Documents
    "max_file_mb": {"zh": "单个文件上限（MB）", "en": "Largest file (MB)"},
    "max_file_mb_help": {"zh": "更大的文件不会收录。", "en": "Larger ones are left out."},
    "chinese_size": {"zh": "中文片段长度（字）", "en": "Length of a Chinese passage (characters)"},
    "english_size": {"zh": "英文片段长度（字符）", "en": "Length of an English passage (characters)"},
    "size_help": {
        "zh": "改动后，下次检查文件夹时会重新读取所有文件。",
        "en": "After a change all files are read anew when their folder is looked at next.",
    },
    "encoding": {"zh": "文本文件的编码", "en": "Encoding of text files"},
    "encoding_help": {
        "zh": "只用于无法判断编码的文本文件，如 gb18030、big5。",
        "en": "Only for text files whose own cannot be told, such as gb18030 or cp1252.",
    },
    "allow_urls": {"zh": "允许加入网页", "en": "Allow web pages"},
    "allow_urls_help": {
        "zh": "只会读取你给出的网址，不会自行抓取其他网页。",
        "en": "Only addresses that you give are fetched, and nothing that they link to.",
    },
}
