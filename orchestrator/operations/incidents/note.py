"""Write a note on an incident: what somebody found, tried or asked, for whoever looks next."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import NotFound
from orchestrator.domain.whys import needed_why
from orchestrator.operations.access.allow import allow
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.locked_incidents import lock_incident


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """A note that was written."""

    incident: int


def note_incident(store: Store, number: int, *, why: str, actor: Actor) -> Noted:
    """Write `why` into the history of an incident, also of one that is resolved.

    Nothing else changes: not its state, its owner or who is alerted. Raises Refused for a blank
    note, NotFound, Forbidden.
    """
    note = needed_why(why, "a note")
    unseen = NotFound(f"there is no incident {number}", fix="see `meshline incidents list`")
    with store.write() as tx:
        held = lock_incident(tx, number)
        if held is None:
            raise unseen
        allow(tx, actor, Act.NOTE, [held.client], unseen=unseen)
        told = {"why": note}
        audit.record_incident(tx, number, actor=actor.name, action="note_incident", detail=told)
    return Noted(incident=number)
