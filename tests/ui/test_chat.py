"""The chat page."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted import LORA, ScriptedPipeline
from streamlit.testing.v1 import AppTest

from evaluation.collected import COLLECTED, sets_folder
from evaluation.dataset import load
from rag.conversations import Conversations
from rag.errors import Incomplete, LLMError
from rag.types import Filter
from ui.resources import Services

Start = Callable[..., tuple[AppTest, Services]]


def opened(app: AppTest) -> int:
    """The conversation that the page's address names."""
    value = app.query_params["c"]
    return int(value if isinstance(value, str) else value[0])


def ask(app: AppTest, services: Services, question: str = "Why LoRA?") -> AppTest:
    """Ask a question and wait until its answer is there or has failed."""
    app.chat_input[0].set_value(question).run()
    job = services.answers[opened(app)]
    assert job.wait(30)
    return app.run()


def texts(app: AppTest) -> str:
    """All Markdown and captions of the page."""
    return "\n".join([m.value for m in app.markdown] + [c.value for c in app.caption])


def sources(app: AppTest) -> list[dict[str, str]]:
    """What the opened passages show: the text before the quoted words, the words, the text after them."""
    return [json.loads(element.proto.json or element.proto.mixed.json) for element in app.get("bidi_component")]


def test_an_answer_is_checked_marked_and_kept(start: Start, filled: Path) -> None:
    """A question gets its answer with footnote numbers, its unsupported sentence marked, and both are kept."""
    app, services = start()
    ask(app, services)
    assert not app.exception
    assert ":gray-badge[1] :gray-badge[2]" in texts(app)
    assert ":orange-background[It was invented on the moon" in texts(app)
    assert "no passage says this" in texts(app)
    kept = Conversations(services.settings.home).messages(Conversations(services.settings.home).all()[0].id)
    assert [message.role for message in kept] == ["user", "assistant"]
    assert kept[1].answer is not None


def test_an_answer_that_broke_off_is_shown_and_said_to_be(start: Start, filled: Path) -> None:
    """What came is checked and kept, and the page says why it is not whole."""
    broken = Incomplete("The model broke off; what came is incomplete. Ask again.")
    app, services = start(ScriptedPipeline(error=broken))
    ask(app, services)
    assert "what came is incomplete" in texts(app) and not app.error
    kept = Conversations(services.settings.home).messages(Conversations(services.settings.home).all()[0].id)
    assert kept[1].answer and kept[1].answer.incomplete == str(broken)


def test_a_footnote_opens_the_quoted_words(start: Start, filled: Path) -> None:
    """A click on a footnote shows its document, page and passage with the quoted words apart from the rest."""
    app, services = start()
    ask(app, services)
    assert not sources(app)
    app.pills[0].set_value(1).run()
    [shown] = sources(app)
    assert shown["before"] + shown["quote"] + shown["after"] == LORA
    assert shown["quote"] == "It needs a third of the memory of full fine-tuning."
    assert "**en\\/adapters \\<b\\>\\.md** · p. 3" in texts(app)


def test_a_reload_brings_the_conversation_back(start: Start, filled: Path) -> None:
    """The address alone brings back questions, answers and footnotes; the next question knows the ones before."""
    pipeline = ScriptedPipeline()
    app, services = start(pipeline)
    ask(app, services)
    again = AppTest.from_file(app._script_path, default_timeout=30)
    again.query_params["c"] = str(opened(app))
    again.run()
    assert "third of the memory" in texts(again)
    assert again.pills
    ask(again, services, "And then?")
    assert [turn.role for turn in pipeline.histories[1]] == ["user", "assistant"]


def test_stop_keeps_what_was_written(start: Start, filled: Path) -> None:
    """Stop ends the model and keeps the words so far, marked as cut short."""
    pipeline = ScriptedPipeline()
    pipeline.hold = threading.Event()
    app, services = start(pipeline)
    app.chat_input[0].set_value("Why LoRA?").run()
    job = services.answers[opened(app)]
    app.button(key="stop").click().run()
    assert job.stopping
    pipeline.hold.set()
    assert job.wait(30)
    app.run()
    assert pipeline.closed
    assert "LoRA needs" in texts(app)
    assert "Cut short" in texts(app)
    assert not app.pills


def test_an_answer_that_comes_while_the_page_is_drawn_is_shown(
    start: Start, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is done between the page's reading of the messages and its end is not missed."""
    pipeline = ScriptedPipeline()
    pipeline.hold = threading.Event()
    app, services = start(pipeline)
    read = Conversations.messages

    def slowly(kept: Conversations, conversation: int) -> object:
        messages = read(kept, conversation)
        if len(messages) == 1 and conversation in services.answers:
            pipeline.hold.set()
            assert services.answers[conversation].wait(30)
        return messages

    monkeypatch.setattr(Conversations, "messages", slowly)
    app.chat_input[0].set_value("Why LoRA?").run()
    assert "third of the memory" in texts(app)
    assert "ask-again" not in {button.key for button in app.button}


def test_an_answer_survives_leaving_the_page(start: Start, filled: Path) -> None:
    """Another visit in the middle of an answer doesn't end it."""
    pipeline = ScriptedPipeline()
    pipeline.hold = threading.Event()
    app, services = start(pipeline)
    app.chat_input[0].set_value("Why LoRA?").run()
    conversation = opened(app)
    app.button(key="new-conversation").click().run()
    pipeline.hold.set()
    assert services.answers[conversation].wait(30)
    app.button(key=f"conversation-{conversation}").click().run()
    assert ":gray-badge[1]" in texts(app)


def test_a_refusal_shows_the_nearest_passages(start: Start, filled: Path) -> None:
    """Where nothing supports an answer, the page says so and shows what comes closest."""
    app, services = start(ScriptedPipeline(refuse=True))
    ask(app, services)
    assert "The documents don\\'t say" in texts(app)
    assert [e.label for e in app.expander][:1] == ["**en\\/adapters \\<b\\>\\.md** · p. 3 · Memory"]
    assert not app.pills


def test_a_failing_model_is_one_sentence(start: Start, filled: Path) -> None:
    """A model that breaks off gives a sentence and keeps what it wrote; the question can be asked again."""
    pipeline = ScriptedPipeline(error=LLMError("The model at 127.0.0.1:9 broke off. Start it and ask again."))
    app, services = start(pipeline)
    ask(app, services)
    assert "Cut short" in texts(app)
    assert "broke off" in app.error[0].value
    pipeline.error = None
    app.button(key="ask-again").click().run()
    assert services.answers[opened(app)].wait(30)
    app.run()
    assert not app.error
    assert app.pills


@pytest.mark.parametrize(
    ("locale", "placeholder"), [("zh-CN", "就你的文档提一个问题"), ("de-DE", "Ask a question about your documents")]
)
def test_the_browsers_language_is_spoken_and_can_be_changed(
    start: Start, filled: Path, locale: str, placeholder: str
) -> None:
    """The page speaks the browser's language until another one is chosen, and keeps the choice in its address."""
    app, _ = start(locale=locale)
    assert app.chat_input[0].placeholder == placeholder
    other = "en" if locale.startswith("zh") else "zh"
    app.segmented_control(key="language-switch").set_value(other).run()
    assert app.chat_input[0].placeholder != placeholder
    assert other in app.query_params["lang"]


def test_a_conversation_is_not_deleted_by_one_click(start: Start, filled: Path) -> None:
    """Delete asks first, naming the conversation."""
    app, services = start()
    ask(app, services)
    app.button(key="delete").click().run()
    assert "Delete “Why LoRA" in texts(app)
    assert app.button(key="sure")
    assert len(Conversations(services.settings.home).all()) == 1


def test_an_empty_knowledge_base_invites(start: Start) -> None:
    """Without a document the page offers the samples instead of example questions."""
    app, _ = start()
    assert app.button(key="add-samples")
    assert not [button for button in app.button if str(button.key).startswith("example-")]


def test_an_example_is_asked_by_a_click(start: Start, filled: Path) -> None:
    """A click on an example question asks it."""
    app, services = start()
    next(button for button in app.button if str(button.key).startswith("example-")).click().run()
    assert services.answers[opened(app)].wait(30)
    assert len(Conversations(services.settings.home).all()) == 1


def test_the_place_in_the_queue_is_shown(start: Start, filled: Path) -> None:
    """While others' answers come first, the page says how many."""
    pipeline = ScriptedPipeline()
    pipeline.before, pipeline.turn = 2, threading.Event()
    app, services = start(pipeline)
    app.chat_input[0].set_value("Why LoRA?").run()
    job = services.answers[opened(app)]
    while not job.done and job.progress.stage != "waiting":
        pass
    app.run()
    assert "Answers before this one: 2" in texts(app)
    pipeline.before = 0
    pipeline.turn.set()
    assert job.wait(30)
    app.run()
    assert ":gray-badge[1]" in texts(app)


def test_one_source_is_open_at_a_time(start: Start, filled: Path) -> None:
    """Opening a footnote of another answer closes the first; a click closes the last."""
    app, services = start()
    ask(app, services)
    ask(app, services, "And then?")
    app.pills[0].set_value(1).run()
    app.pills[1].set_value(2).run()
    assert [pills.value for pills in app.pills] == [None, 2]
    assert len(sources(app)) == 1
    app.button(key="close-source").click().run()
    assert [pills.value for pills in app.pills] == [None, None]
    assert not sources(app)


def test_a_wider_search_asks_everything_without_filters(start: Start, filled: Path) -> None:
    """After a refusal the same question can be asked of all knowledge bases, with more passages and no filter."""
    pipeline = ScriptedPipeline(refuse=True)
    app, services = start(pipeline)
    ask(app, services)
    conversations = Conversations(services.settings.home)
    conversations.set_scope(opened(app), Filter(kbs=("default",), tags=("hr",)))
    app.run().button(key="wider").click().run()
    assert services.answers[opened(app)].wait(30)
    assert pipeline.filters[-1] == Filter(kbs=("default",))
    assert pipeline.read == 2 * services.settings.retrieval.k
    assert conversations.messages(opened(app))[0].content == "Why LoRA?"
    assert len(conversations.messages(opened(app))) == 2


def test_a_conversation_keeps_what_it_asks(start: Start, filled: Path) -> None:
    """Restrictions that were chosen hold for the conversation's next question, and are shown beside the question box."""
    pipeline = ScriptedPipeline()
    app, services = start(pipeline)
    ask(app, services)
    Conversations(services.settings.home).set_scope(opened(app), Filter(kbs=("default",), types=("md",)))
    ask(app.run(), services, "And then?")
    assert pipeline.filters == [Filter(), Filter(types=("md",))]
    assert any("default · md" in box.proto.popover.label for box in app.get("popover"))


def test_an_answer_can_be_asked_for_again(start: Start, filled: Path) -> None:
    """Answer again replaces the last answer, and the question stands once."""
    app, services = start()
    ask(app, services)
    app.button(key="retry").click().run()
    assert services.answers[opened(app)].wait(30)
    messages = Conversations(services.settings.home).messages(opened(app))
    assert [message.role for message in messages] == ["user", "assistant"]


def test_a_question_can_be_edited(start: Start, filled: Path) -> None:
    """The edited question takes the place of the old one, whose answer goes."""
    app, services = start()
    ask(app, services)
    app.button(key="edit").click().run()
    app.text_area(key="edited").set_value("Why QLoRA?")
    app.button(key="ask-edited").click().run()
    assert services.answers[opened(app)].wait(30)
    messages = Conversations(services.settings.home).messages(opened(app))
    assert messages[0].content == "Why QLoRA?"
    assert len(messages) == 2


def test_a_correction_is_kept_and_becomes_a_question_of_the_set(start: Start, filled: Path) -> None:
    """A thumb down asks what would be right; it is kept with the answer, and goes into the question set."""
    app, services = start()
    ask(app, services)
    conversations, number = Conversations(services.settings.home), opened(app)
    answer = conversations.messages(number)[1]
    conversations.rate(answer.id, -1)
    app.run().text_area(key=f"correction-{answer.id}").set_value("A quarter.").run()
    assert conversations.messages(number)[1].correction == "A quarter."
    app.button(key=f"collect-{answer.id}").click().run()
    [kept] = load(sets_folder(services.settings.home, "default") / COLLECTED)
    assert (kept.question, kept.answers) == ("Why LoRA?", ("A quarter.",))
    assert not kept.relevant  # whose sources were wrong


def test_a_long_conversation_shows_its_end(start: Start, filled: Path) -> None:
    """Of a hundred messages the last thirty are drawn, the others on a click."""
    conversations = Conversations(filled)
    number = conversations.create("long")
    for count in range(100):
        conversations.add(number, "user", f"question {count}!")
    app, _ = start()
    app.query_params["c"] = str(number)
    app.run()
    assert "question 99\\!" in texts(app) and "question 69\\!" not in texts(app)
    app.button(key="earlier").click().run()
    assert "question 0\\!" in texts(app)


def test_without_the_samples_their_questions_are_not_proposed(start: Start, filled: Path) -> None:
    """An empty chat proposes questions about the user's own sections, in the page's language."""
    app, _ = start()
    labels = [button.label for button in app.button if str(button.key).startswith("example-")]
    assert labels and all("Adapters" in label for label in labels)


def test_conversations_are_found_by_their_words(start: Start, filled: Path) -> None:
    """The search looks into titles and messages, in whatever case."""
    conversations = Conversations(filled)
    for count in range(8):
        number = conversations.create(f"talk {count}")
        conversations.add(number, "user", "How many days of Leave?" if count == 3 else "年假几天？")
    app, _ = start()
    app.text_input(key="find-conversation").set_value("leave").run()
    assert [b.label for b in app.button if str(b.key).startswith("conversation-")] == ["talk 3"]
