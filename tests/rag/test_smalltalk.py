"""Small talk is answered by the program itself, and nothing else is."""

from __future__ import annotations

import time

import pytest

from rag.smalltalk import recognise, reply
from rag.types import StoredDocument

TALK_EN = [
    "hi", "Hello!", "hey there", "Good morning", "Hi, how are you?", "thanks", "Thank you very much!",
    "thanks a lot for your help", "thx", "Thanks, that was very helpful", "who are you?", "What are you?",
    "what's your name", "Are you a robot?", "What can you do?", "what can I ask you?", "help",
    "How can you help me?", "goodbye", "Bye!", "see you later", "good night", "Have a nice day!",
    "That's all for now, thanks.", "Which documents do you have?", "what documents are there",
    "What files are in the knowledge base?", "How many documents do you have?", "how many documents",
    "list all documents", "Show me the documents", "What's in the knowledge base?", "ok", "Got it, thanks",
    "Hello, who are you and what can you do?", "Okay thanks, bye", "Great, thank you", "please introduce yourself",
    "Hi there! Which documents do you have?", "Which model are you?", "Many thanks", "OK, understood.",
]  # fmt: skip
TALK_ZH = [
    "你好", "您好！", "嗨", "早上好", "大家好", "在吗？", "你好呀", "你好，请问你是谁？", "谢谢", "谢谢你的帮助！",
    "非常感谢", "多谢", "辛苦了", "好的，谢谢", "谢谢，再见", "再见", "拜拜", "晚安", "你是谁", "你叫什么名字？",
    "你是什么？", "介绍一下你自己", "你是机器人吗", "你能做什么？", "你可以帮我做些什么", "你有什么功能",
    "怎么使用你？", "我可以问什么问题？", "有哪些文档？", "你有哪些文档？", "知识库里有什么？",
    "知识库里有多少文档？", "一共有多少个文档", "列出所有文档", "这里有什么文件", "文档列表", "好的", "明白了",
    "你好，有哪些文档？", "Hello 你好", "太棒了，谢谢！", "没有问题了，谢谢",
]  # fmt: skip
QUESTIONS_EN = [
    "do you have anything about contracts?", "what's in the file rent.md?", "thanks, and what about 2022?",
    "Hello, how high is the rent?", "Thanks. Who signed it?", "Which documents do I need for the visa?",
    "Which documents are required?", "how many documents must be signed", "What can you do about mould?",
    "Who are you allowed to call?", "Which documents mention leave?", "List the documents that mention leave",
    "what is the name of the ferry", "How does it work?", "What does the knowledge base say about leave?",
    "hi-fi systems", "Hello World program", "What is a greeting card?", "good morning routine",
    "help desk opening hours", "Thanksgiving holiday", "When is the office open today?",
    "How are you supposed to file a claim?", "What is your return policy?", "What are your opening hours?",
    "Bye-law 7", "bye weeks in football", "which documents do you have about contracts?", "Great Britain",
    "cool temperatures", "Who made you sign it?", "ok, and the second year?",
    "Who are you referring to in chapter 2?", "What do you do if the alarm rings?", "yes", "no",
    "Which files does the installer need?", "And in Paris?", "Show me the documents from 2022",
    "Tell me about leave", "How many files can be uploaded?", "What are you paid for overtime?",
    "How can you help me with the tax return?", "anything?", "a", "Is it all right to smoke?",
    "thank you letter template", "What is in the library on page 3?", "How big is the library?",
    "What does the collection contain?", "What?", "why", "ok, and then?",
    "thanks, and?", "Great, so?",
]  # fmt: skip
QUESTIONS_ZH = [
    "谢谢，那2022年呢？", "你好，租金是多少？", "关于合同有什么文档？", "文件rent.md里有什么？",
    "有没有关于合同的内容？", "有哪些文档提到年假？", "需要哪些文件？", "申请签证要提交哪些资料",
    "有多少文件需要签字", "你能做什么来防止火灾", "谁开发了Transformer", "你好世界程序是什么", "谢谢在日语里怎么说",
    "再见的英文是什么", "早上好的德语", "晚安故事有哪些", "好的，那第二年呢？", "明白了，谁签的字？", "年假",
    "它多少钱？", "为什么？", "税", "介绍一下公司", "帮助文档在哪里", "功能有哪些？", "谁是经理", "有什么？",
    "文档由谁批准？", "系统有哪些功能", "系统有哪些文件？", "知识库系统的架构是什么", "列出所有文档的作者", "文件列表由谁维护",
    "你是谁的助手？他的电话是多少", "早班几点开始", "感谢信怎么写", "辛苦费是多少", "多谢款待的意思",
    "哪些文档需要保密", "知识库里有关于合同的内容吗", "知识库里有什么合同", "最近怎么样的销售情况",
    "请问办公室在哪里", "是的", "不是", "对", "没问题的话几天发货", "你们的退货政策是什么", "你有权做什么",
    "库里有多少货", "太好了，合同什么时候到期？", "您好，我想问一下年假", "好的，那呢？", "谢谢，那么？",
    "包括哪些文件？", "需要提交哪些文档",
]  # fmt: skip


@pytest.mark.parametrize("text", [*TALK_EN, *TALK_ZH])
def test_small_talk_is_recognised(text: str) -> None:
    """Greetings, thanks, good-byes, questions about the program and about its documents, alone or together."""
    assert recognise(text)


@pytest.mark.parametrize("text", [*QUESTIONS_EN, *QUESTIONS_ZH])
def test_one_word_more_is_a_question(text: str) -> None:
    """Whatever holds more than small talk is searched for, however politely it begins."""
    assert recognise(text) is None
    assert recognise(text, first=False) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [("Hi, what can you do? Thanks", "can"), ("Thanks, bye!", "bye"), ("Hello! Which documents do you have?", "documents"),
     ("你好，谢谢，再见", "bye"), ("你好，你是谁？", "who"), ("好的，谢谢", "thanks"), ("你好，有哪些文档？", "documents")],
)  # fmt: skip
def test_of_several_things_the_weightiest_is_replied_to(text: str, kind: str) -> None:
    """A greeting before a question about the program does not hide it."""
    assert recognise(text) == kind


@pytest.mark.parametrize("text", ["How many documents?", "有哪些文件？", "有多少个文件？", "几份文件"])
def test_later_on_files_may_be_those_spoken_of(text: str) -> None:
    """Within a conversation a bare "how many documents?" goes to the documents."""
    assert recognise(text) == "documents" and recognise(text, first=False) is None


@pytest.mark.parametrize(
    "text", ["hello " * 20, "好" * 119 + "吖", "thanks " * 17 + "x", "a lot again there " * 6 + "q"]
)
def test_no_text_takes_long(text: str) -> None:
    """Repetition costs no more than its length."""
    began = time.perf_counter()
    recognise(text)
    assert time.perf_counter() - began < 1


def documents(count: int) -> list[StoredDocument]:
    return [StoredDocument(f"d{n}.md", "Title {}", "indexed", "", 1, 1) for n in range(count)]


def test_the_documents_are_counted_and_named() -> None:
    """The first ten are named, of the rest it is said how many there are and where they are listed."""
    assert reply("documents", "en", documents(2)) == "Documents in the knowledge base: 2.\n- d0.md\n- d1.md"
    said = reply("documents", "zh", documents(14))
    assert "共 14 个" in said and "d9.md" in said and "d10.md" not in said and "还有 4 个" in said


def test_no_documents_are_no_list() -> None:
    """An empty knowledge base says so, and a filter that lets nothing through is named, braces and all."""
    assert "no documents yet" in reply("documents", "en", [])
    assert "tags: {x}" in reply("documents", "en", [], "tags: {x}")
    assert reply("documents", "en", documents(1), "tags: {x}").startswith(
        "Documents that pass the filter (tags: {x}): 1."
    )


@pytest.mark.parametrize("kind", ["can", "who", "bye", "thanks", "greeting", "fine"])
def test_every_kind_has_its_words(kind: str) -> None:
    """Each kind of small talk is answered in either language."""
    assert reply(kind, "zh", []) != reply(kind, "en", [])  # type: ignore[arg-type]
