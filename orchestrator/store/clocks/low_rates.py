"""The incident of a workflow that delivers less than it promises: opened, and resolved by itself.

Where nothing is stopped nobody has to count.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from orchestrator.domain.incidents.causes import low_rate_cause
from orchestrator.domain.incidents.incident import LOW_RATE, IncidentMove, IncidentState
from orchestrator.domain.workflows.promises import DeliveryRate
from orchestrator.store.database.clock import now_ms, recovery_ms
from orchestrator.store.database.schema import incidents
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.incidents import note_events
from orchestrator.store.quarantine.workflow_terms import Terms
from orchestrator.store.views.success_rates import Name, counted_since, find_rates

ACTOR = "keeper"


def find_low_rates(tx: Connection, newest: Mapping[Name, Terms]) -> dict[Name, DeliveryRate]:
    """The workflows that deliver less than they promise, as far as something is stopped there."""
    promising = [one for one in newest.values() if one.success_rate]
    if not promising:
        return {}
    trouble = _last_trouble(tx)
    now = tx.execute(select(now_ms())).scalar_one()
    suspected = [
        one
        for one in promising
        if trouble.get((one.client, one.workflow), 0) >= counted_since(one, now)
    ]
    return {
        name: rate
        for name, rate in find_rates(tx, suspected).items()
        if (promised := newest[name].success_rate) and promised.is_missed_by(rate)
    }


def open_and_resolve_rates(
    tx: Connection,
    low: Mapping[Name, DeliveryRate],
    newest: Mapping[Name, Terms],
    *,
    known: Mapping[Name, int],
) -> None:
    """Open an incident for each rate that is too low, and resolve those that no longer are.

    `known` are the incidents that were open before the rates were measured: what another keeper
    opened since then is not resolved by an older measure.
    """
    for name, incident in known.items():
        if name not in low:
            move_incident(tx, incident, IncidentMove.RESOLVE, actor=ACTOR, reason="healed")
    for name in sorted(low.keys() - open_rates(tx).keys()):
        _open(tx, newest[name], low[name])


def open_rates(tx: Connection) -> dict[Name, int]:
    """The incidents of this sort that are not resolved, by their workflow."""
    table = incidents.c
    rows = tx.execute(
        select(table.client, table.workflow, table.id)
        .where(table.reason == LOW_RATE, table.state != IncidentState.RESOLVED)
        .order_by(table.id)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def _open(tx: Connection, terms: Terms, rate: DeliveryRate) -> None:
    note_events(
        tx,
        terms.client,
        terms.workflow,
        low_rate_cause(),
        rate.quarantined,
        owner=terms.recovery_lead,
        recover_ms=recovery_ms(tx, terms.recover_within, terms.calendar),
        actor=ACTOR,
    )


def _last_trouble(tx: Connection) -> dict[Name, int]:
    """When an event of each workflow was last stopped."""
    table = incidents.c
    rows = tx.execute(
        select(table.client, table.workflow, func.max(table.last_at))
        .where(table.reason != LOW_RATE)
        .group_by(table.client, table.workflow)
    )
    return {(row[0], row[1]): row[2] for row in rows}
