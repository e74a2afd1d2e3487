"""Who may sign in: names, passwords, tokens, guesses, and who decides about all that."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from rag import users as module
from rag.__main__ import main
from rag.access import OWNER, User
from rag.conversations import Conversations
from rag.database import Database
from rag.errors import AccessError
from rag.store import Store
from rag.users import Throttle, TooManyTriesError, Users

PASSWORD, OTHER = "correct horse battery", "staple staple staple"


class Clock:
    """A clock that a test turns."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def light_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2 hashes with little memory, so that the tests are fast."""
    monkeypatch.setattr(module, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def users(tmp_path: Path) -> Users:
    """A list with one of each role."""
    made = Users(tmp_path)
    made.add("ada", "admin", (), PASSWORD)
    made.add("Bo", "curator", ["open"], PASSWORD)
    made.add("cy@example.org", "reader", ["open"], "")
    return made


def test_a_password_gives_a_token_that_is_worth_its_user(users: Users) -> None:
    """Whoever signs in is who the list says, until they sign out."""
    token = users.sign_in(" BO ", PASSWORD, Throttle())
    assert users.signed_in(token) == User("bo", "curator", frozenset({"open"}))
    assert users.signed_in("x" * len(token)) is None
    users.sign_out(token)
    assert users.signed_in(token) is None


@pytest.mark.parametrize(
    ("name", "password"),
    [("bo", OTHER), ("nobody", PASSWORD), ("cy@example.org", ""), ("cy@example.org", PASSWORD), ("", ""), ("bo", "")],
)
def test_a_wrong_pair_is_refused_in_the_same_words(users: Users, name: str, password: str) -> None:
    """Nobody learns whether the name or the password was wrong; without a password of one's own nobody gets in by one."""
    with pytest.raises(AccessError, match="don't go together"):
        users.sign_in(name, password, Throttle())


def test_an_unknown_name_costs_a_hash_too(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that an answer takes does not tell whether a name is on the list: one is verified either way."""
    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            verified.append(str(hash))
            return super().verify(hash, password)

    monkeypatch.setattr(module, "_hasher", Counting)
    for name in ("bo", "nobody", "cy@example.org"):
        with pytest.raises(AccessError):
            users.sign_in(name, OTHER, Throttle())
    assert len(verified) == 3


def test_secrets_are_not_in_the_file(users: Users, tmp_path: Path) -> None:
    """Neither a password nor a token lies in the store."""
    token = users.sign_in("bo", PASSWORD, Throttle())
    Database(tmp_path).connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held = b"".join(path.read_bytes() for path in (tmp_path / "workspace").iterdir())
    assert b"$argon2id$" in held
    assert PASSWORD.encode() not in held and token.encode() not in held


def test_a_token_runs_out(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    """After twelve hours a token is worth nobody."""
    token = users.sign_in("bo", PASSWORD, Throttle())
    later = module.time.time() + 12 * 3600
    monkeypatch.setattr(module.time, "time", lambda: later - 5)
    assert users.signed_in(token)
    monkeypatch.setattr(module.time, "time", lambda: later + 5)
    assert users.signed_in(token) is None


@pytest.mark.parametrize(
    "end",
    [
        lambda users: users.remove("bo"),
        lambda users: users.change("bo", role="reader"),
        lambda users: users.change("bo", password=OTHER),
    ],
)
def test_a_change_of_rights_signs_out(users: Users, end: Callable[[Users], None]) -> None:
    """A removed or demoted user, or one with a new password, is signed out everywhere at once; others are not."""
    token, other = users.sign_in("bo", PASSWORD, Throttle()), users.sign_in("ada", PASSWORD, Throttle())
    end(users)
    assert users.signed_in(token) is None and users.signed_in(other)


def test_what_is_shared_holds_at_the_next_look(users: Users) -> None:
    """Sharing and unsharing need no new sign-in."""
    token = users.sign_in("bo", PASSWORD, Throttle())
    users.change("bo", kbs=["other"])
    assert users.signed_in(token) == User("bo", "curator", frozenset({"other"}))


def test_a_deleted_knowledge_base_is_shared_no_more(users: Users, tmp_path: Path) -> None:
    """One made later under the same name is shared with nobody; what else was shared stays."""
    users.change("bo", kbs=["open", "财务"])
    with Store(tmp_path, "open") as store:
        store.remember_root("/files")
        store.delete_kb()
    assert users.find("bo") == User("bo", "curator", frozenset({"财务"}))
    assert users.find("cy@example.org") == User("cy@example.org", "reader")


def test_guessing_gets_slow_for_a_name_and_only_for_it() -> None:
    """The sixth wrong password for a name has to wait, longer each time; another name does not; a right one forgets."""
    clock = Clock()
    throttle = Throttle(clock)
    waits = []
    for _ in range(12):
        try:
            throttle.begin("bo")
        except TooManyTriesError as refused:
            waits.append(refused.seconds)
            throttle.begin("ada")
            throttle.succeed("ada")
            clock.now += refused.seconds
            throttle.begin("bo")
    assert waits == sorted(waits) and len(waits) == 7 and waits[0] <= 3 and waits[-1] > 60
    throttle.succeed("bo")
    throttle.begin("bo")


def test_guessing_many_names_gets_slow_for_everybody() -> None:
    """Sixty wrong ones within five minutes make the next wait, whatever the name; five minutes later it may try."""
    clock = Clock()
    throttle = Throttle(clock)
    for number in range(60):
        throttle.begin(f"name {number}")
    with pytest.raises(TooManyTriesError) as refused:
        throttle.begin("ada")
    clock.now += refused.value.seconds
    throttle.begin("ada")


def test_a_hash_of_old_parameters_is_renewed(users: Users, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signing in replaces a hash made with other parameters by a present one, and the password still works."""
    monkeypatch.setattr(module, "_hasher", lambda: PasswordHasher(time_cost=2, memory_cost=128, parallelism=1))
    users.sign_in("bo", PASSWORD, Throttle())
    ((kept,),) = Database(tmp_path).rows("SELECT password FROM user WHERE name = 'bo'")
    assert "m=128,t=2,p=1" in kept
    assert users.sign_in("bo", PASSWORD, Throttle())


@pytest.mark.parametrize("name", ["BO", "Ｂｏ", " bo "])
def test_names_that_look_alike_are_one(users: Users, name: str) -> None:
    """Case, width and spaces make no second person."""
    with pytest.raises(AccessError, match="already"):
        users.add(name, "admin", (), PASSWORD)


@pytest.mark.parametrize(
    ("name", "password"), [("", PASSWORD), ("  ", PASSWORD), ("b\u200bo", PASSWORD), ("a\nb", PASSWORD),
                           ("x" * 101, PASSWORD), ("dee", "ninechars"), ("dee", "x" * 1001)],
)  # fmt: skip
def test_bad_names_and_short_passwords_are_refused(users: Users, name: str, password: str) -> None:
    """Names with nothing or something invisible in them, and passwords under ten characters, add nobody."""
    with pytest.raises(AccessError):
        users.add(name, "reader", (), password)
    assert len(users.all()) == 3


@pytest.mark.parametrize("acting", [User("bo", "curator", frozenset({"open"})), User("cy@example.org", "reader")])
def test_only_admins_see_and_change_the_list(users: Users, tmp_path: Path, acting: User) -> None:
    """Readers and curators can neither read the list nor change themselves or others."""
    theirs = Users(tmp_path, acting)
    for attempt in (
        lambda: theirs.all(),
        lambda: theirs.add("dee", "admin", (), PASSWORD),
        lambda: theirs.change(acting.name, role="admin"),
        lambda: theirs.remove("ada"),
    ):
        with pytest.raises(AccessError, match="Only an admin"):
            attempt()
    assert [one.user.name for one in users.all()] == ["ada", "bo", "cy@example.org"]


def test_a_demoted_admin_decides_nothing_more(users: Users, tmp_path: Path) -> None:
    """What counts is the list as it is, not who somebody was when they opened the page."""
    users.add("eve", "admin", (), PASSWORD)
    eve = Users(tmp_path, User("eve", "admin"))
    users.change("eve", role="reader")
    with pytest.raises(AccessError, match="Only an admin"):
        eve.change("eve", role="admin")
    users.remove("eve")
    with pytest.raises(AccessError, match="Only an admin"):
        eve.all()


def test_one_admin_always_stays(users: Users, tmp_path: Path) -> None:
    """An admin on the page cannot remove or demote themselves; whoever runs the machine can."""
    ada = Users(tmp_path, User("ada", "admin"))
    with pytest.raises(AccessError):
        ada.remove("ada")
    with pytest.raises(AccessError):
        ada.change("ada", role="reader")
    ada.change("ada", password=OTHER)
    users.remove("ada")


def test_a_name_given_again_finds_nothing_of_the_one_before(users: Users, tmp_path: Path) -> None:
    """Removing somebody deletes their conversations, and nobody else's."""
    for owner in (OWNER, User("ada", "admin"), User("bo", "curator")):
        Conversations(tmp_path, owner).create("theirs")
    users.remove("bo")
    users.add("bo", "reader", (), PASSWORD)
    assert Conversations(tmp_path, User("bo", "reader")).all() == []
    assert all(Conversations(tmp_path, one).all() for one in (OWNER, User("ada", "admin")))


def _typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_the_command_keeps_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """add, list, change and remove, the password from stdin and never shown."""
    home = ["--home", str(tmp_path)]
    _typed(monkeypatch, f"{PASSWORD}\n")
    assert main(["users", "add", "Ada", "--role", "admin", *home]) == 0
    assert main(["users", "add", "cy@example.org", "--role", "reader", "--share", "a b", "--no-password", *home]) == 0
    _typed(monkeypatch, f"{OTHER}\n")
    assert main(["users", "change", "ada", "--password", *home]) == 0
    assert main(["users", "change", "cy@example.org", "--share", "x", "--share", "y", *home]) == 0
    assert "There is no knowledge base x, y yet" in capsys.readouterr().err
    assert main(["users", "list", *home]) == 0
    said = capsys.readouterr().out
    assert "ada" in said and "x, y" in said and "a b" not in said
    assert Users(tmp_path).sign_in("ada", OTHER, Throttle())
    assert main(["users", "remove", "ada", *home]) == 0
    assert "no admin now" in capsys.readouterr().err
    assert main(["users", "remove", "ada", *home]) == 1
    assert PASSWORD not in said and OTHER not in said


def test_the_command_refuses_a_short_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence on stderr, without the password, and nobody added."""
    _typed(monkeypatch, "short\n")
    assert main(["users", "add", "ada", "--role", "admin", "--home", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "short" not in said.err
    assert not Users(tmp_path).exist()
