"""Public keys of people by which they sign decisions, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import people, signing_keys
from orchestrator.store.views.values import iso, iso_time

_T = signing_keys.c


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningKey:
    """A public key of a person. Times are ISO 8601 in UTC."""

    id: int
    person: int  # its row
    mail: str
    fingerprint: str
    public_key: str
    label: str
    added_at: str
    added_by: str  # an actor
    counts_from: str  # nothing that is signed before counts
    counts: bool  # its time has come, and it is not revoked
    confirmed_by: str | None  # an admin, as an actor
    revoked_at: str | None


def add_key(
    tx: Connection,
    person: int,
    *,
    fingerprint: str,
    public_key: str,
    label: str,
    seconds: float,
    actor: str,
) -> None:
    """Write a key that counts after some seconds."""
    values = {
        "person_id": person,
        "fingerprint": fingerprint,
        "public_key": public_key,
        "label": storable(label)[:255],
        "added_at": now_ms(),
        "added_by": actor,
        "counts_from": after(seconds),
    }
    tx.execute(insert(signing_keys).values(**values))


def find_signing_key(tx: Connection, fingerprint: str) -> SigningKey | None:
    """A key by its fingerprint, revoked or not; None: nobody ever had it."""
    row = tx.execute(_found().where(_T.fingerprint == fingerprint)).one_or_none()
    return None if row is None else _of(row)


def list_signing_keys(tx: Connection, person: int | None) -> list[SigningKey]:
    """The keys of a person; None: of everybody. Those that were revoked too, the oldest first."""
    found = _found().order_by(_T.id)
    if person is not None:
        found = found.where(_T.person_id == person)
    return [_of(row) for row in tx.execute(found)]


def confirm_key(tx: Connection, key: int, *, actor: str) -> None:
    """Let it count from now on."""
    values = {"counts_from": now_ms(), "confirmed_by": actor}
    tx.execute(update(signing_keys).where(_T.id == key).values(values))


def revoke_signing_key(tx: Connection, key: int) -> None:
    """Let it count for nothing that is decided from now on."""
    tx.execute(update(signing_keys).where(_T.id == key).values(revoked_at=now_ms()))


def _found() -> Any:
    return select(signing_keys, people.c.mail, now_ms().label("now")).join(
        people, people.c.id == _T.person_id
    )


def _of(row: Any) -> SigningKey:
    return SigningKey(
        id=row.id,
        person=row.person_id,
        mail=row.mail,
        fingerprint=row.fingerprint,
        public_key=row.public_key,
        label=row.label,
        added_at=iso_time(row.added_at),
        added_by=row.added_by,
        counts_from=iso_time(row.counts_from),
        counts=row.counts_from <= row.now and row.revoked_at is None,
        confirmed_by=row.confirmed_by,
        revoked_at=iso(row.revoked_at),
    )
