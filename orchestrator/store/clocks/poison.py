"""Poison messages as an incident: the steward's, with a clock, until no dead letter is left.

A keeper opens it, and not the worker that keeps the message: a flood of messages then takes one
count a turn, and nothing but a full disk can keep a worker from keeping one.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, exists, func, or_, select, update

from orchestrator.domain.heartbeats import ProcessKind
from orchestrator.domain.incidents.causes import Cause, cause_of
from orchestrator.domain.incidents.incident import IncidentMove, IncidentState
from orchestrator.domain.reasons import Reason
from orchestrator.domain.text.durations import seconds
from orchestrator.domain.workflows.promises import ESCALATE
from orchestrator.store.clocks.old_spools import SPOOLS
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import dead_letters, heartbeats, incidents
from orchestrator.store.quarantine.dead_letters import BROKER, NOBODY, PLATFORM, LetterState
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.incidents import note_events
from orchestrator.store.quarantine.workflow_terms import Terms

_AT_ONCE = 1_000  # letters that one transaction counts
_QUIET_SECONDS = 60.0  # a running worker has taken a requeued message by then, and kept it again
_DELIVER_WITHIN, _RECOVER_WITHIN = "1d", "72h"


def poison_cause() -> Cause:
    """The cause of every message that no worker can read: one incident, however many there are."""
    return cause_of(Reason.POISON_MESSAGE, "broker")


def note_poison(tx: Connection, *, steward: str | None, actor: str) -> int:
    """Count letters that came since the last turn on their incident; how many.

    It opens, or opens again with the first deadline of what came back. A message that comes back
    is counted once.
    """
    table = dead_letters.c
    rows = tx.execute(
        select(table.id, table.digest, table.recover_by, now_ms().label("now"))
        .where(table.state == LetterState.STANDING, table.incident_id.is_(None))
        .order_by(table.id)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)  # else two keepers count them twice
    ).all()
    if rows:
        digests = {row.digest for row in rows}
        known = select(func.count(table.digest.distinct())).where(
            table.digest.in_(digests), table.incident_id.is_not(None)
        )
        incident = note_events(
            tx,
            PLATFORM,
            BROKER,
            poison_cause(),
            len(rows) - int(tx.execute(known).scalar_one()),
            owner=steward or NOBODY,
            recover_ms=min(row.recover_by - row.now for row in rows),
            actor=actor,
        )
        first = min(row.recover_by for row in rows)
        later = (incidents.c.id == incident, incidents.c.recover_by > first)
        tx.execute(update(incidents).where(*later).values(recover_by=first))  # to the millisecond
        ids = [row.id for row in rows]
        tx.execute(update(dead_letters).where(table.id.in_(ids)).values(incident_id=incident))
    return len(rows)


def has_unnoted_poison(tx: Connection) -> bool:
    """Whether `note_poison` would count some."""
    table = dead_letters.c
    waiting = exists().where(table.state == LetterState.STANDING, table.incident_id.is_(None))
    return bool(tx.execute(select(waiting)).scalar_one())


def give_to_steward(tx: Connection, steward: str | None, *, actor: str) -> None:
    """Give the steward what nobody owned while none was set."""
    if steward is None:
        return
    table = incidents.c
    nobodys = (table.owner == NOBODY, table.state != IncidentState.RESOLVED)
    for incident in tx.execute(select(table.id).where(*nobodys)).scalars().all():
        move_incident(tx, incident, IncidentMove.ASSIGN, actor=actor, owner=steward)


def has_open_letters(tx: Connection, incident: int) -> bool:
    """Whether a letter of the incident is open, or was requeued and may be back any moment.

    It may be back until a worker has been seen at work a while after the requeue: without a worker
    it lies on its queue however long that is.
    """
    table = dead_letters.c
    worked = exists().where(
        heartbeats.c.kind == ProcessKind.WORKER.value,
        heartbeats.c.beat_at >= table.closed_at + int(_QUIET_SECONDS * 1000),
    )
    requeued = and_(table.state == LetterState.REQUEUED, ~worked)
    standing = table.state == LetterState.STANDING
    found = exists().where(table.incident_id == incident, or_(standing, requeued))
    return bool(tx.execute(select(found)).scalar_one())


def steward_terms(steward: str | None) -> dict[tuple[str, str], Terms]:
    """Whom the escalation of incidents without a workflow tells: the steward, at each step.

    Nobody without one.
    """
    if steward is None:
        return {}
    return {(PLATFORM, one): _steward_terms(one, steward) for one in (BROKER, SPOOLS)}


def _steward_terms(workflow: str, steward: str) -> Terms:
    return Terms(
        workflow_id=0,
        client=PLATFORM,
        workflow=workflow,
        deliver_within=seconds(_DELIVER_WITHIN),
        recover_within=seconds(_RECOVER_WITHIN),
        calendar=None,
        escalate=tuple(seconds(one) for one in ESCALATE),
        owner=steward,
        recovery_lead=steward,
        backstop=steward,
        success_rate=None,
        pauses_stop=(),
    )
