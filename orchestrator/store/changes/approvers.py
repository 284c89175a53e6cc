"""Who may approve for a client now, and whether its changes need it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestrator.domain.access.actor import mail_of
from orchestrator.domain.access.roles import EVERY_CLIENT, Role
from orchestrator.domain.changes.deciding import Decider, Given
from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import approvals_required, invites, people, person_roles
from orchestrator.store.database.upserts import upsert


def deciders_of(tx: Connection, client: str) -> list[Decider]:
    """The people in force who have the role approver for a client, by mail."""
    return deciders_by_client(tx, [client])[client]


def deciders_by_client(tx: Connection, clients: Collection[str]) -> dict[str, list[Decider]]:
    """The same for several clients, in two statements."""
    table = person_roles.c
    rows = tx.execute(
        select(people.c.id, people.c.mail, table.client, table.granted_at, table.granted_by)
        .join(people, people.c.id == table.person_id)
        .where(
            people.c.disabled_at.is_(None),
            table.role == Role.APPROVER.value,
            table.client.in_((*clients, EVERY_CLIENT)),
        )
        .order_by(people.c.mail, table.client)
    ).all()
    invited = _invited(tx, {row.id: row.mail for row in rows})
    return {
        client: _deciders([row for row in rows if row.client in (client, EVERY_CLIENT)], invited)
        for client in clients
    }


def _deciders(rows: Sequence[AnyRow], invited: Mapping[str, Given]) -> list[Decider]:
    found: dict[str, list[Given]] = {}
    for row in rows:
        found.setdefault(row.mail, []).append(Given(at=row.granted_at, by=row.granted_by))
    return [
        Decider(mail=mail, roles=tuple(roles), invited=invited.get(mail))
        for mail, roles in found.items()
    ]


def _invited(tx: Connection, mails: Mapping[int, str]) -> dict[str, Given]:
    """By whom and when each one's password was last set by an invitation of somebody else.

    One that they sent themselves proves no more than what let them send it.
    """
    if not mails:
        return {}
    table = invites.c
    rows = tx.execute(
        select(table.person_id, table.created_by, table.used_at)
        .where(table.person_id.in_(mails), table.used_at.is_not(None))
        .order_by(table.used_at)
    )
    return {
        mails[row.person_id]: Given(at=row.used_at, by=row.created_by)
        for row in rows
        if mail_of(row.created_by) != mails[row.person_id]
    }


def decider_of(tx: Connection, client: str, person: int) -> Decider:
    """A person as one who decides for a client; without a role where they may not."""
    mail = tx.execute(select(people.c.mail).where(people.c.id == person)).scalar_one()
    for one in deciders_of(tx, client):
        if one.mail == mail:
            return one
    return Decider(mail=mail, roles=())


@dataclass(frozen=True, kw_only=True, slots=True)
class Required:
    """Since when changes of a client, or of every client, need an approval."""

    client: str  # "*" is every client
    since: int  # in milliseconds since 1970
    cause: str  # who gave the first role, or the setting


def required_for(tx: Connection, client: str) -> Required | None:
    """Since when this client's changes need an approval; None: they do not."""
    table = approvals_required.c
    row = tx.execute(
        select(table.client, table.since, table.cause)
        .where(table.client.in_((client, EVERY_CLIENT)))
        .order_by(table.since)
        .limit(1)
    ).one_or_none()
    return None if row is None else Required(client=row.client, since=row.since, cause=row.cause)


def require_approvals(tx: Connection, client: str, *, cause: str, actor: str) -> None:
    """From now on changes of a client need an approval; that is never taken back."""
    insert = upsert(tx.dialect.name, approvals_required)
    values = {"client": client, "since": now_ms(), "cause": cause[:255]}
    done = tx.execute(insert.values(**values).on_conflict_do_nothing())
    if done.rowcount == 1:
        shown = None if client == EVERY_CLIENT else client
        detail = {"client": client, "cause": cause}
        audit.record(tx, actor=actor, action="require_approvals", client=shown, detail=detail)
