"""People who sign in: their names, roles and passwords, and who is signed in; only hashes of secrets are kept."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.access import OWNER, Role, User
from rag.database import Database
from rag.errors import AccessError
from rag.logs import note

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SIGNED_IN_SECONDS = 12 * 3600
SHORTEST_PASSWORD, LONGEST_PASSWORD, LONGEST_NAME = 10, 1000, 100
ROLES: tuple[Role, ...] = ("reader", "curator", "admin")
# What no password verifies against, so that an unknown name takes as long as a known one.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$D5mCzqQhKNx+ZIpOp9Zw5Q$vr46iXlaBSRYYhvkorauAPcuf03fo3lZ3W+1RktVvc0"
_HASHING = threading.Lock()  # a hash takes 64 MB: one at a time, however many guess at once


class TooManyTriesError(AccessError):
    """Too many wrong passwords; ``seconds`` is how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many wrong passwords. Try again in {seconds} s.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the list: ``password`` tells whether there is one, ``created`` is seconds since 1970."""

    user: User
    password: bool
    created: float


class Throttle:
    """Makes guessing slow: after five wrong passwords for a name each further try waits longer, up to five minutes.

    Sixty wrong ones within five minutes, whatever the names, make everybody wait. Kept in memory, one a process.
    """

    _FREE, _LONGEST, _ALL = 5, 300.0, 60

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tries: list[tuple[float, str]] = []

    def begin(self, name: str) -> None:
        """Count a try as a wrong one until ``succeed``; raises TooManyTriesError."""
        with self._lock:
            now = self._clock()
            # Everything that can still make anyone wait; those refused below are not counted.
            self._tries = [entry for entry in self._tries if now - entry[0] < 3 * self._LONGEST]
            wait = max(self._wait_for(name, now), self._wait_for_all(now))
            if wait > 0:
                raise TooManyTriesError(int(wait) + 1)
            self._tries.append((now, name))

    def succeed(self, name: str) -> None:
        """Forget the wrong ones of a name."""
        with self._lock:
            self._tries = [entry for entry in self._tries if entry[1] != name]

    def _wait_for(self, name: str, now: float) -> float:
        own = [at for at, tried in self._tries if tried == name]
        return own[-1] + min(2.0 ** (len(own) - self._FREE + 1), self._LONGEST) - now if len(own) >= self._FREE else 0.0

    def _wait_for_all(self, now: float) -> float:
        return self._tries[-self._ALL][0] + self._LONGEST - now if len(self._tries) >= self._ALL else 0.0


class Users:
    """The list of people under a home folder, in the hands of ``acting``: only admins read or change it."""

    def __init__(self, home: Path, acting: User = OWNER) -> None:
        self._database = Database(home)
        self._acting = acting

    def close(self) -> None:
        """Close this thread's connection."""
        self._database.close()

    def __enter__(self) -> Users:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def exist(self) -> bool:
        """Whether anybody is on the list."""
        return bool(self._database.rows("SELECT 1 FROM user LIMIT 1"))

    def with_passwords(self) -> bool:
        """Whether anybody has a password to sign in with."""
        return bool(self._database.rows("SELECT 1 FROM user WHERE password <> '' LIMIT 1"))

    def all(self) -> list[Person]:
        """Everybody, by name."""
        self._check_admin()
        rows = self._database.rows("SELECT name, role, kbs, password, created FROM user ORDER BY name")
        return [Person(_user(*row[:3]), bool(row[3]), row[4]) for row in rows]

    def add(self, name: str, role: Role, kbs: Iterable[str] = (), password: str = "") -> User:
        """Add a person; without a password they can only come through the identity provider, by their e-mail address."""
        self._check_admin()
        name = _checked_name(name)
        hashed = _hashed(password) if password else ""
        with self._database.transaction() as connection:
            if _row(connection, name):
                raise AccessError(f"There is already a {name!r}. Choose another name.")
            values = (name, hashed, _checked_role(role), _packed(kbs), time.time())
            connection.execute("INSERT INTO user(name, password, role, kbs, created) VALUES(?,?,?,?,?)", values)
        return User(name, role, frozenset(kbs))

    def change(
        self, name: str, *, role: Role | None = None, kbs: Iterable[str] | None = None, password: str | None = None
    ) -> None:
        """Give a person another role, other knowledge bases or another password; a new role or password signs them out."""
        self._check_admin()
        name = canonical(name)
        hashed = None if password is None else _hashed(password)
        with self._database.transaction() as connection:
            before = self._known(connection, name)
            if role is not None and role != before.role:
                self._check_other(name)
                connection.execute("UPDATE user SET role = ? WHERE name = ?", (_checked_role(role), name))
            if kbs is not None:
                connection.execute("UPDATE user SET kbs = ? WHERE name = ?", (_packed(kbs), name))
            if hashed is not None:
                connection.execute("UPDATE user SET password = ? WHERE name = ?", (hashed, name))
            if hashed is not None or role not in (None, before.role):
                connection.execute("DELETE FROM signed_in WHERE user = ?", (name,))

    def remove(self, name: str) -> None:
        """Remove a person with their conversations: whoever is given the name later must not find them."""
        self._check_admin()
        name = canonical(name)
        with self._database.transaction() as connection:
            self._known(connection, name)
            self._check_other(name)
            connection.execute("DELETE FROM conversation WHERE owner = ?", (name,))
            connection.execute("DELETE FROM user WHERE name = ?", (name,))

    def find(self, name: str) -> User | None:
        """Whoever is on the list under this name, as they are now."""
        rows = self._database.rows("SELECT name, role, kbs FROM user WHERE name = ?", (canonical(name),))
        return _user(*rows[0]) if rows else None

    def sign_in(self, name: str, password: str, throttle: Throttle) -> str:
        """A token that is worth this person for twelve hours; raises AccessError, the same for any wrong pair."""
        name = canonical(name)
        throttle.begin(name)
        rows = self._database.rows("SELECT password FROM user WHERE name = ?", (name,))
        hashed = str(rows[0][0]) if rows else ""
        if not _verified(hashed, password):
            note("sign-in refused", user=name)
            raise AccessError("This name and password don't go together.")
        throttle.succeed(name)
        better = _hashed(password) if _hasher().check_needs_rehash(hashed) else hashed
        token, now = secrets.token_urlsafe(32), time.time()
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM signed_in WHERE expires <= ?", (now,))
            # Not where the password was changed, or the person removed, while it was being checked.
            sql = "UPDATE user SET password = ? WHERE name = ? AND password = ?"
            if connection.execute(sql, (better, name, hashed)).rowcount == 0:
                raise AccessError("This name and password don't go together.")
            values = (_sha(token), name, now + SIGNED_IN_SECONDS)
            connection.execute("INSERT INTO signed_in(token, user, expires) VALUES(?,?,?)", values)
        note("signed in", user=name)
        return token

    def signed_in(self, token: str) -> User | None:
        """Whoever the token is worth now; None once it ran out or was ended."""
        sql = "SELECT name, role, kbs FROM user JOIN signed_in ON user = name WHERE token = ? AND expires > ?"
        rows = self._database.rows(sql, (_sha(token), time.time()))
        return _user(*rows[0]) if rows else None

    def sign_out(self, token: str) -> None:
        """End a token."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM signed_in WHERE token = ?", (_sha(token),))

    def _check_admin(self) -> None:
        """By the list as it is now: a page that is still open may have been opened by somebody demoted since."""
        now = self._acting if self._acting == OWNER else self.find(self._acting.name)
        if now is None or not now.admin:
            raise AccessError("Only an admin may see and change who has access.")

    def _check_other(self, name: str) -> None:
        """Admins cannot remove or demote themselves, so that one always stays."""
        if name == self._acting.name:
            raise AccessError("You cannot take away your own role. Ask another admin.")

    def _known(self, connection: Any, name: str) -> User:
        if row := _row(connection, name):
            return _user(*row)
        raise AccessError(f"There is nobody called {name!r}. `python -m rag users list` names everybody.")


def canonical(name: str) -> str:
    """A name as it is kept and compared: case, width and outer spaces make no difference."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def _checked_name(name: str) -> str:
    name = canonical(name)
    # Invisible and control characters would make two names look alike.
    if not name or len(name) > LONGEST_NAME or any(unicodedata.category(c)[0] == "C" for c in name):
        raise AccessError(
            f"{name!r} is no name: use 1 to {LONGEST_NAME} letters, digits or signs, or an e-mail address."
        )
    return name


def _checked_role(role: Role) -> Role:
    if role not in ROLES:
        raise AccessError(f"{role!r} is no role. There are {', '.join(ROLES)}.")
    return role


def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


def _hashed(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AccessError(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters, not {len(password)}.")
    with _HASHING:
        return _hasher().hash(unicodedata.normalize("NFKC", password))


def _verified(hashed: str, password: str) -> bool:
    from argon2.exceptions import VerificationError

    try:
        with _HASHING:
            _hasher().verify(hashed or _NOBODY, unicodedata.normalize("NFKC", password[: LONGEST_PASSWORD + 1]))
    except VerificationError:
        return False
    return bool(hashed)


def _sha(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _packed(kbs: Iterable[str]) -> str:
    return json.dumps(sorted(set(kbs)), ensure_ascii=False)


def _row(connection: Any, name: str) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = connection.execute(
        "SELECT name, role, kbs FROM user WHERE name = ?", (name,)
    ).fetchone()
    return row


def _user(name: str, role: Role, kbs: str) -> User:
    return User(name, role, frozenset(json.loads(kbs)))
