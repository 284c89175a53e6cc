"""People and their roles, as rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from orchestrator.domain.access.roles import EVERY_CLIENT, Role, includes
from orchestrator.domain.errors import NotFound
from orchestrator.domain.text.addresses import in_small_letters
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import people, person_roles
from orchestrator.store.views.values import iso, iso_time


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """One role of a person."""

    client: str  # "*" is every client
    role: Role
    granted_at: str  # ISO 8601 in UTC
    granted_by: str  # an actor


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A person. Times are ISO 8601 in UTC."""

    id: int
    mail: str  # in small letters
    name: str
    has_password: bool
    subject: str | None  # how the company's login names the person
    created_at: str
    created_by: str
    disabled_at: str | None  # None: may log in
    roles: tuple[Grant, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What a login is compared with."""

    id: int
    mail: str
    password: str | None  # a digest; None: none was set


def credentials_of(tx: Connection, mail: str) -> Credentials | None:
    """The person of a mail address in small letters, unless disabled; or None."""
    table = people.c
    row = tx.execute(
        select(table.id, table.mail, table.password).where(
            table.mail == mail, table.disabled_at.is_(None)
        )
    ).one_or_none()
    return None if row is None else Credentials(id=row.id, mail=row.mail, password=row.password)


def find_person(tx: Connection, mail: str) -> Person:
    """The person of a mail address, whatever the case of its letters. Raises NotFound."""
    named = in_small_letters(mail.strip())
    row = tx.execute(select(people).where(people.c.mail == named)).one_or_none()
    if row is None:
        raise no_person(mail)
    return _person(row, _grants(tx, [row.id]).get(row.id, ()))


def find_by_subject(tx: Connection, subject: str) -> Person | None:
    """The person to whom a subject of the company's login is bound, or None."""
    row = tx.execute(select(people).where(people.c.subject == subject)).one_or_none()
    return None if row is None else _person(row, _grants(tx, [row.id]).get(row.id, ()))


def person_mail(tx: Connection, person: int) -> str:
    """The mail address of a person by their row."""
    return str(tx.execute(select(people.c.mail).where(people.c.id == person)).scalar_one())


def set_subject(tx: Connection, person: int, subject: str | None) -> None:
    """Bind a subject of the company's login to a person; None: forget it."""
    tx.execute(update(people).where(people.c.id == person).values(subject=subject))


def no_person(mail: str) -> NotFound:
    """What is said of a person who is not there, or is not the asker's to see."""
    return NotFound(
        f"there is no person {mail!r}", field="person", fix="see `meshline people list`"
    )


def list_people(tx: Connection, clients: frozenset[str] | None = None) -> list[Person]:
    """Every person, by mail address; with `clients`, who has a role for one of these, and it."""
    rows = tx.execute(select(people).order_by(people.c.mail)).all()
    grants = _grants(tx, [row.id for row in rows])
    every = [_person(row, grants.get(row.id, ())) for row in rows]
    if clients is None:
        return every
    shown = clients | {EVERY_CLIENT} if clients else clients  # of no client there is nobody
    narrowed = (
        replace(one, roles=tuple(held for held in one.roles if held.client in shown))
        for one in every
    )
    return [one for one in narrowed if one.roles]


def add_person(tx: Connection, *, mail: str, name: str, actor: str) -> int | None:
    """Write a person's row; its id, or None where the address has one already."""
    if tx.execute(select(people.c.id).where(people.c.mail == mail)).first():
        return None
    added = insert(people).values(mail=mail, name=name, created_at=now_ms(), created_by=actor)
    return int(tx.execute(added.returning(people.c.id)).scalar_one())


def grant(tx: Connection, person: int, client: str, role: Role, *, actor: str) -> bool:
    """Give a person a role for a client; whether it was not held before."""
    table = person_roles.c
    mine = (table.person_id == person, table.client == client, table.role == role.value)
    if tx.execute(select(table.role).where(*mine)).first():
        return False
    tx.execute(
        insert(person_roles).values(
            person_id=person,
            client=client,
            role=role.value,
            granted_at=now_ms(),
            granted_by=actor,
        )
    )
    return True


def withdraw(tx: Connection, person: int, client: str, role: Role) -> bool:
    """Take a role away; whether it was held."""
    table = person_roles.c
    mine = (table.person_id == person, table.client == client, table.role == role.value)
    return tx.execute(delete(person_roles).where(*mine)).rowcount == 1


def set_disabled(tx: Connection, person: int, *, disabled: bool) -> bool:
    """Disable or enable a person; whether that changed anything."""
    table = people.c
    before = table.disabled_at.is_(None) if disabled else table.disabled_at.is_not(None)
    done = tx.execute(
        update(people)
        .where(table.id == person, before)
        .values(disabled_at=now_ms() if disabled else None)
    )
    return done.rowcount == 1


def set_password(tx: Connection, person: int, digest: str) -> None:
    """Keep the digest of a person's password."""
    tx.execute(update(people).where(people.c.id == person).values(password=digest))


def admins(tx: Connection) -> set[int]:
    """Those who may manage people, and are not disabled."""
    table = person_roles.c
    rows = tx.execute(
        select(table.person_id, table.role)
        .join(people, people.c.id == table.person_id)
        .where(table.client == EVERY_CLIENT, people.c.disabled_at.is_(None))
    )
    return {row.person_id for row in rows if includes(Role(row.role), Role.ADMIN)}


def _grants(tx: Connection, ids: Collection[int]) -> dict[int, Sequence[Grant]]:
    table = person_roles.c
    rows = tx.execute(
        select(person_roles).where(table.person_id.in_(ids)).order_by(table.client, table.role)
    )
    found: dict[int, list[Grant]] = {}
    for row in rows:
        found.setdefault(row.person_id, []).append(
            Grant(
                client=row.client,
                role=Role(row.role),
                granted_at=iso_time(row.granted_at),
                granted_by=row.granted_by,
            )
        )
    return dict(found)


def _person(row: Any, roles: Sequence[Grant]) -> Person:
    return Person(
        id=row.id,
        mail=row.mail,
        name=row.name,
        has_password=row.password is not None,
        subject=row.subject,
        created_at=iso_time(row.created_at),
        created_by=row.created_by,
        disabled_at=iso(row.disabled_at),
        roles=tuple(roles),
    )
