"""Claiming what is due: a lease, an epoch, and groups that a chain can carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    and_,
    bindparam,
    delete,
    func,
    insert,
    not_,
    select,
    update,
)

from orchestrator.domain.changes.rollout import MOST_AT_ONCE
from orchestrator.domain.lifecycle import STAGE_OF, Stage, State
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import events, groups, workflow_versions
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.rollout.taking import DueEvent, due_of_candidate

ACTOR = "relay"

ALONE_AFTER = 3
"""Starts without progress after which an event is tried alone."""

_DueRow = AnyRow | DueEvent

_LEASE_END = now_ms() + bindparam("lease_ms", type_=BigInteger)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Events of one workflow version at one stage, claimed together."""

    epoch: int
    workflow_id: int
    stage: Stage
    ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ClaimLimits:
    """How much one claim takes. Times in seconds."""

    group_size: int
    groups_in_flight: int
    lease_seconds: float
    start_limit: int
    patience_seconds: float  # a group unheard of for longer holds nobody else back


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """What a claim took, and how many groups were unfinished before it."""

    groups: tuple[Group, ...]
    unfinished: int
    waited_ms: int  # how long what waited longest had been due; 0 where nothing was


def claim(tx: Connection, limits: ClaimLimits, shelf: WorkflowShelf) -> Claimed:
    """Claim due events as groups, as many as the limit on unfinished groups leaves room for.

    The client with the fewest unfinished groups comes first, then its workflow with the fewest,
    then what has waited longest: a flood of one keeps none of the others waiting.
    """
    lines = _lines(tx, limits)
    unfinished = sum(line.unfinished for line in lines)
    room = limits.groups_in_flight - sum(line.in_flight for line in lines)
    waiting = [line for line in lines if line.due]
    taken: list[Group] = []
    waited_ms = 0
    while waiting and room > len(taken):
        line = _next_in_turn(waiting, lines)
        rows = _due(tx, line, limits.group_size)
        size = limits.group_size if line.trial is None else min(limits.group_size, MOST_AT_ONCE)
        lots = _lots(_fit_to_start(tx, rows, limits, shelf), size)[: room - len(taken)]
        taken += (_lease(tx, line.workflow_id, lot, limits.lease_seconds) for lot in lots)
        line.unfinished += len(lots)
        waited_ms = max(waited_ms, line.now - line.oldest) if lots else waited_ms
        if len(rows) < limits.group_size or line.trial is not None:
            waiting.remove(line)
    return Claimed(groups=tuple(taken), unfinished=unfinished, waited_ms=waited_ms)


@dataclass(kw_only=True)
class _Line:
    """One workflow version that has unfinished events, as one line of those who wait."""

    workflow_id: int
    client: str
    trial: str | None  # of a candidate that a rollout tries, or that went back
    oldest: int  # when its earliest event is due
    now: int  # by the database's clock
    due: bool
    unfinished: int  # groups under a lease
    in_flight: int  # of these, the ones heard of lately


def _lines(tx: Connection, limits: ClaimLimits) -> list[_Line]:
    # Every sign of life renews the lease, so the lease says how long ago the last one was.
    quiet_ms = int((limits.lease_seconds - limits.patience_seconds) * 1000)
    return [_Line(**row._mapping) for row in _LINES.run(tx, quiet_ms=quiet_ms)]


def _select_lines(_: str) -> Any:
    """Each version with unfinished events, found by one step through the index for each."""
    after = select(func.min(events.c.workflow_id)).where(events.c.due_at.is_not(None))
    found = select(after.scalar_subquery().label("id")).cte("found", recursive=True)
    more = after.where(events.c.workflow_id > found.c.id).scalar_subquery()
    found = found.union_all(select(more).where(found.c.id.is_not(None)))
    oldest = (
        select(func.min(events.c.due_at))
        .where(events.c.workflow_id == found.c.id, events.c.due_at.is_not(None))
        .scalar_subquery()
    )
    own = and_(groups.c.workflow_id == found.c.id, groups.c.lease_until > now_ms())
    quiet = groups.c.lease_until <= now_ms() + bindparam("quiet_ms", type_=BigInteger)
    counted = select(func.count()).select_from(groups).where(own)
    return select(
        found.c.id.label("workflow_id"),
        workflow_versions.c.client,
        workflow_versions.c.trial,
        oldest.label("oldest"),
        now_ms().label("now"),
        (oldest <= now_ms()).label("due"),
        counted.scalar_subquery().label("unfinished"),
        counted.where(not_(quiet)).scalar_subquery().label("in_flight"),
    ).join_from(found, workflow_versions, workflow_versions.c.id == found.c.id)


_LINES = Prepared(_select_lines)


def _next_in_turn(waiting: Sequence[_Line], lines: Sequence[_Line]) -> _Line:
    by_client: Counter[str] = Counter()
    for line in lines:
        by_client[line.client] += line.unfinished
    return min(waiting, key=lambda one: (by_client[one.client], one.unfinished, one.oldest))


def _fit_to_start(
    tx: Connection, rows: Sequence[_DueRow], limits: ClaimLimits, shelf: WorkflowShelf
) -> list[_DueRow]:
    """Those that may start once more; the others go to quarantine."""
    _quarantine_worn_out(tx, [row for row in rows if row.starts >= limits.start_limit], shelf)
    return [row for row in rows if row.starts < limits.start_limit]


def give_back(tx: Connection, group: Group) -> None:
    """Undo a claim whose chain did not reach the broker."""
    _GIVE_BACK.run(tx, ids=list(group.ids), epoch=group.epoch)
    finish_group(tx, group.epoch)


_GIVE_BACK = Prepared(
    lambda dialect: (
        update(events)
        .where(
            among(dialect, events.c.id),
            events.c.epoch == bindparam("epoch"),
            events.c.starts > 0,  # a worker that got the message after all may have moved it on
        )
        .values(due_at=now_ms(), starts=events.c.starts - 1)
    )
)


def drive_again(tx: Connection, ids: Sequence[str], epoch: int) -> None:
    """Make due events whose next link did not reach the broker, instead of at their lease's end.

    Where the link got there after all, the next claim's epoch makes it match nothing.
    """
    _DRIVE_AGAIN.run(tx, ids=list(ids), epoch=epoch)
    finish_group(tx, epoch)


_DRIVE_AGAIN = Prepared(
    lambda dialect: (
        update(events)
        .where(
            among(dialect, events.c.id),
            events.c.epoch == bindparam("epoch"),
            events.c.due_at.is_not(None),  # at rest, nothing drives it
        )
        .values(due_at=now_ms())
    )
)


def finish_group(tx: Connection, epoch: int) -> None:
    """Forget a group: its chain is over."""
    _FINISH.run(tx, epoch=epoch)


_FINISH = Prepared(lambda _: delete(groups).where(groups.c.epoch == bindparam("epoch")))


def finish_unless_driven(tx: Connection, ids: Sequence[str], epoch: int, source: State) -> None:
    """Forget a group of which a task drove nothing on from `source`, unless another run of it did.

    A message may come twice: then the events are under way by the first of the two.
    """
    if not _DRIVEN.run(tx, ids=list(ids), epoch=epoch, source=source).first():
        finish_group(tx, epoch)


_DRIVEN = Prepared(
    lambda dialect: (
        select(events.c.id)
        .where(
            among(dialect, events.c.id),
            events.c.epoch == bindparam("epoch"),
            events.c.state != bindparam("source"),
            events.c.due_at > now_ms(),
        )
        .limit(1)
    )
)


def renew_group(tx: Connection, epoch: int, lease_seconds: float) -> None:
    """A sign of life of a chain that is at work for long."""
    _RENEW.run(tx, epoch=epoch, lease_ms=int(lease_seconds * 1000))


_RENEW = Prepared(
    lambda _: (
        update(groups).where(groups.c.epoch == bindparam("epoch")).values(lease_until=_LEASE_END)
    )
)


def others_wait(tx: Connection, workflow_id: int) -> bool:
    """Whether another workflow version has events that are due, or groups on their way."""
    return any(
        # What is due of a candidate may wait until others of its events are judged.
        line.workflow_id != workflow_id and ((line.due and line.trial is None) or line.unfinished)
        for line in _LINES.run(tx, quiet_ms=0)
    )


def forget_expired_groups(tx: Connection) -> int:
    """Forget groups whose lease ran out unfinished; their events are due again by themselves.

    A worker that is frozen in the middle of its transaction keeps no relay waiting.
    """
    expired = select(groups.c.epoch).where(groups.c.lease_until <= now_ms())
    free = expired.with_for_update(skip_locked=True)
    return tx.execute(delete(groups).where(groups.c.epoch.in_(free))).rowcount


def _due(tx: Connection, line: _Line, most: int) -> Sequence[_DueRow]:
    if line.trial is not None:
        return due_of_candidate(tx, line.workflow_id, line.trial, most)
    return list(_DUE.run(tx, workflow=line.workflow_id, most=most).all())


def _select_due(dialect: str) -> Any:
    statement = (
        select(events.c.id, events.c.workflow_id, events.c.state, events.c.starts)
        .where(events.c.workflow_id == bindparam("workflow"), events.c.due_at <= now_ms())
        .order_by(events.c.due_at)
        .limit(bindparam("most", type_=BigInteger))
    )
    # SQLite has one writer: this transaction.
    return statement if dialect == "sqlite" else statement.with_for_update(skip_locked=True)


_DUE = Prepared(_select_due)


def _lots(rows: Sequence[_DueRow], size: int) -> list[list[_DueRow]]:
    """Rows of one stage together, the lot with the oldest first; what failed to start, in less.

    A group whose worker died is tried once more as it was; after that it is split, so that the
    one event that kills its process is found and its companions get on.
    """
    lots: list[list[_DueRow]] = []
    filling: dict[tuple[str, int], list[_DueRow]] = {}
    for row in rows:
        most = _most_together(row.starts, size)
        lot = filling.get((row.state, most))
        if lot is None or len(lot) == most:
            lot = filling[row.state, most] = []
            lots.append(lot)
        lot.append(row)
    return lots


def _most_together(starts: int, group_size: int) -> int:
    if starts < 2:
        return group_size
    return 1 if starts >= ALONE_AFTER else max(1, group_size // 16)


def _lease(tx: Connection, workflow_id: int, lot: Sequence[_DueRow], seconds: float) -> Group:
    state = State(lot[0].state)
    ids = tuple(row.id for row in lot)
    lease_ms = int(seconds * 1000)
    epoch, until = _OPEN.run(
        tx, workflow=workflow_id, stage=STAGE_OF[state], size=len(ids), lease_ms=lease_ms
    ).one()
    _LEASE.run(tx, ids=list(ids), epoch=epoch, until=until)
    return Group(epoch=epoch, workflow_id=workflow_id, stage=STAGE_OF[state], ids=ids)


_OPEN = Prepared(
    lambda _: (
        insert(groups)
        .values(
            workflow_id=bindparam("workflow"),
            stage=bindparam("stage"),
            size=bindparam("size"),
            lease_until=_LEASE_END,
        )
        .returning(groups.c.epoch, groups.c.lease_until)
    )
)

_LEASE = Prepared(
    lambda dialect: (
        update(events)
        .where(among(dialect, events.c.id))
        .values(
            epoch=bindparam("epoch"),
            due_at=bindparam("until", type_=BigInteger),  # the group's own: the clock has gone on
            starts=events.c.starts + 1,
        )
    )
)


def _quarantine_worn_out(tx: Connection, rows: list[_DueRow], shelf: WorkflowShelf) -> None:
    for row in rows:
        quarantine_events(
            tx,
            [row.id],
            source=State(row.state),
            workflow=shelf.take(tx, row.workflow_id).workflow,
            reason=Reason.START_LIMIT,
            detail=f"started {row.starts} times at {STAGE_OF[State(row.state)]} without progress",
            actor=ACTOR,
        )
