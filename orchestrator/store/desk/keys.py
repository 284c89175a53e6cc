"""Keys of producers, as rows; the secret itself is never here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, insert, select, update

from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import keys
from orchestrator.store.views.values import iso, iso_time


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A producer's key, without its secret. Times are ISO 8601 in UTC."""

    id: str
    label: str  # what it is for
    clients: tuple[str, ...]  # that it serves; ("*",) is every client
    created_at: str
    created_by: str
    revoked_at: str | None  # None: the door takes it


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyProof:
    """What a key that is in force is checked against."""

    id: str
    digest: str  # of its secret
    clients: tuple[str, ...]  # that it serves; ("*",) is every client


def add_key(
    tx: Connection, *, key_id: str, digest: str, label: str, clients: Sequence[str], actor: str
) -> None:
    """Write a key's row."""
    tx.execute(
        insert(keys).values(
            id=key_id,
            digest=digest,
            label=label,
            clients=orjson.dumps(list(clients)).decode(),
            created_at=now_ms(),
            created_by=actor,
        )
    )


def find_key(tx: Connection, key_id: str) -> KeyProof | None:
    """A key that is not revoked, or None."""
    table = keys.c
    found = select(table.id, table.digest, table.clients)
    row = tx.execute(found.where(table.id == key_id, table.revoked_at.is_(None))).one_or_none()
    if row is None:
        return None
    return KeyProof(id=row.id, digest=row.digest, clients=tuple(orjson.loads(row.clients)))


def list_keys(tx: Connection) -> list[Key]:
    """Every key, the oldest first."""
    return [
        Key(
            id=row.id,
            label=row.label,
            clients=tuple(orjson.loads(row.clients)),
            created_at=iso_time(row.created_at),
            created_by=row.created_by,
            revoked_at=iso(row.revoked_at),
        )
        for row in tx.execute(select(keys).order_by(keys.c.created_at, keys.c.id))
    ]


def revoke_key(tx: Connection, key_id: str) -> bool:
    """Revoke a key; whether there was one to revoke."""
    done = tx.execute(
        update(keys)
        .where(keys.c.id == key_id, keys.c.revoked_at.is_(None))
        .values(revoked_at=now_ms())
    )
    return done.rowcount == 1
