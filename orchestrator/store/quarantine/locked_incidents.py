"""One incident as its row says, held until the transaction ends: what a move is decided on."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import Connection, select

from orchestrator.domain.incidents.incident import IncidentState
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import incidents


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentPlace:
    """Which incident, and what its events are counted by."""

    id: int
    client: str  # `(platform)` of unreadable messages
    workflow: str
    destination: str | None  # only where the cause is one destination's
    reason: str  # a quarantine's code, or `held`, `late`, `success_rate`, `further_causes`
    state: IncidentState


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedIncident(IncidentPlace):
    """An incident that nobody else moves or counts up until the transaction ends.

    Times are in milliseconds since 1970.
    """

    kind: str  # whose side the cause is on, such as `contract`
    owner: str  # an e-mail address, or `-` while nobody owns it
    events: int  # ever counted
    notes: int  # times it was counted up since it was opened
    reopened: int  # times it was opened again
    opened_at: int  # the last time
    acknowledged_at: int | None
    acknowledged_by: str | None  # an actor, such as `cli:dana`
    acknowledged_until: int | None  # None: nobody acknowledged it, or without an end
    resolved_at: int | None
    resolved_by: str | None
    now: int  # the store's time when it was read


def place_of(row: AnyRow) -> IncidentPlace:
    """The place of an incident whose row was read."""
    return IncidentPlace(
        id=row.id,
        client=row.client,
        workflow=row.workflow,
        destination=row.destination,
        reason=row.reason,
        state=IncidentState(row.state),
    )


def lock_incident(tx: Connection, incident: int) -> LockedIncident | None:
    """Wait for an incident, read its row and hold it; None where there is none."""
    found = _READ.where(incidents.c.id == incident).with_for_update(of=incidents)
    row = tx.execute(found).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    return LockedIncident(**values | {"state": IncidentState(values["state"])})


_READ = select(
    *(incidents.c[one.name] for one in fields(LockedIncident) if one.name != "now"),
    now_ms().label("now"),
)
