"""Say of an event in quarantine whether it would pass if it were replayed now."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.delivery.breakers import RATE
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.incidents.advice import Step, advise
from orchestrator.domain.incidents.incident import HELD
from orchestrator.domain.lifecycle import Stage, State
from orchestrator.domain.reasons import Reason
from orchestrator.operations.replay.plan import routed_now
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.plan_snapshot import grounds
from orchestrator.store.quarantine.restoring import emptied
from orchestrator.store.quarantine.workflows import WorkflowShelf, live_workflow
from orchestrator.store.views.events.show import EventView


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What would come of a replay, as far as that is known before."""

    passes: bool  # contract, facts and routes of the live version
    version: int  # the live one
    told: str  # one sentence
    command: str | None  # that replays it, where it passes


def judge_replay(tx: Tx, event: EventView) -> Judgement | None:
    """The judgement on an event as `show_event` has it; None where it cannot be replayed or tried.

    It decides as the stages will, with the payload as it was amended. What a destination makes of
    it nobody knows before. An event that may end the process that decides on it is not tried.
    """
    standing = event.quarantine
    if standing is None or standing.reason == Reason.START_LIMIT:
        return None
    ground = grounds(tx, [event.id]).get(event.id)
    live = None if ground is None else live_workflow(tx, ground.client, ground.workflow)
    if ground is None or live is None:
        return None
    routed = routed_now(ground.payload, WorkflowShelf().take(tx, live.id))
    if isinstance(routed, Rejected):
        told = f"would still be refused ({routed.reason}): {routed.detail}"
        return Judgement(passes=False, version=live.version, told=told, command=None)
    told = "passes now; replay it"
    if standing.stage == Stage.DISPATCH:
        told = "passes contract and routes; a replay shows whether its destination takes it"
    command = f"meshline quarantine replay {event.id}"
    return Judgement(passes=True, version=live.version, told=told, command=command)


@dataclass(frozen=True, kw_only=True, slots=True)
class AdvisedEvent:
    """An event with what to do about it."""

    event: EventView
    advice: tuple[Step, ...]  # in order; none where nothing has to be done
    replay: Judgement | None  # what a replay would come to; None where that is not known

    def as_json(self) -> dict[str, object]:
        """The event as a document, with `advice` and `replay` beside its own keys."""
        return self.event.as_json() | {"advice": self.advice, "replay": self.replay}


def with_next_steps(tx: Tx, event: EventView | None) -> AdvisedEvent | None:
    """The event with what to do about it, and what a replay would come to; None for no event."""
    if event is None:
        return None
    return AdvisedEvent(event=event, advice=_advice(tx, event), replay=judge_replay(tx, event))


def _advice(tx: Tx, event: EventView) -> tuple[Step, ...]:
    """The steps for an event in quarantine, held or discarded, each with its command."""
    if event.state == State.DISCARDED and not emptied(tx, [event.id]):
        back = f"meshline quarantine restore {event.id} --why 'the reason'"
        return (Step(do="Take the discard back, where it was a mistake", command=back),)
    standing = event.quarantine
    waiting = [one for one in event.held if one.what != RATE]  # its turn comes by itself
    blockers = {one.by: one.reason for one in waiting if one.reason}
    if standing is None and not waiting:
        return ()
    return advise(
        standing.reason if standing else HELD,
        client=event.client,
        workflow=event.workflow,
        event_id=event.id,
        blockers=blockers,
    )
