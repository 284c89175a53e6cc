"""Say of an event in quarantine whether it would pass if it were replayed now."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.delivery.breakers import RATE
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.incidents.advice import advise
from orchestrator.domain.incidents.incident import HELD
from orchestrator.domain.lifecycle import Stage, State
from orchestrator.domain.reasons import Reason
from orchestrator.operations.plan_replay import routed_now
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.plan_snapshot import grounds
from orchestrator.store.quarantine.restoring import emptied
from orchestrator.store.quarantine.workflows import WorkflowShelf, live_workflow
from orchestrator.store.views.values import View


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What would come of a replay, as far as that is known before."""

    passes: bool  # contract, facts and routes of the live version
    version: int
    told: str  # one sentence
    command: str | None  # that replays it, where it passes


def judge_replay(tx: Tx, event: View) -> Judgement | None:
    """The judgement on an event as `show_event` has it; None where it cannot be replayed or tried.

    It decides as the stages will, with the payload as it was amended. What a destination makes of
    it nobody knows before. An event that may end the process that decides on it is not tried.
    """
    standing = event["quarantine"]
    if standing is None or standing["reason"] == Reason.START_LIMIT:
        return None
    ground = grounds(tx, [event["id"]]).get(event["id"])
    live = None if ground is None else live_workflow(tx, ground.client, ground.workflow)
    if ground is None or live is None:
        return None
    routed = routed_now(ground.payload, WorkflowShelf().take(tx, live.id))
    if isinstance(routed, Rejected):
        told = f"would still be refused ({routed.reason}): {routed.detail}"
        return Judgement(passes=False, version=live.version, told=told, command=None)
    told = "passes now; replay it"
    if standing["stage"] == Stage.DISPATCH:
        told = "passes contract and routes; a replay shows whether its destination takes it"
    command = f"meshline quarantine replay {event['id']}"
    return Judgement(passes=True, version=live.version, told=told, command=command)


def with_next_steps(tx: Tx, event: View | None) -> View | None:
    """The event with what to do about it, as `advice`, and what a replay would come to.

    `replay` is null where that is not known.
    """
    if event is None:
        return None
    found = judge_replay(tx, event)
    told = found and {
        "passes": found.passes,
        "version": found.version,
        "told": found.told,
        "command": found.command,
    }
    return event | {"advice": _advice(tx, event), "replay": told}


def _advice(tx: Tx, event: View) -> list[View]:
    """The steps for an event in quarantine, held or discarded, each with its command."""
    if event["state"] == State.DISCARDED and not emptied(tx, [event["id"]]):
        back = f"meshline quarantine restore {event['id']} --why 'the reason'"
        return [{"do": "Take the discard back, where it was a mistake", "command": back}]
    standing = event["quarantine"]
    waiting = [one for one in event["held"] if one["what"] != RATE]  # its turn comes by itself
    blockers = {one["by"]: one["reason"] for one in waiting if one["reason"]}
    if standing is None and not waiting:
        return []
    steps = advise(
        standing["reason"] if standing else HELD,
        client=event["client"],
        workflow=event["workflow"],
        event_id=event["id"],
        blockers=blockers,
    )
    return [{"do": one.do, "command": one.command} for one in steps]
