"""One person at the page: who they are, what language they read, which knowledge base they are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.access import User
from ui.resources import Services
from ui.text import Say

if TYPE_CHECKING:
    from rag.conversations import Conversations
    from rag.pipeline import Pipeline
    from rag.store import Store


@dataclass(frozen=True, slots=True)
class Session:
    """What every page is given; whatever it reads or writes goes through here, in the hands of ``user``.

    ``kb`` is the knowledge base that the pages show and that questions are asked of where nothing else is chosen.
    """

    services: Services
    user: User
    say: Say
    kb: str

    def store(self, kb: str | None = None) -> Store:
        """A connection of one's own to a knowledge base, to be closed (use ``with``); raises AccessError."""
        from rag.store import Store

        return Store(self.services.settings.home, kb or self.kb, self.user)

    def kbs(self) -> list[str]:
        """The knowledge bases that the user may ask; before the first document the one that the settings name."""
        with self.store() as store:
            return store.kbs() or [self.kb]

    def conversations(self) -> Conversations:
        """The user's own conversations."""
        from rag.conversations import Conversations

        return Conversations(self.services.settings.home, self.user)

    def searcher(self) -> Pipeline:
        """A pipeline in the user's hands that searches, whether or not a language model is loaded. Raises AccessError."""
        return self.services.searcher().seen_by(self.user, self.kb)

    def pipeline(self) -> Pipeline:
        """The one loaded pipeline in the user's hands; slow the first time. Raises AccessError."""
        return self.services.pipeline().seen_by(self.user, self.kb)
