"""The values of audit rows, in a table beside them: written with the row, emptied without it."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    insert,
    literal_column,
    select,
    tuple_,
    update,
)

from orchestrator.domain.commitments import (
    COMMITMENT,
    SALT_BYTES,
    Detail,
    as_json,
    commit,
    commitments_in,
    put_at,
    values_in,
)
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import audit, audit_values

ERASE, RETENTION = "erase", "retention"

_LONGEST_LIST = 500  # ids in one question


@dataclass(frozen=True, kw_only=True)
class Committed:
    """A detail as its row holds it, and the values that go beside."""

    text: str | None  # JSON
    kept: Sequence[tuple[str, str, str]] = ()  # pointer, salt in hex, value as JSON


def commit_values(detail: Detail | None) -> Committed:
    """A detail with a commitment, under a salt of its own, in the place of each value."""
    if detail is None:
        return Committed(text=None)
    values = values_in(detail)
    kept = []
    commitments: dict[str, object] = {}
    for pointer, value in values.items():
        salt, text = os.urandom(SALT_BYTES), orjson.dumps(value).decode()
        kept.append((pointer, salt.hex(), text))
        commitments[pointer] = {COMMITMENT: commit(salt, pointer, text)}
    return Committed(text=as_json(put_at(detail, commitments)), kept=kept)


def keep_values(tx: Connection, rows: Iterable[tuple[int, Committed]]) -> None:
    """Write the values of audit rows, each by the row's id."""
    new = [
        {"audit_id": number, "path": pointer, "salt": salt, "value": value}
        for number, one in rows
        for pointer, salt, value in one.kept
    ]
    if new:
        tx.execute(insert(audit_values), new)


def with_values(tx: Connection, rows: Sequence[tuple[int, str | None]]) -> list[Detail | None]:
    """Details of audit rows, given by id and as the rows hold them, with their values again.

    A value that is gone is a sentence that says since when, and so is one that the row was not
    committed to.
    """
    details = [(number, orjson.loads(text) if text else None) for number, text in rows]
    wanted = {number: found for number, one in details if (found := commitments_in(one))}
    kept = _kept(tx, list(wanted))
    return [_joined(one, number, wanted.get(number, {}), kept) for number, one in details]


def _joined(
    detail: Any, number: int, wanted: Mapping[str, str], kept: Mapping[tuple[int, str], Any]
) -> Any:
    if not wanted:
        return detail
    values = {
        pointer: _value_or_why_not(kept.get((number, pointer)), pointer, commitment)
        for pointer, commitment in wanted.items()
    }
    return put_at(detail, values)


def _kept(tx: Connection, numbers: Sequence[int]) -> dict[tuple[int, str], Any]:
    table = audit_values.c
    found = {}
    for at in range(0, len(numbers), _LONGEST_LIST):
        some = table.audit_id.in_(numbers[at : at + _LONGEST_LIST])
        for row in tx.execute(select(audit_values).where(some)):
            found[row.audit_id, row.path] = row
    return found


def _value_or_why_not(row: Any, pointer: str, commitment: str) -> object:
    if row is None:
        return "(not kept)"
    if row.value is None:
        day = datetime.fromtimestamp(row.gone_at / 1000, UTC).date()
        word = "erased" if row.gone_by == ERASE else "forgotten by retention"
        return f"({word} on {day})"
    if not hmac.compare_digest(commit(bytes.fromhex(row.salt), pointer, row.value), commitment):
        return "(changed: it is not the value that the audit was written with)"
    return orjson.loads(row.value)


def empty_values_of(tx: Connection, ids: Sequence[str], *, gone_by: str) -> None:
    """Erase the values, and their salts, of all audit rows about these events."""
    _EMPTY.run(tx, ids=list(ids), gone_by=gone_by)


def _empty(dialect: str) -> Any:
    rows = select(audit.c.id).where(among(dialect, audit.c.event_id))
    return _emptied(bindparam("gone_by")).where(audit_values.c.audit_id.in_(rows))


def _emptied(gone_by: Any) -> Any:
    return (
        update(audit_values)
        .where(audit_values.c.value.is_not(None))
        .values(salt=None, value=None, gone_at=now_ms(), gone_by=gone_by)
    )


_EMPTY = Prepared(_empty)


def empty_values_at(
    tx: Connection, places: Sequence[tuple[int, str]], *, gone_by: str = ERASE
) -> None:
    """The same for single values, by the row's id and the pointer."""
    table = audit_values.c
    for at in range(0, len(places), _LONGEST_LIST):
        some = places[at : at + _LONGEST_LIST]
        tx.execute(_emptied(gone_by).where(tuple_(table.audit_id, table.path).in_(some)))


def empty_values_before(tx: Connection, cutoff_ms: int, *, most: int) -> int:
    """Erase values of audit rows that are about no event and as old as that; how many."""
    table = audit_values.c
    old = (
        select(table.audit_id, table.path)
        .join(audit, audit.c.id == table.audit_id)
        .where(audit.c.event_id.is_(None), audit.c.at <= cutoff_ms, table.value.is_not(None))
        .limit(most)
    )
    places = [(row.audit_id, row.path) for row in tx.execute(old)]
    empty_values_at(tx, places, gone_by=RETENTION)
    return len(places)


def values_about_no_event(
    tx: Connection, *, after: tuple[int, str] = (0, ""), most: int
) -> list[tuple[int, str, str]]:
    """Values of audit rows that are about no event: the row's id, pointer and value; in order."""
    table = audit_values.c
    rows = tx.execute(
        select(table.audit_id, table.path, table.value)
        .join(audit, audit.c.id == table.audit_id)
        .where(
            audit.c.event_id.is_(None),
            table.value.is_not(None),
            tuple_(table.audit_id, table.path) > after,
        )
        .order_by(table.audit_id, table.path)
        .limit(bindparam("most", type_=BigInteger)),
        {"most": most},
    )
    return [(row.audit_id, row.path, row.value) for row in rows]


Kept = Mapping[str, Committed]
"""Details with values, by their text: commitments make each of them its own."""


def keep_returned(tx: Connection, rows: Iterable[Any], kept: Kept) -> None:
    """Write the values of audit rows that a statement answered as (id, detail)."""
    keep_values(tx, [(row[0], kept[row[1]]) for row in rows if row[1] in kept])


RETURNED: tuple[Any, Any] = (literal_column("id"), literal_column("detail"))
