"""What reports say, in Chinese and English: the metrics, the steps at which a question goes wrong, headings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rag.types import Language

# Metric: what it means.
METRICS: Final[Mapping[str, Mapping[Language, str]]] = {
    "hit@1": {"zh": "排在第一的文档是对的", "en": "the first document found is right"},
    "hit@5": {"zh": "前五个文档中有对的", "en": "a right document among the first five"},
    "hit@10": {"zh": "前十个文档中有对的", "en": "a right document among the first ten"},
    "mrr": {"zh": "第一个对的文档排得多靠前", "en": "how high the first right document stands"},
    "ndcg@10": {"zh": "对的文档整体排得多靠前", "en": "how high all right documents stand"},
    "recall@5": {"zh": "对的文档有多少进了前五", "en": "share of right documents among the first five"},
    "recall@10": {"zh": "对的文档有多少进了前十", "en": "share of right documents among the first ten"},
    "evidence": {"zh": "模型读到的段落里含有答案", "en": "a passage that the model reads holds the answer"},
    "gold_contained": {"zh": "回答中含有正确答案", "en": "the answer holds a right answer"},
    "all_parts": {"zh": "回答中含有应有的每一部分", "en": "the answer holds every part that it should"},
    "exact_match": {"zh": "回答与正确答案完全一致", "en": "the answer is a right answer to the letter"},
    "f1": {"zh": "回答与正确答案的用词重合度", "en": "words shared with a right answer"},
    "judged_right": {"zh": "作裁判的模型认为答对了", "en": "a judge model calls the answer right"},
    "citation_precision": {"zh": "脚注中引对的比例", "en": "share of footnotes that are right"},
    "citation_recall": {"zh": "应引的文档被引到的比例", "en": "share of right documents that are cited"},
    "cited_right": {"zh": "引到正确文档的回答比例", "en": "answers with a footnote on a right document"},
    "citation_precision_document": {"zh": "脚注引到正确文档的比例", "en": "share of footnotes on a right document"},
    "citation_recall_document": {
        "zh": "正确文档被引到的比例",
        "en": "share of right documents that some footnote is on",
    },
    "citation_precision_page": {
        "zh": "脚注引到答案所在页的比例",
        "en": "share of footnotes on a page that holds the answer",
    },
    "citation_recall_page": {
        "zh": "答案所在页被引到的比例",
        "en": "right documents whose page with the answer is cited",
    },
    "citation_precision_span": {
        "zh": "脚注的引文含有答案的比例",
        "en": "share of footnotes whose quote holds the answer",
    },
    "citation_recall_span": {
        "zh": "答案原文被引到的比例",
        "en": "right documents whose words with the answer are quoted",
    },
    "refusal_recall": {"zh": "没有答案的问题被拒答的比例", "en": "unanswerable questions that are refused"},
    "false_refusal_rate": {
        "zh": "有答案却被拒答的比例（越低越好）",
        "en": "answerable ones that are refused (less is better)",
    },
    "refusal_precision": {"zh": "拒答中拒得对的比例", "en": "share of refusals that are right"},
    "refusal_f1": {"zh": "拒答的综合表现", "en": "refusals in one number"},
    "claims_supported": {
        "zh": "程序自己核对后认为有依据的语句比例",
        "en": "sentences that the program's own check calls supported",
    },
    "claims_flagged": {
        "zh": "程序自己标为无依据的语句比例（越低越好）",
        "en": "sentences that the program's own check flags (less is better)",
    },
    "seconds_p50": {"zh": "一半的问题在此时间内完成", "en": "half of the questions took no longer"},
    "seconds_p95": {"zh": "95% 的问题在此时间内完成", "en": "95 % of the questions took no longer"},
    "first_token_p50": {"zh": "出第一个字的时间（中位数）", "en": "median time to the first word"},
    "tokens_prompt": {
        "zh": "每个问题送给模型的词元数（平均）",
        "en": "tokens that the model is sent a question (mean)",
    },
    "tokens_answer": {"zh": "每个问题模型写出的词元数（平均）", "en": "tokens that it writes a question (mean)"},
}

# Step at which a question went wrong: its name, and what that means.
STEPS: Final[Mapping[str, Mapping[Language, tuple[str, str]]]] = {
    "not_asked": {
        "zh": ("没能问成", "提问时出了错，原因见问题下方"),
        "en": ("not asked", "asking failed; the reason stands below the question"),
    },
    "not_indexed": {
        "zh": ("没有入库", "答案所在的文档没有读出文字"),
        "en": ("not indexed", "no text was read from the documents that hold the answer"),
    },
    "not_retrieved": {
        "zh": ("没有找到", "含有答案的段落不在找到的段落之中"),
        "en": ("not retrieved", "no passage that holds the answer was found"),
    },
    "cut": {
        "zh": ("没给模型看", "找到了含有答案的段落，但排得靠后或放不下，模型没有读到"),
        "en": (
            "cut from the prompt",
            "a passage that holds the answer was found, and the model did not get to read it",
        ),
    },
    "wrongly_refused": {
        "zh": ("错误拒答", "模型读到了含有答案的段落，却拒答或反问了"),
        "en": ("wrongly refused", "the model read the answer, and yet the question was refused or asked back"),
    },
    "not_used": {
        "zh": ("没有用上", "模型读到了含有答案的段落，回答里却没有"),
        "en": ("not used by the model", "the model read the answer and did not give it"),
    },
    "wrongly_cited": {
        "zh": ("引错出处", "答案对了，但没有一个脚注引到答案所在之处"),
        "en": ("wrongly cited", "the answer is right, but no footnote leads to where it stands"),
    },
    "wrongly_answered": {
        "zh": ("该拒未拒", "文档中没有答案，却没有拒答"),
        "en": ("wrongly answered", "the documents don't hold the answer, and yet it was given"),
    },
}

WORDS: Final[Mapping[str, Mapping[Language, str]]] = {
    "evaluation_report": {"zh": "评测报告", "en": "Evaluation report"},
    "count": {
        "zh": "{count} 个问题，其中 {failed} 个有问题",
        "en": "{count} questions, {failed} of them with a problem",
    },
    "metrics": {"zh": "指标", "en": "Metrics"},
    "metric": {"zh": "指标", "en": "Metric"},
    "value": {"zh": "数值", "en": "Value"},
    "interval": {"zh": "95% 区间", "en": "95 % interval"},
    "meaning": {"zh": "含义", "en": "What it means"},
    "by": {"zh": "按 {field}", "en": "By {field}"},
    "went_wrong": {"zh": "问题出在哪一步", "en": "Where it went wrong"},
    "step": {"zh": "环节", "en": "Step"},
    "questions": {"zh": "问题", "en": "Questions"},
    "nothing_wrong": {"zh": "没有一个问题出错。", "en": "Nothing went wrong."},
    "plot_metrics": {"zh": "各项指标及 95% 区间", "en": "Metrics with their 95 % intervals"},
    "plot_risk": {"zh": "风险与覆盖率", "en": "Risk and coverage"},
    "plot_risk_about": {
        "zh": "每个点是一种严格程度：越往右答得越多，越往上答了越多没有答案的问题。圆圈是当前的设置。",
        "en": "A point for each strictness: the further right, the more is answered; the higher, the more of that has no "
        "answer in the documents. The ring is the present setting.",
    },
    "plot_reliability": {"zh": "把握有多可靠", "en": "Is the probability what it says?"},
    "plot_reliability_about": {
        "zh": "程序认为有答案的概率，与实际有答案的比例；落在虚线上最好。点越大，问题越多。",
        "en": "The probability that there is an answer, against the share of questions that had one; on the dashed line is "
        "best. Larger points hold more questions.",
    },
    "plot_seconds": {"zh": "用时", "en": "Time taken"},
    "coverage": {"zh": "回答的比例", "en": "share answered"},
    "risk": {"zh": "其中没有答案的比例", "en": "share of these without an answer"},
    "probability": {"zh": "程序给出的概率", "en": "probability told"},
    "share": {"zh": "实际有答案的比例", "en": "share that had an answer"},
    "seconds": {"zh": "秒", "en": "seconds"},
    "failed_questions": {"zh": "出错的问题", "en": "Questions that went wrong"},
    "wanted": {"zh": "应答", "en": "Wanted"},
    "a_refusal": {"zh": "文档中没有答案，应当拒答", "en": "a refusal: the documents don't hold it"},
    "answered": {"zh": "回答", "en": "Answered"},
    "refused": {"zh": "拒答", "en": "Refused"},
    "cited": {"zh": "引用", "en": "Cited"},
    "found": {"zh": "找到", "en": "Found"},
    "shown": {"zh": "给模型的段落", "en": "Passages for the model"},
    "relevant": {"zh": "答案所在", "en": "Relevant"},
    "page": {"zh": "第 {page} 页", "en": "page {page}"},
    "failure": {"zh": "出错", "en": "Failed"},
    "since": {"zh": "与基准相比", "en": "Since the baseline"},
    "before": {"zh": "之前", "en": "Before"},
    "after": {"zh": "之后", "en": "After"},
    "difference": {"zh": "差别（95% 区间）", "en": "Difference (95 %)"},
    "luck": {"zh": "纯属偶然的概率", "en": "p (luck)"},
    "verdict": {"zh": "结论", "en": "So"},
    "better": {"zh": "变好", "en": "better"},
    "worse": {"zh": "变差", "en": "worse"},
    "level": {"zh": "无明显差别", "en": "no clear difference"},
    "won": {"zh": "变好的问题（{count}）", "en": "Questions won ({count})"},
    "lost": {"zh": "变差的问题（{count}）", "en": "Questions lost ({count})"},
    "set_otherwise": {"zh": "设置的不同", "en": "What was set otherwise"},
    "no_common": {"zh": "两份报告没有共同的问题。", "en": "The two reports have no question in common."},
    "made_with": {"zh": "运行环境", "en": "Made with"},
    "made_on": {"zh": "{models}；代码 {commit}；{machine}", "en": "{models}; commit {commit}; {machine}"},
    "settings": {"zh": "设置", "en": "Settings"},
    "judge_agrees": {
        "zh": "裁判（{model}）与“回答中含有正确答案”的判断有 {agreement} 一致，Cohen κ = {kappa}（n = {n}）。",
        "en": "The judge ({model}) agrees with gold_contained on {agreement} of {n} answers, Cohen's κ = {kappa}.",
    },
}


def step_names(language: Language) -> dict[str, str]:
    """What each step is called; nothing for no step."""
    return {"": ""} | {step: texts[language][0] for step, texts in STEPS.items()}


def number(metric: str, value: float) -> str:
    """A metric's value as a person reads it."""
    if metric.startswith(("seconds", "first_token")):
        return f"{value:.2f} s"
    return f"{value:.0f}" if metric.startswith("tokens") else f"{value:.3f}"
