"""Incidents that are over: each of their events ended, and nothing is held for their cause."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, exists, func, or_, select, update

from orchestrator.domain.delivery.breakers import blocking_circuit, destination_circuit
from orchestrator.domain.delivery.verdicts import Violation
from orchestrator.domain.incidents.causes import Cause, awaiting_cause, cause_of
from orchestrator.domain.incidents.incident import (
    AWAITING,
    BAD_SIGNATURES,
    BROKE_GLASS,
    HELD,
    LATE,
    LOW_RATE,
    OLD_SPOOL,
    IncidentMove,
    IncidentState,
)
from orchestrator.domain.reasons import Reason
from orchestrator.store.clocks.poison import has_open_letters
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.schema import (
    breaches,
    event_approvals,
    events,
    incidents,
    quarantine,
)
from orchestrator.store.destinations.circuits import troubled_circuits
from orchestrator.store.destinations.named import actions_of
from orchestrator.store.quarantine.asked import IS_WAITING, waiting_of
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.incidents import note_events
from orchestrator.store.quarantine.locked_incidents import place_of
from orchestrator.store.quarantine.outcomes import has_open_events
from orchestrator.store.views.incidents.counts import held_of, let_go_of
from orchestrator.store.views.quarantine.selection import UNGROUPED


def resolve_ended_incidents(tx: Connection, *, actor: str = "keeper") -> list[int]:
    """Resolve the incidents whose events all ended, as `end_stays` found them; their ids.

    What a replay sent on its way has not ended, nor what was held and is released. Where deliveries
    were held, nothing blocks their circuit any more. Whether too few events are delivered,
    `success_rates` says.
    """
    table = incidents.c
    rows = tx.execute(
        select(incidents)
        .where(
            table.state != IncidentState.RESOLVED,
            # A person says when these are answered, and of a spool its producer.
            table.reason.not_in((LOW_RATE, BROKE_GLASS, BAD_SIGNATURES, OLD_SPOOL)),
            ~has_open_events(table.id),
        )
        .order_by(table.id)
    ).all()
    blocked = _blocked_destinations(tx) if any(row.reason == HELD for row in rows) else set()
    healed = [row for row in rows if not _goes_on(tx, row, blocked)]
    return [row.id for row in healed if _resolve(tx, row, actor)]


def _resolve(tx: Connection, row: Any, actor: str) -> bool:
    """Resolve it as it was seen: events that were counted since then are not at their end."""
    table = incidents.c
    seen = (table.id == row.id, table.reopened == row.reopened, table.notes == row.notes)
    # Locked, and looked at anew: what another transaction counted shows only now.
    if tx.execute(select(table.id).where(*seen).with_for_update()).first() is None:
        return False
    if tx.execute(select(has_open_events(row.id))).scalar_one():
        return False
    return move_incident(tx, row.id, IncidentMove.RESOLVE, actor=actor, reason="healed")


def _goes_on(tx: Connection, row: Any, blocked: set[str]) -> bool:
    if row.reason == HELD:
        return _waits(tx, row, blocked)
    if row.reason == Reason.POISON_MESSAGE:
        return has_open_letters(tx, row.id)
    if row.reason == AWAITING:
        return bool(tx.execute(select(exists(waiting_of(row.client, row.workflow)))).scalar_one())
    return row.reason == LATE and bool(tx.execute(select(exists(_late_of(row)))).scalar_one())


def _late_of(row: Any) -> Any:
    """The events of a workflow that are under way and late."""
    return (
        select(breaches.c.event_id)
        .join(events, events.c.id == breaches.c.event_id)
        .where(
            events.c.due_at.is_not(None),
            events.c.client == row.client,
            events.c.workflow == row.workflow,
        )
    )


def _waits(tx: Connection, row: Any, blocked: set[str]) -> bool:
    if destination_circuit(row.client, row.workflow, row.destination) in blocked:
        return True
    place = place_of(row)
    return any(
        tx.execute(select(exists(found))).scalar_one()
        for found in (held_of(place), let_go_of(place))
    )


def _blocked_destinations(tx: Connection) -> set[str]:
    """The names of the live workflows' destinations whose calls are blocked."""
    circuits = troubled_circuits(tx)
    return {
        name
        for name, (connector, action) in actions_of(tx).items()
        if blocking_circuit(circuits, name, connector, action)
    }


def begin_anew(tx: Connection, *, actor: str = "keeper") -> list[int]:
    """Let incidents of approvals begin anew whose late events are decided, while others wait.

    Else one that always has an event that waits would escalate once, and never again. Their ids.
    """
    table, asked = incidents.c, event_approvals.c
    own = (IS_WAITING, asked.client == table.client, asked.workflow == table.workflow)
    found = select(table.id).where(
        table.reason == AWAITING,
        table.state != IncidentState.RESOLVED,
        table.breached_at.is_not(None),
        exists().where(*own),
        ~exists().where(*own, asked.remind_at <= now_ms()),
    )
    begun = []
    for row in tx.execute(select(incidents).where(table.id.in_(found)).with_for_update()).all():
        if move_incident(tx, row.id, IncidentMove.RESOLVE, actor=actor, reason="healed"):
            until = select(func.min(asked.decide_by) - now_ms()).where(
                IS_WAITING, asked.client == row.client, asked.workflow == row.workflow
            )
            waits = tx.execute(until).scalar_one()
            note_events(
                tx, row.client, row.workflow, awaiting_cause(), 0,
                owner=row.owner, recover_ms=max(waits or 0, 0), actor=actor,
            )  # fmt: skip
            begun.append(row.id)
    return begun


def group_ungrouped(tx: Connection, *, actor: str = "keeper", most: int = 1000) -> int:
    """Give quarantined events from before there were incidents their incident; how many.

    Their destination was not kept then: it counts as unknown.
    """
    table = quarantine.c
    rows = tx.execute(
        select(quarantine, now_ms().label("now"))
        .where(UNGROUPED)
        .order_by(table.id)
        .limit(most)
        .with_for_update(of=quarantine, skip_locked=True)  # else two keepers count them twice
    ).all()
    groups: dict[tuple[str, str, Cause], list[Any]] = {}
    for row in rows:
        violations = [Violation(**one) for one in orjson.loads(row.violations)]
        cause = cause_of(row.reason, row.stage, violations=violations)
        groups.setdefault((row.client, row.workflow, cause), []).append(row)
    for (client, workflow, cause), some in sorted(groups.items(), key=lambda one: one[0][2].key):
        incident = note_events(
            tx,
            client,
            workflow,
            cause,
            len(some),
            owner=some[-1].recovery_lead,
            recover_ms=min(row.recover_by - row.now for row in some),
            actor=actor,
        )
        ids = [row.id for row in some]
        tx.execute(update(quarantine).where(table.id.in_(ids)).values(incident_id=incident))
    return len(rows)


_FRESH_SECONDS = 86_400  # an incident that is resolved for longer has nothing more to tell


def any_unresolved(tx: Connection) -> bool:
    """Whether a keeper has anything to look at: an incident that is open, or ended lately."""
    table = incidents.c
    recent = or_(table.state != IncidentState.RESOLVED, table.resolved_at > after(-_FRESH_SECONDS))
    return bool(tx.execute(select(exists(select(table.id).where(recent)))).scalar_one())
