"""Who changes an event or a delivery holds it: by its epoch, by its run, or as a person's turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.domain.lifecycle import DeliveryState, State
from tests.model.actors import Actor

if TYPE_CHECKING:
    from tests.model.laws import Seen


def check_holders(was: Seen, now: Seen, *, actor: Actor | None, ms: int) -> None:
    """Hold each change of one commit against what `actor` had in hand; `ms` is the time."""
    for event_id, row in now.events.items():
        before = was.events.get(event_id)
        if before is not None and before != row:
            assert actor is not None and _may_change(actor, before, row, ms), f"{before} to {row}"
    for key in was.deliveries.keys() | now.deliveries.keys():
        change = was.deliveries.get(key), now.deliveries.get(key)
        if change[0] != change[1]:
            event = was.events[key[0]]
            may = actor is not None and (
                _may_settle(actor, event, *change) or _may_hold(actor, event, *change, ms)
            )
            assert may, f"{event}: {change}"


def _may_change(actor: Actor, was: Any, row: Any, ms: int) -> bool:
    match actor.name:
        case "worker":
            return was.epoch in actor.epochs or _only_due_sooner(was, row)
        case "relay" if row.epoch != was.epoch:
            actor.epochs.add(row.epoch)
            return bool(was.due_at <= ms)
        case "relay" if row.state == State.QUARANTINED:
            return bool(was.due_at <= ms)
        case "relay":
            sooner = _only_due_sooner(was, row) and row.due_at <= ms
            return was.epoch in actor.epochs or sooner
        case "person":
            return bool(was.state == State.QUARANTINED)
    return False


def _only_due_sooner(was: Any, row: Any) -> bool:
    """A run that settles what another drives may only see to it that this is not too late."""
    if was.due_at is None or row.due_at is None or row.due_at > was.due_at:
        return False
    return {**was._mapping, "due_at": row.due_at} == dict(row._mapping)


def _may_settle(actor: Actor, event: Any, was: Any, row: Any) -> bool:
    if actor.name == "person":
        return bool(was and row and was.state == DeliveryState.FAILED)
    if actor.name != "worker" or event.epoch not in actor.epochs:
        # A run may say what came of its call also when its event has gone on without it.
        return bool(actor.name == "worker" and was and was.run_id in actor.runs)
    if event.state == State.VALIDATED:  # planned, planned anew, or dropped by the plan
        return True
    if row.run_id:
        actor.runs.add(row.run_id)
        return True
    return was.run_id in actor.runs


def _may_hold(actor: Actor, event: Any, was: Any, row: Any, ms: int) -> bool:
    """A closed gate holds what nobody has in hand; a relay lets it go; a busy one puts it off."""
    if was is None or row is None:
        return False
    if actor.name == "relay":
        return (was.state, row.state) == (DeliveryState.HELD, DeliveryState.PENDING)
    nobodys = was.run_id is None or was.run_until <= ms
    stands = row.state in (DeliveryState.HELD, DeliveryState.PENDING)
    return event.epoch in actor.epochs and nobodys and stands
