"""What is done with events in quarantine: put there, amended, replayed, discarded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, Text, bindparam, func, insert, select, update

from orchestrator.domain.commitments import Detail
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.incidents.causes import Cause, cause_of
from orchestrator.domain.incidents.outcomes import StayOutcome
from orchestrator.domain.lifecycle import STAGE_OF, Move, State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.store.database.clock import now_ms, recovery_ms
from orchestrator.store.database.locks import hold_events
from orchestrator.store.database.prepared import Prepared, among, storable
from orchestrator.store.database.schema import events, payloads, plan_events, quarantine
from orchestrator.store.ordering import lines
from orchestrator.store.quarantine.incidents import note_causes
from orchestrator.store.quarantine.line_up import line_up_replayed
from orchestrator.store.quarantine.moves import ColumnChange, move_events
from orchestrator.store.quarantine.payload_index import forget_words, index_words
from orchestrator.store.quarantine.stays import end_stays_of_returned
from orchestrator.store.quarantine.workflows import LiveWorkflow


def quarantine_events(
    tx: Connection,
    ids: Sequence[str],
    *,
    source: State,
    workflow: Workflow,
    reason: Reason,
    detail: str,
    actor: str,
    epoch: int | None = None,
    destination: str | None = None,
) -> list[str]:
    """Put events of one workflow and one cause in quarantine; answers the ids that moved."""
    verdict = Rejected(reason=reason, detail=detail)
    return quarantine_rejected(
        tx,
        {(verdict, destination): ids},
        source=source,
        workflow=workflow,
        actor=actor,
        epoch=epoch,
    )


Verdict = tuple[Rejected, str | None]
"""What keeps events from going on, and the destination where it did."""


def quarantine_rejected(
    tx: Connection,
    rejected: Mapping[Verdict, Sequence[str]],
    *,
    source: State,
    workflow: Workflow,
    actor: str,
    epoch: int | None = None,
) -> list[str]:
    """Put events of one workflow in quarantine, each with its verdict, and on its incident.

    Verdicts that differ in their words only, as when each names its event's value, are one cause.
    Answers the ids that moved.
    """
    by_cause: dict[Cause, list[tuple[Rejected, list[str]]]] = {}
    stage = STAGE_OF.get(source, source)
    for (verdict, destination), ids in rejected.items():
        moved = move_events(
            tx,
            ids,
            move=Move.QUARANTINE,
            source=source,
            actor=actor,
            epoch=epoch,
            reason=verdict.reason,
            detail={"detail": verdict.detail},
        )
        if moved:
            if workflow.ordering and workflow.ordering.passes:
                lines.step_aside(tx, moved)
            cause = cause_of(
                verdict.reason, stage, destination=destination, violations=verdict.violations
            )
            by_cause.setdefault(cause, []).append((verdict, moved))
    counts = {cause: sum(len(ids) for _, ids in stopped) for cause, stopped in by_cause.items()}
    incidents = note_causes(tx, workflow, counts, actor=actor)
    for cause, stopped in by_cause.items():
        for verdict, ids in stopped:
            _let_stand(tx, ids, verdict, stage, workflow, incidents[cause])
    return [one for stopped in by_cause.values() for _, ids in stopped for one in ids]


def _let_stand(
    tx: Connection,
    ids: Sequence[str],
    verdict: Rejected,
    stage: str,
    workflow: Workflow,
    incident: int,
) -> None:
    _STAND.run(
        tx,
        ids=list(ids),
        stage=stage,
        reason=verdict.reason,
        detail=storable(verdict.detail),
        violations=orjson.dumps([asdict(one) for one in verdict.violations]).decode(),
        owner=workflow.owners.owner,
        recovery_lead=workflow.owners.recovery_lead,
        recover_ms=recovery_ms(tx, workflow.recover_within_seconds, workflow.calendar),
        incident=incident,
    )
    index_words(tx, ids)


def _stand(dialect: str) -> Any:
    words = ("stage", "reason", "detail", "violations", "owner", "recovery_lead")
    row = select(
        events.c.id,
        events.c.client,
        events.c.workflow,
        *(bindparam(word, type_=Text) for word in words),
        now_ms(),
        now_ms() + bindparam("recover_ms", type_=BigInteger),
        bindparam("incident", type_=BigInteger),
    ).where(among(dialect, events.c.id))
    columns = ("event_id", "client", "workflow", *words, "since", "recover_by", "incident_id")
    return insert(quarantine).from_select(columns, row)


_STAND = Prepared(_stand)


def replay(
    tx: Connection,
    ids: Sequence[str],
    *,
    live: LiveWorkflow,
    actor: str,
    order: InOrder | None = None,
) -> list[str]:
    """Send events back to the start under the live version; answers those that were here.

    They are due at once, or one after the other as a plan has them.
    """
    told: dict[str, Any] = {"version": live.version}
    values: dict[str, Any] = {}
    if order is not None:
        told["plan"] = order.token
        values = {"plan": order.plan, "base": order.base_ms}
    moved = _leave(
        tx,
        ids,
        move=Move.REPLAY,
        actor=actor,
        change=_IN_ORDER if order else _AGAIN,
        workflow_id=live.id,
        workflow_name=live.name,
        detail=told,
        **values,
    )
    line_up_replayed(tx, moved, live)
    return moved


@dataclass(frozen=True, kw_only=True)
class InOrder:
    """The plan that events are replayed by: one is due a millisecond after the one before it."""

    plan: int
    token: str
    base_ms: int  # when the event at place 0 would be due


_AGAIN = ColumnChange(
    values={
        "due_at": now_ms(),
        "workflow_id": bindparam("workflow_id", type_=BigInteger),
        # Another one only where no workflow took it when it came.
        "workflow": bindparam("workflow_name", type_=Text),
        "replays": events.c.replays + 1,
        "epoch": 0,  # no message from before fits it any more
    },
)

_IN_ORDER = ColumnChange(
    values={
        **_AGAIN.values,
        "due_at": select(bindparam("base", type_=BigInteger) + plan_events.c.place)
        .where(
            plan_events.c.plan_id == bindparam("plan", type_=BigInteger),
            plan_events.c.event_id == events.c.id,
        )
        .scalar_subquery(),
    },
)


def recall(
    tx: Connection, ids: Sequence[str], *, change: ColumnChange, actor: str, detail: Detail
) -> list[str]:
    """Let workers take back what was made of events; answers those that were here."""
    return _leave(tx, ids, move=Move.RECALL, actor=actor, change=change, detail=detail)


def discard(tx: Connection, ids: Sequence[str], *, why: str, actor: str) -> list[str]:
    """Give events up for good; answers those that were here."""
    gone = _leave(tx, ids, move=Move.DISCARD, actor=actor, detail={"why": why})
    lines.end(tx, gone)
    return gone


def effective_payloads(tx: Connection, ids: Sequence[str]) -> dict[str, object]:
    """The payloads as a replay would take them: amended where a person amended them."""
    rows = tx.execute(
        select(payloads.c.event_id, func.coalesce(payloads.c.amended, payloads.c.body)).where(
            payloads.c.event_id.in_(ids)
        )
    )
    return {row[0]: orjson.loads(row[1]) for row in rows}


def bodies_of_amended(tx: Connection, ids: Sequence[str]) -> dict[str, object]:
    """Of those that a person amended, the payloads as they came."""
    rows = tx.execute(
        select(payloads.c.event_id, payloads.c.body).where(
            payloads.c.event_id.in_(ids), payloads.c.amended.is_not(None)
        )
    )
    return {row[0]: orjson.loads(row[1]) for row in rows}


def amend(
    tx: Connection, amended: Mapping[str, object], *, actor: str, detail: Detail
) -> list[str]:
    """Keep amended payloads beside those that came; answers the events that were here."""
    moved = move_events(
        tx, list(amended), move=Move.AMEND, source=State.QUARANTINED, actor=actor, detail=detail
    )
    keep_amended(tx, {one: amended[one] for one in moved})
    return moved


def keep_amended(tx: Connection, amended: Mapping[str, object]) -> None:
    """Write amended payloads beside those that came; whoever moves the events says so there."""
    if amended:
        tx.execute(
            update(payloads)
            .where(payloads.c.event_id == bindparam("_event_id"))
            .values(amended=bindparam("_amended")),
            [
                {"_event_id": one, "_amended": orjson.dumps(payload).decode()}
                for one, payload in amended.items()
            ],
        )


def _leave(
    tx: Connection, ids: Sequence[str], *, move: Move, actor: str, **values: Any
) -> list[str]:
    hold_events(tx, ids)  # in one order: two people's selections may overlap
    moved = move_events(tx, ids, move=move, source=State.QUARANTINED, actor=actor, **values)
    if moved:
        end_stays_of_returned(tx, moved)  # an event has one stay at most whose outcome is open
        left = tx.execute(
            update(quarantine)
            .where(quarantine.c.event_id.in_(moved), quarantine.c.released_at.is_(None))
            .values(released_at=now_ms(), **_LEFT[move])
            .returning(quarantine.c.id)
        )
        forget_words(tx, list(left.scalars()))
    return moved


_LEFT: Mapping[Move, Mapping[str, Any]] = {
    Move.REPLAY: {"outcome": StayOutcome.UNDER_WAY},
    Move.RECALL: {"outcome": StayOutcome.UNDER_WAY},
    Move.DISCARD: {"outcome": StayOutcome.DISCARDED, "ended_at": now_ms()},
}
"""What is known of a stay's outcome when its event leaves."""
