"""What an actor is trusted with now: read from the rows each time, never kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, select

from orchestrator.domain.access.roles import EVERY_CLIENT, Role, includes
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import keys, people, person_roles, sessions

Roles = Mapping[str, frozenset[Role]]
"""Roles by client; `*` is every client."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grants:
    """The roles of an actor. A key of a person may do what both the key and the person may."""

    each_of: tuple[Roles, ...]  # all of them must permit; none: nothing is permitted

    def permits(self, least: Role, client: str) -> bool:
        """Whether the actor may do, for a client, what needs at least the role `least`."""
        return bool(self.each_of) and all(
            any(
                includes(role, least)
                for at in (client, EVERY_CLIENT)
                for role in roles.get(at, frozenset())
            )
            for roles in self.each_of
        )

    def clients(self, least: Role) -> frozenset[str] | None:
        """The clients for which it may do what needs `least`; None: every client."""
        if self.permits(least, EVERY_CLIENT):
            return None
        named = {client for roles in self.each_of for client in roles} - {EVERY_CLIENT}
        return frozenset(client for client in named if self.permits(least, client))


NOTHING = Grants(each_of=())


def anybody_is_there(tx: Connection) -> bool:
    """Whether there is a person, enabled or not: from the first one on, an act needs an actor."""
    return tx.execute(select(people.c.id).limit(1)).first() is not None


def grants_of_person(tx: Connection, person: int, *, session: str | None = None) -> Grants:
    """The roles of a person who is not disabled, and whose session, if any, has not ended."""
    table = person_roles.c
    found: Select[Any] = (
        select(table.client, table.role)
        .join(people, people.c.id == table.person_id)
        .where(people.c.id == person, people.c.disabled_at.is_(None))
    )
    if session is not None:
        found = found.join(sessions, sessions.c.person_id == people.c.id).where(
            sessions.c.id == session,
            sessions.c.ended_at.is_(None),
            sessions.c.ends_at > now_ms(),
        )
    roles: dict[str, set[Role]] = {}
    for row in tx.execute(found):
        roles.setdefault(row.client, set()).add(Role(row.role))
    if not roles:
        return NOTHING
    return Grants(each_of=({client: frozenset(held) for client, held in roles.items()},))


def grants_of_key(tx: Connection, key: str) -> Grants:
    """The role of a key that is in force; where it is a person's, with that person's roles."""
    table = keys.c
    row = tx.execute(
        select(table.clients, table.role, table.person_id).where(
            table.id == key,
            table.revoked_at.is_(None),
            table.expires_at.is_(None) | (table.expires_at > now_ms()),
        )
    ).one_or_none()
    if row is None:
        return NOTHING
    role = frozenset({Role(row.role)})
    of_key: Roles = dict.fromkeys(orjson.loads(row.clients), role)
    if row.person_id is None:
        return Grants(each_of=(of_key,))
    of_person = grants_of_person(tx, row.person_id)
    return Grants(each_of=(of_key, *of_person.each_of)) if of_person.each_of else NOTHING
