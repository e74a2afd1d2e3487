"""At which step a question went wrong: from the knowledge base over the search and the prompt to the answer and its footnotes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Step = Literal[
    "",
    "not_asked",
    "not_indexed",
    "not_retrieved",
    "cut",
    "wrongly_refused",
    "not_used",
    "wrongly_cited",
    "wrongly_answered",
]
# In the order in which a question passes them; "" is no step: nothing went wrong.
STEPS: tuple[Step, ...] = (
    "not_asked", "not_indexed", "not_retrieved", "cut", "wrongly_refused", "not_used", "wrongly_cited", "wrongly_answered",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Course:
    """How far a question came: whether its documents are ``indexed``, a passage that holds the answer was ``found`` and ``read``.

    ``right`` and ``cited`` tell of an answer whether it is right and has a right footnote; None where nothing tells.
    """

    answerable: bool = True
    asked: bool = True
    indexed: bool = True
    found: bool = True
    read: bool = True
    refused: bool = False
    right: bool | None = None
    cited: bool | None = None


def blame(course: Course) -> Step:
    """The first step at which it went wrong, empty where it didn't.

    A question that was refused, answered wrongly or wrongly cited is the search's fault where no passage with the answer was
    found; a right answer with a right footnote is right, whatever was found.
    """
    if not course.asked:
        return "not_asked"
    if not course.answerable:
        return "" if course.refused else "wrongly_answered"
    if not course.refused and course.right is not False and course.cited is not False:
        return "" if course.found else _missed(course)
    if not (course.found and course.read):
        return _missed(course)
    if course.refused:
        return "wrongly_refused"
    return "not_used" if course.right is False else "wrongly_cited"


def _missed(course: Course) -> Step:
    if not course.indexed:
        return "not_indexed"
    return "cut" if course.found else "not_retrieved"
