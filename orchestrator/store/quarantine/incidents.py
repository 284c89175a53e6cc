"""Incidents as rows: counted up where events are stopped, opened again when one recurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Connection, Text, bindparam, case, delete, func, select

from orchestrator.domain.event import destination_of
from orchestrator.domain.incidents.causes import Cause, further_cause, held_cause
from orchestrator.domain.incidents.incident import (
    FURTHER,
    MOST_NEW_INCIDENTS,
    IncidentKind,
    IncidentState,
)
from orchestrator.store.database import audit
from orchestrator.store.database.clock import after, now_ms, recovery_ms
from orchestrator.store.database.engine import emit_after_commit
from orchestrator.store.database.prepared import Prepared, among, storable
from orchestrator.store.database.schema import audit as audit_table
from orchestrator.store.database.schema import incidents
from orchestrator.store.database.upserts import upsert
from orchestrator.telemetry import IncidentOpened, IncidentReopened

if TYPE_CHECKING:  # a listing does not read workflow files
    from orchestrator.domain.workflows.workflow import Workflow

_HOUR_SECONDS = 3_600.0


class TooManyIncidents(Exception):
    """Raised when a cause would open one incident more than a workflow may open in an hour."""


Where = tuple[str, str]
"""A delivery: event id and name."""


def note_events(
    tx: Connection,
    client: str,
    workflow: str,
    cause: Cause,
    count: int,
    *,
    owner: str,
    recover_ms: int,
    actor: str,
    capped: bool = False,
) -> int:
    """Count events on the incident of this cause, and open it, or open it again; its id.

    Raises TooManyIncidents where it is `capped` and one too many; then nothing was counted. One
    statement, and one more where it is opened. `recover_ms` is the time from now until when it
    has to be healed; `owner` is who then owns it. Callers with several causes go by their `key`, so
    that two of them never wait for each other.
    """
    row = _NOTE.run(
        tx,
        client=client,
        workflow=workflow,
        cause=cause.key,
        kind=cause.kind,
        reason=cause.reason,
        stage=cause.stage,
        destination=cause.destination,
        title=storable(cause.title),
        owner=owner,
        events=count,
        recover_ms=recover_ms,
    ).one()
    incident, notes, reopened, beside = row
    if capped and notes == 1 and not reopened and beside >= MOST_NEW_INCIDENTS:
        tx.execute(delete(incidents).where(incidents.c.id == incident))
        raise TooManyIncidents
    if notes == 1:
        audit.record_incident(
            tx,
            incident,
            actor=actor,
            action="reopen_incident" if reopened else "open_incident",
            source=IncidentState.RESOLVED if reopened else None,
            target=IncidentState.OPEN,
            reason=cause.reason,
            detail={"title": storable(cause.title), "events": count, "owner": owner},
        )
        opened = _event_of(int(incident), client, workflow, cause, reopened=bool(reopened))
        emit_after_commit(tx, opened)
    return int(incident)


def _event_of(
    incident: int, client: str, workflow: str, cause: Cause, *, reopened: bool
) -> IncidentOpened | IncidentReopened:
    return (IncidentReopened if reopened else IncidentOpened)(
        incident=incident,
        client=client,
        workflow=workflow,
        kind=cause.kind,
        reason=cause.reason,
    )


def note_workflow(
    tx: Connection,
    workflow: Workflow,
    cause: Cause,
    count: int,
    *,
    actor: str,
    capped: bool = False,
) -> int:
    """`note_events` with the owner and the clock that the workflow names."""
    return note_events(
        tx,
        workflow.client,
        workflow.name,
        cause,
        count,
        owner=workflow.owners.recovery_lead,
        recover_ms=recovery_ms(tx, workflow.recover_within_seconds, workflow.calendar),
        actor=actor,
        capped=capped,
    )


def note_causes(
    tx: Connection, workflow: Workflow, causes: Mapping[Cause, int], *, actor: str
) -> dict[Cause, int]:
    """Count events on the incidents of several causes, and their ids.

    What senders send opens at most `MOST_NEW_INCIDENTS` of them in an hour; the rest is counted on
    one, last, so that two transactions never wait for each other.
    """
    found: dict[Cause, int] = {}
    further = []
    for cause in sorted(causes, key=lambda one: one.key):
        capped = cause.kind is IncidentKind.CONTRACT
        try:
            found[cause] = note_workflow(
                tx, workflow, cause, causes[cause], actor=actor, capped=capped
            )
        except TooManyIncidents:
            further.append(cause)
    if further:
        count = sum(causes[cause] for cause in further)
        one = note_workflow(tx, workflow, further_cause(), count, actor=actor)
        found |= dict.fromkeys(further, one)
    return found


def note_held(tx: Connection, held: Sequence[Where], workflow: Workflow, *, actor: str) -> None:
    """Count deliveries that were held just now, after the audit told of them.

    Each counts once, however often a call that tried a broken destination was held again.
    """
    if not held:
        return
    told = _HELD_ONCE.run(tx, ids=sorted({event_id for event_id, _ in held}))
    fresh = {(row[0], row[1]) for row in told} & set(held)
    events = {(event_id, destination_of(name)) for event_id, name in fresh}
    counted = Counter(place for _, place in events)
    causes = [held_cause(place) for place in {destination_of(name) for _, name in held}]
    for cause in sorted(causes, key=lambda one: one.key):
        note_workflow(tx, workflow, cause, counted[str(cause.destination)], actor=actor)


_HELD_ONCE = Prepared(
    lambda dialect: (
        select(audit_table.c.event_id, audit_table.c.destination)
        .where(among(dialect, audit_table.c.event_id), audit_table.c.action == "hold")
        .group_by(audit_table.c.event_id, audit_table.c.destination)
        .having(func.count() == 1)
    )
)

_GIVEN = ("client", "workflow", "cause", "kind", "reason", "stage", "destination", "title", "owner")


def _opened_beside() -> Any:
    """How many others were opened in the last hour for what the workflow's senders sent."""
    other = incidents.alias("other").c
    return (
        select(func.count())
        .where(
            other.client == bindparam("client", type_=Text),
            other.workflow == bindparam("workflow", type_=Text),
            other.cause != bindparam("cause", type_=Text),
            other.kind == IncidentKind.CONTRACT.value,
            other.reason != FURTHER,
            other.reopened == 0,
            other.opened_at > after(-_HOUR_SECONDS),
        )
        .scalar_subquery()
    )


# What an incident forgets when it opens again.
_CLEARED = (
    *("acknowledged_at", "acknowledged_by", "acknowledged_until", "resolved_at", "resolved_by"),
    *("outcome", "told_events", "told_changes", "breached_at", "stopped_at"),
)


def _note(dialect: str) -> Any:
    table = incidents.c
    insert: Any = upsert(dialect, incidents)
    statement = insert.values(
        **{name: bindparam(name, type_=Text) for name in _GIVEN},
        state=IncidentState.OPEN,
        events=bindparam("events", type_=BigInteger),
        notes=1,
        opened_at=now_ms(),
        last_at=now_ms(),
        recover_by=now_ms() + bindparam("recover_ms", type_=BigInteger),
        updated_at=now_ms(),
    )
    new = statement.excluded

    def afresh(again: Any, otherwise: Any) -> Any:
        return case((table.state == IncidentState.RESOLVED, again), else_=otherwise)

    sooner = case((new.recover_by < table.recover_by, new.recover_by), else_=table.recover_by)
    return statement.on_conflict_do_update(
        index_elements=[table.client, table.workflow, table.cause],
        set_={
            "state": afresh(IncidentState.OPEN.value, table.state),
            "owner": afresh(new.owner, table.owner),
            "events": table.events + new.events,
            "notes": afresh(1, table.notes + 1),
            "reopened": table.reopened + afresh(1, 0),
            "opened_at": afresh(new.opened_at, table.opened_at),
            "last_at": new.last_at,
            "recover_by": afresh(new.recover_by, sooner),
            "step": afresh(0, table.step),
            "tellings": afresh(0, table.tellings),
            "updated_at": new.updated_at,
            **{name: afresh(None, table[name]) for name in _CLEARED},
        },
    ).returning(
        table.id,
        table.notes,
        table.reopened,
        case((table.notes == 1, _opened_beside()), else_=0),  # counted for a new one alone
    )


_NOTE = Prepared(_note)
