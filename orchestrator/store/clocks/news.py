"""News of an acknowledged incident: its owner gets another alert, a bounded number of times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, select, update

from orchestrator.domain.incidents.incident import IncidentKind, IncidentState
from orchestrator.store.clocks.alerts import AlertKind, add_alert
from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import incidents

TENFOLD = 10

MOST_TELLINGS = 20
"""How often an owner gets another alert of one incident, until it is opened anew."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """An acknowledged incident whose events a sender broke."""

    id: int
    client: str
    workflow: str
    notes: int  # how often it was counted up: the same number, nothing new came
    changes: tuple[str, ...] | None  # keys of what is known; None: nobody looked yet


def tell_growth(tx: Connection, *, actor: str) -> list[int]:
    """Tell owners of incidents that are ten times as large as when they were last told; which."""
    table = incidents.c
    grown = (
        table.state == IncidentState.ACKNOWLEDGED,
        table.told_events > 0,
        table.events >= table.told_events * TENFOLD,
        table.tellings < MOST_TELLINGS,
    )
    columns = (table.id, table.events, table.told_events)
    return [
        row.id
        for row in tx.execute(select(*columns).where(*grown).order_by(table.id)).all()
        if _alert(tx, row.id, f"grew from {row.told_events} to {row.events} events", actor=actor,
                 seen={"told_events": row.told_events}, changed={"told_events": row.events})
    ]  # fmt: skip


def list_watched(tx: Connection) -> list[Watched]:
    """The acknowledged incidents in which another change of a sender may show."""
    table = incidents.c
    rows = tx.execute(
        select(table.id, table.client, table.workflow, table.notes, table.told_changes)
        .where(
            table.state == IncidentState.ACKNOWLEDGED,
            table.kind == IncidentKind.CONTRACT,
            table.tellings < MOST_TELLINGS,
        )
        .order_by(table.id)
    )
    return [
        Watched(
            id=row.id,
            client=row.client,
            workflow=row.workflow,
            notes=row.notes,
            changes=None if row.told_changes is None else tuple(orjson.loads(row.told_changes)),
        )
        for row in rows
    ]


def learn_changes(tx: Connection, seen: Watched, keys: Sequence[str]) -> bool:
    """Keep what is known of an incident from now on; False where somebody else did by now."""
    table = incidents.c
    known = None if seen.changes is None else _listed(seen.changes)
    kept = tx.execute(
        update(incidents)
        .where(
            table.id == seen.id,
            table.state == IncidentState.ACKNOWLEDGED,
            table.told_changes.is_not_distinct_from(known),
        )
        .values(told_changes=_listed(keys))
    )
    return kept.rowcount == 1


def tell_change(
    tx: Connection, seen: Watched, told: str, keys: Sequence[str], *, actor: str
) -> bool:
    """Tell the owner of a change that nobody knew at the acknowledgement; `keys` are known then."""
    known = None if seen.changes is None else _listed(seen.changes)
    return _alert(
        tx,
        seen.id,
        f"shows a change that is new: {told}",
        actor=actor,
        seen={"told_changes": known},
        changed={"told_changes": _listed(keys)},
    )


def _listed(keys: Sequence[str]) -> str:
    return orjson.dumps(list(keys)).decode()


def _alert(
    tx: Connection,
    incident: int,
    news: str,
    *,
    actor: str,
    seen: dict[str, object],
    changed: dict[str, object],
) -> bool:
    """Write it as one alert and one audit row, if no other keeper did: the row decides."""
    table = incidents.c
    told = tx.execute(
        update(incidents)
        .where(
            table.id == incident,
            table.state == IncidentState.ACKNOWLEDGED,
            *(table[name].is_not_distinct_from(value) for name, value in seen.items()),
        )
        .values(tellings=table.tellings + 1, updated_at=now_ms(), **changed)
        .returning(table.owner, table.reopened, table.tellings)
    ).one_or_none()
    if told is None:
        return False
    detail = {"news": storable(news), "to": told.owner}
    audit.record_incident(tx, incident, actor=actor, action="tell_owner", detail=detail)
    return add_alert(
        tx,
        incident,
        round_=told.reopened,
        kind=AlertKind.NEWS,
        step=told.tellings,
        recipient=told.owner,
        role=None,
        news=storable(news),
    )
