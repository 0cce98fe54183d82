from __future__ import annotations

from collections.abc import Iterator

import pytest

from openmodality.console.security.accounts import LINK_S, Accounts, Principal, SessionLimits
from openmodality.console.security.roles import Permission
from openmodality.errors import NotFound, UsageError, WrongState
from openmodality.store.database import Database, open_database

PASSWORD = "correct horse battery"


class Clock:
    """A clock that a test sets."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(database_url: str, clock: Clock) -> Iterator[Database]:
    opened = open_database(database_url, durability="os", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database, SessionLimits(idle_s=600, absolute_s=3600))


def first_user(accounts: Accounts) -> str:
    return accounts.use_link(accounts.make_link(), PASSWORD, "anna")


def log_in(accounts: Accounts, name: str = "anna", password: str = PASSWORD) -> str:
    session = accounts.log_in(name, password, "127.0.0.1")
    assert session is not None
    return session


def test_the_first_user_is_made_at_a_link_that_works_once(accounts: Accounts) -> None:
    link = accounts.make_link()
    assert accounts.whose_link(link) == ""
    assert accounts.use_link(link, PASSWORD, "anna") == "anna"
    assert accounts.whose_link(link) is None
    with pytest.raises(WrongState, match="used"):
        accounts.use_link(link, PASSWORD, "eve")
    with pytest.raises(WrongState, match="users already"):
        accounts.make_link()


def test_a_newer_link_replaces_the_older_one_and_both_grow_old(accounts: Accounts, clock: Clock) -> None:
    older, newer = accounts.make_link(), accounts.make_link()
    assert accounts.whose_link(older) is None
    clock.now += LINK_S + 1
    assert accounts.whose_link(newer) is None
    with pytest.raises(WrongState):
        accounts.use_link(newer, PASSWORD, "anna")


def test_nothing_that_lets_somebody_in_is_kept_as_it_is(accounts: Accounts, database: Database) -> None:
    link = accounts.make_link()
    first_user(accounts)
    second = accounts.add_user("bob", ["viewer"])
    session, token = log_in(accounts), accounts.add_token("scanner", ["view"])
    with database.read() as snapshot:
        tables = ("console_users", "console_links", "console_sessions", "console_tokens")
        kept = repr([list(snapshot.rows(f"SELECT * FROM {table}")) for table in tables])
    assert "argon2id" in kept
    assert not [secret for secret in (link, second, session, token, PASSWORD) if secret in kept]


def test_a_wrong_password_and_an_unknown_name_are_not_told_apart(accounts: Accounts) -> None:
    first_user(accounts)
    accounts.add_user("bob", ["viewer"])
    for name, password in (("anna", "wrong wrong wrong"), ("nobody", PASSWORD), ("bob", ""), ("bob", PASSWORD)):
        assert accounts.log_in(name, password, "") is None


def test_a_session_ends_when_nobody_uses_it_and_in_any_case(accounts: Accounts, clock: Clock) -> None:
    first_user(accounts)
    idle = log_in(accounts)
    clock.now += 599
    assert accounts.find_session(idle) is not None
    clock.now += 601
    assert accounts.find_session(idle) is None
    used, begun = log_in(accounts), clock.now
    while clock.now - begun < 3500:
        assert accounts.find_session(used) is not None
        clock.now += 500
    clock.now = begun + 3601
    assert accounts.find_session(used) is None


def test_a_page_that_looks_by_itself_keeps_no_session_open(accounts: Accounts, clock: Clock) -> None:
    first_user(accounts)
    session = log_in(accounts)
    for _ in range(4):
        clock.now += 200
        accounts.find_session(session, keeps_open=False)
    assert not accounts.is_still_in(Principal("anna", frozenset(), session))


def test_sessions_are_listed_and_ended_by_their_owner_alone(accounts: Accounts) -> None:
    first_user(accounts)
    accounts.use_link(accounts.add_user("bob", ["operator"]), PASSWORD)
    anna, bob = log_in(accounts), log_in(accounts, "bob")
    who = accounts.find_session(bob)
    assert who is not None
    (of_bob,) = accounts.list_sessions(who.user_id)
    (of_anna,) = accounts.list_sessions(who.user_id - 1)
    with pytest.raises(NotFound):
        accounts.revoke_session(who.user_id, of_anna.id)
    accounts.revoke_session(who.user_id, of_bob.id)
    assert accounts.find_session(bob) is None
    accounts.log_out(anna)
    assert accounts.find_session(anna) is None


def test_what_is_changed_of_a_user_ends_the_sessions(accounts: Accounts) -> None:
    first_user(accounts)
    session = log_in(accounts)
    accounts.change_roles("anna", ["viewer"])
    assert accounts.find_session(session) is None
    who = accounts.find_session(log_in(accounts))
    assert who is not None
    assert (who.may(Permission.VIEW), who.may(Permission.DELETE)) == (True, False)
    accounts.disable_user("anna")
    assert accounts.log_in("anna", PASSWORD, "") is None
    accounts.enable_user("anna")
    log_in(accounts)


def test_a_new_password_ends_the_sessions(accounts: Accounts) -> None:
    first_user(accounts)
    session = log_in(accounts)
    accounts.use_link(accounts.make_link("anna"), "another horse battery")
    assert accounts.find_session(session) is None
    assert accounts.log_in("anna", PASSWORD, "") is None
    log_in(accounts, password="another horse battery")


def test_tokens_have_scopes_and_an_end(accounts: Accounts, clock: Clock) -> None:
    token = accounts.add_token("scanner", ["view"], days=1)
    program = accounts.find_token(token)
    assert program is not None
    assert (program.name, program.may(Permission.VIEW), program.may(Permission.OPERATE)) == ("scanner", True, False)
    clock.now += 86_401
    assert accounts.find_token(token) is None
    lasting = accounts.add_token("other", ["view", "operate"])
    accounts.revoke_token("other")
    assert accounts.find_token(lasting) is None
    with pytest.raises(NotFound):
        accounts.revoke_token("other")


@pytest.mark.parametrize("name", ["", " ", "a b", "<b>", "ä", "x" * 65, "-x"])
def test_names_that_cannot_be(accounts: Accounts, name: str) -> None:
    with pytest.raises(UsageError):
        accounts.add_user(name, ["viewer"])
    with pytest.raises(UsageError):
        accounts.use_link(accounts.make_link(), PASSWORD, name)


def test_what_else_is_refused(accounts: Accounts) -> None:
    with pytest.raises(UsageError, match="10 to 256"):
        accounts.use_link(accounts.make_link(), "short", "anna")
    with pytest.raises(UsageError, match="roles"):
        accounts.add_user("bob", ["king"])
    accounts.add_user("bob", ["viewer"])
    with pytest.raises(WrongState):
        accounts.add_user("bob", ["viewer"])
    with pytest.raises(UsageError, match="no scope"):
        accounts.add_token("x", ["everything"])
    with pytest.raises(NotFound):
        accounts.make_link("nobody")
