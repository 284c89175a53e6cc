"""Steps of escalation as rows: which incidents wait for one, and who takes it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from orchestrator.domain.incidents.escalation import ROLES
from orchestrator.domain.incidents.incident import IncidentState
from orchestrator.store.clocks.alerts import AlertKind, add_alert
from orchestrator.store.clocks.deadlines import ACTOR
from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import incidents


@dataclass(frozen=True, kw_only=True, slots=True)
class Climbing:
    """A late incident that nobody is on; times are in milliseconds."""

    id: int
    client: str
    workflow: str
    step: int  # how many steps were taken
    breached_at: int
    reopened: int  # how often it was opened again: alerts are told apart by it
    now: int


def climbing_incidents(tx: Connection) -> list[Climbing]:
    """The incidents that have steps left, the oldest first."""
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
    rows = tx.execute(select(*columns).where(*waiting).order_by(table.id)).all()
    return [Climbing(**row._asdict()) for row in rows]


def take_step(tx: Connection, climbing: Climbing, step: int) -> str | None:
    """Take a step, if no other keeper did; who owns the incident by now, else None."""
    table = incidents.c
    done = tx.execute(
        update(incidents)
        .where(
            table.id == climbing.id,
            table.step == step - 1,
            table.reopened == climbing.reopened,
            table.state == IncidentState.OPEN,
        )
        .values(step=step, updated_at=now_ms())
        .returning(table.owner)
    )
    return done.scalar_one_or_none()


def tell_step(tx: Connection, climbing: Climbing, step: int, recipient: str) -> None:
    """Write the audit row and the alert of a step that was taken."""
    role = ROLES[step - 1]
    detail = {"step": step, "role": role, "to": recipient}
    audit.record_incident(
        tx, climbing.id, actor=ACTOR, action="escalate", reason="breached", detail=detail
    )
    add_alert(
        tx,
        climbing.id,
        round_=climbing.reopened,
        kind=AlertKind.ESCALATED,
        step=step,
        recipient=recipient,
        role=role,
    )
