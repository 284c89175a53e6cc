"""Claiming what is due: a lease, an epoch, and groups that a chain can carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, func, insert, or_, select, update

from orchestrator.domain.lifecycle import STAGE_OF, Stage, State
from orchestrator.domain.reasons import Reason
from orchestrator.store.clock import now_ms
from orchestrator.store.engine import AnyRow
from orchestrator.store.prepared import Prepared, among
from orchestrator.store.quarantine import quarantine_events
from orchestrator.store.schema import events, groups
from orchestrator.store.workflows import WorkflowShelf

ACTOR = "relay"


@dataclass(frozen=True, kw_only=True)
class Group:
    """Events of one workflow version at one stage, claimed together."""

    epoch: int
    workflow_id: int
    stage: Stage
    ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ClaimLimits:
    """How much one claim takes."""

    group_size: int
    groups_in_flight: int
    lease_seconds: float
    start_limit: int


def claim(tx: Connection, limits: ClaimLimits, shelf: WorkflowShelf) -> list[Group]:
    """Claim due events as groups, as many as the limit on unfinished groups leaves room for."""
    room = limits.groups_in_flight - _unfinished(tx)
    if room <= 0:
        return []
    rows = _due(tx, room * limits.group_size)
    _quarantine_worn_out(tx, [row for row in rows if row.starts >= limits.start_limit], shelf)
    fit = [row for row in rows if row.starts < limits.start_limit]
    age = {row.id: place for place, row in enumerate(fit)}
    # The lot with the oldest event first: else a busy workflow would keep another waiting for ever.
    lots = sorted(_lots(fit, limits), key=lambda lot: age[lot[0].id])[:room]
    return [_lease(tx, lot, limits.lease_seconds) for lot in lots]


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


def finish_group(tx: Connection, epoch: int) -> None:
    """Forget a group: its chain is over."""
    _FINISH.run(tx, epoch=epoch)


_FINISH = Prepared(lambda _: delete(groups).where(groups.c.epoch == bindparam("epoch")))


def forget_expired_groups(tx: Connection) -> int:
    """Forget groups whose lease ran out unfinished; their events are due again by themselves."""
    return tx.execute(delete(groups).where(groups.c.lease_until <= now_ms())).rowcount


def _unfinished(tx: Connection) -> int:
    found: int = _UNFINISHED.run(tx).scalar_one()
    return found


_UNFINISHED = Prepared(
    lambda _: select(func.count()).select_from(groups).where(groups.c.lease_until > now_ms())
)


def _due(tx: Connection, most: int) -> list[AnyRow]:
    return list(_DUE.run(tx, most=most).all())


def _select_due(dialect: str) -> Any:
    statement = (
        select(events.c.id, events.c.workflow_id, events.c.state, events.c.starts)
        .where(events.c.due_at <= now_ms(), or_(*(events.c.state == state for state in STAGE_OF)))
        .order_by(events.c.due_at)
        .limit(bindparam("most", type_=BigInteger))
    )
    # SQLite has one writer: this transaction.
    return statement if dialect == "sqlite" else statement.with_for_update(skip_locked=True)


_DUE = Prepared(_select_due)


def _lots(rows: Iterable[AnyRow], limits: ClaimLimits) -> Iterator[list[AnyRow]]:
    """Rows of one version and stage together; those that failed to start in ever smaller lots.

    A group whose worker died is tried once more as it was; after that it is split, so that the
    one event that kills its process is found and its companions get on.
    """

    def kind(row: AnyRow) -> tuple[int, str, int]:
        return row.workflow_id, row.state, _most_together(row.starts, limits.group_size)

    for (_, _, most), same in groupby(sorted(rows, key=kind), key=kind):
        lot = list(same)
        yield from (lot[at : at + most] for at in range(0, len(lot), most))


def _most_together(starts: int, group_size: int) -> int:
    if starts < 2:
        return group_size
    return max(1, group_size // 16) if starts == 2 else 1


def _lease(tx: Connection, lot: list[AnyRow], seconds: float) -> Group:
    workflow_id, state = lot[0].workflow_id, State(lot[0].state)
    ids = tuple(row.id for row in lot)
    lease_ms = int(seconds * 1000)
    epoch = _OPEN.run(
        tx, workflow=workflow_id, stage=STAGE_OF[state], size=len(ids), lease_ms=lease_ms
    ).scalar_one()
    _LEASE.run(tx, ids=list(ids), epoch=epoch, lease_ms=lease_ms)
    return Group(epoch=epoch, workflow_id=workflow_id, stage=STAGE_OF[state], ids=ids)


_LEASE_END = now_ms() + bindparam("lease_ms", type_=BigInteger)

_OPEN = Prepared(
    lambda _: (
        insert(groups)
        .values(
            workflow_id=bindparam("workflow"),
            stage=bindparam("stage"),
            size=bindparam("size"),
            lease_until=_LEASE_END,
        )
        .returning(groups.c.epoch)
    )
)

_LEASE = Prepared(
    lambda dialect: (
        update(events)
        .where(among(dialect, events.c.id))
        .values(epoch=bindparam("epoch"), due_at=_LEASE_END, starts=events.c.starts + 1)
    )
)


def _quarantine_worn_out(tx: Connection, rows: list[AnyRow], shelf: WorkflowShelf) -> None:
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
