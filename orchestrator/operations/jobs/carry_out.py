"""Carry out the next job: a keeper takes it, and ends it, gives it back, or says why it failed.

Each step is one transaction that does its items, counts them, renews the lease, and asks whether
who started the job may do this still. A keeper that dies leaves whole steps only, and the next one
goes on behind them.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from orchestrator.domain.access.actor import process
from orchestrator.domain.acts import ACTS, Act
from orchestrator.domain.errors import Forbidden, NotFound, Refused, StoreUnavailable
from orchestrator.domain.jobs import JobKind, JobMove, JobState
from orchestrator.operations.access.allow import allow
from orchestrator.operations.jobs.backtesting import carry_out_backtest
from orchestrator.operations.jobs.on_events import carry_out_on_events
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.jobs import (
    KEEPER,
    Lease,
    LockedJob,
    is_job_free,
    lock_job,
    move_job,
    renew_lease,
    take_job,
)

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5  # between two looks, while a job pauses, whether it is to stop


class Halted(Exception):
    """Raised between two steps of a job that is to stop, or whose keeper is."""


class LeaseLost(Exception):
    """Raised in a step of a keeper that was away for so long that another took its job."""


class Step:
    """What the work of a job tells after each step, and asks before the next."""

    def __init__(
        self, store: Store, job: LockedJob, lease: Lease, ending: Callable[[], bool]
    ) -> None:
        self._store = store
        self._job = job
        self._lease = lease
        self._ending = ending  # whether the keeper is to end
        self._stop = False  # whether a person stopped the job
        self._renew_at = time.monotonic() + lease.seconds / 3

    def note(self, tx: Tx, done: int, failed: int = 0, items: int | None = None) -> None:
        """Within a step's transaction: so many of all items are done with it.

        Raises LeaseLost, and as `ask`.
        """
        self.ask(tx)
        self._keep(renew_lease(tx, self._lease, done=done, failed=failed, items=items))

    def ask(self, tx: Tx) -> None:
        """Whether who started the job may do this still. Raises Forbidden."""
        act = _ACTS[self._job.kind]
        try:
            allow(tx, self._job.starter, act, self._job.clients)
        except (Forbidden, NotFound):
            raise Forbidden(
                f"{self._job.starter.name}, on whose word the job acts, may not"
                f" {ACTS[act].says} any more",
                fix="let an admin give the right back and `meshline jobs go-on`, or start another",
            ) from None

    def go_on(self) -> None:
        """Between two steps. Raises Halted."""
        if self._stop or self._ending():
            raise Halted

    def pause(self, seconds: float) -> None:
        """Wait between two steps, and keep the lease. Raises Halted, LeaseLost."""
        end = time.monotonic() + seconds
        while True:
            if time.monotonic() >= self._renew_at:
                with self._store.write() as tx:
                    self._keep(renew_lease(tx, self._lease))
            self.go_on()
            if (left := end - time.monotonic()) <= 0:
                return
            time.sleep(min(left, _LOOK_SECONDS))

    def _keep(self, state: JobState | None) -> None:
        if state is None:
            raise LeaseLost
        self._stop = state is JobState.STOPPING
        self._renew_at = time.monotonic() + self._lease.seconds / 3


def carry_out_next_job(
    store: Store,
    *,
    keeper: str,
    lease_seconds: float,
    ending: Callable[[], bool] = lambda: False,
) -> int | None:
    """Take a job that nobody carries out, and go on with it to its end; its number.

    None where there is none. `ending` says whether the keeper is to end: then the job is given back
    after the step that it is at. Raises StoreUnavailable; then somebody takes the job over when its
    lease ends.
    """
    with store.read() as tx:
        if not is_job_free(tx):
            return None
    holder = secrets.token_hex(16)
    with store.write() as tx:
        taken = take_job(tx, holder=holder, keeper=keeper, seconds=lease_seconds)
    if taken is None:
        return None
    job, lease = taken
    log.info("job %s (%s): taken", job.id, job.kind)
    try:
        _settle(store, lease, *_do(store, job, Step(store, job, lease, ending)))
    except LeaseLost:
        log.warning("job %s: another keeper took it over", job.id)
    return job.id


def _do(store: Store, job: LockedJob, step: Step) -> tuple[JobMove, str | None]:
    """Do the work; how it ended, and what was wrong. Raises StoreUnavailable, LeaseLost."""
    try:
        with store.read() as tx:
            step.ask(tx)
        left = _KINDS[job.kind](store, job, step)
    except Halted:
        return JobMove.HALT, None
    except (StoreUnavailable, LeaseLost):
        raise
    except Refused as refused:
        return JobMove.FAIL, str(refused)
    except Exception as error:  # a fault of ours ends this job, and no other
        log.exception("job %s failed", job.id)
        return (
            JobMove.FAIL,
            f"a fault of Meshline's own, {type(error).__name__}: see the keeper's log",
        )
    return (JobMove.FAIL, left) if left else (JobMove.FINISH, None)


def _settle(store: Store, lease: Lease, move: JobMove, error: str | None) -> None:
    with store.write() as tx:
        job = lock_job(tx, lease.job)
        if job is None or job.holder != lease.holder:
            raise LeaseLost
        if move is JobMove.HALT and job.state is JobState.RUNNING:
            move = JobMove.HAND_BACK  # nobody stopped it, or took that back: its keeper ends
        target = move_job(tx, job, move, actor=KEEPER, error=error)
    log.info("job %s: %s%s", job.id, target, f": {error}" if error else "")


def _run_plan(store: Store, job: LockedJob, step: Step) -> str | None:
    ran = run_plan(
        store,
        job.plan or "",
        actor=process(job.starter.name),  # whose right `step` asks for
        send_again=job.asked.send_again,
        rate=job.asked.rate,
        within=step.note,
        progress=lambda _: step.go_on(),
        pause=step.pause,
    )
    if not ran.waiting:
        return None
    return (
        f"{ran.waiting} events wait behind events that came back into quarantine: heal those, then"
        " `meshline jobs go-on`"
    )


_KINDS: dict[JobKind, Callable[[Store, LockedJob, Step], str | None]] = {
    JobKind.RUN_PLAN: _run_plan,
    JobKind.DISCARD: carry_out_on_events,
    JobKind.RESTORE: carry_out_on_events,
    JobKind.AMEND: carry_out_on_events,
    JobKind.BACKTEST: carry_out_backtest,
}
"""What carries out each kind; it answers why something is left, where something is."""

_ACTS: dict[JobKind, Act] = {
    JobKind.RUN_PLAN: Act.RUN_PLAN,
    JobKind.DISCARD: Act.DISCARD,
    JobKind.RESTORE: Act.RESTORE,
    JobKind.AMEND: Act.AMEND,
    JobKind.BACKTEST: Act.BACKTEST_CHANGE,
}
"""What whoever started it has to be allowed."""
