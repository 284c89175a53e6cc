"""Standing still: an event in quarantine has a stage, a reason, an owner and a clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, Text, bindparam, func, insert, select, update

from orchestrator.domain.lifecycle import STAGE_OF, Move, State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.verdicts import Violation
from orchestrator.domain.workflow import Workflow
from orchestrator.store.audit import Detail
from orchestrator.store.clock import now_ms
from orchestrator.store.moves import Change, move_events
from orchestrator.store.prepared import Prepared, among, storable
from orchestrator.store.schema import events, payloads, quarantine
from orchestrator.store.workflows import LiveWorkflow


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
    violations: tuple[Violation, ...] = (),
) -> list[str]:
    """Put events of one workflow and one cause in quarantine; answers the ids that moved."""
    moved = move_events(
        tx,
        ids,
        move=Move.QUARANTINE,
        source=source,
        actor=actor,
        epoch=epoch,
        reason=reason,
        detail={"detail": detail},
    )
    if moved:
        _STAND.run(
            tx,
            ids=moved,
            stage=STAGE_OF.get(source, source),
            reason=reason,
            detail=storable(detail),
            violations=orjson.dumps([asdict(one) for one in violations]).decode(),
            owner=workflow.owners.owner,
            recovery_lead=workflow.owners.recovery_lead,
            recover_ms=int(workflow.recover_within_seconds * 1000),
        )
    return moved


def _stand(dialect: str) -> Any:
    words = ("stage", "reason", "detail", "violations", "owner", "recovery_lead")
    row = select(
        events.c.id,
        events.c.client,
        events.c.workflow,
        *(bindparam(word, type_=Text) for word in words),
        now_ms(),
        now_ms() + bindparam("recover_ms", type_=BigInteger),
    ).where(among(dialect, events.c.id))
    columns = ("event_id", "client", "workflow", *words, "since", "recover_by")
    return insert(quarantine).from_select(columns, row)


_STAND = Prepared(_stand)


def replay(tx: Connection, ids: Sequence[str], *, live: LiveWorkflow, actor: str) -> list[str]:
    """Send events back to the start under the live version; answers those that stood here."""
    return _leave(
        tx,
        ids,
        move=Move.REPLAY,
        actor=actor,
        change=_AGAIN,
        workflow_id=live.id,
        detail={"version": live.version},
    )


_AGAIN = Change(
    values={
        "due_at": now_ms(),
        "workflow_id": bindparam("workflow_id", type_=BigInteger),
        "replays": events.c.replays + 1,
        "epoch": 0,  # no message from before fits it any more
    },
)


def discard(tx: Connection, ids: Sequence[str], *, why: str, actor: str) -> list[str]:
    """Give events up for good; answers those that stood here."""
    return _leave(tx, ids, move=Move.DISCARD, actor=actor, detail={"why": why})


def effective_payloads(tx: Connection, ids: Sequence[str]) -> dict[str, object]:
    """The payloads as a replay would take them: amended where a person amended them."""
    rows = tx.execute(
        select(payloads.c.event_id, func.coalesce(payloads.c.amended, payloads.c.body)).where(
            payloads.c.event_id.in_(ids)
        )
    )
    return {row[0]: orjson.loads(row[1]) for row in rows}


def amend(
    tx: Connection, amended: Mapping[str, object], *, actor: str, detail: Detail
) -> list[str]:
    """Keep amended payloads beside those that came; answers the events that stood here."""
    moved = move_events(
        tx, list(amended), move=Move.AMEND, source=State.QUARANTINED, actor=actor, detail=detail
    )
    if moved:
        tx.execute(
            update(payloads)
            .where(payloads.c.event_id == bindparam("_event_id"))
            .values(amended=bindparam("_amended")),
            [{"_event_id": one, "_amended": orjson.dumps(amended[one]).decode()} for one in moved],
        )
    return moved


def _leave(
    tx: Connection, ids: Sequence[str], *, move: Move, actor: str, **values: Any
) -> list[str]:
    moved = move_events(tx, ids, move=move, source=State.QUARANTINED, actor=actor, **values)
    if moved:
        tx.execute(
            update(quarantine)
            .where(quarantine.c.event_id.in_(moved), quarantine.c.released_at.is_(None))
            .values(released_at=now_ms())
        )
    return moved
