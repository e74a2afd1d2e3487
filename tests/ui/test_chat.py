"""The chat page."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted import LORA, ScriptedPipeline
from streamlit.testing.v1 import AppTest

from rag.conversations import Conversations
from rag.errors import Incomplete, LLMError
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
