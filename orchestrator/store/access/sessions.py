"""Sessions and invitations, as rows. A digest of the token stands for it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.schema import invites, people, sessions

_USE_NOTED_MS = 30_000  # the last use is kept to the half minute: a page asks for many things


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A session that is in force."""

    id: str
    person: int
    mail: str
    name: str
    way: str  # `page` or `cli`
    ends_at: int  # in milliseconds since 1970, however much it is used


@dataclass(frozen=True, kw_only=True, slots=True)
class Invite:
    """An invitation that may still be used."""

    id: str
    person: int | None  # who is invited; None: who uses it is the first admin
    mail: str | None  # of that person
    created_by: str  # an actor


def add_session(tx: Connection, session: str, person: int, *, way: str, seconds: float) -> None:
    """Write a session that ends in `seconds`."""
    tx.execute(
        insert(sessions).values(
            id=session,
            person_id=person,
            way=way,
            created_at=now_ms(),
            used_at=now_ms(),
            ends_at=after(seconds),
        )
    )


def find_session(tx: Connection, session: str, *, idle_seconds: float) -> Session | None:
    """A session that has not ended, was used lately, and whose person is not disabled; or None."""
    table = sessions.c
    row = tx.execute(
        select(sessions, people.c.mail, people.c.name)
        .join(people, people.c.id == table.person_id)
        .where(
            table.id == session,
            table.ended_at.is_(None),
            table.ends_at > now_ms(),
            table.used_at > after(-idle_seconds),
            people.c.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    return Session(
        id=row.id,
        person=row.person_id,
        mail=row.mail,
        name=row.name,
        way=row.way,
        ends_at=row.ends_at,
    )


def needs_note(tx: Connection, session: str) -> bool:
    """Whether its last use was so long ago that this one is to be written down."""
    table = sessions.c
    old = select(table.id).where(table.id == session, table.used_at < now_ms() - _USE_NOTED_MS)
    return tx.execute(old).first() is not None


def note_use(tx: Connection, session: str) -> None:
    """Write down that a session was used now."""
    tx.execute(update(sessions).where(sessions.c.id == session).values(used_at=now_ms()))


def end_session(tx: Connection, session: str) -> bool:
    """End one session; whether it was in force."""
    table = sessions.c
    done = tx.execute(
        update(sessions)
        .where(table.id == session, table.ended_at.is_(None))
        .values(ended_at=now_ms())
    )
    return done.rowcount == 1


def end_sessions_of(tx: Connection, person: int, *, but: str | None = None) -> int:
    """End every session of a person, but one; how many there were."""
    table = sessions.c
    mine = (table.person_id == person, table.ended_at.is_(None), table.id != (but or ""))
    return tx.execute(update(sessions).where(*mine).values(ended_at=now_ms())).rowcount


def add_invite(
    tx: Connection, invite: str, person: int | None, *, seconds: float, actor: str
) -> None:
    """Write an invitation; those that the same person has not used are void from now on."""
    table = invites.c
    same = table.person_id.is_(None) if person is None else table.person_id == person
    tx.execute(update(invites).where(same, table.used_at.is_(None)).values(ends_at=now_ms()))
    tx.execute(
        insert(invites).values(
            id=invite,
            person_id=person,
            created_at=now_ms(),
            created_by=actor,
            ends_at=after(seconds),
        )
    )


def find_invite(tx: Connection, invite: str) -> Invite | None:
    """An invitation that may still be used, or None."""
    table = invites.c
    row = tx.execute(
        select(invites, people.c.mail)
        .join_from(invites, people, people.c.id == table.person_id, isouter=True)
        .where(
            table.id == invite,
            table.used_at.is_(None),
            table.ends_at > now_ms(),
            people.c.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    return Invite(id=row.id, person=row.person_id, mail=row.mail, created_by=row.created_by)


def use_invite(tx: Connection, invite: str) -> bool:
    """Mark it used; False where somebody did meanwhile."""
    table = invites.c
    done = tx.execute(
        update(invites).where(table.id == invite, table.used_at.is_(None)).values(used_at=now_ms())
    )
    return done.rowcount == 1
