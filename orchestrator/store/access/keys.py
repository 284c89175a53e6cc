"""Keys of programs and people, as rows; the secret itself is never here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, insert, select, update

from orchestrator.domain.access.key_limits import KeyLimits
from orchestrator.domain.access.roles import Role
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.schema import keys, people
from orchestrator.store.views.values import iso, iso_time


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A key, without its secret. Times are ISO 8601 in UTC."""

    id: str
    label: str  # what it is for
    clients: tuple[str, ...]  # that it serves; ("*",) is every client
    role: str  # as `Role`
    person: str | None  # the mail address of whose key it is; None: a program's
    created_at: str
    created_by: str
    expires_at: str | None  # None: it is taken until it is revoked
    used_at: str | None  # the last time, to a few seconds; None: never
    replaced_by: str | None  # the key that it was rotated to
    revoked_at: str | None  # None: nobody revoked it
    rate_per_second: int | None  # triggers that each door takes of it; None: any
    quota_per_day: int | None  # triggers that all doors take of it in a day of UTC; None: any


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyProof:
    """What a key that is in force is checked against, and what it is."""

    id: str
    digest: str  # of its secret
    label: str
    clients: tuple[str, ...]  # that it serves; ("*",) is every client
    role: Role
    person: int | None  # whose key it is
    mail: str | None  # of that person
    limits: KeyLimits | None  # None: it has none


@dataclass(frozen=True, kw_only=True, slots=True)
class NewKey:
    """A key to be written."""

    id: str
    digest: str  # of its secret
    label: str
    clients: tuple[str, ...]
    role: Role
    person: int | None
    seconds: float | None  # until it expires
    limits: KeyLimits | None = None


def add_key(tx: Connection, key: NewKey, *, actor: str) -> None:
    """Write a key's row."""
    tx.execute(
        insert(keys).values(
            id=key.id,
            digest=key.digest,
            label=key.label,
            clients=orjson.dumps(list(key.clients)).decode(),
            role=key.role.value,
            person_id=key.person,
            expires_at=None if key.seconds is None else after(key.seconds),
            created_at=now_ms(),
            created_by=actor,
            rate_per_second=key.limits and key.limits.rate_per_second,
            quota_per_day=key.limits and key.limits.quota_per_day,
        )
    )


def find_key(tx: Connection, key_id: str) -> KeyProof | None:
    """A key that is in force, and whose person, if it has one, is not disabled; or None."""
    table = keys.c
    row = tx.execute(
        select(keys, people.c.mail)
        .join_from(keys, people, people.c.id == table.person_id, isouter=True)
        .where(
            table.id == key_id,
            table.revoked_at.is_(None),
            table.expires_at.is_(None) | (table.expires_at > now_ms()),
            people.c.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    return KeyProof(
        id=row.id,
        digest=row.digest,
        label=row.label,
        clients=tuple(orjson.loads(row.clients)),
        role=Role(row.role),
        person=row.person_id,
        mail=row.mail,
        limits=_limits(row.rate_per_second, row.quota_per_day),
    )


def _limits(rate: int | None, quota: int | None) -> KeyLimits | None:
    if rate is None and quota is None:
        return None
    return KeyLimits(rate_per_second=rate, quota_per_day=quota)


def set_limits(tx: Connection, key_id: str, limits: KeyLimits) -> None:
    """Write both limits of a key."""
    tx.execute(
        update(keys)
        .where(keys.c.id == key_id)
        .values(rate_per_second=limits.rate_per_second, quota_per_day=limits.quota_per_day)
    )


def list_keys(tx: Connection, clients: frozenset[str] | None = None) -> list[Key]:
    """Every key, the oldest first; of `clients` only, where they are given."""
    rows = tx.execute(_every_key().order_by(keys.c.created_at, keys.c.id))
    found = [_shown(row) for row in rows]
    return [one for one in found if clients is None or clients.issuperset(one.clients)]


def _every_key() -> Select[Any]:
    return select(keys, people.c.mail).join_from(
        keys, people, people.c.id == keys.c.person_id, isouter=True
    )


def _shown(row: Any) -> Key:
    clients: Sequence[str] = orjson.loads(row.clients)
    return Key(
        id=row.id,
        label=row.label,
        clients=tuple(clients),
        role=row.role,
        person=row.mail,
        created_at=iso_time(row.created_at),
        created_by=row.created_by,
        expires_at=iso(row.expires_at),
        used_at=iso(row.used_at),
        replaced_by=row.replaced_by,
        revoked_at=iso(row.revoked_at),
        rate_per_second=row.rate_per_second,
        quota_per_day=row.quota_per_day,
    )


def note_uses(tx: Connection, used: Collection[str]) -> None:
    """Write down that these keys were used now."""
    tx.execute(update(keys).where(keys.c.id.in_(sorted(used))).values(used_at=now_ms()))


def replace_key(tx: Connection, key_id: str, *, by: str, seconds: float) -> None:
    """Let a key expire in `seconds`, unless it does before, and name the one that replaces it."""
    table = keys.c
    tx.execute(update(keys).where(table.id == key_id).values(replaced_by=by))
    sooner = table.expires_at.is_(None) | (table.expires_at > after(seconds))
    tx.execute(update(keys).where(table.id == key_id, sooner).values(expires_at=after(seconds)))


def end_with(tx: Connection, key_id: str, other: str) -> None:
    """Let a key expire when another one does, unless it does before."""
    table = keys.c
    end = tx.execute(select(table.expires_at).where(table.id == other)).scalar()
    if end is not None:
        sooner = table.expires_at.is_(None) | (table.expires_at > end)
        tx.execute(update(keys).where(table.id == key_id, sooner).values(expires_at=end))


def revoke_keys_of(tx: Connection, person: int) -> list[str]:
    """Revoke every key of a person that is in force; their ids."""
    table = keys.c
    done = tx.execute(
        update(keys)
        .where(
            table.person_id == person,
            table.revoked_at.is_(None),
            table.expires_at.is_(None) | (table.expires_at > now_ms()),
        )
        .values(revoked_at=now_ms())
        .returning(table.id)
    )
    return sorted(done.scalars())


def revoke_key(tx: Connection, key_id: str) -> bool:
    """Revoke a key; whether there was one to revoke."""
    done = tx.execute(
        update(keys)
        .where(keys.c.id == key_id, keys.c.revoked_at.is_(None))
        .values(revoked_at=now_ms())
    )
    return done.rowcount == 1
