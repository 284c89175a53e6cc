"""The events of a job that is not about a plan: frozen when it starts, each with its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, select, update

from orchestrator.domain.jobs import ItemOutcome, Outcome
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import job_items, quarantine
from orchestrator.store.quarantine.outcomes import HAS_INDEX

_BATCH = 1_000  # rows that are written at once
_LONGEST_DETAIL = 500  # characters
_WAITING = "waiting"
_T = job_items.c


@dataclass(frozen=True, kw_only=True, slots=True)
class JobItem:
    """One event of a job, and what came of it."""

    place: int  # from 0, in the order of the job
    id: str  # of the event
    outcome: str  # in a word or two
    detail: str | None  # why nothing came of it


def add_items(tx: Connection, job: int, ids: Sequence[str]) -> None:
    """Freeze the events of a job, in this order."""
    for at in range(0, len(ids), _BATCH):
        some = enumerate(ids[at : at + _BATCH], start=at)
        tx.execute(
            insert(job_items),
            [{"job_id": job, "place": place, "event_id": one} for place, one in some],
        )


def open_items(tx: Connection, job: int, *, limit: int) -> list[tuple[int, str]]:
    """Place and id of the first events that are still to be done."""
    still_open = select(_T.place, _T.event_id).where(_T.job_id == job, _T.outcome.is_(None))
    rows = tx.execute(still_open.order_by(_T.place).limit(limit))
    return [(row.place, row.event_id) for row in rows]


def settle_items(
    tx: Connection, job: int, items: Sequence[tuple[int, str]], outcomes: Mapping[str, ItemOutcome]
) -> None:
    """Write down what came of these events, in the transaction that did it."""
    tx.execute(
        update(job_items)
        .where(_T.job_id == job, _T.place == bindparam("at"))
        .values(outcome=bindparam("word"), detail=bindparam("said")),
        [
            {"at": place, "word": one.outcome.value, "said": _short(one.detail)}
            for place, event_id in items
            for one in (outcomes[event_id],)
        ],
    )


def job_items_of(
    tx: Connection, job: int, *, limit: int, after: int = -1, failed: bool = False
) -> list[JobItem]:
    """Events of a job in its order, those after the place `after`; with `failed` only such."""
    statement = select(_T.place, _T.event_id, _T.outcome, _T.detail).where(
        _T.job_id == job, _T.place > after
    )
    if failed:
        statement = statement.where(_T.outcome == Outcome.FAILED.value)
    return [
        JobItem(
            place=row.place, id=row.event_id, outcome=row.outcome or _WAITING, detail=row.detail
        )
        for row in tx.execute(statement.order_by(_T.place).limit(limit))
    ]


def count_outcomes(tx: Connection, job: int) -> dict[str, int]:
    """How many events of a job had which outcome."""
    counts = select(_T.outcome, func.count().label("many")).where(_T.job_id == job)
    rows = tx.execute(counts.group_by(_T.outcome).order_by(_T.outcome))
    return {row.outcome or _WAITING: row.many for row in rows}


_MOST_INCIDENTS = 3


def incidents_of_items(tx: Connection, job: int) -> tuple[int, ...]:
    """The incidents that the first events of a job were quarantined for, at most a few."""
    first = select(_T.event_id).where(_T.job_id == job).order_by(_T.place).limit(_FIRST).subquery()
    found = (
        select(quarantine.c.incident_id)
        .join(first, first.c.event_id == quarantine.c.event_id)
        .where(HAS_INDEX, quarantine.c.incident_id.is_not(None))
        .distinct()
        .order_by(quarantine.c.incident_id)
        .limit(_MOST_INCIDENTS)
    )
    return tuple(tx.execute(found).scalars())


_FIRST = 200  # events of a job, by which it is known whose they are


def _short(detail: str | None) -> str | None:
    return None if detail is None else storable(detail)[:_LONGEST_DETAIL]
