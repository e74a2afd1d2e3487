"""The words of the search tester, in Chinese and English."""

from __future__ import annotations

from ui.words import Words

WORDS: Words = {
    "search": {"zh": "查找测试", "en": "Search tester"},
    "search_about": {
        "zh": "看一个问题按语义和按词语各找到什么，两者如何合成，为什么。不调用回答的模型。",
        "en": "See what a question finds by meaning and by words, how the two are put together, and why. "
        "The model that answers is not asked.",
    },
    "search_question": {"zh": "输入一个问题或几个词", "en": "A question or a few words"},
    "search_k": {"zh": "显示片段数", "en": "Passages"},
    "fused": {"zh": "合成后的顺序", "en": "Put together"},
    "two_halves": {"zh": "两种排序", "en": "The two rankings"},
    "passed_over": {"zh": "未入选的", "en": "Passed over"},
    "ranked_by_meaning": {"zh": "按语义", "en": "By meaning"},
    "ranked_by_words": {"zh": "按词语", "en": "By words"},
    "nothing_ranked": {"zh": "没有。", "en": "Nothing."},
    "nothing_cut": {"zh": "没有未入选的片段。", "en": "Nothing was passed over."},
    "searched": {"zh": "查找了 {count} 个片段", "en": "{count} passages searched"},
    "hidden": {"zh": "筛选排除了 {count} 个", "en": "the filter kept {count} out"},
    "asked_as": {"zh": "实际查找：{query}", "en": "searched as: {query}"},
    "made_of": {
        "zh": "得分 {score} = 语义 {meaning} + {weight} × 词语 {words}",
        "en": "score {score} = meaning {meaning} + {weight} × words {words}",
    },
    "matched": {"zh": "对上的词", "en": "matched"},
    "cut_beyond": {"zh": "排在前 {count} 个之后", "en": "behind the {count} best"},
    "cut_repeats": {"zh": "与第 {rank} 个重复", "en": "repeats number {rank}"},
    "cut_repeats_cut": {"zh": "与另一个未入选的片段重复", "en": "repeats a passage that is passed over itself"},
}
