"""Take deliveries that may go out now: what a circuit blocks is held, what is too fast put off."""

from __future__ import annotations

import math
import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.delivery.breakers import (
    Block,
    Circuit,
    blocking_circuit,
    connector_of,
    destination_circuit,
)
from orchestrator.domain.delivery.handoff import Action, BreakerPolicy, Connector, Proof, RateBudget
from orchestrator.domain.delivery.retries import PausePolicy
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.operations.dispatch.hold_redefined import Definitions, hold_redefined, redefined
from orchestrator.store.approvals.asking import Asking, ask_again
from orchestrator.store.database.engine import Tx
from orchestrator.store.destinations.breakers import take_probe, take_trickle
from orchestrator.store.destinations.circuits import troubled_circuits
from orchestrator.store.destinations.holding import hold_deliveries, one_to_try
from orchestrator.store.destinations.rate_budget import reserve
from orchestrator.store.drive.deliveries import NotMade, Taken, save_not_made, take_deliveries
from orchestrator.store.drive.stages import Saving
from orchestrator.store.quarantine.incidents import Where

_TRICKLE_SECONDS = 1.0
"""So long the others wait while one call tries, after a pause; then they look again."""


Actions = Mapping[tuple[str, str], Action]
"""What a worker can do, by connector and action."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One dispatch of a group: in whose name deliveries are taken, and their outcomes saved."""

    id: str
    workflow: CompiledWorkflow
    saving: Saving
    call_seconds: float = 0.0  # from when deliveries are taken until all their calls are over
    turn_seconds: float = 0.0  # how far ahead calls are let out
    most: int | None = None  # deliveries that it has in hand at once; None: it counts events only


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """Deliveries that a run took and may call now."""

    taken: Sequence[Taken]
    moments: Mapping[str, float]  # by key: not to be called before, in `time.monotonic`
    left: Sequence[str] = ()  # the events of which more may be due than the run could take


class Admission:
    """What a worker process lets out; the circuits that it asks are rows that all of them share."""

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        *,
        definitions: Definitions | None = None,
        look_again_seconds: float = 1.0,
    ) -> None:
        self._definitions = definitions
        self._look_again_seconds = look_again_seconds
        self._circuits: Mapping[str, Circuit] = {}
        self._looked_at: float | None = None  # of `time.monotonic`
        self.took: dict[tuple[str, str], float] = {}
        """By connector and action: when a call of this process last got through, monotonic."""
        self.actions: Actions = {
            (connector, name): action
            for connector, known in connectors.items()
            for name, action in known.actions.items()
        }
        self._limits = {name: known.limits for name, known in connectors.items()}

    def circuits(self, tx: Tx) -> Mapping[str, Circuit]:
        """The troubled circuits by name, as this process saw them a moment ago."""
        now = time.monotonic()
        if self._looked_at is None or now - self._looked_at >= self._look_again_seconds:
            self._circuits = troubled_circuits(tx)
            self._looked_at = time.monotonic()
        return self._circuits

    def forget_circuits(self) -> None:
        """Read them anew at the next need: this process changed one."""
        self._looked_at = None

    def admit(
        self, tx: Tx, ids: Sequence[str], run: Run, *, again: Sequence[Taken] = ()
    ) -> Admitted:
        """Take what is due of these events for the run, and let out what may go in its turn.

        A delivery behind a blocked circuit is held, not taken. One that is taken, or that the run
        has `again` in hand, is put off where its system could not take it in this turn.
        """
        ids = self._approved_still(tx, ids, run)
        seconds = self._run_seconds(run)
        circuits = self.circuits(tx)
        if circuits:
            self._hold(tx, ids, run, circuits)
        unapproved = redefined(tx, run.workflow, self._definitions, circuits)
        if unapproved:
            hold_redefined(
                tx, ids, unapproved, workflow=run.workflow, saving=run.saving, circuits=circuits
            )
            self.forget_circuits()
        most = None if run.most is None else max(0, run.most - len(again))
        taken = take_deliveries(
            tx, ids, epoch=run.saving.epoch, run_id=run.id, run_seconds=seconds, most=most
        )
        going = [*again, *taken]
        if unapproved:
            going = _approved_only(tx, going, run, unapproved)
        admitted = self._pace(tx, going, run, circuits)
        return replace(admitted, left=_left(ids, taken)) if len(taken) == most else admitted

    def _approved_still(self, tx: Tx, ids: Sequence[str], run: Run) -> Sequence[str]:
        """Those of the events that would send what a person approved, or that nobody asks about."""
        digests = (self._definitions or {}).get
        asking = Asking(workflow=run.workflow, saving=run.saving, digests=digests)
        stopped = set(ask_again(tx, ids, asking))
        return [one for one in ids if one not in stopped]

    def _run_seconds(self, run: Run) -> float:
        """Until another run may believe a look-up that finds nothing.

        The calls' time is over then, and the slowest settle time.
        """
        known = (
            self.actions.get((one.connector, one.action))
            for one in run.workflow.workflow.destinations.values()
        )
        settling = (action.settle_seconds for action in known if action)
        return run.call_seconds + max(settling, default=0.0)

    def _hold(self, tx: Tx, ids: Sequence[str], run: Run, circuits: Mapping[str, Circuit]) -> None:
        """Hold what of these events is due and goes through a blocked circuit.

        At an open breaker whose time has come, one delivery is let through, by one worker.
        """
        epoch = run.saving.epoch
        for circuit, destinations in _blocked(circuits, run.workflow).values():
            spare = (
                self._probe(tx, ids, destinations, circuit, epoch) if circuit.breaker_open else None
            )
            hold_deliveries(
                tx,
                ids,
                destinations,
                workflow=run.workflow.workflow,
                epoch=epoch,
                circuit=circuit.name,
                reason=str(circuit.reason),
                actor=run.saving.actor,
                spare=spare,
            )

    def _probe(
        self, tx: Tx, ids: Sequence[str], destinations: Sequence[str], circuit: Circuit, epoch: int
    ) -> Where | None:
        """The delivery that tries an open breaker, where one of these may, and nobody else does."""
        name = circuit.name
        spare = one_to_try(tx, ids, destinations, epoch=epoch, circuit=name)
        cooldown_ms = int(self.policy(connector_of(name)).cooldown_seconds * 1000)
        return spare if spare and take_probe(tx, name, cooldown_ms) else None

    def _pace(
        self, tx: Tx, taken: Sequence[Taken], run: Run, circuits: Mapping[str, Circuit]
    ) -> Admitted:
        """Let out those that may be called in the run's turn, and put off the others."""
        by_connector: defaultdict[str, list[Taken]] = defaultdict(list)
        for one in taken:
            by_connector[one.connector].append(one)
        moments: dict[str, float] = {}
        late: list[NotMade] = []
        for name, some in by_connector.items():
            going, stopped = self._stopped(tx, name, some, circuits) if circuits else (some, [])
            late += stopped
            rate = self._rate(name, going) if going else None
            if rate is not None:
                late += _within_budget(tx, name, going, rate, moments, run.turn_seconds)
        if not late:
            return Admitted(taken=taken, moments=moments)
        save_not_made(tx, run.id, late)
        gone = {(one.event_id, one.name) for one in late}
        going = [one for one in taken if (one.event_id, one.name) not in gone]
        return Admitted(taken=going, moments=moments)

    def _stopped(
        self, tx: Tx, name: str, some: Sequence[Taken], circuits: Mapping[str, Circuit]
    ) -> tuple[Sequence[Taken], list[NotMade]]:
        """Those that may go, and the others put off: during a pause, and until one has tried."""
        circuit = circuits.get(name)
        if circuit is None or circuit.blocked:
            return some, []
        if circuit.postponed_ms:
            return [], [not_begun(one, circuit.postponed_ms) for one in some]
        if not circuit.pauses:
            return some, []
        first = random.choice(some)  # not always the same: it may be asked for a pause for itself
        patience = self._longest_call(name, first.action) + _TRICKLE_SECONDS
        going = [first] if take_trickle(tx, name, int(patience * 1000)) else []
        return going, [not_begun(one, _TRICKLE_SECONDS * 1000) for one in some if one not in going]

    def _longest_call(self, name: str, action: str) -> float:
        """Seconds that a call may take."""
        known = self.actions.get((name, action))
        return known.timeout_seconds if known else 0.0

    def pauses(self, name: str) -> PausePolicy:
        """How a connector's pauses grow."""
        limits = self._limits.get(name)
        return limits.pauses if limits else PausePolicy()

    def policy(self, name: str) -> BreakerPolicy:
        """A connector's breaker; the usual one where this worker does not know it."""
        limits = self._limits.get(name)
        return limits.breaker if limits else BreakerPolicy()

    def _rate(self, name: str, some: Sequence[Taken]) -> RateBudget | None:
        """The budget counted in deliveries of this kind: each is several calls."""
        limits = self._limits.get(name)
        rate = limits.rate if limits else None
        if rate is None:
            return None
        each = max(_calls(one, self.actions.get((name, one.action))) for one in some)
        whole = max(1, rate.calls // each)
        return RateBudget(
            calls=whole,
            per_seconds=rate.per_seconds * max(1.0, each / rate.calls),
            burst=min(whole, max(1, rate.burst // each)),
        )


def _approved_only(
    tx: Tx, some: Sequence[Taken], run: Run, unapproved: Mapping[str, str]
) -> list[Taken]:
    """Those that may go; the others, which became due a moment ago, are given back."""
    said = run.workflow.workflow.destinations
    connectors = {said[name].connector for name in unapproved}
    late = [one for one in some if one.connector in connectors]
    if late:
        save_not_made(tx, run.id, [not_begun(one, _TRICKLE_SECONDS * 1000) for one in late])
    return [one for one in some if one.connector not in connectors]


def _left(ids: Sequence[str], taken: Sequence[Taken]) -> Sequence[str]:
    """Those of the events of which not all may be taken that is due, where all was not taken."""
    last = max((one.event_id for one in taken), default="")
    return [one for one in ids if one >= last]


def _blocked(
    circuits: Mapping[str, Circuit], workflow: CompiledWorkflow
) -> dict[str, tuple[Circuit, list[str]]]:
    """The blocked circuits by name, each with the workflow's destinations behind it."""
    said = workflow.workflow
    found: dict[str, tuple[Circuit, list[str]]] = {}
    # Whether a definition was approved is for each worker to see of its own.
    circuits = {name: one for name, one in circuits.items() if one.block is not Block.DEFINITION}
    for name, one in said.destinations.items():
        circuit = blocking_circuit(
            circuits, destination_circuit(said.client, said.name, name), one.connector, one.action
        )
        if circuit is not None:
            found.setdefault(circuit.name, (circuit, []))[1].append(name)
    return found


def _within_budget(
    tx: Tx,
    name: str,
    some: Sequence[Taken],
    rate: RateBudget,
    moments: dict[str, float],
    seconds: float,
) -> list[NotMade]:
    """Give those within the budget their moments; answers the others, put off."""
    reserved = reserve(tx, name, rate, len(some), int(seconds * 1000))
    now = time.monotonic()
    for place, one in enumerate(some[: reserved.granted]):
        moments[one.key] = now + reserved.wait_ms(place) / 1000
    return [
        not_begun(one, reserved.next_in_ms + place * reserved.interval_ms)
        for place, one in enumerate(some[reserved.granted :])
    ]


def not_begun(one: Taken, after_ms: float = 0) -> NotMade:
    """A delivery that is given back, due again after so long: no call of this attempt went out."""
    return NotMade(
        event_id=one.event_id,
        name=one.name,
        state=DeliveryState.PENDING,
        after_ms=math.ceil(after_ms),
        unknown=one.unknown,
        record_id=one.record_id,
        seen=one.seen,
        began=False,
    )


def _calls(one: Taken, action: Action | None) -> int:
    """How many calls a delivery will be, where nothing goes wrong."""
    if action is None:
        return 1 + one.unknown
    reads = action.proof is Proof.READ_BACK
    steps = len(action.steps) * (2 if one.unknown else 1)  # each is looked up before it is repeated
    return 1 + reads + steps + action.upserts + one.unknown
