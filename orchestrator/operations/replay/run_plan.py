"""Run a replay plan: only on the ground that it was made on, and each event once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.delivery.effects import FOLLOWED, Effect
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.operations.replay.fit_plan import live_versions, permitted_plan, refuse_repeats
from orchestrator.operations.replay.freeze_outcomes import names_to_undo
from orchestrator.operations.replay.plan import record_plan
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.made_snapshot import MadeGround, made_grounds
from orchestrator.store.desk.plan_order import count_open, is_under_way, ready_events
from orchestrator.store.desk.plan_snapshot import Ground, grounds
from orchestrator.store.desk.plans import (
    StoredPlan,
    effects_in,
    find_plan,
    finish_plan,
    leave_out,
    mark_done,
    open_events,
    outcomes,
    start_plan,
    take_back_start,
)
from orchestrator.store.drive.deliveries import allow_resend
from orchestrator.store.drive.take_back import recall_events
from orchestrator.store.ordering.turns import hold_turns
from orchestrator.store.quarantine.actions import InOrder, replay
from orchestrator.store.quarantine.workflows import WorkflowShelf, kept_version
from orchestrator.store.views.events.last_acts import last_acts
from orchestrator.store.views.quarantine.selection import CHUNK

_LOOK_SECONDS = 0.1  # until what others wait for is looked at again
_MOST_TOLD = 5

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
    waiting: int = 0  # they wait behind events that came back into quarantine
    followed: int = 0  # left as they are, by any run: a later event of their key had its turn
    outcomes: dict[str, int]
    begun: RunBefore | None = None  # somebody began to run it before this run
    finished: RunBefore | None = None  # it was at its end before this run


def run_plan(
    store: Store,
    token: str,
    *,
    actor: Actor,
    send_again: bool = False,
    rate: float | None = None,
    progress: Callable[[int], None] = lambda _: None,
    within: Callable[[Tx, int], None] = lambda _, __: None,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Ran:
    """Replay the events of a plan that are still to be replayed, at most `rate` in a second.

    Each chunk is one transaction that moves its events and marks them in the plan: a run that is
    cut off anywhere is gone on with by the next. A plan that keeps an order waits for what is under
    way, and ends where the rest waits behind events in quarantine.

    `within` gets the transaction of each chunk and how many events are done with it; `progress`
    gets the same number once it has committed. `pause` is also called while nothing is written yet.

    Raises NotFound, Refused where something would be sent twice and `send_again` does not allow it,
    and where the ground has changed.
    """
    runner = _Runner(store, token, actor, rate, progress, within, clock, pause)
    plan = runner.begin(send_again=send_again)
    if plan.state != "done":
        try:
            runner.go_on(plan)
        except Refused:
            with store.write() as tx:
                take_back_start(tx, plan.id)
            raise
    with store.read() as tx:
        settled, waiting = outcomes(tx, plan.id), count_open(tx, plan.id)
        left = find_plan(tx, token)
    followed = 0 if left is None else left.left_out.get(FOLLOWED, 0)
    return Ran(
        token=token,
        events=plan.events,
        replayed=runner.replayed,
        before=plan.events - runner.replayed - waiting - followed,
        waiting=waiting,
        followed=followed,
        outcomes=settled,
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
        actor: Actor,
        rate: float | None,
        progress: Callable[[int], None],
        within: Callable[[Tx, int], None],
        clock: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        self._store = store
        self._token = token
        self._actor = actor
        self._rate = rate
        self._progress = progress
        self._within = within
        self._clock = clock
        self._pause = pause
        self._chunk = min(CHUNK, max(1, int(rate))) if rate else CHUNK
        self._base_ms = 0  # when the plan's first event is due, whichever run it is
        self.replayed = 0

    def begin(self, *, send_again: bool) -> StoredPlan:
        """The plan, started; all that is still to be replayed is as it was planned."""
        with self._store.read() as tx:
            plan = permitted_plan(tx, self._token, self._actor)
        if plan.state == "done":
            return plan
        refuse_repeats(plan, send_again=send_again)
        self._check_all(plan)
        with self._store.write() as tx:
            # Looked at again: meanwhile another run may have ended it, or it grew too old.
            plan = permitted_plan(tx, self._token, self._actor, lock=True)
            if plan.state == "done":
                return plan
            self._base_ms = start_plan(tx, plan.id, actor=self._actor.name)
            told = {"plan": self._token, "send_again": send_again, "rate": self._rate}
            record_plan(tx, plan.workflows, actor=self._actor, action="run_plan", detail=told)
        return plan

    def go_on(self, plan: StoredPlan) -> None:
        """Chunk after chunk, until nothing is left that may go."""
        choose = ready_events if plan.order_by else open_events
        began = self._clock()
        while True:
            with self._store.write(ring=True) as tx:
                permitted_plan(tx, self._token, self._actor, lock=True)
                rows = choose(tx, plan.id, limit=self._chunk)
                moved = self._move(tx, plan, rows) if rows else 0
                left = self._left(tx, plan, rows)
                if not left:
                    finish_plan(tx, plan.id)
                waits = bool(left) and not rows and is_under_way(tx, plan.id)
                self._within(tx, plan.events - left)
            self.replayed += moved
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

    def _move(self, tx: Tx, plan: StoredPlan, rows: Sequence[Row]) -> int:
        """Do what is planned with these events; with how many it was done."""
        if plan.made_by is None:
            self._replay(tx, plan, rows)
            return len(rows)
        return self._recall(tx, plan, plan.made_by, rows)

    def _recall(self, tx: Tx, plan: StoredPlan, made_by: int, rows: Sequence[Row]) -> int:
        """Let workers take back what the version made; they go on with what is sent instead.

        Left out is an event behind which a later one had its turn since the plan was made, as the
        plan leaves such events out too. Answers how many events were not left out.
        """
        (live,) = live_versions(tx, plan).values()
        bad = _compiled(tx, plan, made_by)
        if bad.workflow.ordering is not None:
            hold_turns(tx)  # before the events, as relays do: nobody gets ahead of them meanwhile
        found = made_grounds(tx, [row[1] for row in rows], lock=True)
        changed = _changed(rows, found)
        if changed:
            raise _refused(tx, plan, changed)
        followed = [row for row in rows if found[row[1]].followed]
        self._leave_out(tx, plan, followed)
        rows = [row for row in rows if not found[row[1]].followed]
        if not rows:
            return 0
        moved = recall_events(
            tx,
            {row[1]: names_to_undo(found[row[1]], effects_in(row[3])) for row in rows},
            stopped={row[1] for row in rows if found[row[1]].stopped},
            live=live,
            predecessors=bad.predecessors,
            is_ordered=bad.workflow.ordering is not None,
            because=f"version {made_by} was rolled back",
            plan=self._token,
            actor=self._actor.name,
        )
        if moved != len(rows):
            raise _refused(tx, plan, [row[1] for row in rows])
        mark_done(tx, plan.id, [row[0] for row in rows])
        return len(rows)

    def _leave_out(self, tx: Tx, plan: StoredPlan, rows: Sequence[Row]) -> None:
        if not rows:
            return
        told = {"plan": self._token, "detail": "a later event of its key had its turn meanwhile"}
        notes = [
            DeliveryNote(event_id=row[1], name=name, action="leave_as_made", detail=told)
            for row in rows
            for name in dict.fromkeys(one.destination for one in effects_in(row[3]))
        ]
        record_deliveries(tx, notes, actor=self._actor.name)
        leave_out(tx, plan.id, [row[0] for row in rows], FOLLOWED)

    def _replay(self, tx: Tx, plan: StoredPlan, rows: Sequence[Row]) -> None:
        live = live_versions(tx, plan)
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
            moved += len(replay(tx, ids, live=live[name], actor=self._actor.name, order=order))
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
            DeliveryNote(event_id=one, name=where, action="send_again", detail=told)
            for one, where in allow_resend(tx, ids, reasons=(Reason.UNKNOWN_OUTCOME,))
        ]
        record_deliveries(tx, notes, actor=self._actor.name)

    def _check_all(self, plan: StoredPlan) -> None:
        """Nothing is sent where only a part of it still is as it was."""
        changed: list[str] = []
        look: Callable[..., Mapping[str, Ground | MadeGround]]
        look = grounds if plan.made_by is None else made_grounds
        after = -1
        with self._store.read() as tx:
            live_versions(tx, plan)
            while rows := open_events(tx, plan.id, limit=CHUNK, after=after):
                if found := _changed(rows, look(tx, [row[1] for row in rows])):
                    # On PostgreSQL another run may have replayed them between both statements.
                    still = {row[1] for row in open_events(tx, plan.id, limit=CHUNK, after=after)}
                    changed += [one for one in found if one in still]
                after = rows[-1][0]
                if len(rows) < CHUNK:
                    break
                self._pause(0.0)  # a lease may have to be kept meanwhile
            if changed:
                raise _refused(tx, plan, changed)


def _compiled(tx: Tx, plan: StoredPlan, made_by: int) -> CompiledWorkflow:
    """The version that made them. Raises NotFound where it is deleted."""
    (under,) = plan.workflows
    bad = kept_version(tx, under.client, under.workflow, made_by)
    if bad is None:
        raise NotFound(
            f"{under.workflow!r} of client {under.client!r} has no version {made_by} any more",
            field="plan",
            fix="see `meshline workflow list --all-versions`",
        )
    return WorkflowShelf().take(tx, bad.id)


def _changed(rows: Sequence[Row], found: Mapping[str, Ground | MadeGround]) -> list[str]:
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
        f"{len(changed)} events of plan {plan.token} are not as they were planned:"
        f" {', '.join(some)}{more}",
        field="plan",
        fix="make a new plan",
    )
