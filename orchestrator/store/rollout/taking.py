"""Which events a canary takes at acceptance, and which of them a relay may claim.

At most `MOST_AT_ONCE` are claimed and not judged: the next ones wait until each of these is
delivered, or a keeper has looked at why it was not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    text,
    update,
)

from orchestrator.domain.changes.rollout import MOST_AT_ONCE
from orchestrator.domain.changes.verdict import Outcome
from orchestrator.domain.lifecycle import State
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import events, rollout_arms, rollout_events
from orchestrator.store.quarantine.workflows import TrialState

_T = rollout_events.c

AWAITING = "awaiting"
"""In place of an outcome: it waited for a person's yes.

Nothing is sent of such an event, so it holds nobody back; after the yes it is claimed as one that
was not claimed before, in its turn."""

NOT_COUNTED = text("NOT rollout_events.counted")
"""As the index has it, so that both databases find it."""


class DueEvent(NamedTuple):
    """What a claim reads of an event."""

    id: str
    workflow_id: int
    state: str
    starts: int  # claims without progress


def note_taken(tx: Connection, taken: Iterable[tuple[str, int]]) -> None:
    """Keep events, each with the number of its change, that a candidate decides about."""
    rows = [{"event_id": one, "change_id": change, "counted": False} for one, change in taken]
    if rows:
        tx.execute(insert(rollout_events), rows)


def due_of_candidate(tx: Connection, workflow_id: int, trial: str, most: int) -> list[DueEvent]:
    """The due events of a version that is tried, or was, which may be claimed now.

    Of one that went back, only those that are routed: the others go to the live version.
    """
    if trial == TrialState.STOPPED:
        return _read(_DUE_ROUTED, tx, workflow_id, most)
    held = tx.execute(
        select(rollout_arms.c.change_id)
        .where(rollout_arms.c.version_id == workflow_id, rollout_arms.c.stopped_at.is_(None))
        .with_for_update(skip_locked=True)  # one relay at a time, and none while a keeper judges
    ).scalar_one_or_none()
    if held is None:
        return []
    _SETTLE.run(tx, change=held)
    _NOTE_AWAITING.run(tx, change=held)
    rows = _read(_DUE_CLAIMED, tx, workflow_id, MOST_AT_ONCE)
    if not rows and _UNJUDGED.run(tx, change=held).first() is None:
        rows = _read(_DUE_FRESH, tx, workflow_id, MOST_AT_ONCE)
        _CLAIMED.run(tx, ids=[row.id for row in rows])
    return rows


def _read(due: Prepared, tx: Connection, workflow_id: int, most: int) -> list[DueEvent]:
    return [DueEvent(*row) for row in due.run(tx, workflow=workflow_id, most=most)]


def _select_due(dialect: str, *also: Any) -> Any:
    found = (
        select(events.c.id, events.c.workflow_id, events.c.state, events.c.starts)
        .where(events.c.workflow_id == bindparam("workflow"), events.c.due_at <= now_ms(), *also)
        .order_by(events.c.due_at)
        .limit(bindparam("most", type_=BigInteger))
    )
    return found if dialect == "sqlite" else found.with_for_update(skip_locked=True, of=events)


def _taken(*also: Any) -> Any:
    return exists().where(_T.event_id == events.c.id, *also)


_DUE_ROUTED = Prepared(lambda one: _select_due(one, events.c.state == State.ROUTED.value))
_IS_FRESH = or_(_T.claimed_at.is_(None), func.coalesce(_T.outcome, "") == AWAITING)
_DUE_CLAIMED = Prepared(lambda one: _select_due(one, _taken(not_(_IS_FRESH))))
_DUE_FRESH = Prepared(lambda one: _select_due(one, _taken(_IS_FRESH)))

_CLAIMED = Prepared(
    lambda dialect: (
        update(rollout_events)
        .where(among(dialect, _T.event_id))
        .values(claimed_at=now_ms(), outcome=None)
    )
)

_SETTLE = Prepared(
    lambda _: (
        update(rollout_events)
        .where(
            _T.change_id == bindparam("change"),
            NOT_COUNTED,
            _T.outcome.is_(None),
            exists().where(
                events.c.id == _T.event_id,
                events.c.state == State.DELIVERED.value,
                events.c.replays == 0,
            ),
        )
        .values(outcome=Outcome.DELIVERED.value, ended_at=now_ms())
    )
)
"""What is delivered holds nobody back; whether it was in time, a keeper finds."""

_NOTE_AWAITING = Prepared(
    lambda _: (
        update(rollout_events)
        .where(
            _T.change_id == bindparam("change"),
            NOT_COUNTED,
            _T.outcome.is_(None),
            _T.claimed_at.is_not(None),
            exists().where(
                events.c.id == _T.event_id,
                events.c.state == State.AWAITING_APPROVAL.value,
            ),
        )
        .values(outcome=AWAITING)
    )
)
"""At each claim, and so before the next events are claimed: at most three have no such note."""

_UNJUDGED = Prepared(
    lambda _: (
        select(_T.event_id)
        .where(
            _T.change_id == bindparam("change"),
            NOT_COUNTED,
            _T.claimed_at.is_not(None),
            or_(_T.outcome.is_(None), _T.outcome == Outcome.QUARANTINED.value),
        )
        .limit(1)
    )
)
