"""Which deliveries may go out now: at a blocked circuit they are held, beyond a rate put off."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from orchestrator.domain.delivery.breakers import (
    Circuit,
    blocking_circuit,
    connector_of,
    destination_circuit,
)
from orchestrator.domain.delivery.handoff import Action, BreakerPolicy, Connector, Proof, RateBudget
from orchestrator.domain.delivery.retries import PausePolicy
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.store.database.engine import Tx
from orchestrator.store.destinations.breakers import take_probe, take_trickle
from orchestrator.store.destinations.circuits import CircuitCache
from orchestrator.store.destinations.holding import hold_deliveries, one_to_try
from orchestrator.store.destinations.rate_budget import reserve
from orchestrator.store.drive.deliveries import NotMade, Taken, save_not_made
from orchestrator.store.quarantine.incidents import Where

_TRICKLE_SECONDS = 1.0
"""So long the others wait while one call tries, after a pause; then they look again."""


class Admission:
    """What a worker process lets out; the circuits that it asks are rows that all of them share."""

    def __init__(self, connectors: Mapping[str, Connector]) -> None:
        self.circuits = CircuitCache()
        self.took: dict[tuple[str, str], float] = {}
        """By connector and action: when a call of this process last got through, monotonic."""
        self._connectors = connectors

    def hold(
        self, tx: Tx, ids: Sequence[str], workflow: CompiledWorkflow, *, epoch: int, actor: str
    ) -> None:
        """Hold what of these events is due and goes through a blocked circuit.

        At an open breaker whose time has come, one delivery is let through, by one worker.
        """
        circuits = self.circuits.take(tx)
        if not circuits:
            return
        for circuit, destinations in _blocked(circuits, workflow).values():
            spare = (
                self._probe(tx, ids, destinations, circuit, epoch) if circuit.breaker_open else None
            )
            hold_deliveries(
                tx,
                ids,
                destinations,
                workflow=workflow.workflow,
                epoch=epoch,
                circuit=circuit.name,
                reason=str(circuit.reason),
                actor=actor,
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

    def pace(
        self, tx: Tx, taken: Sequence[Taken], *, run_id: str, seconds: float
    ) -> tuple[list[Taken], dict[str, float]]:
        """Those that may be called within `seconds`, and by key the moment before which not.

        The others are put off, as not begun, until their system could take them.
        """
        circuits = self.circuits.take(tx)
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
                late += _within_budget(tx, name, going, rate, moments, seconds)
        if not late:
            return list(taken), moments
        save_not_made(tx, run_id, late)
        gone = {(one.event_id, one.destination) for one in late}
        return [one for one in taken if (one.event_id, one.destination) not in gone], moments

    def _stopped(
        self, tx: Tx, name: str, some: Sequence[Taken], circuits: Mapping[str, Circuit]
    ) -> tuple[Sequence[Taken], list[NotMade]]:
        """Those that may go, and the others put off: during a pause, and until one has tried."""
        circuit = circuits.get(name)
        if circuit is None or circuit.blocked:
            return some, []
        if circuit.postponed_ms:
            return [], [_put_off(one, circuit.postponed_ms) for one in some]
        if not circuit.pauses:
            return some, []
        first = random.choice(some)  # not always the same: it may be asked for a pause for itself
        patience = self._longest_call(name, first.action) + _TRICKLE_SECONDS
        if not take_trickle(tx, name, int(patience * 1000)):
            return [], [_put_off(one, _TRICKLE_SECONDS * 1000) for one in some]
        return [first], [_put_off(one, _TRICKLE_SECONDS * 1000) for one in some if one is not first]

    def _longest_call(self, name: str, action: str) -> float:
        """Seconds that a call may take."""
        connector = self._connectors.get(name)
        known = connector.actions.get(action) if connector else None
        return known.timeout_seconds if known else 0.0

    def pauses(self, name: str) -> PausePolicy:
        """How a connector's pauses grow."""
        connector = self._connectors.get(name)
        return connector.limits.pauses if connector else PausePolicy()

    def policy(self, name: str) -> BreakerPolicy:
        """A connector's breaker; the usual one where this worker does not know it."""
        connector = self._connectors.get(name)
        return connector.limits.breaker if connector else BreakerPolicy()

    def _rate(self, name: str, some: Sequence[Taken]) -> RateBudget | None:
        """The budget counted in deliveries of this kind: each is several calls."""
        connector = self._connectors.get(name)
        rate = connector.limits.rate if connector else None
        if connector is None or rate is None:
            return None
        each = max(_calls(one, connector.actions.get(one.action)) for one in some)
        whole = max(1, rate.calls // each)
        return RateBudget(
            calls=whole,
            per_seconds=rate.per_seconds * max(1.0, each / rate.calls),
            burst=min(whole, max(1, rate.burst // each)),
        )


def _blocked(
    circuits: Mapping[str, Circuit], workflow: CompiledWorkflow
) -> dict[str, tuple[Circuit, list[str]]]:
    """The blocked circuits by name, each with the workflow's destinations behind it."""
    said = workflow.workflow
    found: dict[str, tuple[Circuit, list[str]]] = {}
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
        _put_off(one, reserved.next_in_ms + place * reserved.interval_ms)
        for place, one in enumerate(some[reserved.granted :])
    ]


def _put_off(one: Taken, after_ms: float) -> NotMade:
    return NotMade(
        event_id=one.event_id,
        destination=one.destination,
        state=DeliveryState.PENDING,
        after_ms=max(1, int(after_ms)),
        unknown=one.unknown,
        record_id=one.record_id,
        began=False,
    )


def _calls(one: Taken, action: Action | None) -> int:
    """How many calls a delivery will be, where nothing goes wrong."""
    reads = action is not None and action.proof is Proof.READ_BACK
    return 1 + reads + one.unknown
