"""Jobs as rows: moved by one function, and leased to one keeper at a time.

Whoever carries a job out renews the lease in the transaction of each step. A keeper that slept past
its lease finds another's there, and its step leaves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, insert, or_, select, update

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.commitments import Detail
from orchestrator.domain.jobs import (
    AT_WORK,
    UNFINISHED,
    Instructions,
    JobKind,
    JobMove,
    JobState,
    job_target,
)
from orchestrator.store.database import audit
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import jobs

KEEPER = "keeper"
"""The audit's word for who takes jobs and ends them."""

_MOST_TAKES = 5  # keepers that may die of one step before nobody tries it again
_DIED = f"{_MOST_TAKES} keepers took it, one after the other, and none ended a step of it"
_LONGEST_ERROR = 2_000  # characters
_T = jobs.c


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedJob:
    """A job that nobody else moves until the transaction ends."""

    id: int
    kind: JobKind
    state: JobState
    clients: tuple[str, ...]  # whose events it is about
    plan: str | None  # the token of the replay plan that it runs
    asked: Instructions
    why: str | None
    items: int
    done: int  # of these, failed ones too
    failed: int
    starter: Actor  # on whose word it acts; what they may do is asked before each step
    holder: str | None  # of the lease
    takes: int  # since it last got on


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The right to carry a job out."""

    job: int
    holder: str  # a random word, never given twice
    keeper: str  # the process, for people
    seconds: float  # how long each renewal lasts


def add_job(
    tx: Connection,
    kind: JobKind,
    *,
    items: int,
    actor: Actor,
    clients: Sequence[str],
    plan: str | None = None,
    asked: Instructions,
    why: str | None = None,
) -> int:
    """Queue a job; its number."""
    number: int = tx.execute(
        insert(jobs)
        .values(
            kind=kind.value,
            state=JobState.QUEUED.value,
            client=_only(clients),
            clients=orjson.dumps(clients).decode(),
            plan=plan,
            asked=orjson.dumps(asdict(asked)).decode(),
            why=None if why is None else storable(why),
            items=items,
            done=0,
            failed=0,
            started_at=now_ms(),
            started_by=actor.name,
            started_person=actor.person,
            started_key=actor.key,
            takes=0,
        )
        .returning(_T.id)
    ).scalar_one()
    told = {"job": number, "kind": kind.value, "plan": plan, "items": items, "why": why}
    _record(tx, JobMove.START, _only(clients), None, JobState.QUEUED, actor=actor.name, detail=told)
    return number


def lock_job(tx: Connection, number: int) -> LockedJob | None:
    """Wait for a job and hold it; None where there is none."""
    return _locked(tx, select(jobs).where(_T.id == number).with_for_update())


def move_job(
    tx: Connection,
    job: LockedJob,
    move: JobMove,
    *,
    actor: str,
    lease: Lease | None = None,
    why: str | None = None,
    error: str | None = None,
) -> JobState:
    """Move it and write the audit row; where it is then. `lease` is what a keeper takes it by.

    Raises IllegalMove.
    """
    target = job_target(move, job.state)
    changed: dict[str, object] = {
        "state": target.value,
        "error": None if error is None else storable(error)[:_LONGEST_ERROR],
        "ended_at": None if target in UNFINISHED else now_ms(),
    }
    if lease is not None:
        changed |= {"holder": lease.holder, "keeper": lease.keeper, "takes": job.takes + 1}
        changed |= {"leased_until": after(lease.seconds), "taken_at": now_ms()}
    elif target not in AT_WORK:
        changed |= {"holder": None, "leased_until": None, "takes": 0}
    tx.execute(update(jobs).where(_T.id == job.id).values(changed))
    told: dict[str, object] = {"job": job.id}
    told |= {"keeper": lease.keeper} if lease else {}
    told |= {name: text for name, text in (("why", why), ("error", error)) if text}
    _record(tx, move, _only(job.clients), job.state, target, actor=actor, detail=told)
    return target


def take_job(
    tx: Connection, *, holder: str, keeper: str, seconds: float
) -> tuple[LockedJob, Lease] | None:
    """The first job that nobody carries out, taken; None where there is none.

    What was to stop when its keeper died is stopped. What keeper after keeper died of is not tried
    again.
    """
    free = or_(
        _T.state == JobState.QUEUED.value,
        _T.state.in_([one.value for one in AT_WORK]) & (_T.leased_until <= now_ms()),
    )
    first = select(jobs).where(free).order_by(_T.id).limit(1).with_for_update(skip_locked=True)
    while job := _locked(tx, first):
        if job.state is JobState.STOPPING:
            move_job(tx, job, JobMove.HALT, actor=KEEPER)
        elif job.takes >= _MOST_TAKES:
            move_job(tx, job, JobMove.FAIL, actor=KEEPER, error=_DIED)
        else:
            lease = Lease(job=job.id, holder=holder, keeper=keeper, seconds=seconds)
            queued = job.state is JobState.QUEUED
            move = JobMove.TAKE if queued else JobMove.TAKE_OVER
            move_job(tx, job, move, actor=KEEPER, lease=lease)
            return job, lease
    return None


def is_job_free(tx: Connection) -> bool:
    """Whether there may be something for `take_job`: a look that keeps nobody waiting."""
    unfinished = _T.state.in_([one.value for one in UNFINISHED])
    free = or_(_T.leased_until.is_(None), _T.leased_until <= now_ms())
    return tx.execute(select(_T.id).where(unfinished, free).limit(1)).first() is not None


def renew_lease(
    tx: Connection,
    lease: Lease,
    *,
    done: int | None = None,
    failed: int | None = None,
    items: int | None = None,
) -> JobState | None:
    """Keep the job for as long again, in a step's own transaction; None where another has it.

    `done` and `failed` count all of its items so far, and say that it got on; `items` is for a job
    that counts them when it begins.
    """
    changed: dict[str, object] = {"leased_until": after(lease.seconds)}
    if done is not None:
        changed |= {"done": done, "failed": failed or 0, "takes": 0}
    if items is not None:
        changed |= {"items": items}
    mine = (_T.id == lease.job, _T.holder == lease.holder)
    state = tx.execute(update(jobs).where(*mine).values(changed).returning(_T.state)).scalar()
    return None if state is None else JobState(state)


def _only(clients: Sequence[str]) -> str | None:
    return clients[0] if len(clients) == 1 else None


def _locked(tx: Connection, statement: Select[*tuple[Any, ...]]) -> LockedJob | None:
    row: AnyRow | None = tx.execute(statement).first()
    if row is None:
        return None
    return LockedJob(
        id=row.id,
        kind=JobKind(row.kind),
        state=JobState(row.state),
        clients=tuple(orjson.loads(row.clients)),
        plan=row.plan,
        asked=Instructions(**orjson.loads(row.asked)),
        why=row.why,
        items=row.items,
        done=row.done,
        failed=row.failed,
        starter=Actor(name=row.started_by, person=row.started_person, key=row.started_key),
        holder=row.holder,
        takes=row.takes,
    )


def _record(
    tx: Connection,
    move: JobMove,
    client: str | None,
    source: JobState | None,
    target: JobState,
    *,
    actor: str,
    detail: Detail,
) -> None:
    said = {name: value for name, value in detail.items() if value is not None}
    audit.record_job(
        tx,
        actor=actor,
        action=f"{move}_job",
        client=client,
        source=source,
        target=target,
        detail=said,
    )
