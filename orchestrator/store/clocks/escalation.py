"""Climbing: whom a breached incident is told of next, step by step, until somebody is on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from orchestrator.domain.incidents.incident import IncidentState
from orchestrator.store.clocks.alerts import AlertKind, add_alert
from orchestrator.store.clocks.deadlines import ACTOR
from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import incidents
from orchestrator.store.quarantine.workflow_terms import Terms

ROLES = ("recovery_lead", "owner", "backstop")


def climb(tx: Connection, newest: Mapping[tuple[str, str], Terms]) -> list[tuple[int, int]]:
    """Take every step that is due, with its audit row and its alert; incident and step of each.

    Steps count from the breach. Who acknowledges an incident stops it. What fell due while no
    keeper ran is taken at once.
    """
    table = incidents.c
    columns = (
        table.id, table.client, table.workflow, table.step, table.breached_at,
        table.reopened, now_ms().label("now"),
    )  # fmt: skip
    waiting = (
        table.state == IncidentState.OPEN,
        table.breached_at.is_not(None),
        table.stopped_at.is_(None),  # a planned pause escalates to nobody
        table.step < len(ROLES),
    )
    taken = []
    for row in tx.execute(select(*columns).where(*waiting).order_by(table.id)).all():
        terms = newest.get((row.client, row.workflow))
        if terms is None:
            continue
        for step, wait in enumerate(terms.escalate[row.step :], start=row.step + 1):
            if row.breached_at + int(wait * 1000) > row.now:
                break
            owner = _step(tx, row, step)
            if owner is None:
                break
            _tell(tx, row, step, owner, terms)
            taken.append((row.id, step))
    return taken


def recipient_of(step: int, lead: str, terms: Terms) -> str:
    """Whom a step tells; `lead` owns the incident now, for it may have been assigned."""
    return (lead, terms.owner, terms.backstop)[step - 1]


def _step(tx: Connection, row: Any, step: int) -> str | None:
    """Take the step, if no other keeper did: the row decides, and says who owns it by now."""
    table = incidents.c
    done = tx.execute(
        update(incidents)
        .where(
            table.id == row.id,
            table.step == step - 1,
            table.reopened == row.reopened,
            table.state == IncidentState.OPEN,
        )
        .values(step=step, updated_at=now_ms())
        .returning(table.owner)
    )
    return done.scalar_one_or_none()


def _tell(tx: Connection, row: Any, step: int, owner: str, terms: Terms) -> None:
    role = ROLES[step - 1]
    recipient = recipient_of(step, owner, terms)
    detail = {"step": step, "role": role, "to": recipient}
    audit.record_incident(
        tx, row.id, actor=ACTOR, action="escalate", reason="breached", detail=detail
    )
    add_alert(
        tx,
        row.id,
        round_=row.reopened,
        kind=AlertKind.ESCALATED,
        step=step,
        recipient=recipient,
        role=role,
    )
