"""Run a replay plan: only on the ground that it was made on, and each event once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from orchestrator.domain.delivery.effects import Effect
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.reasons import Reason
from orchestrator.operations.plan_replay import record_plan
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.plan_order import count_open, is_under_way, ready_events
from orchestrator.store.desk.plan_snapshot import Ground, grounds
from orchestrator.store.desk.plans import (
    StoredPlan,
    find_plan,
    finish_plan,
    mark_done,
    open_events,
    outcomes,
    start_plan,
    take_back_start,
)
from orchestrator.store.drive.deliveries import allow_resend
from orchestrator.store.quarantine.actions import InOrder, replay
from orchestrator.store.quarantine.workflows import LiveWorkflow, live_workflow, publication
from orchestrator.store.views.last_acts import last_acts
from orchestrator.store.views.selection import CHUNK
from orchestrator.store.views.values import iso_time

_LOOK_SECONDS = 0.1  # until what others wait for is looked at again
_MOST_TOLD = 5
_UNFIT = {
    "freezing": "the plan was never finished",
    "expired": "the plan is older than what is kept",
}

Row = tuple[int, str, str, str]  # place, event id, ground, effects


@dataclass(frozen=True, kw_only=True, slots=True)
class RunBefore:
    """That somebody ran a plan before."""

    by: str  # who ran it last
    at: str  # when it began, or ended; ISO 8601 in UTC


@dataclass(kw_only=True)
class Ran:
    """What a run of a plan did."""

    token: str
    events: int  # of the whole plan
    replayed: int = 0  # by this run
    before: int = 0  # by others
    waiting: int = 0  # they stand behind events that came back into quarantine
    outcomes: dict[str, int]
    begun: RunBefore | None = None  # somebody began to run it before this run
    finished: RunBefore | None = None  # it was at its end before this run


def run_plan(
    store: Store,
    token: str,
    *,
    actor: str,
    send_again: bool = False,
    rate: float | None = None,
    progress: Callable[[int], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Ran:
    """Replay the events of a plan that are still to be replayed, at most `rate` in a second.

    Each chunk is one transaction that moves its events and marks them in the plan: a run that is
    cut off anywhere is gone on with by the next. A plan that keeps an order waits for what is under
    way, and ends where the rest stands behind events in quarantine.

    Raises NotFound, Refused where something would be sent twice and `send_again` does not allow it,
    and where the ground has changed.
    """
    runner = _Runner(store, token, actor, rate, progress, clock, pause)
    plan = runner.begin(send_again=send_again)
    if plan.state != "done":
        try:
            runner.go_on(plan)
        except Refused:
            with store.write() as tx:
                take_back_start(tx, plan.id)
            raise
    with store.read() as tx:
        stand, waiting = outcomes(tx, plan.id), count_open(tx, plan.id)
    return Ran(
        token=token,
        events=plan.events,
        replayed=runner.replayed,
        before=plan.events - runner.replayed - waiting,
        waiting=waiting,
        outcomes=stand,
        begun=_who_and_when(plan.started_by, plan.started_at) if plan.state == "running" else None,
        finished=_who_and_when(plan.started_by, plan.finished_at) if plan.state == "done" else None,
    )


def _who_and_when(by: str | None, at: str | None) -> RunBefore | None:
    return RunBefore(by=by, at=at) if by and at else None


class _Runner:
    """One run of one plan."""

    def __init__(
        self,
        store: Store,
        token: str,
        actor: str,
        rate: float | None,
        progress: Callable[[int], None],
        clock: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        self._store = store
        self._token = token
        self._actor = actor
        self._rate = rate
        self._progress = progress
        self._clock = clock
        self._pause = pause
        self._chunk = min(CHUNK, max(1, int(rate))) if rate else CHUNK
        self._base_ms = 0  # when the plan's first event is due, whichever run it is
        self.replayed = 0

    def begin(self, *, send_again: bool) -> StoredPlan:
        """The plan, started; all that is still to be replayed stands as it was planned."""
        with self._store.read() as tx:
            plan = _found(tx, self._token)
        if plan.state == "done":
            return plan
        if plan.repeats and not send_again:
            raise Refused(
                f"{plan.repeats} deliveries may arrive twice, and nobody can look them up",
                field="plan",
                fix=f"see `meshline quarantine plan show {self._token}`, look into the tool, then"
                " give --yes-send-again, or plan without those events",
            )
        self._check_all(plan)
        with self._store.write() as tx:
            # Looked at again: meanwhile another run may have ended it, or it grew too old.
            plan = _found(tx, self._token, lock=True)
            if plan.state == "done":
                return plan
            self._base_ms = start_plan(tx, plan.id, actor=self._actor)
            told = {"plan": self._token, "send_again": send_again, "rate": self._rate}
            record_plan(tx, plan.workflows, actor=self._actor, action="run_plan", detail=told)
        return plan

    def go_on(self, plan: StoredPlan) -> None:
        """Chunk after chunk, until nothing is left that may go."""
        choose = ready_events if plan.order_by else open_events
        began = self._clock()
        while True:
            with self._store.write(ring=True) as tx:
                _found(tx, self._token, lock=True)
                rows = choose(tx, plan.id, limit=self._chunk)
                if rows:
                    self._replay(tx, plan, rows)
                left = self._left(tx, plan, rows)
                if not left:
                    finish_plan(tx, plan.id)
                waits = bool(left) and not rows and is_under_way(tx, plan.id)
            self.replayed += len(rows)
            self._progress(plan.events - left)
            if not (rows or waits) or not left:
                return
            if waits:
                self._pause(_LOOK_SECONDS)
            elif self._rate:
                self._pause(max(0.0, began + self.replayed / self._rate - self._clock()))

    def _left(self, tx: Tx, plan: StoredPlan, rows: Sequence[Row]) -> int:
        """How many events are still to be replayed; without an order they go place by place."""
        if rows and not plan.order_by:
            return int(plan.events) - rows[-1][0] - 1
        return count_open(tx, plan.id)

    def _replay(self, tx: Tx, plan: StoredPlan, rows: Sequence[Row]) -> None:
        live = _live(tx, plan)
        found = grounds(tx, [row[1] for row in rows], lock=True)
        changed = _changed(rows, found)
        if changed:
            raise _refused(tx, plan, changed)
        order = InOrder(plan=plan.id, token=self._token, base_ms=self._base_ms)
        by_workflow: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            one = found[row[1]]
            by_workflow.setdefault((one.client, one.workflow), []).append(row[1])
        moved = 0
        for name, ids in by_workflow.items():
            moved += len(replay(tx, ids, live=live[name], actor=self._actor, order=order))
        if moved != len(rows):
            raise _refused(tx, plan, [row[1] for row in rows])
        self._allow(tx, rows)
        mark_done(tx, plan.id, [row[0] for row in rows])

    def _allow(self, tx: Tx, rows: Sequence[Row]) -> None:
        """Write down the yes to those that may arrive twice."""
        ids = [
            row[1]
            for row in rows
            if any(one["effect"] == Effect.AGAIN for one in orjson.loads(row[3]))
        ]
        told = {"detail": "may be sent a second time", "plan": self._token}
        notes = [
            DeliveryNote(event_id=one, destination=where, action="send_again", detail=told)
            for one, where in allow_resend(tx, ids, reasons=(Reason.UNKNOWN_OUTCOME,))
        ]
        record_deliveries(tx, notes, actor=self._actor)

    def _check_all(self, plan: StoredPlan) -> None:
        """Nothing is sent where only a part of it still is as it was."""
        changed: list[str] = []
        after = -1
        with self._store.read() as tx:
            _live(tx, plan)
            while rows := open_events(tx, plan.id, limit=CHUNK, after=after):
                if found := _changed(rows, grounds(tx, [row[1] for row in rows])):
                    # On PostgreSQL another run may have replayed them between both statements.
                    still = {row[1] for row in open_events(tx, plan.id, limit=CHUNK, after=after)}
                    changed += [one for one in found if one in still]
                after = rows[-1][0]
                if len(rows) < CHUNK:
                    break
            if changed:
                raise _refused(tx, plan, changed)


def _found(tx: Tx, token: str, *, lock: bool = False) -> StoredPlan:
    plan = find_plan(tx, token, lock=lock)
    if plan is None:
        raise NotFound(f"there is no plan {token!r}", fix="see `meshline quarantine plan list`")
    if plan.state in _UNFIT:
        raise Refused(_UNFIT[plan.state], field="plan", fix="make one with `replay … --plan`")
    return plan


def _live(tx: Tx, plan: StoredPlan) -> dict[tuple[str, str], LiveWorkflow]:
    """The live versions, all of them those that the plan was made with."""
    found = {}
    for one in plan.workflows:
        live = live_workflow(tx, one.client, one.workflow)
        if live is None or live.id != one.id:
            now = "no version is live"
            if live:
                now = f"version {live.version} is live"
                now += _published_since(tx, live.id, plan.planned_at)
            raise Refused(
                f"{one.workflow} was planned under version {one.version}, and {now}",
                field="plan",
                fix="make a new plan with `meshline quarantine replay … --plan`",
            )
        found[live.client, live.name] = live
    return found


def _published_since(tx: Tx, version: int, at: str) -> str:
    """Who published a version, where that came after `at`, an ISO time."""
    told = publication(tx, version)
    published = iso_time(told.published_at)
    return f", published by {told.published_by} at {published}" if published > at else ""


def _changed(rows: Sequence[Row], found: dict[str, Ground]) -> list[str]:
    return [row[1] for row in rows if row[1] not in found or found[row[1]].digest != row[2]]


def _refused(tx: Tx, plan: StoredPlan, changed: Sequence[str]) -> Refused:
    """Which events changed, and who did what to them since the plan was made."""
    first = changed[:_MOST_TOLD]
    acts = last_acts(tx, first)
    some = []
    for one in first:
        act = acts.get(one)
        since = act is not None and act.at >= plan.planned_at
        some.append(f"{one} ({act.done} by {act.by} at {act.at})" if act and since else one)
    more = " ..." if len(changed) > _MOST_TOLD else ""
    return Refused(
        f"{len(changed)} events of plan {plan.token} do not stand as they were planned:"
        f" {', '.join(some)}{more}",
        field="plan",
        fix="make a new plan with `meshline quarantine replay … --plan`",
    )
