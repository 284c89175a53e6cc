"""Claiming what is due: a lease, an epoch, and groups that a chain can carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from orchestrator.domain.lifecycle import STAGE_OF, Stage, State
from orchestrator.domain.reasons import Reason
from orchestrator.store.clock import after, now_ms
from orchestrator.store.quarantine import quarantine_events
from orchestrator.store.schema import events, groups
from orchestrator.store.sets import id_set
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
    lots = list(_lots(fit, limits))[:room]
    return [_lease(tx, lot, limits.lease_seconds) for lot in lots]


def give_back(tx: Connection, group: Group) -> None:
    """Undo a claim whose chain did not reach the broker."""
    tx.execute(
        update(events)
        .where(events.c.id.in_(id_set(tx, group.ids)), events.c.epoch == group.epoch)
        .values(due_at=now_ms(), starts=events.c.starts - 1)
    )
    finish_group(tx, group.epoch)


def finish_group(tx: Connection, epoch: int) -> None:
    """Forget a group: its chain is over."""
    tx.execute(delete(groups).where(groups.c.epoch == epoch))


def forget_expired_groups(tx: Connection) -> int:
    """Forget groups whose lease ran out unfinished; their events are due again by themselves."""
    return tx.execute(delete(groups).where(groups.c.lease_until <= now_ms())).rowcount


def _unfinished(tx: Connection) -> int:
    return tx.execute(
        select(func.count()).select_from(groups).where(groups.c.lease_until > now_ms())
    ).scalar_one()


def _due(tx: Connection, most: int) -> list[Row[Any]]:
    statement = (
        select(events.c.id, events.c.workflow_id, events.c.state, events.c.starts)
        .where(events.c.due_at <= now_ms())
        .order_by(events.c.due_at)
        .limit(most)
    )
    if tx.dialect.name == "postgresql":  # SQLite has one writer: this transaction
        statement = statement.with_for_update(skip_locked=True)
    return list(tx.execute(statement).all())


def _lots(rows: Iterable[Row[Any]], limits: ClaimLimits) -> Iterator[list[Row[Any]]]:
    """Rows of one version and stage together; those that failed to start in ever smaller lots.

    A group whose worker died is tried once more as it was; after that it is split, so that the
    one event that kills its process is found and its companions get on.
    """

    def kind(row: Row[Any]) -> tuple[int, str, int]:
        return row.workflow_id, row.state, _most_together(row.starts, limits.group_size)

    for (_, _, most), same in groupby(sorted(rows, key=kind), key=kind):
        lot = list(same)
        yield from (lot[at : at + most] for at in range(0, len(lot), most))


def _most_together(starts: int, group_size: int) -> int:
    if starts < 2:
        return group_size
    return max(1, group_size // 16) if starts == 2 else 1


def _lease(tx: Connection, lot: list[Row[Any]], seconds: float) -> Group:
    workflow_id, state = lot[0].workflow_id, State(lot[0].state)
    ids = tuple(row.id for row in lot)
    epoch = tx.execute(
        insert(groups)
        .values(
            workflow_id=workflow_id,
            stage=STAGE_OF[state],
            size=len(ids),
            lease_until=after(seconds),
        )
        .returning(groups.c.epoch)
    ).scalar_one()
    tx.execute(
        update(events)
        .where(events.c.id.in_(id_set(tx, ids)))
        .values(epoch=epoch, due_at=after(seconds), starts=events.c.starts + 1)
    )
    return Group(epoch=epoch, workflow_id=workflow_id, stage=STAGE_OF[state], ids=ids)


def _quarantine_worn_out(tx: Connection, rows: list[Row[Any]], shelf: WorkflowShelf) -> None:
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
