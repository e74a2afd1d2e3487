"""The words of the evaluation page, in Chinese and English."""

from __future__ import annotations

from evaluation.words import METRICS, STEPS
from ui.words import Words

WORDS: Words = {
    "evaluation_about": {
        "zh": "用一组问题衡量这个知识库：找得准不准，答得对不对，该拒答时是否拒答。",
        "en": "Measure this knowledge base over a set of questions: does it find the right passages, answer rightly, "
        "and refuse where it should?",
    },
    "question_set": {"zh": "问题集", "en": "Question set"},
    "collected_set": {"zh": "从提问中收集的问题", "en": "Collected from the chat"},
    "drafted_set": {"zh": "从文档起草的问题", "en": "Drafted from the documents"},
    "feedback_set": {"zh": "从反馈得来的问题", "en": "Made of feedback"},
    "no_set": {
        "zh": "还没有问题集。可以上传一个，或在提问页的回答下方点“加入问题集”。",
        "en": "No question set yet. Upload one, or add questions from the chat with the button under an answer.",
    },
    "bring_set": {"zh": "上传问题集", "en": "Upload a question set"},
    "set_format": {
        "zh": 'JSONL 文件，每行一个问题：{{"question": …, "answers": […], "relevant": [文档名]}}；'
        '文档中没有答案的问题加上 "answerable": false。也可以是带有“问题、答案、来源”三列的 CSV 表格，'
        "或 SQuAD、CMRC 2018 格式的 JSON。",
        "en": 'A JSONL file, one question a line: {{"question": …, "answers": […], "relevant": [documents]}}; '
        '"answerable": false for one that the documents do not answer. Or a CSV table with the columns question, answer and '
        "source, or SQuAD’s or CMRC 2018’s JSON.",
    },
    "look_at_set": {"zh": "查看和修改问题", "en": "Look at the questions"},
    "drafts_left": {
        "zh": "其中 {count} 个是模型起草的，还没有人看过。逐个核对，对的点“正确”，不对的改正或删除。",
        "en": "{count} of them were drafted by a model and nobody has looked at them yet. Call each right, mend it or delete it.",
    },
    "draft": {"zh": "草稿", "en": "draft"},
    "is_right": {"zh": "正确", "en": "Right"},
    "unanswerable": {"zh": "文档中没有答案，应当拒答", "en": "not in the documents: to be refused"},
    "edit_set_question": {"zh": "修改问题的标准答案", "en": "What is right for this question"},
    "answerable": {"zh": "文档中有答案", "en": "The documents hold the answer"},
    "right_answers": {"zh": "正确答案", "en": "Right answers"},
    "right_answers_help": {"zh": "每行一种说法。", "en": "One way to put it a line."},
    "relevant": {"zh": "答案所在的文档", "en": "Documents that hold it"},
    "download_set": {"zh": "下载", "en": "Download"},
    "delete_set": {"zh": "删除问题集", "en": "Delete the set"},
    "delete_set_sure": {"zh": "删除问题集“{name}”？", "en": "Delete the question set “{name}”?"},
    "first_questions": {"zh": "问多少个", "en": "How many"},
    "first_questions_help": {
        "zh": "少于全部时随机抽取，每次抽到的相同。",
        "en": "Fewer than all are drawn at random, the same ones every time.",
    },
    "withhold": {"zh": "隐藏文档再问", "en": "Asked again, hidden"},
    "withhold_help": {
        "zh": "把这么多个问题的文档藏起来再问一遍，看是否会拒答。",
        "en": "So many questions are asked again with their documents hidden, to see whether they are refused.",
    },
    "with_answers": {"zh": "包括回答", "en": "With answers"},
    "with_answers_help": {
        "zh": "让模型逐一作答，较慢；不选则只衡量查找。",
        "en": "The model answers each question, which is slow; otherwise only finding is measured.",
    },
    "run": {"zh": "开始评测", "en": "Run"},
    "running": {"zh": "{name}：{done} / {total} 个问题", "en": "{name}: {done} of {total} questions"},
    "run_by": {"zh": "由 {name} 开始", "en": "begun by {name}"},
    "reports": {"zh": "报告", "en": "Reports"},
    "report": {"zh": "报告", "en": "Report"},
    "partial_report": {
        "zh": "这次评测中途停止，只包括已问过的问题。",
        "en": "This run was stopped: it holds the questions that were asked until then.",
    },
    "metrics": {"zh": "指标", "en": "Metrics"},
    "plots": {"zh": "图表", "en": "Plots"},
    "questions": {"zh": "问题", "en": "Questions"},
    "compare": {"zh": "对比", "en": "Compare"},
    "metric": {"zh": "指标", "en": "Metric"},
    "value": {"zh": "数值", "en": "Value"},
    "meaning": {"zh": "含义", "en": "What it means"},
    "made_with": {"zh": "{count} 个问题；{models}", "en": "{count} questions; {models}"},
    "delete_report": {"zh": "删除报告", "en": "Delete the report"},
    "plot_intervals": {"zh": "各项指标及 95% 区间", "en": "Metrics with their 95 % intervals"},
    "plot_risk": {"zh": "严格程度的取舍", "en": "What strictness trades"},
    "plot_risk_about": {
        "zh": "调高严格程度，会拒掉更多没有答案的问题，也会错拒更多有答案的。虚线是当前的设置。",
        "en": "Stricter refuses more of what is not there, and wrongly more of what is. The dashed line is the present setting.",
    },
    "refused_rightly": {"zh": "应拒答而拒答", "en": "refused rightly"},
    "refused_wrongly": {"zh": "有答案却拒答", "en": "refused wrongly"},
    "plot_slices": {"zh": "按类别", "en": "By kind of question"},
    "slice": {"zh": "类别", "en": "Kind"},
    "plot_seconds": {"zh": "用时", "en": "Time taken"},
    "seconds": {"zh": "秒", "en": "seconds"},
    "show": {"zh": "显示", "en": "Show"},
    "show_failed": {"zh": "有问题的", "en": "With a problem"},
    "show_all": {"zh": "全部", "en": "All"},
    "no_such_question": {"zh": "没有这样的问题。", "en": "No such question."},
    "wanted": {"zh": "应答", "en": "wanted"},
    "found": {"zh": "找到", "en": "found"},
    "no_other_report": {"zh": "还没有另一份报告可以对比。", "en": "There is no other report to compare with yet."},
    "compare_with": {"zh": "与此前的报告对比", "en": "Compare with an earlier report"},
    "not_comparable": {
        "zh": "两份报告没有共同的问题，无法对比。",
        "en": "The two reports have no question in common and cannot be compared.",
    },
    "alone": {
        "zh": "有 {count} 个问题只出现在其中一份报告里，未参与对比。",
        "en": "{count} questions are in one of the reports only and are left out.",
    },
    "before": {"zh": "之前", "en": "Before"},
    "after": {"zh": "之后", "en": "After"},
    "difference": {"zh": "差别（95% 区间）", "en": "Difference (95 %)"},
    "verdict": {"zh": "结论", "en": "So"},
    "better": {"zh": "变好", "en": "better"},
    "worse": {"zh": "变差", "en": "worse"},
    "level": {"zh": "无明显差别", "en": "no clear difference"},
    "got_better": {"zh": "变好的问题", "en": "Questions that got better"},
    "got_worse": {"zh": "变差的问题", "en": "Questions that got worse"},
    "luck": {"zh": "纯属偶然的概率", "en": "p (luck)"},
    "lost_at": {"zh": "变差的问题出在：{steps}", "en": "Lost at: {steps}"},
    "set_otherwise": {"zh": "设置的不同", "en": "What was set otherwise"},
    # What each metric means, and at which step a question went wrong
    **{f"metric_{name}": dict(texts) for name, texts in METRICS.items()},
    **{f"step_{step}": {spoken: name for spoken, (name, _) in texts.items()} for step, texts in STEPS.items()},
    **{f"about_step_{step}": {spoken: about for spoken, (_, about) in texts.items()} for step, texts in STEPS.items()},
}
