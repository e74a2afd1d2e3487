"""Writes the sample documents that are not plain text: two PDF files and two DOCX files.

Run it only after editing the texts below; the results lie in `data/docs/` and are
committed, so the program itself never needs this script:

    pip install reportlab python-docx
    apt-get install fonts-wqy-microhei
    python data/make_samples.py

The Chinese PDF embeds the glyphs it uses from WenQuanYi Micro Hei (Apache 2.0), so that
it can be read on any machine; `--font FILE` names another TrueType font. The same texts,
library versions and font give the same bytes.

The texts use a small mark-up, one block a line: `# title`, `## section`, `- item`,
`1. item`, `| cell | cell |` (the first row of a table is its head); any other line is a
paragraph. Empty lines are for the eye only. A text for DOCX holds at most one numbered
list, because Word would go on counting in the next.
"""

from __future__ import annotations

import argparse
import re
import zipfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from docx import Document
from docx.document import Document as Docx
from reportlab.lib import colors
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

DOCS = Path(__file__).parent / "docs"
CJK_FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")

MARGIN = 16 * mm
GRID = [
    ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
    ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]

LONG_CONTEXT = """\
# 长上下文：让模型读得更多
上下文窗口是模型一次能处理的词元总数，输入与输出都算在内。窗口短，长文件就要切碎，多轮对话就会忘记开头。本篇说明窗口为什么有限、位置如何编码、怎样在训练之后扩展窗口，以及窗口变长之后是否真的有用。
## 一、窗口为什么有限
第一个原因是计算量。自注意力要比较每两个词元，序列长度加倍，注意力的计算量变为四倍。第二个原因是显存：生成时要保存每个词元的键与值，缓存随长度线性增长。第三个原因是训练：长文本少，训练时模型没有见过的位置，推理时便不认识。
各代模型的窗口增长很快。BERT 为 512 个词元，GPT-2 为 1,024，GPT-3 为 2,048，Llama 2 为 4,096。2023 年 5 月，Anthropic 把 Claude 的窗口扩大到 10 万；同年 11 月的 GPT-4 Turbo 为 12.8 万，Claude 2.1 为 20 万；2024 年 2 月的 Gemini 1.5 Pro 达到 100 万。
## 二、位置编码
注意力本身不分先后，词序要靠位置编码告诉模型。
- 正弦编码：2017 年的原始 Transformer 用不同频率的正弦与余弦函数生成位置向量，加在词向量上，不需要训练。
- 可学习的绝对位置：BERT 与 GPT-2 为每个位置学一个向量，超出训练长度的位置没有向量可用。
- ALiBi：2021 年由普雷斯（Press）等人提出，不用位置向量，而是按两个词元的距离给注意力分数减去一个线性增长的惩罚。8 个头的斜率依次为 1/2、1/4，直到 1/256。论文在 1,024 长度上训练的 13 亿参数模型，外推到 2,048 时与直接在 2,048 上训练的正弦编码模型困惑度相当，训练却快 11%，内存少用 11%。
- 旋转位置编码（RoPE）：2021 年由苏剑林等人在 RoFormer 一文中提出，把查询与键的分量两两配对，按位置旋转一个角度。两个词元的内积只与它们的相对距离有关。
RoPE 各对分量的转速不同，底数通常取 10,000：第一对每前进一个位置旋转 1 弧度，越往后转得越慢。每个头 128 维时共有 64 对。转得快的分量分辨近处的次序，转得慢的分量反映远处的位置。LLaMA、GPT-J、Qwen 与 PaLM 都采用 RoPE。
常有人说 RoPE 天然可以外推，这并不准确。不作任何处理时，超出训练长度后困惑度会急剧上升，因为慢分量转到了训练中没有见过的角度。
## 三、扩展已有模型的窗口
扩展的共同思路是让新的长度落回模型熟悉的角度范围。
| 方法 | 时间 | 做法 | 是否需要微调 |
| 位置插值（PI）| 2023 年 6 月 | 所有位置按比例压缩 | 需要，约 1,000 步 |
| NTK 感知缩放 | 2023 年 6 月 | 改变底数，快分量少动，慢分量多动 | 可以不需要 |
| YaRN | 2023 年 8 月 | 分频段处理，并调整注意力的温度 | 需要，步数更少 |
| 增大底数 | 2023 年 8 月 | 把底数从 10,000 提高后继续训练 | 需要 |
### 位置插值
位置插值由 Meta 的研究者提出。要把窗口从 2,048 扩到 32,768，就把位置编号都除以 16，于是第 32,768 个位置相当于原来的第 2,048 个。论文证明插值的注意力分数上界比外推小约 600 倍，所以稳定得多。LLaMA 只需微调约 1,000 步就能适应。它的缺点是相邻词元的角度差也被压缩，短文本上的表现略有下降。
### NTK 感知缩放
一位网名为 bloc97 的用户在 Reddit 论坛上提出了这种方法：不压缩位置编号，而是增大底数，使快分量几乎不变，慢分量充分压缩。它不经微调就能把窗口扩大数倍。动态版本随当前长度调整底数，短文本因而完全不受影响。
### YaRN
YaRN 把分量按波长分为三段：短波不变，长波插值，中间平滑过渡，再给注意力分数乘一个温度系数。作者报告，与此前的方法相比，所需的训练词元少到十分之一，训练步数少到五分之二。他们把 Llama 2 扩展到了 12.8 万。
### 增大底数
Code Llama 把底数提高到 1,000,000，用 16,384 长度的样本继续训练，在长达 10 万词元的输入上仍能稳定工作。Llama 3 的底数为 500,000。Llama 3.1 在预训练的最后阶段，分六步把窗口从 8 千逐渐增加到 12.8 万。
## 四、减轻计算的负担
### 稀疏与滑动窗口
Longformer 于 2020 年提出，每个词元只看附近 512 个词元的窗口，另设少数能看到全文的全局词元，输入长度达到 4,096。Mistral 7B 的滑动窗口为 4,096 个词元，共 32 层，信息逐层传递，理论上能影响到约 13.1 万个词元之外。
StreamingLLM 于 2023 年 9 月提出。作者发现模型总把大量注意力放在最开头的几个词元上，称之为“注意力汇”。只要永远保留开头的 4 个词元，再加一个滑动窗口，模型就能连续处理 400 万个词元而不崩溃。但被移出窗口的内容仍然是忘记了，它延长的是工作时间，不是记忆。
### FlashAttention
FlashAttention 由斯坦福大学的 Tri Dao 等人于 2022 年 5 月提出。它不减少运算，而是减少读写：把矩阵分块放进芯片上的高速缓存，边读边算，从不把完整的注意力矩阵写回显存。结果与标准注意力完全相同，内存占用由平方降为线性，训练 GPT-2 快到 3 倍。2023 年 7 月的第二版又快了约一倍。
### 多查询与分组查询
2019 年沙泽尔（Shazeer）提出多查询注意力（MQA），所有查询头共用一组键和值。2023 年谷歌的分组查询注意力（GQA）取其折中，几个查询头共用一组。Llama 2 70B 有 64 个查询头，只有 8 组键和值，缓存因此缩小到八分之一。
## 五、窗口长不等于读得懂
2023 年 7 月，Liu 等人的论文《迷失在中间》让模型从多篇文档中找答案，移动答案所在的位置。答案在开头或末尾时正确率最高，在中间时明显下降，曲线呈 U 形。材料多时，应把最重要的段落放在两端。
“大海捞针”由卡姆拉特（Greg Kamradt）在 2023 年 11 月推广：在长文中插入一句不相干的话，再问模型这句话的内容。它只考查查找，太容易。英伟达 2024 年 4 月发布的 RULER 含 13 个任务，分为检索、多跳追踪、聚合、问答四类。受测的模型都自称支持 32K 以上，却约有一半在 32K 长度上已不能令人满意。
## 六、实用建议
1. 先用检索缩小范围，再考虑更长的窗口：短输入更快、更便宜，也更容易核对。
2. 扩展窗口之后，务必同时测试短文本，防止顾此失彼。
3. 不要只看“大海捞针”，要用自己的长文件和需要综合多处信息的问题来测试。
4. 估算显存时要算上键值缓存，并发用户越多，缓存越大。
"""

ALIGNMENT = """\
# 对齐：从人类反馈到直接偏好优化
经过预训练和指令微调，模型已经会做事，但未必按人们希望的方式做事。对齐的目的，是让模型的行为符合人的意图与价值。Anthropic 的阿斯克尔（Askell）等人在 2021 年把目标概括为三个词：有用、诚实、无害，英文缩写为 HHH。
## 一、基于人类反馈的强化学习
### 来历
2017 年，OpenAI 与 DeepMind 的研究者（克里斯蒂亚诺等人）让人比较两段动作录像，由此训练奖励，教会模拟机器人后空翻，只用了约 900 次比较。2020 年，OpenAI 把这一方法用于文本摘要。2022 年 3 月的 InstructGPT 论文把它用到通用的指令上，ChatGPT 沿用了同样的路线。
### InstructGPT 的三个步骤
1. 有监督微调：约 40 名标注员写出示范回答，用约 1.3 万条提示微调 GPT-3。
2. 训练奖励模型：对同一条提示生成 4 至 9 个回答，由标注员排序，用约 3.3 万条提示的排序数据训练一个 60 亿参数的奖励模型。
3. 强化学习：用近端策略优化（PPO）提高奖励，使用约 3.1 万条提示。
结果颇为惊人：在人的评判中，13 亿参数的 InstructGPT 比 1750 亿参数的 GPT-3 更受欢迎，而前者的参数不到后者的百分之一。
### 奖励模型
奖励模型给每个回答一个分数。两个回答中前者胜出的概率，等于两者分数之差的 sigmoid 函数值，这就是 1952 年提出的布拉德利—特里（Bradley-Terry）模型。比较远比打分可靠：不同的人给同一个回答打的绝对分数相差很大，对两个回答孰优孰劣却容易取得一致。
### 两个常见的问题
奖励只是人的偏好的近似。优化过度时，模型会钻奖励的空子，写出得分高而质量差的回答，这称为奖励作弊。因此要加上一项 KL 散度惩罚，不让模型离微调后的起点太远。
对齐之后，模型在一些公开基准上的成绩会下降，这称为对齐税。InstructGPT 的办法是在强化学习时混入预训练数据的梯度，这个变体叫 PPO-ptx。
## 二、直接偏好优化
直接偏好优化（DPO）由斯坦福大学的拉法伊洛夫（Rafailov）等人于 2023 年 5 月提出。他们证明，带 KL 惩罚的奖励最大化问题有解析解，最优策略与奖励之间可以互相换算。于是奖励模型不必单独训练：只要用偏好对，直接提高胜出回答相对于参考模型的概率，降低落败回答的概率即可。论文的副标题说得很形象：语言模型其实暗中就是一个奖励模型。
DPO 训练时不需要从模型采样，实现如同一般的微调。参数 β 控制与参考模型的距离，常取 0.1 至 0.5，β 越小，允许偏离越远。它的弱点是只从固定的数据学习，偏好数据与模型自己的输出相差太大时，效果会变差。
## 三、其他方法
- 宪法式人工智能：Anthropic 于 2022 年 12 月提出，由模型依照一份书面原则批评并修改自己的回答，再由模型代替人作无害性的比较。用 AI 反馈代替人的反馈，称为 RLAIF。
- IPO：谷歌 DeepMind 于 2023 年提出，修正 DPO 在偏好近乎确定时容易过拟合的问题。
- KTO：2024 年提出，只需标明每个回答好或不好，不需要成对比较，得名于前景理论的创立者卡尼曼与特沃斯基。
- ORPO：2024 年提出，把偏好项并入有监督微调的损失，连参考模型也省去。
- GRPO：出自 2024 年 2 月的 DeepSeekMath，仍是强化学习，但对同一问题采样一组回答，以组内平均分为基准，从而省去价值模型。
## 四、方法比较
下表中的“模型个数”指训练时需要同时装入内存的模型。
| 方法 | 提出年份 | 单独的奖励模型 | 训练时采样 | 模型个数 |
| RLHF（PPO）| 2022 | 需要 | 需要 | 4 |
| DPO | 2023 | 不需要 | 不需要 | 2 |
| KTO | 2024 | 不需要 | 不需要 | 2 |
| ORPO | 2024 | 不需要 | 不需要 | 1 |
PPO 的四个模型是：正在训练的策略、参考模型、奖励模型和价值模型。
## 五、一个完整的例子：Llama-2-Chat
2023 年 7 月，Meta 公布了 Llama-2-Chat 的训练细节，是当时最详尽的公开记录之一。
- 有监督微调只用了 27,540 条高质量标注。作者认为，几万条精心编写的数据胜过几百万条质量参差的数据。
- 收集了一百四十余万条二元比较，每条由标注员在两个回答中选优，并注明优势的大小。
- 训练两个奖励模型，一个管有用，一个管安全，因为两者常常互相抵触。
- 强化学习共迭代五版。前四版只用拒绝采样：一次生成多个回答，挑出奖励最高的来微调；最后一版在此之后再用 PPO。
- 为了让模型在多轮对话中始终遵守开头的要求，提出了“幽灵注意力”（Ghost Attention）。
## 六、对齐的局限
标注员代表不了所有人，偏好数据难免带有他们的文化与习惯。模型可能学会迎合：使用者坚持错误的看法时，它随声附和。过分强调安全又会造成误拒，例如把“怎样终止一个 Python 进程”当作危险的问题。对齐降低了风险，却没有给出保证，重要的场合仍需人来把关。
"""

QUANTISATION = """\
# Quantisation and small devices
A model that answers well on a server is of little use on a telephone if it does not fit. This chapter explains how models are made smaller: by storing numbers in fewer bits, by removing weights, by teaching a smaller model, and by building small models well from the start.
## 1. Why memory decides
Writing one token requires reading every weight once. On a small device the memory is therefore the limit twice over: it decides whether the model can be loaded at all, and its bandwidth decides how fast the model writes. Halving the bits halves the size and nearly doubles the speed.
The table gives the size of the weights alone; the key-value cache and the program come on top.
| Parameters | FP32 | FP16 or BF16 | INT8 | INT4 |
| 1 billion | 4 GB | 2 GB | 1 GB | 0.5 GB |
| 7 billion | 28 GB | 14 GB | 7 GB | 3.5 GB |
| 13 billion | 52 GB | 26 GB | 13 GB | 6.5 GB |
| 70 billion | 280 GB | 140 GB | 70 GB | 35 GB |
## 2. How quantisation works
Quantisation maps real numbers to a few levels. In the simplest form, absmax quantisation, a group of weights is divided by its largest absolute value and rounded to integers, and the divisor is kept as the scale. Asymmetric quantisation also keeps a zero point, which suits values that are all of one sign.
The size of the group matters. One scale for a whole matrix is cheap but a single large weight spoils the precision of all others. Small groups cost a little more: in the Q4_0 format of llama.cpp, 32 weights share one 16-bit scale, which makes 4.5 bits per weight in all. Q8_0 comes to 8.5 bits by the same reckoning.
Post-training quantisation converts a finished model and needs minutes or hours. Quantisation-aware training imitates the rounding during training; it is dearer and pays off mostly below four bits.
## 3. Methods for large models
### LLM.int8()
Tim Dettmers and colleagues published LLM.int8() in August 2022. They found that from about 6.7 billion parameters upwards a few dimensions of the hidden states take very large values, and that ordinary 8-bit quantisation fails because of them. Their remedy is to keep dimensions with a magnitude of 6 or more, about 0.1% of all, in 16 bits and to compute the rest in 8. Models with 175 billion parameters then lose no measurable quality.
### GPTQ
GPTQ, of October 2022, quantises one column of a matrix after another and adjusts the columns still to come so that they make up for the error. It needs a small sample of text for calibration. A model with 175 billion parameters takes about four GPU hours and goes down to 3 or 4 bits; OPT-175B then fits on a single A100 with 80 GB.
### SmoothQuant
SmoothQuant (November 2022) quantises weights and activations alike to 8 bits. Since activations have outliers and weights hardly any, it divides each channel of the activations by a factor and multiplies the weights by the same factor. The difficulty moves from the one to the other while the product stays the same. A strength of 0.5 is the usual setting.
### AWQ
AWQ, activation-aware weight quantisation, came from the Massachusetts Institute of Technology in June 2023. It starts from the observation that about 1% of the weights matter far more than the rest, and that they are recognised by the size of the activations they meet, not by their own size. These channels are scaled up before rounding. AWQ received the best-paper award of the MLSys conference in 2024.
### How low can one go?
A study by Dettmers and Zettlemoyer in December 2022, with more than 35,000 experiments, asked which precision gives the best accuracy for a fixed total number of bits. The answer was almost always 4 bits: a larger model in 4 bits beats a smaller one in 8. At 3 bits the advantage was lost.
BitNet b1.58, from Microsoft in February 2024, is trained with weights that take only the values -1, 0 and 1. Three states hold log2(3), about 1.58 bits of information, hence the name. From 3 billion parameters upwards it matched a 16-bit model of the same size in the authors' tests.
The cache can be quantised as well. KIVI (February 2024) stores keys and values in 2 bits, keys by channel and values by token.
## 4. Pruning and distillation
Pruning removes weights. SparseGPT (January 2023) sets half of the weights of a 175-billion-parameter model to zero in under four and a half hours with little loss. Wanda, of June 2023, gives similar results without any update of the remaining weights: it removes those with the smallest product of magnitude and input norm. Scattered zeros save little time on ordinary hardware. NVIDIA GPUs since the Ampere generation accelerate the 2:4 pattern, in which two of every four neighbouring weights are zero.
Distillation trains a small model to imitate a large one. DistilBERT, published by Hugging Face in 2019, has 40% fewer parameters than BERT-Base, is 60% faster, and keeps 97% of its language-understanding ability.
## 5. Running a model locally
Georgi Gerganov published llama.cpp in March 2023, within days of the appearance of the LLaMA weights. It is written in C and C++, needs no other libraries, and runs on ordinary processors. Its file format GGUF replaced the earlier GGML format in August 2023. A GGUF file holds weights, tokenizer and settings together and can be mapped into memory, so that loading takes seconds.
Names such as Q4_K_M tell the recipe: about four bits, the K family with blocks inside super-blocks of 256 weights, and M for medium, which keeps some matrices at higher precision. On average it takes about 4.8 bits per weight.
## 6. Small models and telephones
Small models improve mainly through better data. Phi-3-mini, with 3.8 billion parameters, was trained on 3.3 trillion tokens of heavily filtered web text and synthetic data. In 4 bits it occupies about 1.8 GB, and on an iPhone 14 it wrote more than 12 tokens per second without a network connection.
Energy is a limit of its own. The authors of MobileLLM (Meta, February 2024) reckon with 0.1 joule per token for every billion parameters. A full iPhone battery holds about 50 kilojoules, so that a model with 7 billion parameters writing 10 tokens per second would empty it in less than two hours. Their own models have 125 and 350 million parameters; they found that at this size a deep and thin network is better than a wide and shallow one.
## 7. A checklist for deployment
1. Measure the memory that is really free, and subtract the cache for the longest context you need.
2. Start with 4 bits and go up to 8 only if the quality is not enough.
3. Compare on your own tasks. Average benchmarks hide losses in arithmetic, code and less common languages, which suffer first.
4. Watch the temperature of the device: after a few minutes of full load most telephones slow down.
5. Keep private data on the device, but remember that a model file on the device can be copied and studied by others.
"""

INSTRUCTION_TUNING = """\
# Instruction tuning
A pre-trained model continues text. Asked "What is the capital of Peru?", it may well go on with "What is the capital of Chile?", because lists of questions are common on the web. Instruction tuning, also called supervised fine-tuning or SFT, teaches it to answer. The model is trained on pairs of an instruction and a good response, with the same next-token loss as before.
## 1. The first generation: tasks rewritten as instructions
### FLAN
FLAN, by Google in September 2021, took 62 existing data sets in 12 groups and wrote ten templates for each, so that a classification task becomes a question in plain language. The model, LaMDA-PT with 137 billion parameters, was tested on groups of tasks held out from training. Without examples it beat GPT-3 on 20 of 25 data sets.
### T0
T0, by the BigScience project in October 2021, followed the same idea with an encoder-decoder model of 11 billion parameters. Its prompts were written by a community of volunteers. It equalled or beat GPT-3, a model sixteen times its size, on 9 of 11 held-out data sets.
### Flan-PaLM
In October 2022 Google raised the number of tasks to 1,836. Flan-PaLM with 540 billion parameters gained 9.4 percentage points on average over PaLM and reached 75.2% on MMLU with five examples. The tuning took only 0.2% of the computation of pre-training. Nine data sets with written-out reasoning were included; without them the ability to reason step by step declined.
## 2. The second generation: instructions written by models
Self-Instruct (December 2022) starts from 175 tasks written by people and lets GPT-3 invent further ones, which are filtered for quality and variety; this yielded about 52,000 instructions.
Alpaca, from Stanford University in March 2023, applied the recipe to LLaMA 7B, with text-davinci-003 as the writer. The data cost less than 500 US dollars, and training took three hours on eight A100 cards, for less than 100 dollars.
Vicuna, also of March 2023, was trained on about 70,000 conversations that users had shared on the ShareGPT site. Its authors judged it with GPT-4 and spoke of 90% of ChatGPT's quality, a figure they themselves called non-scientific.
Evol-Instruct, the method behind WizardLM (April 2023), lets a model make existing instructions step by step harder or more varied.
## 3. People as authors
Dolly 15k was written by more than 5,000 employees of Databricks in March and April 2023 and may be used commercially. OpenAssistant (April 2023) collected 161,443 messages in 35 languages from over 13,500 volunteers.
LIMA, by Meta in May 2023, asked how little is enough. It tuned LLaMA 65B on exactly 1,000 carefully chosen examples, without reinforcement learning, and people found its answers equal to or better than those of GPT-4 in 43% of cases. The authors concluded that nearly all knowledge is learned in pre-training and that tuning teaches mainly which style to use; they named this the superficial alignment hypothesis.
## 4. Data sets at a glance
| Data set | Year | Size | Written by | Based on |
| FLAN 2021 | 2021 | 62 data sets | templates | existing benchmarks |
| Super-NaturalInstructions | 2022 | 1,616 tasks | 88 contributors | existing and new tasks |
| Self-Instruct | 2022 | about 52,000 instructions | GPT-3 | 175 seed tasks |
| Alpaca | 2023 | 52,002 examples | text-davinci-003 | 175 seed tasks |
| Dolly 15k | 2023 | about 15,000 records | employees | eight kinds of tasks |
| LIMA | 2023 | 1,000 examples | people, mostly web forums | Stack Exchange, wikiHow, Reddit |
## 5. How it is done
1. Collect and clean the pairs. Remove duplicates, wrong answers and anything that occurs in the test set.
2. Put them into the chat template of the model: special tokens mark the system message, the user and the assistant. The same template must be used later in service.
3. Compute the loss on the response only. The instruction is read but masked out of the loss.
4. Train for a few passes with a small learning rate. Alpaca used 3 epochs at 2e-5; LIMA, with its few examples, used 15.
5. Keep the checkpoint that does best on held-out instructions. The loss alone is a poor guide: LIMA's answers improved while its perplexity on held-out data grew worse.
## 6. What can go wrong
- Forgetting: the model becomes better at the new task and worse at everything else. Mixing in general data helps.
- Invented answers: training on facts that the model does not know teaches it to state things without knowing them.
- Imitation of style: in May 2023 Arnav Gudibande and colleagues at Berkeley showed that models tuned on ChatGPT's output sound like it but hardly gain in factual correctness.
- Narrowness: a few templates used again and again make the model sensitive to wording.
## 7. Evaluation
MT-Bench (June 2023) consists of 80 two-turn questions in eight categories, with GPT-4 as the judge. The judge agreed with people in more than 80% of cases, about as often as people agree among themselves. It has known biases: it favours the answer placed first, the longer answer, and its own writing.
IFEval, by Google in November 2023, avoids a judge. It holds about 500 prompts with 25 types of instructions that a program can check, such as "write at least 400 words" or "do not use commas".
"""


class Block(NamedTuple):
    """One line of a source text: its kind, its text, and for a table row its cells."""

    kind: str
    text: str
    cells: tuple[str, ...] = ()


def read_blocks(source: str) -> Iterator[Block]:
    """Yields the blocks of a text in the mark-up that the module docstring describes."""
    kinds = {"#": "title", "##": "section", "###": "subsection", "-": "bullet"}
    for line in filter(None, map(str.strip, source.splitlines())):
        mark, _, rest = line.partition(" ")
        if mark == "|":
            yield Block("row", line, tuple(cell.strip() for cell in line.strip("|").split("|")))
        elif re.fullmatch(r"\d+\.", mark):
            yield Block("number", line)
        elif mark in kinds:
            yield Block(kinds[mark], rest)
        else:
            yield Block("paragraph", line)


def title_of(source: str) -> str:
    """Returns the text's first title."""
    return next(block.text for block in read_blocks(source) if block.kind == "title")


def make_styles(font: str, bold: str, cjk: bool) -> dict[str, ParagraphStyle]:
    """Returns one paragraph style for each kind of block, and one for table cells."""
    base = ParagraphStyle("paragraph", fontName=font, fontSize=10, leading=15.5, spaceAfter=5)
    if cjk:
        base.wordWrap = "CJK"
    heading = {"fontName": bold, "keepWithNext": 1, "spaceBefore": 8}
    return {
        "paragraph": base,
        "title": ParagraphStyle("title", base, fontSize=17, leading=24, **heading),
        "section": ParagraphStyle("section", base, fontSize=13, leading=19, **heading),
        "subsection": ParagraphStyle("subsection", base, fontSize=11, leading=16, **heading),
        "bullet": ParagraphStyle("bullet", base, leftIndent=12, bulletIndent=2),
        "number": ParagraphStyle("number", base, leftIndent=12, firstLineIndent=-12),
        "row": ParagraphStyle("row", base, fontSize=8.5, leading=12, spaceAfter=0),
    }


def column_widths(rows: list[Block]) -> list[float]:
    """Divides the text width, in points, by the square root of each column's longest cell.

    A Chinese character counts as two, and every column keeps 12 points of padding.
    """
    columns = zip(*(block.cells for block in rows), strict=True)
    longest = [max(sum(1 + (ord(c) > 0x2E80) for c in cell) for cell in cells) for cells in columns]
    free = A5[0] - 2 * MARGIN - 12 * len(longest)
    return [12 + free * length**0.5 / sum(other**0.5 for other in longest) for length in longest]


def make_flowables(source: str, styles: dict[str, ParagraphStyle]) -> Iterator[Flowable]:
    """Yields what reportlab is to lay out, consecutive table rows as one table."""
    for is_row, group in groupby(read_blocks(source), key=lambda block: block.kind == "row"):
        if is_row:
            rows = list(group)
            cells = [[Paragraph(escape(c), styles["row"]) for c in row.cells] for row in rows]
            yield Table(cells, colWidths=column_widths(rows), style=GRID, repeatRows=1)
            yield Spacer(1, 8)
            continue
        for block in group:
            bullet = "-" if block.kind == "bullet" else None
            yield Paragraph(escape(block.text), styles[block.kind], bulletText=bullet)


def write_pdf(path: Path, source: str, styles: dict[str, ParagraphStyle]) -> None:
    """Writes a text as an A5 PDF with page numbers; the same input gives the same bytes."""

    def number_page(canvas: Canvas, layout: SimpleDocTemplate) -> None:
        canvas.setFont(styles["paragraph"].fontName, 8)
        canvas.drawCentredString(A5[0] / 2, 9 * mm, str(layout.page))

    layout = SimpleDocTemplate(
        str(path),
        pagesize=A5,
        title=title_of(source),
        invariant=1,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=15 * mm,
        bottomMargin=17 * mm,
    )
    story = list(make_flowables(source, styles))
    layout.build(story, onFirstPage=number_page, onLaterPages=number_page)


def add_table(document: Docx, rows: list[Block]) -> None:
    """Appends the rows as one table with grid lines."""
    table = document.add_table(rows=len(rows), cols=len(rows[0].cells), style="Table Grid")
    for row, block in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, block.cells, strict=True):
            cell.text = text


def write_docx(path: Path, source: str) -> None:
    """Writes a text as a Word document with headings, lists and tables."""
    levels = {"title": 0, "section": 1, "subsection": 2}
    lists = {"bullet": "List Bullet", "number": "List Number"}
    document = Document()
    document.core_properties.title = title_of(source)
    document.core_properties.author = ""
    document.core_properties.comments = ""
    for is_row, group in groupby(read_blocks(source), key=lambda block: block.kind == "row"):
        if is_row:
            add_table(document, list(group))
            continue
        for block in group:
            if block.kind in levels:
                document.add_heading(block.text, levels[block.kind])
            else:
                text = re.sub(r"^\d+\. ", "", block.text) if block.kind == "number" else block.text
                document.add_paragraph(text, lists.get(block.kind))
    document.save(str(path))
    freeze_times(path)


def freeze_times(path: Path) -> None:
    """Rewrites a zip archive with one fixed time for all members, so that its bytes repeat."""
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, date_time=(2000, 1, 1, 0, 0, 0))
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)


def main() -> None:
    """Writes the four files."""
    parser = argparse.ArgumentParser(description="Write the sample PDF and DOCX files.")
    parser.add_argument("--font", type=Path, default=CJK_FONT, help="a TrueType font with Chinese")
    pdfmetrics.registerFont(TTFont("Chinese", str(parser.parse_args().font)))
    chinese = make_styles("Chinese", "Chinese", cjk=True)
    english = make_styles("Times-Roman", "Times-Bold", cjk=False)
    write_pdf(DOCS / "zh" / "长上下文.pdf", LONG_CONTEXT, chinese)
    write_pdf(DOCS / "en" / "quantisation-and-small-devices.pdf", QUANTISATION, english)
    write_docx(DOCS / "zh" / "对齐.docx", ALIGNMENT)
    write_docx(DOCS / "en" / "instruction-tuning.docx", INSTRUCTION_TUNING)


if __name__ == "__main__":
    main()
