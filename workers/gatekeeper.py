"""Which deliveries may go out now: what is paused or broken is held, what is too fast put off."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from orchestrator.domain.compiled import CompiledWorkflow
from orchestrator.domain.gates import Gate, destination_gate, standing_in_the_way
from orchestrator.domain.handoff import Action, BreakerPolicy, Connector, Proof, RateBudget
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.deliveries import Taken, Undone, save_undone
from orchestrator.store.engine import Tx
from orchestrator.store.gates import GateShelf, take_probe
from orchestrator.store.holding import first_due, hold_deliveries
from orchestrator.store.pacing import reserve


class Gatekeeper:
    """The gates as a worker process sees them; they are rows that all of them share."""

    def __init__(self, connectors: Mapping[str, Connector]) -> None:
        self.shelf = GateShelf()
        self._connectors = connectors

    def hold(
        self, tx: Tx, ids: Sequence[str], workflow: CompiledWorkflow, *, epoch: int, actor: str
    ) -> None:
        """Let stand still what of these events is due and leads to a closed gate.

        At a broken one whose time has come, one delivery is let through, by one worker.
        """
        gates = self.shelf.take(tx)
        if not gates:
            return
        for gate, destinations in _closed(gates, workflow).values():
            spare = first_due(tx, ids, destinations, epoch=epoch) if gate.broken else None
            cooldown_ms = int(self.policy(gate.name).cooldown_seconds * 1000)
            if spare and not take_probe(tx, gate.name, cooldown_ms):
                spare = None
            hold_deliveries(
                tx,
                ids,
                destinations,
                workflow=workflow.workflow,
                epoch=epoch,
                gate=gate.name,
                reason=str(gate.reason),
                actor=actor,
                spare=spare,
            )

    def pace(
        self, tx: Tx, taken: Sequence[Taken], *, run_id: str, seconds: float
    ) -> tuple[list[Taken], dict[str, float]]:
        """Those that may be called within `seconds`, and by key the moment before which not.

        The others are put off, as not begun, until their system could take them.
        """
        gates = self.shelf.take(tx)
        by_connector: defaultdict[str, list[Taken]] = defaultdict(list)
        for one in taken:
            by_connector[one.connector].append(one)
        moments: dict[str, float] = {}
        late: list[Undone] = []
        for name, some in by_connector.items():
            rate = self._rate(name, some)
            if rate is not None:
                late += _within_budget(tx, name, some, rate, moments, seconds)
            elif name in gates and gates[name].postponed_ms:
                late += [_put_off(one, gates[name].postponed_ms) for one in some]
        if not late:
            return list(taken), moments
        save_undone(tx, run_id, late)
        gone = {(one.event_id, one.destination) for one in late}
        return [one for one in taken if (one.event_id, one.destination) not in gone], moments

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


def _closed(
    gates: Mapping[str, Gate], workflow: CompiledWorkflow
) -> dict[str, tuple[Gate, list[str]]]:
    """The closed gates by name, each with the workflow's destinations behind it."""
    said = workflow.workflow
    found: dict[str, tuple[Gate, list[str]]] = {}
    for name, one in said.destinations.items():
        gate = standing_in_the_way(
            gates, destination_gate(said.client, said.name, name), one.connector
        )
        if gate is not None:
            found.setdefault(gate.name, (gate, []))[1].append(name)
    return found


def _within_budget(
    tx: Tx,
    name: str,
    some: Sequence[Taken],
    rate: RateBudget,
    moments: dict[str, float],
    seconds: float,
) -> list[Undone]:
    """Give those within the budget their moments; answers the others, put off."""
    reserved = reserve(tx, name, rate, len(some), int(seconds * 1000))
    now = time.monotonic()
    for place, one in enumerate(some[: reserved.granted]):
        moments[one.key] = now + reserved.wait_ms(place) / 1000
    return [
        _put_off(one, reserved.next_in_ms + place * reserved.interval_ms)
        for place, one in enumerate(some[reserved.granted :])
    ]


def _put_off(one: Taken, after_ms: float) -> Undone:
    return Undone(
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
