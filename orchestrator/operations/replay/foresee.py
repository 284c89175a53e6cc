"""What will come of a replay: what would come straight back, and what will be held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from orchestrator.domain.delivery.blockers import Blocker
from orchestrator.domain.delivery.breakers import action_breaker, destination_circuit
from orchestrator.domain.delivery.verdicts import Rejected, Routed
from orchestrator.domain.event import Item
from orchestrator.domain.reasons import Reason
from orchestrator.operations.replay.plan import LeftOut, routed_now
from orchestrator.store.database.engine import Tx
from orchestrator.store.drive.deliveries import made_among
from orchestrator.store.quarantine.actions import effective_payloads
from orchestrator.store.quarantine.workflows import LiveWorkflow, WorkflowShelf
from orchestrator.store.views.destinations.list import blocked_circuits


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeseenHold(Blocker):
    """A pause or an open circuit breaker that replayed events will wait for."""

    events: int  # of the replay


class Foresight:
    """Decides on events as their stages will under the live version, and counts."""

    def __init__(self, tx: Tx, *, anyway: bool) -> None:
        self._anyway = anyway
        self._shelf = WorkflowShelf()
        self._blocked: dict[str, Blocker] = {one.name: one for one in blocked_circuits(tx)}
        self._held: Counter[str] = Counter()  # events by the circuit that will hold them
        self.left_out: list[LeftOut] = []

    @property
    def held(self) -> list[ForeseenHold]:
        """Each pause and open circuit breaker that will hold some of the events."""
        return [
            ForeseenHold(**asdict(self._blocked[name]), events=self._held[name])
            for name in sorted(self._held)
        ]

    def choose(self, tx: Tx, standing: Mapping[str, str], live: LiveWorkflow) -> list[str]:
        """Those of one workflow's events, with the reasons that they stand for, that may go.

        An event that may end the process that decides on it is not tried.
        """
        if self._anyway and not self._blocked:
            return list(standing)
        tried = [one for one in standing if standing[one] != Reason.START_LIMIT]
        payloads = effective_payloads(tx, tried)
        made = made_among(tx, tried) if self._blocked else set()
        workflow = self._shelf.take(tx, live.id)
        chosen = []
        for event_id in standing:
            if event_id in payloads:
                routed = routed_now(payloads[event_id], workflow)
                if isinstance(routed, Rejected):
                    if not self._anyway:
                        self._leave_out(event_id, routed)
                        continue
                elif self._blocked:
                    self._count_held(event_id, routed, live, made)
            chosen.append(event_id)
        return chosen

    def _leave_out(self, event_id: str, rejected: Rejected) -> None:
        self.left_out.append(
            LeftOut(id=event_id, reason=rejected.reason.value, detail=rejected.detail)
        )

    def _count_held(
        self, event_id: str, routed: Routed, live: LiveWorkflow, made: set[tuple[str, str, Item]]
    ) -> None:
        circuits: Sequence[str] = [
            circuit
            for one in routed.deliveries
            if (event_id, *one.place) not in made
            for circuit in (
                destination_circuit(live.client, live.name, one.destination),
                one.connector,
                action_breaker(one.connector, one.action),
            )
            if circuit in self._blocked
        ]
        self._held.update(set(circuits))
