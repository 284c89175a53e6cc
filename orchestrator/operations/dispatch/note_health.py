"""What a turn's calls say about the systems that were called, written down for all workers.

A system is judged by more than one input. A delivery that fails while the system takes others is
at fault itself. One that fails while nobody gets through may meet an outage: it speaks against the
system, and costs its event nothing once the circuit breaker opens.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.delivery.breakers import Circuit, action_breaker, takes_others
from orchestrator.domain.delivery.handoff import Blame, Failed, NotStarted, Outcome, Timing
from orchestrator.operations.dispatch.admit_deliveries import Admission, Run
from orchestrator.store.database.engine import Tx
from orchestrator.store.destinations.breakers import note_failures, note_taken, open_now
from orchestrator.store.destinations.circuits import (
    change_circuit,
    lock_circuit,
    lock_or_add_circuit,
)
from orchestrator.store.destinations.pauses import note_pause
from orchestrator.store.drive.deliveries import Taken

_LONG_OUT_SECONDS = 1.0
"""Who gets through after a call was out for so long says that the system was up beside it."""

_Scope = tuple[str, str]  # connector and action
_Call = tuple[Taken, Failed]


@dataclass(kw_only=True)
class SystemFindings:
    """What follows for the deliveries of a turn, by their keys."""

    held_by: dict[str, str] = field(default_factory=dict)  # the open breaker
    own_fault: set[str] = field(default_factory=set)
    failing_since: dict[str, int] = field(default_factory=dict)  # in milliseconds since 1970
    pauses: dict[str, float] = field(default_factory=dict)  # by connector, in seconds


def note_health(
    tx: Tx,
    run: Run,
    taken: Sequence[Taken],
    answers: Mapping[str, Outcome | NotStarted],
    timing: Timing,
    admission: Admission,
    *,
    circuits: Mapping[str, Circuit],
) -> SystemFindings:
    """Write down what changed. Where no call failed and no circuit is troubled, nothing has.

    `circuits` are the troubled ones; `admission.took` says already when calls got through.
    """
    findings = SystemFindings()
    failed = _failed(taken, answers, timing)
    unwell = [
        scope
        for scope in sorted(timing.taken.keys() | failed.keys())
        if scope in failed
        or (circuits and (scope[0] in circuits or action_breaker(*scope) in circuits))
    ]
    if unwell:
        _lock(tx, unwell, failed, circuits, run.saving.actor)
        admission.forget_circuits()
    for scope in unwell:
        turn = _Turn(tx, run, scope, admission, findings)
        turn.note(circuits, failed.get(scope, []), timing)
    return findings


def _lock(
    tx: Tx,
    scopes: Sequence[_Scope],
    failed: Mapping[_Scope, Sequence[_Call]],
    circuits: Mapping[str, Circuit],
    actor: str,
) -> None:
    """Lock the rows that will be written, by name as everybody does: nobody waits in a circle."""
    names: set[str] = set()
    for scope in scopes:
        blames = {outcome.blame for _, outcome in failed.get(scope, [])}
        names |= {name for name in (scope[0], action_breaker(*scope)) if name in circuits}
        names |= {scope[0]} if blames & {Blame.LOGIN, Blame.PACE} else set()
        names |= {action_breaker(*scope)} if blames & {Blame.LOGIN, Blame.SYSTEM} else set()
    for name in sorted(names):
        lock_or_add_circuit(tx, name, actor)


def _failed(
    taken: Sequence[Taken], answers: Mapping[str, Outcome | NotStarted], timing: Timing
) -> dict[_Scope, list[_Call]]:
    """The calls whose failure says something of the system, by connector and action."""
    found: dict[_Scope, list[_Call]] = {}
    if timing.failed:
        for one in taken:
            answer = answers.get(one.key)
            if one.key in timing.failed and isinstance(answer, Failed):
                found.setdefault((one.connector, one.action), []).append((one, answer))
    return found


class _Turn:
    """How one action of a connector took the calls of a turn."""

    def __init__(
        self,
        tx: Tx,
        run: Run,
        scope: _Scope,
        admission: Admission,
        findings: SystemFindings,
    ) -> None:
        self.tx, self.actor, self.findings = tx, run.saving.actor, findings
        self.scope, self.connector = scope, scope[0]
        self.name = action_breaker(*scope)
        self.retries = run.workflow.workflow.retry_policy
        self.policy = admission.policy(self.connector)
        self.pauses = admission.pauses(self.connector)
        self.took = admission.took.get(scope)

    def note(
        self, circuits: Mapping[str, Circuit], failed: Sequence[_Call], timing: Timing
    ) -> None:
        """Write this turn down: first who got through, then who did not."""
        by_blame = {blame: [one for one in failed if one[1].blame is blame] for blame in Blame}
        ill = by_blame[Blame.SYSTEM] + by_blame[Blame.LOGIN]
        own = lock_circuit(self.tx, self.name)
        taken_at = self._taken_at(own)
        if self.scope in timing.taken:
            if self.connector in circuits:
                note_taken(self.tx, self.connector, self.actor)
            note_taken(self.tx, self.name, self.actor, taken_at=taken_at)
        elif own is not None and taken_at and ill and taken_at > (own.taken_at or 0):
            change_circuit(self.tx, self.name, taken_at=taken_at)
        if own is not None:
            self._find_own_faults(ill, timing, _Clock(own.now), taken_at)
        if by_blame[Blame.PACE]:
            self._pace(by_blame[Blame.PACE])
        if by_blame[Blame.LOGIN]:
            self._login(by_blame[Blame.LOGIN])
        if by_blame[Blame.SYSTEM]:
            self._system(by_blame[Blame.SYSTEM], timing)

    def _taken_at(self, circuit: Circuit | None) -> int | None:
        """When a call last got through, as far as the row and this process know."""
        if circuit is None:
            return None
        mine = None if self.took is None else _Clock(circuit.now).ms(self.took)
        return max(filter(None, (circuit.taken_at, mine)), default=None)

    def _find_own_faults(
        self, ill: Sequence[_Call], timing: Timing, clock: _Clock, taken_at: int | None
    ) -> None:
        """Find out who fails while others get through."""
        for one, outcome in ill:
            call = timing.failed[one.key]
            first = clock.ms(min(call.ended, call.began + _LONG_OUT_SECONDS))
            since = one.failing_since or first
            self.findings.failing_since[one.key] = since
            # Whom no connection reached cannot have stumbled on this delivery: it is down again.
            if outcome.reached and takes_others(since, taken_at):
                self.findings.own_fault.add(one.key)

    def _pace(self, paced: Sequence[_Call]) -> None:
        asked = max((outcome.retry_after or 0.0 for _, outcome in paced), default=0.0)
        paused = note_pause(
            self.tx,
            self.connector,
            asked=asked,
            error=paced[-1][1].error,
            policy=self.pauses,
            jitter=random.random(),
            actor=self.actor,
        )
        self.findings.pauses[self.connector] = paused.seconds
        own = lock_circuit(self.tx, self.name)
        held = self.connector if paused.held else self.name if own and own.breaker_open else None
        if held:
            self._hold(paced, held)

    def _login(self, refused: Sequence[_Call]) -> None:
        doubted = self._doubted(refused)
        if doubted:
            error = doubted[-1][1].error
            open_now(self.tx, self.connector, error=error, policy=self.policy, actor=self.actor)
        if lock_or_add_circuit(self.tx, self.connector, self.actor).blocked:
            self._hold(refused, self.connector)

    def _hold(self, calls: Sequence[_Call], breaker: str) -> None:
        self.findings.held_by |= {one.key: breaker for one, _ in calls}

    def _doubted(self, failed: Sequence[_Call]) -> list[_Call]:
        """Those of which nobody knows whether they or the system are at fault."""
        return [one for one in failed if one[0].key not in self.findings.own_fault]

    def _system(self, failed: Sequence[_Call], timing: Timing) -> None:
        doubted = self._doubted(failed)
        if doubted:
            # What failed by one request is one failure, whichever of them it was.
            requests = {id(timing.failed[one.key]): one.event_id for one, _ in doubted}
            note_failures(
                self.tx,
                self.name,
                list(requests.values()),
                error=doubted[-1][1].error,
                policy=self.policy,
                last_try=any(one.attempt > self.retries.limit for one, _ in doubted),
                actor=self.actor,
            )
        if lock_or_add_circuit(self.tx, self.name, self.actor).breaker_open:
            self._hold(failed, self.name)


class _Clock:
    """This process's clock as the database's, so that no two machines' clocks are compared."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms, self._now = now_ms, time.monotonic()

    def ms(self, moment: float) -> int:
        """A moment of `time.monotonic` in milliseconds since 1970."""
        return self._now_ms - int((self._now - moment) * 1000)
