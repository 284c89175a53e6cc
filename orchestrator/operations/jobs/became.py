"""What became of the events of a job, beyond its own work, and the incidents that they are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.delivery.blockers import Holder
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.operations.jobs.show import ShownJob
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.job_items import incidents_of_items
from orchestrator.store.desk.plans import count_deliveries, find_plan
from orchestrator.store.views.events.held_deliveries import holders_of_plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Became:
    """Where the events of a job are. For a job that replays nothing, only its incidents."""

    incidents: tuple[int, ...]  # their numbers, at most a few
    delivered: int | None  # events; None: the job replays nothing
    quarantined: int = 0  # events that came back
    under_way: int = 0  # events that were replayed and are at no end yet
    held_by: tuple[Holder, ...] = ()  # what holds some of these back, with how many
    confirmed: int = 0  # deliveries whose record was read back and compared
    receipted: int = 0  # deliveries that the tool took, and that cannot be read back


def what_became(tx: Tx, found: ShownJob) -> Became:
    """What became of the events of a job by now."""
    job = found.job
    if job.plan is None:
        return Became(incidents=incidents_of_items(tx, job.id), delivered=None)
    plan = find_plan(tx, job.plan)
    if plan is None:  # retention took it
        return Became(incidents=(), delivered=None)
    incident = plan.selection.get("incident")
    states, made = found.outcomes, count_deliveries(tx, plan.id)
    return Became(
        incidents=(incident,) if isinstance(incident, int) else (),
        delivered=states.get(State.DELIVERED, 0),
        quarantined=states.get(State.QUARANTINED, 0),
        under_way=_under_way(states),
        held_by=holders_of_plan(tx, plan.id) if DeliveryState.HELD in made else (),
        confirmed=made.get(DeliveryState.CONFIRMED, 0),
        receipted=made.get(DeliveryState.RECEIPTED, 0),
    )


def _under_way(states: Mapping[str, int]) -> int:
    on_their_way = (State.ACCEPTED, State.VALIDATED, State.ROUTED)
    return sum(states.get(one, 0) for one in on_their_way)
