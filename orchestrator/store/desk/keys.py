"""Keys of producers, as rows; the secret itself is never here."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, insert, select, update

from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import keys


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


def find_key(tx: Connection, key_id: str) -> AnyRow | None:
    """The row of a key that is not revoked, or None."""
    return tx.execute(
        select(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None))
    ).one_or_none()


def list_keys(tx: Connection) -> list[AnyRow]:
    """Every key, the oldest first."""
    return list(tx.execute(select(keys).order_by(keys.c.created_at, keys.c.id)))


def revoke_key(tx: Connection, key_id: str) -> bool:
    """Revoke a key; whether there was one to revoke."""
    done = tx.execute(
        update(keys)
        .where(keys.c.id == key_id, keys.c.revoked_at.is_(None))
        .values(revoked_at=now_ms())
    )
    return done.rowcount == 1
