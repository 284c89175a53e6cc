"""Clocks that a planned pause stops: a person paused a destination and said until when.

A pause without an end stops none: then its clock is all that reminds anybody of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select, update

from orchestrator.domain.delivery.breakers import Circuit, action_breaker, destination_circuit
from orchestrator.domain.incidents.incident import HELD, IncidentState
from orchestrator.domain.workflows.hours.calendar import deadline, elapsed
from orchestrator.store.database import audit
from orchestrator.store.database.clock import in_ms, moment, now_ms
from orchestrator.store.database.schema import circuits, incidents
from orchestrator.store.destinations.circuits import audited_end, troubled_circuits
from orchestrator.store.destinations.named import actions_of
from orchestrator.store.quarantine.workflow_terms import Terms, TermsShelf

RECOVER_WITHIN = "recover_within"
_ACTOR = "keeper"
_LET_GO_SECONDS = 60  # after a pause its deliveries go out: for so long nobody has to look


def tend_stopped_clocks(
    tx: Connection, newest: Mapping[tuple[str, str], Terms] | None = None
) -> None:
    """Stop the clocks of incidents that a planned pause holds; let those run on that none holds.

    Whoever ends a pause calls it before: so the clock stopped when the pause began, also
    where no keeper saw it. Where nothing is held, it is one look.
    """
    table = incidents.c
    held = select(incidents, now_ms().label("now")).where(
        table.state != IncidentState.RESOLVED, table.reason == HELD
    )
    rows = tx.execute(held.order_by(table.id)).all()
    if not rows:
        return
    known, actions = newest or TermsShelf().newest(tx), actions_of(tx)
    troubled = troubled_circuits(tx)
    for row in rows:
        terms = known.get((row.client, row.workflow))
        if terms is None:
            continue
        names = _names(row, actions)
        there = [troubled[one] for one in names if one in troubled]
        blocking = [one for one in there if one.blocked]
        planned = [one for one in blocking if one.until is not None]
        if planned and RECOVER_WITHIN in terms.pauses_stop:
            if row.stopped_at is None:
                _stop(tx, row, planned)
        elif row.stopped_at is not None and (blocking or not _let_go_now(tx, names, row.now)):
            _go_on(tx, row, terms)


def _names(row: Any, actions: Mapping[str, tuple[str, str]]) -> list[str]:
    """What can hold deliveries back there: the destination, its connector, the action."""
    name = destination_circuit(row.client, row.workflow, row.destination)
    if name not in actions:
        return [name]
    connector, action = actions[name]
    return [name, connector, action_breaker(connector, action)]


def _let_go_now(tx: Connection, names: Sequence[str], now: int) -> bool:
    """Whether something there began to let deliveries pass only just now."""
    since = select(func.max(circuits.c.since)).where(circuits.c.name.in_(names))
    latest = tx.execute(since).scalar_one()
    return latest is not None and now - latest < _LET_GO_SECONDS * 1000


def _stop(tx: Connection, row: Any, planned: Sequence[Circuit]) -> None:
    table, pause = incidents.c, min(planned, key=lambda one: one.since)
    since = max(pause.since, row.opened_at)
    stopped = tx.execute(
        update(incidents)
        .where(
            table.id == row.id,
            table.stopped_at.is_(None),
            table.reopened == row.reopened,
            table.state != IncidentState.RESOLVED,
        )
        .values(stopped_at=since, updated_at=now_ms())
    )
    if stopped.rowcount:
        said = {"by": pause.name, **audited_end(max(one.until or 0 for one in planned))}
        audit.record_incident(
            tx, row.id, actor=_ACTOR, action="stop_clock", reason="paused", detail=said
        )


def _go_on(tx: Connection, row: Any, terms: Terms) -> None:
    """From now on it has the time that it had left when it stopped."""
    table, due_at = incidents.c, row.recover_by
    if due_at > row.stopped_at:
        left = elapsed(moment(row.stopped_at), moment(due_at), terms.calendar)
        due_at = in_ms(deadline(moment(row.now), left, terms.calendar))
    went_on = tx.execute(
        update(incidents)
        .where(table.id == row.id, table.stopped_at == row.stopped_at)
        .values(stopped_at=None, recover_by=due_at, updated_at=now_ms())
    )
    if went_on.rowcount:
        audit.record_incident(
            tx,
            row.id,
            actor=_ACTOR,
            action="run_clock",
            reason=RECOVER_WITHIN,
            detail={
                "due_at": audited_end(due_at)["until"],
                "seconds": (row.now - row.stopped_at) // 1000,
            },
        )
