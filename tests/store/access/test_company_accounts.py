"""Whom an account of the company's login comes in as: bound at the first login, on both stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from orchestrator.domain.access.roles import Role
from orchestrator.domain.errors import LoginRefused
from orchestrator.operations.access.log_in import resume_session
from orchestrator.operations.access.log_in_by_company import log_in_by_company
from orchestrator.operations.access.people import disable_person
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit, people
from tests.people import ADMIN, add, add_admin, logged_in

ISSUER, MAIL = "https://login.acme.example", "ada@acme.example"
BOUND = "another account of the company's login is bound to this mail address"


@pytest.fixture
def ada(store: Store) -> Store:
    """A store in which Ada is, who has no password."""
    add_admin(store)
    add(store, MAIL, Role.OPERATOR, "acme")
    return store


def enter(store: Store, subject: str, mail: str = MAIL, issuer: str = ISSUER) -> str:
    """Who came in by an account, as the store names them."""
    found = log_in_by_company(store, issuer=issuer, subject=subject, mail=mail)
    return resume_session(store, found.token).actor.name


def subject_of(store: Store) -> str | None:
    with store.read() as tx:
        found = tx.execute(select(people.c.subject).where(people.c.mail == MAIL)).scalar_one()
    return None if found is None else str(found)


def actions(store: Store) -> list[str]:
    """What the audit has of logins by the company, in order."""
    kinds = ("bind_login", "log_in_refused")
    with store.read() as tx:
        rows = tx.execute(select(audit.c.action).where(audit.c.action.in_(kinds)))
        return list(rows.scalars())


def test_the_first_login_binds_and_then_the_account_decides_not_the_address(ada: Store) -> None:
    assert enter(ada, "1", mail=" ADA@acme.example") == f"person:{MAIL}/page"
    assert subject_of(ada) == f"{ISSUER} 1"
    assert enter(ada, "1", mail="ada.new@acme.example") == f"person:{MAIL}/page"

    with pytest.raises(LoginRefused, match=BOUND):
        enter(ada, "2")

    assert subject_of(ada) == f"{ISSUER} 1"
    assert actions(ada) == ["bind_login", "log_in_refused"]


def test_an_account_is_one_of_its_issuer_only(ada: Store) -> None:
    enter(ada, "1")

    with pytest.raises(LoginRefused, match=BOUND):
        enter(ada, "1", issuer="https://login.globex.example")


@pytest.mark.parametrize("mail", ["eve@acme.example", "\ud800@acme.example", "e\0e@acme.example"])
def test_nobody_is_added(ada: Store, mail: str) -> None:
    with pytest.raises(LoginRefused, match="nobody here has the mail address"):
        enter(ada, "2", mail=mail)

    with ada.read() as tx:
        there = tx.execute(select(people.c.mail).order_by(people.c.mail)).scalars().all()
    assert there == [MAIL, ADMIN]


def test_an_address_that_only_looks_alike_is_nobodys(ada: Store) -> None:
    """Of the sign for Kelvin `lower` makes a k: whoever has such a mailbox would come in."""
    add(ada, "desk@acme.example", Role.OPERATOR, "acme")

    with pytest.raises(LoginRefused, match="nobody here has the mail address"):
        enter(ada, "2", mail="des\N{KELVIN SIGN}@acme.example")


def test_of_two_accounts_that_come_first_at_once_one_is_bound(ada: Store) -> None:
    ready = Barrier(4)

    def come(subject: str) -> bool:
        subject_of(ada)  # has a connection
        ready.wait()
        try:
            enter(ada, subject)
        except LoginRefused:
            return False
        return True

    names = ["1", "2", "3", "4"]
    with ThreadPoolExecutor(4) as threads:
        came = dict(zip(names, threads.map(come, names), strict=True))

    first = [name for name in names if came[name]]
    assert [subject_of(ada)] == [f"{ISSUER} {name}" for name in first]
    assert actions(ada).count("bind_login") == 1


def test_to_disable_a_person_forgets_the_account(ada: Store) -> None:
    enter(ada, "1")
    admin = logged_in(ada, ADMIN)
    disable_person(ada, MAIL, actor=admin)
    assert subject_of(ada) is None
    with pytest.raises(LoginRefused, match="the person is disabled"):
        enter(ada, "1")

    disable_person(ada, MAIL, actor=admin, enable=True)

    assert enter(ada, "2") == f"person:{MAIL}/page"
    assert subject_of(ada) == f"{ISSUER} 2"


@pytest.mark.parametrize("subject", ["x" * 400, "a\0b", "\ud800", "\U0001f511" * 120])
def test_a_subject_that_no_column_holds_is_bound_all_the_same(ada: Store, subject: str) -> None:
    assert enter(ada, subject) == f"person:{MAIL}/page"
    assert enter(ada, subject, mail="ada.new@acme.example") == f"person:{MAIL}/page"

    for other in (f"{subject}y", subject[:-1], subject.encode(errors="replace").decode() + "?"):
        with pytest.raises(LoginRefused, match=BOUND):
            enter(ada, other)
