"""The words of signing in and who may do what, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "refused_address": {
        "zh": "这里要先登录才会显示内容，但还没有人可以登录（服务器监听在 {address}）。"
        "请先用 `python -m rag users add 名字 --role admin` 添加用户，或只在本机使用：`python -m rag serve`。",
        "en": "People sign in here before anything is shown, and nobody can yet: this server listens on {address}. "
        "Add somebody with `python -m rag users add NAME --role admin`, or keep to this machine with "
        "`python -m rag serve`.",
    },
    "every_address": {"zh": "所有网络地址", "en": "every network address"},
    "refused_forwarded": {
        "zh": "此请求是经代理转发而来的，而这里不需要登录，因此不显示任何内容。"
        '请在 footnote.toml 的 `[access]` 一节写上 `sign_in = "always"`，'
        "或用 `python -m rag serve --host 域名` 启动。",
        "en": "This request was passed on by a proxy, and nobody has to sign in here. So nothing is shown. "
        'Write `sign_in = "always"` under `[access]` in footnote.toml, or start with `python -m rag serve --host NAME`.',
    },
    "sign_in": {"zh": "登录", "en": "Sign in"},
    "sign_in_with": {"zh": "用 {provider} 登录", "en": "Sign in with {provider}"},
    "sign_in_provider": {"zh": "单位账号", "en": "your organisation's account"},
    "sign_out": {"zh": "退出", "en": "Sign out"},
    "person_name": {"zh": "用户名", "en": "Name"},
    "person_password": {"zh": "密码", "en": "Password"},
    "wrong_password": {
        "zh": "用户名或密码不对。如果忘了密码，请管理员重设。",
        "en": "This name and password don't go together. If you have forgotten it, an admin can give you a new one.",
    },
    "too_many_tries": {
        "zh": "输错的次数太多，请在 {seconds} 秒后再试。",
        "en": "Too many wrong passwords. Try again in {seconds} seconds.",
    },
    "not_on_list": {
        "zh": "你已用 {email} 登录，但还没有权限。请管理员把这个地址加到用户列表里。",
        "en": "You are signed in as {email}, but have no access yet. Ask an admin to put this address on the list of people.",
    },
    "email_not_verified": {
        "zh": "登录服务没有确认 {email} 属于你，因此不能进入。请联系管理员。",
        "en": "The sign-in service does not vouch that {email} is yours, so you cannot come in. Ask an admin.",
    },
    "role_reader": {"zh": "读者", "en": "reader"},
    "role_curator": {"zh": "编辑", "en": "curator"},
    "role_admin": {"zh": "管理员", "en": "admin"},
    "people": {"zh": "用户", "en": "People"},
    "people_about": {
        "zh": "读者可以提问，编辑还可以更改文档，管理员可以更改一切。",
        "en": "Readers ask, curators also change documents, admins change everything.",
    },
    "people_none": {
        "zh": "还没有用户。只在本机使用时不需要登录；要让其他人访问，请先添加一位管理员。",
        "en": "Nobody yet. On this machine alone nobody has to sign in; before others can reach it, add an admin.",
    },
    "person_add": {"zh": "添加用户", "en": "Add a person"},
    "person_change": {"zh": "更改", "en": "Change"},
    "person_name_help": {
        "zh": "通过登录服务进来的人，请填写其邮箱地址，密码留空。",
        "en": "For somebody who comes through a sign-in service: their e-mail address, and no password.",
    },
    "person_role": {"zh": "角色", "en": "Role"},
    "shared_kbs": {"zh": "可用的知识库", "en": "Knowledge bases shared with them"},
    "shared_all": {"zh": "全部知识库", "en": "all knowledge bases"},
    "shared_none": {"zh": "还没有可用的知识库", "en": "nothing shared yet"},
    "new_password": {"zh": "新密码（留空则不变）", "en": "New password (leave empty to keep it)"},
    "password_help": {"zh": "至少 {least} 个字符。", "en": "At least {least} characters."},
    "password_short": {"zh": "密码至少要有 {least} 个字符。", "en": "A password needs at least {least} characters."},
    "no_password": {"zh": "无密码", "en": "no password"},
    "person_you": {"zh": "你", "en": "you"},
    "person_save": {"zh": "保存", "en": "Save"},
    "person_remove": {"zh": "移除此人", "en": "Remove this person"},
    "person_remove_sure": {
        "zh": "{name} 将不能再登录，其对话也会一并删除。",
        "en": "{name} can no longer sign in, and their conversations are deleted.",
    },
    "person_remove_yes": {"zh": "移除并删除对话", "en": "Remove and delete"},
}
