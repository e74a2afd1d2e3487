"""Who somebody is and what they may do: checked by the store, where data is read and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rag.errors import AccessError

Role = Literal["reader", "curator", "admin"]


@dataclass(frozen=True, slots=True)
class User:
    """A person: readers ask, curators also change documents, admins do everything.

    ``kbs`` are the knowledge bases granted to a reader or curator; an admin has them all. ``name`` tells whose
    conversations are whose.
    """

    name: str
    role: Role
    kbs: frozenset[str] = frozenset()

    @property
    def admin(self) -> bool:
        """Whether models, users, folders of this machine and new knowledge bases are theirs to decide."""
        return self.role == "admin"

    def may_read(self, kb: str) -> bool:
        """Whether they may ask this knowledge base."""
        return self.admin or kb in self.kbs

    def may_change(self, kb: str) -> bool:
        """Whether they may add, replace and delete its documents."""
        return self.admin or (self.role == "curator" and kb in self.kbs)

    def check_read(self, kb: str) -> None:
        """Raise AccessError where they may not ask this knowledge base."""
        if not self.may_read(kb):
            raise AccessError(f"The knowledge base {kb!r} is not shared with you. Ask an admin for it.")

    def check_change(self, kb: str) -> None:
        """Raise AccessError where they may not change this knowledge base."""
        self.check_read(kb)
        if not self.may_change(kb):
            raise AccessError(f"You may ask {kb!r} but not change it. Ask an admin for the role of a curator.")


# Whoever runs the commands, or the page on this machine alone: the data are their own files.
OWNER = User("", "admin")
