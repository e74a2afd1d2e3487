"""Conversations are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.access import User
from rag.conversations import Conversations, history
from rag.errors import StoreError
from rag.store import Store
from rag.types import Embedder, Trace, Turn
from tests.rag.stored import passage, put
from tests.rag.test_serialise import ANSWER

KEPT = replace(ANSWER, trace=replace(ANSWER.trace, cut=()))


@pytest.fixture(autouse=True)
def documents(tmp_path: Path, embedder: Embedder) -> Iterator[Store]:
    """A store that holds what the answer quotes."""
    with Store(tmp_path) as store:
        for name in ("手册.pdf", "b.md", "a.md"):
            put(store, embedder, name, f"text of {name}")
        yield store


def test_a_conversation_is_there_after_a_restart(tmp_path: Path) -> None:
    """Messages come back in order and with their checked answers, from a new process's point of view."""
    first = Conversations(tmp_path)
    number = first.create("年假几天？")
    first.add(number, "user", "年假几天？")
    first.add(number, "assistant", ANSWER.text, ANSWER)
    messages = Conversations(tmp_path).messages(number)
    assert [(m.role, m.content, m.answer) for m in messages] == [
        ("user", "年假几天？", None),
        ("assistant", ANSWER.text, KEPT),
    ]
    assert history(messages) == (Turn("user", "年假几天？"), Turn("assistant", ANSWER.text))


def test_the_latest_comes_first(tmp_path: Path) -> None:
    """The conversation that was last written to is on top."""
    conversations = Conversations(tmp_path)
    one, two = conversations.create("one"), conversations.create("two")
    assert [c.title for c in conversations.all()] == ["two", "one"]
    conversations.add(one, "user", "again")
    assert [c.id for c in conversations.all()] == [one, two]


def test_a_title_is_one_short_line(tmp_path: Path) -> None:
    """Line ends and great length in a first question make no broken title, and nothing makes no empty one."""
    conversations = Conversations(tmp_path)
    conversations.create("a\n\n b" + "x" * 500)
    number = conversations.create("  ")
    assert conversations.all()[1].title.startswith("a bx") and len(conversations.all()[1].title) <= 80
    assert conversations.all()[0].title != ""
    conversations.rename(number, "新\n名")
    assert "新 名" in [c.title for c in conversations.all()]


def test_a_deleted_conversation_is_gone(tmp_path: Path) -> None:
    """Deleting takes the messages along, leaves others alone, and writing to it afterwards is said to be impossible."""
    conversations = Conversations(tmp_path)
    one, two = conversations.create("one"), conversations.create("two")
    for number in (one, two):
        conversations.add(number, "user", f"question {number}")
    conversations.delete(one)
    assert conversations.messages(one) == [] and len(conversations.messages(two)) == 1
    assert [c.id for c in conversations.all()] == [two]
    with pytest.raises(StoreError, match="deleted"):
        conversations.add(one, "user", "still there?")


def test_a_refusal_is_no_part_of_what_was_said(tmp_path: Path) -> None:
    """The next question is not about the words of a refusal; the question before it stays."""
    conversations = Conversations(tmp_path)
    number = conversations.create("Who?")
    conversations.add(number, "user", "Who?")
    conversations.add(number, "assistant", "Not in the documents.", replace(ANSWER, refused=True))
    assert history(conversations.messages(number)) == (Turn("user", "Who?"),)


def test_nobody_sees_the_conversations_of_others(tmp_path: Path) -> None:
    """A conversation is listed, read, continued, renamed and deleted by whoever began it, and by nobody else."""
    hers, his = (Conversations(tmp_path, User(name, "reader")) for name in ("ada", "bo"))
    number = hers.create("Salaries")
    hers.add(number, "user", "Who earns what?")
    assert his.all() == [] and his.messages(number) == []
    his.rename(number, "mine")
    his.delete(number)
    with pytest.raises(StoreError):
        his.add(number, "user", "And I?")
    assert [conversation.title for conversation in hers.all()] == ["Salaries"]
    assert [message.content for message in hers.messages(number)] == ["Who earns what?"]


def test_an_answer_goes_with_its_document(tmp_path: Path, documents: Store) -> None:
    """Of an answer that showed a deleted document, and of the follow-up made from it, nothing is left; others stay."""
    conversations = Conversations(tmp_path)
    number = conversations.create("年假几天？")
    (chunk,), (other,) = documents.chunks("手册.pdf"), documents.chunks("b.md")
    made = replace(ANSWER, citations=(), passages=(replace(passage("x"), chunk=chunk),), trace=Trace("年假几天？"))
    apart = replace(made, passages=(replace(passage("x"), chunk=other),))
    for answer in (made, replace(apart, question="几天？"), apart):
        conversations.add(number, "user", answer.question)
        conversations.add(number, "assistant", answer.text, answer)
    conversations.add(number, "assistant", "half an answer", passages=made.passages)
    conversations.rate(conversations.messages(number)[1].id, -1, "sixteen days")
    documents.delete("手册.pdf")
    messages = conversations.messages(number)
    assert [m.gone for m in messages if m.role == "assistant"] == [True, True, False, True]
    assert (messages[1].rating, messages[1].correction) == (0, "")
    assert history(messages) == (Turn("user", "年假几天？"), Turn("assistant", apart.text))
    conversations.add(number, "assistant", made.text, made)  # one that was being written meanwhile
    assert conversations.messages(number)[-1].gone


def test_what_is_no_longer_shared_is_not_shown(tmp_path: Path, documents: Store) -> None:
    """Answers from a knowledge base that was taken away are shown to their reader no more, and again once it is back."""
    granted, taken = (User("ada", "reader", kbs) for kbs in (frozenset({"default"}), frozenset[str]()))
    theirs = Conversations(tmp_path, granted)
    number = theirs.create("年假几天？")
    (chunk,) = documents.chunks("a.md")
    answer = replace(ANSWER, citations=(), passages=(replace(passage("x"), chunk=chunk),), trace=Trace())
    theirs.add(number, "user", "年假几天？")
    theirs.add(number, "assistant", answer.text, answer)
    assert [m.gone for m in Conversations(tmp_path, taken).messages(number)] == [False, True]
    assert history(Conversations(tmp_path, taken).messages(number)) == ()
    assert [m.gone for m in theirs.messages(number)] == [False, False]


def test_an_answer_stays_where_its_document_changes_or_moves(
    tmp_path: Path, documents: Store, embedder: Embedder
) -> None:
    """Another version of a document leaves the answers of the earlier one; under its new name it still takes them along."""
    conversations = Conversations(tmp_path)
    number = conversations.create("年假几天？")
    (chunk,) = documents.chunks("a.md")
    answer = replace(ANSWER, citations=(), passages=(replace(passage("x"), chunk=chunk),), trace=Trace())
    conversations.add(number, "assistant", answer.text, answer)
    old = put(documents, embedder, "a.md", "another text")
    conversations.add(number, "assistant", answer.text, answer)  # found in the earlier version, kept after the change
    documents.move_files([(old, replace(old, relative="new/name.md"))])
    assert not any(message.gone for message in conversations.messages(number))
    documents.delete("new/name.md")
    assert all(message.gone for message in conversations.messages(number))
