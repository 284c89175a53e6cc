"""Logging in and out: what proves a person, for how long, and how often one may guess."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.event import listen

from orchestrator.domain.access.actor import Actor, Proof, process
from orchestrator.domain.access.roles import Role
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import LoginRefused, NotFound, Refused, StoreUnavailable
from orchestrator.operations.access.allow import allow
from orchestrator.operations.access.keys import check_key, note_key_uses
from orchestrator.operations.access.log_in import log_in, log_out, resume_session
from orchestrator.operations.access.people import (
    accept_invite,
    disable_person,
    invite_first_admin,
    invite_person,
)
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit, login_failures, people, sessions
from tests.people import ADMIN, PASSWORD, add, add_admin, key_of, logged_in

UP = process("cli:up")
MAIL = "ada@acme.example"


def the_admin(store: Store) -> Actor:
    return logged_in(store, ADMIN)


def enter(store: Store, mail: str = MAIL, password: str = PASSWORD, address: str = "::1") -> str:
    return log_in(store, mail, password, way="page", address=address).token


@pytest.fixture
def ada(store: Store) -> Store:
    """A store in which Ada may log in."""
    admin = add_admin(store)
    add(store, MAIL, Role.OPERATOR, "acme")
    accept_invite(store, invite_person(store, MAIL, actor=admin), password=PASSWORD)
    return store


def shift(store: Store, seconds: float, column: str) -> None:
    """Let time pass for every session."""
    with store.write() as tx:
        at = sessions.c[column]
        tx.execute(update(sessions).values({column: at - int(seconds * 1000)}))


def test_the_first_link_makes_an_admin_once(store: Store) -> None:
    token = invite_first_admin(store, actor=UP)
    assert token is not None

    with pytest.raises(Refused, match="12 to 1000 characters"):
        accept_invite(store, token, password="short", mail=ADMIN, name="")
    with pytest.raises(Refused, match="is not an e-mail address"):
        accept_invite(store, token, password=PASSWORD, mail="admin", name="")
    assert accept_invite(store, token, password=PASSWORD, mail=" Admin@Agency.example ", name="A")

    with pytest.raises(LoginRefused, match="unknown, used or over"):
        accept_invite(store, token, password=PASSWORD, mail="eve@evil.example", name="")
    assert invite_first_admin(store, actor=UP) is None
    actor = log_in(store, ADMIN, PASSWORD, way="page", address="::1").actor
    with store.write() as tx:
        allow(tx, actor, Act.MANAGE_PEOPLE, ())


def test_two_who_use_the_first_link_at_once_make_one_admin(store: Store) -> None:
    token = invite_first_admin(store, actor=UP)
    assert token is not None

    def use(mail: str) -> bool:
        try:
            accept_invite(store, token, password=PASSWORD, mail=mail, name="")
        except LoginRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(use, [f"n{n}@agency.example" for n in range(4)]))
    with store.read() as tx:
        there = tx.execute(select(people.c.mail)).scalars().all()
    assert (done.count(True), len(there)) == (1, 1)


def test_a_new_link_makes_the_one_before_void(ada: Store) -> None:
    admin = the_admin(ada)
    first = invite_person(ada, MAIL, actor=admin)
    second = invite_person(ada, MAIL, actor=admin)

    with pytest.raises(LoginRefused):
        accept_invite(ada, first, password=PASSWORD)
    assert accept_invite(ada, second, password=PASSWORD + "!") == MAIL
    with pytest.raises(LoginRefused, match="wrong"):
        enter(ada)
    assert enter(ada, password=PASSWORD + "!")


def test_a_session_names_its_person_and_its_way(ada: Store) -> None:
    found = resume_session(ada, enter(ada, mail="ADA@acme.example"))

    assert found.actor.name == f"person:{MAIL}/page"
    assert found.actor.proof is Proof.SESSION
    with ada.write() as tx:
        allow(tx, found.actor, Act.DISCARD, ["acme"])


def test_the_answer_is_the_same_whether_or_not_there_is_such_a_person(ada: Store) -> None:
    add(ada, "nopassword@acme.example", Role.VIEWER, "acme")
    said = set()
    for mail, password in (
        (MAIL, "wrong password"),
        ("nobody@acme.example", PASSWORD),
        ("nopassword@acme.example", PASSWORD),
        ("\ud800", "\ud800"),
        ("ada\0@acme.example", "\0"),
        (MAIL, "x" * 100_000),
    ):
        with pytest.raises(LoginRefused) as refused:
            enter(ada, mail, password)
        said.add(str(refused.value))
    assert len(said) == 1


def test_guessing_has_to_wait_by_name_and_a_right_password_too(ada: Store) -> None:
    for n in range(5):
        with pytest.raises(LoginRefused, match="is wrong"):
            enter(ada, password="wrong password", address=f"10.0.0.{n}")
    with ada.write() as tx:
        tx.execute(update(login_failures).values(failures=12))

    with pytest.raises(LoginRefused, match="too many logins failed; the next is looked at in"):
        enter(ada, address="10.0.0.9")
    accept_invite(ada, invite_person(ada, ADMIN, actor=the_admin(ada)), password=PASSWORD)
    assert enter(ada, ADMIN, address="10.0.0.9")
    with ada.write() as tx:
        at = login_failures.c.last_at
        tx.execute(update(login_failures).values(last_at=at - 1_000_000))
    assert enter(ada, address="10.0.0.9")
    assert enter(ada, address="10.0.0.9")


def test_guessing_has_to_wait_by_address(ada: Store) -> None:
    with pytest.raises(LoginRefused):
        enter(ada, "nobody@acme.example")
    with ada.write() as tx:
        tx.execute(update(login_failures).values(failures=60))

    with pytest.raises(LoginRefused, match="too many logins failed"):
        enter(ada)
    assert enter(ada, address="10.0.0.1")


def test_a_login_that_succeeds_forgives_an_address_no_guesses_at_others(ada: Store) -> None:
    for _ in range(2):
        with pytest.raises(LoginRefused):
            enter(ada, "nobody@acme.example")
        enter(ada)

    with ada.read() as tx:
        counted = tx.execute(select(login_failures.c.failures)).scalars().all()
    assert sorted(counted) == [2, 2]  # of the name that is not there, and of the address


def test_a_session_ends_by_disuse_by_age_and_by_signing_out(ada: Store) -> None:
    token, other = enter(ada), enter(ada)
    assert log_out(ada, other) == 1
    with pytest.raises(LoginRefused, match="the session has ended"):
        resume_session(ada, other)

    shift(ada, 3_500, "used_at")
    resume_session(ada, token)
    shift(ada, 3_500, "used_at")
    resume_session(ada, token)  # the use before was written down
    shift(ada, 3_700, "used_at")
    with pytest.raises(LoginRefused):
        resume_session(ada, token)

    token = enter(ada)
    shift(ada, 13 * 3_600, "ends_at")
    with pytest.raises(LoginRefused):
        resume_session(ada, token)


def test_while_the_store_is_read_only_who_was_in_may_look(ada: Store) -> None:
    token = enter(ada)
    key = key_of(ada, MAIL, Role.OPERATOR, "acme")
    shift(ada, 600, "used_at")  # so long ago that this use is to be written down

    def refuse_writes(connection: Connection) -> None:
        read_only = "PRAGMA query_only = 1" if ada.is_sqlite else "SET TRANSACTION READ ONLY"
        connection.exec_driver_sql(read_only)

    listen(ada.engine, "begin", refuse_writes)

    assert resume_session(ada, token).mail == MAIL
    note_key_uses(ada, [check_key(ada, key).key_id])
    with pytest.raises(StoreUnavailable, match="read-only"):
        log_out(ada, token)


def test_signing_out_everywhere_a_new_password_and_being_disabled_end_every_session(
    ada: Store,
) -> None:
    admin = the_admin(ada)
    tokens = [enter(ada) for _ in range(3)]
    actor = resume_session(ada, tokens[1]).actor
    assert log_out(ada, tokens[0], everywhere=True) == 3
    with ada.write() as tx, pytest.raises(NotFound):
        allow(tx, actor, Act.DISCARD, ["acme"])

    tokens = [enter(ada) for _ in range(2)]
    accept_invite(ada, invite_person(ada, MAIL, actor=admin), password=PASSWORD)
    for token in tokens:
        with pytest.raises(LoginRefused):
            resume_session(ada, token)

    token = enter(ada)
    assert disable_person(ada, MAIL, actor=admin).ended_sessions == 1
    with pytest.raises(LoginRefused):
        resume_session(ada, token)
    with pytest.raises(LoginRefused):
        enter(ada)


def test_logging_in_ends_the_session_that_the_browser_brought(ada: Store) -> None:
    brought = enter(ada)

    log_in(ada, MAIL, PASSWORD, way="page", address="::1", instead_of=brought)

    with pytest.raises(LoginRefused):
        resume_session(ada, brought)


def test_neither_tokens_nor_passwords_are_in_the_store(ada: Store) -> None:
    admin = the_admin(ada)
    secrets = [enter(ada), PASSWORD, invite_person(ada, MAIL, actor=admin)]
    with ada.read() as tx:
        every = [
            str(row)
            for table in people.metadata.tables.values()
            for row in tx.execute(select(table)).all()
        ]
    assert not [secret for secret in secrets if any(secret in row for row in every)]


def test_the_audit_tells_of_people(ada: Store) -> None:
    enter(ada)
    with pytest.raises(LoginRefused):
        enter(ada, password="wrong password")
    with ada.read() as tx:
        told = tx.execute(select(audit.c.actor, audit.c.action).order_by(audit.c.id)).all()
    assert [tuple(row) for row in told] == [
        ("cli:root", "add_person"),
        ("cli:root", "grant_role"),
        (f"person:{ADMIN}/page", "add_person"),
        (f"person:{ADMIN}/page", "grant_role"),
        (f"person:{ADMIN}/page", "invite_person"),
        (f"person:{MAIL}/invite", "set_password"),
        (f"person:{MAIL}/page", "log_in"),
        (f"person:{MAIL}/page", "log_in_refused"),
    ]
